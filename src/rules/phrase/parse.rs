//! The phrase language as written, read into a tree. This file must not know how text is searched.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use super::{ALTERNATIVES_MAX, Capture, GAP_WORDS, GAP_WORDS_MAX, NESTING_MAX, PhraseError, WordLists, is_spaceless};
use crate::rules::normal::normalise;

/// Nodes with a space between them.
pub(super) type Sequence = Vec<Node>;

#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Parts without a space between them.
    Glued(Vec<Part>),
    /// `[…]` standing alone.
    Optional(Vec<Sequence>),
    /// `..N`
    Gap(u32),
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    Literal(String),
    Letters,
    Number,
    Group(Arc<[Sequence]>),
    Optional(Vec<Sequence>),
    Capture(Capture),
}

/// A phrase as read.
pub(super) struct Parsed {
    pub nodes: Sequence,
    /// Whether any text of it, its lists included, is in a script without spaces.
    pub spaceless: bool,
}

/// The word lists, each read once however many phrases name it.
pub(super) struct Lists<'w> {
    words: &'w WordLists,
    read: RefCell<HashMap<String, Result<List, PhraseError>>>,
}

#[derive(Clone)]
struct List {
    alternatives: Arc<[Sequence]>,
    /// How deep its groups and lists are nested, itself included.
    depth: usize,
    spaceless: bool,
}

impl<'w> Lists<'w> {
    pub(super) fn new(words: &'w WordLists) -> Lists<'w> {
        Lists { words, read: RefCell::default() }
    }

    fn list(&self, name: &str) -> Result<List, PhraseError> {
        if let Some(known) = self.read.borrow().get(name) {
            return known.clone();
        }
        // A list that names itself ends here at its second mention.
        let endless = PhraseError::limit("R025", format!("word list `{name}` holds itself"));
        self.read.borrow_mut().insert(name.to_owned(), Err(endless));
        let list = self.read_list(name);
        self.read.borrow_mut().insert(name.to_owned(), list.clone());
        list
    }

    fn read_list(&self, name: &str) -> Result<List, PhraseError> {
        let Some(words) = self.words.get(name) else {
            let message = format!("no word list `{name}` in any [define]");
            return Err(PhraseError { code: "R032", message, unknown_list: Some(name.to_owned()) });
        };
        let (mut alternatives, mut depth, mut spaceless) = (Vec::with_capacity(words.len()), 1, false);
        for word in words {
            let normal = normalise(word).text;
            let mut parser = Parser::new(&normal, self, 1);
            alternatives.push(parser.whole()?);
            depth = depth.max(parser.deepest);
            spaceless |= parser.spaceless;
        }
        Ok(List { alternatives: alternatives.into(), depth, spaceless })
    }
}

/// Reads a phrase as written.
pub(super) fn parse(written: &str, lists: &Lists<'_>) -> Result<Parsed, PhraseError> {
    let normal = normalise(written).text;
    let mut parser = Parser::new(&normal, lists, 0);
    let nodes = parser.whole()?;
    Ok(Parsed { nodes, spaceless: parser.spaceless })
}

struct Parser<'p, 'l> {
    chars: std::iter::Peekable<std::str::Chars<'p>>,
    lists: &'p Lists<'l>,
    /// Groups and lists around what is read.
    depth: usize,
    deepest: usize,
    spaceless: bool,
}

impl<'p, 'l> Parser<'p, 'l> {
    fn new(normal: &'p str, lists: &'p Lists<'l>, depth: usize) -> Parser<'p, 'l> {
        Parser { chars: normal.chars().peekable(), lists, depth, deepest: depth, spaceless: false }
    }

    fn whole(&mut self) -> Result<Sequence, PhraseError> {
        let sequence = self.sequence()?;
        match self.chars.next() {
            None => Ok(sequence),
            Some(c) => Err(PhraseError::syntax(format!("`{c}` without its beginning"))),
        }
    }

    /// Goes so many groups deeper.
    fn deeper(&mut self, by: usize) -> Result<(), PhraseError> {
        self.deepest = self.deepest.max(self.depth + by);
        if self.deepest > NESTING_MAX {
            let message = format!("groups and word lists nested deeper than {NESTING_MAX}");
            return Err(PhraseError::limit("R025", message));
        }
        Ok(())
    }

    fn sequence(&mut self) -> Result<Sequence, PhraseError> {
        let mut nodes = Vec::new();
        loop {
            while self.chars.next_if_eq(&' ').is_some() {}
            match self.chars.peek() {
                None | Some(')' | ']' | '|') => break,
                Some(_) => nodes.extend(self.node()?),
            }
        }
        // Of thousands of words, each a list of its own, the room to grow would be most of the memory.
        nodes.shrink_to_fit();
        Ok(nodes)
    }

