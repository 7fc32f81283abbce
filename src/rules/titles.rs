//! Job titles, from every word list whose name holds `job-titles`: they tell the name of a role from other words.

use std::collections::HashSet;

use super::phrase::{WordLists, is_spaceless};

/// Part of the name of a word list that holds job titles (`job-titles`, `de-job-titles`, …).
const LIST: &str = "job-titles";

/// The known job titles, lower case.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    whole: HashSet<String>,
    /// Words of the longest title in `whole`.
    longest: usize,
    /// `verkäufer*`
    starts: Vec<String>,
    /// `*leiter`
    ends: Vec<String>,
    /// `*ingenieur*`, and titles of scripts without spaces.
    parts: Vec<String>,
}

impl Titles {
    pub(super) fn read(lists: &WordLists) -> Titles {
        let mut out = Titles::default();
        for title in lists.iter().filter(|(name, _)| name.contains(LIST)).flat_map(|(_, titles)| titles) {
            // A pattern is for phrases; only plain words name a title here.
            if title.contains(['(', '[', '{', '|', '<', '#']) {
                continue;
            }
            let lower = title.to_lowercase();
            let stem = lower.trim_matches('*');
            match (lower.starts_with('*'), lower.ends_with('*')) {
                (true, true) => out.parts.push(stem.to_owned()),
                (true, false) => out.ends.push(stem.to_owned()),
                (false, true) => out.starts.push(stem.to_owned()),
                (false, false) if is_spaceless(stem) => out.parts.push(stem.to_owned()),
                (false, false) => {
                    out.longest = out.longest.max(stem.split(' ').count());
                    out.whole.insert(stem.to_owned());
                }
            }
        }
        out
    }

    /// Whether a name, lower case with single spaces, holds one of the titles.
    pub(crate) fn stand_in(&self, name: &str) -> bool {
        let words: Vec<&str> = name.split(' ').collect();
        let whole = (1..=self.longest).flat_map(|n| words.windows(n)).any(|part| self.whole.contains(&part.join(" ")));
        whole
            || words.iter().any(|w| self.starts.iter().any(|t| w.starts_with(t.as_str())))
            || words.iter().any(|w| self.ends.iter().any(|t| w.ends_with(t.as_str())))
            || self.parts.iter().any(|t| name.contains(t.as_str()))
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
