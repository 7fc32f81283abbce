//! The word lists by which names are read, made ready once for a rule set. The words are data (`rules/names.toml`,
//! `rules/senders.toml`), and each field says in which list they stand; what a name is worth is not decided here.

use std::cmp::Reverse;

use super::names::as_domain;
use crate::rules::{
    RuleSet,
    words::{Beginnings, Endings, Stems, Tails, Words},
};

/// Shortest word that is looked for inside a label of a domain, in letters: *bar* ends *zanzibar*.
const INSIDE_CHARS_MIN: usize = 4;

/// The lists for the names of employers and people in scripts with capitals, and those of the others.
#[derive(Debug)]
pub(crate) struct NameWords {
    /// `names-person-titles`
    pub person_titles: Words,
    /// `names-legal-forms`
    pub legal_forms: Words,
    /// `names-legal-endings`, capitals as written
    pub legal_endings: Words,
    /// `names-connectors`
    pub connectors: Words,
    /// `names-institutions`
    pub institutions: Words,
    /// `names-places`
    pub places: Words,
    /// `names-verb-endings`
    pub verb_endings: Endings,
    /// `names-patronymics`
    pub patronymics: Endings,
    /// `names-articles`
    pub articles: Words,
    /// `names-team-words`
    pub team_words: Words,
    /// `names-after-team`
    pub after_team: Words,
    /// `names-no-employer`
    pub no_employer: Words,
    /// `names-no-person`
    pub no_person: Words,
    /// `trade-words`
    pub trades: Words,
    /// `trade-words` as domains spell them, the longest first
    pub trades_in_labels: Vec<String>,
    /// Around the names in addresses and display names.
    pub sender: SenderWords,
    /// Around the names of roles.
    pub role: RoleWords,
    /// In scripts without capitals and spaces.
    pub spaceless: SpacelessWords,
}

/// The lists for what a sender writes around the employer's name.
#[derive(Debug)]
pub(crate) struct SenderWords {
    /// `display-suffixes`
    pub suffixes: Tails,
    /// `display-prefixes`
    pub prefixes: Words,
    /// `display-marks`, each with a space on either side, the surer ones first
    pub marks: Vec<String>,
    /// `shared-mailboxes`
    pub shared_mailboxes: Words,
    /// `freemail-domains`
    pub freemail: Words,
    /// `slug-suffixes`
    pub slug_suffixes: Vec<String>,
    /// `agency-labels` that stand anywhere in the label of a domain
    pub agency_parts: Beginnings,
    /// `agency-labels` that end it
    pub agency_ends: Endings,
}

/// The lists for the names of roles.
#[derive(Debug)]
pub(crate) struct RoleWords {
    /// `role-words`
    pub places: Stems,
    /// `role-stopwords`
    pub stopwords: Words,
    /// `role-compounds`
    pub compounds: Words,
    /// `role-verbs`
    pub verbs: Words,
    /// `role-number-labels`
    pub number_labels: Words,
    /// `role-before`
    pub before: Words,
    /// `role-after`
    pub after: Words,
    /// `role-leading`, each up to where the role begins
    pub leading: Words,
    /// `role-at`, each with a space on either side
    pub at: Vec<String>,
    /// `role-at-known`, each with a space on either side
    pub at_known: Vec<String>,
    /// `role-trailing`, each from where the role ends
    pub trailing: Tails,
}

/// The lists for names in Japanese, Chinese and Korean.
#[derive(Debug)]
pub(crate) struct SpacelessWords {
    /// `spaceless-forms` as parts of a word
    pub form_parts: Beginnings,
    /// `spaceless-forms`
    pub forms: Words,
    /// `spaceless-legal-forms`, in their order
    pub legal_forms: Vec<String>,
    /// `spaceless-trades` as the ends of words
    pub trade_ends: Endings,
    /// `spaceless-trades`
    pub trades: Words,
    /// `spaceless-ends`
    pub ends: Vec<String>,
    /// `spaceless-ranks`
    pub ranks: Beginnings,
    /// `spaceless-surnames`
    pub surnames: Beginnings,
    /// `spaceless-teams`
    pub teams: Tails,
    /// `spaceless-units`
    pub units: Tails,
    /// `spaceless-work`
    pub work: Tails,
    /// `spaceless-before`
    pub before: Vec<String>,
    /// `spaceless-signed`
    pub signed: Tails,
    /// `spaceless-no-name`
    pub no_name: Beginnings,
    /// `spaceless-called`
    pub called: Tails,
    /// `spaceless-no-employer`
    pub no_employer: Words,
    /// `spaceless-applied`
    pub applied: Beginnings,
    /// `spaceless-around-role`
    pub around_role: Tails,
    /// `spaceless-no-role-alone`
    pub no_role_alone: Words,
    /// `spaceless-no-role`
    pub no_role: Beginnings,
}

impl NameWords {
    /// The lists of a rule set, made ready when they are first asked for.
    pub(crate) fn of(rules: &RuleSet) -> &NameWords {
        rules.names.get_or_init(|| NameWords::read(rules))
    }

