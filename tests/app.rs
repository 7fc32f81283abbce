//! One look at an account, against servers that do what no real one does on demand; and the review of what it brings.

mod soak;
mod whom;

use std::{fs, path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use onward::{
    app::{
        ingest::{self, Arrived},
        kit::Kit,
        watch::{self, Desk, Looked},
    },
    config::{self, Config, Tls},
    draft::{Digest, DraftState},
    io::store::{Db, Filter, OutcomeRow, Store},
    message::{Fetched, Message},
    outcome::Category,
    sync::Cursor,
    ui::{
        review::{Review, Tally},
        term::Screen,
    },
};
use tempfile::TempDir;

use crate::support::{
    imap_script::{Script, Step, expect, logged_in, send},
    watching::config_in,
};

/// A home of its own with a configuration for one account.
struct Home {
    /// Removed when dropped.
    _dir: TempDir,
    config: Config,
    desk: Desk,
}

impl Home {
    fn new(account: &str) -> Home {
        let dir = tempfile::tempdir().unwrap();
        let identity = "[[identity]]\nname = \"Ada Stein\"\naddresses = [\"ada@home.example\"]\nlanguage = \"en\"\n";
        let config = config_in(dir.path(), &format!("{identity}\n[[account]]\nname = \"post\"\n{account}"));
        let kit = Arc::new(Kit::load(&config).unwrap());
        Home { desk: Desk { db: Db::new(Store::in_memory().unwrap()), kit }, config, _dir: dir }
    }

    fn imap(script: &Script, mailboxes: &str, look_back: &str) -> Home {
        let port = script.server(Tls::NoneLoopback).port;
        let password = "password.file = \"password\"";
        let login = format!("host = \"127.0.0.1\"\nport = {port}\ntls = \"none-loopback\"\nuser = \"ada\"\n{password}");
        Home::new(&format!(
            "mailboxes = {mailboxes}\njunk = \"never\"\nlook_back = \"{look_back}\"\n[account.imap]\n{login}\n"
        ))
    }

    async fn look(&self) -> anyhow::Result<Looked> {
        watch::look_once(&self.desk, &self.config.accounts[0]).await
    }

    /// Looks at another script with the same log.
    async fn look_at(&mut self, script: Script) -> Looked {
        let config::Source::Imap(login) = &mut self.config.accounts[0].source else { panic!("no IMAP") };
        login.server.port = script.server(Tls::NoneLoopback).port;
        let looked = self.look().await.unwrap();
        script.lines().await;
        looked
    }

    async fn store<T: Send + 'static>(&self, ask: impl FnOnce(&mut Store) -> T + Send + 'static) -> T {
        self.desk.db.call(|store| Ok(ask(store))).await.unwrap()
    }

    async fn rows(&self) -> Vec<OutcomeRow> {
        self.store(|store| store.list(&Filter::default()).unwrap()).await
    }

    async fn cursor(&self, mailbox: &'static str) -> Option<Cursor> {
        self.store(move |store| store.cursor("post", mailbox).unwrap()).await
    }
}

/// A no of one employer.
fn no(employer: &str) -> String {
    format!(
        "From: Jobs at {employer} <jobs@{0}.example>\r\nTo: ada@home.example\r\nSubject: Your application to {employer}\r\n\
         Message-ID: <no@{0}.example>\r\nDate: Mon, 16 Nov 2026 09:00:00 +0000\r\n\r\n\
         Dear Ada Stein,\r\n\r\nthank you for applying for the position of Data Analyst at {employer}. Unfortunately, we \
         have decided not to go ahead with your application.\r\n\r\nKind regards\r\n{employer}\r\n",
        employer.to_lowercase()
    )
}

fn opened(uid_next: Option<u32>, exists: u32) -> Step {
    let uid_next = uid_next.map(|n| format!("* OK [UIDNEXT {n}] next\r\n")).unwrap_or_default();
    send(&format!("* {exists} EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n{uid_next}$tag OK [READ-ONLY] done\r\n"))
}

fn found(uids: &str) -> Step {
    send(&format!("* SEARCH {uids}\r\n$tag OK done\r\n"))
}

fn fetched(mails: &[(u32, Option<String>)]) -> Step {
    let one = |(uid, mail): &(u32, Option<String>)| {
        let body = mail.as_ref().map_or("NIL".to_owned(), |mail| format!("{{{}}}\r\n{mail}", mail.len()));
        let size = mail.as_ref().map_or(0, String::len);
        format!(
            "* {uid} FETCH (UID {uid} INTERNALDATE \"16-Nov-2026 09:00:01 +0000\" RFC822.SIZE {size} BODY[]<0> {body})\r\n"
        )
    };
    send(&format!("{}$tag OK done\r\n", mails.iter().map(one).collect::<String>()))
}

fn goodbye() -> [Step; 2] {
    [expect("LOGOUT"), send("* BYE bye\r\n$tag OK done\r\n")]
}

