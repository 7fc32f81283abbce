//! HTML to lines of text, in one pass and linear time: nothing is rendered, nothing is fetched, and no tree is built.
//!
//! It keeps what the zones need: block elements, table cells and list items end a paragraph, `<br>` ends a line, quotes
//! and hidden text are marked. mail-parser's own converter is as fast but keeps none of that.

use mail_parser::decoders::html::add_html_token;

use super::{
    LINK_LIES_MAX, LINKS_MAX, LinkLie,
    domain::{is_known, registrable},
    text::{Form, Line, TEXT_BYTES_MAX, is_item, is_rule},
};
use crate::clean;

/// Open elements that are remembered. Deeper ones count as part of the last, so that closing tags stay cheap.
const DEPTH_MAX: usize = 256;

/// Longest entity, `&CounterClockwiseContourIntegral;` and its kind.
const ENTITY_BYTES_MAX: usize = 40;

/// What was read from an HTML part.
#[derive(Debug, Default)]
pub(super) struct Html {
    pub lines: Vec<Line>,
    /// Host names of `http` links, lower case, each once.
    pub link_hosts: Vec<String>,
    /// Links that show another host than they lead to.
    pub link_lies: Vec<LinkLie>,
}

/// Longest text of a link that is looked at, in bytes: an address with its host.
const LINK_TEXT_BYTES_MAX: usize = 300;

/// Reads an HTML text that is already within the limit.
pub(super) fn read(html: &str) -> Html {
    let mut reader = Reader::default();
    let mut rest = html;
    while let Some((text, tag_on)) = rest.split_once('<') {
        reader.text(text);
        rest = reader.tag(tag_on);
    }
    reader.text(rest);
    reader.end_paragraph();
    reader.html
}

#[derive(Default)]
struct Reader {
    html: Html,
    paragraph: u32,
    lines_in_paragraph: usize,
    line: String,
    line_form: Option<Form>,
    /// `<br>` since the last text.
    breaks: u32,
    /// The next line starts a list item.
    item: bool,
    open: Vec<Element>,
    preformatted: usize,
    /// Where the open link leads, and its text so far.
    anchor: Option<(String, String)>,
}

struct Element {
    name: String,
    hidden: bool,
    quoted: bool,
    /// Font size 0 is inherited, but any other size below it shows the text again (MJML templates do that).
    no_size: bool,
}

impl Reader {
    fn form(&self) -> Form {
        match self.open.last() {
            Some(e) if e.hidden || e.no_size => Form::Hidden,
            Some(e) if e.quoted => Form::Quoted,
            _ => Form::Shown,
        }
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if text.trim().is_empty() {
            if !self.line.is_empty() {
                self.line.push(' ');
            }
            return;
        }
        if let Some((_, shown)) = &mut self.anchor
            && shown.len() + text.len() <= LINK_TEXT_BYTES_MAX
        {
            shown.push_str(text);
        }
        let form = self.form();
        if self.line_form.is_some_and(|f| f != form) {
            self.end_paragraph();
        }
        self.line_form = Some(form);
        self.breaks = 0;
        if self.preformatted > 0 {
            for (n, line) in text.split('\n').enumerate() {
                if n > 0 {
                    self.line_break();
                }
                self.line_form = Some(form);
                decode_entities(line, &mut self.line);
            }
        } else {
            decode_entities(text, &mut self.line);
        }
    }

    fn end_line(&mut self) {
        let form = self.line_form.take().unwrap_or(Form::Shown);
        let text = clean::line_within(&std::mem::take(&mut self.line), TEXT_BYTES_MAX);
        let signature = text == "--";
        if text.is_empty() || (is_rule(&text) && !signature) {
            return;
        }
        let item = std::mem::take(&mut self.item) || is_item(&text);
        self.html.lines.push(Line { text, paragraph: self.paragraph, form, item });
        self.lines_in_paragraph += 1;
    }

    fn line_break(&mut self) {
        self.end_line();
        self.breaks += 1;
        if self.breaks > 1 {
            self.end_paragraph();
        }
    }

    fn end_paragraph(&mut self) {
        self.end_line();
        if self.lines_in_paragraph > 0 {
            self.paragraph += 1;
            self.lines_in_paragraph = 0;
        }
        self.breaks = 0;
    }

