//! How fast mail is read and judged: `cargo bench`, or `cargo bench -- capitals` for the cases whose name holds that. All
//! mails are made here, so that figures of two machines or two versions compare; a parser's own time over the same bytes
//! is printed beside them as a yardstick.
#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod mailbox;

use std::{
    hint::black_box,
    process::ExitCode,
    time::{Duration, Instant},
};

use jiff::civil::date;
use onward::{
    classify::{classify, classify_with, traits},
    learn::{Learned, Lesson},
    message::{Fetched, Message},
    rules::{RuleSet, load, shipped},
};

/// Typical messages.
const MESSAGES: usize = 600;
/// Messages of the mailbox.
const MAILBOX: usize = 2_000;
/// In per cent: those of them that are about work.
const ABOUT_WORK: usize = 20;
/// Messages of both when nothing is measured: `cargo test` only sees whether it runs.
const TRIAL: usize = 10;
/// Size of a typical message, in bytes.
const MESSAGE_BYTES: usize = 5 * 1024;
/// Size of a hostile message, in bytes.
const HOSTILE_BYTES: usize = 1 << 20;

const OPENINGS: [&str; 4] = [
    "thank you for taking the time to apply for the Pastry Chef role at Ovenworks.",
    "we received your application for the position of Glazier and will look at it shortly.",
    "vielen Dank für Ihre Bewerbung als Bäckerin bei der Mühlenhof GmbH.",
    "this week we have new openings near you that may interest you.",
];
const MIDDLES: [&str; 4] = [
    "After careful thought we have decided not to move forward with your application.",
    "We would like to invite you to a conversation with two of us; please pick a time below.",
    "Leider müssen wir Ihnen mitteilen, dass wir uns für eine andere Person entschieden haben.",
    "If you are selected, we will contact you to arrange an interview.",
];
const FILLERS: [&str; 6] = [
    "Our ovens run from four in the morning, and the team shares breakfast once the first trays are out.",
    "The shop in the old harbour opens in spring; until then everybody works from the mill by the river.",
    "You will find directions, opening hours and a short film about the workshop on our pages.",
    "Die Werkstatt liegt zehn Minuten vom Bahnhof, und Fahrräder können im Hof stehen.",
    "Nobody has to bring tools: we lend knives, aprons and shoes, and we wash them too.",
    "Should anything be unclear, the notes of our last open day answer most of what people ask us.",
];

