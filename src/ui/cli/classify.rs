//! `onward classify`: one verdict a line, nothing stored. The JSON form is a contract that programs depend on.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use serde::{Serialize, Serializer};

use super::{Exit, home::Home};
use crate::{
    app::import,
    classify::{Classification, Hit, classify_with},
    clean,
    message::{Defect, Fetched, Message, Zone},
    outcome::{Category, Reason, Stage},
    ui::term::{Screen, fit},
};

/// One line of `onward classify --json`.
#[derive(Debug, Serialize)]
pub struct ClassifyLine<'a> {
    /// The file as given.
    pub path: &'a str,
    /// `Message-ID` without angle brackets.
    pub message_id: Option<&'a str>,
    /// The best category.
    pub category: Category,
    /// False when the person would be asked.
    pub decided: bool,
    /// Evidence for the category, in bits, to two decimals.
    #[serde(serialize_with = "hundredths")]
    pub score: f64,
    /// Stage of a rejection.
    pub stage: Stage,
    /// Reason of a rejection.
    pub reason: Reason,
    /// ISO 639-1 code, `und` when unknown.
    pub language: &'a str,
    /// Employer.
    pub employer: Option<&'a str>,
    /// Role.
    pub role: Option<&'a str>,
    /// Number of the vacancy.
    pub requisition_id: Option<&'a str>,
    /// A human address.
    pub contact: Option<&'a str>,
    /// The applicant-tracking vendor.
    pub ats: Option<&'a str>,
    /// Whether a reply reaches nobody.
    pub noreply: bool,
    /// The hits that counted.
    pub evidence: Vec<EvidenceLine<'a>>,
    /// What was wrong with the bytes.
    pub defects: &'a [Defect],
}

/// One hit that counted.
#[derive(Debug, Serialize)]
pub struct EvidenceLine<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// The file that holds it.
    pub file: &'a str,
    /// Its line there.
    pub line: u32,
    /// Where the text stands.
    pub zone: Zone,
    /// The words that matched, as written.
    pub text: &'a str,
    /// Bits added, to two decimals.
    #[serde(serialize_with = "hundredths")]
    pub weight: f64,
}

impl<'a> EvidenceLine<'a> {
    /// The line for one hit.
    pub fn new(hit: &'a Hit) -> EvidenceLine<'a> {
        EvidenceLine {
            rule: &hit.rule,
            file: &hit.file,
            line: hit.line,
            zone: hit.zone,
            text: hit.sentence.get(hit.span.0..hit.span.1).unwrap_or_default(),
            weight: hit.weight,
        }
    }
}

fn hundredths<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((value * 100.0).round() / 100.0)
}

impl<'a> ClassifyLine<'a> {
    /// The line for one message.
    pub fn new(path: &'a str, message: &'a Message, verdict: &'a Classification) -> Self {
        let value = |f: &'a Option<crate::classify::Fact>| f.as_ref().map(|f| f.value.as_str());
        let facts = &verdict.facts;
        ClassifyLine {
            path,
            message_id: message.id.as_ref().map(|id| id.as_str()),
            category: verdict.category,
            decided: verdict.decided,
            score: verdict.score,
            stage: facts.stage,
            reason: facts.reason,
            language: &facts.language,
            employer: value(&facts.employer),
            role: value(&facts.role),
            requisition_id: value(&facts.requisition_id),
            contact: value(&facts.contact),
            ats: facts.ats.as_deref(),
            noreply: facts.noreply,
            evidence: verdict.evidence().map(EvidenceLine::new).collect(),
            defects: &message.defects,
        }
    }
}

/// Writes the JSON line of one message.
pub fn json(out: &mut dyn Write, path: &str, message: &Message, verdict: &Classification) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &ClassifyLine::new(path, message, verdict)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Writes one message as a line for people: verdict, employer and role, subject, file.
pub fn text(out: &mut dyn Write, path: &str, message: &Message, verdict: &Classification) -> io::Result<()> {
    let decided = if verdict.decided { "" } else { "?" };
    let named = [&verdict.facts.employer, &verdict.facts.role].into_iter().flatten().map(|f| f.value.as_str());
    writeln!(
        out,
        "{:<16} {:>5.1}  {}  {}  {}",
        format!("{}{decided}", verdict.category),
        verdict.score,
        fit(&named.collect::<Vec<_>>().join(" · "), 36),
        fit(&message.subject, 44),
        clean::line(path),
    )
}

/// Runs the verb: every input gets one line, whatever is in it.
pub fn run(home: &Home, paths: &[PathBuf], screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let rules = home.rules()?;
    let learned = home.learned(&rules)?;
    let mut exit = Exit::Fine;
    for found in paths.iter().flat_map(|path| import::messages(path)) {
        match found {
            Ok(mail) => {
                let message = Message::parse(&mail.bytes, Fetched::of(mail.oversized));
                let verdict = classify_with(&rules, &message, &learned);
                if home.json() {
                    json(screen.raw(), &mail.path, &message, &verdict)?;
                } else {
                    text(screen.raw(), &mail.path, &message, &verdict)?;
                }
            }
            Err(error) => {
                exit = Exit::Findings;
                if home.json() {
                    let line = serde_json::json!({ "path": error.path, "error": error.to_string() });
                    writeln!(screen.raw(), "{line}")?;
                } else {
                    screen.line(error.to_string())?;
                }
            }
        }
    }
    Ok(exit)
}
