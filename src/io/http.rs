//! One request over HTTP/1.1 to an endpoint of OAuth, and its answer: over the TLS of `tls`, with a deadline and a
//! limit, no redirects, no proxies, no cookies.
//!
//! It must not judge an answer, and no error of it holds what was sent or what came.

use std::net::IpAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::io::tls::{self, ReachError, TlsError};

/// Longest time from the first packet to the last byte of the answer; token endpoints answer within a second.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Largest answer, in bytes; the largest tokens have a few thousand.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Largest buffer for head and body while reading, in bytes.
const BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Most header lines of an answer.
const HEADERS_MAX: usize = 100;
/// The status of a server that has too many requests (RFC 6585 §4).
const TOO_MANY_REQUESTS: u16 = 429;

/// Why there is no answer worth reading. All of it may pass by itself.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is not one that may be asked.
    #[error("the address of the endpoint must begin with https://, or name this machine")]
    Address,
    /// No connection.
    #[error(transparent)]
    Unreachable(#[from] ReachError),
    /// No protection.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It took too long.
    #[error("{host} did not answer within {} s", within.as_secs_f32().ceil())]
    Timeout {
        /// Who.
        host: String,
        /// How long was waited.
        within: Duration,
    },
    /// The endpoint is down or overloaded.
    #[error("{host} answers with status {status}: it has trouble of its own")]
    Trouble {
        /// Who.
        host: String,
        /// The status, 429 or from 500 on.
        status: u16,
    },
    /// The answer is too large.
    #[error("{0} answers with more than {ANSWER_BYTES_MAX} bytes: this is no token endpoint")]
    TooLarge(String),
    /// What came is no HTTP, or ended too early.
    #[error("{0} did not finish its answer")]
    Broken(String),
}

/// Sends a request to an absolute address and reads the answer. A status of 429 or from 500 on is an error: whatever
/// such an answer says, it is not about the request.
pub async fn send(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
    send_within(request, ANSWER_WITHIN).await
}

/// [`send`] with a deadline of the caller's.
pub async fn send_within(request: Request<Vec<u8>>, within: Duration) -> Result<Response<Vec<u8>>, HttpError> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    let answer = timeout(within, exchange(request)).await;
    let answer = answer.unwrap_or_else(|_| Err(HttpError::Timeout { host: host.clone(), within }))?;
    let status = answer.status().as_u16();
    if status >= 500 || status == TOO_MANY_REQUESTS {
        return Err(HttpError::Trouble { host, status });
    }
    Ok(answer)
}

async fn exchange(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
    let uri = request.uri().clone();
    let host = uri.host().ok_or(HttpError::Address)?.trim_matches(['[', ']']).to_owned();
    match uri.scheme_str() {
        Some("https") => {
            let tcp = tls::reach(&host, uri.port_u16().unwrap_or(443)).await?;
            over(tls::connect(tcp, &host, None).await?, &host, request).await
        }
        Some("http") => {
            let tcp = tls::reach(&host, uri.port_u16().unwrap_or(80)).await?;
            // Where the connection ends counts, not what the name promises.
            if !tcp.peer_addr().is_ok_and(|peer| IpAddr::is_loopback(&peer.ip())) {
                return Err(HttpError::Address);
            }
            over(tcp, &host, request).await
        }
        _ => Err(HttpError::Address),
    }
}

/// The exchange over a connection that stands.
async fn over<S>(stream: S, host: &str, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |_| HttpError::Broken(host.to_owned());
    let mut limits = http1::Builder::new();
    limits.max_buf_size(BUFFER_BYTES_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) = limits.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Driven beside the exchange and dropped with it, so that no connection outlives its deadline.
    let exchange = async {
        let answer = sender.send_request(in_origin_form(request, host)?).await.map_err(broken)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                HttpError::TooLarge(host.to_owned())
            } else {
                HttpError::Broken(host.to_owned())
            }
        })?;
        Ok(Response::from_parts(head, body.to_bytes().to_vec()))
    };
    let mut connection = std::pin::pin!(connection);
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        done = &mut exchange => done,
        // What the connection has read when it ends still has to be taken.
        _ = &mut connection => exchange.await,
    }
}

/// The request as it goes to the server itself: path and query alone, and the host in its header (RFC 9112 §3.2.1).
fn in_origin_form(request: Request<Vec<u8>>, host: &str) -> Result<Request<Full<Bytes>>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().map(|authority| authority.as_str().to_owned()).unwrap_or_default();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let broken = || HttpError::Broken(host.to_owned());
    head.uri = path.parse::<Uri>().map_err(|_| broken())?;
    head.headers.insert(HOST, HeaderValue::from_str(&authority).map_err(|_| broken())?);
    head.headers.insert(USER_AGENT, HeaderValue::from_static(concat!("onward/", env!("CARGO_PKG_VERSION"))));
    Ok(Request::from_parts(head, Full::new(Bytes::from(body))))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;

    fn post(uri: &str) -> Request<Vec<u8>> {
        Request::post(uri).body(b"refresh_token=canary".to_vec()).unwrap()
    }

    #[tokio::test]
    async fn nothing_is_said_before_the_connection_is_protected() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
            let mut said = Vec::new();
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut said).await;
            said
        });
        let error = send(post(&format!("https://127.0.0.1:{port}/token"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Tls(_)), "{error}");
        assert!(!String::from_utf8_lossy(&server.await.unwrap()).contains("canary"));
        for uri in ["ftp://127.0.0.1/", "/token"] {
            assert!(matches!(send(post(uri)).await.unwrap_err(), HttpError::Address), "{uri}");
        }
    }

    #[test]
    fn a_request_names_its_host_and_keeps_its_query() {
        let request = in_origin_form(post("https://login.example.org:8443/a/token?x=1"), "h").unwrap();
        assert_eq!(request.uri().to_string(), "/a/token?x=1");
        assert_eq!(request.headers().get(HOST).unwrap(), "login.example.org:8443");
    }
}
