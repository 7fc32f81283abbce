//! A daemon, the two servers it knows, the person, and what has to hold of all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use onward::{
    app::{daemon, kit::Kit},
    config::Config,
    draft::{Digest, DraftState, Envelope},
    io::{
        clock,
        store::{Db, DraftView, Filter, Lock, Rewrite, Store, StoreError},
    },
    message::{Fetched, Message},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::Step;
use crate::support::{
    PATIENCE,
    fake_imap::{Act, FakeImap, Mailbox, State},
    prove_smtp, send_freely,
    smtp_sink::{self, Fault, Mode, Sink},
    wait_until, wait_until_or,
    watching::{POLL, config_in, no},
};

/// The mailboxes that are watched, the first one under the server's own numbers.
const WATCHED: [&str; 2] = ["INBOX", "Archive"];
/// Beginnings of all that may be said to a server (I4): nothing that changes a mailbox but APPEND to Drafts.
const HARMLESS: [&str; 10] = [
    "CAPABILITY",
    "AUTHENTICATE PLAIN",
    "ID ",
    "LIST ",
    "EXAMINE ",
    "UID SEARCH ",
    "UID FETCH ",
    "IDLE",
    "LOGOUT",
    "APPEND \"Drafts\" (\\Draft \\Seen) ",
];
/// Commands that may go wrong, and how.
const STUMBLES: [(&str, &str); 6] = [
    ("UID FETCH", ""),
    ("UID SEARCH", ""),
    ("UID FETCH", "$tag NO [UNAVAILABLE] not now\r\n"),
    ("APPEND", ""),
    ("appended", ""),
    ("APPEND", "$tag NO [OVERQUOTA] full\r\n"),
];
/// Where the server for replies may fail, and how.
const TROUBLES: [(smtp_sink::Step, Fault); 5] = [
    (smtp_sink::Step::Dot, Fault::Close),
    (smtp_sink::Step::Dot, Fault::Say("550 5.7.1 no\r\n")),
    (smtp_sink::Step::Rcpt, Fault::Say("451 4.3.0 later\r\n")),
    (smtp_sink::Step::Mail, Fault::Close),
    (smtp_sink::Step::Body, Fault::Close),
];

/// How much happened, so that a story that tells of nothing is noticed.
#[derive(Debug, Default)]
pub struct Did {
    pub kills: usize,
    pub approvals: usize,
    pub placed: usize,
    pub accepted: usize,
}

/// One life of the daemon.
struct Life {
    /// Its tasks end with it, wherever they stand; a transaction that is being written is finished first.
    _runtime: Runtime,
    /// Whether it has logged in once more than at the start: the next time it would have to wait for a minute.
    cut: bool,
    /// Whether a server was made to fail.
    troubled: bool,
}

pub struct World {
    dir: TempDir,
    config: Config,
    imap: FakeImap,
    sink: Sink,
    life: Option<Life>,
    /// Every mail that ever lay in a mailbox.
    delivered: Vec<Vec<u8>>,
    /// What was approved, and how often.
    approved: BTreeMap<String, usize>,
    pub did: Did,
}

impl World {
    /// A person whose replies go to Drafts, or are sent.
    pub fn new(servers: &Runtime, sends: bool) -> World {
        let (imap, sink) = servers.block_on(async { (FakeImap::start().await, Sink::start(Mode::Plain, &[]).await) });
        for name in ["Archive", "Drafts"] {
            let mailbox = Mailbox { uid_validity: 5, uid_next: 1, ..Mailbox::default() };
            imap.with(|state| state.others.insert(name.to_owned(), mailbox));
        }
        let dir = tempfile::tempdir().unwrap();
        let login = "host = \"127.0.0.1\"\ntls = \"none-loopback\"\nuser = \"ada\"\npassword.file = \"password\"";
        let text = format!(
            "[[identity]]\nname = \"Ada Stein\"\naddresses = [\"ada@home.example\"]\nlanguage = \"en\"\n\n\
             [[account]]\nname = \"a0\"\nlook_back = \"30d\"\n[account.imap]\nport = {}\n{login}\n\n\
             [account.smtp]\nport = {}\n{login}\n\n[reply]\ndeliver = \"{}\"\n",
            imap.port(),
            sink.port,
            if sends { "smtp" } else { "drafts" }
        );
        let mut config = config_in(dir.path(), &text);
        prove_smtp(dir.path(), &dir.path().join("config.toml"), dir.path());
        send_freely(dir.path());
        config.accounts[0].poll = POLL;
        config.accounts[0].mailboxes = WATCHED.map(str::to_owned).to_vec();
        let (delivered, approved) = (Vec::new(), BTreeMap::new());
        let mut world = World { dir, config, imap, sink, life: None, delivered, approved, did: Did::default() };
        world.start();
        world
    }

