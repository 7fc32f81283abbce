//! The mirror of `config.toml`: what may stand in the file, as it is written, with places. It must not judge: that is
//! `check`. Everything may be missing, so that every problem can be found in one go.

use serde::{Deserialize, Deserializer, Serialize, de};
use toml::Spanned;

/// A value that may be missing, with its place in the file.
pub(super) type At<T> = Option<Spanned<T>>;

/// The file.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawConfig {
    pub account: Vec<Spanned<RawAccount>>,
    pub identity: Vec<Spanned<RawIdentity>>,
    pub reply: RawReply,
    pub telling: RawTelling,
    pub notes: RawNotes,
    pub rules: RawRules,
    pub log: RawLog,
    pub store: RawStore,
}

/// `[[account]]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAccount {
    pub name: At<String>,
    pub maildir: At<String>,
    pub mailboxes: At<Vec<Spanned<String>>>,
    pub junk: At<String>,
    pub look_back: At<String>,
    pub poll: At<String>,
    pub drafts: At<String>,
    pub sent: At<String>,
    pub authserv_id: At<String>,
    pub sent_copy: At<String>,
    pub identity: At<String>,
    pub imap: At<RawServer>,
    pub smtp: At<RawServer>,
}

/// `[account.imap]` and `[account.smtp]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawServer {
    pub host: At<String>,
    pub port: At<i64>,
    pub tls: At<String>,
    pub user: At<String>,
    pub ca_file: At<String>,
    pub password: At<RawPassword>,
    pub token: At<RawPassword>,
    pub oauth: At<RawOAuth>,
}

/// `oauth`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawOAuth {
    pub provider: At<String>,
    pub client_id: At<String>,
    pub client_secret: At<RawPassword>,
    pub token_url: At<String>,
    pub auth_url: At<String>,
    pub device_url: At<String>,
    pub scopes: At<Vec<Spanned<String>>>,
}

/// `password`, `token` or `client_secret`: one of the sources, or the text that must not be there.
#[derive(Debug, Default, Serialize)]
pub(super) struct RawPassword {
    /// A password stood there in clear; it is dropped while reading.
    #[serde(skip)]
    pub in_clear: bool,
    pub credential: At<String>,
    pub command: At<Vec<String>>,
    pub file: At<String>,
    pub keyring: At<RawKeyring>,
}

/// `password.keyring`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawKeyring {
    pub service: At<String>,
    pub user: At<String>,
}

/// `[[identity]]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawIdentity {
    pub name: At<String>,
    pub addresses: At<Vec<Spanned<String>>>,
    pub language: At<String>,
}

/// `[reply]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawReply {
    pub enabled: Option<bool>,
    pub deliver: At<String>,
    pub follow_up: At<String>,
    pub follow_up_interview: At<String>,
    pub keep_in_touch: At<String>,
}

/// `[telling]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTelling {
    pub reading_hour: At<String>,
    pub days: At<Vec<Spanned<String>>>,
    pub time_zone: At<String>,
    pub quiet: At<String>,
    pub hold: RawHold,
}

/// `[telling.hold]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHold {
    pub after_application: At<String>,
    pub after_interview: At<String>,
    pub after_final: At<String>,
}

/// `[notes]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawNotes {
    pub enabled: Option<bool>,
    pub language: At<String>,
}

/// `[rules]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRules {
    pub disable: Vec<Spanned<String>>,
}

/// `[log]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLog {
    pub level: At<String>,
}

/// `[store]`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    pub path: At<String>,
    pub keep_mail: At<String>,
}

/// A table of sources, or a text. Written by hand because serde's own message would quote the password.
impl<'de> Deserialize<'de> for RawPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawPassword, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Sources {
            credential: At<String>,
            command: At<Vec<String>>,
            file: At<String>,
            keyring: At<RawKeyring>,
        }

        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = RawPassword;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a source")
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<RawPassword, E> {
                Ok(RawPassword { in_clear: true, ..RawPassword::default() })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RawPassword, A::Error> {
                let Sources { credential, command, file, keyring } =
                    Sources::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(RawPassword { in_clear: false, credential, command, file, keyring })
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
