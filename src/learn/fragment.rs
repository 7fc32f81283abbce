//! Rules and exceptions as text of a rule file, as a person would write them. It must not choose what they say.

use std::fmt::Write as _;

use crate::outcome::Category;

/// The person's file that proposals are saved to; it is read after their other files of lower numbers.
pub const LEARNED_FILE: &str = "95-learned.toml";

/// What a new file begins with.
const HEAD: &str = "# Rules made from your corrections with `onward rules new` and `onward rules tune`. They are yours: change them,\n\
    # or take them out.\nschema  = 1\npack    = \"learned\"\nversion = \"1\"\n";

/// Longest part of an id made from a phrase, in bytes.
const SLUG_BYTES_MAX: usize = 40;

/// A rule to be written.
pub(super) struct NewRule<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub category: Category,
    pub language: &'a str,
    pub phrase: &'a str,
    pub matches: &'a str,
    pub no_matches: Option<&'a str>,
}

/// A file with a fragment added at its end.
pub fn appended(file: Option<&str>, fragment: &str) -> String {
    let file = file.unwrap_or(HEAD);
    format!("{}\n\n{}\n", file.trim_end(), fragment.trim_end())
}

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

pub(super) fn rule(rule: &NewRule<'_>) -> String {
    let mut out = String::from("[[rule]]\n");
    let lines = [
        ("id", quoted(rule.id)),
        ("title", quoted(rule.title)),
        ("category", quoted(rule.category.as_str())),
        ("language", quoted(rule.language)),
        ("strength", quoted("strong")),
        ("phrases", format!("[{}]", quoted(rule.phrase))),
        ("match", format!("[{}]", quoted(rule.matches))),
    ];
    let no_match = rule.no_matches.map(|text| ("no_match", format!("[{}]", quoted(text))));
    for (key, value) in lines.into_iter().chain(no_match) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{key:<8} = {value}");
    }
    out
}

pub(super) fn exception(rule: &str, reason: &str, phrases: &[String], scope: &str, no_matches: &[String]) -> String {
    let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let mut out = format!(
        "[[override]]\nid     = {}\nreason = {}\n[override.append]\nunless   = [{{ any = [{}], scope = \"{scope}\" }}]\n",
        quoted(rule),
        quoted(reason),
        list(phrases)
    );
    if !no_matches.is_empty() {
        let _ = writeln!(out, "no_match = [{}]", list(no_matches));
    }
    out
}

/// An id for a phrase that is not taken yet.
pub(super) fn id(category: Category, phrase: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut slug = String::new();
    for word in phrase.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() > 1) {
        if slug.len() + word.len() < SLUG_BYTES_MAX {
            slug.push_str(if slug.is_empty() { "" } else { "-" });
            slug.push_str(word);
        }
    }
    if slug.is_empty() || !phrase.is_ascii() {
        slug = format!("p{:08x}", super::template::hash(std::iter::once(phrase)) >> 32);
    }
    let base = format!("user.{}.{slug}", category.as_str().replace('_', "-"));
    let numbered = (2..).map(|n| format!("{base}-{n}"));
    std::iter::once(base.clone()).chain(numbered).find(|id| !taken(id)).unwrap_or(base)
}