    fn store(&self) -> Store {
        Store::open(&self.dir.path().join("onward.db")).unwrap()
    }

    fn start(&mut self) {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let kit = Kit::load(&self.config).unwrap();
        let lock = Lock::acquire(self.dir.path()).unwrap();
        let load: daemon::Load = Box::new(|| anyhow::bail!("nothing is read again here"));
        let db = Db::new(self.store());
        let forever = std::future::pending();
        runtime.spawn(daemon::run(self.config.clone(), kit, db, load, lock, forever));
        self.life = Some(Life { _runtime: runtime, cut: false, troubled: false });
    }

    fn kill(&mut self) {
        self.wait_for_an_act();
        drop(self.life.take());
        self.did.kills += 1;
        self.check();
    }

    /// Has the server do something that ends every connection, in a life that may log in once more.
    fn cut(&mut self, work: impl FnOnce(&mut State)) {
        if self.life.as_ref().is_none_or(|life| life.cut) {
            self.kill();
            self.imap.cut(work);
            self.start();
        } else {
            self.imap.cut(work);
            self.life.as_mut().unwrap().cut = true;
        }
    }

    /// A mail comes.
    fn deliver(&mut self, mail: Vec<u8>) {
        self.imap.deliver(std::str::from_utf8(&mail).unwrap());
        self.delivered.push(mail);
    }

    /// Takes a mail out of the first mailbox, where there is one.
    fn take_out(state: &mut State, number: usize) -> Option<Vec<u8>> {
        let uid = *state.mails.keys().nth(number % state.mails.len().max(1))?;
        state.mails.remove(&uid).flatten()
    }

    pub fn apply(&mut self, step: Step) {
        let number = self.delivered.len();
        match step {
            Step::No => self.deliver(no(&format!("Works{number}")).into_bytes()),
            Step::Newsletter => self.deliver(newsletter(number).into_bytes()),
            Step::Again(n) => {
                let mail = self.delivered[n % number].clone();
                self.deliver(mail);
            }
            Step::Expunge(n) => self.imap.rearrange(|state| drop(World::take_out(state, n))),
            Step::Move(n) => self.imap.rearrange(|state| {
                let mail = World::take_out(state, n);
                let archive = state.others.get_mut("Archive").unwrap();
                mail.map(|mail| archive.put(Some(mail)));
            }),
            Step::Renumber => self.cut(|state| {
                state.uid_validity += 1;
                let mails = std::mem::take(&mut state.mails);
                state.mails = (state.uid_next + 7..).zip(mails.into_values()).collect();
                state.uid_next = state.mails.keys().last().map_or(1, |last| last + 1);
            }),
            Step::Cut => self.cut(|_| {}),
            Step::Refuse => self.refuse(),
            Step::Stumble(n) => {
                let (at, said) = STUMBLES[n % STUMBLES.len()];
                let act = if said.is_empty() { Act::Close } else { Act::Say(said.to_owned()) };
                // It costs a login as well.
                self.cut(|_| {});
                self.imap.fails(at, 1, act);
                self.life.as_mut().unwrap().troubled = true;
            }
            Step::Trouble(n) => {
                self.sink.fails(&[TROUBLES[n % TROUBLES.len()]]);
                self.life.as_mut().unwrap().troubled = true;
            }
            Step::Kill => {
                self.kill();
                self.heal();
                self.start();
            }
            Step::Approve(n) => self.approve(n),
            Step::Edit(n) => {
                if let Some(draft) = self.draft(n, &[DraftState::Pending, DraftState::Approved, DraftState::Failed]) {
                    allowed(self.edit(&draft));
                }
            }
            Step::Discard(n) => {
                if let Some(draft) = self.draft(n, &[DraftState::Pending, DraftState::Approved]) {
                    allowed(self.store().discard(draft.id, clock::now()));
                }
            }
        }
    }

