//! Texts that a phrase is meant to find, for the checks of rule files. Judges nothing.

use super::{
    Capture, PhraseError, WordLists,
    parse::{Lists, Node, Part, Sequence, parse},
};

/// What stands in a gap, for `*` and for a capture: letters that no list holds.
const FILLER: &str = "qvx";

/// Texts for a phrase as written; `None` where it would take more than `most`, so that they would not speak for all
/// of it. A gap is once empty and once full, an optional part there and not there.
pub(crate) fn samples(written: &str, lists: &WordLists, most: usize) -> Result<Option<Vec<String>>, PhraseError> {
    let parsed = parse(written, &Lists::new(lists))?;
    let space = if parsed.spaceless { "" } else { " " };
    let sampler = Sampler { most, space };
    Ok(sampler.sequence(&parsed.nodes))
}

struct Sampler {
    most: usize,
    space: &'static str,
}

impl Sampler {
    fn sequence(&self, nodes: &Sequence) -> Option<Vec<String>> {
        let mut out = vec![String::new()];
        for node in nodes {
            let next = match node {
                Node::Glued(parts) => self.glued(parts)?,
                Node::Optional(alternatives) => {
                    let mut texts = self.any(alternatives)?;
                    texts.push(String::new());
                    texts
                }
                Node::Gap(words) => vec![String::new(), vec![FILLER; *words as usize].join(self.space)],
            };
            out = self.product(&out, &next, self.space)?;
        }
        Some(out)
    }

    fn glued(&self, parts: &[Part]) -> Option<Vec<String>> {
        let mut out = vec![String::new()];
        for part in parts {
            let next = match part {
                Part::Literal(text) => vec![text.clone()],
                Part::Letters => vec![String::new(), FILLER.to_owned()],
                Part::Number | Part::Capture(Capture::Count | Capture::Reference) => vec!["17".to_owned()],
                Part::Capture(_) => vec![FILLER.to_owned()],
                Part::Group(alternatives) => self.any(alternatives)?,
                Part::Optional(alternatives) => {
                    let mut texts = self.any(alternatives)?;
                    texts.push(String::new());
                    texts
                }
            };
            out = self.product(&out, &next, "")?;
        }
        Some(out)
    }

    fn any(&self, alternatives: &[Sequence]) -> Option<Vec<String>> {
        let mut out = Vec::new();
        for alternative in alternatives {
            out.extend(self.sequence(alternative)?);
        }
        (out.len() <= self.most).then_some(out)
    }

    fn product(&self, heads: &[String], tails: &[String], between: &str) -> Option<Vec<String>> {
        if heads.len() * tails.len() > self.most {
            return None;
        }
        let join = |head: &String, tail: &String| {
            let between = if head.is_empty() || tail.is_empty() { "" } else { between };
            format!("{head}{between}{tail}")
        };
        Some(heads.iter().flat_map(|head| tails.iter().map(move |tail| join(head, tail))).collect())
    }
}
