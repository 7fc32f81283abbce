//! One SMTP conversation: each command with its deadline, and always knowing where it stands.

use std::time::Duration;

use lettre::{
    Address,
    transport::smtp::{
        Error,
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt},
        extension::{Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Deadlines, Gate,
    channel::{Channel, TEXT_CHARS_MAX, failure, hello},
    login::login,
};
use crate::{
    clean,
    config::{Server, Tls},
    delivery::{Delivery, Phase, PhaseEnd, SmtpReply},
    io::crash,
    secret::Credential,
};

/// Size of the blocks a message is written in, in bytes: each has the deadline for itself.
const BLOCK_BYTES: usize = 16 * 1024;
/// What lettre says of one command.
type Answer = Result<Response, Error>;

/// Why a conversation goes no further.
pub(super) enum Stop {
    /// The phase ended so.
    End(PhaseEnd),
    /// The server cannot do what this message or this account needs; nothing was asked of it.
    Cannot(Delivery),
    /// The access token was not taken, and a fresh one may be.
    StaleToken(PhaseEnd),
}

impl From<PhaseEnd> for Stop {
    fn from(end: PhaseEnd) -> Stop {
        Stop::End(end)
    }
}

/// A conversation and where it stands.
pub(super) struct Conversation<'a, P> {
    deadlines: &'a Deadlines,
    progress: P,
    phase: Phase,
    connection: Option<AsyncSmtpConnection>,
}

