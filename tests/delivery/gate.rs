//! F20: nothing leaves while delivery is paused, nor by a server that was not tried.

use std::time::Duration;

use onward::{app::submit::Delivered, draft::DraftState, io::gate};

use super::Desk;
use crate::{
    e2e::{approve, item, wait_for_draft},
    support::{
        fake_imap::FakeImap,
        home::Home,
        mail::sample,
        smtp_sink::{Fault, Mode, Sink, Step},
        wait_until_or,
        watching::until,
    },
};

/// A pause that comes when all but the message has been said: it is not said, and nothing is used up by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_up_to_the_last_moment() {
    let held = [(Step::Rcpt, Fault::Hold("250 2.1.5 ok\r\n"))];
    let (sink, imap) = (Sink::start(Mode::Plain, &held).await, FakeImap::start().await);
    let desk = Desk::smtp(&sink, &imap, "", 1);
    let dir = desk.dir.path().to_owned();
    desk.approve(1);
    let (done, ()) = tokio::join!(desk.deliver(), async {
        until("the recipient is named", async || sink.commands().contains(&"RCPT".to_owned())).await;
        gate::pause(&dir, "wait", jiff::Timestamp::now()).unwrap();
        sink.release();
    });
    assert!(matches!(&done[0].1, Delivered::Later(why) if why.contains("(wait)")), "{done:?}");
    assert!(!sink.commands().contains(&"DATA".to_owned()), "{:?}", sink.commands());
    let view = desk.draft(1);
    assert_eq!((view.state, view.attempts), (DraftState::Approved, 0));

    let calls = sink.commands().len();
    assert!(matches!(desk.deliver().await[0].1, Delivered::Later(_)));
    assert_eq!(sink.commands().len(), calls, "nobody is called while it lasts");
    gate::resume(&dir).unwrap();
    sink.release();
    assert_eq!(desk.deliver().await, [(1, Delivered::Sent)]);
    assert_eq!(sink.accepted().len(), 1);
}

/// The same for Drafts, and for copies in Sent.
#[tokio::test]
async fn a_pause_holds_for_every_append() {
    let imap = FakeImap::start().await;
    let desk = Desk::imap(imap.port(), "ada", "drafts = \"Drafts\"", "", 1);
    desk.approve(1);
    gate::pause(desk.dir.path(), "", jiff::Timestamp::now()).unwrap();
    assert!(matches!(&desk.deliver().await[0].1, Delivered::Later(why) if why.contains("delivery is paused since")));
    assert_eq!((imap.with(|state| state.connections), desk.state(1)), (0, DraftState::Approved));
    gate::resume(desk.dir.path()).unwrap();
    assert!(matches!(desk.deliver().await[0].1, Delivered::Placed { .. }));

    let (sink, imap) = (Sink::start(Mode::Plain, &[]).await, FakeImap::start().await);
    let desk = Desk::smtp(&sink, &imap, "", 1);
    desk.approve(1);
    assert_eq!(desk.deliver().await, [(1, Delivered::Sent)]);
    desk.pass_time(Duration::from_secs(600));
    gate::pause(desk.dir.path(), "", jiff::Timestamp::now()).unwrap();
    desk.deliver().await;
    assert_eq!(imap.with(|state| state.appended.len()), 0);
    gate::resume(desk.dir.path()).unwrap();
    desk.deliver().await;
    assert_eq!(imap.with(|state| state.appended.len()), 1);
}

/// The whole of it as the person meets it: sending is off until a mail to oneself worked, a pause holds for a running
/// daemon, and everything that could tell does.
#[test]
fn sending_is_tried_first_and_can_be_paused_at_any_time() {
    const UNTRIED: &str = "sending is off until it was tried with a mail to yourself: run `onward send --test`";
    const PAUSED: &str = "(on holiday); `onward send --resume` lets it go on";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sink = runtime.block_on(Sink::start(Mode::Implicit, &[]));
    let home = Home::with_maildir(&format!(
        "[account.smtp]\nhost = \"localhost\"\nport = {}\ntls = \"implicit\"\nca_file = \"{}\"\nuser = \"robin\"\n\
         password.file = \"password\"\n[reply]\ndeliver = \"smtp\"\n",
        sink.port,
        sink.ca_file.display()
    ));
    let mail = sample(0);
    home.deliver("no", &mail.bytes);
    assert_eq!(home.one(&["once"])["stored"], 1);
    let daemon = home.start();
    let draft = approve(&home, &item(&home, &mail));
    let says = |arguments: &[&str], code: i32, expected: &str| {
        let said = home.verb(arguments);
        let text = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.code == code && text.contains(expected), "{arguments:?}: {said:?}");
    };
    let show = ["draft", "show", &draft];
    let everywhere: [(&[&str], i32); 5] =
        [(&["send"], 4), (&["send", "--dry-run"], 0), (&[], 4), (&["doctor"], 1), (&show, 0)];
    for (arguments, code) in everywhere {
        says(arguments, code, UNTRIED);
    }
    daemon.wait_for("A draft was taken up.");
    assert!(sink.commands().is_empty(), "{:?}", sink.commands());

    says(&["send", "--pause", "on holiday"], 0, "Delivery is paused");
    says(&["send", "--test"], 0, "a mail is on its way to robin@example.com");
    let [trial] = sink.accepted().try_into().unwrap();
    assert_eq!((&*trial.from, &*trial.to), ("robin@example.com", "robin@example.com"));
    for (arguments, code) in everywhere {
        says(arguments, code, PAUSED);
        says(arguments, code, "delivery is paused since 20");
    }
    assert_eq!((sink.accepted().len(), &home.one(&show)["state"]), (1, &"approved".into()));
    says(&["send", "--resume"], 0, "Delivery goes on.");
    wait_for_draft(&home, &draft, "sent");
    wait_until_or("the letter is with the server", || home.logs(), || sink.accepted().len() == 2);
    says(&["send", "--resume"], 0, "Delivery was not paused.");
    daemon.stop();
    assert!(!home.logs().contains("on holiday"), "{}", home.logs());
}

/// A server that refuses the mail to oneself proves nothing.
#[test]
fn a_failed_trial_proves_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (step, said) in [(Step::Auth, "535 5.7.8 no\r\n"), (Step::Dot, "451 later\r\n"), (Step::Dot, "thanks\r\n")] {
        let sink = runtime.block_on(Sink::start(Mode::Plain, &[(step, Fault::Say(said))]));
        let home = Home::with_maildir(&format!(
            "[account.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none-loopback\"\nuser = \"robin\"\n\
             password.file = \"password\"\n[reply]\ndeliver = \"smtp\"\n",
            sink.port
        ));
        let tried = home.verb(&["send", "--test"]);
        assert_eq!(tried.code, 1, "{tried:?}");
        assert!(home.verb(&["doctor"]).out.contains("onward send --test"), "{said}");
    }
}
