//! A person's home with nothing in it but what the test put there, and the program run in it. Every run checks that
//! nothing steers the terminal, whatever mail was read.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::Value;
use tempfile::TempDir;

/// A home directory for one test.
pub struct Home {
    dir: TempDir,
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    /// Its exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Both streams, for a look at what the person reads.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// The lines of standard output as JSON objects.
    pub fn json(&self) -> Vec<Value> {
        let object = |line: &str| match serde_json::from_str(line) {
            Ok(value @ Value::Object(_)) => value,
            other => panic!("no JSON object: {line}\n{other:?}"),
        };
        self.out.lines().map(object).collect()
    }
}

/// The project's file or folder of that name below `tests/cli/`.
pub fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli").join(name)
}

/// The sample mails, by name.
pub fn mails(folder: &str) -> Vec<PathBuf> {
    let mut mails: Vec<PathBuf> = fs::read_dir(data(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    mails.sort();
    assert!(!mails.is_empty());
    mails
}

impl Home {
    /// A home without a configuration.
    pub fn empty() -> Home {
        Home { dir: tempfile::tempdir().unwrap() }
    }

    /// A home with a configuration that watches an empty Maildir, so that no network is needed.
    pub fn set_up() -> Home {
        let home = Home::empty();
        for sub in ["cur", "new", "tmp"] {
            fs::create_dir_all(home.path("Maildir").join(sub)).unwrap();
        }
        home.write(".config/onward/config.toml", configuration());
        home
    }

    /// A home in which the sample mails were imported in the order of their names.
    pub fn with_mail() -> Home {
        static STATE: OnceLock<Vec<u8>> = OnceLock::new();
        const DATABASE: &str = ".local/state/onward/onward.db";
        let database = STATE.get_or_init(|| {
            let home = Home::set_up();
            let said = home.run(&["import", home.recent("mail").to_str().unwrap()]);
            assert_eq!(said.code, Some(0), "{said:?}");
            fs::read(home.path(DATABASE)).unwrap()
        });
        let home = Home::set_up();
        home.write(DATABASE, database);
        home
    }

    /// A copy of a folder of mails, moved by whole weeks so that the latest of them came within the last seven days: what
    /// came long ago is not answered.
    pub fn recent(&self, folder: &str) -> PathBuf {
        const LATEST: &str = "2026-11-14T00:00:00Z";
        let day = SignedDuration::from_hours(24);
        let weeks = Timestamp::now().duration_since(LATEST.parse().unwrap()).as_hours().div_euclid(7 * 24);
        let moved = |line: &[u8]| {
            let date = std::str::from_utf8(line.strip_prefix(b"Date: ")?).ok()?;
            let date = jiff::fmt::rfc2822::parse(date.trim()).unwrap();
            let date = date.timestamp() + 7 * i32::try_from(weeks).unwrap() * day;
            Some(date.strftime("Date: %a, %d %b %Y %H:%M:%S +0000\n").to_string().into_bytes())
        };
        let copy = self.path("import").join(folder);
        fs::create_dir_all(&copy).unwrap();
        for mail in mails(folder) {
            let bytes = fs::read(&mail).unwrap();
            let lines = bytes.split_inclusive(|b| *b == b'\n').map(|line| moved(line).unwrap_or_else(|| line.to_vec()));
            fs::write(copy.join(mail.file_name().unwrap()), lines.collect::<Vec<_>>().concat()).unwrap();
        }
        copy
    }

    /// A path below the home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that only its owner may read.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The program with nothing of the surroundings but this home.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onward"));
        command.current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path()).env("TZ", "UTC").args(args);
        for name in ["PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, args: &[&str]) -> Said {
        self.answering(args, "", &[])
    }

    /// Runs the program with these words, split at white space.
    pub fn line(&self, line: &str) -> Said {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the program with this on its standard input and these variables.
    pub fn answering(&self, args: &[&str], stdin: impl AsRef<[u8]>, env: &[(&str, &str)]) -> Said {
        let mut command = self.command(args);
        command.envs(env.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that reads nothing closes the pipe before all is written.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_ref());
        let ended = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_else(|e| panic!("{args:?}: no UTF-8: {e}"));
        let said = Said { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) };
        let steers = |c: char| {
            (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!said.all().contains(steers), "{args:?} steers the terminal: {:?}", said.all());
        assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
        said
    }

    /// Notes that the configured servers can send, as `onward send --test` does.
    pub fn prove_smtp(&self) {
        let [config, state] = [".config/onward/config.toml", ".local/state/onward"].map(|name| self.path(name));
        super::prove_smtp(self.dir.path(), &config, &state);
    }

    /// The digest `draft show` prints.
    pub fn digest(&self, draft: &str) -> String {
        let said = self.run(&["draft", "show", draft, "--json"]);
        said.json()[0]["digest"].as_str().unwrap().to_owned()
    }

    /// The state of a draft.
    pub fn state(&self, draft: &str) -> String {
        self.run(&["draft", "show", draft, "--json"]).json()[0]["state"].as_str().unwrap().to_owned()
    }
}

/// A configuration whose reading hour is always days away, so that what is held stays held while a test runs.
fn configuration() -> String {
    let day = Timestamp::now().to_zoned(TimeZone::UTC).date().checked_add(3.days()).unwrap().weekday();
    let day = format!("{day:?}").to_lowercase();
    let (day, _) = day.split_at(3);
    format!(
        "[[identity]]\nname = \"Robin Hale\"\naddresses = [\"robin@example.com\"]\n\n[[account]]\nname = \"home\"\n\
         maildir = \"~/Maildir\"\n\n[telling]\ndays = [\"{day}\"]\ntime_zone = \"Europe/Berlin\"\n"
    )
}
