//! A scriptable submission server on a port of its own: it keeps what it accepts byte for byte, and fails where told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// How the sink protects its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Implicit,
    StartTls,
    Plain,
}

/// Where a fault strikes: instead of the sink's answer to this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Before the TLS handshake of `Mode::Implicit`.
    Handshake,
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// After 354, while the message comes.
    Body,
    /// The final dot; the message has been taken in.
    Dot,
    /// QUIT, when everything is over.
    Quit,
}

/// What happens there.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Nothing, ever.
    Stall,
    /// The connection ends.
    Close,
    /// These bytes, as they stand, instead of the reply; then the conversation goes on.
    Say(&'static str),
    /// These bytes, but only after [`Sink::release`].
    Hold(&'static str),
}

/// A message the sink holds itself responsible for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub from: String,
    pub to: String,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct Log {
    accepted: Vec<Accepted>,
    /// Lines that came without TLS.
    in_clear: Vec<String>,
    commands: Vec<String>,
    /// Who connected so far, and how many are still there.
    callers: Vec<SocketAddr>,
    open: usize,
}

/// What goes wrong, by where.
type Faults = Arc<Mutex<HashMap<Step, Fault>>>;

/// The sink. It ends when dropped.
pub struct Sink {
    pub port: u16,
    pub ca_file: PathBuf,
    log: Arc<Mutex<Log>>,
    faults: Faults,
    released: Arc<Notify>,
    task: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sink {
    /// Starts a sink for the host `localhost` that fails as told.
    pub async fn start(mode: Mode, faults: &[(Step, Fault)]) -> Sink {
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        // A name of its own, so that another sink's certificate is a stranger's and not a forged one.
        certificate.distinguished_name.push(rcgen::DnType::CommonName, format!("sink on {port}"));
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, certificate.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let current: Faults = Arc::new(Mutex::new(faults.iter().copied().collect()));
        let server = Server {
            mode,
            faults: Arc::clone(&current),
            acceptor: TlsAcceptor::from(Arc::new(tls)),
            log: log.clone(),
            released: Arc::default(),
        };
        let released = server.released.clone();
        let server = Arc::new(server);
        let task = tokio::spawn(async move {
            while let Ok((stream, caller)) = listener.accept().await {
                let server = server.clone();
                {
                    let mut log = server.log.lock().unwrap();
                    log.callers.push(caller);
                    log.open += 1;
                }
                tokio::spawn(async move {
                    // A client that goes away in the middle is what the tests are about.
                    let _ = server.serve(stream).await;
                    server.log.lock().unwrap().open -= 1;
                });
            }
        });
        Sink { port, ca_file, log, faults: current, released, task, _dir: dir }
    }

    /// From now on it fails so, and nowhere else.
    pub fn fails(&self, faults: &[(Step, Fault)]) {
        *self.faults.lock().unwrap() = faults.iter().copied().collect();
    }

    /// Lets a reply go that is held.
    pub fn release(&self) {
        self.released.notify_one();
    }

    /// Whether this caller is the last that came, and every other conversation is over. Callers are let in in the order
    /// in which they came: once this one is, nobody who came before is still to be let in.
    pub fn is_alone_with(&self, caller: SocketAddr) -> bool {
        let log = self.log.lock().unwrap();
        log.open == 1 && log.callers.last() == Some(&caller)
    }

    /// What was accepted, in order.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.log.lock().unwrap().accepted.clone()
    }

    /// Every line that came over an unprotected connection.
    pub fn in_clear(&self) -> Vec<String> {
        self.log.lock().unwrap().in_clear.clone()
    }

    /// The first word of every command, in order.
    pub fn commands(&self) -> Vec<String> {
        self.log.lock().unwrap().commands.clone()
    }
}

struct Server {
    mode: Mode,
    faults: Faults,
    acceptor: TlsAcceptor,
    log: Arc<Mutex<Log>>,
    released: Arc<Notify>,
}

/// The end of a connection.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Over {
        Over
    }
}

impl Server {
    fn fault(&self, step: Step) -> Option<Fault> {
        self.faults.lock().unwrap().get(&step).copied()
    }

    async fn serve(&self, stream: TcpStream) -> Result<(), Over> {
        if self.mode == Mode::Implicit {
            if let Some(fault) = self.fault(Step::Handshake) {
                let mut lines = Lines::new(stream);
                lines.suffer(fault).await?;
                return lines.stall().await;
            }
            let stream = self.acceptor.accept(stream).await?;
            return self.talk(Lines::new(stream), true, true).await.map(drop);
        }
        let plain = self.talk(Lines::new(stream), false, true).await?;
        // What a client sent together with STARTTLS is dropped with the buffer, as RFC 3207 demands.
        let stream = self.acceptor.accept(plain.stream).await?;
        self.talk(Lines::new(stream), true, false).await.map(drop)
    }

