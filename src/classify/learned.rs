//! What the person's corrections say of a message, in the same form as what the rules say. It must not decide.

use super::{
    ANCHOR_BITS, Dropped, Hit, Modality,
    facts::{self, Reading},
    judge::Raw,
    sender::SenderFacts,
    sentence::Sentence,
};
use crate::{
    learn::{
        Learned, Opinion, Remembered, Sway, TEMPLATE_BITS, Traits, sentence_print,
        text::{Line, Masks, tokens},
    },
    message::{Message, Zone},
    outcome::Category,
    rules::RuleSet,
};

/// What a hit of the learner names as its file.
pub const LEARNED_SOURCE: &str = "your corrections";
/// What begins the id of a template's hit; the item's number follows.
pub const TEMPLATE_RULE: &str = "user.template.";
/// What begins the id of the second voice's hit; the category follows.
pub const BAYES_RULE: &str = "bayes.";

/// What is read of a message for the learner.
pub(super) struct Text<'t> {
    pub rules: &'t RuleSet,
    pub message: &'t Message,
    pub sentences: &'t [Sentence],
    pub sender: &'t SenderFacts,
    pub language: &'t str,
}

/// What the learner says of a message.
#[derive(Debug, Default)]
pub(crate) struct Heard<'l> {
    /// The labelled text that the message repeats, and why it does not count, where it does not.
    pub template: Option<(&'l Remembered, Option<Dropped>)>,
    /// What the second voice says of each category it knows.
    pub opinions: Vec<Opinion>,
}

impl Heard<'_> {
    /// The category that the repeated text speaks for.
    pub fn repeats(&self) -> Option<Category> {
        self.template.filter(|(_, dropped)| dropped.is_none()).map(|(template, _)| template.label)
    }

    /// What the second voice says of a category.
    pub fn of(&self, category: Category) -> Option<&Opinion> {
        self.opinions.iter().find(|opinion| opinion.category == category)
    }

    /// The hits to show: the template, and the second voice where it is for something or speaks of what is scored.
    pub fn hits(&self, leading: Category, scored: &[(Category, f64)]) -> Vec<Hit> {
        let template = self.template.map(|(template, dropped)| template_hit(template, dropped));
        let shown = |opinion: &&Opinion| match opinion.sway {
            Sway::For => true,
            Sway::Against => scored.iter().any(|(category, bits)| *category == opinion.category && *bits > 0.0),
            Sway::Unsure => opinion.category == leading,
        };
        template.into_iter().chain(self.opinions.iter().filter(shown).map(opinion_hit)).collect()
    }
}

/// The hit of a repeated text.
fn template_hit(template: &Remembered, dropped: Option<Dropped>) -> Hit {
    let day = template.day.strftime("%-d %b %Y");
    Hit {
        rule: format!("{TEMPLATE_RULE}{}", template.item),
        title: format!("same text as the mail you labelled on {day}"),
        file: LEARNED_SOURCE.to_owned(),
        line: u32::try_from(template.item).unwrap_or(u32::MAX),
        category: Some(template.label),
        zone: Zone::Body,
        sentence: String::new(),
        span: (0, 0),
        modality: Modality::Asserted,
        cue: None,
        weight: if dropped.is_none() { TEMPLATE_BITS } else { 0.0 },
        dropped,
    }
}

/// The hit of the second voice; its text are the words that say so most.
fn opinion_hit(opinion: &Opinion) -> Hit {
    let side = match opinion.sway {
        Sway::For => "for it",
        Sway::Unsure => "unsure",
        Sway::Against => "against it",
    };
    let sentence: Vec<String> = opinion.words.iter().map(|word| format!("«{word}»")).collect();
    let sentence = sentence.join(", ");
    Hit {
        rule: format!("{BAYES_RULE}{}", opinion.category),
        title: format!("the words of the mails you labelled: {side}"),
        file: LEARNED_SOURCE.to_owned(),
        line: 0,
        category: Some(opinion.category),
        zone: Zone::Body,
        span: (0, sentence.len()),
        sentence,
        modality: Modality::Asserted,
        cue: None,
        weight: opinion.bits,
        dropped: (opinion.sway == Sway::Unsure).then_some(Dropped::Unsure),
    }
}

