//! A throw-away certificate authority and the server certificates it signs.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};

/// What a server needs, and what a client needs to trust it; all PEM.
pub struct Certificates {
    pub ca: String,
    pub certificate: String,
    pub key: String,
}

/// A certificate for these names and addresses, signed by an authority of its own.
pub fn certificates(names: &[&str]) -> Certificates {
    issue(names, false)
}

/// One that has run out.
pub fn expired(names: &[&str]) -> Certificates {
    issue(names, true)
}

/// One that is its own authority, as local bridges present it.
pub fn self_signed(names: &[&str], expired: bool) -> Certificates {
    let key = KeyPair::generate().unwrap();
    let mut server = parameters(names, expired);
    server.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = server.self_signed(&key).unwrap().pem();
    Certificates { ca: certificate.clone(), certificate, key: key.serialize_pem() }
}

fn parameters(names: &[&str], expired: bool) -> CertificateParams {
    let mut server = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
    if expired {
        (server.not_before, server.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    server
}

fn issue(names: &[&str], expired: bool) -> Certificates {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    // A name of its own: OpenSSL takes a certificate whose issuer is called as its subject for self-signed.
    ca.distinguished_name.push(DnType::CommonName, "authority of a test");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters(names, expired).signed_by(&key, &issuer).unwrap().pem();
    Certificates { ca: ca_pem, certificate, key: key.serialize_pem() }
}
