//! A private Postfix that hands over by LMTP to the private Dovecot and asks it for passwords. Nothing can leave it:
//! every other destination is an error.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// A running instance. It ends with the test process, however that ends, and takes its directory along.
pub struct Postfix {
    dir: PathBuf,
    /// Port with STARTTLS.
    pub starttls_port: u16,
    /// Port with implicit TLS.
    pub tls_port: u16,
    _keeper: Child,
}

/// What Postfix needs of the Dovecot beside it.
pub struct Neighbour {
    /// Path of Dovecot's `auth-client` socket, which Postfix's own user must be able to open.
    pub auth_socket: PathBuf,
    /// Port of its LMTP listener.
    pub lmtp_port: u16,
    /// Certificate chain (PEM).
    pub certificate: PathBuf,
    /// Private key (PEM).
    pub key: PathBuf,
}

impl Postfix {
    /// The instance all tests of this process share, beside their Dovecot. `None`, and a line that says so, where
    /// Postfix is missing or the user is not root.
    pub fn start(neighbour: &Neighbour) -> Option<&'static Postfix> {
        static SHARED: OnceLock<Option<Postfix>> = OnceLock::new();
        SHARED.get_or_init(|| Postfix::launch(neighbour)).as_ref()
    }

    fn launch(neighbour: &Neighbour) -> Option<Postfix> {
        if !Path::new("/usr/sbin/postfix").exists() {
            super::skipped("postfix not found: apt-get install postfix");
            return None;
        }
        if !is_root() {
            super::skipped("postfix needs root to start");
            return None;
        }
        let dir = tempfile::Builder::new().prefix("onward-postfix-").tempdir().unwrap().keep();
        let [starttls_port, tls_port] = [super::free_port(), super::free_port()];
        write_config(&dir, neighbour, starttls_port, tls_port);
        // The shell outlives a killed test: the end of its input is the end of this process.
        let script = r#"exec 2>"$1/started"
            /usr/sbin/postfix -c "$1/etc" start >&2; read -r _; /usr/sbin/postfix -c "$1/etc" stop; rm -rf "$1""#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&dir).stdin(Stdio::piped()).stdout(Stdio::null());
        let keeper = command.spawn().unwrap();
        let postfix = Postfix { dir, starttls_port, tls_port, _keeper: keeper };
        let answers = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        super::wait_until_or("postfix answers", || postfix.log(), || answers(starttls_port) && answers(tls_port));
        Some(postfix)
    }

    /// What it said at the start, and the mail log: for the messages of failing tests.
    pub fn log(&self) -> String {
        ["started", "log"].map(|name| fs::read_to_string(self.dir.join(name)).unwrap_or_default()).concat()
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n")
}

fn write_config(dir: &Path, neighbour: &Neighbour, starttls_port: u16, tls_port: u16) {
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
