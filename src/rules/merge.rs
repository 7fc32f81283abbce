//! Puts the files together: later files add rules, extend word lists, change single rules or switch them off. Nothing
//! replaces a rule silently, and every reference to something that is not there is an error.

use std::collections::{HashMap, HashSet};

use super::{
    Source,
    diagnostic::{Problems, did_you_mean},
    phrase::WordLists,
    reader::Text,
    syntax::{ConditionSyntax, DisableSyntax, FileSyntax, OverrideSyntax, RuleBody, TombstoneSyntax},
};

/// A rule with the file defaults filled in and all overrides applied.
pub(super) struct MergedRule {
    pub body: RuleBody,
    pub id: Text,
    /// Index of the file that holds the rule.
    pub file: usize,
    /// Names of the files that changed it.
    pub changed_by: Vec<String>,
}

/// Everything the files say about rules, merged.
pub(super) struct Merged {
    pub rules: Vec<MergedRule>,
    pub lists: WordLists,
}

/// Merges the rules of all files, in their order, and takes them out of the files. `today` ends a `[[disable]]` with an `until`.
pub(super) fn merge(
    files: &mut [FileSyntax],
    sources: &[Source],
    today: Option<jiff::civil::Date>,
    problems: &mut Problems<'_>,
) -> Merged {
    let mut rules: Vec<MergedRule> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for (i, file) in files.iter_mut().enumerate() {
        for body in std::mem::take(&mut file.rules) {
            let Some(id) = body.id.clone() else {
                problems.error("R010", body.at, "a rule without `id`", None);
                continue;
            };
            check_id(&id, problems);
            if let Some(first) = by_id.get(&id.text).and_then(|i| rules.get(*i)) {
                let where_ = format!("{}:{}", problems.file(first.id.at), first.id.at.line);
                let help = "to change a rule write [[override]]".to_owned();
                problems.error("R030", id.at, format!("`{}` stands in {where_} already", id.text), Some(help));
                continue;
            }
            by_id.insert(id.text.clone(), rules.len());
            let body = with_defaults(body, &file.defaults, file.language.as_ref());
            rules.push(MergedRule { body, id, file: i, changed_by: Vec::new() });
        }
    }
    let tombs: Vec<&TombstoneSyntax> = files.iter().flat_map(|f| &f.tombstones).collect();
    for tomb in &tombs {
        if let Some(rule) = by_id.get(&tomb.id.text).and_then(|i| rules.get(*i)) {
            problems.error(
                "R035",
                rule.id.at,
                format!("the id `{}` was used before; ids are never reused", tomb.id.text),
                None,
            );
        }
    }
    for (i, file) in files.iter().enumerate() {
        let name = sources.get(i).map_or("", |s| s.name.as_str());
        for change in &file.overrides {
            match find(&change.id, &by_id, &tombs, "override", problems).and_then(|i| rules.get_mut(i)) {
                Some(rule) => apply(rule, change, name, problems),
                None => continue,
            }
        }
    }
    let disables: Vec<&DisableSyntax> = files.iter().flat_map(|f| &f.disables).collect();
    let disabled = disabled(&disables, &by_id, &tombs, today, problems);
    rules.retain(|r| !disabled.contains(&r.id.text));
    Merged { rules, lists: word_lists(files) }
}

/// Word lists of one name are joined over all files.
fn word_lists(files: &[FileSyntax]) -> WordLists {
    let mut lists = WordLists::new();
    for (name, words) in files.iter().flat_map(|f| &f.defines) {
        let list = lists.entry(name.text.to_lowercase()).or_default();
        for word in words {
            if !list.contains(&word.text) {
                list.push(word.text.clone());
            }
        }
    }
    lists
}

fn check_id(id: &Text, problems: &mut Problems<'_>) {
    let fine = (3..=80).contains(&id.text.len())
        && id.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
    if !fine {
        let help = "3 to 80 of a–z, 0–9, `.`, `-`, `_`, e.g. `en.rejection.regret`".to_owned();
        problems.error("R014", id.at, format!("`{}` cannot be an id", id.text), Some(help));
    }
}

/// The rule an override or disable means, or a report.
fn find(
    id: &Text,
    by_id: &HashMap<String, usize>,
    tombs: &[&TombstoneSyntax],
    what: &str,
    problems: &mut Problems<'_>,
) -> Option<usize> {
    let found = by_id.get(&id.text).copied();
    if found.is_some() {
        return found;
    }
    if let Some(tomb) = tombs.iter().find(|t| t.id.text == id.text) {
        let part =
            |label: &str, text: &Option<Text>| text.as_ref().map_or_else(String::new, |t| format!("{label}{}", t.text));
        let message = format!("`{}` was removed{}", id.text, part(" in ", &tomb.removed_in));
        let help = format!("{}{}", part("replaced by ", &tomb.replaced_by), part(": ", &tomb.why));
        problems.error("R035", id.at, message, Some(help).filter(|h| !h.is_empty()));
        return None;
    }
    let mut known: Vec<&str> = by_id.keys().map(String::as_str).collect();
    known.sort_unstable();
    let help = did_you_mean(&id.text, known);
    problems.error("R031", id.at, format!("{what} of unknown rule `{}`", id.text), help);
    None
}

