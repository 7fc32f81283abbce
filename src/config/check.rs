//! From the mirror of the file to a [`Config`]: every value judged, every contradiction reported with a fix.

use std::{fmt::Display, ops::Range, path::Path, str::FromStr, time::Duration};

use jiff::{
    civil::{Time, Weekday},
    tz::TimeZone,
};
use toml::Spanned;

use super::{
    Config, Deliver, Env, Files, Hold, LogLevel, Notes, Reply, Rules, Telling,
    files::resolve,
    raw::{At, RawConfig, RawIdentity, RawNotes, RawReply, RawRules, RawTelling},
    source::Source,
    suggest::nearest,
    value::{DAYS, duration, is_address, is_language},
};
use crate::{
    outcome::{Stage, UnknownName},
    reply::Identity,
};

/// What judging needs at every turn.
pub(super) struct Checker<'a, 'text> {
    pub source: &'a mut Source<'text>,
    pub file: &'a Path,
    pub env: &'a Env,
    pub files: &'a dyn Files,
}

/// Judges the whole file. `None` only after a problem was reported.
pub(super) fn check(
    raw: RawConfig,
    source: &mut Source<'_>,
    file: &Path,
    env: &Env,
    files: &dyn Files,
) -> Option<Config> {
    let mut checker = Checker { source, file, env, files };
    let identities = checker.identities(raw.identity);
    let reply = checker.reply(raw.reply);
    let accounts = checker.accounts(raw.account, &identities, &reply);
    let telling = checker.telling(raw.telling);
    let notes = checker.notes(raw.notes);
    let rules = checker.rules(raw.rules);
    let log_level = checker.named(raw.log.level, LogLevel::Info);
    let store = match raw.store.path {
        Some(path) => Some(checker.path(path.get_ref())),
        None => match env.state_dir() {
            Ok(directory) => Some(directory.join("onward.db")),
            Err(error) => {
                checker.source.problem_of_file(error.to_string(), "or name the database file under [store] path");
                None
            }
        },
    };
    Some(Config {
        file: file.to_path_buf(),
        accounts,
        identities,
        reply,
        telling,
        notes,
        rules,
        log_level,
        store: store?,
    })
}

impl Checker<'_, '_> {
    fn identities(&mut self, raw: Vec<Spanned<RawIdentity>>) -> Vec<Identity> {
        if raw.is_empty() {
            self.source.missing(
                &(0..0),
                "identity",
                "there is no [[identity]]: nobody to write replies as",
                "add [[identity]] with name and addresses",
            );
        }
        let mut seen = Vec::new();
        raw.into_iter().filter_map(|identity| self.identity(identity, &mut seen)).collect()
    }

    fn identity(&mut self, raw: Spanned<RawIdentity>, seen: &mut Vec<String>) -> Option<Identity> {
        let (at, raw) = (raw.span(), raw.into_inner());
        let name = self.text(&at, "name", raw.name, "an identity needs a name", "name = \"Sam Doe\"");
        let language = self.language(raw.language).unwrap_or_else(|| "en".to_owned());
        let Some(addresses) = raw.addresses.filter(|list| !list.get_ref().is_empty()) else {
            let fix = "addresses = [\"sam@example.org\"]";
            self.source.missing(&at, "addresses", "an identity needs at least one address", fix);
            return None;
        };
        let mut good = Vec::new();
        for address in addresses.into_inner() {
            let (at, address) = (address.span(), address.into_inner());
            let key = address.to_lowercase();
            if !is_address(&address) {
                let message = "this is not a mail address";
                self.source.problem(at, message, "write it bare, without name and brackets: sam@example.org");
            } else if seen.contains(&key) {
                self.source.problem(at, "this address stands here for the second time", "leave it in one identity");
            } else {
                seen.push(key);
                good.push(address);
            }
        }
        Some(Identity { name: name?, addresses: good, language })
    }

    fn reply(&mut self, raw: RawReply) -> Reply {
        Reply { enabled: raw.enabled.unwrap_or(true), deliver: self.named(raw.deliver, Deliver::Drafts) }
    }

    fn telling(&mut self, raw: RawTelling) -> Telling {
        let reading_hour = match raw.reading_hour {
            Some(hour) => match hour.get_ref().parse::<Time>() {
                Ok(time) => time,
                Err(_) => {
                    self.source.problem(hour.span(), "this is not a time of day", "write hours and minutes: \"10:00\"");
                    Time::midnight()
                }
            },
            None => Time::constant(10, 0, 0, 0),
        };
        let days = match raw.days {
            Some(days) => self.days(days),
            None => DAYS.iter().map(|(_, day)| *day).take(5).collect(),
        };
        let zone = self.zone(raw.time_zone);
        let day = Duration::from_secs(24 * 3600);
        let mut hold = Hold {
            after_application: Duration::ZERO,
            after_assessment: Duration::ZERO,
            after_interview: day,
            after_final: 2 * day,
            unknown: Duration::ZERO,
        };
        for (stage, text) in raw.hold {
            let (stage, duration) = (self.name_at::<Stage>(&stage), self.duration(Some(text)));
            let (Some(stage), Some(duration)) = (stage, duration) else { continue };
            *match stage {
                Stage::AfterApplication => &mut hold.after_application,
                Stage::AfterAssessment => &mut hold.after_assessment,
                Stage::AfterInterview => &mut hold.after_interview,
                Stage::AfterFinal => &mut hold.after_final,
                Stage::Unknown => &mut hold.unknown,
            } = duration;
        }
        Telling { reading_hour, days, zone, hold }
    }

