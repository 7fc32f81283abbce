//! The main language of a text, by a vote of function words. It chooses templates and words the question "no rules
//! for this language"; no rule waits for it, because an error here would lose a mail.

use std::sync::LazyLock;

use crate::{classify::sentence::Sentence, message::Zone, rules::words::Table};

/// Code for a language nobody voted for, and of rules that name none.
pub(crate) const UNKNOWN_LANGUAGE: &str = "und";
/// Share of words that have to be function words of the winner.
const SHARE_MIN: f64 = 0.10;
/// Share of the winner's votes from which on another language may be spoken too.
const SPOKEN_SHARE: f64 = 0.4;
/// Votes below which a text is too short to rule any language out.
const VOTES_MIN: f64 = 5.0;
/// Languages told by their script.
const SCRIPTS: [&str; 7] = ["ja", "zh", "ko", "th", "he", "ar", "hi"];
/// Most words counted: the language of a text shows early.
const WORDS_MAX: usize = 400;

/// Frequent function words, chosen to tell the languages from each other.
const WORDS: [(&str, &str); 22] = [
    ("en", "the and you your we our for with to of in this that have is are was not will at be as from"),
    (
        "de",
        "und die der das sie wir für mit ihre ihr ihnen ihren ist nicht zu den dem uns auf ein eine haben leider von bei als im",
    ),
    ("fr", "le la les et vous votre nous de des pour une un est pas à que dans avec sur du notre cette avons au en"),
    ("es", "el la los las y usted su para con que de del por una un no en se hemos tu le nos al es lo te"),
    ("it", "il la di e per con che non una un del della la sua suo in abbiamo al dei ti le si è nel alla questo"),
    (
        "pt",
        "o a os as e de do da para com que não uma um em por sua seu no na você foi se ao obrigado pela agradecemos",
    ),
    ("nl", "de het een en van je voor met dat niet is wij we jouw uw op te zijn hebben aan u bij helaas hebt in"),
    (
        "sv",
        "och att det för med som inte är vi din du på en ett har till tyvärr av den oss ditt i jag dig från nu något mer så vår kan tack efter blev er detta vill ansökan hos jobbet denna",
    ),
    (
        "da",
        "og at det for med som ikke er vi din du på en et har til desværre af den os dig i jeg fra nu noget mere så vores kan tak efter blev jer dette vil ansøgning stillingen hos hvis jobbet denne kunne være",
    ),
    (
        "nb",
        "og at det for med som ikke er vi din du på en et har til dessverre av den oss deg i jeg fra nå noe mer så vår kan takk etter ble dere dette vil å ikkje kan søknad søknaden stillingen hos hvis jobben denne kunne være vært",
    ),
    (
        "fi",
        "ja on ei että sinun kanssa mutta olemme valitettavasti kiitos tämä ovat joka hakemuksesi meidän emme tällä et sinulle sinua tai myös kun oli sinut meille hei ole hakemuksestasi joten",
    ),
    (
        "pl",
        "i w na z do nie że się jest za dla o oraz państwa pana pani nam naszej dziękujemy od po tym sie ze dziekujemy jest oraz twoje twoja pani",
    ),
    (
        "cs",
        "a na se je že do v pro vám vás jsme bohužel za o nás děkujeme ale si s jsou k vas vam dekujeme ze jsme bohuzel",
    ),
    (
        "tr",
        "ve bir için bu ile olarak size sizin başvurunuz çok olan değil teşekkür ederiz de da ne icin tesekkur degil basvurunuz",
    ),
    ("ru", "и в на не что вы мы за вас вам с по для к наш ваш это но от как до"),
    ("uk", "і в на не що ви ми за вас вам з по для до наш ваш це але від як та"),
    ("ro", "și în de la pentru cu nu este vă ați am dumneavoastră din că pe o un mulțumim sa al"),
    ("hu", "a az és nem hogy egy ön önnek köszönjük sajnos is meg volt számára jelentkezését de"),
    ("el", "και το να σας για την με που δεν στην από η ο του των είναι μας σε"),
    ("id", "dan yang untuk dengan anda kami di ini dari tidak pada telah akan ke terima kasih"),
    ("vi", "và của bạn cho chúng tôi không với là đã các trong một được cảm ơn"),
    ("ca", "el la els les i de per amb que no una un del ens us hem vostra gràcies al"),
];

