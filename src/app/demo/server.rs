//! A small IMAP4rev1 server (RFC 3501) on the loopback address: the mailbox of `onward demo`.
//!
//! It holds its mail in memory, knows one person, and is complete enough for Onward's own client and for an ordinary
//! mail client to log in, read, and see a draft arrive. Commands are parsed by `imap-codec`; the few answers are
//! written as text. It listens on 127.0.0.1 only and must never listen anywhere else: the password is public.

mod fetch;
mod parts;
mod search;
mod session;
mod state;
mod wire;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinHandle, JoinSet},
};

pub use state::{FlagsOf, UnknownMailbox};

/// Most connections at a time. A mail client opens about five; the rest is room for Onward and for a second client.
pub const CONNECTIONS_MAX: usize = 16;
/// Longest message taken, in bytes: an edited draft is a few KiB, a signature picture fits.
pub const LITERAL_BYTES_MAX: u32 = 1 << 20;
/// Longest command without its literals, in bytes. A client that fetches by number list stays far below.
pub const COMMAND_BYTES_MAX: u32 = 64 << 10;
/// A connection that says nothing is closed after this; RFC 3501 §5.4 asks for at least half an hour.
const SILENCE_MAX: Duration = Duration::from_secs(30 * 60);
/// How long a stop waits for connections to say goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// The one person the server knows. Not a secret: the server is reachable from this machine only and holds invented mail.
const USER: &str = "robin";
/// The person's password, see [`USER`].
const PASSWORD: &str = "sample-mailbox";

/// A message to put into a mailbox before the server starts.
#[derive(Debug, Clone)]
pub struct DemoMail {
    /// `INBOX`, `Drafts`, `Sent`, `Junk` or `Trash`.
    pub mailbox: String,
    /// INTERNALDATE: when the server got it.
    pub internal_date: Timestamp,
    /// The message, CRLF line ends.
    pub bytes: Vec<u8>,
}

/// The running server. Dropping it stops it without waiting; [`DemoServer::shutdown`] waits.
#[derive(Debug)]
pub struct DemoServer {
    address: SocketAddr,
    mailboxes: Arc<state::Mailboxes>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl DemoServer {
    /// Starts a server with this mail on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port could be opened, or a mail names a mailbox that does not exist.
    pub async fn start(mail: Vec<DemoMail>) -> io::Result<DemoServer> {
        let mailboxes = Arc::new(state::Mailboxes::new());
        for message in mail {
            mailboxes
                .add(&message.mailbox, message.bytes, message.internal_date, Vec::new())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&mailboxes), stopped));
        Ok(DemoServer { address, mailboxes, stop, accepting })
    }

    /// Where it listens: 127.0.0.1 and a port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The user name to log in with.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The password to log in with; public, see the module.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Puts a message into a mailbox as if it had just arrived; idling clients are told. Returns its UID.
    ///
    /// # Errors
    /// There is no such mailbox.
    pub fn deliver(&self, mailbox: &str, bytes: Vec<u8>) -> Result<u32, UnknownMailbox> {
        self.mailboxes.add(mailbox, bytes, crate::io::clock::now(), Vec::new())
    }

    /// The messages of a mailbox in UID order; none where there is no such mailbox.
    pub fn mailbox_messages(&self, mailbox: &str) -> Vec<Vec<u8>> {
        self.mailboxes.messages(mailbox).into_iter().map(|message| message.bytes.to_vec()).collect()
    }

    /// The flags of every message, to compare before and after: reading must change nothing.
    pub fn flags_snapshot(&self) -> Vec<FlagsOf> {
        self.mailboxes.flags()
    }

    /// Says goodbye to every client and stops.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // A task that was aborted or panicked is as stopped as one that ended.
        let _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, mailboxes: Arc<state::Mailboxes>, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut sessions = JoinSet::new();
    loop {
        let incoming = tokio::select! {
            () = told_to_stop(&mut stopped) => break,
            Some(_) = sessions.join_next() => continue,
            incoming = next_connection(&listener, &places) => incoming,
        };
        let Ok((place, stream)) = incoming else {
            // Out of descriptors, most likely: try again when there is hope.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (mailboxes, stopped) = (Arc::clone(&mailboxes), stopped.clone());
        sessions.spawn(async move {
            let _place = place;
            // A lost connection is the client's affair.
            let _ = session::serve(stream, &mailboxes, stopped).await;
        });
    }
    let goodbye = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(GOODBYE_MAX, goodbye).await.is_err() {
        sessions.shutdown().await;
    }
}

/// The next client, once there is a place for it. Who comes earlier waits in the system's queue.
async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((place, stream))
}

/// Returns when the server is told to stop, or was dropped.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
