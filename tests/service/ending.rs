//! The end of a daemon that is just sending: the server's last word is waited for, and doubt is on disk before the end.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    e2e::{approve, item},
    support::{
        home::Home,
        mail::sample,
        smtp_sink::{Fault, Mode, Sink, Step},
        wait_until_or,
    },
};

/// What the daemon promises: the last word of a server is waited for so long.
const GRACE: Duration = Duration::from_secs(30);

/// A home with one approved reply that goes to this sink.
fn with_approved_reply(sink: &Sink) -> (Home, String) {
    let home = Home::with_maildir(&format!(
        "[account.smtp]\nhost = \"localhost\"\nport = {}\ntls = \"implicit\"\nca_file = \"{}\"\nuser = \"robin\"\n\
         password.file = \"password\"\n[reply]\ndeliver = \"smtp\"\n",
        sink.port,
        sink.ca_file.display()
    ));
    let mail = sample(0);
    home.deliver("no", &mail.bytes);
    assert_eq!(home.one(&["once"])["stored"], 1);
    home.prove_smtp();
    let draft = approve(&home, &item(&home, &mail));
    (home, draft)
}

fn shown(home: &Home, draft: &str) -> Value {
    home.one(&["draft", "show", draft])
}

/// The whole letter is there, and its fate hangs on one line.
fn wait_for_letter(home: &Home, sink: &Sink) {
    wait_until_or("the letter is with the server", || home.logs(), || sink.accepted().len() == 1);
}

#[test]
fn a_stop_while_sending_waits_for_the_last_word() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sink = runtime.block_on(Sink::start(Mode::Implicit, &[(Step::Dot, Fault::Hold("250 2.0.0 queued\r\n"))]));
    let (home, draft) = with_approved_reply(&sink);
    let mut daemon = home.start();
    wait_for_letter(&home, &sink);
    daemon.ask_to_end();
    assert!(daemon.is_running() && shown(&home, &draft)["state"] == "sending", "it waits");
    sink.release();
    assert_eq!(daemon.ended().code(), Some(0), "{}", home.logs());
    assert_eq!(shown(&home, &draft)["state"], "sent");
    assert_eq!(sink.accepted().len(), 1);
}

#[test]
fn a_stop_while_the_server_is_silent_leaves_doubt_on_disk_and_no_second_letter() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sink = runtime.block_on(Sink::start(Mode::Implicit, &[(Step::Dot, Fault::Stall)]));
    let (home, draft) = with_approved_reply(&sink);
    let daemon = home.start();
    wait_for_letter(&home, &sink);
    let asked = Instant::now();
    daemon.ask_to_end();
    assert_eq!(daemon.ended().code(), Some(0), "{}", home.logs());
    let took = asked.elapsed();
    assert!(took >= GRACE - Duration::from_secs(1), "it gave up after {took:?}");
    // Nobody has opened the log for writing since.
    assert_eq!(shown(&home, &draft)["state"], "unconfirmed", "{}", home.logs());
    assert_eq!(home.verb(&[]).code, 4, "the person is asked");
    home.start().stop();
    assert_eq!((shown(&home, &draft)["state"].as_str(), sink.accepted().len()), (Some("unconfirmed"), 1));
}