/// Letters by which a word votes for a language.
const LETTERS: [(&str, &str); 13] = [
    ("de", "ß"),
    ("pl", "ąęłńśźż"),
    ("cs", "řěů"),
    ("tr", "ğ"),
    ("ro", "ățţ"),
    ("pt", "ãõ"),
    ("es", "ñ"),
    ("da", "æø"),
    ("nb", "æø"),
    ("hu", "őű"),
    ("ru", "ыэъё"),
    ("uk", "іїєґ"),
    ("fr", "œ"),
];

/// The languages of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Languages {
    /// ISO 639-1 code of the language most of the sender's own text is written in, or [`UNKNOWN_LANGUAGE`].
    pub main: String,
    /// All that may well be spoken: the second of a bilingual mail, and siblings that share their function words.
    /// Empty where too little is written to tell.
    spoken: Vec<&'static str>,
    /// The scripts that stand anywhere in the mail.
    scripts: Vec<Script>,
}

/// A script that no other language of the table is written in; everything else is Latin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Cyrillic,
    Greek,
    /// Chinese characters and kana.
    Han,
    Hangul,
}

impl Script {
    fn of(c: char) -> Option<Script> {
        match c {
            '\u{0370}'..='\u{03ff}' => Some(Script::Greek),
            '\u{0400}'..='\u{04ff}' => Some(Script::Cyrillic),
            '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' => Some(Script::Han),
            '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => Some(Script::Hangul),
            _ => None,
        }
    }

    fn of_language(language: &str) -> Option<Script> {
        match language {
            "ru" | "uk" => Some(Script::Cyrillic),
            "el" => Some(Script::Greek),
            "ja" | "zh" => Some(Script::Han),
            "ko" => Some(Script::Hangul),
            _ => None,
        }
    }
}

impl Languages {
    /// Whether the text is in none of the given languages, as far as one can tell.
    pub(crate) fn beyond<'l>(&self, mut known: impl Iterator<Item = &'l str>) -> bool {
        self.main == UNKNOWN_LANGUAGE || !known.any(|language| self.may_be(language))
    }

    /// Whether words of a language are words of this text, and not the same letters in another one.
    pub(crate) fn may_be(&self, language: &str) -> bool {
        if self.spoken.is_empty() {
            return Script::of_language(language).is_none_or(|script| self.scripts.contains(&script));
        }
        !known().any(|known| known == language) || self.spoken.contains(&language)
    }

    /// A text of one language; English stands in all of them.
    pub(crate) fn only(language: &str) -> Languages {
        let spoken = known().filter(|known| *known == language || *known == "en").collect();
        Languages { main: language.to_owned(), spoken, scripts: Vec::new() }
    }
}

/// The languages that are told from each other.
fn known() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(language, _)| *language).chain(SCRIPTS)
}

/// The languages of the sender's own text.
pub(crate) fn languages(sentences: &[Sentence]) -> Languages {
    let own = |s: &&Sentence| matches!(s.zone, Zone::Lead | Zone::Body | Zone::Closing);
    let body: Vec<&str> = sentences.iter().filter(own).map(|s| s.normal.text.as_str()).collect();
    let subject = sentences.iter().filter(|s| s.zone == Zone::Subject).map(|s| s.normal.text.as_str());
    let texts: Vec<&str> = if body.is_empty() { subject.collect() } else { body };
    let (words, best) = by_words(&texts);
    let mut spoken: Vec<&str> = by_script(&texts).into_iter().chain(words).collect();
    let main = spoken.first().copied().unwrap_or(UNKNOWN_LANGUAGE).to_owned();
    if best < VOTES_MIN && !SCRIPTS.contains(&main.as_str()) {
        spoken.clear();
    } else if !spoken.contains(&"en") {
        // Mail of every language speaks of work in English here and there.
        spoken.push("en");
    }
    let mut scripts = Vec::new();
    let foreign = sentences.iter().map(|s| s.normal.text.as_str()).filter(|text| !text.is_ascii());
    for script in foreign.flat_map(str::chars).filter_map(Script::of) {
        if !scripts.contains(&script) {
            scripts.push(script);
        }
    }
    Languages { main, spoken, scripts }
}

