//! Where passwords come from; values that never show in `Debug`, logs or errors.
//!
//! It reads secrets when they are needed and keeps none. It must not write any.

use std::{fmt, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};

/// Longest secret taken, in bytes: more is not a password but the wrong file.
pub const SECRET_BYTES_MAX: usize = 4096;
/// How long a password command may take: enough to type the passphrase of a warm agent, too short to hang the daemon.
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
                write!(f, "the command `{}`", crate::clean::line(argv.first().map_or("", String::as_str)))
            }
            SecretSource::File(path) => write!(f, "the file `{}`", crate::clean::line(&path.display().to_string())),
            SecretSource::Keyring { service, .. } => write!(f, "the keyring entry of `{service}`"),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretSource({self})")
    }
}
