//! Job titles, from every word list whose name holds `job-titles`: they tell the name of a role from other words.

use super::{
    phrase::{WordLists, is_spaceless},
    words::{Stems, Table},
};

/// Part of the name of a word list that holds job titles (`job-titles`, `de-job-titles`, …).
const LIST: &str = "job-titles";

/// The known job titles, lower case.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    /// Titles of one word; `parts` holds those of scripts without spaces as well.
    words: Stems,
    /// Titles of several words: what follows the first one, by it.
    several: Table<Box<str>, Vec<Box<str>>>,
}

impl Titles {
    pub(super) fn read(lists: &WordLists) -> Titles {
        let mut words: Vec<String> = Vec::new();
        let mut several: Table<Box<str>, Vec<Box<str>>> = Table::default();
        for title in lists.iter().filter(|(name, _)| name.contains(LIST)).flat_map(|(_, titles)| titles) {
            // A pattern is for phrases; only plain words name a title here.
            if title.contains(['(', '[', '{', '|', '<', '#']) {
                continue;
            }
            let lower = title.to_lowercase();
            match lower.split_once(' ') {
                _ if lower.starts_with('*') || lower.ends_with('*') => words.push(lower),
                _ if is_spaceless(&lower) => words.push(format!("*{lower}*")),
                Some((first, rest)) => several.entry(first.into()).or_default().push(rest.into()),
                None => words.push(lower),
            }
        }
        Titles { words: words.iter().map(String::as_str).collect(), several }
    }

    /// Whether a name, lower case with single spaces, holds one of the titles.
    pub(crate) fn stand_in(&self, name: &str) -> bool {
        let mut rest = Some(name);
        while let Some(text) = rest {
            let (word, behind) = text.split_once(' ').map_or((text, None), |(word, behind)| (word, Some(behind)));
            let goes_on = |known: &str| {
                let tail = behind.and_then(|behind| behind.strip_prefix(known));
                tail.is_some_and(|tail| tail.is_empty() || tail.starts_with(' '))
            };
            let one = self.words.whole.has(word) || self.words.starts.begin(word) || self.words.ends.end(word);
            if one || self.several.get(word).is_some_and(|known| known.iter().any(|known| goes_on(known))) {
                return true;
            }
            rest = behind;
        }
        // A title with a star on either side may hold spaces.
        self.words.parts.stand_in(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_as_the_list_writes_it() {
        let list = |titles: &[&str]| titles.iter().map(|t| (*t).to_owned()).collect();
        let titles = Titles::read(&WordLists::from([
            ("job-titles".to_owned(), list(&["nurse", "Social Worker", "(team|shift) leader"])),
            ("de-job-titles".to_owned(), list(&["verkäufer*", "*leiter", "*ingenieur*"])),
            ("ja-job-titles".to_owned(), list(&["エンジニア"])),
            ("people".to_owned(), list(&["candidate"])),
        ]));
        for yes in
            ["night nurse", "senior social worker", "verkäuferin", "bauleiter", "bauingenieurin", "営業エンジニア職"]
        {
            assert!(titles.stand_in(yes), "{yes}");
        }
        for no in ["nursery", "social club worker", "leiterplatte", "candidate", ""] {
            assert!(!titles.stand_in(no), "{no}");
        }
    }
}
