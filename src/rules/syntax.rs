//! The mirror of a rule file: every table and key of the format as plain data with its place.
//!
//! Reading checks types and names of keys, nothing more; what belongs together is checked in [`super::compile`]. This
//! is the one place that lists the keys of the format.

use super::{
    Source,
    diagnostic::{Place, Problems},
    reader::{At, Reader, Table, Text},
};

/// Version of the format this engine reads.
pub const SCHEMA: u32 = 1;

/// One rule file.
#[derive(Debug, Clone, Default)]
pub(super) struct FileSyntax {
    pub language: Option<Text>,
    pub defines: Vec<(Text, Vec<Text>)>,
    pub defaults: RuleBody,
    pub categories: Vec<CategorySyntax>,
    pub modality: Vec<ModalitySyntax>,
    pub rules: Vec<RuleBody>,
    pub overrides: Vec<OverrideSyntax>,
    pub disables: Vec<DisableSyntax>,
    pub senders: Vec<SenderSyntax>,
    pub conflicts: Vec<ConflictSyntax>,
    pub message_tests: Vec<MessageTestSyntax>,
    pub tombstones: Vec<TombstoneSyntax>,
}

/// A rule, the defaults of a file, or the parts of an override: all keys optional.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleBody {
    pub at: Place,
    pub id: Option<Text>,
    pub title: Option<Text>,
    pub doc: Option<Text>,
    pub category: Option<Text>,
    pub status: Option<Text>,
    pub strength: Option<Text>,
    pub weight: Option<At<f64>>,
    pub relevance: Option<At<f64>>,
    pub family: Option<Text>,
    pub opener: Option<At<bool>>,
    pub language: Option<Text>,
    pub zones: Option<Vec<Text>>,
    pub modality: Option<Vec<Text>>,
    pub phrases: Option<Vec<Text>>,
    pub regex: Option<Vec<Text>>,
    pub sender: Option<Vec<Text>>,
    pub header: Vec<(Text, Text)>,
    pub fact: Vec<(Text, Text)>,
    pub requires: Option<Vec<ConditionSyntax>>,
    pub unless: Option<Vec<ConditionSyntax>>,
    pub set: Vec<(Text, Text)>,
    pub matches: Option<Vec<Text>>,
    pub no_matches: Option<Vec<Text>>,
    pub todo_matches: Option<Vec<Text>>,
    pub todo_no_matches: Option<Vec<Text>>,
}

/// One entry of `requires` or `unless`.
#[derive(Debug, Clone, Default)]
pub(super) struct ConditionSyntax {
    pub at: Place,
    pub any: Vec<Text>,
    pub all: Vec<Text>,
    pub rules: Vec<Text>,
    pub sender: Vec<Text>,
    pub scope: Option<Text>,
    pub zones: Option<Vec<Text>>,
    pub at_least: Option<At<f64>>,
}

#[derive(Debug, Clone)]
pub(super) struct CategorySyntax {
    pub name: Text,
    pub terminal: Option<At<bool>>,
    pub accept: Option<At<f64>>,
    pub margin: Option<At<f64>>,
    pub modality: Option<Vec<Text>>,
}

#[derive(Debug, Clone)]
pub(super) struct ModalitySyntax {
    pub language: Text,
    pub lists: Vec<(Text, Vec<Text>)>,
}

#[derive(Debug, Clone)]
pub(super) struct OverrideSyntax {
    pub id: Text,
    pub set: Option<RuleBody>,
    pub append: Option<RuleBody>,
    pub remove: Option<RuleBody>,
}

#[derive(Debug, Clone)]
pub(super) struct DisableSyntax {
    pub id: Text,
    pub until: Option<At<jiff::civil::Date>>,
}

#[derive(Debug, Clone)]
pub(super) struct SenderSyntax {
    pub id: Text,
    pub brand: Vec<Text>,
    pub kind: Option<Text>,
    pub domains: Vec<Text>,
    pub noreply: Option<Text>,
    pub tenant: Option<Text>,
    pub company_from: Vec<Text>,
    pub subjects: Vec<Text>,
    pub display_forms: Vec<Text>,
}

