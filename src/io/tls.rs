//! The way to a server, for IMAP and SMTP alike: TCP to whichever of its addresses answers, then TLS with the
//! system's roots or a CA file of the account. It must never offer "accept anything": a certificate that cannot be
//! checked ends the connection before a password is sent.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::clean;

/// Longest wait for name lookup and TCP together.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(30);
/// Longest wait for a TLS handshake.
pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(30);
/// How much later each further address is tried (RFC 8305 §5 recommends 250 ms).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);
/// Most addresses tried; names with more are load balancers, and any of theirs will do.
const ADDRESSES_MAX: usize = 8;
/// A connection silent for so long is probed, so that a router that forgot it is noticed.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
/// Time between probes.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
/// Unanswered probes that end the connection.
const KEEPALIVE_PROBES: u32 = 4;
/// Bytes unacknowledged for so long end the connection; the kernel's own limit is about a quarter of an hour.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(90);
/// Longest text of a foreign error in ours, in characters.
const DETAIL_CHARS_MAX: usize = 160;

/// Why a server could not be reached by TCP.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The name has no address, or nobody could be asked.
    #[error("the name `{host}` could not be looked up ({detail}): check `host` and the network connection")]
    Name {
        /// The host as configured.
        host: String,
        /// The resolver's words.
        detail: String,
    },
    /// No address took the connection.
    #[error("nobody answers at {host}:{port} ({detail}): check `host`, `port` and the network connection")]
    NobodyAnswers {
        /// The host as configured.
        host: String,
        /// The port as configured.
        port: u16,
        /// The reason per address.
        detail: String,
    },
    /// It took too long.
    #[error("no answer from {host}:{port} within {} s: check `host`, `port` and any firewall", CONNECT_WITHIN.as_secs())]
    Timeout {
        /// The host as configured.
        host: String,
        /// The port as configured.
        port: u16,
    },
}

/// Why a connection could not be protected. Nothing was sent over it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The system has no certificate authorities to check a server against.
    #[error("this machine has no trusted certificate authorities: install `ca-certificates`, or set `ca_file`")]
    NoRoots,
    /// The CA file cannot be used.
    #[error("`ca_file` {} cannot be used ({detail}): it must hold certificates in PEM form", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The host cannot stand in a certificate.
    #[error("`{0}` is neither a host name nor an address: check `host`")]
    Host(String),
    /// Nobody known vouches for the certificate.
    #[error(
        "the certificate of {0} is not signed by an authority this machine trusts: if it is your own server or a \
         local bridge, export its CA certificate and set `ca_file`; if not, somebody may be in between"
    )]
    UnknownIssuer(String),
    /// The certificate ran out.
    #[error(
        "the certificate of {0} has expired: its operator must renew it; if it looks fine elsewhere, check this machine's clock"
    )]
    Expired(String),
    /// The certificate is of the future.
    #[error("the certificate of {0} is not valid yet: check this machine's clock")]
    NotYetValid(String),
    /// The certificate belongs to another name.
    #[error("the certificate presented by {host} is for {presented}: set `host` to a name the certificate holds")]
    WrongName {
        /// The host as configured.
        host: String,
        /// The names in the certificate.
        presented: String,
    },
    /// Another fault of the certificate.
    #[error("the certificate of {host} cannot be used ({detail}): its operator must replace it")]
    Certificate {
        /// The host as configured.
        host: String,
        /// The library's words.
        detail: String,
    },
    /// Another fault of the handshake.
    #[error("no protected connection to {host} ({detail}): check that `port` and `tls` belong together")]
    Handshake {
        /// The host as configured.
        host: String,
        /// The library's words.
        detail: String,
    },
    /// It took too long.
    #[error("{host} did not finish the TLS handshake within {} s: check that `port` and `tls` belong together", HANDSHAKE_WITHIN.as_secs())]
    Timeout {
        /// The host as configured.
        host: String,
    },
}

/// Opens a TCP connection to the first address of `host` that answers. Addresses are tried alternately by family and
/// a little apart (RFC 8305), so that a broken IPv6 costs a moment and not the connection. The socket notices a dead
/// peer by itself.
pub async fn reach(host: &str, port: u16) -> Result<TcpStream, ReachError> {
    let late = |_| ReachError::Timeout { host: host.to_owned(), port };
    timeout(CONNECT_WITHIN, reach_any(host, port)).await.map_err(late)?
}

