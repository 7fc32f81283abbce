//! From the mirror of the file to a [`Config`]: every value judged, every contradiction reported with a fix.

use std::{fmt::Display, ops::Range, path::Path, str::FromStr, time::Duration};

use jiff::{
    SignedDuration,
    civil::{Time, Weekday},
    tz::TimeZone,
};
use toml::Spanned;

use super::{
    Config, Deliver, Env, Files, LogLevel, Notes, Reply, Rules,
    files::resolve,
    oauth,
    providers::Providers,
    raw::{At, RawConfig, RawIdentity, RawNotes, RawReply, RawRules, RawTelling},
    source::Source,
    suggest::nearest,
    value::{DAYS, duration, is_address, is_language},
};
use crate::{
    outcome::UnknownName,
    reply::{Identity, later::After},
    telling::{Hold, TellingPolicy},
};

/// Longest hold, in hours, 30 days: by then the employer has forgotten too.
const HOLD_HOURS_MAX: u16 = 30 * 24;

/// How long the octets of a mail are kept unless something else is asked for, 30 days: a correction made by then can
/// still be learned from, and a new rule be tried on them.
const KEEP_MAIL_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Shortest time they are kept: a mail that is gone before the person has looked cannot be judged again.
const KEEP_MAIL_MIN: Duration = Duration::from_secs(24 * 3600);
/// What switches an offer off.
const NEVER: &str = "never";
/// Soonest question after a silence, in days: employers take a week for an answer they mean to give.
const FOLLOW_UP_DAYS_MIN: i64 = 5;
/// Soonest sign of life after a no, in days.
const KEEP_IN_TOUCH_DAYS_MIN: i64 = 30;

/// What judging needs at every turn.
pub(super) struct Checker<'a, 'text> {
    pub source: &'a mut Source<'text>,
    pub file: &'a Path,
    pub env: &'a Env,
    pub files: &'a dyn Files,
    pub providers: &'a Providers,
}

