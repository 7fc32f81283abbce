//! A private Postfix that hands over by LMTP to the private Dovecot and asks it for passwords. Nothing can leave it:
//! every other destination is an error.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

/// A running instance; stopped when dropped.
pub struct Postfix {
    dir: tempfile::TempDir,
    /// Port with STARTTLS.
    pub starttls_port: u16,
    /// Port with implicit TLS.
    pub tls_port: u16,
}

/// What Postfix needs of the Dovecot beside it.
pub struct Neighbour<'a> {
    /// Path of Dovecot's `auth-client` socket.
    pub auth_socket: &'a Path,
    /// Port of its LMTP listener.
    pub lmtp_port: u16,
    /// Certificate chain (PEM).
    pub certificate: &'a Path,
    /// Private key (PEM).
    pub key: &'a Path,
}

impl Postfix {
    /// Starts an instance. `None`, with a line that says so, where Postfix is missing or the user is not root; with
    /// `CI=true` that is a failure.
    pub fn start(neighbour: &Neighbour<'_>) -> Option<Postfix> {
        if !Path::new("/usr/sbin/postfix").exists() {
            super::skipped("postfix not found: apt-get install postfix");
            return None;
        }
        if !is_root() {
            super::skipped("postfix needs root to start");
            return None;
        }
        let dir = tempfile::Builder::new().prefix("onward-postfix-").tempdir().unwrap();
        let [starttls_port, tls_port] = [super::free_port(), super::free_port()];
        write_config(dir.path(), neighbour, starttls_port, tls_port);
        let status =
            Command::new("/usr/sbin/postfix").arg("-c").arg(dir.path().join("etc")).arg("start").output().unwrap();
        assert!(status.status.success(), "postfix start: {}", String::from_utf8_lossy(&status.stderr));
        super::wait_until("postfix answers", || std::net::TcpStream::connect(("127.0.0.1", starttls_port)).is_ok());
        Some(Postfix { dir, starttls_port, tls_port })
    }

    /// The mail log, for messages of failing tests.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Command::new("/usr/sbin/postfix").arg("-c").arg(self.dir.path().join("etc")).arg("stop").output();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n")
}

fn write_config(dir: &Path, neighbour: &Neighbour<'_>, starttls_port: u16, tls_port: u16) {
    let at = |name: &str| -> PathBuf { dir.join(name) };
    for name in ["etc", "queue", "data"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    for path in [dir.to_path_buf(), at("etc")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let owner = Command::new("chown").arg("postfix").arg(at("data")).status().unwrap();
    assert!(owner.success());
    let dir = dir.display();
    let main = format!(
        "compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = localhost
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = localhost, example.com, example.net, larkfield.example
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
relay_transport = error:no relay
default_transport = error:no external mail
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
",
        lmtp = neighbour.lmtp_port,
        cert = neighbour.certificate.display(),
        key = neighbour.key.display(),
        auth = neighbour.auth_socket.display(),
    );
    fs::write(at("etc").join("main.cf"), main).unwrap();
    let master = format!(
        "127.0.0.1:{starttls_port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"
    );
    fs::write(at("etc").join("master.cf"), master).unwrap();
}
