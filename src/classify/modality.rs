//! How a phrase is said: plainly, as a request, as a possibility, denied, under a condition, about others
//! (`rules.md` §3.6). This is what keeps "if you are not selected" from closing an application.
//!
//! Trigger, reach and terminator, as clinical text mining does it: cue lists of the language (data) around the hit,
//! inside its clause. The first modality that applies wins. Each cue list is searched once per sentence, whatever the
//! number of hits.

use crate::{
    classify::Modality,
    rules::{
        Candidates, Cue, CueLists,
        phrase::{Haystack, Phrase},
    },
};

/// Most cues of one kind looked at in a sentence.
const CUES_MAX: usize = 24;
/// How far a negation reaches forward, in words.
const NEGATION_WORDS: usize = 10;
/// How far behind a hit a cue about other people may stand, in words.
const GENERIC_BEHIND_WORDS: usize = 6;
/// How far behind a hit a condition may begin, in words.
const CONDITION_BEHIND_WORDS: usize = 4;
/// How many words a condition has at least: a comma right behind `if` ends nothing.
const CONDITION_WORDS_MIN: usize = 2;

/// How many characters of Chinese or Japanese are counted as a word.
const CHARS_PER_WORD: usize = 2;

type Span = (usize, usize);

/// The cues of one sentence in one language.
pub(crate) struct Cues<'t> {
    text: &'t str,
    /// By cue, in the order of [`Cue::NAMES`].
    found: [Vec<Span>; Cue::NAMES.len()],
    /// Byte offsets where clauses begin.
    clauses: Vec<usize>,
}

