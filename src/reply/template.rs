//! The texts of replies: read from data files, chosen by language, group and what is known, and written out.
//!
//! A variable that is not known never leaves a hole: a variant that does not need it is taken. Values go in as data and
//! are never read as template text. This module must not know why a group was chosen nor what a header is.

mod shipped;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Deserialize;

use super::{
    DraftKind, Finding, Problem,
    lint::{Made, lint_made},
    occasion::{self, Occasion},
    section::{Section, first_line, sections},
};
use crate::clean;

pub use shipped::SHIPPED;

/// What a template may name.
pub const VARIABLES: &[&str] =
    &["employer", "role", "contact", "me", "colleague", "rounds", "interview_day", "occasion"];
/// Those that make a thank-you specific: a text that uses one is taken before a text that does not.
const SPECIFIC: &[&str] = &["colleague", "rounds", "interview_day", "occasion"];
/// The group that takes an offer of feedback: what they offered needs no release.
const ACCEPTING: &str = "accept-feedback";
/// Longest value put into a text, in characters. A longer one is treated as unknown: a cut title is a hole as well.
pub const VALUE_CHARS_MAX: usize = 80;

/// What is known of a reply's facts; unknown is `None`, never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// The employer's name.
    pub employer: Option<String>,
    /// The role's title.
    pub role: Option<String>,
    /// The recipient's name as they sign.
    pub contact: Option<String>,
    /// The person's name as they sign.
    pub me: Option<String>,
    /// Somebody else there who wrote in person.
    pub colleague: Option<String>,
    /// How many conversations there were, at least two.
    pub rounds: Option<u8>,
    /// The day of the only conversation.
    pub interview_day: Option<Date>,
    /// What the person did there, where the no thanks for it.
    pub occasion: Option<Occasion>,
}

impl Values {
    /// Everything known, with short names: what a text is checked and shown with.
    pub fn sample() -> Values {
        let known = |text: &str| Some(text.to_owned());
        Values {
            employer: known("Northwind"),
            role: known("Analyst"),
            contact: known("Kim Doe"),
            me: known("Sam Roe"),
            colleague: known("Alex Poe"),
            rounds: Some(3),
            interview_day: Date::new(2026, 3, 12).ok(),
            occasion: Some(Occasion::Presentation),
        }
    }
}

/// A value as it may stand in a sentence: cleaned, on one line, without anything that looks like markup, a link, a
/// question or a placeholder. `None` where it may not.
pub fn value(text: &str) -> Option<String> {
    let text = clean::line_within(text, VALUE_CHARS_MAX + 1);
    let odd = |c: char| "{}[]<>|?!$%\\\"`".contains(c);
    let fine = (1..=VALUE_CHARS_MAX).contains(&text.chars().count())
        && text.chars().any(char::is_alphanumeric)
        && !text.contains(odd)
        && !text.contains("://")
        && !text.to_lowercase().contains("www.");
    fine.then_some(text)
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// `<language>/<kind>/<group>/<variant>`.
    pub id: String,
    /// ISO 639-1.
    pub language: String,
    /// What it wants.
    pub kind: DraftKind,
    /// The group a policy row names.
    pub group: String,
    /// The file it came from.
    pub file: String,
    /// The line its text starts on.
    pub line: u32,
    source: String,
    needs: BTreeSet<String>,
}

impl Template {
    /// Whether it thanks for something that only this process had.
    fn is_specific(&self) -> bool {
        self.needs.iter().any(|n| SPECIFIC.contains(&n.as_str()))
    }

    /// What the wording check says about this text, written out with `values`.
    fn findings(&self, text: &str, values: &Values) -> Vec<Finding> {
        let names: Vec<&str> = [&values.contact, &values.colleague].into_iter().filter_map(|n| n.as_deref()).collect();
        let asks = has_to_ask(self.kind, &self.group);
        lint_made(text, &self.language, Made { asks, names: &names })
    }
}

