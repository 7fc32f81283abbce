//! One layout for rule files: the keys of a table in the order in which they are read, `=` in one column, long lists
//! broken, with one sentence or condition a line. Comments and the way a text is quoted stay. Changes no meaning; that is checked before the
//! text is given back.

use toml_edit::{Array, DocumentMut, InlineTable, Item, RawString, Table, Value};

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
    let widths = widths(at);
    for ((mut key, item), width) in at.iter_mut().zip(widths) {
        match item {
            Item::Value(value) if !is_dotted(value) => {
                let pad = width.saturating_sub(key.get().chars().count()) + 1;
                key.leaf_decor_mut().set_suffix(" ".repeat(pad));
                value.decor_mut().set_prefix(" ");
                if let Value::Array(list) = value {
                    let words = !SENTENCES.contains(&key.get());
                    array(list, width + 3, "", words);
                }
            }
            Item::Table(inner) => table(inner),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(table),
            _ => {}
        }
    }
}

/// For each entry the widest key among those from blank line to blank line around it.
fn widths(at: &Table) -> Vec<usize> {
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    for (name, item) in at.iter() {
        let before = at.key(name).and_then(|key| key.leaf_decor().prefix()).and_then(RawString::as_str);
        let blank = before.is_some_and(|text| text.starts_with('\n') || text.contains("\n\n"));
        let width = if item.is_value() { name.chars().count() } else { 0 };
        match blocks.last_mut() {
            Some(block) if !blank => block.push(width),
            _ => blocks.push(vec![width]),
        }
    }
    let widest = |block: &Vec<usize>| block.iter().copied().max().unwrap_or(0);
    blocks.iter().flat_map(|block| std::iter::repeat_n(widest(block), block.len())).collect()
}

fn is_dotted(value: &Value) -> bool {
    value.as_inline_table().is_some_and(InlineTable::is_dotted)
}

/// One line where it fits behind `before` characters; else words fill the lines, and sentences have one each. `outer`
/// is the indentation of what the list belongs to.
fn array(list: &mut Array, before: usize, outer: &str, words: bool) {
    let Some((comments, last)) = comments_in(list) else { return };
    let commented = !last.is_empty() || comments.iter().any(|c| !c.is_empty());
    let indent = format!("{outer}{INDENT}");
    let widths: Vec<usize> = list.iter_mut().map(|item| one_line_wide(item) + 2).collect();
    // A single sentence gains nothing by a line of its own.
    let alone = list.len() < 2 && !list.iter().any(Value::is_inline_table);
    let one_line = !commented && (alone || before + widths.iter().sum::<usize>() <= LINE_CHARS_MAX);
    let mut column = if one_line { 0 } else { LINE_CHARS_MAX };
    for (number, ((item, width), comments)) in list.iter_mut().zip(widths).zip(comments).enumerate() {
        let fits = one_line || (words && comments.is_empty() && column + width <= LINE_CHARS_MAX);
        column = if fits { column + width } else { indent.len() + width };
        let prefix = match (fits, number) {
            (true, 0) => String::new(),
            (true, _) => " ".to_owned(),
            (false, _) => format!("{}\n{indent}", comments.laid_out(&indent)),
        };
        item.decor_mut().set_prefix(prefix);
        if !one_line && indent.len() + width > LINE_CHARS_MAX {
            // The lists of a condition.
            lists_in(item).for_each(|list| array(list, LINE_CHARS_MAX / 2, &indent, true));
        }
    }
    list.set_trailing_comma(!one_line);
    list.set_trailing(if one_line { String::new() } else { format!("{}\n{outer}", last.laid_out(&indent)) });
}

/// The lists in an inline table.
fn lists_in(value: &mut Value) -> impl Iterator<Item = &mut Array> {
    value.as_inline_table_mut().into_iter().flat_map(InlineTable::iter_mut).filter_map(|(_, v)| v.as_array_mut())
}

/// Writes an item of a list in one line; how wide it is then.
fn one_line_wide(item: &mut Value) -> usize {
    item.decor_mut().clear();
    for list in lists_in(item)
        .filter(|list| comments_in(list).is_some_and(|(c, last)| last.is_empty() && c.iter().all(Comments::is_empty)))
    {
        for (number, inner) in list.iter_mut().enumerate() {
            inner.decor_mut().clear();
            inner.decor_mut().set_prefix(if number == 0 { "" } else { " " });
        }
        list.set_trailing_comma(false);
        list.set_trailing("");
    }
    item.to_string().chars().count()
}

/// The comments between two items.
#[derive(Debug, Default)]
struct Comments {
    /// Behind the comma of the item before.
    behind: Option<String>,
    /// On lines of their own.
    above: Vec<String>,
}

impl Comments {
    fn read(between: &str) -> Comments {
        let mut lines = between.lines().map(|line| line.trim().to_owned());
        let behind = lines.next().filter(|line| !line.is_empty());
        Comments { behind, above: lines.filter(|line| !line.is_empty()).collect() }
    }

    fn is_empty(&self) -> bool {
        self.behind.is_none() && self.above.is_empty()
    }

    /// Up to the end of the last comment.
    fn laid_out(&self, indent: &str) -> String {
        let behind = self.behind.iter().map(|comment| format!(" {comment}"));
        behind.chain(self.above.iter().map(|comment| format!("\n{indent}{comment}"))).collect()
    }
}

/// The comments before each item of a list and those behind the last; nothing where one stands between an item and its
/// comma, where it can not be moved.
fn comments_in(list: &Array) -> Option<(Vec<Comments>, Comments)> {
    let text = |raw: Option<&RawString>| raw.and_then(RawString::as_str).unwrap_or_default().to_owned();
    let inner = list.len().saturating_sub(1);
    if list.iter().take(inner).any(|item| text(item.decor().suffix()).contains('#')) {
        return None;
    }
    let before = list.iter().map(|item| Comments::read(&text(item.decor().prefix()))).collect();
    // The last item needs no comma.
    let end = list.get(inner).map(|item| text(item.decor().suffix())).unwrap_or_default();
    Some((before, Comments::read(&(end + &text(Some(list.trailing()))))))
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

    #[test]
    fn comments_in_lists_stay_where_they_were_and_conditions_are_broken() {
        let word = "a word or two of it";
        let words = format!("\"{word}\", ").repeat(6);
        let given = format!(
            "[[rule]]\nid = \"a.b.c\"\nphrases = [\"x\", # the first\n  # others\n  \"y\"\n  # no more\n]\n\
             unless = [{{ rule = \"d.e.f\" }}, {{ any = [{words}], scope = \"message\" }}]\n\
             [define]\na = [\"x\"]\n\n# Another sort.\nlonger = [\"y\"]\nb = [\"z\"]\n"
        );
        let line = |words: usize| vec![format!("\"{word}\","); words].join(" ");
        let (five, one) = (line(5), line(1));
        let expected = format!(
            "[[rule]]\nid      = \"a.b.c\"\nphrases = [\n  \"x\", # the first\n  # others\n  \"y\",\n  # no more\n]\n\
             unless  = [\n  {{ rule = \"d.e.f\" }},\n  {{ any = [\n    {five}\n    {one}\n  ], scope = \"message\" }},\n]\n\
             [define]\na = [\"x\"]\n\n# Another sort.\nlonger = [\"y\"]\nb      = [\"z\"]\n"
        );
        let out = formatted(&given).unwrap();
        assert_eq!(out, expected);
        assert_eq!(formatted(&out).unwrap(), out, "a second time changes nothing");
    }
}