impl<'t> Cues<'t> {
    /// Finds all cues of a normalised sentence.
    pub(crate) fn find(haystack: &Haystack<'t>, lists: &CueLists, candidates: Candidates<'_>) -> Cues<'t> {
        let all = |cue: Cue| -> Vec<Span> {
            let list = lists.lists.get(&cue).map_or(&[][..], Vec::as_slice);
            let among = candidates.among(list.first(), list.len());
            any_of(haystack, among.filter_map(|i| list.get(i)).collect())
        };
        let neutral = all(Cue::Neutral);
        let found = Cue::NAMES.map(|(_, cue)| {
            let mut spans = all(cue);
            spans.retain(|s| !neutral.iter().any(|n| n.0 <= s.0 && s.1 <= n.1));
            spans
        });
        let text = haystack.text;
        let mut clauses = vec![0];
        clauses.extend(spaceless_commas(text));
        clauses.extend(punctuation(text, &[", ", "; ", ": ", " (", ")", " - "]));
        clauses.extend(found.get(Cue::Clause as usize).into_iter().flatten().map(|s| s.0));
        clauses.sort_unstable();
        clauses.dedup();
        Cues { text, found, clauses }
    }

    fn cues(&self, cue: Cue) -> &[Span] {
        self.found.get(cue as usize).map_or(&[], Vec::as_slice)
    }

    /// How the hit is said, and the cue that says so.
    pub(crate) fn judge(&self, hit: Span) -> (Modality, Option<String>) {
        let modal = self.modal(hit);
        // "We may invite you": what may be asked one day is not asked now.
        let request = self.request(hit).filter(|r| modal.is_none_or(|m| r.0 < m.0));
        let order: [(Modality, Option<Span>); 6] = [
            (Modality::Conditional, self.conditional(hit)),
            (Modality::Generic, self.generic(hit)),
            (Modality::Negated, self.negated(hit)),
            (Modality::Request, request),
            (Modality::Modal, modal),
            (Modality::Future, self.future(hit)),
        ];
        for (modality, cue) in order {
            if let Some(cue) = cue {
                return (modality, self.text.get(cue.0..cue.1).map(str::to_owned));
            }
        }
        (Modality::Asserted, None)
    }

    fn clause(&self, at: usize) -> Span {
        let next = self.clauses.partition_point(|c| *c <= at);
        let start = next.checked_sub(1).and_then(|i| self.clauses.get(i)).copied().unwrap_or(0);
        (start, self.clauses.get(next).copied().unwrap_or(self.text.len()))
    }

    fn words(&self, from: usize, to: usize) -> usize {
        self.text.get(from..to).map_or(0, |t| t.split_ascii_whitespace().map(words_written_together).sum())
    }

    fn any_in(&self, cue: Cue, span: Span) -> bool {
        self.cues(cue).iter().any(|c| span.0 <= c.0 && c.1 <= span.1)
    }

    /// Whether the reach of a cue ends between `from` and `to`.
    fn ended(&self, from: usize, to: usize) -> bool {
        self.any_in(Cue::NegationEnd, (from, to))
    }

    /// The nearest cue before the hit, in its clause, whose reach does not end in between.
    fn before(&self, cue: Cue, hit: Span) -> Option<Span> {
        let clause = self.clause(hit.0);
        self.cues(cue).iter().rev().find(|c| clause.0 <= c.0 && c.1 <= hit.0 && !self.ended(c.1, hit.0)).copied()
    }

    fn conditional(&self, hit: Span) -> Option<Span> {
        for cue in self.cues(Cue::Conditional) {
            let governs = if cue.0 < hit.0 { self.governs(*cue, hit) } else { self.trails(*cue, hit) };
            if governs {
                return Some(*cue);
            }
        }
        self.cues(Cue::ConditionalBehind).iter().find(|cue| self.closes(**cue, hit)).copied()
    }

    /// Whether a condition that ends with the cue covers the hit, or the hit waits on it.
    fn closes(&self, cue: Span, hit: Span) -> bool {
        let begin = self.clause(cue.0).0;
        if hit.0 < cue.1 {
            return begin <= hit.0;
        }
        // Where the condition ends with its cue, the verb of what waits on it stands behind the hit.
        self.waits((begin, cue.1), (cue.1, self.clause(hit.0).1.max(hit.1)))
    }

    /// Whether a condition that begins before the hit covers it or the hit waits on it.
    fn governs(&self, cue: Span, hit: Span) -> bool {
        let ends = self.clauses.iter().copied().filter(|c| *c > cue.1);
        let end = ends.into_iter().find(|c| self.words(cue.1, *c) >= CONDITION_WORDS_MIN).unwrap_or(self.text.len());
        if hit.0 < end {
            return true;
        }
        let between = (end, hit.0);
        let broken =
            self.any_in(Cue::Clause, between) || self.text.get(between.0..between.1).is_some_and(|t| t.contains(';'));
        if broken {
            return false;
        }
        if self.any_in(Cue::Consequence, (cue.1, hit.0)) {
            return true;
        }
        self.waits((cue.0, end), (end, hit.1))
    }

    /// Whether what is said in the main clause waits on the condition.
    fn waits(&self, condition: Span, main: Span) -> bool {
        let convenient = self.any_in(Cue::Convenience, condition);
        let waits = self.any_in(Cue::Selection, condition) || self.any_in(Cue::Negation, condition);
        let open = self.any_in(Cue::Future, main) || self.any_in(Cue::Modal, main);
        let asked = self.any_in(Cue::Request, main);
        if convenient {
            return false;
        }
        // A plain request under a condition that is not about being chosen stays a request.
        if asked { waits } else { open }
    }

    /// Whether a condition that begins right behind the hit takes back what is only announced.
    fn trails(&self, cue: Span, hit: Span) -> bool {
        let near = cue.0 >= hit.1 && self.words(hit.1, cue.0) <= CONDITION_BEHIND_WORDS;
        let clause = self.clause(hit.0);
        let announced = (clause.0, hit.1);
        near && cue.0 < clause.1 && (self.any_in(Cue::Future, announced) || self.any_in(Cue::Modal, announced))
    }

    fn generic(&self, hit: Span) -> Option<Span> {
        let clause = self.clause(hit.0);
        for cue in [Cue::Generic, Cue::Habitual] {
            if let Some(found) = self.before(cue, hit) {
                return Some(found);
            }
            let behind = self.cues(cue).iter().find(|c| {
                c.0 >= hit.1
                    && c.1 <= clause.1
                    && self.words(hit.1, c.0) <= GENERIC_BEHIND_WORDS
                    && !self.ended(hit.1, c.0)
            });
            if let Some(found) = behind {
                return Some(*found);
            }
        }
        None
    }

    fn negated(&self, hit: Span) -> Option<Span> {
        self.before(Cue::Negation, hit).filter(|c| self.words(c.1, hit.0) <= NEGATION_WORDS)
    }

    /// A possibility; `would` inside `would like` is none.
    fn modal(&self, hit: Span) -> Option<Span> {
        let part_of_request = |m: &Span| self.cues(Cue::Request).iter().any(|r| r.0 <= m.0 && m.1 <= r.1);
        self.before(Cue::Modal, hit).filter(|m| !part_of_request(m))
    }

    fn request(&self, hit: Span) -> Option<Span> {
        let clause = self.clause(hit.0);
        let inside = |c: &&Span| clause.0 <= c.0 && c.0 < hit.1 && !self.ended(c.1, hit.0);
        let cue = self.cues(Cue::Request).iter().rev().find(inside);
        let start = self.text.get(clause.0..).map_or(clause.0, |t| {
            clause.0 + (t.len() - t.trim_start_matches([' ', ',', '(', ':', ';', '-', '"']).len())
        });
        let imperative = self.cues(Cue::Imperative).iter().find(|c| c.0 == start && c.0 <= hit.0);
        cue.or(imperative).copied()
    }

    fn future(&self, hit: Span) -> Option<Span> {
        let clause = self.clause(hit.0);
        let inside = |c: &&Span| clause.0 <= c.0 && c.0 < hit.1 && !self.ended(c.1, hit.0);
        let cue = self.cues(Cue::Future).iter().rev().find(inside)?;
        // Said to the reader or with a date it is as good as done.
        let certain = self.cues(Cue::Asserting).iter().any(|a| a.0 >= cue.0 && a.0 < clause.1);
        (!certain).then_some(*cue)
    }
}