    /// One item between spaces.
    fn node(&mut self) -> Result<Option<Node>, PhraseError> {
        let mut parts: Vec<Part> = Vec::new();
        loop {
            match self.chars.peek().copied() {
                None | Some(' ' | ')' | ']' | '|') => break,
                Some('(') => parts.push(Part::Group(self.group(')')?.into())),
                Some('[') => parts.push(Part::Optional(self.group(']')?)),
                Some('{') => parts.push(Part::Group(self.word_list()?)),
                Some('<') => parts.push(Part::Capture(self.capture()?)),
                Some('*') => {
                    self.chars.next();
                    parts.push(Part::Letters);
                }
                Some('#') => {
                    self.chars.next();
                    parts.push(Part::Number);
                }
                Some(c @ ('}' | '>')) => return Err(PhraseError::syntax(format!("`{c}` without its beginning"))),
                Some(_) => parts.push(Part::Literal(self.literal())),
            }
        }
        if let [Part::Literal(text)] = parts.as_slice()
            && let Some(width) = text.strip_prefix("..")
        {
            return gap(width).map(Some);
        }
        if let [Part::Optional(alternatives)] = parts.as_slice() {
            return Ok(Some(Node::Optional(alternatives.clone())));
        }
        if let [Part::Letters] = parts.as_slice() {
            return Err(PhraseError::syntax("`*` needs a part of a word; for a gap write `..`"));
        }
        // A space takes a comma along, so a comma behind a word is already allowed for.
        if let Some(Part::Literal(text)) = parts.last_mut() {
            *text = text.trim_end_matches(',').to_owned();
        }
        parts.retain(|p| !matches!(p, Part::Literal(text) if text.is_empty()));
        parts.shrink_to_fit();
        Ok((!parts.is_empty()).then_some(Node::Glued(parts)))
    }

    fn literal(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.chars.next_if(|c| !" ()[]|{}<>*#".contains(*c)) {
            text.push(c);
        }
        self.spaceless |= is_spaceless(&text);
        text
    }

    fn group(&mut self, end: char) -> Result<Vec<Sequence>, PhraseError> {
        self.chars.next();
        self.deeper(1)?;
        self.depth += 1;
        let mut alternatives = Vec::new();
        loop {
            let sequence = self.sequence()?;
            if sequence.is_empty() {
                return Err(PhraseError::syntax("empty alternative; for optional words write `[…]`"));
            }
            alternatives.push(sequence);
            match self.chars.next() {
                Some('|') => {}
                Some(c) if c == end => break,
                _ => return Err(PhraseError::syntax(format!("`{end}` is missing"))),
            }
        }
        self.depth -= 1;
        if alternatives.len() > ALTERNATIVES_MAX {
            return Err(PhraseError::limit("R025", format!("more than {ALTERNATIVES_MAX} alternatives in one group")));
        }
        Ok(alternatives)
    }

    fn between(&mut self, open: &str, close: &str) -> Result<String, PhraseError> {
        let wrong = || PhraseError::syntax(format!("write `{open}name{close}`"));
        for expected in open.chars() {
            self.chars.next_if_eq(&expected).ok_or_else(wrong)?;
        }
        let mut name = String::new();
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || *c == '-' || *c == '_') {
            name.push(c);
        }
        for expected in close.chars() {
            self.chars.next_if_eq(&expected).ok_or_else(wrong)?;
        }
        Ok(name)
    }

    fn word_list(&mut self) -> Result<Arc<[Sequence]>, PhraseError> {
        let name = self.between("{{", "}}")?;
        let list = self.lists.list(&name)?;
        self.deeper(list.depth)?;
        self.spaceless |= list.spaceless;
        Ok(list.alternatives)
    }

    fn capture(&mut self) -> Result<Capture, PhraseError> {
        let name = self.between("<", ">")?;
        Capture::NAMES.iter().find(|(n, _)| *n == name).map(|(_, c)| *c).ok_or_else(|| {
            let known: Vec<String> = Capture::NAMES.iter().map(|(n, _)| format!("<{n}>")).collect();
            PhraseError::syntax(format!("no capture `<{name}>`; there are {}", known.join(", ")))
        })
    }
}

fn gap(width: &str) -> Result<Node, PhraseError> {
    let words = if width.is_empty() { Ok(GAP_WORDS) } else { width.parse() };
    match words {
        Ok(n) if n <= GAP_WORDS_MAX => Ok(Node::Gap(n)),
        Ok(_) => Err(PhraseError::limit("R024", format!("a gap of more than {GAP_WORDS_MAX} words"))),
        Err(_) => Err(PhraseError::syntax(format!("`..{width}`: a gap is `..` or `..` and a number"))),
    }
}