fn disabled(
    disables: &[&DisableSyntax],
    by_id: &HashMap<String, usize>,
    tombs: &[&TombstoneSyntax],
    today: Option<jiff::civil::Date>,
    problems: &mut Problems<'_>,
) -> HashSet<String> {
    let mut out = HashSet::new();
    for disable in disables {
        if find(&disable.id, by_id, tombs, "disable", problems).is_none() {
            continue;
        }
        match (disable.until, today) {
            (Some(until), Some(today)) if until.value < today => {
                let text = format!("`{}` is in force again since {}", disable.id.text, until.value);
                problems.warn("R114", until.at, text, Some("remove the [[disable]], or move its date".into()));
            }
            _ => {
                out.insert(disable.id.text.clone());
            }
        }
    }
    out
}

fn with_defaults(mut body: RuleBody, defaults: &RuleBody, language: Option<&Text>) -> RuleBody {
    let fill = |own: &mut Option<Text>, default: &Option<Text>| {
        if own.is_none() {
            own.clone_from(default);
        }
    };
    fill(&mut body.status, &defaults.status);
    fill(&mut body.category, &defaults.category);
    fill(&mut body.family, &defaults.family);
    fill(&mut body.language, &defaults.language);
    fill(&mut body.language, &language.cloned());
    if body.zones.is_none() {
        body.zones.clone_from(&defaults.zones);
    }
    body
}

fn apply(rule: &mut MergedRule, change: &OverrideSyntax, file: &str, problems: &mut Problems<'_>) {
    rule.changed_by.push(file.to_owned());
    if let Some(set) = &change.set {
        if let Some(id) = &set.id {
            problems.error("R016", id.at, "an override cannot change `id`", None);
        }
        apply_set(&mut rule.body, set);
    }
    if let Some(append) = &change.append {
        only_lists(append, "append", problems);
        let add = |own: &mut Option<Vec<Text>>, more: &Option<Vec<Text>>| {
            if let Some(more) = more {
                own.get_or_insert_default().extend(more.iter().cloned());
            }
        };
        let body = &mut rule.body;
        for (own, more) in text_lists(body).into_iter().zip(text_lists(&mut append.clone())) {
            add(own, more);
        }
        let add = |own: &mut Option<Vec<ConditionSyntax>>, more: &Option<Vec<ConditionSyntax>>| {
            if let Some(more) = more {
                own.get_or_insert_default().extend(more.iter().cloned());
            }
        };
        add(&mut body.unless, &append.unless);
        add(&mut body.requires, &append.requires);
    }
    if let Some(remove) = &change.remove {
        only_lists(remove, "remove", problems);
        for (own, gone) in text_lists(&mut rule.body).into_iter().zip(text_lists(&mut remove.clone())) {
            for text in gone.iter().flatten() {
                let list = own.get_or_insert_default();
                let before = list.len();
                list.retain(|t| t.text != text.text);
                if list.len() == before {
                    let known: Vec<String> = list.iter().map(|t| t.text.clone()).collect();
                    let help = did_you_mean(&text.text, known.iter().map(String::as_str));
                    problems.error("R038", text.at, format!("`{}` has no such entry to remove", rule.id.text), help);
                }
            }
        }
    }
}

/// The lists of texts that an override may extend or cut.
fn text_lists(body: &mut RuleBody) -> [&mut Option<Vec<Text>>; 9] {
    [
        &mut body.zones,
        &mut body.modality,
        &mut body.phrases,
        &mut body.regex,
        &mut body.sender,
        &mut body.matches,
        &mut body.no_matches,
        &mut body.todo_matches,
        &mut body.todo_no_matches,
    ]
}

fn only_lists(body: &RuleBody, what: &str, problems: &mut Problems<'_>) {
    let scalars =
        [&body.id, &body.title, &body.doc, &body.category, &body.status, &body.strength, &body.family, &body.language];
    for scalar in scalars.into_iter().flatten() {
        let help = "single values belong into `set`".to_owned();
        problems.error("R016", scalar.at, format!("`{what}` takes lists only"), Some(help));
    }
}

fn apply_set(body: &mut RuleBody, set: &RuleBody) {
    macro_rules! take {
        ($($field:ident),+) => { $(if set.$field.is_some() { body.$field.clone_from(&set.$field); })+ };
    }
    take!(title, doc, category, status, relevance, family, opener, language, zones, modality, phrases, regex, sender);
    take!(requires, unless, matches, no_matches, todo_matches, todo_no_matches);
    if set.strength.is_some() || set.weight.is_some() {
        body.strength.clone_from(&set.strength);
        body.weight = set.weight;
    }
    for (own, new) in [(&mut body.set, &set.set), (&mut body.header, &set.header), (&mut body.fact, &set.fact)] {
        if !new.is_empty() {
            own.clone_from(new);
        }
    }
}
