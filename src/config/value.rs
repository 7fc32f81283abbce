//! Small values written as text: durations, days, mail addresses, names.

use std::{net::IpAddr, time::Duration};

use jiff::civil::Weekday;

/// Longest duration taken, ten years: more is a slip of the unit.
pub(super) const DURATION_MAX: Duration = Duration::from_secs(3650 * 24 * 3600);

/// Days as they are written, Monday first.
pub(super) const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Units of a duration and their seconds, the smallest first.
const UNITS: [(char, u64); 5] = [('s', 1), ('m', 60), ('h', 3600), ('d', 24 * 3600), ('w', 7 * 24 * 3600)];

/// A duration such as `90s`, `10m`, `24h`, `30d` or `2w`; `None` when it is none or longer than [`DURATION_MAX`].
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))
        .filter(|(n, _)| !n.is_empty())?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let total = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    Some(Duration::from_secs(total)).filter(|duration| *duration <= DURATION_MAX)
}

/// A duration in the largest unit that divides it, as [`duration`] reads it.
pub(super) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let whole = |(_, unit): &&(char, u64)| seconds > 0 && seconds.is_multiple_of(*unit) && *unit != 7 * 24 * 3600;
    match UNITS.iter().rev().find(whole) {
        Some((name, unit)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

/// Whether this can be the address of a mailbox (RFC 5321 §4.1.2, without quoted local parts and address literals).
pub(super) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let bad = |c: char| c.is_control() || c.is_whitespace() || "<>()[]\\,;:\"@".contains(c);
    let label_ok = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    !local.is_empty()
        && local.len() <= 64
        && domain.len() <= 255
        && !text.chars().any(|c| c != '@' && bad(c))
        && !domain.contains('@')
        && local.split('.').all(|atom| !atom.is_empty())
        && domain.split('.').all(label_ok)
}

/// Whether this can be the name of an account: it stands in log lines and in the database.
pub(super) fn is_name(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.len() <= 40 && text.chars().all(fine)
}

/// Whether this can be the name or the address of a host.
pub(super) fn is_host(text: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || "-._".contains(c);
    text.parse::<IpAddr>().is_ok() || !text.is_empty() && text.chars().all(fine)
}

/// Whether this looks like an ISO 639-1 code.
pub(super) fn is_language(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether a connection to this host can only end on this machine. A name other than `localhost` may resolve to
/// anything.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_a_number_and_a_unit() {
        for (text, seconds) in
            [("0h", 0), ("60s", 60), ("10m", 600), ("24h", 86_400), ("30d", 2_592_000), ("2w", 1_209_600)]
        {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "h", "30", "30 d", "-1d", "1.5h", "30days", "99999999999999999999d", "9999999999w", "4000d", "３d"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
        for text in ["0s", "90s", "10m", "36h", "30d"] {
            assert_eq!(duration_text(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn addresses_have_one_at_sign_and_nothing_that_breaks_an_envelope() {
        for good in ["sam@example.org", "s.am+jobs@mail.example.org", "sam@localhost", "jürgen@example.org"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "sam", "@x", "sam@", "a@b@c", "a b@c", "a@b\r\nRCPT", "<a@b>", "a..b@c", "a@-b.c", "a@b..c"] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for (host, expected) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("10.0.0.1", false),
            ("localhost.example.org", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }
}
