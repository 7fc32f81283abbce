//! What a phrase finds, against the regular expression that says the same: an independent reading of the patterns.

use regex::bytes::{Regex, RegexBuilder};

use super::{Capture, Edge, Form, Found, Haystack, Phrase, WordLists, pattern::Piece, stretch::Kind};
use crate::rules::{Scratch, Texts, load, normal::normalise, shipped};

const LETTER: &str = r"[0-9a-z_\x80-\xff]";
const NO_LETTER: &str = r"[^0-9a-z_\x80-\xff]";
const GAP_WORD: &str = r"(?:[^ ;:!?()]*[^ ,;:.!?()])";
/// Sentences made from each phrase.
const SENTENCES: usize = 12;

fn expression(run: &[Piece], kinds: &mut Vec<Capture>) -> String {
    let mut out = String::new();
    for piece in run {
        out += &match piece {
            Piece::Text(text) => regex::escape(text),
            Piece::Space => "(?:, | )".to_owned(),
            Piece::Hyphen => "[- ]".to_owned(),
            Piece::Stretch(stretch) => of_kind(stretch.kind),
            Piece::Capture(kind, stretch) => {
                kinds.push(*kind);
                format!("({})", of_kind(stretch.kind))
            }
            Piece::Choice(choice) => {
                let all: Vec<String> = choice.alternatives.iter().map(|(_, run)| expression(run, kinds)).collect();
                format!("(?:{}){}", all.join("|"), if choice.optional { "?" } else { "" })
            }
        };
    }
    out
}

fn of_kind(kind: Kind) -> String {
    match kind {
        Kind::Letters => format!("{LETTER}*"),
        Kind::Number => "[0-9]+(?:[.,:/][0-9]+)*".into(),
        Kind::Spaces => "[, ]*".into(),
        Kind::Gap(words) => format!("(?: {GAP_WORD}){{0,{words}}}"),
        Kind::GapBefore(words) => format!("(?:{GAP_WORD} ){{0,{words}}}"),
        Kind::Characters { not, min, max, lazy } => {
            let not = regex::escape(std::str::from_utf8(not).unwrap());
            let lazy = if lazy { "?" } else { "" };
            format!("(?:[^\\x80-\\xff{not}]|[\\xc2-\\xf4][\\x80-\\xbf]+){{{min},{max}}}{lazy}")
        }
        Kind::Words { not, more, lazy } => {
            let not = regex::escape(std::str::from_utf8(not).unwrap());
            format!("[^{not}]+(?: [^{not}]+){{0,{more}}}{}", if lazy { "?" } else { "" })
        }
        Kind::Count => "[0-9][0-9,.]*".into(),
        Kind::Reference => "[0-9a-z]*[-_/.]?[0-9a-z_/-]*[0-9][0-9a-z_/-]*".into(),
    }
}

struct Oracle(Regex, Vec<Capture>);

impl Oracle {
    fn of(phrase: &Phrase) -> Option<Oracle> {
        let Some(Form::Pattern { run, edge, .. }) = phrase.form.get().map(Box::as_ref) else { return None };
        let mut kinds = Vec::new();
        let core = expression(run, &mut kinds);
        let whole = match edge {
            Edge::Open => format!("({core})"),
            Edge::Word => format!("(?:^|{NO_LETTER})({core})(?:$|{NO_LETTER})"),
            Edge::Line => format!("^({core})[ .!]*$"),
        };
        // Patterns are bytes outside ASCII too.
        let regex = RegexBuilder::new(&format!("(?s-u:{whole})")).size_limit(64 << 20).build();
        Some(Oracle(regex.unwrap_or_else(|e| panic!("{}: {e}", phrase.written)), kinds))
    }

    fn find_from(&self, text: &str, from: usize) -> Option<Found> {
        let mut at = self.0.capture_locations();
        self.0.captures_read_at(&mut at, text.as_bytes(), from)?;
        let captures = self.1.iter().enumerate().filter_map(|(i, kind)| Some((*kind, at.get(i + 2)?))).collect();
        Some(Found { span: at.get(1)?, captures })
    }
}

