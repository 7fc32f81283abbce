//! What an SMTP conversation means for a draft: sent, try again, refused, or nobody knows.
//!
//! Pure: [`judge`] takes where the conversation stood and what came back. It must not open connections (that is
//! `io::smtp`) nor write states (that is `io::store`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::outcome::named;

named! {
    /// Where an SMTP conversation stands (RFC 5321 §3, §4.3.2). From `Message` on, bytes of the mail may have left.
    pub enum Phase {
        /// Name lookup and TCP.
        Connect = "connect",
        /// TLS handshake, STARTTLS included.
        Tls = "tls",
        /// The server's greeting.
        Greeting = "greeting",
        /// EHLO.
        Ehlo = "ehlo",
        /// AUTH.
        Auth = "auth",
        /// MAIL FROM.
        Mail = "mail",
        /// RCPT TO.
        Rcpt = "rcpt",
        /// DATA, until 354.
        Data = "data",
        /// The message up to and including the final dot.
        Message = "message",
        /// The answer to the final dot.
        FinalReply = "final_reply",
    }
}

/// A reply of an SMTP server (RFC 5321 §4.2), its text cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmtpReply {
    /// Three digits.
    pub code: u16,
    /// The text, one line, cleaned.
    pub text: String,
}

/// How a phase ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhaseEnd {
    /// The server answered.
    Reply(SmtpReply),
    /// It did not: timeout, closed connection, TLS refusal, garbage. The text is cleaned and short.
    Failure(String),
}

/// The verdict on an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// Accepted with 250: it is sent.
    Sent(SmtpReply),
    /// Nothing left; the next attempt may be made later.
    Deferred(String),
    /// Refused for good.
    Refused(String),
    /// The account's login is refused: the account pauses, the draft stays approved.
    AccountRefused(String),
    /// Nothing left, because Onward itself was told to wait.
    Held(String),
    /// The message may have left.
    Unconfirmed(String),
}

/// What the end of the last phase means. Total over every phase and reply.
///
/// Until the first byte of the message leaves, nothing can have been delivered, and every failure may be tried again.
/// From then on only the server's own answer to the final dot tells; whatever else ends the conversation leaves the
/// matter open, and only the person settles it (RFC 5321 §4.2.5, §4.5.3.2.6: a lost answer to the dot is the one
/// place where a careless client sends twice).
pub fn judge(phase: Phase, end: &PhaseEnd) -> Delivery {
    let where_ = phase_text(phase);
    let may_have_left = matches!(phase, Phase::Message | Phase::FinalReply);
    let reply = match end {
        PhaseEnd::Reply(reply) => reply,
        PhaseEnd::Failure(why) if may_have_left => return Delivery::Unconfirmed(format!("{where_}: {why}")),
        PhaseEnd::Failure(why) => return Delivery::Deferred(format!("{where_}: {why}")),
    };
    let said = format!("{where_}: {} {}", reply.code, reply.text);
    match (phase, reply.code) {
        (Phase::FinalReply, 200..=299) => Delivery::Sent(reply.clone()),
        (Phase::FinalReply, 400..=499) => Delivery::Deferred(said),
        (Phase::FinalReply, 500..=599) => Delivery::Refused(refused(said, reply)),
        (Phase::Message | Phase::FinalReply, _) => Delivery::Unconfirmed(said),
        (Phase::Auth, 500..=599) => Delivery::AccountRefused(said),
        (_, AUTHENTICATION_REQUIRED | MECHANISM_TOO_WEAK | CREDENTIALS_INVALID | ENCRYPTION_REQUIRED) => {
            Delivery::AccountRefused(said)
        }
        (_, 500..=599) => Delivery::Refused(refused(said, reply)),
        _ => Delivery::Deferred(said),
    }
}

/// What is added to a refusal that servers also give for the moment: for load, reputation or a daily limit.
const MAY_PASS: &str = " (this may pass: you can approve it again later)";

/// A permanent refusal in words. One that speaks of policy, spam or a limit (RFC 3463 §3.8 `5.7.x`, and `5.5.0`, which
/// providers say for limits) is still the person's to try again.
fn refused(said: String, reply: &SmtpReply) -> String {
    let status = reply.text.split_whitespace().next().unwrap_or_default();
    if status.starts_with("5.7.") || status == "5.5.0" { said + MAY_PASS } else { said }
}

/// RFC 4954 §6: the command needs a login first.
const AUTHENTICATION_REQUIRED: u16 = 530;
/// RFC 4954 §6: the mechanism is too weak for this user; some providers say it for "use an app password".
const MECHANISM_TOO_WEAK: u16 = 534;
/// RFC 4954 §6: user or password are wrong.
const CREDENTIALS_INVALID: u16 = 535;
/// RFC 4954 §6: the mechanism needs TLS.
const ENCRYPTION_REQUIRED: u16 = 538;

