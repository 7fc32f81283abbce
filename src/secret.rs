//! Where passwords come from; values that never show in `Debug`, logs or errors.

use secrecy::{ExposeSecret, SecretString};

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

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
