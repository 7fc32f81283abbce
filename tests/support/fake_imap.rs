//! An IMAP server with a mailbox of its own that goes wrong where a test says: for what happens over many connections,
//! which no script can foresee. Real servers stand where they can show it; this one is for what they will not do wrong.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What happens in place of the right answer.
#[derive(Debug, Clone)]
pub enum Act {
    /// This is said; `$tag` stands for the tag of the command.
    Say(String),
    /// This is said first, and the right answer follows.
    First(String),
    /// The connection is closed.
    Close,
    /// Nothing is said until the client goes away.
    Stall,
}

/// Something that goes wrong.
#[derive(Debug, Clone)]
struct Fault {
    /// How the command begins, without its tag; `greeting` for the greeting.
    at: &'static str,
    /// How often it still goes wrong.
    times: usize,
    act: Act,
}

/// Another mailbox than the one everybody asks for.
#[derive(Debug, Default)]
pub struct Mailbox {
    /// Its messages by UID.
    pub mails: BTreeMap<u32, Option<Vec<u8>>>,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub uid_next: u32,
}

impl Mailbox {
    /// Takes a message in.
    pub fn put(&mut self, mail: Option<Vec<u8>>) -> u32 {
        let uid = self.uid_next;
        self.mails.insert(uid, mail);
        self.uid_next += 1;
        uid
    }
}

/// The server as it is now.
#[derive(Debug, Default)]
pub struct State {
    /// The mailbox: messages by UID. `None` is one that is listed and has no body to give.
    pub mails: BTreeMap<u32, Option<Vec<u8>>>,
    /// The mailbox of its own that LIST marks as `\\Junk`.
    pub junk: Option<String>,
    /// UIDVALIDITY; 0: none is said.
    pub uid_validity: u32,
    /// UIDNEXT; 0: none is said.
    pub uid_next: u32,
    /// What CAPABILITY says besides `IMAP4rev1 AUTH=PLAIN SASL-IR`.
    pub capabilities: String,
    /// Said every so often while a client idles.
    pub keepalive: Option<(Duration, String)>,
    /// Whether idling clients are told of new mail.
    pub announces: bool,
    /// Mailboxes of their own, by name; any other name means the one above.
    pub others: BTreeMap<String, Mailbox>,
    /// Messages that were appended: the mailbox and flags as they were said, and the bytes.
    pub appended: Vec<(String, Vec<u8>)>,
    faults: Vec<Fault>,
    /// Connections that were made under another number are gone.
    generation: usize,
    /// Commands received, without tags, each with the number of its connection.
    pub commands: Vec<(usize, String)>,
    /// Connections made so far.
    pub connections: usize,
    /// Connections open now, and the most that were at one time.
    pub open: usize,
    /// The most that were open at one time.
    pub most_open: usize,
}

impl State {
    /// Messages, UIDVALIDITY and UIDNEXT of a mailbox.
    pub fn mailbox(&self, name: &str) -> (&BTreeMap<u32, Option<Vec<u8>>>, u32, u32) {
        match self.others.get(name) {
            Some(other) => (&other.mails, other.uid_validity, other.uid_next),
            None => (&self.mails, self.uid_validity, self.uid_next),
        }
    }

    /// Nothing goes wrong any more.
    pub fn heal(&mut self) {
        self.faults.clear();
    }

    fn fault(&mut self, command: &str) -> Option<Act> {
        let fault = self.faults.iter_mut().find(|f| f.times > 0 && command.starts_with(f.at))?;
        fault.times -= 1;
        Some(fault.act.clone())
    }
}

/// A running server. It ends with the value.
pub struct FakeImap {
    state: Arc<Mutex<State>>,
    news: watch::Sender<()>,
    cut: watch::Sender<()>,
    port: u16,
    task: JoinHandle<()>,
}

impl Drop for FakeImap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeImap {
    /// Starts with an empty mailbox that knows IDLE.
    pub async fn start() -> FakeImap {
        FakeImap::start_at(0).await
    }

