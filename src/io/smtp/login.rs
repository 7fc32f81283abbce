//! Logging in at a submission server: PLAIN or LOGIN with a password, XOAUTH2 or OAUTHBEARER with an access token.
//!
//! It must not say again what a server repeated of the credentials, and it must not fetch a fresh token: it tells that
//! one may help.

use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::AsyncSmtpConnection,
    commands::{Auth, Ehlo},
};

use super::{
    channel::{failure, hello},
    conversation::{Stop, end_of, expect},
};
use crate::{
    config::Server,
    delivery::{Delivery, PhaseEnd, SmtpReply},
    io::sasl,
    secret::{Credential, Secret},
};

/// Most challenges of a login that are answered; LOGIN asks for two things.
const CHALLENGES_MAX: usize = 3;

/// Logs in with what there is. The connection is protected, or ends on this machine.
pub(super) async fn login(
    connection: &mut AsyncSmtpConnection,
    server: &Server,
    user: &str,
    credential: &Credential,
) -> Result<(), Stop> {
    match credential {
        Credential::Password(password) => with_password(connection, user, password).await,
        Credential::Token(token) => with_token(connection, server, user, token).await,
    }
}

/// Logs in with PLAIN (RFC 4616), else with LOGIN. The connection is protected, or ends on this machine.
async fn with_password(connection: &mut AsyncSmtpConnection, user: &str, secret: &Secret) -> Result<(), Stop> {
    let Some(mechanism) = connection.server_info().get_auth_mechanism(&[Mechanism::Plain, Mechanism::Login]) else {
        let why = "the server offers neither PLAIN nor LOGIN to log in with: it may want another kind of login";
        return Err(Stop::Cannot(Delivery::AccountRefused(why.to_owned())));
    };
    let credentials = Credentials::new(user.to_owned(), secret.expose().to_owned());
    let without_credentials = |end| without_credentials(end, secret);
    let mut auth = Auth::new(mechanism, credentials.clone(), None);
    for _ in 0..CHALLENGES_MAX {
        let command = auth.map_err(|error| without_credentials(end_of(&error)))?;
        let response = connection.command(command).await.map_err(|error| without_credentials(end_of(&error)))?;
        if !response.has_code(334) {
            return Ok(expect(Ok(response), 200..=299).map_err(without_credentials)?);
        }
        auth = Auth::new_from_response(mechanism, credentials.clone(), &response);
    }
    Err(failure("the server goes on asking while logging in").into())
}

/// Logs in with XOAUTH2, or with OAUTHBEARER (RFC 7628) where that is offered alone.
async fn with_token(
    connection: &mut AsyncSmtpConnection,
    server: &Server,
    user: &str,
    token: &Secret,
) -> Result<(), Stop> {
    // lettre keeps the mechanisms it knows, and OAUTHBEARER is none of them: the server is asked once more.
    let hello = connection.command(Ehlo::new(hello())).await.map_err(|error| end_of(&error))?;
    let offers = |name: &str| {
        let mut lines = hello.message().map(str::split_whitespace);
        lines.any(|mut words| {
            words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
                && words.any(|word| word.eq_ignore_ascii_case(name))
        })
    };
    let cannot = |why: &str| Stop::Cannot(Delivery::AccountRefused(why.to_owned()));
    let Some(mechanism) = sasl::Mechanism::of(offers) else {
        return Err(cannot("the server takes no access token (it offers neither XOAUTH2 nor OAUTHBEARER)"));
    };
    let response = mechanism.response(user, &server.host, &server.port.to_string(), token).map_err(cannot)?;
    let line = Secret::new(format!("AUTH {} {}\r\n", mechanism.name(), response.expose()));
    let mut answer = connection.command(line.expose()).await;
    let mut stale = true;
    if let Ok(reason) = &answer
        && reason.has_code(334)
    {
        stale = reason.message().next().is_none_or(sasl::is_stale);
        answer = connection.command(format!("{}\r\n", mechanism.acknowledgement())).await;
    }
    let Err(end) = expect(answer, 200..=299) else { return Ok(()) };
    let end = without_credentials(end, token);
    let refused = matches!(&end, PhaseEnd::Reply(reply) if (500..600).contains(&reply.code));
    Err(if refused && stale { Stop::StaleToken(end) } else { Stop::End(end) })
}

/// How the login ended, without any of the credentials a server may have repeated.
fn without_credentials(end: PhaseEnd, secret: &Secret) -> PhaseEnd {
    match end {
        PhaseEnd::Reply(SmtpReply { code, text }) => {
            PhaseEnd::Reply(SmtpReply { code, text: sasl::without_secret(&text, secret) })
        }
        // Only an error of lettre's own, which may hold what it was to send.
        PhaseEnd::Failure(_) => failure("the login was not finished: connection lost, or no SMTP"),
    }
}
