//! The texts without which a regular expression finds nothing, so that it need not be tried where none of them stands.
//! This file must not search.

use regex_syntax::hir::{Hir, HirKind};

/// The texts of which one has to stand in one place of an expression.
pub(in crate::rules) type Place = Vec<Box<str>>;

/// The places of an expression where a text has to stand; none where it cannot be told.
pub(super) fn of(expression: &str) -> Vec<Place> {
    regex_syntax::parse(expression).map_or_else(|_| Vec::new(), |hir| places(&hir))
}

fn places(hir: &Hir) -> Vec<Place> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            std::str::from_utf8(&literal.0).map_or_else(|_| Vec::new(), |t| vec![vec![t.into()]])
        }
        HirKind::Capture(capture) => places(&capture.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => places(&repeated.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(places).collect(),
        HirKind::Alternation(ways) => {
            let each: Option<Vec<Place>> =
                ways.iter().map(|way| places(way).into_iter().max_by_key(shortest)).collect();
            each.into_iter().map(|each| each.concat()).collect()
        }
        _ => Vec::new(),
    }
}

/// How long the shortest text of a place is: short ones stand everywhere.
fn shortest(place: &Place) -> usize {
    place.iter().map(|text| text.len()).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_match_holds_is_told() {
        for (expression, matched, other) in [
            ("not (?:shown|seen) twice", "not seen twice", "not twice"),
            ("(?:taken|chosen)? by", " by", "taken"),
            (r"^re: (?:[^ ]+ ){0,3}(?:cook|chef)s?$", "re: our next chefs", "re: our next trip"),
            ("(?:a|[bc]) person", "b person", "b"),
            ("(?:one )+more", "one one more", "more"),
            (r"(?:x|\(a\)) ?.{0,9}(?:выбран|прин)", "(a) не выбран", "(a) не"),
        ] {
            let places = of(expression);
            let stands = |text: &str| places.iter().all(|place| place.iter().any(|t| text.contains(t.as_ref())));
            assert!(regex::Regex::new(expression).unwrap().is_match(matched), "{expression}");
            assert!(stands(matched) && !stands(other), "{expression}: {places:?}");
        }
        assert!(of(r"\d+ ?[a-z]").is_empty());
    }
}
