//! Phase by fault: what comes of it, and that no fault ever leads to a second copy.

use std::{path::Path, time::Duration};

use super::{Deadlines, Gate, rehearse, submit_bytes};
use crate::{
    config::{Server, Tls},
    delivery::{Delivery, Phase},
    draft::Envelope,
    secret::{Credential, Secret},
};

#[allow(dead_code, reason = "the whole daemon's tests use the rest of it")]
#[path = "../../../tests/support/smtp_sink.rs"]
mod smtp_sink;
use smtp_sink::{Accepted, Fault, Mode, Sink, Step};

const PASSWORD: &str = "canary-4711";
/// `\0sam\0canary-4711`, as PLAIN sends it.
const PASSWORD_BASE64: &str = "AHNhbQBjYW5hcnktNDcxMQ==";
const MESSAGE: &[u8] = b"Subject: Thank you\r\n\r\nDear all,\r\n.\r\n..two\r\nSam\r\n";

#[derive(Debug, Clone, Copy, PartialEq)]
enum V {
    Sent,
    Deferred,
    Refused,
    Account,
    Unconfirmed,
    Held,
}

/// A gate that is open, or shut; it counts how often it was asked.
struct Door {
    shut: bool,
    asked: usize,
}

impl Gate for Door {
    async fn open(&mut self) -> Result<(), String> {
        self.asked += 1;
        if self.shut { Err("delivery is paused".to_owned()) } else { Ok(()) }
    }
}

fn open() -> Door {
    Door { shut: false, asked: 0 }
}

fn verdict(delivery: &Delivery) -> V {
    match delivery {
        Delivery::Sent(_) => V::Sent,
        Delivery::Deferred(_) => V::Deferred,
        Delivery::Refused(_) => V::Refused,
        Delivery::AccountRefused(_) => V::Account,
        Delivery::Unconfirmed(_) => V::Unconfirmed,
        Delivery::Held(_) => V::Held,
    }
}

/// The same deadline for every phase.
fn deadlines(each: Duration) -> Deadlines {
    Deadlines { connect: each, tls: each, command: each, data: each, body: each, receipt: each, quit: each }
}

fn server(sink: &Sink, mode: Mode, ca_file: Option<&Path>) -> Server {
    let tls = match mode {
        Mode::Implicit => Tls::Implicit,
        Mode::StartTls => Tls::StartTls,
        Mode::Plain => Tls::NoneLoopback,
    };
    Server { host: "localhost".to_owned(), port: sink.port, tls, ca_file: ca_file.map(Path::to_path_buf) }
}

fn envelope() -> Envelope {
    Envelope { from: "sam@example.org".to_owned(), to: Some("jobs@employer.example".to_owned()) }
}

/// One attempt; what came of it and the phases it went through.
async fn attempt(sink: &Sink, mode: Mode, message: &[u8]) -> (Delivery, Vec<Phase>) {
    attempt_within(sink, mode, message, &deadlines(PATIENT)).await
}

async fn attempt_within(sink: &Sink, mode: Mode, message: &[u8], deadlines: &Deadlines) -> (Delivery, Vec<Phase>) {
    let mut phases = Vec::new();
    let secret = Credential::Password(Secret::new(PASSWORD.to_owned()));
    let server = server(sink, mode, Some(&sink.ca_file));
    let progress = |phase| phases.push(phase);
    let delivery =
        submit_bytes(&server, "sam", &secret, &envelope(), message, deadlines, &mut open(), progress).await.delivery;
    (delivery, phases)
}