impl<'a, P: FnMut(Phase) + Send> Conversation<'a, P> {
    /// Before the first step.
    pub fn new(deadlines: &'a Deadlines, progress: P) -> Conversation<'a, P> {
        Conversation { deadlines, progress, phase: Phase::Connect, connection: None }
    }

    /// The phase it is in, or ended in.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The connection, where one was opened.
    pub fn into_connection(self) -> Option<AsyncSmtpConnection> {
        self.connection
    }

    /// The whole of it: the answer to the final dot, or why there is none.
    pub async fn run(
        &mut self,
        server: &Server,
        user: &str,
        credential: &Credential,
        [from, to]: [Address; 2],
        message: &[u8],
        gate: &mut impl Gate,
    ) -> Result<SmtpReply, Stop> {
        let channel = self.open(server).await?;
        self.enter(Phase::Ehlo);
        let within = self.deadlines.command;
        let hello = hello();
        let connecting = AsyncSmtpConnection::connect_with_transport(channel.for_lettre(), &hello);
        let connection = timely(within, connecting).await?.map_err(|error| end_of(&error))?;
        let connection = self.connection.insert(connection);

        enter(&mut self.phase, &mut self.progress, Phase::Auth);
        timely(within, login(connection, server, user, credential)).await??;

        enter(&mut self.phase, &mut self.progress, Phase::Mail);
        let mail = Mail::new(Some(from.clone()), parameters(connection, [&from, &to], message)?);
        expect(timely(within, connection.command(mail)).await?, 200..=299)?;

        enter(&mut self.phase, &mut self.progress, Phase::Rcpt);
        expect(timely(within, connection.command(Rcpt::new(to, Vec::new()))).await?, 200..=299)?;

        gate.open().await.map_err(|why| Stop::Cannot(Delivery::Held(why)))?;
        enter(&mut self.phase, &mut self.progress, Phase::Data);
        expect(timely(self.deadlines.data, connection.command(Data)).await?, 354..=354)?;

        self.message(message).await
    }

    /// The way to the point where lettre takes over: TCP, greeting and TLS in the server's order.
    async fn open(&mut self, server: &Server) -> Result<Channel, PhaseEnd> {
        let Deadlines { connect, tls, command, .. } = *self.deadlines;
        self.enter(Phase::Connect);
        let mut channel = timely(connect, Channel::reach(server)).await??;
        if server.tls == Tls::Implicit {
            self.enter(Phase::Tls);
            channel = timely(tls, channel.protect(server)).await??;
        }
        self.enter(Phase::Greeting);
        timely(command, channel.greeting()).await??;
        if server.tls == Tls::StartTls {
            self.enter(Phase::Tls);
            timely(tls, channel.ask_for_tls()).await??;
            channel = timely(tls, channel.protect(server)).await??;
        }
        Ok(channel)
    }

    /// The message and the answer to its final dot. The deadline moves with every block that left.
    async fn message(&mut self, message: &[u8]) -> Result<SmtpReply, Stop> {
        self.enter(Phase::Message);
        let Self { deadlines, progress, phase, connection } = self;
        let Some(connection) = connection else { return Err(failure("there is no connection").into()) };
        let (deadline, mut moved) = watch::channel(Instant::now() + deadlines.body);
        // lettre ends the last line itself; the message must not gain an empty one by it.
        let message = message.strip_suffix(b"\r\n").unwrap_or(message);
        let mut blocks = message.chunks(BLOCK_BYTES);
        let blocks = std::iter::from_fn(|| {
            let block = blocks.next();
            let within = if block.is_some() { deadlines.body } else { deadlines.receipt };
            if block.is_none() {
                enter(phase, progress, Phase::FinalReply);
            }
            deadline.send_replace(Instant::now() + within);
            block
        });
        let sending = connection.message_iter(blocks);
        let late = async {
            loop {
                let until = *moved.borrow_and_update();
                tokio::select! {
                    () = sleep_until(until) => return,
                    Ok(()) = moved.changed() => {}
                }
            }
        };
        tokio::select! {
            // A receipt that is there counts, however late it is.
            biased;
            answer = sending => answer.map(|response| reply_of(&response)).map_err(|error| end_of(&error).into()),
            () = late => Err(failure("no answer in time").into()),
        }
    }

    fn enter(&mut self, phase: Phase) {
        enter(&mut self.phase, &mut self.progress, phase);
    }
}

fn enter(current: &mut Phase, progress: &mut impl FnMut(Phase), phase: Phase) {
    crash::point("before a phase of SMTP");
    *current = phase;
    progress(phase);
}

/// Waits no longer than allowed.
async fn timely<T>(within: Duration, future: impl Future<Output = T>) -> Result<T, PhaseEnd> {
    timeout(within, future).await.map_err(|_| failure("no answer in time"))
}

/// A reply with one of the codes that let the conversation go on.
pub(super) fn expect(answer: Answer, codes: std::ops::RangeInclusive<u16>) -> Result<(), PhaseEnd> {
    let response = answer.map_err(|error| end_of(&error))?;
    let reply = reply_of(&response);
    if codes.contains(&reply.code) { Ok(()) } else { Err(PhaseEnd::Reply(reply)) }
}

fn reply_of(response: &Response) -> SmtpReply {
    let text = response.message().collect::<Vec<_>>().join(" ");
    SmtpReply { code: response.code().into(), text: clean::line_within(&text, TEXT_CHARS_MAX) }
}

/// lettre's error as the end of a phase: a negative reply, or no reply at all.
pub(super) fn end_of(error: &Error) -> PhaseEnd {
    let Some(code) = error.status() else { return failure(error) };
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    PhaseEnd::Reply(SmtpReply { code: code.into(), text: clean::line_within(&text, TEXT_CHARS_MAX) })
}

/// The parameters of MAIL that addresses and message need (RFC 6152, RFC 6531), if the server takes them.
fn parameters(
    connection: &AsyncSmtpConnection,
    addresses: [&Address; 2],
    message: &[u8],
) -> Result<Vec<MailParameter>, Stop> {
    let offers = |extension| connection.server_info().supports_feature(extension);
    let never = |why: &str| Err(Stop::Cannot(Delivery::Refused(why.to_owned())));
    let mut parameters = Vec::new();
    if !addresses.iter().all(|address| AsRef::<str>::as_ref(*address).is_ascii()) {
        if !offers(Extension::SmtpUtfEight) {
            return never("this server takes no addresses with letters beyond ASCII");
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !message.is_ascii() {
        if !offers(Extension::EightBitMime) {
            return never("this server takes no messages with bytes beyond ASCII");
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}