    /// Takes the text after a `<`; gives what follows the tag.
    fn tag<'h>(&mut self, after: &'h str) -> &'h str {
        if let Some(comment) = after.strip_prefix("!--") {
            return comment.split_once("-->").map_or("", |(_, rest)| rest);
        }
        if after.starts_with(['!', '?']) {
            return after.split_once('>').map_or("", |(_, rest)| rest);
        }
        let closing = after.starts_with('/');
        let body = after.strip_prefix('/').unwrap_or(after);
        if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
            if !closing {
                self.text("&lt;");
            }
            return after;
        }
        let (tag, rest) = split_tag(body);
        let name_end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
        let (name, attributes) = tag.split_at_checked(name_end).unwrap_or((tag, ""));
        let name = name.to_ascii_lowercase();
        if closing {
            self.close(&name);
            return rest;
        }
        if matches!(name.as_str(), "style" | "script" | "title" | "template") && !tag.ends_with('/') {
            return after_raw_text(&name, rest);
        }
        self.open(name, attributes, tag.ends_with('/'));
        rest
    }

    fn open(&mut self, name: String, attributes: &str, self_closed: bool) {
        match name.as_str() {
            "br" => return self.line_break(),
            "hr" => return self.end_paragraph(),
            "img" | "meta" | "link" | "input" | "col" | "wbr" | "area" | "base" | "source" | "embed" | "param" => {
                return;
            }
            "a" => self.link(attributes),
            _ => {}
        }
        if is_block(&name) {
            self.end_paragraph();
        }
        self.item |= name == "li";
        if self_closed || self.open.len() >= DEPTH_MAX {
            return;
        }
        self.preformatted += usize::from(name == "pre");
        let (hidden, quoted, no_size) =
            self.open.last().map_or((false, false, false), |e| (e.hidden, e.quoted, e.no_size));
        let marks = Marks::of(&name, attributes);
        self.open.push(Element {
            hidden: hidden || marks.hidden,
            quoted: quoted || marks.quoted,
            no_size: marks.no_size.unwrap_or(no_size),
            name,
        });
    }

    fn close(&mut self, name: &str) {
        if is_block(name) {
            self.end_paragraph();
            self.item = false;
        }
        if name == "br" {
            self.line_break();
        }
        if name == "a" {
            self.end_link();
        }
        if let Some(at) = self.open.iter().rposition(|e| e.name == name) {
            let closed = self.open.drain(at..).filter(|e| e.name == "pre").count();
            self.preformatted = self.preformatted.saturating_sub(closed);
        }
    }

    fn link(&mut self, attributes: &str) {
        let wanted = self.html.link_hosts.len() < LINKS_MAX || self.html.link_lies.len() < LINK_LIES_MAX;
        let host = wanted.then(|| attribute(attributes, "href").and_then(|href| host_of(&href))).flatten();
        self.anchor = host.clone().map(|host| (host, String::new()));
        if let Some(host) = host
            && self.html.link_hosts.len() < LINKS_MAX
            && !self.html.link_hosts.contains(&host)
        {
            self.html.link_hosts.push(host);
        }
    }

    /// A link has ended: whether it shows a host, and another one than it leads to.
    fn end_link(&mut self) {
        let Some((host, text)) = self.anchor.take() else { return };
        if let Some(shown) = shown_host(&decoded(&text))
            && self.html.link_lies.len() < LINK_LIES_MAX
            && registrable(&shown) != registrable(&host)
        {
            self.html.link_lies.push(LinkLie { shown, host });
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "td"
            | "th"
            | "tr"
            | "table"
            | "tbody"
            | "li"
            | "ul"
            | "ol"
            | "dl"
            | "dt"
            | "dd"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "blockquote"
            | "center"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "nav"
            | "main"
            | "aside"
            | "address"
            | "pre"
            | "form"
            | "fieldset"
            | "figure"
            | "figcaption"
            | "body"
            | "html"
            | "caption"
            | "option"
    )
}

/// The inside of a tag and what follows it. A `>` in a quoted value ends nothing; where the quote never ends, the first
/// `>` does.
fn split_tag(after: &str) -> (&str, &str) {
    let mut quote = None;
    let mut before_value = false;
    for (at, b) in after.bytes().enumerate() {
        match (quote, b) {
            (Some(q), _) if b == q => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') if before_value => quote = Some(b),
            (None, b'>') => return cut(after, at),
            _ => {}
        }
        before_value = b == b'=' || (before_value && b.is_ascii_whitespace());
    }
    after.find('>').map_or((after, ""), |at| cut(after, at))
}

fn cut(text: &str, at: usize) -> (&str, &str) {
    let (head, tail) = text.split_at_checked(at).unwrap_or((text, ""));
    (head, tail.strip_prefix('>').unwrap_or(tail))
}

