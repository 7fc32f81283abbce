//! Where passwords and tokens come from; values that never show in `Debug`, logs or errors.
//!
//! It reads secrets when they are needed and keeps none. It must not write any.

use std::{
    fmt,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

use crate::{
    clean,
    config::{Env, Files as _, OnDisk},
};

/// Longest secret taken, in bytes: more is not a password but the wrong file.
pub const SECRET_BYTES_MAX: usize = 4096;
/// How long a password command may take: enough for an unlocked agent, too short to hang the daemon.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// A password or token. It is wiped from memory when dropped and never printed.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value into protection.
    pub fn new(value: String) -> Secret {
        Secret(SecretString::from(value))
    }

    /// The value, for the one place that sends it to a server over a protected connection.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is shown to a server to be let in.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A password.
    Password(Secret),
    /// An access token of OAuth 2.0.
    Token(Secret),
}

/// Where a password comes from. No variant holds the password itself.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A systemd credential (`LoadCredential=`).
    Credential {
        /// Its name.
        name: String,
        /// `$CREDENTIALS_DIRECTORY`; `None` outside of systemd.
        directory: Option<PathBuf>,
    },
    /// A program and its arguments, run without a shell; its output is the password.
    Command(Vec<String>),
    /// A file of the user's own, mode 0600, that holds the password alone.
    File(PathBuf),
    /// An entry of the desktop keyring.
    Keyring {
        /// The service it is stored under.
        service: String,
        /// The user it is stored under.
        user: String,
    },
}

/// The source in a few words. Arguments of a command are left out: somebody may have put a secret there.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Credential { name, .. } => write!(f, "the credential `{name}`"),
            SecretSource::Command(argv) => {
                write!(f, "the command `{}`", clean::line(argv.first().map_or("", String::as_str)))
            }
            SecretSource::File(path) => write!(f, "the file `{}`", clean::line(&path.display().to_string())),
            SecretSource::Keyring { service, .. } => write!(f, "the keyring entry of `{service}`"),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSource({self})")
    }
}

/// Most characters shown of what a failing command says.
const DETAIL_CHARS_MAX: usize = 160;

/// Why there is no password. Never holds one: of a command's words only the first line of standard error is kept.
#[derive(Debug, thiserror::Error)]
#[error("no password or token from {source_text}: {why}")]
pub struct SecretError {
    source_text: String,
    why: String,
}

impl SecretError {
    fn new(source: &SecretSource, why: impl Into<String>) -> SecretError {
        SecretError { source_text: source.to_string(), why: why.into() }
    }
}

/// Reads the password from where it is kept. One line end after it is taken off; an empty one is an error.
pub async fn read(source: &SecretSource) -> Result<Secret, SecretError> {
    read_within(source, COMMAND_TIMEOUT).await
}

/// [`read`] with a deadline of the caller's for commands.
pub async fn read_within(source: &SecretSource, deadline: Duration) -> Result<Secret, SecretError> {
    let bytes = match source {
        SecretSource::Credential { name, directory: Some(directory) } => of_file(&directory.join(name)),
        SecretSource::Credential { name, directory: None } => Err(format!(
            "systemd passed none: add LoadCredential={name}:/path to the unit, or use another source outside of systemd"
        )),
        SecretSource::Command(argv) => of_command(argv, deadline).await,
        SecretSource::File(path) => of_private_file(path),
        SecretSource::Keyring { service, user } => of_keyring(service, user).await,
    };
    bytes.and_then(cleaned).map_err(|why| SecretError::new(source, why))
}

/// The password in what was read.
fn cleaned(mut bytes: Vec<u8>) -> Result<Secret, String> {
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(format!("it is longer than {SECRET_BYTES_MAX} bytes: this is not a password"));
    }
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
        return Err("it has more than one line: only the password may stand there".to_owned());
    }
    // The error of `from_utf8` is dropped, because it owns the bytes and shows them.
    String::from_utf8(bytes).map(Secret::new).map_err(|_| "it is not UTF-8".to_owned())
}

/// A file systemd placed: it sees to owner and mode itself.
fn of_file(path: &Path) -> Result<Vec<u8>, String> {
    let limited = |file: std::fs::File| {
        let mut bytes = Vec::new();
        file.take(SECRET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map(|_| bytes)
    };
    std::fs::File::open(path).and_then(limited).map_err(|error| error.kind().to_string())
}

/// A file of the user's: checked again at every reading, because it may have changed since the start.
fn of_private_file(path: &Path) -> Result<Vec<u8>, String> {
    OnDisk { uid: Env::of_process().uid }.private(path).map_err(|(what, fix)| format!("{what}; {fix}"))?;
    of_file(path)
}

/// Runs a command without a shell, with nothing to read, and ends it when it takes too long.
async fn of_command(argv: &[String], deadline: Duration) -> Result<Vec<u8>, String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("it names no program".to_owned()) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "there is no such program".to_owned(),
            kind => kind.to_string(),
        })?;
    let limit = SECRET_BYTES_MAX as u64 + 1;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (mut secret, mut complaint) = (Vec::new(), Vec::new());
    let run = async {
        let read_out = async {
            match out {
                Some(out) => out.take(limit).read_to_end(&mut secret).await.map(drop),
                None => Ok(()),
            }
        };
        let read_err = async {
            match err {
                Some(err) => err.take(limit).read_to_end(&mut complaint).await.map(drop),
                None => Ok(()),
            }
        };
        tokio::try_join!(read_out, read_err)?;
        child.wait().await
    };
    let status = match timeout(deadline, run).await {
        Ok(status) => status.map_err(|error| error.kind().to_string())?,
        Err(_) => {
            // Best effort: a child that cannot be killed is reaped by the runtime.
            let _ = child.kill().await;
            return Err(format!("it did not answer within {} s; was it waiting for a passphrase?", deadline.as_secs()));
        }
    };
    // One that wrote more than the limit may have died of the closed pipe; the length is the better explanation.
    if !status.success() && secret.len() <= SECRET_BYTES_MAX {
        let complaint = String::from_utf8_lossy(&complaint);
        let first = clean::line_within(complaint.lines().next().unwrap_or_default(), DETAIL_CHARS_MAX);
        return Err(format!("it failed ({status}) {first}").trim_end().to_owned());
    }
    Ok(secret)
}

