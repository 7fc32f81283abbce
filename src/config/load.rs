//! The two ways in: a file, or text.

use std::{fs, io, path::Path};

use super::{
    Config, Env, Files, OnDisk, Report,
    check::check,
    files::own,
    providers::{PROVIDERS_FILE, Providers},
    source::Source,
};

/// Largest configuration read, in bytes: a hundred times what a person writes.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// Reads and checks the configuration file, the files it names included.
pub fn load(path: &Path, env: &Env) -> Result<Config, Report> {
    let text = match read(path) {
        Ok(text) => text,
        Err((message, fix)) => {
            let mut source = Source::new(path, "");
            source.problem_of_file(message, fix);
            return Err(source.into_report());
        }
    };
    let mut source = Source::new(path, &text);
    if let Ok(meta) = fs::metadata(path) {
        for (message, fix) in own(path, &meta, env.uid) {
            source.problem_of_file(message, fix);
        }
    }
    finish(source, path, env, &OnDisk { uid: env.uid })
}

/// Checks a configuration's text; what it wants to know about files it asks `files`.
pub fn parse(path: &Path, text: &str, env: &Env, files: &dyn Files) -> Result<Config, Report> {
    finish(Source::new(path, text), path, env, files)
}

fn finish(mut source: Source<'_>, path: &Path, env: &Env, files: &dyn Files) -> Result<Config, Report> {
    let own = path.with_file_name("rules").join(PROVIDERS_FILE);
    let (providers, of_providers) = Providers::load(&own, files);
    let config = source.read().and_then(|raw| check(raw, &mut source, path, env, files, &providers));
    match config {
        Some(config) if source.is_clean() && of_providers.is_empty() => Ok(config),
        _ => {
            let mut report = source.into_report();
            report.problems.extend(of_providers);
            Err(report)
        }
    }
}

/// The text of a file of sensible size.
pub(super) fn read_bounded(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > CONFIG_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    fs::read_to_string(path)
}

/// The text of the file, or what is wrong and what to do.
fn read(path: &Path) -> Result<String, (String, String)> {
    read_bounded(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => (
            "there is no configuration file here".to_owned(),
            format!(
                "make a start with `onward config example > {0}`, then `chmod 600 {0}` and fill in what is yours",
                path.display()
            ),
        ),
        io::ErrorKind::InvalidData => ("the file is not UTF-8".to_owned(), "save it as UTF-8".to_owned()),
        io::ErrorKind::PermissionDenied => (
            "this user may not read the configuration".to_owned(),
            format!("check owner and mode: ls -l '{}'", path.display()),
        ),
        _ => (format!("the file cannot be read: {error}"), "check the path".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use serde_json::Value;
    use toml::Spanned;

    use super::super::{
        EXAMPLE, Unchecked,
        raw::{RawAccount, RawConfig, RawIdentity, RawKeyring, RawOAuth, RawPassword, RawServer},
    };
    use super::*;

    /// Every key there is, with a value in every optional table.
    fn every_key() -> Value {
        fn at<T>(value: T) -> Option<Spanned<T>> {
            Some(Spanned::new(0..0, value))
        }
        let keyring = RawKeyring::default();
        let password = RawPassword { keyring: at(keyring), ..RawPassword::default() };
        let oauth = RawOAuth { client_secret: at(RawPassword::default()), ..RawOAuth::default() };
        let token = at(RawPassword::default());
        let imap = RawServer { password: at(password), token, oauth: at(oauth), ..RawServer::default() };
        let account = RawAccount { imap: at(imap), smtp: at(RawServer::default()), ..RawAccount::default() };
        let raw = RawConfig {
            account: vec![Spanned::new(0..0, account)],
            identity: vec![Spanned::new(0..0, RawIdentity::default())],
            ..RawConfig::default()
        };
        serde_json::to_value(raw).unwrap()
    }

    fn key_names(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(key, value)| {
                into.push(key.clone());
                key_names(value, into);
            }),
            Value::Array(items) => items.iter().for_each(|item| key_names(item, into)),
            _ => {}
        }
    }

    #[test]
    fn the_example_names_every_key() {
        let mut names = Vec::new();
        key_names(&every_key(), &mut names);
        assert!(names.len() > 40, "{names:?}");
        for name in names {
            let told = EXAMPLE.lines().map(|line| line.trim_start_matches("# ")).any(|line| {
                let key = line.split([' ', '=', ']']).next().unwrap_or_default().trim_start_matches('[');
                key.split('.').any(|part| part == name)
                    || line.contains(&format!("{{ {name} ="))
                    || line.contains(&format!(", {name} ="))
            });
            assert!(told, "config.example.toml does not tell of `{name}`");
        }
    }

    #[test]
    fn any_text_is_judged_without_a_panic_and_in_bounded_size() {
        let env = Env { zone: TimeZone::UTC, ..Env::of_process() };
        let judge = |text: &str| parse(Path::new("config.toml"), text, &env, &Unchecked);
        let unknown: String = (0..3000).map(|n| format!("k{n} = 1\n")).collect();
        for text in ["", "\0", "[[account]]\n[[account]]", "account = 1", "[account]\n", "identity = [1, 2]", &unknown]
        {
            let report = judge(text).unwrap_err();
            assert!((1..=200).contains(&report.problems.len()), "{report}");
        }
        // A file that lost its end, and one whose every value has become another.
        let ends: Vec<usize> = EXAMPLE.char_indices().map(|(end, _)| end).step_by(37).collect();
        for end in ends {
            let (text, _) = EXAMPLE.split_at(end);
            assert!(judge(text).map_or_else(|report| !report.problems.is_empty(), |_| true), "{end}");
        }
        let bare = EXAMPLE.replace("\n# ", "\n");
        for value in ["true", "-1", "[[]]", "{}", "\"\"", "2026-11-22", "nan", "\"\u{202e}\""] {
            for line in bare.lines().filter(|line| line.contains(" = ")) {
                let (key, _) = line.split_once(" = ").unwrap();
                let text = EXAMPLE.replace(line, &format!("{key} = {value}"));
                if let Err(report) = judge(&text) {
                    assert!(!report.problems.is_empty() && !report.to_string().contains('\u{202e}'), "{report}");
                }
            }
        }
    }
}