/// Where a conversation ended, for the person.
fn phase_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connecting",
        Phase::Tls => "protecting the connection",
        Phase::Greeting => "waiting for the greeting",
        Phase::Ehlo => "introducing ourselves",
        Phase::Auth => "logging in",
        Phase::Mail => "naming the sender",
        Phase::Rcpt => "naming the recipient",
        Phase::Data => "announcing the message",
        Phase::Message => "sending the message",
        Phase::FinalReply => "waiting for the receipt",
    }
}

/// Minutes to wait after the first, second, … failed attempt; the last one repeats (RFC 5321 §4.5.4.1 asks for growing
/// intervals).
const RETRY_AFTER_MINUTES: [i64; 5] = [5, 15, 60, 3 * 60, 6 * 60];
/// Attempts are given up when the next one would come later than this after the first, in minutes: a reply that is a
/// day late needs the person's eyes again.
const RETRY_WITHIN_MINUTES: i64 = 24 * 60;

/// When a deferred message is tried again, after `attempts` attempts at the times of the schedule; `None` when it is
/// given up and the person is asked.
pub fn next_attempt(attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let [.., last] = RETRY_AFTER_MINUTES;
    let mut waits = RETRY_AFTER_MINUTES.into_iter().chain(std::iter::repeat(last));
    let mut elapsed = 0;
    let mut wait = 0;
    for _ in 0..attempts.max(1) {
        wait = waits.next()?;
        elapsed += wait;
        if elapsed > RETRY_WITHIN_MINUTES {
            return None;
        }
    }
    now.checked_add(SignedDuration::from_mins(wait)).ok()
}

/// How many mails may go out. A person who looks for work writes few; more than that is a mistake somewhere, and
/// providers begin to block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLimits {
    /// In a minute: what leaves together looks like a machine's, and a mistake is seen before the next one is gone.
    pub a_minute: u32,
    /// In 24 hours.
    pub a_day: u32,
}

impl SendLimits {
    /// Why nothing more is sent now, after so many in the last minute and the last 24 hours.
    pub fn reached(self, last_minute: u32, last_day: u32) -> Option<String> {
        if last_day >= self.a_day {
            return Some(format!("{last_day} mails went out in the last 24 hours, as many as may; the rest waits"));
        }
        (last_minute >= self.a_minute).then(|| format!("no more than {} a minute is sent; it follows", self.a_minute))
    }
}

named! {
    /// Whether a copy of a sent reply is put into the Sent mailbox.
    pub enum SentCopy {
        /// Where the server does not file one itself.
        Auto = "auto",
        /// Unless it is there.
        Always = "always",
        /// Not at all.
        Never = "never",
    }
}

/// What is to be done about the copy of a sent reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyStep {
    /// Nothing: it is the server's matter, or nobody wants one.
    Nothing,
    /// Nothing yet: the server may still file it.
    Wait,
    /// Look for it in Sent.
    Look {
        /// Whether it is put there when it is not.
        append: bool,
    },
}

/// How long a server of which nothing is known gets to file a copy itself: those that do take seconds.
const COPY_FILED_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// How long a copy that could not be filed is still due: later than that it would only surprise.
pub const COPY_DUE_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What to do about the copy of a reply that the server took `age` ago. `files` is whether the provider is known to file
/// copies itself, `looked` whether Sent was looked into since.
pub fn copy_step(wanted: SentCopy, files: Option<bool>, age: SignedDuration, looked: bool) -> CopyStep {
    match (wanted, files) {
        (SentCopy::Never, _) | (SentCopy::Auto, Some(true)) => CopyStep::Nothing,
        (SentCopy::Always, _) | (SentCopy::Auto, Some(false)) => CopyStep::Look { append: true },
        (SentCopy::Auto, None) if age >= COPY_FILED_WITHIN => CopyStep::Look { append: true },
        (SentCopy::Auto, None) if looked => CopyStep::Wait,
        (SentCopy::Auto, None) => CopyStep::Look { append: false },
    }
}