    /// Starts at a port of the test's choice.
    pub async fn start_at(port: u16) -> FakeImap {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state =
            State { uid_validity: 7, uid_next: 1, capabilities: "IDLE".into(), announces: true, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let news = watch::Sender::new(());
        let cut = watch::Sender::new(());
        let (shared, told, ends) = (Arc::clone(&state), news.clone(), cut.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (state, news, mut cut) = (Arc::clone(&shared), told.subscribe(), ends.subscribe());
                let (number, generation) = {
                    let mut state = state.lock().unwrap();
                    state.connections += 1;
                    state.open += 1;
                    state.most_open = state.most_open.max(state.open);
                    (state.connections, state.generation)
                };
                tokio::spawn(async move {
                    let (stream, shared) = (BufReader::new(stream), Arc::clone(&state));
                    let connection =
                        Connection { stream, number, generation, opened: String::new(), state: shared, news };
                    tokio::select! {
                        // A client that hangs up is a client's right.
                        _ = connection.serve() => {}
                        _ = cut.changed() => {}
                    }
                    state.lock().unwrap().open -= 1;
                });
            }
        });
        FakeImap { state, news, cut, port, task }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Looks at the server, or changes it.
    pub fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap())
    }

    /// Has commands that begin like this go wrong, so many times.
    pub fn fails(&self, at: &'static str, times: usize, act: Act) {
        self.with(|state| state.faults.push(Fault { at, times, act }));
    }

    /// Puts a message into the mailbox and gives its UID.
    pub fn deliver(&self, message: &str) -> u32 {
        let uid = self.with(|state| {
            let uid = state.uid_next.max(state.mails.keys().last().map_or(1, |last| last + 1));
            state.mails.insert(uid, Some(message.as_bytes().to_vec()));
            state.uid_next = uid + 1;
            uid
        });
        self.news.send_replace(());
        uid
    }

    /// Changes the server in a way that no open connection survives, e.g. a renumbering.
    pub fn cut<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let done = self.with(|state| {
            state.generation += 1;
            work(state)
        });
        self.cut.send_replace(());
        done
    }

    /// Changes what lies where, and says so to who idles.
    pub fn rearrange<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let done = self.with(work);
        self.news.send_replace(());
        done
    }

    /// Makes a mailbox that LIST marks as `\\Junk`.
    pub fn has_junk(&self, name: &str) {
        self.with(|state| {
            state.others.insert(name.to_owned(), Mailbox { uid_validity: 7, uid_next: 1, ..Mailbox::default() });
            state.junk = Some(name.to_owned());
        });
    }

    /// Puts a message into the mailbox that is for junk.
    pub fn deliver_to_junk(&self, message: &str) {
        self.with(|state| {
            let junk = state.junk.clone().and_then(|name| state.others.get_mut(&name));
            junk.expect("there is a mailbox for junk").put(Some(message.as_bytes().to_vec()));
        });
    }

    /// How many commands began like this.
    pub fn heard(&self, command: &str) -> usize {
        self.with(|state| state.commands.iter().filter(|(_, said)| said.starts_with(command)).count())
    }
}

struct Connection {
    stream: BufReader<TcpStream>,
    number: usize,
    generation: usize,
    /// The mailbox that EXAMINE opened.
    opened: String,
    state: Arc<Mutex<State>>,
    news: watch::Receiver<()>,
}

/// The end of a connection.
struct Gone;

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Gone {
        Gone
    }
}

impl Connection {
    async fn serve(mut self) -> Result<(), Gone> {
        self.act_or(self.fault("greeting"), "", "* OK hello\r\n").await?;
        loop {
            let line = line(&mut self.stream).await?;
            let (tag, command) = line.split_once(' ').ok_or(Gone)?;
            self.state.lock().unwrap().commands.push((self.number, command.to_owned()));
            let fault = self.fault(command);
            if command == "IDLE" && !matches!(fault, Some(Act::Say(_) | Act::Close | Act::Stall)) {
                if let Some(Act::First(text)) = fault {
                    self.say(&text).await?;
                }
                self.idle(tag).await?;
                continue;
            }
            if let Some(append) = command.strip_prefix("APPEND ") {
                self.append(append, fault, tag).await?;
                continue;
            }
            if let Some(mailbox) = command.strip_prefix("EXAMINE ") {
                mailbox.trim_matches('"').clone_into(&mut self.opened);
            }
            let answer = self.answer(command)?;
            self.act_or(fault, tag, &format!("{answer}$tag OK done\r\n")).await?;
            if command == "LOGOUT" {
                return Err(Gone);
            }
        }
    }

