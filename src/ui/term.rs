//! How text looks on a terminal: weight but never colour alone, wrapped, and cleaned.

use std::io::{self, IsTerminal, Write};

use crate::clean;

/// Widest text, in columns: longer lines are hard to read however wide the window is.
pub const COLUMNS_MAX: usize = 96;
/// Narrowest text that is still wrapped, in columns.
const COLUMNS_MIN: usize = 40;

/// Where a verb writes, and how.
pub struct Screen<'a> {
    out: &'a mut dyn Write,
    styled: bool,
    columns: usize,
}

impl<'a> Screen<'a> {
    /// A screen that writes plain text of `columns` columns to `out`.
    pub fn plain(out: &'a mut dyn Write, columns: usize) -> Screen<'a> {
        Screen { out, styled: false, columns: columns.clamp(COLUMNS_MIN, COLUMNS_MAX) }
    }

    /// A screen on standard output: styled when that is a terminal and `NO_COLOR` is not set.
    pub fn stdout(out: &'a mut dyn Write) -> Screen<'a> {
        let styled = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let columns = if io::stdout().is_terminal() { textwrap::termwidth() } else { COLUMNS_MAX };
        Screen { out, styled, columns: columns.clamp(COLUMNS_MIN, COLUMNS_MAX) }
    }

    /// The writer underneath, for output that is its own format (JSON).
    pub fn raw(&mut self) -> &mut dyn Write {
        self.out
    }

    /// One line, as it is.
    pub fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.out, "{}", clean::text(text.as_ref()))
    }

    /// A heading.
    pub fn heading(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        let text = clean::text(text.as_ref());
        if self.styled { writeln!(self.out, "\x1b[1m{text}\x1b[0m") } else { writeln!(self.out, "{text}") }
    }

    /// A line of lesser weight.
    pub fn aside(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        let text = clean::text(text.as_ref());
        if self.styled { writeln!(self.out, "\x1b[2m{text}\x1b[0m") } else { writeln!(self.out, "{text}") }
    }

    /// An empty line.
    pub fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Text wrapped to the screen, every line behind `indent`; line breaks in the text stay.
    pub fn wrapped(&mut self, indent: &str, text: &str) -> io::Result<()> {
        for line in clean::text(text).lines() {
            if line.trim().is_empty() {
                writeln!(self.out, "{}", indent.trim_end())?;
                continue;
            }
            let options = textwrap::Options::new(self.columns).initial_indent(indent).subsequent_indent(indent);
            for wrapped in textwrap::wrap(line, options) {
                writeln!(self.out, "{wrapped}")?;
            }
        }
        Ok(())
    }

    /// A question at the end of which the cursor stays.
    pub fn prompt(&mut self, text: &str) -> io::Result<()> {
        let text = clean::text(text);
        if self.styled {
            write!(self.out, "\x1b[1m{text}\x1b[0m")?
        } else {
            write!(self.out, "{text}")?
        }
        self.out.flush()
    }
}

/// Cuts text to `columns` display columns, with an ellipsis where something was cut, and fills it up with spaces.
pub fn fit(text: &str, columns: usize) -> String {
    let text = clean::line(text);
    let width = textwrap::core::display_width(&text);
    if width <= columns {
        return format!("{text}{}", " ".repeat(columns - width));
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = textwrap::core::display_width(c.encode_utf8(&mut [0; 4]));
        if used + w + 1 > columns {
            break;
        }
        out.push(c);
        used += w;
    }
    out.push('…');
    used += 1;
    out.push_str(&" ".repeat(columns.saturating_sub(used)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_as_shown() {
        assert_eq!(fit("abc", 5), "abc  ");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("採用結果", 5), "採用…");
    }

    #[test]
    fn nothing_raw_reaches_the_terminal() {
        let mut out = Vec::new();
        let mut screen = Screen::plain(&mut out, 80);
        screen.line("a\x1b]52;c;aGk=\x07b").unwrap();
        screen.wrapped("  ", "c\x1b[2Jd\ne").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a]52;c;aGk=b\n  c[2Jd\n  e\n");
    }
}
