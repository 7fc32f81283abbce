//! What others take for the same mails: a download that does nothing with them, and mbsync.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::support::dovecot::PASSWORD;

/// One FETCH of everything, over TLS.
pub async fn download(port: u16, ca: &Path, user: &str) -> Duration {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = versions.with_root_certificates(roots).with_no_client_auth();
    let begun = Instant::now();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    run(&mut stream, "a", &format!("LOGIN {user} {PASSWORD}")).await;
    run(&mut stream, "b", "EXAMINE INBOX").await;
    run(&mut stream, "c", "UID FETCH 1:* (UID BODY.PEEK[])").await;
    begun.elapsed()
}

/// Sends a command and reads to its tagged OK.
async fn run(stream: &mut TlsStream<TcpStream>, tag: &str, command: &str) {
    stream.write_all(format!("{tag} {command}\r\n").as_bytes()).await.unwrap();
    let end = format!("\r\n{tag} OK");
    // What is looked through holds the end of what came before.
    let (mut buffer, mut kept) = (vec![0; 64 * 1024], vec![b'\r', b'\n']);
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the server closed the connection");
        kept.extend_from_slice(&buffer[..read]);
        let last_line = kept.len().saturating_sub(512);
        if String::from_utf8_lossy(&kept[last_line..]).contains(&end) {
            return;
        }
        kept.drain(..last_line);
    }
}

/// mbsync into an empty Maildir with its default settings; `None` where it is not installed.
pub fn mbsync(port: u16, ca: &Path, user: &str) -> Option<Duration> {
    Command::new("mbsync").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let dir = tempfile::tempdir().unwrap();
    let near = dir.path().join("near");
    fs::create_dir(&near).unwrap();
    let rc = dir.path().join("mbsyncrc");
    let text = format!(
        "IMAPAccount a\nHost localhost\nPort {port}\nUser {user}\nPass {PASSWORD}\nSSLType IMAPS\nCertificateFile {}\n\n\
         IMAPStore far\nAccount a\n\nMaildirStore near\nPath {near}/\nInbox {near}/INBOX\nSubFolders Verbatim\n\n\
         Channel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState {near}/\n",
        ca.display(),
        near = near.display()
    );
    fs::write(&rc, text).unwrap();
    let begun = Instant::now();
    let output = Command::new("mbsync").arg("-c").arg(&rc).arg("c").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "mbsync: {}", String::from_utf8_lossy(&output.stderr));
    Some(begun.elapsed())
}