    fn fault(&self, command: &str) -> Option<Act> {
        self.state.lock().unwrap().fault(command)
    }

    async fn act_or(&mut self, fault: Option<Act>, tag: &str, answer: &str) -> Result<(), Gone> {
        match fault {
            None => self.say(&answer.replace("$tag", tag)).await,
            Some(Act::Say(text)) => self.say(&text.replace("$tag", tag)).await,
            Some(Act::First(text)) => self.say(&format!("{text}{answer}").replace("$tag", tag)).await,
            Some(Act::Close) => Err(Gone),
            Some(Act::Stall) => loop {
                line(&mut self.stream).await?;
            },
        }
    }

    async fn say(&mut self, text: &str) -> Result<(), Gone> {
        Ok(self.stream.get_mut().write_all(text.as_bytes()).await?)
    }

    async fn idle(&mut self, tag: &str) -> Result<(), Gone> {
        self.news.mark_unchanged();
        self.say("+ idling\r\n").await?;
        loop {
            let (keepalive, announces) = {
                let state = self.state.lock().unwrap();
                (state.keepalive.clone(), state.announces)
            };
            let (every, text) = keepalive.unwrap_or((Duration::from_secs(3600), String::new()));
            tokio::select! {
                done = line(&mut self.stream) => {
                    if done? != "DONE" {
                        return Err(Gone);
                    }
                    let fault = self.fault("DONE");
                    return self.act_or(fault, tag, "$tag OK done\r\n").await;
                }
                _ = self.news.changed(), if announces => {
                    let exists = self.state.lock().unwrap().mails.len();
                    self.say(&format!("* {exists} EXISTS\r\n")).await?;
                }
                () = tokio::time::sleep(every) => self.say(&text).await?,
            }
        }
    }

    /// Takes a message into a mailbox. What goes wrong at `APPEND` goes wrong before the message is asked for, but the end
    /// of the connection, which comes after it; what goes wrong at `appended`, when it lies there.
    async fn append(&mut self, command: &str, fault: Option<Act>, tag: &str) -> Result<(), Gone> {
        match &fault {
            Some(Act::First(text)) => self.say(text).await?,
            Some(Act::Say(_) | Act::Stall) => return self.act_or(fault, tag, "").await,
            None | Some(Act::Close) => {}
        }
        let (place, octets) = command.rsplit_once(" {").ok_or(Gone)?;
        let waits = !octets.contains('+');
        let octets: usize = octets.trim_end_matches(['}', '+']).parse().map_err(|_| Gone)?;
        if waits {
            self.say("+ go on\r\n").await?;
        }
        let mut message = vec![0; octets + 2];
        self.stream.read_exact(&mut message).await?;
        message.truncate(octets);
        let taken = {
            let mut state = self.state.lock().unwrap();
            let name = place.split(" (").next().unwrap_or_default().trim_matches('"');
            let known = state.others.is_empty() || state.others.contains_key(name);
            if let Some(mailbox) = state.others.get_mut(name) {
                mailbox.put(Some(message.clone()));
            }
            if known {
                state.appended.push((place.to_owned(), message));
            }
            known
        };
        match fault {
            Some(Act::Close) => Err(Gone),
            _ if taken => self.act_or(self.fault("appended"), tag, "$tag OK done\r\n").await,
            _ => self.say(&format!("{tag} NO [TRYCREATE] no such mailbox\r\n")).await,
        }
    }

