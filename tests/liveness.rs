//! The daemon against servers that stall, lie, throttle and vanish, over many connections. Each test names the fault of
//! `docs/faults.md` it is for.

use std::{sync::Arc, time::Duration};

use onward::{
    app::{
        kit::Kit,
        pulse::Pulse,
        watch::{self, Desk, Memory},
    },
    config::{Server, Tls},
    io::{
        imap::{Deadlines, Kind, Session},
        store::{Db, Store},
    },
    secret::Secret,
};

use crate::support::{
    fake_imap::{Act, FakeImap},
    free_port,
    watching::{POLL, Watching, configured, no, until},
};

/// A1: a connection that is dead without a word is found by the DONE that nobody answers, and mail that came meanwhile is
/// logged.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_found() {
    let server = FakeImap::start().await;
    server.with(|state| state.announces = false);
    server.fails("DONE", 1, Act::Stall);
    let watching = Watching::start(&[&server]);
    until("it idles", async || server.heard("IDLE") > 0).await;
    server.deliver(&no("Larkfield"));
    watching.wait_for("a0", 1).await;
    assert_eq!(server.with(|state| state.connections), 2);
    watching.stop().await;
}

/// A9: a machine that starts without its network watches as soon as the server can be reached.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let port = free_port();
    let watching = Watching::start_at(port);
    // The daemon is up: it answers, and nothing is logged.
    assert_eq!(watching.stored("a0").await, 0);
    let server = FakeImap::start_at(port).await;
    server.deliver(&no("Larkfield"));
    watching.wait_for("a0", 1).await;
    watching.stop().await;
}

/// A2: keepalives are no news and put nothing off: mail that is never announced is found by the next poll.
#[tokio::test(flavor = "multi_thread")]
async fn keepalives_do_not_put_a_look_off() {
    let server = FakeImap::start().await;
    server.with(|state| {
        state.announces = false;
        state.keepalive = Some((POLL / 4, "* OK Still here\r\n".to_owned()));
    });
    let watching = Watching::start(&[&server]);
    until("it idles", async || server.heard("IDLE") > 0).await;
    server.deliver(&no("Larkfield"));
    watching.wait_for("a0", 1).await;
    watching.stop().await;
}

/// A3: what is said before the `+` is said once only.
#[tokio::test(flavor = "multi_thread")]
async fn news_before_idle_begins_bring_a_look() {
    let server = FakeImap::start().await;
    server.with(|state| state.announces = false);
    server.fails("IDLE", 1, Act::First("* 1 EXISTS\r\n".to_owned()));
    let dir = tempfile::tempdir().unwrap();
    let mut config = configured(&dir, &[&server]);
    // The next poll is far away: only the look that the news bring can find it.
    config.accounts[0].poll = Duration::from_secs(600);
    let desk = Desk { db: Db::new(Store::in_memory().unwrap()), kit: Arc::new(Kit::load(&config).unwrap()) };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let pulse = Pulse::new(stopped);
    let task =
        tokio::spawn(async move { watch::watch(&desk, &config.accounts[0], &mut Memory::default(), &pulse).await });
    until("a second look", async || server.heard("EXAMINE") >= 2).await;
    stop.send(true).unwrap();
    task.await.unwrap().unwrap();
}

/// A4, A5, A8: a server that refuses IDLE, however badly, or never heard of it, is asked on a timer, and not asked for
/// IDLE again at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_idle_is_asked_on_a_timer() {
    for (refusal, capabilities) in
        [("$tag NO not now\r\n", "IDLE"), ("$tag BAD \r\n", "IDLE"), ("$tag BAD what?\r\n", "")]
    {
        let server = FakeImap::start().await;
        server.with(|state| capabilities.clone_into(&mut state.capabilities));
        server.fails("IDLE", usize::MAX, Act::Say(refusal.to_owned()));
        let watching = Watching::start(&[&server]);
        until("it looks again and again", async || server.heard("EXAMINE") > 3).await;
        server.deliver(&no("Larkfield"));
        watching.wait_for("a0", 1).await;
        assert_eq!(server.heard("IDLE"), 1, "{refusal}");
        assert!(server.with(|state| state.connections) <= 2, "{refusal}");
        watching.stop().await;
    }
}

