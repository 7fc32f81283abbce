//! A token endpoint on 127.0.0.1 that answers as told, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

/// Longest wait for what must come at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// What was asked: the path, and the fields of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub path: String,
    pub form: BTreeMap<String, String>,
}

impl Asked {
    /// A field of the form.
    pub fn field(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status and JSON.
    Json(u16, String),
    /// A status and a page.
    Page(u16, String),
    /// These bytes instead of HTTP, and the end.
    Raw(Vec<u8>),
    /// Nothing, ever.
    Stall,
}

impl Answer {
    /// A token answer.
    pub fn tokens(access: &str, refresh: Option<&str>, expires_in: u64) -> Answer {
        let refresh = refresh.map_or(String::new(), |token| format!(r#","refresh_token":"{token}""#));
        let json = format!(r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":{expires_in}{refresh}}}"#);
        Answer::Json(200, json)
    }

    /// A refusal (RFC 6749 §5.2).
    pub fn error(code: &str) -> Answer {
        Answer::Json(400, format!(r#"{{"error":"{code}","error_description":"it is said: {code}"}}"#))
    }
}

/// The endpoint. It ends when dropped.
pub struct TokenEndpoint {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    arrived: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Drop for TokenEndpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TokenEndpoint {
    /// Starts one that answers the n-th question with the n-th answer, and all further ones with the last.
    pub async fn start(answers: Vec<Answer>) -> TokenEndpoint {
        let answer = move |number: usize, _: &Asked| answers[number.min(answers.len() - 1)].clone();
        TokenEndpoint::start_with(answer, Arc::new(Semaphore::new(Semaphore::MAX_PERMITS))).await
    }

    /// Starts one that makes up its answers; each takes a permit of `gate` first.
    pub async fn start_with(
        answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static,
        gate: Arc<Semaphore>,
    ) -> TokenEndpoint {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let arrived = Arc::new(Semaphore::new(0));
        let answer = Arc::new(answer);
        let (log, bell) = (Arc::clone(&asked), Arc::clone(&arrived));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, bell, gate, answer) =
                    (Arc::clone(&log), Arc::clone(&bell), Arc::clone(&gate), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut stream = stream;
                    let Some(question) = read(&mut stream).await else { return };
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(question.clone());
                        log.len() - 1
                    };
                    bell.add_permits(1);
                    gate.acquire().await.unwrap().forget();
                    reply(&mut stream, answer(number, &question)).await;
                });
            }
        });
        TokenEndpoint { port, asked, arrived, task }
    }

    /// An address below it.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until another question has come.
    pub async fn another(&self) {
        timeout(SOON, self.arrived.acquire()).await.expect("nobody asked").unwrap().forget();
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                let path = head.split(' ').nth(1)?.trim_start_matches('/').to_owned();
                let form = oauth2::url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
                return Some(Asked { path, form });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn reply(stream: &mut TcpStream, answer: Answer) {
    let (status, kind, body) = match answer {
        Answer::Json(status, body) => (status, "application/json", body),
        Answer::Page(status, body) => (status, "text/html", body),
        Answer::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            return;
        }
        Answer::Stall => std::future::pending().await,
    };
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    // Who went away in the middle does not read it.
    let _ = stream.write_all((head + &body).as_bytes()).await;
}