/// Never reached, however busy the machine is.
const PATIENT: Duration = Duration::from_secs(60);
/// Waited out by each stalled phase.
const IMPATIENT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_message_arrives_byte_for_byte_over_each_protection() {
    use Phase as P;
    let rest = [P::Ehlo, P::Auth, P::Mail, P::Rcpt, P::Data, P::Message, P::FinalReply];
    for (mode, start) in [
        (Mode::Implicit, vec![P::Connect, P::Tls, P::Greeting]),
        (Mode::StartTls, vec![P::Connect, P::Greeting, P::Tls]),
        (Mode::Plain, vec![P::Connect, P::Greeting]),
    ] {
        let sink = Sink::start(mode, &[]).await;
        let (delivery, phases) = attempt(&sink, mode, MESSAGE).await;
        let Delivery::Sent(reply) = delivery else { panic!("{mode:?}: {delivery:?}") };
        assert_eq!((reply.code, reply.text.as_str()), (250, "2.0.0 queued"));
        let expected = Accepted {
            from: "sam@example.org".to_owned(),
            to: "jobs@employer.example".to_owned(),
            bytes: MESSAGE.to_vec(),
        };
        assert_eq!(sink.accepted(), [expected], "{mode:?}");
        assert_eq!(phases, [start, rest.to_vec()].concat(), "{mode:?}");
    }
}

/// Every phase and every way it can go wrong, the stalls aside: verdict and number of copies the server took.
#[tokio::test]
async fn each_fault_has_its_verdict_and_never_a_second_copy() {
    use Fault::{Close, Say};
    use Step as S;
    let cases: &[(Step, Fault, V, usize)] = &[
        (S::Handshake, Close, V::Deferred, 0),
        (S::Handshake, Say("220 plain text here\r\n"), V::Deferred, 0),
        (S::Greeting, Close, V::Deferred, 0),
        (S::Greeting, Say("421 too many\r\n"), V::Deferred, 0),
        (S::Greeting, Say("554 no service\r\n"), V::Refused, 0),
        (S::Greeting, Say("HTTP/1.1 400 Bad Request\r\n"), V::Deferred, 0),
        (S::Greeting, Say("2\r\n"), V::Deferred, 0),
        (S::Ehlo, Close, V::Deferred, 0),
        (S::Ehlo, Say("450 later\r\n"), V::Deferred, 0),
        (S::Ehlo, Say("550 no\r\n"), V::Refused, 0),
        (S::Ehlo, Say("250-sink.test\r\n250 AUTH XOAUTH2\r\n"), V::Account, 0),
        (S::Ehlo, Say("250-sink.test\r\n250 AUTH OAUTHBEARER\r\n"), V::Account, 0),
        (S::Ehlo, Say("hello yourself\r\n"), V::Deferred, 0),
        (S::Auth, Close, V::Deferred, 0),
        (S::Auth, Say("454 4.7.0 later\r\n"), V::Deferred, 0),
        (S::Auth, Say("535 5.7.8 no\r\n"), V::Account, 0),
        (S::Auth, Say("535-5.7.8 no\r\n535 5.7.8 see https://example.org/help\r\n"), V::Account, 0),
        (S::Auth, Say("534 5.7.9 use an app password\r\n"), V::Account, 0),
        (S::Auth, Say("334 \r\n"), V::Deferred, 0),
        (S::Auth, Say("\u{0}\u{1}\r\n"), V::Deferred, 0),
        (S::Mail, Close, V::Deferred, 0),
        (S::Mail, Say("452 full\r\n"), V::Deferred, 0),
        (S::Mail, Say("530 log in first\r\n"), V::Account, 0),
        (S::Mail, Say("553 not your address\r\n"), V::Refused, 0),
        (S::Mail, Say("354 go on\r\n"), V::Deferred, 0),
        (S::Rcpt, Close, V::Deferred, 0),
        (S::Rcpt, Say("451 greylisted\r\n"), V::Deferred, 0),
        (S::Rcpt, Say("550-5.1.1 no\r\n550 5.1.1 such user\r\n"), V::Refused, 0),
        (S::Rcpt, Say("garbage\r\n"), V::Deferred, 0),
        (S::Data, Close, V::Deferred, 0),
        (S::Data, Say("451 later\r\n"), V::Deferred, 0),
        (S::Data, Say("554 no\r\n"), V::Refused, 0),
        (S::Data, Say("250 fine\r\n"), V::Deferred, 0),
        (S::Body, Close, V::Unconfirmed, 0),
        (S::Dot, Close, V::Unconfirmed, 1),
        (S::Dot, Say("354 go on\r\n"), V::Unconfirmed, 1),
        (S::Dot, Say("thanks\r\n"), V::Unconfirmed, 1),
        (S::Dot, Say("451 4.3.0 later\r\n"), V::Deferred, 0),
        (S::Dot, Say("550 5.7.1 spam\r\n"), V::Refused, 0),
        (S::Dot, Say("250-2.0.0 queued\r\n250 2.0.0 as 4711\r\n"), V::Sent, 1),
    ];
    for (step, fault, expected, copies) in cases {
        let sink = Sink::start(Mode::Implicit, &[(*step, *fault)]).await;
        let (delivery, _) = attempt(&sink, Mode::Implicit, MESSAGE).await;
        assert_eq!(verdict(&delivery), *expected, "{step:?} {fault:?}: {delivery:?}");
        assert_eq!(sink.accepted().len(), *copies, "{step:?} {fault:?}");
        assert!(!format!("{delivery:?}").contains(char::is_control), "{delivery:?}");
    }
}