#[derive(Debug, Clone)]
pub(super) struct ConflictSyntax {
    pub at: Place,
    pub between: Vec<Text>,
    pub when: Option<Text>,
    pub then: Option<Text>,
    pub unless_rules: Vec<Text>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct MessageTestSyntax {
    pub at: Place,
    pub name: Option<Text>,
    pub from: Option<Text>,
    pub subject: Option<Text>,
    pub body: Option<Text>,
    pub reply: Option<At<bool>>,
    pub category: Option<Text>,
    pub decision: Option<Text>,
    pub set: Vec<(Text, Text)>,
    pub hits: Vec<Text>,
    pub not_hits: Vec<Text>,
}

#[derive(Debug, Clone)]
pub(super) struct TombstoneSyntax {
    pub id: Text,
    pub removed_in: Option<Text>,
    pub replaced_by: Option<Text>,
    pub why: Option<Text>,
}

/// Reads one file; `in_part` only what judges mail: of a list of examples it is told that there are some.
pub(super) fn read<'s>(file: u16, source: &'s Source, in_part: bool, problems: &mut Problems<'s>) -> FileSyntax {
    let mut r = Reader::new(file, source, in_part, problems);
    let root = r.root();
    let mut t = r.table(root.get_ref(), &(0..0), "rule file");
    head(&mut r, &mut t);
    let out = FileSyntax {
        language: t.text(&mut r, "language"),
        defines: t.table(&mut r, "define").map(|t| lists(&mut r, &t)).unwrap_or_default(),
        defaults: t.table(&mut r, "defaults").map(|t| rule(&mut r, t)).unwrap_or_default(),
        categories: named_tables(&mut r, &mut t, "category", category),
        modality: named_tables(&mut r, &mut t, "modality", |r, language, t| ModalitySyntax {
            language,
            lists: lists(r, &t),
        }),
        rules: each(&mut r, &mut t, "rule", |r, t| Some(rule(r, t))),
        overrides: each(&mut r, &mut t, "override", override_),
        disables: each(&mut r, &mut t, "disable", disable),
        senders: each(&mut r, &mut t, "sender", sender),
        conflicts: each(&mut r, &mut t, "conflict", |r, t| Some(conflict(r, t))),
        message_tests: each(&mut r, &mut t, "message_test", |r, t| (!r.in_part).then(|| message_test(r, t))),
        tombstones: each(&mut r, &mut t, "tombstone", tombstone),
    };
    t.finish(&mut r);
    out
}

/// `schema`, `min_engine` and what is only read by people.
fn head(r: &mut Reader<'_, '_>, t: &mut Table<'_>) {
    let at = t.at;
    match t.number(r, "schema") {
        Some(n) if n.value == f64::from(SCHEMA) => {}
        Some(n) => {
            let text = format!("this file is written in schema {}, this engine reads schema {SCHEMA}", n.value);
            r.problems.error("R003", n.at, text, Some("update onward, or lower the file's schema".into()));
        }
        None => r.problems.error("R003", at, "`schema` is missing", Some(format!("write `schema = {SCHEMA}` first"))),
    }
    if let Some(engine) = t.text(r, "min_engine")
        && version(&engine.text) > version(env!("CARGO_PKG_VERSION"))
    {
        let text = format!("this file needs onward {} or newer, this is {}", engine.text, env!("CARGO_PKG_VERSION"));
        r.problems.error("R004", engine.at, text, None);
    }
    for key in ["pack", "version", "title", "license", "author"] {
        t.text(r, key);
    }
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|n| n.parse().unwrap_or(0)).collect()
}