fn typical(number: usize) -> Vec<u8> {
    let pick = |from: &[&'static str], at: usize| from.iter().cycle().nth(at % from.len()).copied().unwrap_or_default();
    let mut mail = format!(
        "From: Ovenworks Team <jobs{number}@ovenworks.example>\r\nTo: Kim Doe <kim@example.org>\r\n\
         Subject: Your application, number {number}\r\nMessage-ID: <{number}@ovenworks.example>\r\n\
         Date: Mon, 4 May 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHello Kim,\r\n\r\n\
         {}\r\n{}\r\n\r\n",
        pick(&OPENINGS, number),
        pick(&MIDDLES, number / OPENINGS.len())
    );
    for line in 0.. {
        if mail.len() >= MESSAGE_BYTES {
            break;
        }
        let end = if line % 3 == 2 { "\r\n\r\n" } else { "\r\n" };
        mail.push_str(pick(&FILLERS, number + line));
        mail.push_str(end);
    }
    mail.push_str("Kind regards\r\nThe Ovenworks Team\r\n");
    mail.into_bytes()
}

/// Text that almost matches all the time, without an end of a sentence.
fn hostile(line: &str) -> Vec<u8> {
    let head = "From: a@example.org\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    format!("{head}{}", line.repeat(HOSTILE_BYTES / line.len())).into_bytes()
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let value = black_box(run());
    (value, started.elapsed())
}

fn parsed(mails: &[Vec<u8>]) -> Vec<Message> {
    mails.iter().map(|m| Message::parse(m, Fetched::Whole)).collect()
}

fn judged(rules: &RuleSet, messages: &[Message]) -> usize {
    messages.iter().filter(|m| classify(rules, m).decided).count()
}

fn line(name: &str, mails: &[Vec<u8>], took: Duration, yardstick: Duration) {
    let each = took.as_secs_f64() / mails.len() as f64;
    let ratio = took.as_secs_f64() / yardstick.as_secs_f64();
    println!("{name:<34}{:>10.3} ms each{:>10.0} a second{ratio:>8.1} x mail-parser", each * 1e3, 1.0 / each);
}

fn measure(rules: &RuleSet, name: &str, mails: &[Vec<u8>]) {
    let parser = mail_parser::MessageParser::default();
    let (_, yardstick) = timed(|| mails.iter().filter(|m| parser.parse(m.as_slice()).is_some()).count());
    let (messages, parse) = timed(|| parsed(mails));
    let (_, judge) = timed(|| judged(rules, &messages));
    line(&format!("{name}: parse"), mails, parse, yardstick);
    line(&format!("{name}: judge"), mails, judge, yardstick);
    line(&format!("{name}: parse and judge"), mails, parse + judge, yardstick);
}

/// What the person's corrections cost beside the rules: every mail is one.
fn corrected(rules: &RuleSet, mails: &[Vec<u8>]) {
    let messages = parsed(mails);
    let lesson = |(item, m): (i64, &Message)| {
        let label = classify(rules, m).category;
        Lesson { item, day: date(2026, 5, 4), label, traits: traits(rules, m) }
    };
    let lessons: Vec<Lesson> = (1..).zip(&messages).map(lesson).collect();
    let (learned, took) = timed(|| Learned::from_lessons(&lessons));
    println!("{:<34}{:>10.3} ms", format!("learn {} corrections", lessons.len()), took.as_secs_f64() * 1e3);
    let (_, alone) = timed(|| judged(rules, &messages));
    let (_, beside) = timed(|| messages.iter().filter(|m| classify_with(rules, m, &learned).decided).count());
    let each = beside.as_secs_f64() / messages.len() as f64 * 1e3;
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    println!("{:<34}{each:>10.3} ms each{ratio:>21.2} x without", "5 KB with corrections: judge");
}

fn main() -> ExitCode {
    let (rules, took) = timed(|| load(&shipped()));
    let Ok(rules) = rules else {
        println!("the shipped rules do not load");
        return ExitCode::FAILURE;
    };
    println!("{:<34}{:>10.3} ms", format!("load {} phrases", rules.phrase_count()), took.as_secs_f64() * 1e3);
    // `cargo bench` says so.
    let measures = std::env::args().any(|arg| arg == "--bench");
    let (messages, mailbox) = if measures { (MESSAGES, MAILBOX) } else { (TRIAL, TRIAL) };
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str()));
    let typical: Vec<Vec<u8>> = (0..messages).map(typical).collect();
    // Phrases are compiled at first use: those of all languages for a mail that may be written in any.
    let (_, took) = timed(|| judged(&rules, &parsed(&[b"From: a@example.org\r\n\r\naaaa aaaa".to_vec()])));
    println!("{:<34}{:>10.3} ms", "compile those of all languages", took.as_secs_f64() * 1e3);
    judged(&rules, &parsed(&typical));
    if is_wanted("5 KB") {
        measure(&rules, "5 KB", &typical);
    }
    if is_wanted("corrections") {
        corrected(&rules, &typical);
    }
    if is_wanted("mailbox") {
        let mails = mailbox::mailbox(mailbox, ABOUT_WORK);
        let kilobytes = mails.iter().map(Vec::len).sum::<usize>() / 1024;
        println!("{:<34}{:>10} KB in {} mails", "mailbox", kilobytes, mails.len());
        measure(&rules, "mailbox", &mails);
    }
    for (name, text) in [
        ("1 MB of half matches", "if we might not move forward with your application, unfortunately we regret "),
        ("1 MB of short sentences", "We do not go on. Unfortunately not. A. "),
        ("1 MB of one letter", "a"),
        ("1 MB of capitals", "Acme Bar And Co Of The Foo "),
        ("1 MB of figures", "1.1.1,2:3/4."),
        ("1 MB without spaces", "残念ながら選考の結果"),
    ] {
        if is_wanted(name) {
            measure(&rules, name, &[hostile(text)]);
        }
    }
    ExitCode::SUCCESS
}
