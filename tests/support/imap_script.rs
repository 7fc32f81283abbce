//! An IMAP server that follows a script: for everything a real server will not do wrong on demand.

use std::time::Duration;

use onward::config::{Server, Tls};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One step of the script.
#[derive(Debug, Clone)]
pub enum Step {
    /// Send this; `$tag` stands for the tag of the last command, `$before` for that of the one before it.
    Send(Vec<u8>),
    /// Read a line whose text after the tag begins like this.
    Expect(String),
    /// Read a line without a tag, which is exactly this.
    ExpectLine(String),
    /// Read so many bytes.
    Take(usize),
    /// Wait, where slowness is what is tested.
    Pause(Duration),
    /// Close the connection.
    Close,
    /// Say nothing until the client closes the connection.
    Stall,
}

/// Sends text; `$tag` stands for the tag of the last command.
pub fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

/// Reads a command that begins like this.
pub fn expect(text: &str) -> Step {
    Step::Expect(text.to_owned())
}

/// Greeting, login and capabilities, as most scripts begin.
pub fn logged_in(capabilities: &str) -> Vec<Step> {
    let capability = send(&format!("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR {capabilities}\r\n$tag OK done\r\n"));
    vec![
        send("* OK hello\r\n"),
        expect("CAPABILITY"),
        capability.clone(),
        expect("AUTHENTICATE PLAIN "),
        send("$tag OK logged in\r\n"),
        expect("CAPABILITY"),
        capability,
    ]
}

/// A server that plays a script to one client.
pub struct Script {
    port: u16,
    played: JoinHandle<Vec<String>>,
}

impl Script {
    /// Starts to listen.
    pub async fn start(steps: Vec<Step>) -> Script {
        Script::start_all(vec![steps]).await
    }

    /// Starts to listen, for one connection after the other.
    pub async fn start_all(scripts: Vec<Vec<Step>>) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let played = tokio::spawn(async move {
            let mut lines = Vec::new();
            for steps in scripts {
                lines.extend(play(listener.accept().await.unwrap().0, steps).await);
            }
            lines
        });
        Script { port, played }
    }

    /// How to reach it.
    pub fn server(&self, tls: Tls) -> Server {
        Server { host: "127.0.0.1".to_owned(), port: self.port, tls, ca_file: None }
    }

    /// Waits for the end of the script and returns the lines the client sent. Fails where the client left the script.
    pub async fn lines(self) -> Vec<String> {
        tokio::time::timeout(Duration::from_secs(20), self.played).await.expect("the client never finished").unwrap()
    }
}

async fn play(stream: TcpStream, steps: Vec<Step>) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let (mut tag, mut before) = (String::new(), String::new());
    let mut lines = Vec::new();
    for step in steps {
        match step {
            Step::Send(bytes) => {
                let bytes = match String::from_utf8(bytes) {
                    Ok(text) => text.replace("$tag", &tag).replace("$before", &before).into_bytes(),
                    Err(raw) => raw.into_bytes(),
                };
                // The client may have hung up on what came before; its own verdict is what is tested.
                let _ = stream.write_all(&bytes).await;
            }
            Step::Expect(text) => {
                let line = read_line(&mut stream).await;
                let (found, command) = line.split_once(' ').unwrap_or(("", &line));
                assert!(command.starts_with(&text), "client sent {line:?} instead of {text:?}");
                before = std::mem::replace(&mut tag, found.to_owned());
                lines.push(line);
            }
            Step::ExpectLine(text) => {
                let line = read_line(&mut stream).await;
                assert_eq!(line, text);
                lines.push(line);
            }
            Step::Take(count) => {
                let mut bytes = vec![0; count];
                stream.read_exact(&mut bytes).await.expect("the client closed in the middle");
            }
            Step::Pause(time) => tokio::time::sleep(time).await,
            Step::Close => return lines,
            Step::Stall => {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                let rest = String::from_utf8_lossy(&rest);
                lines.extend(rest.lines().map(str::to_owned));
                return lines;
            }
        }
    }
    lines
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}
