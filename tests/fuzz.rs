//! The targets of `fuzz/` on the stable compiler: every stored input, and then mutations of them, for a bounded time. The
//! same seed gives the same inputs in the same order; how far it comes depends on the machine.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::{
    collections::BTreeSet,
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::mpsc,
    time::{Duration, Instant},
};

/// How long a target is tried, in seconds, unless ONWARD_FUZZ_SECONDS says something else: six targets are a minute.
const SECONDS: u64 = 10;
/// Most mutations tried in that time: a fast machine has other things to do.
const TRIES: usize = 20_000;
/// How long one input may take. Far above what any of them takes in a test build on a busy machine, and far below what one
/// takes that is quadratic.
const INPUT_MAX: Duration = Duration::from_secs(20);
/// Longest input that is made, in bytes, as long as what is fetched of a mail.
const BYTES_MAX: usize = 64 * 1024;
/// Most inputs kept because they reached something else.
const POOL_MAX: usize = 2_000;

/// xorshift64*: chance that can be repeated.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// One target.
struct Target {
    name: &'static str,
    run: fn(&[u8]) -> u64,
    /// What its inputs are made of.
    words: &'static [&'static [u8]],
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{name} has too few inputs to begin with");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A few changes to one of the inputs.
fn mutated(chance: &mut Chance, pool: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = pool[chance.below(pool.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + 1 + chance.below(64)).min(bytes.len());
        match chance.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = [0, b'\r', b'\n', 0x1b, 0x80, 0xff, b'"', b'('][chance.below(8)],
            2 => drop(bytes.drain(at.min(end)..end)),
            3 => bytes.truncate(at),
            4 => {
                // What is said twice, or very often.
                let part = bytes[at.min(end)..end].to_vec();
                let times = if chance.below(8) == 0 { 1 + chance.below(2_000) } else { 1 };
                bytes.splice(at..at, part.repeat(times));
            }
            5 => {
                let other = &pool[chance.below(pool.len())];
                let from = chance.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            6 => {
                let noise: Vec<u8> = (0..=chance.below(8)).map(|_| chance.next() as u8).collect();
                bytes.splice(at..at, noise);
            }
            _ => {
                let word = words[chance.below(words.len())];
                let over = if chance.below(2) == 0 { at } else { (at + word.len()).min(bytes.len()) };
                bytes.splice(at..over, word.iter().copied());
            }
        }
        bytes.truncate(BYTES_MAX);
    }
    bytes
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// Keeps an input that failed, and says where.
fn kept(target: &str, input: &[u8]) -> PathBuf {
    let file = env::temp_dir().join(format!(
        "onward-fuzz-{target}-{:016x}",
        input.iter().fold(7, |sum: u64, byte| { sum.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte) })
    ));
    fs::write(&file, input).unwrap();
    file
}

fn fuzz(target: &Target) {
    let seconds = number("ONWARD_FUZZ_SECONDS");
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS));
    let tries = if seconds.is_some() { usize::MAX } else { TRIES };
    let mut chance =
        Chance(0x9e37_79b9_7f4a_7c15 ^ number("ONWARD_FUZZ_SEED").unwrap_or(0).wrapping_mul(0xd134_2543_de82_ef95));
    let (to_worker, inputs) = mpsc::channel::<Vec<u8>>();
    let (to_us, results) = mpsc::channel();
    let run = target.run;
    // A thread of its own, so that an input that never ends is noticed. Its stack is that of the daemon's threads.
    let worker = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        for input in inputs {
            let result = catch_unwind(AssertUnwindSafe(|| run(&input))).map_err(|_| ());
            if to_us.send((input, result)).is_err() {
                return;
            }
        }
    });
    let (mut pool, mut reached, mut tried) = (corpus(target.name), BTreeSet::new(), 0);
    let stored = pool.len();
    while tried < stored || (tried < stored.saturating_add(tries) && Instant::now() < end) {
        let input = if tried < stored { pool[tried].clone() } else { mutated(&mut chance, &pool, target.words) };
        tried += 1;
        to_worker.send(input.clone()).unwrap();
        match results.recv_timeout(INPUT_MAX) {
            Ok((input, Ok(place))) => {
                if reached.insert(place) && tried > stored && pool.len() < POOL_MAX {
                    pool.push(input);
                }
            }
            Ok((input, Err(()))) => panic!("{}: an input fails: {}", target.name, kept(target.name, &input).display()),
            Err(_) => panic!("{}: an input takes too long: {}", target.name, kept(target.name, &input).display()),
        }
    }
    drop(to_worker);
    worker.unwrap().join().unwrap();
    println!("{}: {tried} inputs, {} places reached", target.name, reached.len());
}

/// C1 to C9: no mail makes the parser panic, hang, or hand on what is not clean.
#[test]
fn any_mail_is_read() {
    let words: &[&[u8]] = &[
        b"\r\n\r\n",
        b"\n--b\r\n",
        b"--b--",
        b"Content-Type: message/rfc822\r\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: text/html; charset=",
        b"utf-16",
        b"iso-2022-jp",
        b"utf-7",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"=?utf-8?q?",
        b"?=",
        b"=?iso-2022-jp?b?",
        b"=0D=0A",
        b"<div style='display:none'>",
        b"<blockquote>",
        b"</div>",
        b"<table><tr><td>",
        b"&#27;",
        b"&#x202e;",
        b"> ",
        b"From: a@b.example\r\n",
        b"\r\n \t",
        b"; name*0*=utf-8''",
        b"-----Original Message-----\r\n",
        b"BEGIN:VCALENDAR\r\n",
        b"\xe2\x80\xae",
        b"\xef\xbb\xbf",
        b"<!--",
        b"<style>",
        b"()",
        b"(",
        b"\0",
    ];
    fuzz(&Target { name: "message", run: targets::message, words });
}