/// Numbers that only look random: a failure comes again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// A text that the run is likely to match.
fn sentence(run: &[Piece], dice: &mut Dice, out: &mut String) {
    for piece in run {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Space => out.push_str(dice.one(&[" ", " ", ", "])),
            Piece::Hyphen => out.push_str(dice.one(&["-", " "])),
            Piece::Stretch(stretch) | Piece::Capture(_, stretch) => out.push_str(match stretch.kind {
                Kind::Letters => dice.one(&["", "s", "ing", "é"]),
                Kind::Number => dice.one(&["7", "10:30", "1.2.3", "4,"]),
                Kind::Spaces => dice.one(&["", " ", ","]),
                Kind::Gap(_) => dice.one(&["", " so", " node.js, a", " one two. three", " a b c d e f"]),
                Kind::GapBefore(_) => dice.one(&["", "so ", "very much 2.5 ", "so, "]),
                Kind::Characters { .. } => dice.one(&["", "株式", "会社 a", "株。", "(株)a.b", "\"株"]),
                Kind::Words { .. } => {
                    dice.one(&["acme", "foo & sons.", "nurse (night), a", "bär: b", "a b c d e f g h i"])
                }
                Kind::Count => dice.one(&["12", "1,200.", "x"]),
                Kind::Reference => dice.one(&["r-12", "ab.12/x", "2024_7-b", "r2.d", ".5"]),
            }),
            Piece::Choice(choice) if choice.optional && dice.below(2) == 0 => {}
            Piece::Choice(choice) => sentence(&choice.alternatives[dice.below(choice.alternatives.len())].1, dice, out),
        }
    }
}

/// Something before, behind and in between, and now and then a letter less.
fn disturbed(text: &str, dice: &mut Dice) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..dice.below(3) {
        let at = dice.below(chars.len() + 1);
        if dice.below(2) == 0 {
            chars.splice(at..at, dice.one(&[" ", ",", ".", "; ", "-", "x", " we ", "(", "1", "ü"]).chars());
        } else if at < chars.len() {
            chars.remove(at);
        }
    }
    let body: String = chars.into_iter().collect();
    let before = dice.one(&["", "so ", "(", "x", "and we, ", "2. "]);
    let between = dice.one(&[" ", "", ". ", ", "]);
    let twice = if dice.below(2) == 0 { format!("{body}{between}{text}") } else { body };
    normalise(&format!("{before}{twice}{}", dice.one(&["", ".", " now", "s", ", ok", "!"]))).text
}

fn agree(phrase: &Phrase, dice: &mut Dice, may_stand: impl Fn(&str) -> bool) -> usize {
    let (Some(oracle), Some(Form::Pattern { run, .. })) = (Oracle::of(phrase), phrase.form.get().map(Box::as_ref))
    else {
        return 0;
    };
    let mut hits = 0;
    for _ in 0..SENTENCES {
        let mut text = String::new();
        sentence(run, dice, &mut text);
        let text = disturbed(&text, dice);
        let mut from = 0;
        let haystack = Haystack::new(&text);
        loop {
            let found = phrase.find_from(&haystack, from);
            assert_eq!(found, oracle.find_from(&text, from), "`{}` in {text:?} from {from}", phrase.written);
            let Some(found) = found else { break };
            assert!(may_stand(&text), "`{}` in {text:?}", phrase.written);
            hits += 1;
            from = found.span.1.max(from + 1);
        }
    }
    hits
}

#[test]
fn shipped_phrases_find_what_their_regular_expressions_find() {
    let set = load(&shipped()).unwrap();
    let mut dice = Dice(7);
    let mut hits = 0;
    for (number, pack) in set.packs.iter().enumerate() {
        let index = set.index(pack);
        // A third of them: building the expressions is what takes time.
        let some = set.searched(number).step_by(3);
        let may_stand = |p: &Phrase, text: &str| {
            index.candidates(&Texts::new([text].into_iter()), &mut Scratch::default()).of(0).has(p)
        };
        hits += some.map(|p| agree(p, &mut dice, |text| may_stand(p, text))).sum::<usize>();
    }
    assert!(hits > 2000, "only {hits} hits");
}

#[test]
fn every_form_finds_what_its_regular_expression_finds() {
    let lists = WordLists::from([("job".to_owned(), vec!["nurse[s]".to_owned(), "night (shift|work)".to_owned()])]);
    let mut dice = Dice(11);
    let mut hits = 0;
    for written in [
        "the <role> role [here] at <company>",
        "position of <role>",
        "<company>",
        "<person> from <company>",
        "by <date> please",
        "until <date>",
        "ref <ref>",
        "ref <ref> for",
        "<count> people",
        "[so] .. we",
        ".. we .. [really] .. want",
        "we ..2",
        "(a|a b|b) (b c|c)",
        "*ing {{job}} pre*",
        "at # (am|pm)",
        "#",
        "[very] [very] much",
        "[a][b]",
        "take-home",
        "残念 .. 結果",
        "<company> 不採用",
        "不採用 <role>",
        "今 # [の] 回 ..",
    ] {
        for phrase in [Phrase::new(written, &lists).unwrap(), Phrase::whole(written, &lists).unwrap()] {
            for _ in 0..20 {
                hits += agree(&phrase, &mut dice, |_| true);
            }
        }
    }
    assert!(hits > 2000, "only {hits} hits");
}
