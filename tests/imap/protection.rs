//! Certificates that must end a connection, in words that say why.

use std::path::Path;
use std::sync::Arc;

use onward::io::tls::{self, TlsError};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::support::certificates::{Certificates, certificates, expired, self_signed};

/// Whether an error is the one expected.
type Judge = fn(&TlsError) -> bool;

/// Serves one handshake and returns what came of it at the client.
async fn handshake(server: Option<&Certificates>, trusted: &str, dir: &Path) -> Result<(), TlsError> {
    let ca_file = dir.join("ca.pem");
    std::fs::write(&ca_file, trusted).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = server.map(|server| {
        let chain = CertificateDer::pem_slice_iter(server.certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    });
    let serving = tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.unwrap();
        match config {
            Some(config) => drop(tokio_rustls::TlsAcceptor::from(config).accept(tcp).await),
            None => tcp.write_all(b"* OK this is plain IMAP\r\n").await.unwrap(),
        }
    });
    let tcp = tls::reach("127.0.0.1", port).await.unwrap();
    let result = tls::connect(tcp, "127.0.0.1", Some(&ca_file)).await.map(drop);
    serving.await.unwrap();
    result
}

#[tokio::test]
async fn only_a_certificate_that_can_be_checked_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let good = certificates(&["127.0.0.1"]);
    handshake(Some(&good), &good.ca, dir.path()).await.unwrap();

    let bridge = self_signed(&["127.0.0.1"], false);
    handshake(Some(&bridge), &bridge.ca, dir.path()).await.unwrap();

    let bridge_old = self_signed(&["127.0.0.1"], true);
    let bridge_elsewhere = self_signed(&["bridge.example.org"], false);
    let stranger = certificates(&["127.0.0.1"]);
    let other_name = certificates(&["imap.example.org"]);
    let old = expired(&["127.0.0.1"]);
    let cases: &[(Option<&Certificates>, &str, Judge, &str)] = &[
        (Some(&stranger), &good.ca, |e| matches!(e, TlsError::UnknownIssuer(_)), "ca_file"),
        (Some(&old), &old.ca, |e| matches!(e, TlsError::Expired(_)), "expired"),
        (Some(&other_name), &other_name.ca, |e| matches!(e, TlsError::WrongName { .. }), "imap.example.org"),
        (Some(&bridge_old), &bridge_old.ca, |e| matches!(e, TlsError::Expired(_)), "expired"),
        (
            Some(&bridge_elsewhere),
            &bridge_elsewhere.ca,
            |e| matches!(e, TlsError::WrongName { .. }),
            "bridge.example.org",
        ),
        (Some(&bridge), &bridge_old.ca, |_| true, "127.0.0.1"),
        (None, &good.ca, |e| matches!(e, TlsError::Handshake { .. }), "`tls`"),
    ];
    for (server, trusted, expected, word) in cases {
        let error = handshake(*server, trusted, dir.path()).await.unwrap_err();
        assert!(expected(&error) && error.to_string().contains(word), "{error:?}: {error}");
    }
}
