//! The one cleaning function: nothing that came from a mail, a server or a template reaches a terminal, a log
//! line, a header, SQL or HTML without having gone through here.
//!
//! Used at the parse boundary, so that no other code ever holds a raw value. It must not judge or shorten text by
//! meaning; it only removes what can steer a program that shows it.

/// Longest header value kept, in characters. Longer than any real subject; a bound on what a log line can grow to.
pub const HEADER_CHARS_MAX: usize = 300;

/// Cleans a header value or anything else that must stay on one line: control characters, bidirectional overrides,
/// zero-width and line-separator characters are removed, white space is collapsed, and the result is cut at
/// [`HEADER_CHARS_MAX`] characters.
pub fn line(text: &str) -> String {
    line_within(text, HEADER_CHARS_MAX)
}

/// [`line()`] with a limit of the caller's, in characters; one more where a space would stand at the end.
pub fn line_within(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars_max * 2));
    let mut gap = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (run, tail) = rest.split_at_checked(spaced_length(rest).max(c.len_utf8())).unwrap_or((rest, ""));
        rest = tail;
        if c.is_whitespace() {
            gap = !out.is_empty();
        } else if !is_unsafe(c) {
            if gap {
                out.push(' ');
                gap = false;
            }
            out.push_str(run);
        }
    }
    if out.len() > chars_max
        && let Some((end, last)) = out.char_indices().nth(chars_max)
    {
        let space_before = out.get(..end).is_some_and(|kept| kept.ends_with(' '));
        out.truncate(if space_before { end + last.len_utf8() } else { end });
    }
    out
}

/// Bytes at the start of a text that are visible ASCII characters with one space between words: [`line_within`] leaves
/// them as they are.
fn spaced_length(text: &str) -> usize {
    let mut after_space = true;
    let end = text.bytes().position(|b| {
        let space = b == b' ';
        let stays = b.is_ascii_graphic() || (space && !after_space);
        after_space = space;
        !stays
    });
    // A space at the end may be the first of several.
    end.and_then(|end| text.get(..end)).unwrap_or(text).trim_end_matches(' ').len()
}

/// Cleans text of several lines: as [`line()`], but line feeds and tabs stay, `CRLF` and a lone `CR` become a line
/// feed, other white space stays as it is, and nothing is cut.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let stays = rest.bytes().position(|b| !matches!(b, b' '..=b'~' | b'\n' | b'\t')).unwrap_or(rest.len());
        let (run, tail) = rest.split_at_checked(stays).unwrap_or((rest, ""));
        out.push_str(run);
        let mut chars = tail.chars();
        let Some(c) = chars.next() else { return out };
        rest = chars.as_str();
        match c {
            '\r' if rest.starts_with('\n') => {}
            '\r' => out.push('\n'),
            c if is_break(c) => out.push('\n'),
            c if is_unsafe(c) => {}
            c => out.push(c),
        }
    }
}

/// Characters that end a line for some programs though they are no line feed. All of them are white space.
fn is_break(c: char) -> bool {
    matches!(c, '\u{000b}' | '\u{000c}' | '\u{0085}' | '\u{2028}' | '\u{2029}')
}

/// Characters that steer a terminal or hide what stands there: C0, C1, DEL, bidirectional marks and overrides,
/// zero-width characters, soft hyphen, byte-order mark, variation selectors, tags and interlinear annotations.
fn is_unsafe(c: char) -> bool {
    // Most scripts lie between two blocks that hold none.
    if matches!(c, '\u{2070}'..='\u{fdff}') {
        return false;
    }
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_cannot_break_out() {
        for (given, expected) in [
            ("HR\r\nBcc: evil@x", "HR Bcc: evil@x"),
            ("  a \t b\u{a0}c ", "a b c"),
            ("red\u{1b}[31m", "red[31m"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("a\0b\u{9b}c\u{7f}", "abc"),
            ("a\u{2028}b", "a b"),
            ("", ""),
        ] {
            assert_eq!(line(given), expected, "{given:?}");
        }
        assert_eq!(line(&"x".repeat(5000)).chars().count(), HEADER_CHARS_MAX);
    }

    /// The same, said character by character.
    fn line_by_chars(text: &str, chars_max: usize) -> String {
        let (mut out, mut chars, mut gap) = (String::new(), 0, false);
        for c in text.chars() {
            if c.is_whitespace() || is_break(c) {
                gap = chars > 0;
            } else if !is_unsafe(c) {
                if chars >= chars_max {
                    break;
                }
                if gap {
                    out.push(' ');
                    chars += 1;
                    gap = false;
                }
                out.push(c);
                chars += 1;
            }
        }
        out
    }

    fn text_by_chars(text: &str) -> String {
        let unified: Vec<char> = text.replace("\r\n", "\n").replace('\r', "\n").chars().collect();
        let kept = unified.into_iter().map(|c| if is_break(c) { '\n' } else { c });
        kept.filter(|&c| matches!(c, '\n' | '\t') || !is_unsafe(c)).collect()
    }

    #[test]
    fn every_character_alone_and_between_others() {
        // The first plane, and the one block behind it that is not kept.
        for c in ('\0'..='\u{ffff}').chain('\u{dfff0}'..='\u{e0fff}') {
            for given in [format!("a{c}b {c} d"), format!("{c}\r{c}{c}\n")] {
                assert_eq!(line(&given), line_by_chars(&given, HEADER_CHARS_MAX), "{given:?}");
                assert_eq!(text(&given), text_by_chars(&given), "{given:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn cleaning_does_what_it_does_to_each_character(
            s in "([ -~]|[ \t\r\n\u{b}\u{85}\u{a0}\u{ad}\u{200b}\u{2028}\u{3000}\u{7f}üß残]|  ){0,80}",
            most in 0_usize..90,
        ) {
            proptest::prop_assert_eq!(line_within(&s, most), line_by_chars(&s, most));
            proptest::prop_assert_eq!(text(&s), text_by_chars(&s));
        }

        #[test]
        fn no_control_character_survives(s in "\\PC*|[\\x00-\\x{ff}]*") {
            proptest::prop_assert!(!line(&s).chars().any(char::is_control));
            proptest::prop_assert!(!text(&s).chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
