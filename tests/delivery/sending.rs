//! Sending: one mail after the other, in their order, again when it is due, and never two for one approval.

use std::{os::unix::fs::PermissionsExt as _, thread, time::Duration};

use onward::{
    app::submit::{Delivered, When},
    config::Access,
    delivery::SendLimits,
    draft::DraftState,
    outcome::Category,
};

use super::{Desk, MANY, seconds_ago};
use crate::{
    e2e::{item, wait_for_draft},
    store::fixture::{mail, plain, verdict},
    support::{
        fake_imap::FakeImap,
        home::Home,
        mail::sample,
        smtp_sink::{Fault, Mode, Sink, Step},
        token_endpoint::{Answer, TokenEndpoint},
    },
};

/// How many processes approve at once, and how often each.
const PROCESSES: usize = 8;
const APPROVALS_EACH: usize = 125;

const MINUTE: Duration = Duration::from_secs(60);

async fn sink(faults: &[(Step, Fault)]) -> (Sink, FakeImap) {
    (Sink::start(Mode::Plain, faults).await, FakeImap::start().await)
}

/// In which order mails were taken: by their Message-IDs.
fn order(sink: &Sink) -> Vec<String> {
    let id = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().lines().next().unwrap().replace("Message-ID: ", "");
    sink.accepted().into_iter().map(|mail| id(mail.bytes)).collect()
}

