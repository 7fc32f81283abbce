//! How an access token is shown to a mail server (SASL XOAUTH2 and OAUTHBEARER), and what a refusal says: the same for
//! IMAP and SMTP. It must not connect, nor keep a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::secret::Secret;

/// Longest challenge that is read, in bytes: a status, a scheme and a scope.
const CHALLENGE_BYTES_MAX: usize = 4096;
/// Longest word of a server's answer to a login that is kept, in bytes: some repeat the credentials they were given.
const WORD_BYTES_MAX: usize = 20;
/// The separator inside both mechanisms.
const SEPARATOR: char = '\x01';

/// A way to show an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// Google's and Microsoft's, older than the standard.
    XOAuth2,
    /// RFC 7628.
    OAuthBearer,
}

impl Mechanism {
    /// The one to use with a server that offers these. XOAUTH2 first: where both are, it is the one that is tried out.
    pub fn of(offered: impl Fn(&str) -> bool) -> Option<Mechanism> {
        [Mechanism::XOAuth2, Mechanism::OAuthBearer].into_iter().find(|mechanism| offered(mechanism.name()))
    }

    /// Its name in a capability or after AUTH.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::XOAuth2 => "XOAUTH2",
            Mechanism::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// The client's response in Base64, or why these values cannot be shown.
    pub fn response(self, user: &str, host: &str, port: &str, token: &Secret) -> Result<Secret, &'static str> {
        // RFC 6750 §2.1: a token is visible ASCII, so anything else is not one, and could end the field it stands in.
        if token.expose().is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("this is no access token: it may hold nothing but visible ASCII characters");
        }
        if user.contains(char::is_control) {
            return Err("the user name holds a control character");
        }
        let token = token.expose();
        let plain = Secret::new(match self {
            Mechanism::XOAuth2 => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
            Mechanism::OAuthBearer => {
                // RFC 5801 §4: these two end a name in the header.
                let user = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
            }
        });
        Ok(Secret::new(BASE64.encode(plain.expose())))
    }

    /// What the reason of a refusal is answered with, so that the server goes on to refuse.
    pub fn acknowledgement(self) -> String {
        match self {
            Mechanism::XOAuth2 => String::new(),
            // RFC 7628 §3.2.3.
            Mechanism::OAuthBearer => BASE64.encode(SEPARATOR.to_string()),
        }
    }
}

/// Whether the reason of a refusal (Base64 of JSON) leaves room for the token being too old. So does a reason nobody
/// can read: asking for one fresh token is cheap.
pub fn is_stale(challenge: &str) -> bool {
    let challenge = challenge.trim();
    if challenge.len() > CHALLENGE_BYTES_MAX {
        return true;
    }
    let json = BASE64.decode(challenge).ok().and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let Some(status) = json.as_ref().and_then(|json| json.get("status")) else { return true };
    let status = status.as_str().map_or_else(|| status.to_string(), str::to_owned);
    // RFC 7628 §3.2.2 has words, Google and Microsoft send the numbers of HTTP.
    matches!(status.as_str(), "400" | "401" | "invalid_token" | "invalid_request")
}

/// A server's words about a login, without any that could be a credential, plain or encoded. Links to help stay.
pub fn without_secret(text: &str, secret: &Secret) -> String {
    let harmless = |word: &&str| {
        let short = word.len() <= WORD_BYTES_MAX || word.starts_with("https://");
        short && !word.contains(secret.expose()) && !word.ends_with('=')
    };
    text.split_whitespace().filter(harmless).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(mechanism: Mechanism, user: &str) -> String {
        let response = mechanism.response(user, "imap.example.org", "993", &Secret::new("ya29.x".to_owned())).unwrap();
        String::from_utf8(BASE64.decode(response.expose()).unwrap()).unwrap()
    }

    #[test]
    fn responses_are_those_of_the_documents() {
        assert_eq!(plain(Mechanism::XOAuth2, "sam@example.org"), "user=sam@example.org\x01auth=Bearer ya29.x\x01\x01");
        assert_eq!(
            plain(Mechanism::OAuthBearer, "s=a,m"),
            "n,a=s=3Da=2Cm,\x01host=imap.example.org\x01port=993\x01auth=Bearer ya29.x\x01\x01"
        );
        assert_eq!(
            (Mechanism::XOAuth2.acknowledgement().as_str(), &*Mechanism::OAuthBearer.acknowledgement()),
            ("", "AQ==")
        );
    }

    #[test]
    fn nothing_can_be_slipped_into_a_response() {
        for (user, token) in
            [("sam", ""), ("sam", "a\x01b"), ("sam", "a b"), ("sam", "é"), ("s\x01am", "ya29"), ("s\nam", "ya29")]
        {
            let token = Secret::new(token.to_owned());
            assert!(Mechanism::XOAuth2.response(user, "h", "1", &token).is_err(), "{user:?} {token:?}");
        }
    }

    #[test]
    fn a_reason_tells_whether_a_fresh_token_may_help() {
        for (json, expected) in [
            (r#"{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}"#, true),
            (r#"{"status":"401"}"#, true),
            (r#"{"status":401}"#, true),
            (r#"{"status":"invalid_token"}"#, true),
            (r#"{"status":"403"}"#, false),
            (r#"{"status":"insufficient_scope"}"#, false),
            (r#"{"error":"?"}"#, true),
            ("no json", true),
        ] {
            assert_eq!(is_stale(&BASE64.encode(json)), expected, "{json}");
        }
        assert!(is_stale("%%%") && is_stale("") && is_stale(&"A".repeat(CHALLENGE_BYTES_MAX + 1)));
    }
}