#[tokio::test]
async fn a_silent_server_costs_a_deadline_and_no_more() {
    let large = [b"Subject: long\r\n\r\n".to_vec(), b"x".repeat(70).repeat(300_000)].concat();
    let cases: &[(Step, &[u8], V, usize)] = &[
        (Step::Handshake, MESSAGE, V::Deferred, 0),
        (Step::Greeting, MESSAGE, V::Deferred, 0),
        (Step::Ehlo, MESSAGE, V::Deferred, 0),
        (Step::Auth, MESSAGE, V::Deferred, 0),
        (Step::Mail, MESSAGE, V::Deferred, 0),
        (Step::Rcpt, MESSAGE, V::Deferred, 0),
        (Step::Data, MESSAGE, V::Deferred, 0),
        (Step::Body, &large, V::Unconfirmed, 0),
        (Step::Dot, MESSAGE, V::Unconfirmed, 1),
    ];
    for (step, message, expected, copies) in cases {
        let sink = Sink::start(Mode::Implicit, &[(*step, Fault::Stall)]).await;
        let mut within = deadlines(PATIENT);
        *match step {
            Step::Handshake | Step::StartTls => &mut within.tls,
            Step::Greeting | Step::Ehlo | Step::Auth | Step::Mail | Step::Rcpt => &mut within.command,
            Step::Data => &mut within.data,
            Step::Body => &mut within.body,
            Step::Dot | Step::Quit => &mut within.receipt,
        } = IMPATIENT;
        let (delivery, phases) = attempt_within(&sink, Mode::Implicit, message, &within).await;
        assert_eq!(verdict(&delivery), *expected, "{step:?}: {delivery:?}");
        assert!(format!("{delivery:?}").contains("no answer in time"), "{step:?}: {delivery:?}");
        assert_eq!(sink.accepted().len(), *copies, "{step:?}");
        if *step == Step::Body {
            assert_eq!(phases.last(), Some(&Phase::Message));
        }
    }
}

/// F8: there is one recipient, and without them there is no message.
#[tokio::test]
async fn a_refused_recipient_ends_it_before_the_message() {
    for refusal in ["550 5.1.1 no such user\r\n", "451 4.7.1 greylisted\r\n"] {
        let sink = Sink::start(Mode::Plain, &[(Step::Rcpt, Fault::Say(refusal))]).await;
        let (_, phases) = attempt(&sink, Mode::Plain, MESSAGE).await;
        assert_eq!(phases.last(), Some(&Phase::Rcpt));
        let commands = sink.commands();
        assert_eq!(commands.iter().filter(|command| *command == "RCPT").count(), 1, "{commands:?}");
        assert!(!commands.contains(&"DATA".to_owned()), "{commands:?}");
    }
}