/// What follows the closing tag of an element whose content is no text; nothing where it is never closed.
fn after_raw_text<'h>(name: &str, content: &'h str) -> &'h str {
    let mut rest = content;
    while let Some((_, after)) = rest.split_once("</") {
        if let Some((start, tail)) = after.split_at_checked(name.len())
            && start.eq_ignore_ascii_case(name)
        {
            return tail.split_once('>').map_or("", |(_, rest)| rest);
        }
        rest = after;
    }
    ""
}

/// The attributes of a tag in order: names as they stand, values with their entities.
struct Attributes<'h>(&'h str);

impl<'h> Iterator for Attributes<'h> {
    type Item = (&'h str, &'h str);

    fn next(&mut self) -> Option<(&'h str, &'h str)> {
        let rest = self.0.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let (key, tail) = rest.split_at_checked(end)?;
        let tail = tail.trim_start();
        let (value, after) = match tail.strip_prefix('=') {
            None => ("", tail),
            Some(value) => {
                let value = value.trim_start();
                match value.chars().next() {
                    Some(q @ ('"' | '\'')) => value.get(1..)?.split_once(q).unwrap_or((value, "")),
                    _ => {
                        value.split_at_checked(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len()))?
                    }
                }
            }
        };
        // A stray `=` would leave the rest where it was.
        let stuck = key.is_empty() && after.len() == rest.len();
        self.0 = if stuck { after.get(1..).unwrap_or_default() } else { after };
        Some((key, value))
    }
}

/// The value of an attribute, entities decoded; of several with one name the first counts.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    Attributes(attributes).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| decoded(value))
}

fn decoded(value: &str) -> String {
    let mut decoded = String::with_capacity(value.len());
    decode_entities(value, &mut decoded);
    decoded
}

/// What an element's attributes say about its text.
struct Marks {
    hidden: bool,
    quoted: bool,
    no_size: Option<bool>,
}

impl Marks {
    fn of(name: &str, attributes: &str) -> Marks {
        let [mut style, mut hidden_mark, mut class, mut id] = [None; 4];
        for (key, value) in Attributes(attributes) {
            let names = [("style", &mut style), ("hidden", &mut hidden_mark), ("class", &mut class), ("id", &mut id)];
            if let Some((_, found)) = names.into_iter().find(|(name, _)| key.eq_ignore_ascii_case(name)) {
                found.get_or_insert(value);
            }
        }
        let style: String = decoded(style.unwrap_or_default())
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let (mut hidden, mut no_size) = (hidden_mark.is_some(), None);
        for (property, value) in style.split(';').filter_map(|rule| rule.split_once(':')) {
            let value = value.trim_end_matches("!important");
            match property {
                "display" => hidden |= value == "none",
                "visibility" => hidden |= value == "hidden",
                "max-height" | "opacity" => hidden |= is_zero(value),
                "font-size" => no_size = Some(is_zero(value) || value == "1px"),
                _ => {}
            }
        }
        let quoted = name == "blockquote"
            || [class, id]
                .into_iter()
                .flatten()
                .any(|names| decoded(names).split_whitespace().any(|name| QUOTE_NAMES.contains(&name)));
        Marks { hidden, quoted, no_size }
    }
}

/// Classes and ids that mail programs give to what they quote.
const QUOTE_NAMES: &[&str] = &[
    "gmail_quote",
    "gmail_quote_container",
    "gmail_attr",
    "gmail_extra",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "OutlookMessageHeader",
    "divRplyFwdMsg",
    "mail-editor-reference-message-container",
];

fn is_zero(value: &str) -> bool {
    value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%').parse::<f32>() == Ok(0.0)
}

/// The host of an `http` or `https` address, lower case; `None` for anything that is no plain host name.
fn host_of(href: &str) -> Option<String> {
    let (scheme, rest) = href.trim().split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?.trim_end_matches('.').to_ascii_lowercase();
    let fine = (4..=253).contains(&host.len())
        && host.contains('.')
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    fine.then_some(host)
}

/// The host that the text of a link is the address of: all of the text, under a domain that exists.
fn shown_host(text: &str) -> Option<String> {
    let text = text.trim();
    let host = if text.contains("://") { host_of(text) } else { host_of(&format!("http://{text}")) }?;
    let known = is_known(&host);
    (known && !text.contains([' ', '@', '\n'])).then_some(host)
}

