//! What judging and composing need besides the mail: rules, policy, texts, identities. Loaded whole, swapped whole.
//!
//! It reads the person's files through `io` and reports every problem; it must not judge mail.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use super::memory::Memory;
use crate::{
    config::{Account, Config, Source as MailSource, providers::PROVIDERS_FILE},
    io::{
        rules_dir,
        store::{Store, StoreError},
        text_dir,
    },
    learn::Learned,
    note::Notes,
    reply::{AuthService, Identity, Policy, Problem, Templates, later::After},
    rules::{self, Purpose, RuleSet, Source, Trust},
    telling::TellingPolicy,
};

/// The file of the person's that changes the reply policy; it lies among the rules.
pub const POLICY_FILE: &str = "replies.toml";

/// Everything the core needs to make an outcome, a draft and a note of a message.
pub struct Kit {
    /// The rules in force.
    pub rules: RuleSet,
    /// What the person's corrections taught, as last read from the log.
    pub memory: Memory,
    /// The reply policy.
    pub policy: Policy,
    /// Reply texts.
    pub templates: Templates,
    /// Notes.
    pub notes: Notes,
    /// The person's identities.
    pub identities: Vec<Identity>,
    /// How the mail provider of each account is recognised, by the account's name.
    pub auth_services: BTreeMap<String, AuthService>,
    /// When the person is told.
    pub telling: TellingPolicy,
    /// Whether drafts are made at all.
    pub drafts: bool,
    /// When something is offered without a mail to answer.
    pub later: After,
    notes_enabled: bool,
    note_language: Option<String>,
}

/// Why there is no kit: every problem, ready to print, one below the other.
#[derive(Debug, thiserror::Error)]
pub struct KitProblems(Vec<String>);

impl KitProblems {
    /// Each problem alone, with its place and a way out.
    pub fn each(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for KitProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "your rules or texts cannot be used as they are:\n{}", self.0.join("\n"))
    }
}

impl Kit {
    /// What the person's corrections taught up to now.
    pub fn learned(&self, store: &Store) -> Result<Arc<Learned>, StoreError> {
        self.memory.current(store, &self.rules, &self.telling.zone)
    }

    /// Loads rules, policy and texts as the configuration has them. Anything broken in the person's files is an error
    /// with all its problems: nothing is silently left out.
    pub fn load(config: &Config) -> Result<Kit, KitProblems> {
        let mut problems = Vec::new();
        let rules_dir = config.rules_dir();
        let rules = match load_rules(Purpose::Judging, Some(&rules_dir), &config.rules.disable) {
            Ok(rules) => Some(rules),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        let (policy, found) = load_policy(&rules_dir);
        problems.extend(found.iter().map(said));
        let (templates, notes, found) = load_texts(&config.templates_dir());
        problems.extend(found.iter().map(said));
        for row in policy.unknown_templates(&templates) {
            problems.push(format!(
                "row `{}` of {POLICY_FILE} names a text that does not exist: `{}`",
                row.id, row.template
            ));
        }
        match rules {
            Some(rules) if problems.is_empty() => Ok(Kit {
                rules,
                memory: Memory::default(),
                policy,
                templates,
                notes,
                identities: config.identities.clone(),
                auth_services: config.accounts.iter().map(|a| (a.name.clone(), auth_service(a))).collect(),
                telling: config.telling.clone(),
                drafts: config.reply.enabled,
                later: config.reply.later,
                notes_enabled: config.notes.enabled,
                note_language: config.notes.language.clone(),
            }),
            _ => Err(KitProblems(problems)),
        }
    }

    /// The language of the note on a mail in that language; `None` where the person wants no notes.
    pub fn note_language<'a>(&'a self, of_mail: &'a str) -> Option<&'a str> {
        self.notes_enabled.then(|| self.note_language.as_deref().unwrap_or(of_mail))
    }
}

/// How the provider of an account is recognised: by what is configured, else by the server and the addresses.
fn auth_service(account: &Account) -> AuthService {
    let domain = |address: &String| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    let mut domains: Vec<String> = account.identity.addresses.iter().filter_map(domain).collect();
    if let MailSource::Imap(login) = &account.source {
        domains.push(login.server.host.clone());
    }
    domains.extend(account.provider().and_then(|row| row.authserv_domain.clone()));
    AuthService { authserv_id: account.authserv_id.clone(), domains }
}

/// The shipped rules without the disabled files, and the person's, as sources.
pub fn rule_sources(rules_dir: Option<&Path>, disabled: &[String]) -> Result<Vec<Source>, Vec<String>> {
    let kept =
        |source: &Source| !disabled.iter().any(|name| source.name == *name || source.name == format!("rules/{name}"));
    let mut sources: Vec<Source> = rules::shipped().into_iter().filter(kept).collect();
    if let Some(dir) = rules_dir {
        let own = rules_dir::read(dir).map_err(|error| vec![error.to_string()])?;
        sources.extend(
            own.into_iter()
                .filter(|source| ![POLICY_FILE, PROVIDERS_FILE].iter().any(|other| source.name.ends_with(other))),
        );
    }
    Ok(sources)
}

/// The rules in force, or everything that is wrong with them.
pub fn load_rules(purpose: Purpose, rules_dir: Option<&Path>, disabled: &[String]) -> Result<RuleSet, Vec<String>> {
    let today = crate::io::clock::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    rules::load_for(purpose, &rule_sources(rules_dir, disabled)?, Some(today), Trust::Shipped)
        .map_err(|found| found.iter().map(ToString::to_string).collect())
}

/// The reply policy with the person's changes.
pub fn load_policy(rules_dir: &Path) -> (Policy, Vec<Problem>) {
    let path = rules_dir.join(POLICY_FILE);
    match text_dir::file(&path) {
        Ok(Some(text)) => Policy::load(Some((&path.display().to_string(), &text))),
        Ok(None) => Policy::load(None),
        Err(error) => {
            let (policy, mut problems) = Policy::load(None);
            problems.push(unreadable(&path, &error));
            (policy, problems)
        }
    }
}

/// Reply texts and notes with the person's: `reply/` and `note/` below the directory.
pub fn load_texts(dir: &Path) -> (Templates, Notes, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut read = |below: &str| match text_dir::read(&dir.join(below), "md") {
        Ok(files) => files,
        Err(error) => {
            problems.push(unreadable(&dir.join(below), &error));
            Vec::new()
        }
    };
    let (reply, note) = (read("reply"), read("note"));
    let (templates, found) = Templates::load(&reply);
    problems.extend(found);
    let (notes, found) = Notes::load(&note);
    problems.extend(found);
    (templates, notes, problems)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem {
        file: path.display().to_string(),
        line: 1,
        message: format!("it cannot be read: {error}"),
        help: "make it readable, or move it away".to_owned(),
    }
}

/// A problem as a person reads it.
pub fn said(problem: &Problem) -> String {
    format!("{}:{}: {} (help: {})", problem.file, problem.line, problem.message, problem.help)
}