/// A6, A7, A13, B1: whatever a server says instead of an answer, at every step: the mail is logged once in the end, and
/// "nothing new" is never taken for granted.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_anywhere_is_called_again_and_nothing_is_missed() {
    let acts = [
        Act::Close,
        Act::Say("* BYE going down\r\n".to_owned()),
        Act::Say("$tag NO [UNAVAILABLE] not now\r\n".to_owned()),
        Act::Say("$tag BAD \r\n".to_owned()),
    ];
    let steps = ["greeting", "CAPABILITY", "EXAMINE", "UID SEARCH", "UID FETCH", "IDLE"];
    let cases = steps.iter().flat_map(|step| acts.iter().map(move |act| (*step, act.clone())));
    let all = cases.map(|(step, act)| async move {
        let server = FakeImap::start().await;
        server.fails(step, 1, act.clone());
        server.deliver(&no("Larkfield"));
        let watching = Watching::start(&[&server]);
        watching.wait_for("a0", 1).await;
        // The one after it too: the failure left nothing behind.
        server.deliver(&no("Quillstone"));
        watching.wait_for("a0", 2).await;
        assert_eq!(server.heard("STORE") + server.heard("SELECT"), 0);
        watching.stop().await;
    });
    futures::future::join_all(all).await;
}

/// A14: load is waited out as long as the server says, and is no refused login.
#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_account_rests_as_long_as_it_is_told() {
    let server = FakeImap::start().await;
    let throttle = "$tag BAD Request is throttled. Suggested Backoff Time: 300 milliseconds\r\n";
    server.fails("AUTHENTICATE", 4, Act::Say(throttle.to_owned()));
    server.deliver(&no("Larkfield"));
    let dir = tempfile::tempdir().unwrap();
    let config = configured(&dir, &[&server]);
    let desk = Desk { db: Db::new(Store::in_memory().unwrap()), kit: Arc::new(Kit::load(&config).unwrap()) };
    for _ in 0..4 {
        let error = watch::look_once(&desk, &config.accounts[0]).await.unwrap_err();
        let error = error.downcast_ref::<onward::io::imap::ImapError>().unwrap();
        assert_eq!(error.retry_after(), Some(Duration::from_millis(300)), "{error}");
        assert!(!error.is_authentication(), "{error}");
    }
    assert_eq!(watch::look_once(&desk, &config.accounts[0]).await.unwrap().stored, 1);
}

/// A18: an account whose server hangs and one whose server slams the door trouble no other.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_trouble_troubles_no_other() {
    let (hangs, slams, well) = (FakeImap::start().await, FakeImap::start().await, FakeImap::start().await);
    hangs.fails("EXAMINE", usize::MAX, Act::Stall);
    slams.fails("greeting", usize::MAX, Act::Close);
    let watching = Watching::start(&[&hangs, &slams, &well]);
    until("both are in trouble", async || hangs.heard("EXAMINE") > 0 && slams.with(|state| state.connections) > 0)
        .await;
    for (n, employer) in ["Larkfield", "Quillstone", "Ambervale"].iter().enumerate() {
        well.deliver(&no(employer));
        watching.wait_for("a2", n + 1).await;
    }
    watching.stop().await;
}

/// A15: a server that falls silent at any step of a login costs a deadline and no more. (The other steps are those of
/// `whatever_goes_wrong_is_an_error_and_closes_the_session`.)
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_costs_a_deadline_at_every_step_of_a_login() {
    for step in ["greeting", "CAPABILITY", "AUTHENTICATE"] {
        let server = FakeImap::start().await;
        server.fails(step, 1, Act::Stall);
        let place = Server { host: "127.0.0.1".to_owned(), port: server.port(), tls: Tls::NoneLoopback, ca_file: None };
        let short = Duration::from_millis(300);
        let deadlines = Deadlines { greeting: short, command: short, ..Deadlines::default() };
        let attempt = async {
            Session::connect_within(&place, deadlines).await?.login("ada", &Secret::new("secret".to_owned())).await
        };
        let error = attempt.await.unwrap_err();
        assert!(matches!(error.kind, Kind::Timeout(_)), "{step}: {error}");
    }
}

/// A12, A19: logins that succeed while everything behind them fails are paced; an account has one connection to read by.
#[tokio::test]
async fn logins_are_paced_and_connections_few() {
    let server = FakeImap::start().await;
    server.fails("EXAMINE", usize::MAX, Act::Close);
    let dir = tempfile::tempdir().unwrap();
    let config = configured(&dir, &[&server]);
    let desk = Desk { db: Db::new(Store::in_memory().unwrap()), kit: Arc::new(Kit::load(&config).unwrap()) };
    let (_running, stopped) = tokio::sync::watch::channel(false);
    let (mut memory, pulse) = (Memory::default(), Pulse::new(stopped));
    for _ in 0..2 {
        watch::watch(&desk, &config.accounts[0], &mut memory, &pulse).await.unwrap_err();
    }
    assert_eq!(server.heard("AUTHENTICATE"), 2);
    // From here on time passes as soon as nobody has anything to do but wait.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    watch::watch(&desk, &config.accounts[0], &mut memory, &pulse).await.unwrap_err();
    assert!(begun.elapsed() > Duration::from_secs(55), "{:?}", begun.elapsed());
    assert_eq!(server.with(|state| (state.connections, state.most_open)), (3, 1));
}