/// Appends `text` with its entities decoded. What they decode to is cleaned with the line.
fn decode_entities(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let Some((before, entity_on)) = rest.split_at_checked(at) else { break };
        out.push_str(before);
        let end = entity_on.bytes().take(ENTITY_BYTES_MAX).position(|b| b == b';');
        let entity = end.and_then(|end| entity_on.split_at_checked(end + 1));
        match entity {
            Some((entity, after)) if is_entity(entity) => {
                match windows_1252(entity) {
                    Some(c) => out.push(c),
                    None => add_html_token(out, entity.as_bytes(), false),
                }
                rest = after;
            }
            _ => {
                let (known, after) =
                    entity_on.strip_prefix("&nbsp").map_or(('&', entity_on.get(1..)), |after| (' ', Some(after)));
                out.push(known);
                rest = after.unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
}

fn is_entity(entity: &str) -> bool {
    let name = entity.trim_start_matches('&').trim_end_matches(';');
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#')
}

/// Numeric references to 128–159 mean Windows-1252 (HTML standard, §13.2.5.80); those that stand in mail.
fn windows_1252(entity: &str) -> Option<char> {
    Some(match entity {
        "&#128;" => '€',
        "&#130;" => '‚',
        "&#132;" => '„',
        "&#133;" => '…',
        "&#145;" => '‘',
        "&#146;" => '’',
        "&#147;" => '“',
        "&#148;" => '”',
        "&#149;" => '•',
        "&#150;" => '–',
        "&#151;" => '—',
        "&#153;" => '™',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(html: &str) -> Vec<(u32, Form, String)> {
        read(html).lines.into_iter().map(|l| (l.paragraph, l.form, l.text)).collect()
    }

    fn shown(html: &str) -> Vec<String> {
        rows(html).into_iter().filter(|(_, form, _)| *form == Form::Shown).map(|(_, _, text)| text).collect()
    }

    #[test]
    fn structure_becomes_lines() {
        for (html, expected) in [
            ("<p>One <b>two</b>\n three.</p><p>Four</p>", vec!["One two three.", "Four"]),
            ("<table><tr><td>a</td><td>b</td></tr></table>", vec!["a", "b"]),
            ("a<br>b<br/><br>c", vec!["a", "b", "c"]),
            ("<ul><li>x<li>y</ul>z", vec!["x", "y", "z"]),
            (
                "x &amp; y &lt;z&gt; &#39;q&#39; &#146; &eacute; &bogus; & &nbsp;e",
                vec!["x & y <z> 'q' ’ é &bogus; & e"],
            ),
            ("1 < 2 and 3 > 2", vec!["1 < 2 and 3 > 2"]),
            ("<style>p{}</style><title>no</title>yes<script>if(a</b)</script>", vec!["yes"]),
            ("<!-- <p>no</p> -->yes<!--[if mso]>no<![endif]-->", vec!["yes"]),
            ("<a href=\"http://x.example/a>b\">link</a> text", vec!["link text"]),
            ("<a href='unclosed>text</a> more", vec!["text more"]),
            ("<p title=\"it's\">a</p>", vec!["a"]),
            ("&#27;[31mred&#8238;", vec!["[31mred"]),
            ("<pre>one\ntwo</pre>", vec!["one", "two"]),
        ] {
            assert_eq!(shown(html), expected, "{html}");
        }
    }

    #[test]
    fn hidden_and_quoted_text_is_marked() {
        for (html, form) in [
            ("<div style='display: none'>t</div>", Form::Hidden),
            ("<div style='max-height:0px;overflow:hidden'>t</div>", Form::Hidden),
            ("<div style='font-size:0'>t</div>", Form::Hidden),
            ("<div style='font-size:0'><p style='font-size:13px'>t</p></div>", Form::Shown),
            ("<div style='max-height:0.5em'>t</div>", Form::Shown),
            ("<span hidden>t</span>", Form::Hidden),
            ("<blockquote><p>t</p></blockquote>", Form::Quoted),
            ("<div class='gmail_quote x'>t</div>", Form::Quoted),
            ("<div style='display:none'>u</div>t", Form::Shown),
        ] {
            assert_eq!(rows(html).last().map(|r| r.1), Some(form), "{html}");
        }
    }

    #[test]
    fn link_hosts_are_plain_names() {
        let html = "<a href='https://Jobs.Example.com/x?y'>a</a><a href=http://jobs.example.com>b</a>\
                    <a href='mailto:a@b.example'>c</a><a href='https://user@evil.example:99/'>d</a><a href='http://[::1]/'>e</a>";
        assert_eq!(read(html).link_hosts, ["jobs.example.com", "evil.example"]);
    }
}
