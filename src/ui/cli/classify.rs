//! `onward classify`: one verdict a line, nothing stored. The JSON form is a contract that programs depend on.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::{
    classify::Classification,
    clean,
    message::{Defect, Message, Zone},
    outcome::{Category, Reason, Stage},
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

fn hundredths<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((value * 100.0).round() / 100.0)
}

impl<'a> ClassifyLine<'a> {
    /// The line for one message.
    pub fn new(path: &'a str, message: &'a Message, verdict: &'a Classification) -> Self {
        let value = |f: &'a Option<crate::classify::Fact>| f.as_ref().map(|f| f.value.as_str());
        let facts = &verdict.facts;
        let evidence = verdict.evidence().map(|h| EvidenceLine {
            rule: &h.rule,
            file: &h.file,
            line: h.line,
            zone: h.zone,
            text: h.sentence.get(h.span.0..h.span.1).unwrap_or_default(),
            weight: h.weight,
        });
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
            evidence: evidence.collect(),
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
    let fact = |f: &Option<crate::classify::Fact>| f.as_ref().map_or("-", |f| f.value.as_str()).to_owned();
    writeln!(
        out,
        "{:<17} {:>5.1}  {} · {}  {}  {}",
        format!("{}{decided}", verdict.category),
        verdict.score,
        clean::line(&fact(&verdict.facts.employer)),
        clean::line(&fact(&verdict.facts.role)),
        clean::line_within(&message.subject, 60),
        clean::line(path),
    )
}
