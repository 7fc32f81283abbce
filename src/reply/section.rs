//! Reads the files that hold reply templates and notes: sections of TOML front matter and text.
//!
//! A file is a run of sections. Each opens with front matter between two `+++` lines; what a section does not set it
//! inherits from the one before it in the file. This module must not know what the keys mean.

/// Something wrong with a data file of the person's or of ours, with the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message} ({help})")]
pub struct Problem {
    /// The file, as the person would name it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// A section: its front matter with what it inherited, and its text without blank lines at either end.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The line of its first `+++`, from 1.
    pub line: u32,
    /// The line its text starts on, from 1.
    pub text_line: u32,
    /// The front matter.
    pub front: toml::Table,
    /// The text.
    pub text: String,
}

/// The line that opens and closes front matter.
const FENCE: &str = "+++";
/// Largest file read, in bytes: far more than any honest collection of texts.
pub const FILE_BYTES_MAX: usize = 1 << 20;

/// The sections of `text`. A section whose front matter cannot be read is left out and reported; the others stay.
pub fn sections(file: &str, text: &str, problems: &mut Vec<Problem>) -> Vec<Section> {
    let mut report = |line: u32, message: String, help: &str| {
        problems.push(Problem { file: file.to_owned(), line, message, help: help.to_owned() });
    };
    if text.len() > FILE_BYTES_MAX {
        report(1, format!("the file is larger than {FILE_BYTES_MAX} bytes"), "split it");
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut inherited = toml::Table::new();
    let mut lines = (1u32..).zip(text.lines()).peekable();
    while let Some((line, first)) = lines.next() {
        if first.trim().is_empty() {
            continue;
        }
        if first.trim_end() != FENCE {
            report(line, "text outside a section".into(), "open the file with front matter between two `+++` lines");
            while lines.next_if(|(_, l)| l.trim_end() != FENCE).is_some() {}
            continue;
        }
        let mut front = String::new();
        let mut closed = false;
        for (_, l) in lines.by_ref() {
            if l.trim_end() == FENCE {
                closed = true;
                break;
            }
            front.push_str(l);
            front.push('\n');
        }
        if !closed {
            report(line, "front matter is not closed".into(), "end it with a line `+++`");
        }
        let text_line = lines.peek().map_or(line, |(n, _)| *n);
        let mut body = Vec::new();
        while let Some((_, l)) = lines.next_if(|(_, l)| l.trim_end() != FENCE) {
            body.push(l.trim_end());
        }
        match front.parse::<toml::Table>() {
            Ok(own) => {
                inherited.extend(own);
                let text = body.join("\n").trim_matches('\n').to_owned();
                let blank = body.iter().take_while(|l| l.is_empty()).count();
                let text_line = text_line.saturating_add(u32::try_from(blank).unwrap_or(0));
                found.push(Section { line, text_line, front: inherited.clone(), text });
            }
            Err(error) => report(line, format!("front matter: {}", first_line(error.message())), "write it as TOML"),
        }
    }
    found
}

/// The first line of a parser's message, cleaned: the rest shows the text, which the report has by line.
pub(crate) fn first_line(message: &str) -> String {
    crate::clean::line(message.lines().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_sections_inherit_and_a_broken_one_does_not_hide_the_others() {
        let mut problems = Vec::new();
        let text = "+++\nlang = \"en\"\ngroup = \"a\"\n+++\n\nOne\n\nTwo\n\n+++\nlang = \n+++\nLost\n+++\ngroup = \"b\"\n+++\nThree\n";
        let found = sections("x.md", text, &mut problems);
        assert_eq!(found.iter().map(|s| s.text.as_str()).collect::<Vec<_>>(), ["One\n\nTwo", "Three"]);
        assert_eq!(found[0].text_line, 6);
        assert_eq!(found[1].front["lang"].as_str(), Some("en"));
        assert_eq!(found[1].front["group"].as_str(), Some("b"));
        assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [10]);
    }

    #[test]
    fn text_without_front_matter_and_an_open_fence_are_reported() {
        for (text, line) in [("hello\n", 1), ("\n+++\nlang = \"en\"\n", 2)] {
            let mut problems = Vec::new();
            sections("x.md", text, &mut problems);
            assert_eq!(problems.first().map(|p| p.line), Some(line), "{text:?}");
        }
    }
}