/// Judges the whole file. `None` only after a problem was reported.
pub(super) fn check(
    raw: RawConfig,
    source: &mut Source<'_>,
    file: &Path,
    env: &Env,
    files: &dyn Files,
    providers: &Providers,
) -> Option<Config> {
    let mut checker = Checker { source, file, env, files, providers };
    let identities = checker.identities(raw.identity);
    let reply = checker.reply(raw.reply);
    let mut accounts = checker.accounts(raw.account, &identities, &reply);
    let telling = checker.telling(raw.telling);
    let notes = checker.notes(raw.notes);
    let rules = checker.rules(raw.rules);
    let log_level = checker.named(raw.log.level, LogLevel::Info);
    let store = match raw.store.path {
        Some(path) => Some(checker.path(path.get_ref())),
        None => match env.state_dir() {
            Ok(directory) => Some(directory.join(super::DATABASE)),
            Err(error) => {
                checker.source.problem_of_file(error.to_string(), "or name the database file under [store] path");
                None
            }
        },
    };
    if let Some(store) = &store {
        oauth::place_grants(&mut accounts, store);
    }
    let keep_mail = checker.keep_mail(raw.store.keep_mail);
    let hints = checker.source.take_hints();
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
        keep_mail,
        hints,
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
        Reply {
            enabled: raw.enabled.unwrap_or(true),
            deliver: self.named(raw.deliver, Deliver::Drafts),
            later: After {
                application: self.after(raw.follow_up, 14, FOLLOW_UP_DAYS_MIN),
                interview: self.after(raw.follow_up_interview, 10, FOLLOW_UP_DAYS_MIN),
                sign_of_life: self.after(raw.keep_in_touch, 90, KEEP_IN_TOUCH_DAYS_MIN),
            },
        }
    }

    /// After how long something is offered: days or weeks, or `never`.
    fn after(&mut self, raw: At<String>, default: i64, fewest: i64) -> Option<SignedDuration> {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let Some(raw) = raw else { return Some(days(default)) };
        if raw.get_ref() == NEVER {
            return None;
        }
        let at = raw.span();
        match duration(raw.get_ref()).and_then(|duration| SignedDuration::try_from(duration).ok()) {
            Some(after) if after >= days(fewest) => Some(after),
            Some(_) => {
                let message = "that is too soon: who asks again after a few days is a nuisance";
                self.source.problem(at, message, format!("write {fewest}d or more, or \"{NEVER}\""));
                None
            }
            None => {
                let message = format!("`{}` is neither a duration nor \"{NEVER}\"", raw.get_ref());
                self.source.problem(at, message, format!("write days or weeks, e.g. \"{default}d\", or \"{NEVER}\""));
                None
            }
        }
    }

    fn telling(&mut self, raw: RawTelling) -> TellingPolicy {
        TellingPolicy {
            reading_time: raw
                .reading_hour
                .and_then(|hour| self.time(hour.span(), hour.get_ref()))
                .unwrap_or(Time::constant(10, 0, 0, 0)),
            days: match raw.days {
                Some(days) => self.days(days),
                None => DAYS.iter().map(|(_, day)| *day).take(5).collect(),
            },
            zone: self.zone(raw.time_zone),
            quiet: raw.quiet.and_then(|quiet| self.quiet(quiet)),
            hold: Hold {
                after_application: self.hold(raw.hold.after_application, 0),
                after_interview: self.hold(raw.hold.after_interview, 24),
                after_final: self.hold(raw.hold.after_final, 48),
            },
        }
    }

    fn time(&mut self, at: Range<usize>, text: &str) -> Option<Time> {
        let found = Time::strptime("%H:%M", text).ok();
        if found.is_none() {
            self.source.problem(at, format!("`{text}` is not a time of day"), "write hours and minutes: \"10:00\"");
        }
        found
    }

    fn quiet(&mut self, raw: Spanned<String>) -> Option<(Time, Time)> {
        let at = raw.span();
        let Some((from, to)) = raw.get_ref().split_once('-') else {
            self.source.problem(at, "quiet hours need a beginning and an end", "quiet = \"21:00-08:00\"");
            return None;
        };
        let (from, to) = (self.time(at.clone(), from.trim())?, self.time(at.clone(), to.trim())?);
        if from == to {
            self.source.problem(at, "quiet hours that end as they begin are none, or all", "quiet = \"21:00-08:00\"");
            return None;
        }
        Some((from, to))
    }

    /// A hold in hours.
    fn hold(&mut self, raw: At<String>, default: u16) -> u16 {
        let Some(raw) = raw else { return default };
        let at = raw.span();
        let Some(hold) = self.duration(Some(raw)) else { return default };
        let hours = u16::try_from(hold.as_secs() / 3600).ok().filter(|hours| *hours <= HOLD_HOURS_MAX);
        match hours {
            Some(hours) if hold.as_secs().is_multiple_of(3600) => hours,
            _ => {
                self.source.problem(at, "a hold is a number of whole hours, at most 30 days", "write 0h, 24h or 3d");
                default
            }
        }
    }

    fn days(&mut self, raw: Spanned<Vec<Spanned<String>>>) -> Vec<Weekday> {
        let at = raw.span();
        let known = DAYS.map(|(name, _)| name).join(", ");
        let none = raw.get_ref().is_empty();
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
        if none {
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

    fn keep_mail(&mut self, raw: At<String>) -> Duration {
        let Some(raw) = raw else { return KEEP_MAIL_DEFAULT };
        let at = raw.span();
        match self.duration(Some(raw)) {
            Some(keep) if keep < KEEP_MAIL_MIN => {
                let message = "mail has to be kept for a day, or nothing can be corrected";
                self.source.problem(at, message, "write 1d or more: \"30d\"");
                KEEP_MAIL_DEFAULT
            }
            keep => keep.unwrap_or(KEEP_MAIL_DEFAULT),
        }
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

    pub fn name_at<T: FromStr<Err = UnknownName>>(&mut self, name: &Spanned<String>) -> Option<T> {
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
