//! Reads `config.toml`: all problems in one report, with file, line and fix.

use std::path::PathBuf;

use crate::outcome::named;

named! {
    /// How a connection is protected.
    pub enum Tls {
        /// TLS from the first byte (993, 465).
        Implicit = "implicit",
        /// STARTTLS, demanded: without it nothing is sent (143, 587).
        StartTls = "starttls",
        /// No TLS, only to a loopback address and only when asked for: local bridges and tests.
        NoneLoopback = "none-loopback",
    }
}

/// Where a server is and how the connection to it is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection.
    pub tls: Tls,
    /// A private CA (PEM) to trust instead of the system's, for bridges and own servers.
    pub ca_file: Option<PathBuf>,
}