    /// Talks until QUIT, or gives the stream back for STARTTLS.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut lines: Lines<S>,
        protected: bool,
        greet: bool,
    ) -> Result<Lines<S>, Over> {
        if greet {
            self.answer(&mut lines, Step::Greeting, "220 sink.test ESMTP\r\n").await?;
        }
        let (mut from, mut to) = (String::new(), String::new());
        loop {
            let line = lines.line().await?;
            let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            {
                let mut log = self.log.lock().unwrap();
                log.commands.push(word.clone());
                if !protected {
                    log.in_clear.push(line.clone());
                }
            }
            match word.as_str() {
                "EHLO" => {
                    let more =
                        if self.mode == Mode::StartTls && !protected { "STARTTLS" } else { "AUTH PLAIN LOGIN XOAUTH2" };
                    let hello = format!("250-sink.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 {more}\r\n");
                    self.answer(&mut lines, Step::Ehlo, &hello).await?;
                }
                "STARTTLS" => {
                    self.answer(&mut lines, Step::StartTls, "220 go ahead\r\n").await?;
                    return Ok(lines);
                }
                "AUTH" if self.fault(Step::Auth).is_none() && refuses_token(&line) => {
                    lines.say(&format!("334 {}\r\n", BASE64.encode(STALE))).await?;
                    let acknowledged = lines.line().await?;
                    self.log.lock().unwrap().commands.push(format!("acknowledged {acknowledged:?}"));
                    lines.say("535 5.7.8 token is too old\r\n").await?;
                }
                "AUTH" => self.answer(&mut lines, Step::Auth, "235 2.7.0 welcome\r\n").await?,
                "MAIL" => {
                    from = between_brackets(&line);
                    self.answer(&mut lines, Step::Mail, "250 2.1.0 ok\r\n").await?;
                }
                "RCPT" => {
                    to = between_brackets(&line);
                    self.answer(&mut lines, Step::Rcpt, "250 2.1.5 ok\r\n").await?;
                }
                "DATA" => {
                    self.answer(&mut lines, Step::Data, "354 end with a dot\r\n").await?;
                    if self.fault(Step::Data).is_some() {
                        continue;
                    }
                    if let Some(fault) = self.fault(Step::Body) {
                        lines.suffer(fault).await?;
                    }
                    let bytes = lines.message().await?;
                    let refused = matches!(self.fault(Step::Dot), Some(Fault::Say(s)) if s.starts_with(['4', '5']));
                    if !refused {
                        let accepted = Accepted { from: from.clone(), to: to.clone(), bytes };
                        self.log.lock().unwrap().accepted.push(accepted);
                    }
                    self.answer(&mut lines, Step::Dot, "250 2.0.0 queued\r\n").await?;
                }
                "QUIT" => {
                    self.answer(&mut lines, Step::Quit, "221 bye\r\n").await?;
                    return Err(Over);
                }
                _ => lines.say("500 what?\r\n").await?,
            }
        }
    }

    async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        lines: &mut Lines<S>,
        step: Step,
        usual: &str,
    ) -> Result<(), Over> {
        match self.fault(step) {
            Some(Fault::Hold(text)) => {
                self.released.notified().await;
                lines.say(text).await
            }
            Some(fault) => lines.suffer(fault).await,
            None => lines.say(usual).await,
        }
    }
}

struct Lines<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lines<S> {
    fn new(stream: S) -> Lines<S> {
        Lines { stream, buffer: Vec::new() }
    }

    async fn say(&mut self, text: &str) -> Result<(), Over> {
        self.stream.write_all(text.as_bytes()).await?;
        Ok(self.stream.flush().await?)
    }

    async fn suffer(&mut self, fault: Fault) -> Result<(), Over> {
        match fault {
            Fault::Stall => self.stall().await,
            Fault::Close => Err(Over),
            Fault::Say(text) | Fault::Hold(text) => self.say(text).await,
        }
    }

    /// Reads nothing and says nothing more; only dropping the runtime ends it.
    async fn stall(&mut self) -> Result<(), Over> {
        std::future::pending().await
    }

    async fn fill(&mut self) -> Result<(), Over> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 { Err(Over) } else { Ok(()) }
    }

    async fn line(&mut self) -> Result<String, Over> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            self.fill().await?;
        }
    }

    /// The message up to the dot, its stuffing taken out (RFC 5321 §4.5.2).
    async fn message(&mut self) -> Result<Vec<u8>, Over> {
        let mut message = Vec::new();
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if line == b".\r\n" {
                    return Ok(message);
                }
                message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
            self.fill().await?;
        }
    }
}

/// Why the sink takes no token.
const STALE: &str = r#"{"status":"401","schemes":"bearer"}"#;

/// Whether this shows an access token that the sink does not take: all but those that begin with `good`.
fn refuses_token(line: &str) -> bool {
    let mut words = line.split(' ').skip(1);
    let by_token = words.next().is_some_and(|name| ["XOAUTH2", "OAUTHBEARER"].contains(&name));
    let shown = words.next().and_then(|text| BASE64.decode(text).ok()).unwrap_or_default();
    by_token && !String::from_utf8_lossy(&shown).contains("auth=Bearer good")
}

fn between_brackets(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}
