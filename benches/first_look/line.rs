//! A slow line: a proxy that lets bytes pass after a while, and only so many a second each way.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// Most bytes read at once.
const CHUNK: usize = 16 * 1024;
/// Chunks on their way at most; a line of 100 Mbit/s and 20 ms holds sixteen.
const ON_THE_WAY: usize = 256;

/// What looks at the bytes from the server as they pass.
pub type Watcher = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A running line. It ends with the value.
pub struct Line {
    pub port: u16,
    task: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    /// To the server at this port: `delay` each way, `bandwidth` bytes a second.
    pub async fn start(to: u16, delay: Duration, bandwidth: u64) -> Line {
        Line::watched(to, delay, bandwidth, Arc::new(|_| {})).await
    }

    /// [`Line::start`] with somebody who sees what the server says.
    pub async fn watched(to: u16, delay: Duration, bandwidth: u64, watcher: Watcher) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, delay, bandwidth, Arc::new(|_| {})));
                tokio::spawn(pass(from_server, to_client, delay, bandwidth, Arc::clone(&watcher)));
            }
        });
        Line { port, task }
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration, bandwidth: u64, watcher: Watcher) {
    let (send, mut due) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let writes = tokio::spawn(async move {
        while let Some((at, bytes)) = due.recv().await {
            sleep_until(at).await;
            watcher(&bytes);
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let mut free = Instant::now();
    let mut buffer = vec![0; CHUNK];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // What is written here takes its time to get onto the line, and then the time of the way.
        free = free.max(Instant::now()) + Duration::from_nanos(read as u64 * 1_000_000_000 / bandwidth);
        if send.send((free + delay, buffer[..read].to_vec())).await.is_err() {
            break;
        }
        // The sender's own buffer is filled no faster than the line takes it.
        if free > Instant::now() + delay {
            sleep_until(free - delay).await;
        }
    }
    drop(send);
    let _ = writes.await;
}
