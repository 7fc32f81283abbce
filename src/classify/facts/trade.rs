//! Words by which a name shows that it is a firm's or an institution's and no person's: *Garage Terpstra*, *Oakfield
//! School*. The words are data (`trade-words`); what a name is worth is not decided here.

use super::NameWords;

/// Shortest rest of a label of a domain beside such a word, in letters.
const REST_CHARS_MIN: usize = 3;
/// Shortest name on either side of an `and` in a label, in letters: *Portland* has none.
const PARTNER_CHARS_MIN: usize = 4;

/// Whether a word of the text is one.
pub(super) fn stands_in(words: &NameWords, text: &str) -> bool {
    let mut lower = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    lower.any(|word| words.trades.has(&word))
}

/// The label of a domain parted where such a word begins or ends it, or at the `and` of two partners:
/// `garageterpstra` is *Garage Terpstra*, `holtandquince` *Holt & Quince*.
pub(super) fn parted(words: &NameWords, label: &str) -> Option<String> {
    let long = |rest: &str| rest.chars().count() >= REST_CHARS_MIN;
    let by_trade = words.trades_in_labels.iter().find_map(|word| {
        let before = label.strip_suffix(word.as_str()).filter(|rest| long(rest));
        let behind = label.strip_prefix(word.as_str()).filter(|rest| long(rest));
        match (before, behind) {
            (Some(rest), _) => Some(format!("{} {}", capital(rest), capital(word))),
            (None, Some(rest)) => Some(format!("{} {}", capital(word), capital(rest))),
            (None, None) => None,
        }
    });
    by_trade.or_else(|| {
        let (one, other) = label.split_once("and")?;
        let both = [one, other].iter().all(|part| part.chars().count() >= PARTNER_CHARS_MIN);
        both.then(|| format!("{} & {}", capital(one), capital(other)))
    })
}

/// A word with a capital.
pub(super) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Layer, Source, load};

    #[test]
    fn a_trade_parts_a_label() {
        let text = "schema = 1\npack = \"x\"\n[define]\ntrade-words = [\"garage\", \"school\", \"bar\", \"bäckerei\"]\n\
                    [[rule]]\nid = \"x.signal.y\"\ntitle = \"y\"\ncategory = \"signal\"\nphrases = [\"y\"]\nmatch = [\"y\"]\n";
        let source = Source { name: "x.toml".into(), text: text.to_owned().into(), layer: Layer::User };
        let rules = load(&[source]).unwrap();
        let words = NameWords::of(&rules);
        for (label, expected) in [
            ("garageterpstra", Some("Garage Terpstra")),
            ("littlethorpeschool", Some("Littlethorpe School")),
            ("backereikern", Some("Backerei Kern")),
            ("zanzibar", None),
            ("school", None),
            ("ovenworks", None),
            ("holtandquince", Some("Holt & Quince")),
            ("portland", None),
        ] {
            assert_eq!(parted(words, label).as_deref(), expected, "{label}");
        }
        assert!(stands_in(words, "Bar Centrale") && stands_in(words, "Bäckerei Kern"));
        assert!(!stands_in(words, "Barbara Kern"));
    }
}