/// Scripts that one language owns.
fn by_script(texts: &[&str]) -> Option<&'static str> {
    if texts.iter().all(|text| text.is_ascii()) {
        return None;
    }
    let mut counts = SCRIPTS.map(|language| (language, 0usize));
    let mut letters = 0usize;
    for c in texts.iter().flat_map(|t| t.chars()).filter(|c| c.is_alphabetic()).take(WORDS_MAX * 5) {
        letters += 1;
        let script = match c {
            '\u{3040}'..='\u{30ff}' => "ja",
            '\u{4e00}'..='\u{9fff}' => "zh",
            '\u{ac00}'..='\u{d7af}' => "ko",
            '\u{0e00}'..='\u{0e7f}' => "th",
            '\u{0590}'..='\u{05ff}' => "he",
            '\u{0600}'..='\u{06ff}' => "ar",
            '\u{0900}'..='\u{097f}' => "hi",
            _ => continue,
        };
        counts.iter_mut().filter(|(language, _)| *language == script).for_each(|(_, count)| *count += 1);
    }
    let count = |script: &str| counts.iter().find(|(language, _)| *language == script).map_or(0, |(_, count)| *count);
    let share = |script: &str| count(script) as f64 / letters.max(1) as f64;
    if share("ja") > 0.1 {
        return Some("ja");
    }
    ["ko", "zh", "th", "he", "ar", "hi"].into_iter().find(|s| share(s) > 0.3)
}

/// The languages of each function word, as places in [`WORDS`].
static OWNERS: LazyLock<Table<&str, Vec<usize>>> = LazyLock::new(|| {
    let mut owners: Table<&str, Vec<usize>> = Table::default();
    for (language, (_, words)) in WORDS.iter().enumerate() {
        for word in words.split(' ') {
            let languages = owners.entry(word).or_default();
            // A word that a list holds twice has one vote.
            if languages.last() != Some(&language) {
                languages.push(language);
            }
        }
    }
    owners
});

/// Bytes of the longest function word: what is longer is not looked up.
static LONGEST: LazyLock<usize> = LazyLock::new(|| OWNERS.keys().map(|word| word.len()).max().unwrap_or(0));

/// Letters of [`LETTERS`] stand below this one.
const LETTERS_END: usize = 0x500;

/// The languages that a letter votes for, each as the bit of its place in [`WORDS`].
static LETTER_OWNERS: LazyLock<[u32; LETTERS_END]> = LazyLock::new(|| {
    let mut owners = [0; LETTERS_END];
    for (language, letters) in LETTERS {
        let bit = WORDS.iter().position(|(known, _)| *known == language).map_or(0, |at| 1 << at);
        for letter in letters.chars() {
            if let Some(languages) = owners.get_mut(letter as usize) {
                *languages |= bit;
            }
        }
    }
    owners
});

/// The languages of which a word is a function word, as places in [`WORDS`].
fn owners(word: &str) -> &'static [usize] {
    let known = if word.len() <= *LONGEST { OWNERS.get(word) } else { None };
    known.map_or(&[], Vec::as_slice)
}

/// Whether a normalised word is one of those that hold sentences together, in any language.
pub(crate) fn is_function_word(word: &str) -> bool {
    !owners(word).is_empty()
}

/// The languages with most votes, best first, none where too few words voted at all; and the votes of the best.
fn by_words(texts: &[&str]) -> (Vec<&'static str>, f64) {
    let mut votes = [0.0; WORDS.len()];
    let mut total = 0usize;
    let words = texts.iter().flat_map(|t| t.split(|c: char| !c.is_alphabetic())).filter(|w| !w.is_empty());
    for word in words.take(WORDS_MAX) {
        total += 1;
        let owners = owners(word);
        for owner in owners {
            if let Some(votes) = votes.get_mut(*owner) {
                // A word that several languages share says less.
                *votes += 1.0 + 1.0 / owners.len() as f64;
            }
        }
        if !word.is_ascii() {
            let letters = word.chars().filter_map(|c| LETTER_OWNERS.get(c as usize)).fold(0, |all, one| all | one);
            let spoken = votes.iter_mut().enumerate().filter(|(at, _)| letters >> at & 1 == 1);
            spoken.for_each(|(_, votes)| *votes += 1.0);
        }
    }
    let mut ranked: Vec<(&str, f64)> = WORDS.iter().map(|(language, _)| *language).zip(votes).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = ranked.first().map_or(0.0, |(_, votes)| *votes);
    if best <= 0.0 || best < SHARE_MIN * total as f64 {
        return (Vec::new(), 0.0);
    }
    let near = ranked.into_iter().take_while(|(_, votes)| *votes >= best * SPOKEN_SHARE).map(|(language, _)| language);
    (near.collect(), best)
}