/// Listens to the learner, and takes from the hits those that the person overruled: where they said of the same text
/// what it is, what the rules read in its sentences otherwise does not count.
pub(super) fn hear<'l>(learned: &'l Learned, text: &Text<'_>, raws: &mut [Raw]) -> Heard<'l> {
    if learned.is_empty() {
        return Heard::default();
    }
    let masks = masks(text, raws);
    let traits = traits(text, raws, &masks);
    let opinions = learned.bayes().opinions(&traits.terms);
    let near = learned.repeated(&traits);
    let Some(best) = near.first().copied() else { return Heard { template: None, opinions } };
    let known: Vec<bool> = raws.iter().map(|raw| was_there(text, raw, best, &masks)).collect();
    let news = raws.iter().zip(&known).any(|(raw, known)| !known && is_anchor_against(text.rules, raw, best.label));
    let dropped = if near.iter().any(|other| other.label != best.label) {
        Some(Dropped::Disputed)
    } else if news {
        Some(Dropped::Differs)
    } else {
        None
    };
    if dropped.is_none() {
        for (raw, known) in raws.iter_mut().zip(known) {
            let category = text.rules.rules.get(raw.rule).and_then(|rule| rule.category);
            if known && raw.dropped.is_none() && category.is_some_and(|c| c != best.label) {
                raw.dropped = Some(Dropped::Overruled);
            }
        }
    }
    Heard { template: Some((best, dropped)), opinions }
}

/// Whether a hit stands in a sentence that the remembered text had too. Subjects name the role, each mail another one:
/// there it is enough that the rule was strong in the remembered mail.
fn was_there(text: &Text<'_>, raw: &Raw, template: &Remembered, masks: &Masks) -> bool {
    let Some(sentence) = raw.sentence.and_then(|i| text.sentences.get(i)) else { return false };
    let rule = text.rules.rules.get(raw.rule).filter(|_| sentence.zone == Zone::Subject);
    template.holds(sentence_print(&tokens(line(sentence), masks)))
        || rule.is_some_and(|rule| template.had_anchor(&rule.id))
}

/// A second hit of a rule counts no more, but it may be the one that is new.
fn is_anchor_against(rules: &RuleSet, raw: &Raw, label: Category) -> bool {
    let rule = rules.rules.get(raw.rule).filter(|_| matches!(raw.dropped, None | Some(Dropped::Repeated)));
    rule.is_some_and(|rule| rule.weight >= ANCHOR_BITS && rule.category.is_some_and(|category| category != label))
}

fn line(sentence: &Sentence) -> Line<'_> {
    Line { zone: sentence.zone, text: &sentence.text, normal: &sentence.normal }
}

/// The traits of a message.
pub(super) fn traits(text: &Text<'_>, raws: &[Raw], masks: &Masks) -> Traits {
    let strong = |raw: &&Raw| raw.dropped.is_none();
    let rules = raws.iter().filter(strong).filter_map(|raw| text.rules.rules.get(raw.rule));
    let anchors = rules.filter(|rule| rule.weight >= ANCHOR_BITS).map(|rule| rule.id.clone());
    Traits::read(text.sentences.iter().map(line), masks, text.sender.kind.as_deref(), anchors)
}

/// The names to be masked: those the mail states and those in its headers.
pub(super) fn masks(text: &Text<'_>, raws: &[Raw]) -> Masks {
    let Text { rules, message, sentences, sender, language } = *text;
    let category = Category::Unrelated;
    let stated =
        facts::names(&Reading { rules, message, sentences, raws, sender, category, language: language.to_owned() });
    let headers = message.from.iter().chain(&message.to).chain(&message.reply_to).chain(&message.delivered_to);
    // First and last name are written alone as well; the words of an employer's name are words.
    let people = message.to.iter().chain(&message.delivered_to).flat_map(|address| address.name.split_whitespace());
    let signed = stated.signed_by.iter().flat_map(|name| name.split_whitespace());
    // "Pear & Plum Hiring" is "Pear & Plum" in the text.
    let short = message.from.iter().filter_map(|address| address.name.rsplit_once(' ').map(|(short, _)| short));
    let short = short.filter(|name| name.contains(' '));
    let names = headers.map(|address| address.name.as_str()).chain(people).chain(signed).chain(short);
    Masks::new(names.chain(stated.of_things.iter().map(String::as_str)), language)
}