/// F13: whatever comes after the receipt changes nothing.
#[tokio::test]
async fn how_a_server_takes_leave_changes_nothing() {
    for fault in [Fault::Stall, Fault::Close, Fault::Say("554 go away\r\n"), Fault::Say("\u{0}\r\n")] {
        let sink = Sink::start(Mode::Implicit, &[(Step::Quit, fault)]).await;
        let (delivery, _) = attempt(&sink, Mode::Implicit, MESSAGE).await;
        assert_eq!((verdict(&delivery), sink.accepted().len()), (V::Sent, 1), "{fault:?}");
    }
}

/// F20: the gate is asked once, when only DATA is missing; while it is shut nothing of the message leaves.
#[tokio::test]
async fn the_gate_is_asked_when_only_the_message_is_missing() {
    let secret = Credential::Password(Secret::new(PASSWORD.to_owned()));
    for (shut, expected) in [(true, V::Held), (false, V::Sent)] {
        let sink = Sink::start(Mode::Plain, &[]).await;
        let server = server(&sink, Mode::Plain, None);
        let mut door = Door { shut, asked: 0 };
        let within = deadlines(PATIENT);
        let envelope = envelope();
        let attempt = submit_bytes(&server, "sam", &secret, &envelope, MESSAGE, &within, &mut door, |_| {}).await;
        assert_eq!((verdict(&attempt.delivery), door.asked), (expected, 1));
        let said = sink.commands();
        assert!(said.contains(&"RCPT".to_owned()) && said.contains(&"DATA".to_owned()) != shut, "{said:?}");
        assert_eq!(sink.accepted().len(), usize::from(!shut));
    }
    // Where it comes to no message, nobody is asked.
    let sink = Sink::start(Mode::Plain, &[(Step::Rcpt, Fault::Close)]).await;
    let mut door = open();
    let within = deadlines(PATIENT);
    let server = server(&sink, Mode::Plain, None);
    submit_bytes(&server, "sam", &secret, &envelope(), MESSAGE, &within, &mut door, |_| {}).await;
    assert_eq!(door.asked, 0);
}

/// F20: the mail to oneself goes to nobody else and is a whole mail.
#[tokio::test]
async fn a_rehearsal_is_a_mail_to_oneself() {
    let sink = Sink::start(Mode::Plain, &[]).await;
    let secret = Credential::Password(Secret::new(PASSWORD.to_owned()));
    let now = "2026-11-22T08:00:00Z".parse().unwrap();
    let attempt = rehearse(&server(&sink, Mode::Plain, None), "sam", &secret, "sam@example.org", now).await;
    assert_eq!(verdict(&attempt.delivery), V::Sent);
    let [mail] = sink.accepted().try_into().unwrap();
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("sam@example.org", "sam@example.org"));
    let text = String::from_utf8(mail.bytes).unwrap();
    let headers =
        ["From: <sam@example.org>\r\n", "To: <sam@example.org>\r\n", "Date: Sun, 22 Nov 2026 08:00:00 +0000\r\n"];
    assert!(headers.iter().all(|header| text.contains(header)) && text.contains("@example.org>\r\n"), "{text}");
    assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
}

#[tokio::test]
async fn the_password_never_leaves_without_tls() {
    use Fault::{Close, Say};
    for (fault, expected) in [
        (None, "Sent"),
        // The capability stripped on the way.
        (Some((Step::Ehlo, Say("250-sink.test\r\n250 AUTH PLAIN LOGIN\r\n"))), "no STARTTLS"),
        (Some((Step::StartTls, Say("454 not now\r\n"))), "454"),
        (Some((Step::StartTls, Close)), "closed"),
        // Replies injected before TLS: they must count for nothing.
        (Some((Step::StartTls, Say("220 go\r\n250 AUTH PLAIN\r\n235 ok\r\n"))), "protecting the connection"),
    ] {
        let sink = Sink::start(Mode::StartTls, fault.as_slice()).await;
        let (delivery, _) = attempt(&sink, Mode::StartTls, MESSAGE).await;
        let text = format!("{delivery:?}");
        assert!(text.contains(expected), "{text}");
        assert_eq!(sink.accepted().len(), usize::from(fault.is_none()), "{text}");
        let in_clear = sink.in_clear().join("\n");
        assert!(in_clear.starts_with("EHLO [127.0.0.1]"), "{in_clear}");
        assert!(!in_clear.contains("AUTH") && !in_clear.contains(PASSWORD_BASE64), "{in_clear}");
    }
}