    /// Waits until the daemon is at something that a kill would interrupt, where there is anything to do for it.
    fn wait_for_an_act(&self) {
        if self.life.as_ref().is_none_or(|life| life.cut || life.troubled) {
            return;
        }
        let (fetches, letters) = (self.imap.heard("UID FETCH"), self.letters());
        // One that was deferred waits for its time.
        let approved = || self.store().drafts(&[DraftState::Approved]).unwrap().iter().any(|draft| draft.attempts == 0);
        if approved() {
            soon("a reply is on its way", || self.letters() > letters || !approved());
            println!("killed while a reply is on its way");
        } else if self.missing() > 0 {
            soon("a mail is fetched", || self.imap.heard("UID FETCH") > fetches || self.missing() == 0);
            println!("killed while a mail is fetched");
        }
    }

    /// How often a message was about to be handed over.
    fn letters(&self) -> usize {
        self.imap.heard("APPEND") + self.sink.commands().iter().filter(|command| *command == "DATA").count()
    }

    fn heal(&self) {
        self.imap.with(State::heal);
        self.sink.fails(&[]);
    }

    /// I7: a mailbox that could not be opened was not looked at, and nothing says so.
    fn refuse(&mut self) {
        self.imap.fails("EXAMINE", usize::MAX, Act::Say("$tag NO [UNAVAILABLE] not now\r\n".to_owned()));
        self.imap.cut(|_| {});
        let heard = self.imap.heard("EXAMINE");
        let may_come_back = self.life.as_ref().is_some_and(|life| !life.cut);
        // Whatever waits is waited for in vain.
        self.life.as_mut().unwrap().troubled = true;
        // The connection that was cut brings nothing more once another one has been made.
        if may_come_back {
            wait_until("it is refused", || self.imap.heard("EXAMINE") > heard);
            let before = self.looks();
            self.kill();
            assert_eq!(self.looks(), before, "I7: what was refused is no look");
        } else {
            self.kill();
        }
        self.heal();
        self.start();
    }

    /// When each mailbox was looked at last.
    fn looks(&self) -> Vec<Timestamp> {
        self.store().cursors().unwrap().iter().map(|at| at.polled_at).collect()
    }

    /// One of the drafts in these states.
    fn draft(&self, number: usize, states: &[DraftState]) -> Option<DraftView> {
        let mut drafts = self.store().drafts(states).unwrap();
        (!drafts.is_empty()).then(|| drafts.swap_remove(number % drafts.len()))
    }

    fn approve(&mut self, number: usize) {
        self.rest();
        let Some(draft) = self.draft(number, &[DraftState::Pending]) else { return };
        let done = self.store().approve(draft.id, draft.digest, clock::now());
        if allowed(done) {
            *self.approved.entry(draft.digest.to_string()).or_default() += 1;
            self.did.approvals += 1;
        }
    }

    fn edit(&self, draft: &DraftView) -> Result<Digest, StoreError> {
        let bytes = [&draft.bytes, &b"One more word.\r\n"[..]].concat();
        let envelope = Envelope { to: Some("edith@works.example".to_owned()), ..draft.envelope.clone() };
        let (message_id, cautions) = (&*draft.message_id, &[][..]);
        self.store().edit(draft.id, Rewrite { envelope: &envelope, message_id, bytes: &bytes, cautions }, clock::now())
    }