/// F9: a thousand approvals of one draft from eight processes at once, while a daemon delivers: one approval, one letter.
#[test]
fn a_thousand_approvals_from_many_processes_are_one_letter() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sink = runtime.block_on(Sink::start(Mode::Implicit, &[]));
    let home = Home::with_maildir(&format!(
        "[account.smtp]\nhost = \"localhost\"\nport = {}\ntls = \"implicit\"\nca_file = \"{}\"\nuser = \"robin\"\n\
         password.file = \"password\"\n[reply]\ndeliver = \"smtp\"\n",
        sink.port,
        sink.ca_file.display()
    ));
    home.prove_smtp();
    home.deliver("no", &sample(0).bytes);
    assert_eq!(home.one(&["once"])["stored"], 1);
    let draft = item(&home, &sample(0))["draft"]["id"].to_string();
    let digest = home.one(&["draft", "show", &draft])["digest"].as_str().unwrap().to_owned();
    let daemon = home.start();
    let approve = || home.verb(&["draft", "approve", &draft, "--digest", &digest]).code;
    let approved: usize = thread::scope(|scope| {
        let series = || (0..APPROVALS_EACH).filter(|_| [0, 4].contains(&approve())).count();
        let all: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(series)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    wait_for_draft(&home, &draft, "sent");
    daemon.stop();
    assert_eq!(approved, 1, "one of {} succeeds", PROCESSES * APPROVALS_EACH);
    let events = home.json(&["log", "--all", "--limit", "100000"]);
    let count = |what: &str| events.iter().filter(|event| event["detail"]["event"] == what).count();
    assert_eq!((count("approve"), count("take"), count("accepted"), sink.accepted().len()), (1, 1, 1, 1));
}

/// F12: what waited while the machine was off leaves one by one, in the order of the approvals, one a minute and no more
/// in a day than may.
#[tokio::test]
async fn a_full_outbox_leaves_one_by_one_in_order() {
    let (sink, imap) = sink(&[]).await;
    let desk = Desk::smtp(&sink, &imap, "sent_copy = \"never\"", 10);
    let in_order = [4, 1, 9, 2, 10, 3, 5, 8, 7, 6];
    for (n, number) in (0_i64..).zip(in_order) {
        desk.approve_at(desk.drafts[number - 1], seconds_ago(3600 - n));
    }
    let limits = SendLimits { a_minute: 1, a_day: 7 };
    for sent in 1..=7 {
        // Each time as after a restart.
        let done = desk.deliver_as(When::Due, limits).await;
        assert_eq!(done[0].1, Delivered::Sent);
        assert!(done[1..].iter().all(|(_, one)| matches!(one, Delivered::Later(_))), "{done:?}");
        assert!(desk.deliver_as(When::Due, limits).await.iter().all(|(_, one)| *one != Delivered::Sent));
        assert_eq!(sink.accepted().len(), sent);
        // The log counts in whole seconds.
        desk.pass_time(MINUTE + Duration::from_secs(1));
    }
    let done = desk.deliver_as(When::Due, limits).await;
    assert!(matches!(&done[0].1, Delivered::Later(why) if why.contains("24 hours")), "{done:?}");
    desk.deliver().await;
    let expected: Vec<String> = in_order.iter().map(|number| format!("<re{number}@example.net>")).collect();
    assert_eq!(order(&sink), expected);
}

/// F4: a passing refusal is tried again by the schedule, for not quite a day, and then the person is asked.
#[tokio::test]
async fn a_passing_refusal_is_tried_again_and_then_the_person_is_asked() {
    let (sink, imap) = sink(&[(Step::Rcpt, Fault::Say("451 4.7.1 greylisted\r\n"))]).await;
    let desk = Desk::smtp(&sink, &imap, "", 1);
    desk.approve(1);
    let tried = || sink.commands().iter().filter(|command| *command == "RCPT").count();
    for (n, minutes) in [5, 15, 60, 180, 360, 360, 360].into_iter().enumerate() {
        desk.deliver_as(When::Due, MANY).await;
        assert_eq!((tried(), desk.state(1)), (n + 1, DraftState::Approved));
        desk.pass_time(MINUTE * (minutes - 1));
        let early = desk.deliver_as(When::Due, MANY).await;
        assert!(matches!(&early[0].1, Delivered::Later(why) if why.contains("due at")), "{early:?}");
        assert_eq!(tried(), n + 1, "not before its time");
        desk.pass_time(MINUTE);
    }
    let last = desk.deliver_as(When::Due, MANY).await;
    assert!(matches!(&last[0].1, Delivered::Refused(why) if why.contains("attempts are used up")), "{last:?}");
    assert_eq!((tried(), desk.state(1)), (8, DraftState::Failed));
    assert!(desk.draft(1).remark.contains("greylisted"));
    assert_eq!(desk.deliver().await, []);
}

/// F5: a refusal for good is told in the server's words and not tried again.
#[tokio::test]
async fn a_refusal_for_good_is_told_and_not_tried_again() {
    for (step, said, passes) in [
        (Step::Rcpt, "550 5.1.1 no such user\r\n", false),
        (Step::Data, "554 5.7.1 not today\r\n", true),
        (Step::Dot, "550 5.7.1 looks like spam\r\n", true),
    ] {
        let (sink, imap) = sink(&[(step, Fault::Say(said))]).await;
        let desk = Desk::smtp(&sink, &imap, "", 1);
        desk.approve(1);
        let done = desk.deliver().await;
        let Delivered::Refused(why) = &done[0].1 else { panic!("{done:?}") };
        assert!(why.contains(said.trim_end()) && why.contains("may pass") == passes, "{why}");
        assert_eq!((desk.state(1), desk.draft(1).remark), (DraftState::Failed, why.clone()));
        assert_eq!((desk.deliver().await, sink.accepted().len()), (vec![], 0));
    }
}

/// F7: however often a login is refused, that is nothing of the message's: it stays approved, and no attempt is used up.
#[tokio::test]
async fn a_refused_login_is_no_attempt() {
    for (said, times, attempts) in [
        ("535 5.7.8 no\r\n", 12, 0),
        ("534 5.7.9 app password\r\n", 2, 0),
        ("530 5.7.0 no\r\n", 2, 0),
        ("454 4.7.0 later\r\n", 2, 2),
    ] {
        let (sink, imap) = sink(&[(Step::Auth, Fault::Say(said))]).await;
        let desk = Desk::smtp(&sink, &imap, "", 1);
        desk.approve(1);
        for _ in 0..times {
            assert!(matches!(desk.deliver().await[0].1, Delivered::Later(_)));
        }
        let view = desk.draft(1);
        assert_eq!((view.state, view.attempts), (DraftState::Approved, attempts), "{said}");
        assert!(view.remark.contains(said.trim_end()), "{}", view.remark);
    }
}

/// F11: a mail that came into the thread since, and two days, void an approval; nothing is said to the server.
#[tokio::test]
async fn what_happened_since_voids_an_approval() {
    let (sink, imap) = sink(&[]).await;
    let desk = Desk::smtp(&sink, &imap, "", 2);
    desk.approve_at(1, seconds_ago(48 * 3600 + 60));
    desk.approve(2);
    let later = mail(Some("later@example.org"), &["no2@example.org"], "later");
    desk.store().commit(&plain(&later, &verdict(Category::OtherJob), 9), None).unwrap();
    let done = desk.deliver().await;
    assert!(done.len() == 2 && done.iter().all(|(_, one)| matches!(one, Delivered::Not(_))), "{done:?}");
    assert_eq!([1, 2].map(|draft| desk.state(draft)), [DraftState::Pending; 2]);
    assert!(sink.commands().is_empty(), "{:?}", sink.commands());
}

/// G1: a fresh token that is refused as well is not asked for again by the next try, whoever makes it.
#[tokio::test]
async fn a_second_try_shows_no_third_token() {
    let (sink, imap) = sink(&[]).await;
    let endpoint = TokenEndpoint::start(vec![Answer::tokens("bad-2", None, 3600)]).await;
    let more = format!(
        "[account.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none-loopback\"\nuser = \"ada\"\n\
         oauth.client_id = \"c\"\noauth.token_url = \"{}\"\noauth.device_url = \"{}\"\noauth.scopes = [\"mail\"]\n\
         [reply]\ndeliver = \"smtp\"\n",
        sink.port,
        endpoint.url("token"),
        endpoint.url("device")
    );
    let desk = Desk::imap(imap.port(), "ada", "", &more, 1);
    let login = desk.config.accounts[0].smtp.as_ref().unwrap();
    let Access::OAuth(oauth) = &login.access else { panic!("{login:?}") };
    let grant = format!(
        r#"{{"client_id":"c","token_url":"{}","refresh_token":"r","access_token":"bad-1",
            "fresh_until":"9999-01-01T00:00:00Z"}}"#,
        endpoint.url("token")
    );
    std::fs::write(&oauth.grant, grant).unwrap();
    std::fs::set_permissions(&oauth.grant, std::fs::Permissions::from_mode(0o600)).unwrap();
    desk.approve(1);
    for (tries, asked) in [(2, 1), (3, 1), (4, 1)] {
        let done = desk.deliver().await.remove(0).1;
        assert!(matches!(done, Delivered::Later(_)), "{done:?}");
        let logins = sink.commands().iter().filter(|command| *command == "AUTH").count();
        assert_eq!((logins, endpoint.asked().len()), (tries, asked));
    }
    assert_eq!((desk.state(1), sink.accepted().len()), (DraftState::Approved, 0));
}