/// How long after a look for a reply of which nobody knows whether it left the next one comes; `None` when it was looked
/// for long enough: the person has been asked from the beginning.
pub fn look_again(age: SignedDuration) -> Option<SignedDuration> {
    const FIRST: SignedDuration = SignedDuration::from_mins(1);
    const LONGEST: SignedDuration = SignedDuration::from_hours(6);
    const FOR: SignedDuration = SignedDuration::from_hours(3 * 24);
    (age < FOR).then(|| age.clamp(FIRST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an attempt may come to, without its text.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum V {
        Sent,
        Deferred,
        Refused,
        Account,
        Unconfirmed,
    }

    fn verdict(phase: Phase, end: &PhaseEnd) -> V {
        match judge(phase, end) {
            Delivery::Sent(_) => V::Sent,
            Delivery::Deferred(_) => V::Deferred,
            Delivery::Refused(_) => V::Refused,
            Delivery::AccountRefused(_) => V::Account,
            Delivery::Unconfirmed(_) => V::Unconfirmed,
            Delivery::Held(_) => panic!("no server says that"),
        }
    }

    fn reply(code: u16) -> PhaseEnd {
        PhaseEnd::Reply(SmtpReply { code, text: "text".to_owned() })
    }

    #[test]
    fn every_phase_and_every_end_has_its_verdict() {
        use V::{Account as A, Deferred as D, Refused as R, Sent as S, Unconfirmed as U};
        const CODES: [u16; 13] = [0, 199, 220, 250, 334, 354, 421, 454, 530, 534, 535, 550, 600];
        let early = [D, D, D, D, D, D, D, D, A, A, A, R, D];
        for (phase, expected) in [
            (Phase::Connect, early),
            (Phase::Tls, early),
            (Phase::Greeting, early),
            (Phase::Ehlo, early),
            (Phase::Auth, [D, D, D, D, D, D, D, D, A, A, A, A, D]),
            (Phase::Mail, early),
            (Phase::Rcpt, early),
            (Phase::Data, early),
            (Phase::Message, [U; 13]),
            (Phase::FinalReply, [U, U, S, S, U, U, D, D, R, R, R, R, U]),
        ] {
            for (code, expected) in CODES.into_iter().zip(expected) {
                assert_eq!(verdict(phase, &reply(code)), expected, "{code} at {phase}");
            }
            let failed = verdict(phase, &PhaseEnd::Failure("closed".to_owned()));
            assert_eq!(failed, if phase < Phase::Message { D } else { U }, "failure at {phase}");
        }
    }

    #[test]
    fn only_the_receipt_sends_and_doubt_is_never_deferred() {
        for phase in Phase::ALL {
            for code in 0..=u16::MAX {
                match verdict(*phase, &reply(code)) {
                    V::Sent => assert!(*phase == Phase::FinalReply && (200..300).contains(&code), "{code} at {phase}"),
                    V::Deferred => {
                        assert!(*phase < Phase::Message || (400..500).contains(&code), "{code} at {phase}");
                    }
                    V::Unconfirmed => assert!(*phase >= Phase::Message, "{code} at {phase}"),
                    V::Refused | V::Account => assert!((500..600).contains(&code), "{code} at {phase}"),
                }
            }
        }
    }

    #[test]
    fn attempts_grow_apart_and_end_within_a_day() {
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let waits: Vec<Option<i64>> =
            (0..=8).map(|attempts| next_attempt(attempts, now).map(|at| at.duration_since(now).as_mins())).collect();
        let expected = [Some(5), Some(5), Some(15), Some(60), Some(180), Some(360), Some(360), Some(360), None];
        assert_eq!(waits, expected);
        assert_eq!(next_attempt(u32::MAX, now), None);
    }

    #[test]
    fn a_refusal_that_may_pass_is_told_as_such_and_is_one() {
        for (text, passes) in [
            ("5.7.1 looks like spam", true),
            ("5.5.0 daily limit exceeded", true),
            ("5.1.1 no such user", false),
            ("no 5.7.1 at the beginning", false),
        ] {
            let end = PhaseEnd::Reply(SmtpReply { code: 550, text: text.to_owned() });
            for phase in [Phase::Rcpt, Phase::Data, Phase::FinalReply] {
                let Delivery::Refused(why) = judge(phase, &end) else { panic!("{text} at {phase}") };
                assert_eq!(why.ends_with(MAY_PASS), passes, "{why}");
            }
        }
    }

    #[test]
    fn limits_count_the_minute_and_the_day() {
        let limits = SendLimits { a_minute: 2, a_day: 5 };
        for (minute, day, reached) in [(0, 0, None), (1, 4, None), (2, 2, Some("minute")), (0, 5, Some("24 hours"))] {
            let why = limits.reached(minute, day);
            assert_eq!(why.is_some(), reached.is_some(), "{minute} {day}");
            assert!(reached.is_none_or(|word| why.unwrap_or_default().contains(word)));
        }
    }

    #[test]
    fn a_copy_is_filed_only_where_nobody_else_does() {
        use CopyStep::{Look, Nothing, Wait};
        use SentCopy::{Always, Auto, Never};
        for (wanted, files, minutes, looked, expected) in [
            (Never, Some(false), 9, false, Nothing),
            (Auto, Some(true), 9, false, Nothing),
            (Auto, Some(false), 0, false, Look { append: true }),
            (Always, Some(true), 0, false, Look { append: true }),
            (Auto, None, 0, false, Look { append: false }),
            (Auto, None, 0, true, Wait),
            (Auto, None, 4, true, Wait),
            (Auto, None, 5, true, Look { append: true }),
            (Auto, None, 5, false, Look { append: true }),
        ] {
            let step = copy_step(wanted, files, SignedDuration::from_mins(minutes), looked);
            assert_eq!(step, expected, "{wanted} {files:?} after {minutes} min, {looked}");
        }
    }

    #[test]
    fn doubt_is_looked_into_less_and_less_and_then_left_to_the_person() {
        let mut age = SignedDuration::ZERO;
        let mut looks = 0;
        while let Some(pause) = look_again(age) {
            assert!(pause >= SignedDuration::from_mins(1) && pause <= SignedDuration::from_hours(6), "{pause:?}");
            age += pause;
            looks += 1;
        }
        assert!(age >= SignedDuration::from_hours(72) && looks < 30, "{looks} looks in {age:?}");
    }
}