    /// Waits until every mail that lies there is on record, or the life is one that has to wait for its next login.
    fn rest(&self) {
        if self.life.as_ref().is_some_and(|life| !life.cut) {
            self.wait_until_logged();
        }
    }

    fn wait_until_logged(&self) {
        wait_until_or("all mail is on record", || format!("{} are not", self.missing()), || self.missing() == 0);
    }

    /// How many mails lie there and are not on record.
    fn missing(&self) -> usize {
        let store = self.store();
        self.visible().into_iter().filter(|(name, uid, mail)| !self.is_on_record(&store, name, *uid, mail)).count()
    }

    /// Every mail that lies in a watched mailbox: mailbox, UID, octets.
    fn visible(&self) -> Vec<(&'static str, u32, Vec<u8>)> {
        self.imap.with(|state| {
            let of = |name| {
                let mails: Vec<_> = state.mailbox(name).0.iter().collect();
                mails.into_iter().map(move |(uid, mail)| (name, *uid, mail.clone().unwrap()))
            };
            WATCHED.into_iter().flat_map(of).collect()
        })
    }

    fn is_on_record(&self, store: &Store, mailbox: &str, uid: u32, mail: &[u8]) -> bool {
        let given_up = |row: &onward::io::store::Quarantined| {
            row.mailbox == mailbox && row.uid == uid && row.quarantined_at.is_some()
        };
        is_known(store, mail) || store.quarantined().unwrap().iter().any(given_up)
    }

    /// Peace: nothing fails any more, another daemon starts, and everything comes to its end.
    pub fn settle(&mut self) {
        self.kill();
        self.heal();
        self.start();
        self.wait_until_logged();
        let on_the_way = || {
            let drafts = self.store().drafts(&[DraftState::Approved, DraftState::Sending]).unwrap();
            // One that was deferred waits for its time.
            drafts.iter().filter(|draft| draft.state == DraftState::Sending || draft.attempts == 0).count()
        };
        wait_until("what was approved is delivered", || on_the_way() == 0);
        self.kill();
        let store = self.store();
        // A mail in whose reading three lives ended is given up, and stands there for the person to see.
        for row in store.quarantined().unwrap() {
            println!("not read: {row:?}");
            assert!(row.quarantined_at.is_none() || self.did.kills >= 3, "I1: {row:?}");
        }
        self.did.placed = store.drafts(&[DraftState::Placed]).unwrap().len();
        self.did.accepted = self.sink.accepted().len();
    }

    /// What has to hold at any moment.
    fn check(&self) {
        assert!(self.life.is_none(), "nothing moves");
        let store = self.store();
        self.check_logged_once(&store);
        self.check_cursors(&store);
        self.check_replies(&store);
        let strange: Vec<String> = self.imap.with(|state| {
            let said = state.commands.iter().map(|(_, command)| command.clone());
            said.filter(|command| !HARMLESS.iter().any(|harmless| command.starts_with(harmless))).collect()
        });
        assert_eq!(strange, Vec::<String>::new(), "I4: a watched mailbox is never changed");
    }

    /// I1: no mail is logged twice, none is logged that never came, and a no has one reply.
    fn check_logged_once(&self, store: &Store) {
        let known: BTreeSet<&Vec<u8>> = self.delivered.iter().filter(|mail| is_known(store, mail)).collect();
        assert_eq!(store.counts().unwrap().messages as usize, known.len(), "I1: one row a mail");
        let noes = known.iter().filter(|mail| is_no(mail)).count();
        let rows = store.list(&Filter::default()).unwrap();
        let ids: BTreeSet<_> = rows.iter().map(|row| row.mail.as_ref().unwrap().message_id.clone()).collect();
        assert_eq!((rows.len(), ids.len()), (noes, noes), "I1: one outcome a no");
        assert_eq!(store.drafts(&[]).unwrap().len(), noes, "I1: one draft a no");
    }

