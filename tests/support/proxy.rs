//! A proxy that cuts its first connection after so many bytes, and lets every other pass.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Client,
    Server,
}

/// A running proxy. It ends with the value.
pub struct Proxy {
    pub port: u16,
    passed: Arc<Mutex<[Vec<u8>; 2]>>,
    first_over: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Starts before the server at this port of loopback.
    pub async fn start(to: u16, cut: Option<(From, usize)>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(Mutex::new([Vec::new(), Vec::new()]));
        let (over, first_over) = watch::channel(false);
        let noted = Arc::clone(&passed);
        let task = tokio::spawn(async move {
            let mut first = Some((cut, over));
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let (cut, over) = first.take().map_or((None, None), |(cut, over)| (cut, Some(over)));
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    pass(client, server, cut, &noted).await;
                    over.map(|over| over.send_replace(true));
                });
            }
        });
        Proxy { port, passed, first_over, task }
    }

    /// What passed from the client and from the server, over all connections.
    pub fn passed(&self) -> [Vec<u8>; 2] {
        self.passed.lock().unwrap().clone()
    }

    /// Waits until the server has done with the first connection.
    pub async fn first_is_over(&self) {
        self.first_over.clone().wait_for(|over| *over).await.unwrap();
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, cut: Option<(From, usize)>, noted: &Mutex<[Vec<u8>; 2]>) {
    let mut left = cut;
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    loop {
        if left.is_some_and(|(_, bytes)| bytes == 0) {
            break;
        }
        let (from, read) = tokio::select! {
            read = client.read(&mut up) => (From::Client, read.unwrap_or(0)),
            read = server.read(&mut down) => (From::Server, read.unwrap_or(0)),
        };
        if read == 0 {
            break;
        }
        let allowed = match &mut left {
            Some((cut, bytes)) if *cut == from => {
                let allowed = read.min(*bytes);
                *bytes -= allowed;
                allowed
            }
            _ => read,
        };
        let (bytes, to) =
            if from == From::Client { (&up[..allowed], &mut server) } else { (&down[..allowed], &mut client) };
        noted.lock().unwrap()[from as usize].extend_from_slice(bytes);
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    // The client sees the end at once; the server may still work on what it got, until it closes too.
    drop(client);
    let _ = server.shutdown().await;
    while server.read(&mut down).await.is_ok_and(|read| read > 0) {}
}