/// The group a text belongs to, by its name ([`Template::id`]).
pub fn group_of(id: &str) -> Option<&str> {
    id.split('/').nth(2)
}

/// Whether a text has to ask exactly one question and to say that no answer is fine.
pub(super) fn has_to_ask(kind: DraftKind, group: &str) -> bool {
    kind == DraftKind::FeedbackRequest && group != ACCEPTING
}

/// What stands around every text of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    /// Salutation for somebody who signs with a first name.
    GreetingFirst,
    /// Salutation for a full name.
    GreetingFull,
    /// Salutation where no name is known.
    GreetingTeam,
    /// The line above the person's name.
    SignOff,
    /// The words for two, three, … conversations, as `{{ rounds }}` gives them.
    Numbers,
    /// The names of the twelve months, as they stand in a date.
    Months,
    /// A date without its year, made of `{{ day }}` and `{{ month }}`: `{{ interview_day }}`.
    Date,
}

impl Part {
    /// What the part may name.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Part::GreetingFirst | Part::GreetingFull | Part::GreetingTeam | Part::SignOff => VARIABLES,
            Part::Date => &["day", "month"],
            Part::Numbers | Part::Months => &[],
        }
    }
}

/// A part of a language's frame.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    language: String,
    part: Part,
    source: String,
}

/// Front matter of a section.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    lang: String,
    part: Option<Part>,
    kind: Option<DraftKind>,
    group: Option<String>,
    variant: Option<u32>,
}

/// The texts in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    templates: Vec<Template>,
    frames: Vec<Frame>,
}

/// A text written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The template's id.
    pub template: String,
    /// Salutation, text and signature; paragraphs parted by a blank line.
    pub text: String,
    /// What the wording check says about it.
    pub findings: Vec<Finding>,
}

impl Templates {
    /// The shipped texts alone.
    pub fn shipped() -> Templates {
        Templates::load(&[]).0
    }

