//! The vocabulary of outcomes: what a mail means for an application.
//!
//! These names are the project's contract: they stand in rule files, in JSON and in the database exactly as
//! written here. This file must not know how a category is found (that is [`crate::classify`]) nor how an
//! outcome is stored.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Makes an enum whose variants have one written name each, used in files, JSON and SQL alike.
macro_rules! named {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The written name, as it stands in files, JSON and the database.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::outcome::UnknownName;

            fn from_str(text: &str) -> Result<Self, $crate::outcome::UnknownName> {
                match text {
                    $($text => Ok($name::$variant),)+
                    _ => Err($crate::outcome::UnknownName { given: text.chars().take(40).collect(), known: &[$($text),+] }),
                }
            }
        }
    };
}
pub(crate) use named;

/// A word that is none of the names of a vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is none of {}", known.join(", "))]
pub struct UnknownName {
    /// What stood there, cut at 40 characters.
    pub given: String,
    /// The names that are known.
    pub known: &'static [&'static str],
}

named! {
    /// What kind of job mail a message is.
    pub enum Category {
        /// The employer says no, or the position is gone for good.
        Rejection = "rejection",
        /// The job is offered.
        Offer = "offer",
        /// A conversation is proposed, arranged, moved or cancelled.
        Interview = "interview",
        /// A test or task is set.
        Assessment = "assessment",
        /// The application arrived.
        Acknowledgement = "acknowledgement",
        /// The process or position is paused without a decision.
        OnHold = "on_hold",
        /// The employer explains an earlier decision.
        Feedback = "feedback",
        /// A recruiter or employer writes first.
        Outreach = "outreach",
        /// A list of vacancies.
        JobAlert = "job_alert",
        /// Job mail of another kind: account notices, still under review, withdrawals.
        OtherJob = "other_job",
        /// Not about an application of the reader.
        Unrelated = "unrelated",
    }
}

named! {
    /// How far the application had come when the no arrived.
    pub enum Stage {
        /// On paper only.
        AfterApplication = "after_application",
        /// After a test or task.
        AfterAssessment = "after_assessment",
        /// After at least one conversation.
        AfterInterview = "after_interview",
        /// After the last round.
        AfterFinal = "after_final",
        /// The text and the thread do not say.
        Unknown = "unknown",
    }
}

named! {
    /// The reason an employer gives.
    pub enum Reason {
        /// Somebody else was chosen.
        OtherCandidate = "other_candidate",
        /// Somebody from inside got it.
        InternalHire = "internal_hire",
        /// Skills or qualifications are missing.
        SkillsGap = "skills_gap",
        /// More, less or other experience was wanted.
        Experience = "experience",
        /// The position is filled, closed, cancelled or frozen for good.
        PositionClosed = "position_closed",
        /// Place of work, relocation or permission to work.
        LocationVisa = "location_visa",
        /// Pay expectations.
        Salary = "salary",
        /// Fit with the team or culture.
        CultureFit = "culture_fit",
        /// Many applications.
        Volume = "volume",
        /// No reason is given.
        None = "none",
    }
}

named! {
    /// Who corrected or made an outcome.
    pub enum Origin {
        /// The rules decided.
        Rules = "rules",
        /// The person corrected it or entered it by hand.
        Person = "person",
        /// A later mail took its place.
        Superseded = "superseded",
    }
}

/// What one message means for one application. Immutable: a correction is a new outcome that supersedes this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The category.
    pub category: Category,
    /// False when the person has to be asked; the category is then the best guess.
    pub decided: bool,
    /// Only meaningful for rejections; `unknown` otherwise.
    pub stage: Stage,
    /// Only meaningful for rejections; `none` otherwise.
    pub reason: Reason,
    /// The employer's name as written in the mail.
    pub employer: Option<String>,
    /// The role's title as written in the mail.
    pub role: Option<String>,
    /// The employer's number for the vacancy.
    pub requisition_id: Option<String>,
    /// A human address at the employer.
    pub contact: Option<String>,
}

/// An employer's name folded for comparison: compatibility forms, case, punctuation and the legal form at the end do
/// not count, so that `ACME GmbH` and `Acme` are one. Empty where nothing remains.
pub fn employer_key(name: &str) -> String {
    /// Legal forms that may stand at the end of a name, folded.
    const FORMS: &[&str] = &[
        "ab",
        "ag",
        "as",
        "bv",
        "co",
        "corp",
        "corporation",
        "eg",
        "ev",
        "gmbh",
        "inc",
        "incorporated",
        "kg",
        "kgaa",
        "limited",
        "llc",
        "llp",
        "ltd",
        "mbh",
        "nv",
        "ohg",
        "oy",
        "plc",
        "pty",
        "sa",
        "sarl",
        "sas",
        "se",
        "spa",
        "srl",
        "ug",
    ];
    let folded: String = name.nfkc().flat_map(char::to_lowercase).filter(|c| !matches!(c, '.' | '\'' | '’')).collect();
    let mut words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    while words.len() > 1 && words.last().is_some_and(|word| FORMS.contains(word)) {
        words.pop();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_employer_has_one_key() {
        for (name, key) in [
            ("ACME GmbH & Co. KG", "acme"),
            ("Acme, Inc.", "acme"),
            ("acme", "acme"),
            ("Müller-Lüdenscheidt AG", "müller lüdenscheidt"),
            ("S.A.P. SE", "sap"),
            ("SE", "se"),
            ("Ｆｕｌｌ Width", "full width"),
            ("...", ""),
        ] {
            assert_eq!(employer_key(name), key, "{name}");
        }
    }

    #[test]
    fn names_round_trip() {
        for c in Category::ALL {
            assert_eq!(c.as_str().parse::<Category>(), Ok(*c));
        }
        assert!("Rejection".parse::<Category>().is_err());
    }
}
