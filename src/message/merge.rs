//! Two parts that say the same: text/plain and HTML of one mail, each sentence kept once.

use std::collections::HashSet;

use super::{
    Block,
    text::{Form, Line, sentences},
};

/// Share of the HTML's text, in percent, below which the plain part is a stub ("view this mail in a browser").
const STUB_SHARE: usize = 40;

/// Whether the plain part says as much as the HTML does.
pub(super) fn plain_leads(plain: &[Line], html: &[Line]) -> bool {
    if plain.is_empty() || html.is_empty() {
        return html.is_empty();
    }
    let weight = |lines: &[Line]| -> usize {
        lines.iter().filter(|line| line.form != Form::Hidden).map(|line| folded_chars(&line.text)).sum()
    };
    let plain = weight(plain);
    plain > 0 && plain * 100 >= weight(html) * STUB_SHARE
}

/// The blocks of `first`, then what `second` has beyond them.
pub(super) fn merged(first: Vec<Block>, second: Vec<Block>) -> Vec<Block> {
    if second.is_empty() {
        return first;
    }
    let mut known: HashSet<String> = HashSet::new();
    for block in &first {
        known.insert(folded(&block.text));
        known.extend(sentences(&block.text).into_iter().map(folded));
    }
    let offset = first.last().map_or(0, |block| block.paragraph + 1);
    let mut blocks = first;
    for block in second {
        if known.contains(&folded(&block.text)) {
            continue;
        }
        let all = sentences(&block.text);
        let new: Vec<&str> = all.iter().copied().filter(|s| !known.contains(&folded(s))).collect();
        // Nothing but signs and addresses of links says nothing of its own.
        if new.iter().all(|sentence| folded(sentence).is_empty()) {
            continue;
        }
        let text = if new.len() == all.len() { block.text } else { new.join(" ") };
        blocks.push(Block { zone: block.zone, paragraph: block.paragraph.saturating_add(offset), text });
    }
    blocks
}

/// The words of a text without web addresses.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_address = |word: &&str| {
        let bare = word.trim_start_matches(['<', '(', '[', '*', '_']);
        ["http://", "https://", "mailto:"].iter().any(|scheme| bare.starts_with(scheme))
    };
    text.split_whitespace().filter(move |word| !is_address(word))
}

/// How many characters [`folded`] leaves of a text.
fn folded_chars(text: &str) -> usize {
    let chars = |word: &str| match word.is_ascii() {
        true => word.bytes().filter(u8::is_ascii_alphanumeric).count(),
        false => word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).count(),
    };
    words(text).map(chars).sum()
}

/// Letters and digits in lower case, without web addresses: equal for sentences that differ in layout only.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in words(text) {
        if word.is_ascii() {
            out.extend(word.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_lowercase())));
            continue;
        }
        out.extend(word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Zone;

    fn block(text: &str) -> Block {
        Block { zone: Zone::Body, paragraph: 0, text: text.into() }
    }

    #[test]
    fn sentences_of_both_parts_stand_once() {
        let plain = vec![block("Hello *Jane*, see https://x.example/1 here. We chose you.")];
        let html = vec![block("Hello Jane, see here. We chose you. Read more."), block("We  chose you!"), block("—")];
        let texts: Vec<_> = merged(plain, html).into_iter().map(|b| b.text).collect();
        assert_eq!(texts, ["Hello *Jane*, see https://x.example/1 here. We chose you.", "Read more."]);
    }
}
