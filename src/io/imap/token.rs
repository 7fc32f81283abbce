//! Logging in with an access token of OAuth. A refusal comes as a challenge first, and must be answered before the
//! server says NO; it must not decide whether a fresh token is tried, only tell whether one may help.

use super::connect::{Challenge, can, challenge, refusal};
use super::error::{ImapError, Kind, Phase};
use super::wire::Wire;
use crate::io::sasl::{self, Mechanism};
use crate::secret::Secret;

/// Shows the token. An error of kind [`Kind::TokenRefused`] when it is not taken.
pub(super) async fn show(wire: &mut Wire, offered: &[String], user: &str, token: &Secret) -> Result<(), ImapError> {
    let phase = Phase::Login;
    let Some(mechanism) = Mechanism::of(|name| can(offered, &format!("AUTH={name}"))) else {
        let why = "the server takes no access token (it offers neither XOAUTH2 nor OAUTHBEARER): use a password";
        return Err(wire.error(phase, Kind::NotSupported(why.to_owned())));
    };
    let (host, port) = wire.server.rsplit_once(':').unwrap_or((&wire.server, ""));
    let response = mechanism.response(user, host, port, token);
    let response = response.map_err(|why| wire.error(phase, Kind::Argument(why)))?;
    let name = mechanism.name();
    let tag = if can(offered, "SASL-IR") {
        let line = Secret::new(format!("AUTHENTICATE {name} {}", response.expose()));
        wire.start_line(phase, line.expose()).await?
    } else {
        let tag = wire.start_line(phase, &format!("AUTHENTICATE {name}")).await?;
        match challenge(wire).await? {
            Challenge::Asked(_) => wire.write(phase, &[response.expose().as_bytes(), b"\r\n"]).await?,
            Challenge::Ended(tagged) => {
                let refused = |text: String| Kind::TokenRefused { stale: true, text };
                return Err(wire.error(phase, refusal(tagged, refused)));
            }
        }
        tag
    };
    let (stale, tagged) = match challenge(wire).await? {
        // No reason was given: a token that ran out is the most likely one.
        Challenge::Ended(tagged) => (true, tagged),
        Challenge::Asked(reason) => {
            wire.write(phase, &[mechanism.acknowledgement().as_bytes(), b"\r\n"]).await?;
            (sasl::is_stale(&reason), wire.finish(phase, &tag, |_| {}).await?)
        }
    };
    if tagged.tag != tag {
        let what = "the server answered a command that was not given".to_owned();
        return Err(wire.error(phase, Kind::Protocol(what)));
    }
    if tagged.ok {
        return Ok(());
    }
    let refused = |text: String| Kind::TokenRefused { stale, text: sasl::without_secret(&text, token) };
    Err(wire.error(phase, refusal(tagged, refused)))
}
