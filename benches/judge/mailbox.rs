//! A mailbox as people have one: made of the project's own corpus, so that the same mails come out on every machine.
//!
//! Its shape is that of the mailbox on which other mail filters were measured: sizes from 4 KB (one mail in ten is
//! smaller) over 10 KB (half are) to 26 KB (one in ten is larger) and 57 KB at most, 44 % in plain text and HTML, another
//! 10 % in HTML alone, quoted-printable, base64 and Latin-1, seven in ten in English, the others in German and French.
//! Most have nothing to do with work.

use std::{fs, path::Path};

use mail_builder::MessageBuilder;
use mail_parser::MessageParser;

/// What the drawing of mails begins with; any number does.
const SEED: u64 = 20;
/// Ten sizes in bytes, each for a tenth of the mails.
const SIZES: [usize; 10] = [3_000, 4_500, 6_000, 7_500, 9_000, 11_000, 13_500, 17_000, 23_000, 45_000];
/// Of ten languages, one for each tenth of the mails.
const LANGUAGES: [&str; 10] = ["en", "en", "de", "en", "en", "fr", "en", "en", "de", "en"];
/// In per cent: mails in both forms, and those up to which it is HTML alone.
const BOTH_FORMS: usize = 44;
const HTML_ALONE: usize = 54;
/// In per cent: plain mails in Latin-1.
const LATIN1: usize = 10;
/// Bytes of markup around a paragraph of a newsletter.
const CELL: (&str, &str) = (
    r#"<tr><td style="padding:0 24px 12px 24px;font-family:Arial,Helvetica,sans-serif;font-size:15px;line-height:22px;color:#333333"><p style="margin:0">"#,
    "</p></td></tr>\r\n",
);

/// Numbers without order that are the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        // The generator of Knuth, MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        of.get(self.below(of.len()))
    }
}

/// What people write about beside work, where the corpus has no everyday mail.
const EVERYDAY: [(&str, &[&str]); 2] = [
    (
        "de",
        &[
            "Die Heizung im Gemeindehaus ist wieder ganz, am Sonntag darf also gesungen werden.",
            "Wer am Samstag zum Markt mitfährt, ist um halb acht an der Brücke; Körbe bitte selbst mitbringen.",
            "Oma hat die Pflaumen eingekocht, für jeden stehen drei Gläser im Keller.",
            "Der Zug kam zwanzig Minuten später, dafür war der Speisewagen offen und fast leer.",
            "Im Anhang sind die Bilder vom See, die mit dem Hund sind unscharf geworden.",
            "Das Paket liegt bei den Nachbarn im zweiten Stock, sie sind bis acht Uhr zu Hause.",
        ],
    ),
    (
        "fr",
        &[
            "Le marché de samedi change de place à cause des travaux, il se tiendra derrière l'église.",
            "J'ai retrouvé les clés du garage dans la poche du manteau bleu, tout va bien.",
            "Les enfants ont planté des radis, il faudra penser à les arroser pendant vos vacances.",
            "Le train de Lyon avait du retard, mais nous avons quand même vu la fin du concert.",
            "Voici la recette de la tarte aux poireaux, avec moins de crème que la dernière fois.",
            "Le colis est chez la voisine du rez-de-chaussée, elle part demain matin.",
        ],
    ),
];

/// The texts of one language.
#[derive(Default)]
struct Texts {
    work: Vec<String>,
    other: Vec<String>,
}