/// C5: whatever is cleaned is clean.
#[test]
fn any_text_is_cleaned() {
    let words: &[&[u8]] = &[
        b"\r\n",
        b"\x1b[31m",
        b"\xc2\x9b",
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
        b"\xe2\x80\x8b",
        b"\xc2\xa0",
        b"\xc2\xad",
        b"  ",
        b"\t",
        b"&",
        b"&-",
        b"&AGE-",
        b"\xf0\x9f\x98\x80",
        b"\xcc\x81",
        b"a",
        b"\xff",
    ];
    fuzz(&Target { name: "text", run: targets::text, words });
}

/// A rule file is refused with places, or taken.
#[test]
fn any_rule_file_is_judged() {
    let words: &[&[u8]] = &[
        b"[[rule]]\n",
        b"id = \"a.b\"\n",
        b"category = \"rejection\"\n",
        b"phrases = [",
        b"\"",
        b"\"\"\"",
        b"]\n",
        b"weight = 3.0\n",
        b"weight = nan\n",
        b"(?:",
        b"{a|b}",
        b"[x]",
        b"...",
        b"<",
        b">",
        b"*",
        b"|",
        b"lists.",
        b"schema = 1\n",
        b"language = \"en\"\n",
        b"tests = ",
        b"unless = ",
        b"\xc3\xa9",
        b"9223372036854775808",
        b"-1",
        b"= {",
        b"}\n",
        b"'''",
        b"\\u{0}",
        b"#",
        b"requires = [{",
        b"zones = [\"lead\"]\n",
    ];
    fuzz(&Target { name: "rules", run: targets::rules, words });
}

/// So is a configuration.
#[test]
fn any_configuration_is_judged() {
    let words: &[&[u8]] = &[
        b"[[account]]\n",
        b"[account.imap]\n",
        b"[account.smtp]\n",
        b"host = \"imap.gmail.com\"\n",
        b"port = 993\n",
        b"tls = \"starttls\"\n",
        b"junk = \"auto\"\n",
        b"password.command = [\"x\"]\n",
        b"oauth.provider = \"google\"\n",
        b"[[identity]]\n",
        b"[telling]\n",
        b"quiet = \"21:00-08:00\"\n",
        b"\"",
        b"[",
        b"]\n",
        b"= 99999999999999999999",
        b"= -1\n",
        b"= {}\n",
        b"\\u0000",
        b"'''",
        b"\xe2\x80\xae",
        b"poll = \"1s\"\n",
        b".",
        b"user = \"a@hey.com\"\n",
    ];
    fuzz(&Target { name: "config", run: targets::config, words });
}

/// A15, A16, B1 to B3, B13, B14, B27, B28: whatever a server says, each operation ends and an error closes the session.
#[test]
fn any_answer_of_a_server_ends() {
    let words: &[&[u8]] = &[
        b"\r\n",
        b"* ",
        b"+ ",
        b"+ idling\r\n",
        b"O1 ",
        b"O2 ",
        b"O3 ",
        b"O4 ",
        b"OK done\r\n",
        b"NO ",
        b"BAD ",
        b"* BYE ",
        b"[UIDVALIDITY 7]",
        b"[UIDNEXT 10]",
        b"[APPENDUID 7 9]",
        b"* 3 EXISTS\r\n",
        b"* SEARCH 4 7 9\r\n",
        b"* ESEARCH ",
        b"* 1 FETCH (UID 4 ",
        b"RFC822.SIZE 3 ",
        b"BODY[]<0> {3}\r\nabc)\r\n",
        b"BODY[] NIL)\r\n",
        b"{4294967295}\r\n",
        b"{500000000}\r\n",
        b"{65536}\r\n",
        b"INTERNALDATE \"16-Nov-2026 09:00:01 +0000\" ",
        b"((((((((((((((((",
        b"))))",
        b"\"",
        b"\\",
        b"\xc3\xa9",
        b"\0",
        b"* LIST (\\Junk) \"/\" \"Junk\"\r\n",
        b"* OK [ALERT] ",
        b"* CAPABILITY IMAP4rev1\r\n",
        b"4294967296",
    ];
    fuzz(&Target { name: "imap", run: targets::imap, words });
}

/// D5, F15 to F18 of the same list: nothing that a mail said adds a header to a reply.
#[test]
fn any_reply_is_a_letter_with_its_own_headers() {
    let words: &[&[u8]] = &[
        b"\r\n",
        b"\r\nBcc: evil@x.example\r\n",
        b"\n\n",
        b"\x01",
        b"=?utf-8?q?",
        b"?=",
        b"=0D=0A",
        b"\xc3\xa9",
        b"\xe2\x80\xae",
        b"\"",
        b"\\",
        b"<a@b.example>",
        b"a@b.example",
        b",",
        b";",
        b":",
        b"(",
        b")",
        b"<",
        b">",
        b".\r\n",
        b"> ",
        b"From ",
        b"\0",
        b"\t",
        b"                                                                                ",
        b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    fuzz(&Target { name: "compose", run: targets::compose, words });
}
