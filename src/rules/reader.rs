//! Reads values out of a TOML tree with their places, collecting every problem instead of stopping at the first.
//!
//! It knows types and places, not what a key means (that is [`super::syntax`]).

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Source,
    diagnostic::{Lines, Place, Problems, did_you_mean},
};

/// Most errors of syntax told of one file: something with more is no rule file, and each of them costs a walk along its
/// line, which in a file that is none has no end.
const SYNTAX_ERRORS_MAX: usize = 100;

/// A piece of text from a rule file and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Its place.
    pub at: Place,
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// A value other than text and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub at: Place,
}

/// One file being read.
pub(super) struct Reader<'r, 's> {
    source: &'s Source,
    lines: Lines,
    /// Whether only what judges mail is read.
    pub(super) in_part: bool,
    pub(super) problems: &'r mut Problems<'s>,
}

/// One table being read: keys asked for are the keys known.
pub(super) struct Table<'t> {
    pub(super) table: &'t DeTable<'t>,
    pub(super) at: Place,
    what: &'static str,
    known: Vec<&'static str>,
}

impl<'r, 's> Reader<'r, 's> {
    pub(super) fn new(file: u16, source: &'s Source, in_part: bool, problems: &'r mut Problems<'s>) -> Self {
        Reader { source, lines: Lines::new(file, &source.text), in_part, problems }
    }

    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        self.lines.place(&self.source.text, span.start)
    }

    /// The file as a table; syntax errors are reported, what could be read is returned.
    pub(super) fn root(&mut self) -> Spanned<DeTable<'s>> {
        let (root, errors) = DeTable::parse_recoverable(&self.source.text);
        for error in errors.into_iter().take(SYNTAX_ERRORS_MAX) {
            let at = self.place(&error.span().unwrap_or(0..0));
            self.problems.error("R001", at, format!("not TOML: {}", error.message()), None);
        }
        root
    }

    pub(super) fn table<'t>(&self, table: &'t DeTable<'t>, span: &Range<usize>, what: &'static str) -> Table<'t> {
        Table { table, at: self.place(span), what, known: Vec::new() }
    }

    fn wrong_type(&mut self, at: Place, key: &str, wanted: &str, got: &DeValue<'_>) {
        self.problems.error("R002", at, format!("`{key}` has to be {wanted}, not {}", type_name(got)), None);
    }

    pub(super) fn text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Text> {
        let at = self.place(&value.span());
        match value.get_ref() {
            DeValue::String(s) => Some(Text { text: s.to_string(), at }),
            other => {
                self.wrong_type(at, key, "a text in quotes", other);
                None
            }
        }
    }

    /// A list of texts; one text alone counts as a list of one.
    pub(super) fn texts(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<Text> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(|i| self.text(key, i)).collect(),
            DeValue::String(_) => self.text(key, value).into_iter().collect(),
            other => {
                let at = self.place(&value.span());
                self.wrong_type(at, key, "a list of texts", other);
                Vec::new()
            }
        }
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl<'t> Table<'t> {
    /// The raw value of a key.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table.iter().find(|(k, _)| k.get_ref().as_ref() == key).map(|(_, v)| v)
    }

    /// Whether the key is there, without asking for its value.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'t str, Range<usize>, &'t Spanned<DeValue<'t>>)> + use<'t> {
        self.table.iter().map(|(k, v)| (k.get_ref().as_ref(), k.span(), v))
    }

    pub(super) fn text(&mut self, r: &mut Reader<'_, '_>, key: &'static str) -> Option<Text> {
        self.value(key).and_then(|v| r.text(key, v))
    }

    pub(super) fn texts(&mut self, r: &mut Reader<'_, '_>, key: &'static str) -> Option<Vec<Text>> {
        self.value(key).map(|v| r.texts(key, v))
    }

    pub(super) fn flag(&mut self, r: &mut Reader<'_, '_>, key: &'static str) -> Option<At<bool>> {
        let value = self.value(key)?;
        let at = r.place(&value.span());
        if let DeValue::Boolean(b) = value.get_ref() {
            return Some(At { value: *b, at });
        }
        r.wrong_type(at, key, "true or false", value.get_ref());
        None
    }

    pub(super) fn number(&mut self, r: &mut Reader<'_, '_>, key: &'static str) -> Option<At<f64>> {
        let value = self.value(key)?;
        let at = r.place(&value.span());
        let number = match value.get_ref() {
            DeValue::Integer(i) => i.as_str().parse::<f64>().ok(),
            DeValue::Float(f) => f.as_str().parse::<f64>().ok(),
            _ => None,
        };
        match number.filter(|n| n.is_finite()) {
            Some(n) => Some(At { value: n, at }),
            None => {
                r.wrong_type(at, key, "a number", value.get_ref());
                None
            }
        }
    }

    /// A date (TOML local date) as `YYYY-MM-DD`; a text of that shape is taken too.
    pub(super) fn date(&mut self, r: &mut Reader<'_, '_>, key: &'static str) -> Option<At<jiff::civil::Date>> {
        let value = self.value(key)?;
        let at = r.place(&value.span());
        let date = match value.get_ref() {
            DeValue::Datetime(d) => d.to_string().get(..10).and_then(|d| d.parse().ok()),
            DeValue::String(s) => s.parse().ok(),
            _ => None,
        };
        match date {
            Some(value) => Some(At { value, at }),
            None => {
                r.wrong_type(at, key, "a date like 2027-06-30", value.get_ref());
                None
            }
        }
    }

    /// A sub-table.
    pub(super) fn table(&mut self, r: &mut Reader<'_, '_>, key: &'static str) -> Option<Table<'t>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(t) => Some(r.table(t, &value.span(), key)),
            other => {
                let at = r.place(&value.span());
                r.wrong_type(at, key, "a table", other);
                None
            }
        }
    }

    /// A list of tables; one table alone counts as a list of one.
    pub(super) fn tables(&mut self, r: &mut Reader<'_, '_>, key: &'static str) -> Option<Vec<Table<'t>>> {
        let value = self.value(key)?;
        let mut tables = Vec::new();
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        for item in items {
            match item.get_ref() {
                DeValue::Table(t) => tables.push(r.table(t, &item.span(), key)),
                other => {
                    let at = r.place(&item.span());
                    r.wrong_type(at, key, "a table", other);
                }
            }
        }
        Some(tables)
    }

    /// Reports the keys nobody asked for.
    pub(super) fn finish(self, r: &mut Reader<'_, '_>) {
        for (key, span, _) in self.entries() {
            if !self.known.contains(&key) {
                let help = did_you_mean(key, self.known.iter().copied())
                    .unwrap_or_else(|| format!("a {} knows {}", self.what, self.known.join(", ")));
                let at = r.place(&span);
                r.problems.error("R012", at, format!("unknown key `{key}` in {}", self.what), Some(help));
            }
        }
    }
}
