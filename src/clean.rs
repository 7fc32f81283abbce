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

/// [`line()`] with a limit of the caller's, in characters.
pub fn line_within(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(chars_max * 2));
    let mut chars = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() || is_break(c) {
            gap = chars > 0;
            continue;
        }
        if is_unsafe(c) {
            continue;
        }
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
    out
}

/// Cleans text of several lines: as [`line()`], but line feeds and tabs stay, `CRLF` and a lone `CR` become a line
/// feed, other white space stays as it is, and nothing is cut.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(c),
            c if is_break(c) => out.push('\n'),
            c if is_unsafe(c) => {}
            c => out.push(c),
        }
    }
    out
}

/// Characters that end a line for some programs though they are no line feed.
fn is_break(c: char) -> bool {
    matches!(c, '\u{000b}' | '\u{000c}' | '\u{0085}' | '\u{2028}' | '\u{2029}')
}

/// Characters that steer a terminal or hide what stands there: C0, C1, DEL, bidirectional marks and overrides,
/// zero-width characters, soft hyphen, byte-order mark, variation selectors, tags and interlinear annotations.
fn is_unsafe(c: char) -> bool {
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

    proptest::proptest! {
        #[test]
        fn no_control_character_survives(s in "\\PC*|[\\x00-\\x{ff}]*") {
            proptest::prop_assert!(!line(&s).chars().any(char::is_control));
            proptest::prop_assert!(!text(&s).chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }
    }
}