    /// What is said before the tagged OK; nothing, where the connection is of another time.
    fn answer(&self, command: &str) -> Result<String, Gone> {
        let state = self.state.lock().unwrap();
        if state.generation != self.generation {
            return Err(Gone);
        }
        let (mails, uid_validity, uid_next) = state.mailbox(&self.opened);
        let mut out = String::new();
        if command.starts_with("CAPABILITY") {
            write!(out, "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR {}\r\n", state.capabilities).unwrap();
        } else if command.starts_with("EXAMINE") {
            write!(out, "* {} EXISTS\r\n", mails.len()).unwrap();
            for (name, value) in [("UIDVALIDITY", uid_validity), ("UIDNEXT", uid_next)] {
                if value > 0 {
                    write!(out, "* OK [{name} {value}] so\r\n").unwrap();
                }
            }
        } else if let Some(header) = command.strip_prefix("UID SEARCH HEADER ") {
            let header = header.replacen(" \"", ": ", 1);
            let header = header.trim_end_matches('"');
            // What was appended lies in the one mailbox, where there are no others.
            let appended = state.appended.iter().filter(|_| state.others.is_empty()).map(|(_, bytes)| bytes);
            let behind = (uid_next.max(1)..).zip(appended);
            let there = mails.iter().filter_map(|(uid, mail)| Some((*uid, mail.as_ref()?))).chain(behind);
            out.push_str("* SEARCH");
            for (uid, mail) in there {
                if String::from_utf8_lossy(mail).lines().any(|line| line == header) {
                    write!(out, " {uid}").unwrap();
                }
            }
            out.push_str("\r\n");
        } else if let Some(search) = command.strip_prefix("UID SEARCH ") {
            let from = search.strip_prefix("UID ").and_then(|s| s.strip_suffix(":*")).and_then(|n| n.parse().ok());
            // `n:*` holds the last message whatever n is (RFC 3501 §6.4.8).
            let last = mails.keys().last().copied();
            let found =
                mails.iter().filter(|(uid, _)| from.is_none_or(|from: u32| **uid >= from || Some(**uid) == last));
            out.push_str("* SEARCH");
            found.for_each(|(uid, _)| write!(out, " {uid}").unwrap());
            out.push_str("\r\n");
        } else if let Some(fetch) = command.strip_prefix("UID FETCH ") {
            let set = fetch.split(' ').next().unwrap_or_default();
            let octets = fetch.split("<0.").nth(1).and_then(|rest| rest.trim_end_matches(">)").parse().ok());
            for (number, (uid, mail)) in mails.iter().enumerate().filter(|(_, (uid, _))| is_in(**uid, set)) {
                let (size, body) = match mail {
                    Some(mail) => {
                        let part = &mail[..mail.len().min(octets.unwrap_or(usize::MAX))];
                        (mail.len(), format!("{{{}}}\r\n{}", part.len(), String::from_utf8_lossy(part)))
                    }
                    None => (0, "NIL".to_owned()),
                };
                let (number, arrived) = (number + 1, *YESTERDAY);
                write!(
                    out,
                    "* {number} FETCH (UID {uid} INTERNALDATE \"{arrived}\" RFC822.SIZE {size} BODY[]<0> {body})\r\n"
                )
                .unwrap();
            }
        } else if command.starts_with("LIST") {
            for name in std::iter::once("INBOX").chain(state.others.keys().map(String::as_str)) {
                let mark = if state.junk.as_deref() == Some(name) { "\\Junk" } else { "" };
                write!(out, "* LIST ({mark}) \"/\" \"{name}\"\r\n").unwrap();
            }
        }
        Ok(out)
    }
}

/// When all mail arrived: lately, as old mail gets no draft.
static YESTERDAY: LazyLock<&str> = LazyLock::new(|| {
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    yesterday.strftime("%d-%b-%Y %H:%M:%S +0000").to_string().leak()
});

fn is_in(uid: u32, set: &str) -> bool {
    set.split(',').any(|range| {
        let (from, to) = range.split_once(':').unwrap_or((range, range));
        let number = |text: &str| text.parse().unwrap_or(u32::MAX);
        (number(from)..=number(to)).contains(&uid)
    })
}

async fn line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Result<String, Gone> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(Gone),
        _ => Ok(line.trim_end().to_owned()),
    }
}