    /// I5: a cursor passes nothing that is not on record.
    fn check_cursors(&self, store: &Store) {
        let visible = self.visible();
        for at in store.cursors().unwrap() {
            if self.imap.with(|state| state.mailbox(&at.mailbox).1) != at.cursor.uid_validity {
                continue;
            }
            for (name, uid, mail) in &visible {
                let passed = *name == at.mailbox && *uid <= at.cursor.last_uid;
                assert!(!passed || self.is_on_record(store, name, *uid, mail), "I5: {at:?} passed {uid}");
            }
        }
    }

    /// I2 and I3: what left was approved to the byte, and left once at most; what is said to have left did.
    fn check_replies(&self, store: &Store) {
        let caller = std::net::TcpStream::connect(("127.0.0.1", self.sink.port)).unwrap();
        let address = caller.local_addr().unwrap();
        wait_until("every conversation is over", || self.sink.is_alone_with(address));
        let accepted = self.sink.accepted();
        let mut left: BTreeMap<String, usize> = BTreeMap::new();
        for mail in &accepted {
            let envelope = Envelope { from: mail.from.clone(), to: Some(mail.to.clone()) };
            *left.entry(Digest::of(&envelope, &mail.bytes).to_string()).or_default() += 1;
        }
        for (digest, times) in &left {
            let approvals = self.approved.get(digest).copied().unwrap_or_default();
            assert!(*times <= approvals, "I2, I3: {times} left, {approvals} approved");
        }
        let placed: Vec<Vec<u8>> =
            self.imap.with(|state| state.others["Drafts"].mails.values().flatten().cloned().collect());
        let drafts = store.drafts(&[]).unwrap();
        for bytes in &placed {
            let of = drafts.iter().find(|draft| draft.bytes == *bytes);
            let approved = of.is_some_and(|draft| self.approved.contains_key(&draft.digest.to_string()));
            assert!(approved || self.was_edited_since(&drafts, bytes), "I3: what was placed was approved");
        }
        for draft in &drafts {
            let id = format!("Message-ID: <{}>\r\n", draft.message_id);
            let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&id);
            let sent = accepted.iter().filter(|mail| holds(&mail.bytes)).count();
            let there = placed.iter().filter(|bytes| holds(bytes)).count();
            assert!(sent + there <= 1, "I2: {sent} sent and {there} placed of a draft that is {}", draft.state);
            match draft.state {
                DraftState::Sent => assert_eq!((sent, there), (1, 0), "it is there where it is said to be"),
                DraftState::Placed => assert_eq!((sent, there), (0, 1), "it is there where it is said to be"),
                DraftState::Unconfirmed | DraftState::Sending => assert_eq!(there, 0),
                _ => assert_eq!(sent, 0, "I2: a draft that is {} was accepted", draft.state),
            }
        }
    }

    /// What lies in Drafts without our knowing it may have been approved, edited since and not be the latest text.
    fn was_edited_since(&self, drafts: &[DraftView], bytes: &[u8]) -> bool {
        drafts.iter().any(|draft| draft.revision > 1 && draft.bytes.starts_with(bytes))
    }
}

/// Waits for a moment that is over in milliseconds.
fn soon(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "this never came true: {what}");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Whether a step was taken. The daemon may have been faster: that is no failure.
fn allowed<T>(done: Result<T, StoreError>) -> bool {
    match done {
        Ok(_) => true,
        Err(StoreError::NotAllowed(_) | StoreError::StaleDigest) => false,
        Err(error) => panic!("{error:?}"),
    }
}

fn is_known(store: &Store, mail: &[u8]) -> bool {
    let message = Message::parse(mail, Fetched::Whole);
    store.known("a0", message.id.as_ref(), &message.hash).unwrap().is_some()
}

fn is_no(mail: &[u8]) -> bool {
    String::from_utf8_lossy(mail).contains("Subject: Your application")
}

fn newsletter(number: usize) -> String {
    format!(
        "From: Garden Letter <letter@garden.example>\r\nTo: ada@home.example\r\nSubject: This month in the garden\r\n\
         Message-ID: <letter{number}@garden.example>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0000\r\n\r\n\
         Hello,\r\n\r\nthe frost took the early beans, so here is what to sow instead. Issue {number}.\r\n"
    )
}