    fn read(rules: &RuleSet) -> NameWords {
        let words = |name| words(rules, name).collect();
        let endings = |name| self::words(rules, name).collect();
        let mut inside: Vec<String> = self::words(rules, "trade-words").map(|word| as_domain(word, false)).collect();
        inside.retain(|word| word.chars().count() >= INSIDE_CHARS_MIN);
        inside.sort_by_key(|word| Reverse(word.len()));
        NameWords {
            person_titles: words("names-person-titles"),
            legal_forms: words("names-legal-forms"),
            legal_endings: words("names-legal-endings"),
            connectors: words("names-connectors"),
            institutions: words("names-institutions"),
            places: words("names-places"),
            verb_endings: endings("names-verb-endings"),
            patronymics: endings("names-patronymics"),
            articles: words("names-articles"),
            team_words: words("names-team-words"),
            after_team: words("names-after-team"),
            no_employer: words("names-no-employer"),
            no_person: words("names-no-person"),
            trades: words("trade-words"),
            trades_in_labels: inside,
            sender: SenderWords::read(rules),
            role: RoleWords::read(rules),
            spaceless: SpacelessWords::read(rules),
        }
    }
}

impl SenderWords {
    fn read(rules: &RuleSet) -> SenderWords {
        let labels = || words(rules, "agency-labels");
        SenderWords {
            suffixes: words(rules, "display-suffixes").collect(),
            prefixes: words(rules, "display-prefixes").collect(),
            marks: words(rules, "display-marks").map(between_spaces).collect(),
            shared_mailboxes: words(rules, "shared-mailboxes").collect(),
            freemail: words(rules, "freemail-domains").collect(),
            slug_suffixes: rules.list("slug-suffixes").to_vec(),
            agency_parts: labels().filter(|word| !word.starts_with('*')).collect(),
            agency_ends: labels().filter_map(|word| word.strip_prefix('*')).collect(),
        }
    }
}

impl RoleWords {
    fn read(rules: &RuleSet) -> RoleWords {
        let words = |name| words(rules, name).collect();
        let spaced = |name| self::words(rules, name).map(between_spaces).collect();
        // `poste d'` is glued to what follows it, `-stelle` to what stands before it.
        let leading = |word: &str| if word.ends_with(['\'', '’']) { word.to_owned() } else { format!("{word} ") };
        let trailing = |word: &str| if word.starts_with('-') { word.to_owned() } else { format!(" {word}") };
        let leading: Vec<String> = self::words(rules, "role-leading").map(leading).collect();
        let trailing: Vec<String> = self::words(rules, "role-trailing").map(trailing).collect();
        RoleWords {
            places: self::words(rules, "role-words").collect(),
            stopwords: words("role-stopwords"),
            compounds: words("role-compounds"),
            verbs: words("role-verbs"),
            number_labels: words("role-number-labels"),
            before: words("role-before"),
            after: words("role-after"),
            leading: leading.iter().map(String::as_str).collect(),
            at: spaced("role-at"),
            at_known: spaced("role-at-known"),
            trailing: trailing.iter().map(String::as_str).collect(),
        }
    }
}

impl SpacelessWords {
    fn read(rules: &RuleSet) -> SpacelessWords {
        let words = |name| words(rules, name).collect();
        let parts = |name| self::words(rules, name).collect();
        let tails = |name| self::words(rules, name).collect();
        let listed = |name| rules.list(name).to_vec();
        SpacelessWords {
            form_parts: parts("spaceless-forms"),
            forms: words("spaceless-forms"),
            legal_forms: listed("spaceless-legal-forms"),
            trade_ends: self::words(rules, "spaceless-trades").collect(),
            trades: words("spaceless-trades"),
            ends: listed("spaceless-ends"),
            ranks: parts("spaceless-ranks"),
            surnames: parts("spaceless-surnames"),
            teams: tails("spaceless-teams"),
            units: tails("spaceless-units"),
            work: tails("spaceless-work"),
            before: listed("spaceless-before"),
            signed: tails("spaceless-signed"),
            no_name: parts("spaceless-no-name"),
            called: tails("spaceless-called"),
            no_employer: words("spaceless-no-employer"),
            applied: parts("spaceless-applied"),
            around_role: tails("spaceless-around-role"),
            no_role_alone: words("spaceless-no-role-alone"),
            no_role: parts("spaceless-no-role"),
        }
    }
}

fn words<'r>(rules: &'r RuleSet, list: &str) -> impl Iterator<Item = &'r str> {
    rules.list(list).iter().map(String::as_str)
}

fn between_spaces(word: &str) -> String {
    format!(" {word} ")
}

/// The lists of the shipped rules, for tests.
#[cfg(test)]
pub(super) fn shipped() -> &'static NameWords {
    static RULES: std::sync::LazyLock<RuleSet> =
        std::sync::LazyLock::new(|| crate::rules::load(&crate::rules::shipped()).unwrap());
    NameWords::of(&RULES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Layer, Source, load};

    #[test]
    fn every_list_is_read_and_takes_words_of_ones_own() {
        let shipped = crate::rules::shipped();
        let names = shipped.iter().find(|source| source.name.ends_with("names.toml")).unwrap();
        let document: toml::Table = names.text.parse().unwrap();
        for list in document["define"].as_table().unwrap().keys() {
            let asked = |call: &&str| include_str!("words.rs").contains(&format!("{call}\"{list}\")"));
            assert!(["(", "(rules, "].iter().any(asked), "{list}");
        }
        let text = "schema = 1\n[define]\nnames-person-titles = [\"dña\"]\nrole-leading = [\"pályázat\"]\n";
        let own = Source { name: "mine.toml".into(), text: text.to_owned().into(), layer: Layer::User };
        let rules = load(&[shipped, vec![own]].concat()).unwrap();
        let words = NameWords::of(&rules);
        assert!(words.person_titles.has("dña") && words.person_titles.has("mr") && words.role.leading.has("pályázat "));
    }
}