#[cfg(feature = "keyring")]
async fn of_keyring(service: &str, user: &str) -> Result<Vec<u8>, String> {
    let (service, user) = (service.to_owned(), user.to_owned());
    let read = move || keyring::Entry::new(&service, &user).and_then(|entry| entry.get_secret());
    let result = tokio::task::spawn_blocking(read).await.map_err(|_| "the keyring did not answer".to_owned())?;
    // Some of the library's errors carry the stored bytes, so only what kind it is gets out.
    result.map_err(|error| match error {
        keyring::Error::NoEntry => "there is no such entry".to_owned(),
        keyring::Error::NoStorageAccess(_) => "the keyring is locked".to_owned(),
        _ => "the keyring could not be read".to_owned(),
    })
}

#[cfg(not(feature = "keyring"))]
async fn of_keyring(_: &str, _: &str) -> Result<Vec<u8>, String> {
    Err("this build cannot read the desktop keyring: build with `--features keyring`".to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const CANARY: &str = "canary-4711";

    fn command(argv: &[&str]) -> SecretSource {
        SecretSource::Command(argv.iter().map(|arg| (*arg).to_owned()).collect())
    }

    #[tokio::test]
    async fn a_command_gives_one_line_or_an_error_without_the_secret() {
        let sh = |script: &str| command(&["sh", "-c", script]);
        for (source, expected) in [
            (command(&["echo", CANARY]), Ok(CANARY)),
            (command(&["printf", CANARY]), Ok(CANARY)),
            (sh("printf 'canary-4711\\r\\n'"), Ok(CANARY)),
            (command(&["printf", " spaces stay "]), Ok(" spaces stay ")),
            // Without a shell `$HOME` and `;` are ordinary characters.
            (command(&["echo", "$HOME; id"]), Ok("$HOME; id")),
            (command(&["true"]), Err("it is empty")),
            (command(&["echo"]), Err("it is empty")),
            (sh("printf 'canary-4711\\nx\\n'"), Err("more than one line")),
            (sh("echo canary-4711; echo 'gpg: \u{1b}[31mno key' >&2; echo second >&2; exit 2"), Err("gpg: [31mno key")),
            (command(&["no-such-program-here", CANARY]), Err("no such program")),
            (sh("yes canary-4711"), Err("longer than")),
            (sh("printf 'canary-4711\\377'"), Err("not UTF-8")),
        ] {
            match (read(&source).await, expected) {
                (Ok(secret), Ok(expected)) => assert_eq!(secret.expose(), expected),
                (Err(error), Err(expected)) => {
                    let text = format!("{error} {error:?} {source:?}");
                    assert!(text.contains(expected), "{text}");
                    assert!(!text.contains(CANARY) && !text.contains("second"), "{text}");
                }
                (got, expected) => panic!("{got:?} instead of {expected:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("pid");
        let script = format!("echo $$ > '{}'; exec sleep 600", pid_file.display());
        let source = command(&["sh", "-c", &script]);
        let error = read_within(&source, Duration::from_secs(2)).await.unwrap_err();
        assert!(error.to_string().contains("did not answer"), "{error}");
        let pid = std::fs::read_to_string(pid_file).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        assert!(status.is_err(), "still there: {status:?}");
    }

    #[tokio::test]
    async fn a_file_must_be_the_users_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "canary-4711\n").unwrap();
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for (file, bits, expected) in [
            (&path, 0o600, None),
            (&path, 0o400, None),
            (&path, 0o640, Some("can be read by others")),
            (&path, 0o604, Some("can be read by others")),
            (&link, 0o600, Some("symbolic link")),
            (&dir.path().to_path_buf(), 0o600, Some("not a file")),
            (&dir.path().join("none"), 0o600, Some("does not exist")),
        ] {
            mode(bits);
            match (read(&SecretSource::File(file.clone())).await, expected) {
                (Ok(secret), None) => assert_eq!(secret.expose(), CANARY),
                (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                (got, expected) => panic!("{} {bits:o}: {got:?} instead of {expected:?}", file.display()),
            }
        }
    }

    #[tokio::test]
    async fn a_credential_comes_from_systemds_directory() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("imap-password"), CANARY).unwrap();
        let source = |directory| SecretSource::Credential { name: "imap-password".to_owned(), directory };
        assert_eq!(read(&source(Some(dir.path().to_path_buf()))).await.unwrap().expose(), CANARY);
        let error = read(&source(None)).await.unwrap_err().to_string();
        assert!(error.contains("LoadCredential=imap-password"), "{error}");
        assert_eq!(format!("{:?}", Secret::new(CANARY.to_owned())), "Secret(…)");
    }
}
