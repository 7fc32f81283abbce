//! Submission from outside: what the crate lets others do, and that the sink the tests trust is a mail server.
//!
//! The table of phases and faults stands beside the code, in `src/io/smtp/tests.rs`, because only there bytes that
//! nobody approved can be sent at all.

use std::{fs, path::Path};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    address::Envelope,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use crate::support::smtp_sink::{Mode, Sink};

/// Invariant: the transport takes only `ApprovedDraft`, the mail to oneself aside, of which it says everything itself.
#[test]
fn nothing_but_an_approved_draft_can_be_submitted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/io/smtp");
    let mut public = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let of_functions = text.lines().filter(|line| line.starts_with("pub ") && line.contains("fn "));
        public.extend(of_functions.map(|line| line.split('(').next().unwrap().to_owned()));
        assert!(
            !text.contains("pub mod")
                && text.matches("pub use").count() == text.matches("pub use rehearsal::rehearse;").count(),
            "everything else stays inside"
        );
    }
    public.sort();
    assert_eq!(public, ["pub async fn rehearse", "pub async fn submit"]);
    let rehearsal = include_str!("../src/io/smtp/rehearsal.rs");
    let signature = rehearsal.split("pub async fn rehearse(").nth(1).unwrap().split(") ->").next().unwrap();
    let values: Vec<&str> =
        signature.split(", ").map(|parameter| parameter.split(':').next().unwrap().trim()).collect();
    assert_eq!(values.join(" "), "server user credential address now");
    let module = include_str!("../src/io/smtp/mod.rs");
    let signature = module.split("pub async fn submit(").nth(1).unwrap().split("->").next().unwrap();
    assert!(signature.contains("draft: &ApprovedDraft"), "{signature}");
    assert!(!signature.contains("[u8]"), "{signature}");
}

/// The sink against a client that is not ours: STARTTLS, login, dots.
#[tokio::test]
async fn the_sink_speaks_smtp_with_another_client() {
    let sink = Sink::start(Mode::StartTls, &[]).await;
    let certificate = Certificate::from_pem(&fs::read(&sink.ca_file).unwrap()).unwrap();
    let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate).build().unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
        .port(sink.port)
        .tls(Tls::Required(tls))
        .credentials(Credentials::new("sam".to_owned(), "pw".to_owned()))
        .build();
    let envelope =
        Envelope::new(Some("a@example.org".parse().unwrap()), vec!["b@example.org".parse().unwrap()]).unwrap();
    transport.send_raw(&envelope, b"Subject: x\r\n\r\n.\r\n..y").await.unwrap();
    let accepted = sink.accepted();
    assert_eq!(accepted.len(), 1);
    assert_eq!((accepted[0].from.as_str(), accepted[0].to.as_str()), ("a@example.org", "b@example.org"));
    assert_eq!(accepted[0].bytes, b"Subject: x\r\n\r\n.\r\n..y\r\n");
}