async fn reach_any(host: &str, port: u16) -> Result<TcpStream, ReachError> {
    let unknown = |e: io::Error| ReachError::Name { host: host.to_owned(), detail: short(&e) };
    let addresses = by_turns(tokio::net::lookup_host((host, port)).await.map_err(unknown)?.collect());
    if addresses.is_empty() {
        return Err(unknown(io::Error::other("it has no address")));
    }
    let mut attempts: FuturesUnordered<_> = (0..)
        .zip(addresses)
        .map(|(turn, address)| async move {
            sleep(NEXT_ADDRESS_AFTER * turn).await;
            TcpStream::connect(address).await.and_then(tuned).map_err(|e| format!("{}: {}", address.ip(), short(&e)))
        })
        .collect();
    let mut reasons = Vec::new();
    while let Some(attempt) = attempts.next().await {
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(ReachError::NobodyAnswers { host: host.to_owned(), port, detail: reasons.join("; ") })
}

/// The addresses in turns of their families, in the resolver's order, at most [`ADDRESSES_MAX`].
fn by_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut out: Vec<_> = first.into_iter().flat_map(|a| [Some(a), second.next()]).flatten().collect();
    out.extend(second);
    out.truncate(ADDRESSES_MAX);
    out
}

/// Small packets leave at once, and a dead peer is noticed within two minutes.
fn tuned(stream: TcpStream) -> io::Result<TcpStream> {
    let keepalive =
        TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY).with_retries(KEEPALIVE_PROBES);
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
    Ok(stream)
}

/// The client side of TLS 1.2 and 1.3, trusting the authorities in `ca_file`, or the system's where there is none.
pub fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsError::Handshake { host: "any server".to_owned(), detail: short(&e) })?;
    let config = match ca_file {
        None => builder.with_root_certificates(system_roots()?).with_no_client_auth(),
        Some(path) => {
            let verifier = Arc::new(OwnServer::new(path, provider)?);
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

/// Checks a server against the certificates of a CA file: the usual rules with these as the only authorities. On top,
/// a server may present one of these very certificates although it is marked as an authority, as local bridges do that
/// sign their own; name, dates and the possession of its key are checked all the same.
#[derive(Debug)]
struct OwnServer {
    usual: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl OwnServer {
    fn new(path: &Path, provider: Arc<CryptoProvider>) -> Result<OwnServer, TlsError> {
        let unusable = |detail: String| TlsError::CaFile { path: path.to_owned(), detail };
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = read.map_err(|e| unusable(short(&e)))?;
        if certificates.is_empty() {
            return Err(unusable("no certificate in it".to_owned()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|e| unusable(short(&e)))?;
        }
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(OwnServer { usual: usual.map_err(|e| unusable(short(&e)))?, certificates })
    }
}

impl ServerCertVerifier for OwnServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            // The mark as an authority has no error of its own; the dates are checked before it.
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(_)))
                if self.certificates.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Protects `stream`. The certificate must be signed by a trusted authority and hold `host`.
pub async fn connect(stream: TcpStream, host: &str, ca_file: Option<&Path>) -> Result<TlsStream<TcpStream>, TlsError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Host(clean::line(host)))?;
    let handshake = connector(ca_file)?.connect(name, stream);
    match timeout(HANDSHAKE_WITHIN, handshake).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(e)) => Err(explain(host, &e)),
        Err(_) => Err(TlsError::Timeout { host: host.to_owned() }),
    }
}

/// What a failed handshake means for the person.
fn explain(host: &str, error: &io::Error) -> TlsError {
    let host = clean::line(host);
    let handshake = |detail| TlsError::Handshake { host: host.clone(), detail };
    match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(fault)) => match fault {
            // A bad signature is what another authority of the same name leaves.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsError::UnknownIssuer(host),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsError::Expired(host),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsError::NotYetValid(host),
            CertificateError::NotValidForNameContext { presented, .. } => {
                let presented = clean::line_within(&presented.join(", "), DETAIL_CHARS_MAX);
                TlsError::WrongName { host, presented }
            }
            CertificateError::NotValidForName => TlsError::WrongName { host, presented: "another name".to_owned() },
            fault => TlsError::Certificate { host, detail: short(fault) },
        },
        Some(rustls::Error::InvalidMessage(_)) => handshake("the server does not speak TLS here".to_owned()),
        _ => handshake(short(error)),
    }
}

/// A foreign error in few words.
fn short(error: &impl std::fmt::Display) -> String {
    clean::line_within(&error.to_string(), DETAIL_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_alternate_between_families() {
        let parse = |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let given = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"]);
        let expected = parse(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"]);
        assert_eq!(by_turns(given), expected);
        let given = parse(&["127.0.0.1:1", "[::1]:1", "[::2]:1"]);
        assert_eq!(by_turns(given.clone()), given);
        assert_eq!(by_turns(Vec::new()), []);
    }

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("ca.pem");
        std::fs::write(&empty, "nothing").unwrap();
        for path in [empty, dir.path().join("missing.pem")] {
            let error = connector(Some(&path)).err().unwrap();
            assert!(matches!(error, TlsError::CaFile { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn errors_say_what_to_check() {
        let unknown = reach("no-such-host.invalid", 993).await.unwrap_err();
        assert!(unknown.to_string().contains("no-such-host.invalid"), "{unknown}");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let closed = reach("127.0.0.1", port).await.unwrap_err();
        assert!(matches!(closed, ReachError::NobodyAnswers { .. }), "{closed}");
    }
}
