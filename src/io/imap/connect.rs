//! From a server's name to a logged-in session. No password leaves before the connection is protected, and nothing
//! that came before the protection is believed after it.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::command::Command;
use super::error::{ImapError, Kind, Phase, TRANSIENT, quoted, throttled};
use super::guard::Allowance;
use super::reply::{Reply, Tagged, Untagged};
use super::text::quote;
use super::token;
use super::wire::{Socket, Wire};
use super::{Deadlines, Session};
use crate::config::{Server, Tls};
use crate::io::tls;
use crate::secret::Secret;

/// Longest line read before STARTTLS, in bytes. Greetings are below 200.
const PLAIN_LINE_BYTES_MAX: usize = 4096;
/// Most lines read before the answer to STARTTLS.
const PLAIN_LINES_MAX: usize = 20;
/// A protected connection on which nobody has logged in yet.
#[derive(Debug)]
pub struct Unauthenticated {
    wire: Wire,
    capabilities: Vec<String>,
    /// Whether our name is given whatever the server says that it can do.
    names_itself: bool,
}

impl Session {
    /// A session over a stream on which somebody has logged in already, with what the server can do. For what speaks for
    /// a server in tests; everything else goes through [`Session::connect`], which protects the connection first.
    #[doc(hidden)]
    pub fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + Debug + 'static,
        capabilities: &[&str],
        deadlines: Deadlines,
    ) -> Session {
        let server = "a stream".to_owned();
        let wire = Wire::new(Box::new(stream), server.clone(), deadlines);
        Session { wire: Some(wire), server, capabilities: capabilities.iter().map(|c| (*c).to_owned()).collect() }
    }

    /// Connects as configured: TCP, TLS, greeting, capabilities.
    pub async fn connect(server: &Server) -> Result<Unauthenticated, ImapError> {
        Session::connect_within(server, Deadlines::default()).await
    }

    /// [`Session::connect`] with deadlines of the caller's, which the session keeps.
    pub async fn connect_within(server: &Server, deadlines: Deadlines) -> Result<Unauthenticated, ImapError> {
        let name = format!("{}:{}", crate::clean::line(&server.host), server.port);
        let fail = |phase, kind| ImapError { server: name.clone(), phase, kind };
        let tcp = tls::reach(&server.host, server.port).await;
        let mut tcp = tcp.map_err(|error| fail(Phase::Connect, Kind::Unreachable(error)))?;
        let ca_file = server.ca_file.as_deref();
        let protect = |tcp| async {
            let stream = tls::connect(tcp, &server.host, ca_file).await;
            stream.map(|stream| Box::new(stream) as Box<dyn Socket>).map_err(|error| fail(Phase::Tls, Kind::Tls(error)))
        };
        let socket = match server.tls {
            Tls::Implicit => protect(tcp).await?,
            Tls::StartTls => {
                let exchange = timeout(deadlines.greeting, start_tls(&mut tcp)).await;
                let exchange = exchange.unwrap_or(Err((Phase::Tls, Kind::Timeout(deadlines.greeting))));
                exchange.map_err(|(phase, kind)| fail(phase, kind))?;
                protect(tcp).await?
            }
            Tls::NoneLoopback => {
                let loopback = tcp.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
                if !loopback {
                    let why = "it is not on this machine, so `tls = \"none-loopback\"` is refused: use \"implicit\" or \"starttls\"";
                    return Err(fail(Phase::Connect, Kind::Unprotected(why)));
                }
                Box::new(tcp)
            }
        };
        let mut wire = Wire::new(socket, name.clone(), deadlines);
        if server.tls != Tls::StartTls {
            greeting(&mut wire).await?;
        }
        let capabilities = capabilities(&mut wire).await?;
        Ok(Unauthenticated { wire, capabilities, names_itself: false })
    }
}

