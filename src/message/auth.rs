//! `Authentication-Results` (RFC 8601): what a mail server says it found out about the sender.
//!
//! Only the topmost field is read: every server writes above what was there, so anything below may be the sender's own.
//! Whether the server that wrote it is one to believe is not judged here.

use serde::{Deserialize, Serialize};

use crate::outcome::named;

/// Bytes of the field that are read: real ones have a few hundred.
const FIELD_BYTES_MAX: usize = 16 << 10;
/// Statements that are read; a mail with a dozen signatures has as many.
const STATEMENTS_MAX: usize = 50;
/// Longest name of a server, in bytes: that of a host (RFC 1035 §2.3.4).
const ID_BYTES_MAX: usize = 253;

named! {
    /// What a check came to.
    pub enum AuthResult {
        /// It holds.
        Pass = "pass",
        /// It does not hold.
        Fail = "fail",
        /// Nothing can be said: no policy, no signature, an error.
        Other = "other",
    }
}

/// What one server says of a mail. A check that is not named was not made: that is never a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthResults {
    /// Who says so: the authserv-id, lower case, a host name by its letters.
    pub authserv_id: String,
    /// Whether the domain in `From` stands for the mail (RFC 7489).
    pub dmarc: Option<AuthResult>,
    /// Whether any signature holds (RFC 6376).
    pub dkim: Option<AuthResult>,
    /// Whether the envelope's domain sends from there (RFC 7208).
    pub spf: Option<AuthResult>,
}

/// Reads the value of the topmost field; `None` where it names no server.
pub(super) fn read(value: &[u8]) -> Option<AuthResults> {
    let value = value.get(..FIELD_BYTES_MAX).unwrap_or(value);
    let statements = statements(&String::from_utf8_lossy(value));
    let (first, rest) = statements.split_first()?;
    let authserv_id = first.split_whitespace().next()?.to_ascii_lowercase();
    let fine = authserv_id.len() <= ID_BYTES_MAX
        && authserv_id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    let mut found = AuthResults { authserv_id, dmarc: None, dkim: None, spf: None };
    for (method, result) in rest.iter().filter_map(|statement| method_and_result(statement)) {
        match method.as_str() {
            "dmarc" => found.dmarc = found.dmarc.or(Some(result)),
            "spf" => found.spf = found.spf.or(Some(result)),
            // One signature that holds is enough.
            "dkim" if found.dkim != Some(AuthResult::Pass) => found.dkim = Some(result),
            _ => {}
        }
    }
    fine.then_some(found)
}

/// `dmarc=fail …`, `dkim / 1 = pass`: the method and what it came to.
fn method_and_result(statement: &str) -> Option<(String, AuthResult)> {
    let (method, rest) = statement.split_once('=')?;
    let method = method.split('/').next()?.trim().to_ascii_lowercase();
    let result = match rest.split_whitespace().next()?.to_ascii_lowercase().as_str() {
        "pass" => AuthResult::Pass,
        "fail" | "hardfail" => AuthResult::Fail,
        _ => AuthResult::Other,
    };
    Some((method, result))
}

/// The statements between semicolons, without comments. Brackets nest, and neither they nor quotes are left by a
/// character behind a backslash (RFC 5322 §3.2.2, §3.2.4).
pub(super) fn statements(value: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let (mut depth, mut quoted) = (0_usize, false);
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' if depth > 0 || quoted => {
                characters.next();
            }
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ';' if depth == 0 && !quoted => {
                if all.len() >= STATEMENTS_MAX {
                    break;
                }
                all.push(String::new());
            }
            _ if depth > 0 => {}
            // What is quoted is a value, never a method.
            '=' | ';' if quoted => {}
            _ => {
                if let Some(last) = all.last_mut() {
                    last.push(if c.is_whitespace() { ' ' } else { c });
                }
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_as_servers_and_forgers_write_it() {
        use AuthResult::{Fail, Other, Pass};
        let huge = format!("mx.example; dmarc=fail{}; dkim=pass", " x".repeat(20_000));
        for (value, expected) in [
            ("mx.example; dmarc=pass; spf=pass; dkim=pass", Some(("mx.example", Some(Pass), Some(Pass), Some(Pass)))),
            (" MX.Example 1; none", Some(("mx.example", None, None, None))),
            (
                "mx.example;\r\n\tdmarc=fail (p=none)\r\n\theader.from=x.example",
                Some(("mx.example", Some(Fail), None, None)),
            ),
            ("mx.example; dkim=fail; dkim=pass; dkim=fail", Some(("mx.example", None, Some(Pass), None))),
            ("mx.example; spf=softfail; dmarc=none", Some(("mx.example", Some(Other), None, Some(Other)))),
            ("mx.example (dmarc=pass; x (nested) \\) ); dmarc = FAIL", Some(("mx.example", Some(Fail), None, None))),
            ("mx.example; x=\"; dmarc=pass;\"; dmarc/1=fail", Some(("mx.example", Some(Fail), None, None))),
            ("mx.example; dmarc=pass; dmarc=fail", Some(("mx.example", Some(Pass), None, None))),
            (huge.as_str(), Some(("mx.example", Some(Fail), None, None))),
            // Some providers leave out who they are: nobody's word.
            ("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x.example; dmarc=pass", None),
            ("", None),
            ("; dmarc=pass", None),
            ("(comment without an end; dmarc=pass", None),
            ("mx\u{202e}.example; dmarc=pass", None),
        ] {
            let read = read(value.as_bytes());
            let read = read.as_ref().map(|r| (r.authserv_id.as_str(), r.dmarc, r.dkim, r.spf));
            assert_eq!(read, expected, "{}", value.chars().take(80).collect::<String>());
        }
        let many = format!("mx.example{}; dmarc=pass", "; x=y".repeat(100));
        assert_eq!(super::read(many.as_bytes()).unwrap().dmarc, None);
    }
}
