//! A private Dovecot on loopback: any user, one password, a mailbox of their own. It ends with the test process,
//! however that ends, and takes its directory along.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use onward::config::{Server, Tls};

use super::{certificates::certificates, postfix::Neighbour};

/// The password of every user: long enough to be searched for in logs.
pub const PASSWORD: &str = "kestrel-lantern-4711";

/// A running instance.
pub struct Dovecot {
    dir: PathBuf,
    imap: u16,
    imaps: u16,
    lmtp: u16,
    _keeper: Child,
}

impl Dovecot {
    /// The instance all tests of this process share, each with users of its own. `None`, and a line that says so, where
    /// Dovecot is not installed.
    pub fn start() -> Option<&'static Dovecot> {
        static SHARED: OnceLock<Option<Dovecot>> = OnceLock::new();
        SHARED.get_or_init(Dovecot::launch).as_ref()
    }

    /// An instance of the test's own, which ends with the value: with these settings more, and with the marks of
    /// SPECIAL-USE and their mailboxes or without.
    pub fn with(settings: &str, special_use: bool) -> Option<Dovecot> {
        Dovecot::launch_with(settings, special_use)
    }

    fn launch() -> Option<Dovecot> {
        Dovecot::launch_with("", true)
    }

    fn launch_with(settings: &str, special_use: bool) -> Option<Dovecot> {
        let Some(program) = program() else {
            super::skipped("dovecot 2.3 not found: apt-get install dovecot-imapd dovecot-lmtpd");
            return None;
        };
        // A port found free may be taken by the time it is used.
        for _ in 0..3 {
            if let Some(dovecot) = Dovecot::try_launch(&program, settings, special_use) {
                return Some(dovecot);
            }
        }
        panic!("dovecot does not start");
    }

    fn try_launch(program: &Path, settings: &str, special_use: bool) -> Option<Dovecot> {
        let dir = tempfile::Builder::new().prefix("onward-dovecot-").tempdir().unwrap().keep();
        let [imap, imaps, lmtp] = free_ports();
        configure(&dir, [imap, imaps, lmtp], settings, special_use);
        // The shell outlives a killed test: the end of its input is the end of this process.
        let script = r#""$1" -F -c "$2/dovecot.conf" & server=$!; read -r _; kill $server; wait $server; rm -rf "$2""#;
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(program).arg(&dir);
        let keeper = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let dovecot = Dovecot { dir, imap, imaps, lmtp, _keeper: keeper };
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if [imap, lmtp].iter().all(|port| greets(*port)) {
                return Some(dovecot);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{}", std::fs::read_to_string(dovecot.dir.join("dovecot.log")).unwrap_or_default());
        None
    }

    /// How to reach it: by TLS, by STARTTLS, or in the clear.
    pub fn server(&self, tls: Tls) -> Server {
        let port = if tls == Tls::Implicit { self.imaps } else { self.imap };
        Server { host: "localhost".to_owned(), port, tls, ca_file: Some(self.ca_file()) }
    }

    /// The certificate of the authority that signed its own.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Port of the LMTP listener (RFC 2033).
    pub fn lmtp_port(&self) -> u16 {
        self.lmtp
    }

    /// What a Postfix needs to stand beside it: both show the same certificate and know the same users.
    pub fn neighbour(&self) -> Neighbour {
        Neighbour {
            auth_socket: self.dir.join("run/auth-client"),
            lmtp_port: self.lmtp,
            certificate: self.dir.join("server.pem"),
            key: self.dir.join("server.key"),
        }
    }

    /// The user's Maildir.
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.dir.join("mail").join(user).join("Maildir")
    }

    /// Delivers a message by LMTP. Lines may end in LF or CRLF.
    pub fn deliver(&self, user: &str, message: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.lmtp)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut expect = |code: &str| loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert!(line.starts_with(code), "LMTP: {line:?} instead of {code}");
            if line.as_bytes().get(3) == Some(&b' ') {
                break;
            }
        };
        let mut body = Vec::new();
        for line in message.split_inclusive(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.starts_with(b".") {
                body.push(b'.');
            }
            body.extend_from_slice(line);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b".\r\n");
        expect("220");
        for (say, code) in [
            ("LHLO test\r\n".to_owned(), "250"),
            ("MAIL FROM:<sender@example.org>\r\n".to_owned(), "250"),
            (format!("RCPT TO:<{user}>\r\n"), "250"),
            ("DATA\r\n".to_owned(), "354"),
        ] {
            stream.write_all(say.as_bytes()).unwrap();
            expect(code);
        }
        stream.write_all(&body).unwrap();
        expect("250");
    }

    /// Logs in without any of the product's code, runs commands, and returns what the server said to them before
    /// its tagged OK. For setting up mailboxes, and for looking at what the product did.
    pub fn run(&self, user: &str, commands: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.imap)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut said = String::new();
        reader.read_line(&mut said).unwrap();
        said.clear();
        let login = format!("LOGIN \"{user}\" \"{PASSWORD}\"");
        for command in std::iter::once(login.as_str()).chain(commands.iter().copied()) {
            stream.write_all(format!("T {command}\r\n").as_bytes()).unwrap();
            let mut line = Vec::new();
            while !line.starts_with(b"T ") {
                line.clear();
                assert_ne!(reader.read_until(b'\n', &mut line).unwrap(), 0, "closed after {command}: {said}");
                if !line.starts_with(b"T ") {
                    said.push_str(&String::from_utf8_lossy(&line));
                }
            }
            assert!(line.starts_with(b"T OK"), "{command}: {}", String::from_utf8_lossy(&line));
        }
        said
    }

    /// Runs the administration program on this instance, e.g. `kick` or `mailbox update`.
    pub fn doveadm(&self, arguments: &[&str]) {
        let output =
            Command::new("doveadm").arg("-c").arg(self.dir.join("dovecot.conf")).args(arguments).output().unwrap();
        assert!(output.status.success(), "doveadm {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn program() -> Option<PathBuf> {
    let candidates = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/usr/bin/dovecot"].map(PathBuf::from);
    let found = candidates.into_iter().find(|path| path.exists())?;
    let version = Command::new(&found).arg("--version").output().ok()?;
    // 2.4 has another configuration language.
    version.stdout.starts_with(b"2.3").then_some(found)
}

fn free_ports() -> [u16; 3] {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    matches!(stream.read(&mut [0]), Ok(1))
}

fn output_of(program: &str, argument: &str) -> String {
    String::from_utf8(Command::new(program).arg(argument).output().unwrap().stdout).unwrap().trim().to_owned()
}

/// Writes certificates and configuration. As root the servers run as Dovecot's own users and mail belongs to nobody;
/// as anybody else everything is theirs.
fn configure(dir: &Path, [imap, imaps, lmtp]: [u16; 3], settings: &str, special_use: bool) {
    let tls = certificates(&["localhost", "127.0.0.1"]);
    for (name, content) in [("ca.pem", &tls.ca), ("server.pem", &tls.certificate), ("server.key", &tls.key)] {
        std::fs::write(dir.join(name), content).unwrap();
    }
    // The mail user must be able to reach its mail below this directory.
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mail = dir.join("mail");
    std::fs::create_dir(&mail).unwrap();
    let me = output_of("id", "-un");
    let root = me == "root";
    let group = if root { "nogroup".to_owned() } else { output_of("id", "-gn") };
    let mail_user = if root { "nobody" } else { &me };
    let (internal, login) = if root { ("dovecot", "dovenull") } else { (me.as_str(), me.as_str()) };
    let internal_group = if root { "dovecot" } else { &group };
    if root {
        let chown = Command::new("chown").arg(format!("{mail_user}:{group}")).arg(&mail).status().unwrap();
        assert!(chown.success());
    }
    let dir = dir.display();
    let mut conf = format!(
        "base_dir = {dir}/run\nstate_dir = {dir}/state\ninstance_name = onward-{imap}\nlog_path = {dir}/dovecot.log\n\
         protocols = imap lmtp\nlisten = 127.0.0.1\nhostname = localhost\npostmaster_address = postmaster@localhost\n\
         default_internal_user = {internal}\ndefault_internal_group = {internal_group}\ndefault_login_user = {login}\n\
         first_valid_uid = 0\nfirst_valid_gid = 0\nmail_uid = {mail_user}\nmail_gid = {group}\n\
         mail_location = maildir:~/Maildir\nauth_mechanisms = plain login\nauth_username_format = %Ln\n\
         auth_failure_delay = 0\ndisable_plaintext_auth = no\nssl = yes\nssl_cert = <{dir}/server.pem\n\
         ssl_key = <{dir}/server.key\nmail_max_userip_connections = 100\nstats_writer_socket_path =\n"
    );
    let ids = if root { format!("uid={mail_user} gid={group} ") } else { String::new() };
    write!(
        conf,
        "passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
         userdb {{\n  driver = static\n  args = {ids}home={dir}/mail/%u allow_all_users=yes\n}}\n"
    )
    .unwrap();
    conf.push_str("namespace inbox {\n  inbox = yes\n  separator = /\n");
    for name in ["Drafts", "Sent", "Junk", "Trash", "Archive"].iter().filter(|_| special_use) {
        writeln!(conf, "  mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}").unwrap();
    }
    conf.push_str("}\n");
    write!(
        conf,
        "service imap-login {{\n  chroot =\n  inet_listener imap {{\n    port = {imap}\n  }}\n  \
         inet_listener imaps {{\n    port = {imaps}\n    ssl = yes\n  }}\n}}\n\
         service lmtp {{\n  user = {}\n  inet_listener lmtp {{\n    address = 127.0.0.1\n    port = {lmtp}\n  }}\n}}\n\
         service anvil {{\n  chroot =\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
         service auth {{\n  unix_listener auth-client {{\n    mode = 0666\n  }}\n}}\n\
         service stats {{\n  chroot =\n}}\nservice imap {{\n  process_limit = 200\n}}\n",
        if root { "root" } else { &me }
    )
    .unwrap();
    conf.push_str(settings);
    std::fs::write(format!("{dir}/dovecot.conf"), conf).unwrap();
}