/// A server without a mailbox of sent mail.
fn listed() -> [Step; 2] {
    [expect("LIST \"\" \"*\""), send("$tag OK no more\r\n")]
}

fn script(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    logged_in("").into_iter().chain(listed()).chain(steps).chain(goodbye()).collect()
}

#[tokio::test]
async fn a_mailbox_that_is_gone_stops_no_other() {
    let refusal = Script::start_all(vec![
        logged_in("")
            .into_iter()
            .chain(listed())
            .chain([expect("EXAMINE \"Spam\""), send("$tag NO [NONEXISTENT] no\r\n")])
            .collect(),
        // That there is no mailbox of sent mail is known from the first connection.
        logged_in("")
            .into_iter()
            .chain([
                expect("EXAMINE \"INBOX\""),
                opened(Some(2), 1),
                expect("UID SEARCH SINCE"),
                found("1"),
                expect("UID FETCH 1 "),
                fetched(&[(1, Some(no("Larkfield")))]),
            ])
            .chain(goodbye())
            .collect(),
    ])
    .await;
    let home = Home::imap(&refusal, r#"["INBOX", "Spam"]"#, "30d");
    let looked = home.look().await.unwrap();
    assert_eq!((looked.stored, looked.noes, looked.unopened), (1, 1, 1));
    assert_eq!(home.cursor("Spam").await, None);
    refusal.lines().await;
}

#[tokio::test]
async fn without_uidnext_the_first_look_ends_at_the_highest_uid() {
    let server = Script::start(script([
        expect("EXAMINE \"INBOX\""),
        opened(None, 40),
        expect("UID SEARCH UID 1:*"),
        found("3 900"),
    ]))
    .await;
    let home = Home::imap(&server, r#"["INBOX"]"#, "0d");
    assert_eq!(home.look().await.unwrap(), Looked::default());
    assert_eq!(home.cursor("INBOX").await, Some(Cursor { uid_validity: 7, last_uid: 900 }));
    server.lines().await;
}

#[tokio::test]
async fn the_cursor_waits_for_a_mail_that_was_not_given_and_not_for_one_that_is_gone() {
    let first = Script::start(script([
        expect("EXAMINE \"INBOX\""),
        opened(Some(4), 3),
        expect("UID SEARCH SINCE"),
        found("1 2 3"),
        expect("UID FETCH 1:3 "),
        // Nothing about 1, no body of 2.
        fetched(&[(2, None), (3, Some(no("Larkfield")))]),
    ]))
    .await;
    let mut home = Home::imap(&first, r#"["INBOX"]"#, "30d");
    let looked = home.look().await.unwrap();
    first.lines().await;
    assert_eq!((looked.stored, looked.failed), (1, 2));
    assert_eq!(home.cursor("INBOX").await, Some(Cursor { uid_validity: 7, last_uid: 0 }));
    let second = script([
        expect("EXAMINE \"INBOX\""),
        opened(Some(4), 2),
        expect("UID SEARCH UID 1:*"),
        found("2 3"),
        // What is stored is not asked for again.
        expect("UID FETCH 2 "),
        fetched(&[(2, Some(no("Quillstone")))]),
    ]);
    let looked = home.look_at(Script::start(second).await).await;
    assert_eq!((looked.stored, looked.known, looked.failed), (1, 0, 0));
    assert_eq!(home.cursor("INBOX").await, Some(Cursor { uid_validity: 7, last_uid: 3 }));
    assert!(home.store(|store| store.quarantined().unwrap().is_empty()).await);
    assert_eq!(home.rows().await.len(), 2);
}

#[tokio::test]
async fn a_mailbox_that_went_back_in_time_hides_no_mail_under_a_used_uid() {
    let first = Script::start(script([
        expect("EXAMINE \"INBOX\""),
        opened(Some(6), 1),
        expect("UID SEARCH SINCE"),
        found("5"),
        expect("UID FETCH 5 "),
        fetched(&[(5, Some(no("Larkfield")))]),
    ]))
    .await;
    let mut home = Home::imap(&first, r#"["INBOX"]"#, "30d");
    home.look().await.unwrap();
    first.lines().await;
    let again = script([
        expect("EXAMINE \"INBOX\""),
        opened(Some(5), 2),
        expect("UID SEARCH SINCE"),
        found("4 5"),
        expect("UID FETCH 4:5 "),
        fetched(&[(4, Some(no("Larkfield"))), (5, Some(no("Quillstone")))]),
    ]);
    let looked = home.look_at(Script::start(again).await).await;
    assert_eq!((looked.stored, looked.known), (1, 1));
    assert_eq!(home.rows().await.len(), 2);
}

/// Delivers a file into a Maildir, dated so long ago.
fn deliver(maildir: &Path, name: &str, text: &str, ago: SignedDuration) {
    let path = maildir.join("new").join(name);
    fs::write(&path, text).unwrap();
    let at = Timestamp::now() - ago;
    fs::File::options().append(true).open(path).unwrap().set_modified(at.into()).unwrap();
}

#[tokio::test]
async fn a_maildir_is_read_from_the_look_back_on_whatever_its_dates_say() {
    let mail = tempfile::tempdir().unwrap();
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir(mail.path().join(sub)).unwrap();
    }
    let home = Home::new(&format!("look_back = \"30d\"\nmaildir = \"{}\"\n", mail.path().display()));
    let day = SignedDuration::from_hours(24);
    deliver(mail.path(), "1.old", &no("Oldham"), 400 * day);
    assert_eq!(home.look().await.unwrap(), Looked::default());
    // What is older than the look-back stays out at the second look as well.
    assert_eq!(home.look().await.unwrap(), Looked::default());
    deliver(mail.path(), "2.future", &no("Futura"), -400 * day);
    assert_eq!(home.look().await.unwrap().stored, 1);
    // A file dated in the future hides nothing that comes after it.
    deliver(mail.path(), "3.today", &no("Larkfield"), SignedDuration::from_secs(5));
    assert_eq!(home.look().await.unwrap().stored, 1);
    let rows = home.rows().await;
    assert!(rows.len() == 2 && rows.iter().all(|row| row.outcome.category == Category::Rejection), "{rows:?}");
    assert!(rows.iter().all(|row| row.detected_at <= Timestamp::now()), "{rows:?}");
}

/// Answers a review of one draft that was proposed `ago`; what was done, what was shown, and the draft after it.
fn reviewed(
    answers: &[u8],
    ago: SignedDuration,
    editor: &dyn Fn(&str) -> anyhow::Result<Option<String>>,
) -> (Tally, String, DraftState) {
    let home = Home::new("[account.imap]\nhost = \"imap.example\"\nuser = \"ada\"\npassword.file = \"password\"\n");
    let mut store = Store::in_memory().unwrap();
    let now = Timestamp::now();
    let mail = no("Larkfield");
    let arrived = Arrived {
        in_junk: false,
        account: "post",
        mailbox: "INBOX",
        uid_validity: 7,
        uid: Some(1),
        internal_date: now - ago,
        size: mail.len() as u64,
        truncated: false,
        bytes: mail.as_bytes(),
    };
    ingest::ingest(&mut store, &home.desk.kit, &arrived, None, now - ago).unwrap();
    let mut out = Vec::new();
    let mut input = answers;
    let review = Review { store: &mut store, kit: &home.desk.kit, input: &mut input, editor, now, all: true };
    let tally = { review }.run(&mut Screen::plain(&mut out, 80)).unwrap();
    let draft = store.drafts(&[]).unwrap().remove(0);
    let dated = Message::parse(&draft.bytes, Fetched::of(false)).date.unwrap();
    assert!(now.duration_since(dated) < SignedDuration::from_hours(6), "a letter of days ago would be approved");
    assert_eq!(draft.digest, Digest::of(&draft.envelope, &draft.bytes));
    (tally, String::from_utf8(out).unwrap(), draft.state)
}

#[test]
fn only_the_letter_itself_approves() {
    let unedited: &dyn Fn(&str) -> anyhow::Result<Option<String>> = &|_| Ok(None);
    let long = [vec![b'x'; 5000], b"a\na\n".to_vec()].concat();
    let tail_is_a = [vec![b'x'; 1024], b"a\nq\n".to_vec()].concat();
    for (answers, approved) in [
        (&b"a\n"[..], 1),
        (b"A\n", 1),
        (b"absolutely not\nq\n", 0),
        (b"", 0),
        (b"\xff\xfe\n\na\n", 1),
        (&long, 1),
        (&tail_is_a, 0),
    ] {
        let (tally, _, state) = reviewed(answers, SignedDuration::from_hours(72), unedited);
        assert_eq!(tally.approved, approved, "{:?}", String::from_utf8_lossy(answers));
        assert_eq!(state == DraftState::Approved, approved == 1);
    }
}

#[test]
fn a_text_that_cannot_be_sent_is_not_lost() {
    let seen = std::cell::RefCell::new(Vec::new());
    let editor = |text: &str| {
        seen.borrow_mut().push(text.to_owned());
        match seen.borrow().len() {
            1 => Ok(Some(text.replace("To: ", "To: nobody at ") + "My own words.\n")),
            2 => Err(anyhow::anyhow!("the editor did not start")),
            _ => Ok(Some(text.replace("To: nobody at ", "To: "))),
        }
    };
    let (tally, shown, _) = reviewed(b"e\ne\ne\na\n", SignedDuration::ZERO, &editor);
    assert!(seen.borrow()[1].contains("nobody at") && seen.borrow()[2].contains("My own words."));
    assert!(shown.contains("the editor did not start") && shown.contains("My own words."), "{shown}");
    assert_eq!(tally.approved, 1);
}