/// Greeting and STARTTLS (RFC 3501 §6.2.1) on the bare connection, read byte by byte: whatever somebody slips in
/// behind the answer stays unread and ends the attempt instead of being taken for the server's words.
async fn start_tls(tcp: &mut TcpStream) -> Result<(), (Phase, Kind)> {
    let line = plain_line(tcp).await.map_err(|kind| (Phase::Greeting, kind))?;
    let words = line.to_ascii_uppercase();
    if words.starts_with("* PREAUTH") {
        let why = "the server calls the connection logged in before it is protected; somebody may be in between";
        return Err((Phase::Greeting, Kind::Unprotected(why)));
    }
    if let Some(rest) = words.strip_prefix("* BYE") {
        return Err((Phase::Greeting, Kind::Bye(quoted(rest))));
    }
    if !words.starts_with("* OK") {
        return Err((Phase::Greeting, Kind::Protocol("the server did not greet".to_owned())));
    }
    let failed = |kind| (Phase::Tls, kind);
    tcp.write_all(b"S1 STARTTLS\r\n").await.map_err(|_| failed(Kind::Lost))?;
    for _ in 0..PLAIN_LINES_MAX {
        let line = plain_line(tcp).await.map_err(failed)?.to_ascii_uppercase();
        if line.starts_with("S1 OK") {
            return match tcp.try_read(&mut [0]) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
                Ok(0) | Err(_) => Err(failed(Kind::Lost)),
                Ok(_) => Err(failed(Kind::Unprotected(
                    "bytes came after the answer to STARTTLS and before the protection; somebody may be in between",
                ))),
            };
        }
        if let Some(rest) = line.strip_prefix("* BYE") {
            return Err(failed(Kind::Bye(quoted(rest))));
        }
        if line.starts_with("S1 ") {
            let why =
                "the server does not offer STARTTLS, so no password was sent: use `tls = \"implicit\"` (port 993)";
            return Err(failed(Kind::Unprotected(why)));
        }
    }
    Err(failed(Kind::Protocol("the server did not answer STARTTLS".to_owned())))
}

/// One line without its CRLF, and not a byte more.
async fn plain_line(tcp: &mut TcpStream) -> Result<String, Kind> {
    let mut line = Vec::new();
    while line.len() < PLAIN_LINE_BYTES_MAX {
        match tcp.read_u8().await.map_err(|_| Kind::Lost)? {
            b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            byte => line.push(byte),
        }
    }
    Err(Kind::Protocol("the server sent a line without end".to_owned()))
}

/// Reads and judges the greeting (RFC 3501 §7.1.1, §7.1.4, §7.1.5).
async fn greeting(wire: &mut Wire) -> Result<(), ImapError> {
    let phase = Phase::Greeting;
    let within = wire.deadlines.greeting;
    let reply = timeout(within, wire.next(phase)).await;
    let kind = match reply.unwrap_or_else(|_| Err(wire.error(phase, Kind::Timeout(within))))? {
        Reply::Untagged(Untagged::Bye(text)) => Kind::Bye(text),
        Reply::Untagged(Untagged::PreAuth) => {
            Kind::Unprotected("the server calls the connection logged in before we were; this is refused")
        }
        Reply::Untagged(Untagged::Other | Untagged::Capabilities(_)) => return Ok(()),
        _ => Kind::Protocol("the server did not greet".to_owned()),
    };
    Err(wire.error(phase, kind))
}

async fn capabilities(wire: &mut Wire) -> Result<Vec<String>, ImapError> {
    let mut found = Vec::new();
    let note = |untagged| {
        if let Untagged::Capabilities(more) = untagged {
            found.extend(more);
        }
    };
    wire.complete(Phase::Capability, &Command::Capability, note).await?;
    if found.is_empty() {
        return Err(wire.error(Phase::Capability, Kind::Protocol("the server did not say what it can do".to_owned())));
    }
    Ok(found)
}

pub(super) fn can(capabilities: &[String], name: &str) -> bool {
    capabilities.iter().any(|c| c.eq_ignore_ascii_case(name))
}

impl Unauthenticated {
    /// Gives our name after the login (ID, RFC 2971) where the server does not ask for it, too: some providers open no
    /// mailbox before.
    pub fn naming_itself(self, always: bool) -> Unauthenticated {
        Unauthenticated { names_itself: always, ..self }
    }

    /// Keeps something for as long as the connection is there: the right to be its only one.
    pub fn holding(mut self, line: Option<OwnedMutexGuard<()>>) -> Unauthenticated {
        self.wire.line = line;
        self
    }

    /// Logs in: AUTHENTICATE PLAIN (RFC 4616) where offered, which takes any character, LOGIN otherwise.
    pub async fn login(mut self, user: &str, password: &Secret) -> Result<Session, ImapError> {
        self.wire.allow(Allowance::SMALL);
        let within = self.wire.deadlines.command;
        let attempt = timeout(within, log_in(&mut self.wire, &self.capabilities, user, password)).await;
        let tagged = attempt.unwrap_or_else(|_| Err(self.wire.error(Phase::Login, Kind::Timeout(within))))?;
        if !tagged.ok {
            return Err(self.wire.error(Phase::Login, refusal(tagged, Kind::AuthenticationFailed)));
        }
        self.welcome().await
    }

