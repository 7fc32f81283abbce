//! The sample mailbox: self-written mail in `mail/*.eml`, dated relative to an anchor.
//!
//! Employers and people are invented and live under `.example`; only the relays of applicant-tracking systems have
//! their real domains, because the rules know them. What the engine should make of each message stands beside them in
//! `expected.toml`, which this module never reads.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::server::DemoMail;

/// Whose mailbox it is.
pub const PERSON_NAME: &str = "Robin Hale";
/// The address the mail was delivered to.
pub const PERSON_EMAIL: &str = "robin.hale@mail.example";
/// The day the demo plays on, where nothing else is asked for: Monday, 23 November 2026, 08:00 UTC. Fixed, so that two
/// runs print the same; the dates in quoted lines fit it.
pub const ANCHOR: Timestamp = Timestamp::constant(1_795_420_800, 0);

macro_rules! mail {
    ($name:literal) => {
        ($name, include_bytes!(concat!("mail/", $name, ".eml")).as_slice())
    };
}

/// Every message with its file name without `.eml`.
const FILES: [(&str, &[u8]); 36] = [
    mail!("01-pinecone-acknowledgement"),
    mail!("02-brightwater-acknowledgement"),
    mail!("03-lindenhof-eingang"),
    mail!("04-hollis-acknowledgement-with-if"),
    mail!("05-tidewell-interview"),
    mail!("06-brueckner-einladung"),
    mail!("07-larkspur-assessment"),
    mail!("08-quillon-reschedule"),
    mail!("09-quillon-final-round"),
    mail!("10-marrow-interview-in-junk"),
    mail!("11-kestrel-no"),
    mail!("12-brightwater-no"),
    mail!("13-fennel-rowe-no"),
    mail!("14-larkspur-no-after-task"),
    mail!("15-tidewell-no-after-interview"),
    mail!("16-quillon-no-after-final"),
    mail!("17-hollis-position-closed"),
    mail!("18-cobalt-internal-hire"),
    mail!("19-marlow-finch-agency-no"),
    mail!("20-osprey-no-individual-feedback"),
    mail!("21-saffron-offers-call"),
    mail!("22-lindenhof-absage"),
    mail!("23-brueckner-absage-nach-gespraech"),
    mail!("24-auental-intern-besetzt"),
    mail!("25-nordlicht-absage"),
    mail!("26-brightwater-sent-in-error"),
    mail!("27-pinecone-offer"),
    mail!("28-driftwood-hiring-freeze"),
    mail!("29-harrow-mill-feedback"),
    mail!("30-recruiter-outreach"),
    mail!("31-job-alert"),
    mail!("32-newsletter-unfortunately"),
    mail!("33-friend-forwards-a-no"),
    mail!("34-flat-refusal"),
    mail!("35-workday-account-notice"),
    mail!("36-kranichwerk-noch-in-pruefung"),
];

/// Placeholder for `Date`: days before the anchor's day and the time of day, e.g. `X-Demo-Age: 3d 10:12`.
const AGE: &str = "X-Demo-Age";
/// The mailbox a message is in; INBOX where it is absent.
const MAILBOX: &str = "X-Demo-Mailbox";

/// A message of the sample that cannot be dated. It names the file, so that whoever adds one finds it.
#[derive(Debug, thiserror::Error)]
#[error("sample message {file}: {problem}")]
pub struct SampleError {
    file: &'static str,
    problem: &'static str,
}

/// A message of the sample with the name of its file.
#[derive(Debug, Clone)]
pub struct SampleMail {
    /// The file name without `.eml`, as in `expected.toml`.
    pub file: &'static str,
    /// What the server gets.
    pub mail: DemoMail,
}

/// The sample, oldest first, as it would be at `anchor`.
///
/// # Errors
/// A file lacks its age or states one that cannot be read.
pub fn sample(anchor: Timestamp) -> Result<Vec<SampleMail>, SampleError> {
    let mut mails = FILES
        .iter()
        .map(|(file, bytes)| {
            dated(bytes, anchor).map(|mail| SampleMail { file, mail }).map_err(|problem| SampleError { file, problem })
        })
        .collect::<Result<Vec<_>, _>>()?;
    mails.sort_by_key(|sample| (sample.mail.internal_date, sample.file));
    Ok(mails)
}

/// Puts `Date` in place of the placeholder, drops the other one, and writes CRLF line ends.
fn dated(bytes: &[u8], anchor: Timestamp) -> Result<DemoMail, &'static str> {
    let mut mailbox = "INBOX".to_owned();
    let mut internal_date = None;
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut in_header = true;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        in_header &= !line.is_empty();
        match if in_header { placeholder(line) } else { None } {
            Some((AGE, age)) => {
                let date = date_of(age, anchor).ok_or("X-Demo-Age is not like 3d 10:12")?;
                out.extend_from_slice(date.strftime("Date: %a, %d %b %Y %H:%M:%S +0000\r\n").to_string().as_bytes());
                internal_date = Some(date);
            }
            Some((_, name)) => name.clone_into(&mut mailbox),
            None => {
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    let internal_date = internal_date.ok_or("it has no X-Demo-Age")?;
    Ok(DemoMail { mailbox, internal_date, bytes: out })
}

/// The placeholder header a line holds, with its value.
fn placeholder(line: &[u8]) -> Option<(&'static str, &str)> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    [AGE, MAILBOX].into_iter().find(|known| *known == name).map(|known| (known, value.trim()))
}

fn date_of(age: &str, anchor: Timestamp) -> Option<Timestamp> {
    let (days, time) = age.split_once("d ")?;
    let days = SignedDuration::from_hours(days.parse::<u16>().ok()?.checked_mul(24)?.into());
    let (hour, minute) = time.split_once(':')?;
    let midnight = TimeZone::UTC.to_datetime(anchor).date();
    // `Date::at` panics outside these bounds.
    let within = |text: &str, bound: i8| text.parse().ok().filter(|value: &i8| (0..bound).contains(value));
    let at = midnight.at(within(hour, 24)?, within(minute, 60)?, 0, 0);
    TimeZone::UTC.to_timestamp(at).ok()?.checked_sub(days).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anchor_is_the_day_it_says() {
        assert_eq!(ANCHOR.to_string(), "2026-11-23T08:00:00Z");
    }

    #[test]
    fn placeholders_become_dates() {
        let mail =
            dated(b"X-Demo-Age: 3d 10:12\nX-Demo-Mailbox: Junk\nSubject: a\n\nX-Demo-Age: text\n", ANCHOR).unwrap();
        assert_eq!(mail.mailbox, "Junk");
        assert_eq!(mail.internal_date.to_string(), "2026-11-20T10:12:00Z");
        let expected = "Date: Fri, 20 Nov 2026 10:12:00 +0000\r\nSubject: a\r\n\r\nX-Demo-Age: text\r\n";
        assert_eq!(String::from_utf8(mail.bytes).unwrap(), expected);
        for broken in ["", "3d", "3d 25:00", "-1d 10:00", "3d 10:60", "3d -1:00", "x"] {
            assert!(dated(format!("X-Demo-Age: {broken}\n\n").as_bytes(), ANCHOR).is_err(), "{broken}");
        }
    }
}