/// All tables of `[[key]]`.
fn each<T>(
    r: &mut Reader<'_, '_>,
    t: &mut Table<'_>,
    key: &'static str,
    read: impl Fn(&mut Reader<'_, '_>, Table<'_>) -> Option<T>,
) -> Vec<T> {
    t.tables(r, key).unwrap_or_default().into_iter().filter_map(|t| read(r, t)).collect()
}

/// All tables of `[key.NAME]`.
fn named_tables<T>(
    r: &mut Reader<'_, '_>,
    t: &mut Table<'_>,
    key: &'static str,
    read: impl Fn(&mut Reader<'_, '_>, Text, Table<'_>) -> T,
) -> Vec<T> {
    let Some(outer) = t.table(r, key) else { return Vec::new() };
    let mut out = Vec::new();
    for (name, span, value) in outer.entries() {
        let at = r.place(&span);
        match value.get_ref() {
            toml::de::DeValue::Table(inner) => {
                let inner = r.table(inner, &span, key);
                out.push(read(r, Text { text: name.to_owned(), at }, inner));
            }
            _ => r.problems.error("R002", at, format!("`{key}.{name}` has to be a table"), None),
        }
    }
    out
}

/// A table whose keys are free names and whose values are lists of texts.
fn lists(r: &mut Reader<'_, '_>, t: &Table<'_>) -> Vec<(Text, Vec<Text>)> {
    let mut out = Vec::new();
    for (name, span, value) in t.entries() {
        let name = Text { text: name.to_owned(), at: r.place(&span) };
        let list = r.texts(&name.text, value);
        out.push((name, list));
    }
    out
}

/// A table whose keys are free names and whose values are texts or flags.
fn pairs(r: &mut Reader<'_, '_>, t: &Table<'_>) -> Vec<(Text, Text)> {
    let mut out = Vec::new();
    for (name, span, value) in t.entries() {
        let name = Text { text: name.to_owned(), at: r.place(&span) };
        let value = match value.get_ref() {
            toml::de::DeValue::Boolean(b) => Some(Text { text: b.to_string(), at: r.place(&value.span()) }),
            _ => r.text(&name.text, value),
        };
        out.extend(value.map(|v| (name, v)));
    }
    out
}

fn rule(r: &mut Reader<'_, '_>, mut t: Table<'_>) -> RuleBody {
    for key in ["since", "tags", "author", "references", "keywords"] {
        t.value(key);
    }
    let body = RuleBody {
        at: t.at,
        id: t.text(r, "id"),
        title: t.text(r, "title"),
        doc: t.text(r, "doc").filter(|_| !r.in_part),
        category: t.text(r, "category"),
        status: t.text(r, "status"),
        strength: t.text(r, "strength"),
        weight: t.number(r, "weight"),
        relevance: t.number(r, "relevance"),
        family: t.text(r, "family"),
        opener: t.flag(r, "opener"),
        language: t.text(r, "language"),
        zones: t.texts(r, "zones"),
        modality: t.texts(r, "modality"),
        phrases: t.texts(r, "phrases"),
        regex: t.texts(r, "regex"),
        sender: t.texts(r, "sender"),
        header: t.table(r, "header").map(|t| pairs(r, &t)).unwrap_or_default(),
        fact: t.table(r, "fact").map(|t| pairs(r, &t)).unwrap_or_default(),
        requires: conditions(r, &mut t, "requires"),
        unless: conditions(r, &mut t, "unless"),
        set: t.table(r, "set").map(|t| pairs(r, &t)).unwrap_or_default(),
        matches: examples(r, &mut t, "match"),
        no_matches: examples(r, &mut t, "no_match"),
        todo_matches: examples(r, &mut t, "todo_match"),
        todo_no_matches: examples(r, &mut t, "todo_no_match"),
    };
    t.finish(r);
    body
}

fn examples(r: &mut Reader<'_, '_>, t: &mut Table<'_>, key: &'static str) -> Option<Vec<Text>> {
    if !r.in_part {
        return t.texts(r, key);
    }
    let value = t.value(key)?;
    Some(vec![Text { text: String::new(), at: r.place(&value.span()) }])
}

fn conditions(r: &mut Reader<'_, '_>, t: &mut Table<'_>, key: &'static str) -> Option<Vec<ConditionSyntax>> {
    let tables = t.tables(r, key)?;
    let read = |mut t: Table<'_>| {
        let condition = ConditionSyntax {
            at: t.at,
            any: t.texts(r, "any").unwrap_or_default(),
            all: t.texts(r, "all").unwrap_or_default(),
            rules: t.texts(r, "rule").unwrap_or_default(),
            sender: t.texts(r, "sender").unwrap_or_default(),
            scope: t.text(r, "scope"),
            zones: t.texts(r, "zones"),
            at_least: t.number(r, "at_least"),
        };
        t.finish(r);
        condition
    };
    Some(tables.into_iter().map(read).collect())
}

fn category(r: &mut Reader<'_, '_>, name: Text, mut t: Table<'_>) -> CategorySyntax {
    for key in ["label", "colour"] {
        t.value(key);
    }
    let out = CategorySyntax {
        name,
        terminal: t.flag(r, "terminal"),
        accept: t.number(r, "accept"),
        margin: t.number(r, "margin"),
        modality: t.texts(r, "modality"),
    };
    t.finish(r);
    out
}

/// A text that has to be there.
fn needed(r: &mut Reader<'_, '_>, t: &mut Table<'_>, key: &'static str) -> Option<Text> {
    let value = t.text(r, key);
    if value.is_none() && t.table.iter().all(|(k, _)| k.get_ref().as_ref() != key) {
        r.problems.error("R010", t.at, format!("`{key}` is missing"), None);
    }
    value
}

fn override_(r: &mut Reader<'_, '_>, mut t: Table<'_>) -> Option<OverrideSyntax> {
    let id = needed(r, &mut t, "id");
    needed(r, &mut t, "reason");
    let set = t.table(r, "set").map(|t| rule(r, t));
    let append = t.table(r, "append").map(|t| rule(r, t));
    let remove = t.table(r, "remove").map(|t| rule(r, t));
    t.finish(r);
    Some(OverrideSyntax { id: id?, set, append, remove })
}

fn disable(r: &mut Reader<'_, '_>, mut t: Table<'_>) -> Option<DisableSyntax> {
    let id = needed(r, &mut t, "id");
    needed(r, &mut t, "reason");
    let until = t.date(r, "until");
    t.finish(r);
    Some(DisableSyntax { id: id?, until })
}

fn sender(r: &mut Reader<'_, '_>, mut t: Table<'_>) -> Option<SenderSyntax> {
    for key in ["seen", "grade", "note", "title"] {
        t.value(key);
    }
    let id = needed(r, &mut t, "id");
    let brand = t.texts(r, "brand").unwrap_or_default();
    let kind = needed(r, &mut t, "kind");
    let domains = t.texts(r, "domains").unwrap_or_default();
    let noreply = t.text(r, "noreply");
    let tenant = t.text(r, "tenant");
    let company_from = t.texts(r, "company_from").unwrap_or_default();
    let subjects = t.texts(r, "subjects").unwrap_or_default();
    let display_forms = t.texts(r, "display_forms").unwrap_or_default();
    t.finish(r);
    Some(SenderSyntax { id: id?, brand, kind, domains, noreply, tenant, company_from, subjects, display_forms })
}

fn conflict(r: &mut Reader<'_, '_>, mut t: Table<'_>) -> ConflictSyntax {
    for key in ["title", "note", "reason"] {
        t.value(key);
    }
    let out = ConflictSyntax {
        at: t.at,
        between: t.texts(r, "between").unwrap_or_default(),
        when: t.text(r, "when"),
        then: t.text(r, "then"),
        unless_rules: t.texts(r, "unless_rule").unwrap_or_default(),
    };
    t.finish(r);
    out
}

fn message_test(r: &mut Reader<'_, '_>, mut t: Table<'_>) -> MessageTestSyntax {
    let out = MessageTestSyntax {
        at: t.at,
        name: needed(r, &mut t, "name"),
        from: t.text(r, "from"),
        subject: t.text(r, "subject"),
        body: needed(r, &mut t, "body"),
        reply: t.flag(r, "reply"),
        category: t.text(r, "category"),
        decision: t.text(r, "decision"),
        set: t.table(r, "set").map(|t| pairs(r, &t)).unwrap_or_default(),
        hits: t.texts(r, "hits").unwrap_or_default(),
        not_hits: t.texts(r, "not_hits").unwrap_or_default(),
    };
    t.finish(r);
    out
}

fn tombstone(r: &mut Reader<'_, '_>, mut t: Table<'_>) -> Option<TombstoneSyntax> {
    let id = needed(r, &mut t, "id");
    let removed_in = t.text(r, "removed_in");
    let replaced_by = t.text(r, "replaced_by");
    let why = t.text(r, "why");
    t.finish(r);
    Some(TombstoneSyntax { id: id?, removed_in, replaced_by, why })
}