    /// Logs in with an access token of OAuth: AUTHENTICATE XOAUTH2, or OAUTHBEARER (RFC 7628) where that is offered
    /// alone.
    pub async fn login_with_token(mut self, user: &str, token: &Secret) -> Result<Session, ImapError> {
        self.wire.allow(Allowance::SMALL);
        let within = self.wire.deadlines.command;
        let attempt = timeout(within, token::show(&mut self.wire, &self.capabilities, user, token)).await;
        attempt.unwrap_or_else(|_| Err(self.wire.error(Phase::Login, Kind::Timeout(within))))?;
        self.welcome().await
    }

    /// What comes after every login: what the server can do now, and who we are.
    async fn welcome(self) -> Result<Session, ImapError> {
        let Unauthenticated { mut wire, names_itself, .. } = self;
        let capabilities = capabilities(&mut wire).await?;
        if names_itself || can(&capabilities, "ID") {
            // Some providers open no mailbox to a client without a name; those that do not care may refuse it.
            wire.run(Phase::Id, &Command::Id, |_| {}).await?;
        }
        let server = wire.server.clone();
        Ok(Session { wire: Some(wire), server, capabilities })
    }
}

async fn log_in(wire: &mut Wire, offered: &[String], user: &str, password: &Secret) -> Result<Tagged, ImapError> {
    let phase = Phase::Login;
    if user.contains('\0') || password.expose().contains('\0') {
        return Err(wire.error(phase, Kind::Argument("user or password holds a NUL character")));
    }
    if !can(offered, "AUTH=PLAIN") {
        let line = login_line(offered, user, password).map_err(|kind| wire.error(phase, kind))?;
        let tag = wire.start_line(phase, line.expose()).await?;
        return wire.finish(phase, &tag, |_| {}).await;
    }
    let plain = Secret::new(format!("\0{user}\0{}", password.expose()));
    let plain = Secret::new(BASE64.encode(plain.expose()));
    if can(offered, "SASL-IR") {
        let line = Secret::new(format!("AUTHENTICATE PLAIN {}", plain.expose()));
        let tag = wire.start_line(phase, line.expose()).await?;
        return wire.finish(phase, &tag, |_| {}).await;
    }
    let tag = wire.start_line(phase, "AUTHENTICATE PLAIN").await?;
    if let Challenge::Ended(tagged) = challenge(wire).await? {
        return Ok(tagged);
    }
    wire.write(phase, &[plain.expose().as_bytes(), b"\r\n"]).await?;
    wire.finish(phase, &tag, |_| {}).await
}

/// What comes after an AUTHENTICATE.
pub(super) enum Challenge {
    /// The server asks; with its words.
    Asked(String),
    /// The command ended.
    Ended(Tagged),
}

/// Waits for the server's challenge while logging in.
pub(super) async fn challenge(wire: &mut Wire) -> Result<Challenge, ImapError> {
    loop {
        match wire.next(Phase::Login).await? {
            Reply::Continue(said) => return Ok(Challenge::Asked(said)),
            Reply::Tagged(tagged) => return Ok(Challenge::Ended(tagged)),
            Reply::Untagged(Untagged::Bye(text)) => return Err(wire.error(Phase::Login, Kind::Bye(text))),
            Reply::Untagged(_) => {}
        }
    }
}

fn login_line(offered: &[String], user: &str, password: &Secret) -> Result<Secret, Kind> {
    if can(offered, "LOGINDISABLED") {
        return Err(Kind::NotSupported(
            "the server takes no password here (it offers neither PLAIN nor LOGIN): it may want OAuth, or TLS"
                .to_owned(),
        ));
    }
    let unquotable = |_| {
        Kind::NotSupported(
            "user or password holds characters that this server's login cannot take: choose an ASCII password"
                .to_owned(),
        )
    };
    let user = quote(user).map_err(unquotable)?;
    let password = Secret::new(quote(password.expose()).map_err(unquotable)?);
    Ok(Secret::new(format!("LOGIN {user} {}", password.expose())))
}

/// Whether a refused login is the fault of what was shown. In doubt it is: asking again with a wrong password locks
/// accounts.
pub(super) fn refusal(tagged: Tagged, of: impl FnOnce(String) -> Kind) -> Kind {
    let transient = throttled(tagged.code.as_deref(), &tagged.text).is_some()
        || tagged.code.as_deref().is_some_and(|code| TRANSIENT.contains(&code));
    if transient { tagged.refusal() } else { of(tagged.text) }
}