    fn days(&mut self, raw: Spanned<Vec<Spanned<String>>>) -> Vec<Weekday> {
        let at = raw.span();
        let known = DAYS.map(|(name, _)| name).join(", ");
        let mut wanted = Vec::new();
        for day in raw.into_inner() {
            match DAYS.iter().find(|(name, _)| name == day.get_ref()) {
                Some((_, weekday)) => wanted.push(*weekday),
                None => self.source.problem(
                    day.span(),
                    format!("`{}` is no day", day.get_ref()),
                    format!("use some of: {known}"),
                ),
            }
        }
        if wanted.is_empty() {
            self.source.problem(at, "there is no day left to tell anything on", format!("name some of: {known}"));
        }
        DAYS.iter().map(|(_, day)| *day).filter(|day| wanted.contains(day)).collect()
    }

    fn zone(&mut self, raw: At<String>) -> TimeZone {
        let Some(name) = raw.filter(|name| name.get_ref() != "system") else { return self.env.zone.clone() };
        TimeZone::get(name.get_ref()).unwrap_or_else(|_| {
            self.source.problem(
                name.span(),
                format!("the time zone `{}` is not known here", name.get_ref()),
                "use \"system\" or a name such as \"Europe/Berlin\"",
            );
            TimeZone::UTC
        })
    }

    fn notes(&mut self, raw: RawNotes) -> Notes {
        Notes { enabled: raw.enabled.unwrap_or(true), language: self.language(raw.language) }
    }

    fn rules(&mut self, raw: RawRules) -> Rules {
        let mut disable = Vec::new();
        for name in raw.disable {
            if super::value::is_name(name.get_ref()) {
                disable.push(name.into_inner());
            } else {
                let fix = "write the name of a rule file without folder and ending; `onward rules list` shows them";
                self.source.problem(name.span(), "this is not the name of a rule file", fix);
            }
        }
        Rules { disable }
    }

    fn language(&mut self, raw: At<String>) -> Option<String> {
        let language = raw?;
        if is_language(language.get_ref()) {
            return Some(language.into_inner());
        }
        let message = format!("`{}` is not a language code", language.get_ref());
        self.source.problem(language.span(), message, "use two lower-case letters, e.g. \"en\" or \"de\"");
        None
    }

    /// One of the names of a vocabulary, or its default.
    pub fn named<T: FromStr<Err = UnknownName>>(&mut self, raw: At<String>, default: T) -> T {
        raw.and_then(|name| self.name_at(&name)).unwrap_or(default)
    }

    fn name_at<T: FromStr<Err = UnknownName>>(&mut self, name: &Spanned<String>) -> Option<T> {
        match name.get_ref().parse() {
            Ok(value) => Some(value),
            Err(UnknownName { given, known }) => {
                let fix = match nearest(&given, known.iter().copied()) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("use one of: {}", known.join(", ")),
                };
                self.source.problem(name.span(), format!("`{given}` is not possible here"), fix);
                None
            }
        }
    }

    /// A text that must be there, on one line and not blank.
    pub fn text(
        &mut self,
        table: &Range<usize>,
        key: &str,
        raw: At<String>,
        why: impl Display,
        fix: &str,
    ) -> Option<String> {
        let Some(text) = raw else {
            self.source.missing(table, key, why.to_string(), fix);
            return None;
        };
        let (at, text) = (text.span(), text.into_inner());
        if text.trim().is_empty() || text != crate::clean::line(&text) {
            self.source.problem(at, format!("`{key}` must be one line of plain text, not blank"), fix);
            return None;
        }
        Some(text)
    }

    /// A duration with its unit; `None` when it is missing or none.
    pub fn duration(&mut self, raw: At<String>) -> Option<Duration> {
        let text = raw?;
        let found = duration(text.get_ref());
        if found.is_none() {
            let message = format!("`{}` is not a duration of at most ten years", text.get_ref());
            self.source.problem(text.span(), message, "write a whole number and a unit: 90s, 10m, 24h, 30d, 2w");
        }
        found
    }

    /// A path as written, made absolute.
    pub fn path(&self, written: &str) -> std::path::PathBuf {
        resolve(written, self.file, self.env.home.as_deref())
    }
}
