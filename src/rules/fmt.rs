//! One layout for rule files: the keys of a table in the order in which they are read, `=` in one column, long lists
//! with one item a line. Comments and the way a text is quoted stay. Changes no meaning; that is checked before the
//! text is given back.

use toml_edit::{Array, DocumentMut, Item, Table, Value};

/// Widest line of a list, in characters, that stays one line.
const LINE_CHARS_MAX: usize = 120;
/// Indentation of the items of a long list.
const INDENT: &str = "  ";

/// Lists of sentences, phrases and conditions.
const SENTENCES: [&str; 8] =
    ["phrases", "regex", "requires", "unless", "match", "no_match", "todo_match", "todo_no_match"];

/// The keys of rules, conditions and the other tables in their order; keys that are not here come last, as they stood.
const ORDER: [&str; 44] = [
    "schema",
    "pack",
    "version",
    "language",
    "min_engine",
    "name",
    "id",
    "title",
    "doc",
    "between",
    "when",
    "then",
    "unless_rule",
    "category",
    "status",
    "strength",
    "weight",
    "relevance",
    "family",
    "opener",
    "zones",
    "modality",
    "phrases",
    "regex",
    "keywords",
    "sender",
    "requires",
    "unless",
    "set",
    "match",
    "no_match",
    "todo_match",
    "todo_no_match",
    "reason",
    "until",
    "brand",
    "kind",
    "domains",
    "noreply",
    "tenant",
    "company_from",
    "seen",
    "grade",
    "note",
];

/// The text in the one layout.
///
/// # Errors
/// The parser's message with line and column, where the text is no TOML; or that the layout would have changed what
/// the file says, which is an error of ours: then the file is to be left alone.
pub fn formatted(text: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    table(document.as_table_mut());
    let out = document.to_string();
    let same = match (text.parse::<toml::Table>(), out.parse::<toml::Table>()) {
        (Ok(before), Ok(after)) => before == after,
        _ => false,
    };
    // Comments are not values: none may be lost either.
    if !same || comments(text) != comments(&out) {
        return Err("it cannot be laid out without changing what it says; it was left alone".to_owned());
    }
    Ok(out)
}

/// Comments, sorted: they may move with their key.
fn comments(text: &str) -> Vec<&str> {
    let mut out: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with('#')).collect();
    out.sort_unstable();
    out
}

fn rank(key: &str) -> usize {
    ORDER.iter().position(|known| *known == key).unwrap_or(ORDER.len())
}

fn table(at: &mut Table) {
    // The words of [define] and the cues stand in their author's order.
    let known = at.iter().any(|(key, _)| matches!(key, "id" | "schema" | "between" | "name"));
    if known {
        at.sort_values_by(|a, _, b, _| rank(a.get()).cmp(&rank(b.get())));
    }
    let width = at.iter().filter(|(_, item)| item.is_value()).map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    for (mut key, item) in at.iter_mut() {
        match item {
            Item::Value(value) if !is_dotted(value) => {
                let pad = width.saturating_sub(key.get().chars().count()) + 1;
                key.leaf_decor_mut().set_suffix(" ".repeat(pad));
                value.decor_mut().set_prefix(" ");
                if let Value::Array(list) = value {
                    let words = !SENTENCES.contains(&key.get());
                    array(list, width + 3, words);
                }
            }
            Item::Table(inner) => table(inner),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(table),
            _ => {}
        }
    }
}

fn is_dotted(value: &Value) -> bool {
    value.as_inline_table().is_some_and(toml_edit::InlineTable::is_dotted)
}

/// One line where it fits behind `before` characters; else words fill the lines, and sentences have one each.
fn array(list: &mut Array, before: usize, words: bool) {
    let commented = list.iter().any(|item| {
        let decor = item.decor();
        let text = |raw: Option<&toml_edit::RawString>| raw.and_then(|r| r.as_str()).unwrap_or_default().contains('#');
        text(decor.prefix()) || text(decor.suffix())
    });
    if commented || list.trailing().as_str().unwrap_or_default().contains('#') {
        return;
    }
    for item in list.iter_mut() {
        item.decor_mut().clear();
    }
    let widths: Vec<usize> = list.iter().map(|item| item.to_string().trim().chars().count() + 2).collect();
    let one_line = before + widths.iter().sum::<usize>() <= LINE_CHARS_MAX || list.len() < 2;
    let mut column = if one_line { 0 } else { LINE_CHARS_MAX };
    for (number, (item, width)) in list.iter_mut().zip(widths).enumerate() {
        let fits = one_line || (words && column + width <= LINE_CHARS_MAX);
        let prefix = match (fits, number) {
            (true, 0) => String::new(),
            (true, _) => " ".to_owned(),
            (false, _) => format!("\n{INDENT}"),
        };
        column = if fits { column + width } else { INDENT.len() + width };
        item.decor_mut().set_prefix(prefix);
    }
    list.set_trailing_comma(!one_line);
    list.set_trailing(if one_line { "" } else { "\n" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_laid_out_and_stays_what_it_is() {
        let long = "a very long phrase of many words that fills the line for sure";
        let given = format!(
            "schema = 1\n# Why.\n[[rule]]\nphrases=[\"x\",\n   '{long}', \"{long}\"]\n# the id\nid=\"a.b.c\"\ncategory  = \"offer\"\nheader.\"list-id\" = \"exists\"\n"
        );
        let out = formatted(&given).unwrap();
        let expected = format!(
            "schema = 1\n# Why.\n[[rule]]\n# the id\nid       = \"a.b.c\"\ncategory = \"offer\"\nphrases  = [\n  \"x\",\n  '{long}',\n  \"{long}\",\n]\nheader.\"list-id\" = \"exists\"\n"
        );
        assert_eq!(out, expected);
        assert_eq!(formatted(&out).unwrap(), out, "a second time changes nothing");
        assert!(formatted("[[rule").unwrap_err().contains("line 1"));
    }
}