/// How many words stand between two spaces: Chinese and Japanese put none between theirs.
fn words_written_together(text: &str) -> usize {
    let characters = text.chars().filter(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')).count();
    characters.div_ceil(CHARS_PER_WORD).max(1)
}

/// Where any of the phrases stands, one place behind the other; of phrases that begin at one place the first.
fn any_of(text: &Haystack<'_>, phrases: Vec<&Phrase>) -> Vec<Span> {
    let place = |phrase: &Phrase, from: usize| phrase.find_from(text, from).map(|f| f.span);
    let mut next: Vec<(&Phrase, Span)> = phrases.into_iter().filter_map(|p| Some((p, place(p, 0)?))).collect();
    let mut out: Vec<Span> = Vec::new();
    while out.len() < CUES_MAX
        && let Some((_, found)) = next.iter().min_by_key(|(_, span)| span.0).copied()
    {
        out.push(found);
        let from = found.1.max(found.0 + 1);
        next.retain_mut(|(phrase, span)| {
            if span.0 > from {
                return true;
            }
            let again = place(phrase, from);
            again.is_some_and(|again| {
                *span = again;
                true
            })
        });
    }
    out
}

/// Where clauses begin behind commas of scripts that write no space there.
fn spaceless_commas(text: &str) -> impl Iterator<Item = usize> + '_ {
    let follows = |at: usize| text.as_bytes().get(at + 1).is_some_and(|b| *b >= 0x80);
    text.match_indices(',').map(|(at, _)| at).filter(move |at| follows(*at)).map(|at| at + 1)
}

/// Where the marks stand, as the offset of what follows the mark's first character.
fn punctuation<'m>(text: &'m str, marks: &'m [&'m str]) -> impl Iterator<Item = usize> + 'm {
    marks.iter().flat_map(|mark| text.match_indices(mark).map(|(at, _)| at + 1))
}
