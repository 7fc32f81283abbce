//! Checks the wording of a note: short, plain, no advice about feelings, no number of its own.
//!
//! The same check for shipped notes, notes of the person and rendered ones. It must not change text.

use crate::reply::lint::{contains_phrase, word_count};

/// Most words of a note.
pub const WORDS_MAX: usize = 60;
/// Most lines of a note.
pub const LINES_MAX: usize = 4;

/// What a note never says, English and German alike: consolations that make a loss smaller than it is, slogans, orders
/// about feelings, comparisons with others, and pictures of doors, storms and journeys.
const BANNED: &[&str] = &[
    // English
    "at least",
    "everything happens for a reason",
    "their loss",
    "you've got this",
    "you got this",
    "don't worry",
    "do not worry",
    "stay positive",
    "be positive",
    "bright side",
    "silver lining",
    "failure",
    "failed",
    "loser",
    "just",
    "cheer up",
    "keep your head up",
    "chin up",
    "never give up",
    "don't give up",
    "you should feel",
    "don't be sad",
    "be proud",
    "be strong",
    "be grateful",
    "other people",
    "others have",
    "better than",
    "worse than",
    "journey",
    "door",
    "doors",
    "storm",
    "storms",
    "mountain",
    "rejected",
    "rejection",
    "meant to be",
    "blessing",
    "stronger",
    // German
    "wenigstens",
    "immerhin",
    "alles hat einen grund",
    "alles hat seinen sinn",
    "selber schuld",
    "du schaffst das",
    "mach dir keine sorgen",
    "keine sorge",
    "bleib positiv",
    "positiv denken",
    "denk positiv",
    "kopf hoch",
    "niederlage",
    "scheitern",
    "gescheitert",
    "versagen",
    "versagt",
    "gib nicht auf",
    "nicht aufgeben",
    "sei stolz",
    "sei stark",
    "sei nicht traurig",
    "andere haben",
    "besser als",
    "schlechter als",
    "reise",
    "tür",
    "türen",
    "sturm",
    "berg",
    "abgelehnt",
    "ablehnung",
    "absage ist kein",
    "geschenk",
    "stärker",
    "einfach nur",
];

/// What the check says about a note; empty where it is fine. Each sentence names what it found.
pub fn lint(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('’', "'");
    let mut found: Vec<String> = BANNED
        .iter()
        .filter(|phrase| contains_phrase(&lower, phrase))
        .map(|phrase| format!("`{phrase}` does not belong in a note"))
        .collect();
    let words = word_count(text);
    if words > WORDS_MAX {
        found.push(format!("{words} words; a note has at most {WORDS_MAX}"));
    }
    let lines = text.lines().filter(|l| !l.trim().is_empty()).count();
    if !(1..=LINES_MAX).contains(&lines) {
        found.push(format!("{lines} lines; a note has one to {LINES_MAX}"));
    }
    if let Some(mark) = text.chars().find(|c| "!\"“”„«»[]{}<>*_#".contains(*c) || is_pictograph(*c)) {
        found.push(format!("`{mark}` does not belong in a note"));
    }
    found
}

/// What [`lint`] says about the text of a template, and that it states no number of its own: numbers come from facts.
pub fn lint_template(source: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("{{") {
        plain.push_str(before);
        // A stand-in of one word, so that borders of phrases and the count of words stay as they will be.
        plain.push('x');
        rest = after.split_once("}}").map_or("", |(_, tail)| tail);
    }
    plain.push_str(rest);
    let mut found = lint(&plain);
    if plain.chars().any(|c| c.is_ascii_digit()) {
        found.push("a number of its own; numbers come from the log".to_owned());
    }
    found
}

/// Emoji and the like: everything from the symbol and pictograph blocks.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_by_table() {
        for (text, count) in [
            ("Kestrel said no after the interview.\nIt may hurt for a while.", 0),
            ("Kestrel said no. You've got this!", 2),
            ("Don’t worry.", 1),
            ("Kopf hoch, morgen ist auch ein Tag.", 1),
            ("An outdoor job.", 0),
            ("Well 🙂", 1),
            ("a\nb\nc\nd\ne", 1),
            ("", 1),
            (&"word ".repeat(61), 1),
        ] {
            assert_eq!(lint(text).len(), count, "{text:?}: {:?}", lint(text));
        }
        assert!(lint_template("{{ employer }} said no, {{ n }} of {{ of }}.").is_empty());
        assert_eq!(lint_template("That is 1 of 5.").len(), 1);
    }
}