#[tokio::test]
async fn an_unknown_certificate_ends_it_before_anything_is_said() {
    for mode in [Mode::Implicit, Mode::StartTls] {
        let sink = Sink::start(mode, &[]).await;
        let other = Sink::start(mode, &[]).await;
        let secret = Credential::Password(Secret::new(PASSWORD.to_owned()));
        let server = server(&sink, mode, Some(&other.ca_file));
        let delivery =
            submit_bytes(&server, "sam", &secret, &envelope(), MESSAGE, &deadlines(PATIENT), &mut open(), |_| {})
                .await
                .delivery;
        assert!(format!("{delivery:?}").contains("certificate"), "{delivery:?}");
        assert_eq!(verdict(&delivery), V::Deferred);
        assert!(!sink.commands().contains(&"AUTH".to_owned()));
    }
}

#[tokio::test]
async fn what_a_server_repeats_of_the_login_is_not_passed_on() {
    let says = "535 5.7.8 bad: AUTH PLAIN AHNhbQBjYW5hcnktNDcxMQ== canary-4711 see https://example.org/help\r\n";
    let sink = Sink::start(Mode::Implicit, &[(Step::Auth, Fault::Say(says))]).await;
    let (delivery, _) = attempt(&sink, Mode::Implicit, MESSAGE).await;
    let Delivery::AccountRefused(text) = delivery else { panic!("{delivery:?}") };
    assert_eq!(text, "logging in: 535 5.7.8 bad: AUTH PLAIN see https://example.org/help");
}

/// A login with a token: what the server offers and answers, the token, what comes of it, whether a fresh one may help,
/// and what was said in AUTH.
#[tokio::test]
async fn a_token_is_shown_and_a_refusal_is_heard_out() {
    use Fault::Say;
    use Step::{Auth, Ehlo};
    const XOAUTH2: &str = "AUTH XOAUTH2 dXNlcj1zYW0BYXV0aD1CZWFyZXIgZ29vZAEB";
    let bearer_only = (Ehlo, Say("250-sink.test\r\n250 AUTH PLAIN OAUTHBEARER\r\n"));
    let forbidden = (Auth, Say("334 eyJzdGF0dXMiOiI0MDMifQ==\r\n535 5.7.3 not allowed\r\n"));
    let locked = (Auth, Say("535 5.7.139 SMTP AUTH is off, see https://aka.ms/smtp_auth_disabled canary-4711\r\n"));
    for (faults, token, expected, stale, said) in [
        (vec![], "good", V::Sent, false, XOAUTH2),
        (vec![bearer_only], "good", V::Sent, false, "AUTH OAUTHBEARER bixhPXNhbSw"),
        (vec![], PASSWORD, V::Account, true, "AUTH XOAUTH2"),
        (vec![bearer_only], PASSWORD, V::Account, true, "AUTH OAUTHBEARER"),
        (vec![forbidden], "good", V::Account, false, XOAUTH2),
        (vec![locked], PASSWORD, V::Account, true, "AUTH XOAUTH2"),
        (vec![(Auth, Say("454 4.7.0 later\r\n"))], "good", V::Deferred, false, XOAUTH2),
        (vec![(Auth, Fault::Close)], "good", V::Deferred, false, XOAUTH2),
        (vec![(Ehlo, Say("250-sink.test\r\n250 AUTH PLAIN\r\n"))], "good", V::Account, false, ""),
        (vec![], "no token", V::Account, false, ""),
    ] {
        let sink = Sink::start(Mode::Plain, &faults).await;
        let server = server(&sink, Mode::Plain, None);
        let token = Credential::Token(Secret::new(token.to_owned()));
        let within = deadlines(PATIENT);
        let attempt = submit_bytes(&server, "sam", &token, &envelope(), MESSAGE, &within, &mut open(), |_| {}).await;
        assert_eq!(verdict(&attempt.delivery), expected, "{faults:?}: {attempt:?}");
        assert_eq!(attempt.stale_token, stale, "{faults:?}: {attempt:?}");
        assert_eq!(sink.accepted().len(), usize::from(expected == V::Sent), "{faults:?}");
        let lines = sink.in_clear();
        let auth = lines.iter().find(|line| line.starts_with("AUTH")).map_or("", String::as_str);
        assert!(auth.starts_with(said) && auth.is_empty() == said.is_empty(), "{faults:?}: {auth}");
        assert!(!format!("{attempt:?}").contains(PASSWORD), "{attempt:?}");
    }
    // The reason is answered as each mechanism wants it, and only then the refusal comes.
    for (faults, expected) in [(vec![], "acknowledged \"\""), (vec![bearer_only], "acknowledged \"AQ==\"")] {
        let sink = Sink::start(Mode::Plain, &faults).await;
        let server = server(&sink, Mode::Plain, None);
        let token = Credential::Token(Secret::new("old".to_owned()));
        submit_bytes(&server, "sam", &token, &envelope(), MESSAGE, &deadlines(PATIENT), &mut open(), |_| {}).await;
        assert!(sink.commands().contains(&expected.to_owned()), "{:?}", sink.commands());
    }
}