    /// The shipped texts with the person's files (`(name, text)`): a text with a known id takes that one's place. What
    /// cannot be read is reported and left out, the others stand.
    pub fn load(user: &[(String, String)]) -> (Templates, Vec<Problem>) {
        let mut all = Templates { templates: Vec::new(), frames: Vec::new() };
        let mut problems = Vec::new();
        let files = SHIPPED.iter().copied().chain(user.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        for (file, text) in files {
            for section in sections(file, text, &mut problems) {
                if let Err(problem) = all.add(file, section) {
                    problems.push(problem);
                }
            }
        }
        all.templates.sort_by(|a, b| a.id.cmp(&b.id));
        (all, problems)
    }

    /// Takes one section in.
    fn add(&mut self, file: &str, section: Section) -> Result<(), Problem> {
        let line = section.line;
        let problem =
            |message: String, help: &str| Problem { file: file.to_owned(), line, message, help: help.to_owned() };
        let front = Front::deserialize(section.front).map_err(|error| {
            problem(
                format!("front matter: {}", first_line(error.message())),
                "a text has lang, kind, group and variant; a frame has lang and part",
            )
        })?;
        let needs = needs(&section.text)
            .map_err(|message| Problem { line: section.text_line, ..problem(message, "correct the template") })?;
        let allowed = front.part.map_or(VARIABLES, Part::variables);
        if let Some(unknown) = needs.iter().find(|n| !allowed.contains(&n.as_str())) {
            let known = format!("known are {}", allowed.join(", "));
            let message = format!("unknown variable `{}`", clean::line(unknown));
            return Err(Problem { line: section.text_line, ..problem(message, &known) });
        }
        match front {
            Front { lang: language, part: Some(part), kind: None, group: None, variant: None } => {
                self.frames.retain(|f| (f.part, &f.language) != (part, &language));
                self.frames.push(Frame { language, part, source: section.text });
            }
            Front { lang: language, part: None, kind: Some(kind), group: Some(group), variant: Some(variant) } => {
                let id = format!("{language}/{kind}/{group}/{variant}");
                self.templates.retain(|t| t.id != id);
                let file = file.to_owned();
                let line = section.text_line;
                self.templates.push(Template { id, language, kind, group, file, line, source: section.text, needs });
            }
            _ => return Err(problem("neither a text nor a frame".into(), "set kind, group and variant, or part")),
        }
        Ok(())
    }

    /// Every text, by id.
    pub fn all(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter()
    }

    /// Whether there is a text of this kind and group in any language.
    pub fn has_group(&self, kind: DraftKind, group: &str) -> bool {
        self.templates.iter().any(|t| t.kind == kind && t.group == group)
    }

    /// Writes a text of the group. `pick` chooses among the variants that what is known allows; the same pick gives
    /// the same text. `None` where the language has none.
    pub fn write(&self, language: &str, kind: DraftKind, group: &str, values: &Values, pick: u64) -> Option<Written> {
        let words = self.words(language, values);
        let fitting = self
            .templates
            .iter()
            .filter(|t| t.language == language && t.kind == kind && t.group == group)
            .filter(|t| t.needs.iter().all(|n| words.contains_key(n.as_str())));
        let (mut specific, mut general): (Vec<&Template>, Vec<&Template>) = fitting.partition(|t| t.is_specific());
        rotate(&mut specific, pick);
        rotate(&mut general, pick);
        let written: Vec<Written> =
            specific.into_iter().chain(general).filter_map(|t| self.written(t, values)).collect();
        // The first choice that reads well; else the first that may go out at all after a look.
        let clean = written.iter().find(|written| written.findings.is_empty());
        clean.or_else(|| written.iter().find(|written| written.findings.iter().all(|f| !f.stops))).cloned()
    }

    /// Writes one text out, with salutation and signature; `None` where a value it needs is not known.
    pub fn written(&self, template: &Template, values: &Values) -> Option<Written> {
        let greeting = match &values.contact {
            Some(name) if name.contains(' ') => Part::GreetingFull,
            Some(_) => Part::GreetingFirst,
            None => Part::GreetingTeam,
        };
        let words = self.words(&template.language, values);
        let part = |part| render(self.frame(&template.language, part)?, &words);
        let body = render(&template.source, &words)?;
        let mut text = [part(greeting)?, body, part(Part::SignOff)?].join("\n\n");
        if let Some(me) = &values.me {
            text.push('\n');
            text.push_str(me);
        }
        text.push('\n');
        Some(Written { template: template.id.clone(), findings: template.findings(&text, values), text })
    }

    /// A part of a language's frame.
    fn frame(&self, language: &str, part: Part) -> Option<&str> {
        self.frames.iter().find(|f| f.part == part && f.language == language).map(|f| f.source.as_str())
    }

    /// What is known, in words of the language; what the language has no words for is unknown.
    fn words(&self, language: &str, values: &Values) -> BTreeMap<&'static str, String> {
        let nth = |part, n: usize| self.frame(language, part)?.split_whitespace().nth(n).map(str::to_owned);
        let rounds = values.rounds.and_then(|n| nth(Part::Numbers, usize::from(n.checked_sub(2)?)));
        let interview_day = values.interview_day.and_then(|date| {
            let month = nth(Part::Months, usize::from(date.month().unsigned_abs()).checked_sub(1)?)?;
            let context = BTreeMap::from([("day", date.day().to_string()), ("month", month)]);
            render(self.frame(language, Part::Date)?, &context)
        });
        let Values { employer, role, contact, me, colleague, .. } = values.clone();
        [
            ("employer", employer),
            ("role", role),
            ("contact", contact),
            ("me", me),
            ("colleague", colleague),
            ("rounds", rounds),
            ("interview_day", interview_day),
            ("occasion", values.occasion.and_then(|occasion| occasion::words(occasion, language))),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// What the wording check says about every text, written out with sample values.
    pub fn check(&self) -> Vec<Problem> {
        let values = Values::sample();
        let mut problems = Vec::new();
        for template in &self.templates {
            let findings = match self.written(template, &values) {
                Some(written) => written.findings,
                None => {
                    let text = format!("the language `{}` has no salutation or sign-off", template.language);
                    vec![Finding { code: "no-frame", text, sentence: None, stops: true }]
                }
            };
            problems.extend(findings.into_iter().map(|f| Problem {
                file: template.file.clone(),
                line: template.line,
                message: f.said().trim_end_matches('.').to_owned(),
                help: format!("text `{}`, check `{}`", template.id, f.code),
            }));
        }
        problems
    }
}

/// Begins the list somewhere else: the same pick at the same place.
fn rotate(templates: &mut [&Template], pick: u64) {
    if let Some(start) = pick.checked_rem(templates.len() as u64).and_then(|n| usize::try_from(n).ok()) {
        templates.rotate_left(start);
    }
}

/// The engine: no filters, no functions, no loader; an unknown variable is an error, never an empty place.
pub(crate) fn engine() -> Environment<'static> {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine
}

/// The variables a template needs, or why it is none.
pub(crate) fn needs(source: &str) -> Result<BTreeSet<String>, String> {
    let engine = engine();
    let template =
        engine.template_from_str(source).map_err(|e| format!("template: {}", clean::line(&e.to_string())))?;
    Ok(template.undeclared_variables(true).into_iter().collect())
}

/// Writes a template out; `None` where something it needs is unknown.
fn render(source: &str, words: &BTreeMap<&'static str, String>) -> Option<String> {
    let known = Value::from_pairs(words.iter().map(|(name, word)| (*name, word.as_str())));
    engine().template_from_str(source).ok()?.render(known).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The languages that replies are shipped in.
    const LANGUAGES: &[&str] = &["de", "en", "es", "fr", "it", "nl", "pt"];

    #[test]
    fn the_shipped_files_read_without_a_problem_and_pass_the_check() {
        let (templates, problems) = Templates::load(&[]);
        assert_eq!(problems, []);
        assert_eq!(templates.check(), []);
    }

    #[test]
    fn every_group_has_three_variants_in_every_language_and_one_that_needs_nothing() {
        let templates = Templates::shipped();
        let groups: BTreeSet<_> = templates.all().map(|t| (t.kind, t.group.as_str())).collect();
        assert_eq!(groups.len(), 15);
        for ((kind, group), language) in groups.iter().flat_map(|g| LANGUAGES.iter().map(move |l| (g, l))) {
            let of = || templates.all().filter(|t| (t.kind, t.group.as_str()) == (*kind, *group));
            let of: Vec<_> = of().filter(|t| t.language == *language).collect();
            assert!(of.iter().filter(|t| !t.is_specific()).count() >= 3, "{language} {kind} {group}: {}", of.len());
            assert!(of.iter().any(|t| t.needs.is_empty()), "{language} {kind} {group} always needs something");
        }
        for (group, language) in ["thank-you-after-interview", "feedback-after-interview", "feedback-after-final"]
            .iter()
            .flat_map(|g| LANGUAGES.iter().map(move |l| (g, l)))
        {
            for fact in SPECIFIC {
                let thanks = |t: &&Template| t.needs.len() == 1 && t.needs.contains(*fact);
                let found =
                    templates.all().filter(|t| t.language == *language && t.group == *group).any(|t| thanks(&t));
                assert!(found, "{language} {group} has no text for {fact} alone");
            }
        }
    }

    #[test]
    fn frames_have_every_part_and_dates_are_said_as_the_language_does() {
        let templates = Templates::shipped();
        for language in LANGUAGES {
            let count = |part| templates.frame(language, part).unwrap_or_default().split_whitespace().count();
            assert_eq!((count(Part::Numbers), count(Part::Months)), (5, 12), "{language}");
            let greetings = [Part::GreetingFirst, Part::GreetingFull, Part::GreetingTeam, Part::SignOff, Part::Date];
            assert!(greetings.into_iter().all(|part| count(part) > 0), "{language}");
        }
        for (language, day, expected) in [
            ("en", 12, "12 March"),
            ("de", 12, "12. März"),
            ("fr", 1, "1er mars"),
            ("fr", 2, "2 mars"),
            ("es", 12, "12 de marzo"),
            ("it", 1, "il 1º marzo"),
            ("it", 8, "l’8 marzo"),
            ("it", 12, "il 12 marzo"),
            ("nl", 12, "12 maart"),
            ("pt", 1, "1º de março"),
        ] {
            let values = Values { interview_day: Date::new(2026, 3, day).ok(), ..Values::default() };
            let said = templates.words(language, &values).remove("interview_day");
            assert_eq!(said.as_deref(), Some(expected), "{language}");
        }
    }

    #[test]
    fn no_text_says_the_gender_of_anybody() {
        let gendered = [
            "enchanté",
            "ravi",
            "ravie",
            "heureux",
            "heureuse",
            "reconnaissant",
            "reconnaissante",
            "déçu",
            "déçue",
            "intéressé",
            "intéressée",
            "candidat",
            "candidate",
            "encantado",
            "encantada",
            "agradecido",
            "agradecida",
            "interesado",
            "interesada",
            "atento",
            "atenta",
            "candidato",
            "candidata",
            "lieto",
            "lieta",
            "grato",
            "grata",
            "contento",
            "contenta",
            "interessato",
            "interessata",
            "obrigado",
            "obrigada",
            "interessado",
            "interessada",
            "satisfeito",
            "satisfeita",
            "monsieur",
            "madame",
            "señor",
            "señora",
            "signor",
            "signora",
            "senhor",
            "senhora",
            "herr",
            "frau",
            "mr",
            "mrs",
            "ms",
            "mevrouw",
            "meneer",
            "você",
            "tu",
        ];
        for (file, text) in SHIPPED {
            let lower = text.to_lowercase();
            let word = lower.split(|c: char| !c.is_alphabetic()).find(|word| gendered.contains(word));
            assert_eq!(word, None, "{file}");
            assert!(!lower.contains("(e)") && !lower.contains("/a "), "{file}");
        }
    }

    #[test]
    fn texts_of_the_person_win_and_broken_ones_are_named() {
        let user = |text: &str| vec![("mine.md".to_owned(), text.to_owned())];
        let front = "+++\nlang = \"en\"\nkind = \"thank-you\"\ngroup = \"thank-you\"\nvariant = 1\n+++\n";
        let (templates, problems) = Templates::load(&user(&format!("{front}Mine.")));
        assert_eq!(problems, []);
        assert!(templates.all().any(|t| t.id == "en/thank-you/thank-you/1" && t.source == "Mine."));
        assert_eq!(templates.check().len(), 1, "it is short, and said to be");
        for (text, line) in [
            (format!("{front}Hello {{{{ boss }}}}"), 7),
            (format!("{front}Hello {{{{ role "), 7),
            ("+++\nlang = \"en\"\n+++\nx".to_owned(), 1),
            ("+++\nlang = \"en\"\ncolour = 1\n+++\nx".to_owned(), 1),
        ] {
            let (templates, problems) = Templates::load(&user(&text));
            assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [line], "{text}");
            assert_eq!(templates, Templates::shipped(), "{text}");
        }
    }

    #[test]
    fn values_are_data_or_unknown() {
        for bad in ["", " ", "{{7*7}}", "{% raw %}", "[role]", "see www.x.example", "http://x", "why?", &"x".repeat(81)]
        {
            assert_eq!(value(bad), None, "{bad:?}");
        }
        assert_eq!(value("Data\r\nAnalyst (m/w/d)").as_deref(), Some("Data Analyst (m/w/d)"));
    }
}