fn texts(language: &str) -> Texts {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(language);
    let table = fs::read_to_string(folder.join("expected.toml")).unwrap_or_default();
    let table: toml::Table = table.parse().unwrap_or_default();
    let mut out = Texts::default();
    for (name, expected) in &table {
        let raw = fs::read(folder.join(format!("{name}.eml"))).unwrap_or_default();
        let Some(text) = MessageParser::default().parse(&raw).and_then(|m| Some(m.body_text(0)?.into_owned())) else {
            continue;
        };
        let unrelated = expected.get("category").and_then(toml::Value::as_str) == Some("unrelated");
        match (unrelated, name.starts_with("everyday-")) {
            (false, _) => out.work.push(text),
            (true, true) => out.other.push(text),
            // What only looks like mail about work is rarer in a mailbox than in a corpus.
            (true, false) => {}
        }
    }
    let more = EVERYDAY.iter().find(|(of, _)| *of == language).map_or(&[][..], |(_, texts)| texts);
    out.other.extend(more.iter().map(|text| (*text).to_owned()));
    out
}

/// The text of a mail of about so many bytes.
fn text(draw: &mut Draw, texts: &Texts, bytes: usize, about_work: usize) -> String {
    let first = if draw.below(100) < about_work { &texts.work } else { &texts.other };
    let mut out = draw.one(first).cloned().unwrap_or_default();
    while out.len() < bytes {
        out.push_str("\r\n\r\n");
        // Greetings and farewells stand once in a mail: only what is between them is added.
        let more = draw.one(&texts.other).map(String::as_str).unwrap_or_default();
        let paragraphs: Vec<&str> = more.split("\n\n").flat_map(|p| p.split("\r\n\r\n")).collect();
        let middle = paragraphs.iter().max_by_key(|p| p.len()).copied().unwrap_or_default();
        out.push_str(if middle.is_empty() { "---" } else { middle });
    }
    out
}

fn html(text: &str) -> String {
    let cells = text.split("\r\n\r\n").map(|p| format!("{}{}{}", CELL.0, p.replace('<', "&lt;"), CELL.1));
    let cells: String = cells.collect();
    format!(
        "<!DOCTYPE html><html><head><style>td{{color:#333}} a{{color:#06c}}</style></head><body>\
         <table role=\"presentation\" width=\"600\">{cells}</table>\
         <p><a href=\"https://news.example/u/12345\">Unsubscribe</a></p></body></html>"
    )
}

fn latin1(number: usize, text: &str) -> Vec<u8> {
    let head = format!(
        "From: Office <office{number}@news.example>\r\nTo: kim@example.org\r\nSubject: No. {number}\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n"
    );
    let body = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'));
    head.into_bytes().into_iter().chain(body).collect()
}

/// So many mails, of which so many per cent begin with one about work.
pub fn mailbox(mails: usize, about_work: usize) -> Vec<Vec<u8>> {
    let by_language: Vec<(&str, Texts)> = ["en", "de", "fr"].into_iter().map(|l| (l, texts(l))).collect();
    let mut draw = Draw(SEED);
    let one = |number: usize| {
        let size = draw.one(&SIZES).copied().unwrap_or(0);
        let language = draw.one(&LANGUAGES).copied().unwrap_or("en");
        let texts = by_language.iter().find(|(l, _)| *l == language).map(|(_, texts)| texts)?;
        let form = draw.below(100);
        // In HTML about half the bytes are markup, and in both forms the text stands twice.
        let of_text = if form < BOTH_FORMS { size * 2 / 7 } else { size * if form < HTML_ALONE { 2 } else { 5 } / 5 };
        let text = text(&mut draw, texts, of_text, about_work);
        if form >= HTML_ALONE && draw.below(100) < LATIN1 {
            return Some(latin1(number, &text));
        }
        let mut mail = MessageBuilder::new()
            .from(("Office".to_owned(), format!("office{number}@news.example")))
            .to("kim@example.org")
            .subject(format!("No. {number}"))
            .date(1_777_888_800 + i64::try_from(number).ok()?)
            .message_id(format!("{number}@news.example"));
        if form < HTML_ALONE {
            mail = mail.html_body(html(&text));
        }
        if !(BOTH_FORMS..HTML_ALONE).contains(&form) {
            mail = mail.text_body(text);
        }
        mail.write_to_vec().ok()
    };
    (0..mails).filter_map(one).collect()
}