#[tokio::test]
async fn what_smtp_cannot_carry_does_not_even_connect() {
    let sink = Sink::start(Mode::Plain, &[]).await;
    let server = server(&sink, Mode::Plain, None);
    let secret = Credential::Password(Secret::new(PASSWORD.to_owned()));
    let good = envelope();
    let no_recipient = Envelope { to: None, ..envelope() };
    let injected = Envelope { to: Some("a@b.example>\r\nRCPT TO:<c@d.example".to_owned()), ..envelope() };
    for (envelope, message) in [
        (&no_recipient, MESSAGE),
        (&injected, MESSAGE),
        (&good, b"a\nb\r\n".as_slice()),
        (&good, b"a\rb\r\n"),
        (&good, b"a\r\n.\n.\r\n"),
        (&good, b"a\r"),
        (&good, b"\n"),
    ] {
        let delivery =
            submit_bytes(&server, "sam", &secret, envelope, message, &deadlines(PATIENT), &mut open(), |_| {})
                .await
                .delivery;
        assert_eq!(verdict(&delivery), V::Refused, "{message:?}");
    }
    assert!(sink.commands().is_empty());
}

#[tokio::test]
async fn dots_survive_wherever_a_block_ends() {
    let sink = Sink::start(Mode::Plain, &[]).await;
    let mut sent = Vec::new();
    for length in 16 * 1024 - 6..=16 * 1024 + 2 {
        let message = [b"x".repeat(length), b"\r\n.\r\n..\r\n.end\r\n".to_vec()].concat();
        let (delivery, _) = attempt(&sink, Mode::Plain, &message).await;
        assert_eq!(verdict(&delivery), V::Sent, "{length}");
        sent.push(message);
    }
    let accepted: Vec<Vec<u8>> = sink.accepted().into_iter().map(|accepted| accepted.bytes).collect();
    assert!(accepted == sent, "a message changed on its way");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn any_lines_arrive_as_they_are(lines in proptest::collection::vec("\\.{0,3}[a-z\u{e4} .]{0,6}", 1..12)) {
        let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let accepted = runtime.block_on(async {
            let sink = Sink::start(Mode::Plain, &[]).await;
            attempt(&sink, Mode::Plain, message.as_bytes()).await;
            sink.accepted()
        });
        proptest::prop_assert_eq!(accepted.len(), 1);
        proptest::prop_assert_eq!(&accepted[0].bytes, message.as_bytes());
    }
}
