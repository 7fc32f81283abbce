//! Finds where rules match and says of every hit whether it counts and, if not, why.
//!
//! Pure over (rules, sentences, facts about the sender). The order of the steps is the same for mail, embedded tests
//! and `explain`. It must not weigh hits against each other (that is [`super::decide`]).

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

use super::{Dropped, Modality, facts::Languages, modality::Cues, sender::SenderFacts, sentence::Sentence};
use crate::{
    message::{Message, Zone},
    rules::{
        AllCandidates, Candidates, Condition, FactTest, HeaderTest, Pack, Rule, RuleSet, Scope, Scratch, Status, Texts,
        phrase::{Capture, Haystack, Phrase},
    },
};

/// Most hits examined for one rule in the zones it reads.
pub const HITS_PER_RULE_MAX: usize = 8;
/// Most hits listed for one rule in other zones.
const OTHER_ZONE_HITS_MAX: usize = 2;
/// Most places of one phrase looked at in one sentence: the first may be conditional and the second asserted.
const PLACES_PER_SENTENCE_MAX: usize = 3;
/// From how many different link hosts on bulk mail counts as a digest.
const DIGEST_HOSTS_MIN: usize = 3;

/// One hit while it is being judged.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub rule: usize,
    /// Index of the sentence; `None` for rules about the sender or headers alone.
    pub sentence: Option<usize>,
    /// Range in the normalised sentence.
    pub span: (usize, usize),
    pub captures: Vec<(Capture, (usize, usize))>,
    pub modality: Modality,
    pub cue: Option<String>,
    pub dropped: Option<Dropped>,
}

/// What the conditions of rules may ask about.
pub(crate) struct Context<'m> {
    pub rules: &'m RuleSet,
    pub sentences: &'m [Sentence],
    pub sender: &'m SenderFacts,
    /// `None` in embedded tests, where conditions on headers and senders hold.
    pub message: Option<&'m Message>,
    /// The languages of the text: only their rules read.
    pub languages: &'m Languages,
}

/// All hits, in the order of the sentences, each with its reason where it does not count.
pub(crate) fn hits(context: &Context<'_>) -> Vec<Raw> {
    let kana = context.sentences.iter().any(|s| !s.normal.text.is_ascii() && s.normal.text.contains(is_kana));
    let texts = context.sentences.iter().map(|s| Haystack::new(&s.normal.text)).collect();
    let mut judge = Judge { context, texts, read: read(context), kana, memo: HashMap::new() };
    let mut raws = judge.matches();
    raws.extend(judge.without_text());
    for raw in &mut raws {
        judge.first_pass(raw);
    }
    judge.rule_conditions(&mut raws);
    repeated(&mut raws);
    raws
}

/// The packs whose rules read: those of the languages the text may be written in. The same letters are other words
/// elsewhere: Spanish `no` is Portuguese for `in the`.
fn read<'m>(context: &Context<'m>) -> Vec<Option<PackRead<'m>>> {
    let texts = Texts::new(context.sentences.iter().map(|s| s.normal.text.as_str()));
    let mut scratch = Scratch::default();
    let read = |pack: &'m Pack| {
        let index = context.languages.may_be(&pack.language).then(|| context.rules.index(pack))?;
        Some(PackRead { pack, candidates: index.candidates(&texts, &mut scratch) })
    };
    context.rules.packs.iter().map(read).collect()
}

/// A pack whose rules read this text.
struct PackRead<'m> {
    pack: &'m Pack,
    /// For each sentence the phrases that may stand in it.
    candidates: AllCandidates,
}

struct Judge<'c, 'm> {
    context: &'c Context<'m>,
    /// The text of each sentence.
    texts: Vec<Haystack<'m>>,
    /// For each pack what is read of it, where it reads at all.
    read: Vec<Option<PackRead<'m>>>,
    /// Whether kana stands anywhere: a sentence may do without, a Japanese mail hardly.
    kana: bool,
    /// Results of conditions that do not depend on the single hit, by condition and paragraph.
    memo: HashMap<(usize, Option<(Zone, u32)>), bool>,
}

impl<'c, 'm> Judge<'c, 'm> {
    fn rule(&self, index: usize) -> Option<&'m Rule> {
        self.context.rules.rules.get(index)
    }

    fn matches(&self) -> Vec<Raw> {
        let mut out = Vec::new();
        let mut counts = vec![(0, 0); self.context.rules.rules.len()];
        for (index, (sentence, text)) in self.context.sentences.iter().zip(&self.texts).enumerate() {
            for PackRead { pack, candidates } in self.read.iter().flatten() {
                let candidates = candidates.of(index);
                if candidates.is_empty() || self.other_script(pack, sentence) {
                    continue;
                }
                let found = OnceCell::new();
                let cues = || {
                    let lists = pack.cues.as_ref()?;
                    Some(found.get_or_init(|| Cues::find(text, lists, candidates)))
                };
                for at in candidates.among(pack.phrases.first().map(|(_, p)| p), pack.phrases.len()) {
                    let Some((rule, phrase)) = pack.phrases.get(at) else { continue };
                    let Some(count) = counts.get_mut(*rule) else { continue };
                    self.places((index, sentence, text), (*rule, phrase), count, &cues, &mut out);
                }
            }
        }
        out
    }

    /// What a rule reads in a sentence.
    fn candidates(&self, rule: usize, sentence: usize) -> Option<Candidates<'_>> {
        Some(self.read.get(self.rule(rule)?.pack)?.as_ref()?.candidates.of(sentence))
    }

    /// The places of one phrase in one sentence, each with its modality.
    fn places<'u>(
        &self,
        (index, sentence, text): (usize, &Sentence, &Haystack<'_>),
        (number, phrase): (usize, &Phrase),
        (read, elsewhere): &mut (usize, usize),
        cues: &impl Fn() -> Option<&'u Cues<'u>>,
        out: &mut Vec<Raw>,
    ) {
        let Some(rule) = self.rule(number) else { return };
        if rule.status == Status::Preview {
            return;
        }
        // The subject of an answer is that of the mail it answers: it names the role, but what it says was said before.
        let said_before = sentence.zone == Zone::Subject
            && rule.category.is_some()
            && self.context.message.is_some_and(Message::is_reply_by_subject);
        let reads = !said_before && rule.zones.contains(&sentence.zone);
        let (count, limit) = if reads { (read, HITS_PER_RULE_MAX) } else { (elsewhere, OTHER_ZONE_HITS_MAX) };
        let places = PLACES_PER_SENTENCE_MAX.min(limit - *count);
        for found in phrase.find_all(text, places) {
            *count += 1;
            let quoted = said_before || matches!(sentence.zone, Zone::Quoted | Zone::Forwarded);
            let (modality, cue) = match quoted && !reads {
                true => (Modality::Quoted, None),
                false => cues().map_or((Modality::Asserted, None), |cues| cues.judge(found.span)),
            };
            let dropped = (!reads).then_some(Dropped::Zone);
            let (span, captures) = (found.span, found.captures);
            out.push(Raw { rule: number, sentence: Some(index), span, captures, modality, cue, dropped });
        }
    }

    /// Whether a sentence is Japanese and the rules Chinese or the other way round: what the same characters say differs.
    fn other_script(&self, pack: &Pack, sentence: &Sentence) -> bool {
        match pack.language.as_str() {
            "zh" => is_japanese(&sentence.normal.text),
            "ja" => !self.kana,
            _ => false,
        }
    }

    /// Rules that speak about the sender, headers or facts alone.
    fn without_text(&self) -> Vec<Raw> {
        let raw = |(rule, _)| Raw {
            rule,
            sentence: None,
            span: (0, 0),
            captures: Vec::new(),
            modality: Modality::Asserted,
            cue: None,
            dropped: None,
        };
        let rules = self.context.rules.rules.iter().enumerate();
        rules.filter(|(_, r)| !r.has_text && r.status != Status::Preview && self.outside(r)).map(raw).collect()
    }

    /// Everything but conditions on other rules.
    fn first_pass(&mut self, raw: &mut Raw) {
        let Some(rule) = self.rule(raw.rule) else { return };
        if raw.dropped.is_some() {
            return;
        }
        raw.dropped = if !rule.modality.contains(&raw.modality) {
            Some(Dropped::Modality)
        } else if !self.outside(rule) {
            Some(Dropped::Requires)
        } else if rule.unless.iter().any(|c| c.rules.is_empty() && self.holds(c, raw)) {
            Some(Dropped::Unless)
        } else if rule.requires.iter().any(|c| c.rules.is_empty() && !self.holds(c, raw)) {
            Some(Dropped::Requires)
        } else if rule.status == Status::Shadow {
            Some(Dropped::Shadow)
        } else {
            None
        };
    }

    /// Conditions on other rules, after those had their say. Rules without such conditions are settled; the others see
    /// them, and in a second round each other.
    fn rule_conditions(&mut self, raws: &mut [Raw]) {
        let rules = &self.context.rules.rules;
        let refers =
            |r: usize| rules.get(r).is_some_and(|r| r.unless.iter().chain(&r.requires).any(|c| !c.rules.is_empty()));
        let open: Vec<usize> =
            (0..raws.len()).filter(|i| raws.get(*i).is_some_and(|r| r.dropped.is_none() && refers(r.rule))).collect();
        let mut fired: HashSet<usize> = raws
            .iter()
            .enumerate()
            .filter(|(i, r)| counts_as_fired(r) && open.binary_search(i).is_err())
            .map(|(_, r)| r.rule)
            .collect();
        for _round in 0..2 {
            let mut more = HashSet::new();
            for index in &open {
                let Some(raw) = raws.get_mut(*index) else { continue };
                let Some(rule) = self.rule(raw.rule) else { continue };
                let excepted = rule.unless.iter().any(|c| self.fired(c, &fired) && self.holds(c, raw));
                let missing =
                    rule.requires.iter().any(|c| !(c.rules.is_empty() || self.fired(c, &fired) && self.holds(c, raw)));
                raw.dropped = match (excepted, missing) {
                    (true, _) => Some(Dropped::Unless),
                    (_, true) => Some(Dropped::Requires),
                    _ => None,
                };
                if raw.dropped.is_none() {
                    more.insert(raw.rule);
                }
            }
            fired.extend(more);
        }
    }

    fn fired(&self, condition: &Condition, fired: &HashSet<usize>) -> bool {
        condition.rules.iter().any(|r| fired.contains(r))
    }

    /// Sender, header and fact conditions of a rule.
    fn outside(&self, rule: &Rule) -> bool {
        let Some(message) = self.context.message else { return true };
        (rule.sender.is_empty() || self.sender_is(&rule.sender))
            && rule.headers.iter().all(|h| header_holds(h, message))
            && rule.facts.iter().all(|f| self.fact_holds(f, message))
    }

    fn sender_is(&self, wanted: &[String]) -> bool {
        let sender = self.context.sender;
        wanted.iter().any(|w| match w.as_str() {
            "unknown" => sender.kind.is_none(),
            w => sender.kind.as_deref() == Some(w) || sender.id.as_deref() == Some(w),
        })
    }

    fn fact_holds(&self, test: &FactTest, message: &Message) -> bool {
        match test {
            FactTest::IcsMethod(method) => message.calendar.as_ref().is_some_and(|c| c.method == *method),
            FactTest::Reply(wanted) => message.in_reply_to.is_some() == *wanted,
            FactTest::NoReply(wanted) => self.context.sender.noreply == *wanted,
            FactTest::LinkHost(host) => message.link_hosts.iter().any(|h| is_within(h, host)),
            FactTest::Digest(wanted) => {
                (message.headers.list_unsubscribe && message.link_hosts.len() >= DIGEST_HOSTS_MIN) == *wanted
            }
        }
    }

    /// Whether the text and sender parts of a condition hold for a hit.
    fn holds(&mut self, condition: &Condition, raw: &Raw) -> bool {
        if !condition.sender.is_empty() && self.context.message.is_some() && !self.sender_is(&condition.sender) {
            return false;
        }
        if condition.any.is_empty() && condition.all.is_empty() {
            return true;
        }
        let at = raw.sentence.and_then(|i| Some((self.texts.get(i)?, self.candidates(raw.rule, i)?)));
        match (condition.scope, at) {
            (Scope::Match, Some((s, may))) => {
                let covers = |p: &Phrase, text: &Haystack<'_>| {
                    let found = p.find_all(text, HITS_PER_RULE_MAX);
                    found.iter().any(|f| f.span.0 <= raw.span.0 && raw.span.1 <= f.span.1)
                };
                counted(condition, &[(s, may)], covers)
            }
            (Scope::Sentence, Some(place)) => counted(condition, &[place], Phrase::stands_in),
            (Scope::Paragraph, Some(_)) => {
                let sentence = raw.sentence.and_then(|i| self.context.sentences.get(i));
                let place = sentence.map_or((Zone::Body, 0), |s| (s.zone, s.paragraph));
                self.remembered(condition, raw.rule, Some(place), |t| (t.zone, t.paragraph) == place)
            }
            (Scope::Message, _) | (_, None) => self.remembered(condition, raw.rule, None, |t| is_own_text(t.zone)),
        }
    }

    fn remembered(
        &mut self,
        condition: &Condition,
        rule: usize,
        place: Option<(Zone, u32)>,
        within: impl Fn(&Sentence) -> bool,
    ) -> bool {
        let key = (std::ptr::from_ref(condition) as usize, place);
        if let Some(known) = self.memo.get(&key) {
            return *known;
        }
        let read = |s: &Sentence| {
            if condition.zones.is_empty() { within(s) } else { condition.zones.contains(&s.zone) }
        };
        let sentences = self.context.sentences.iter().zip(&self.texts).enumerate().filter(|(_, (s, _))| read(s));
        let places: Vec<_> = sentences.filter_map(|(i, (_, text))| Some((text, self.candidates(rule, i)?))).collect();
        let holds = counted(condition, &places, Phrase::stands_in);
        self.memo.insert(key, holds);
        holds
    }
}

/// Whether enough different phrases of a condition are found in some sentences.
fn counted(
    condition: &Condition,
    places: &[(&Haystack<'_>, Candidates<'_>)],
    found: impl Fn(&Phrase, &Haystack<'_>) -> bool,
) -> bool {
    let stand = |list: &[Phrase], enough: usize| {
        let mut standing = HashSet::new();
        for (text, may) in places {
            let among = may.among(list.first(), list.len());
            standing.extend(among.filter(|at| list.get(*at).is_some_and(|p| found(p, text))));
            if standing.len() >= enough {
                return true;
            }
        }
        list.is_empty()
    };
    stand(&condition.any, condition.at_least) && stand(&condition.all, condition.all.len())
}

fn counts_as_fired(raw: &Raw) -> bool {
    matches!(raw.dropped, None | Some(Dropped::Shadow))
}

/// Share of kana, one in so many characters, from which on a sentence with Chinese characters is Japanese: a single
/// kana stands in Chinese brands too.
const KANA_SHARE: usize = 8;

/// Whether a sentence is Japanese beyond doubt: the same characters say other things there than in Chinese.
fn is_japanese(text: &str) -> bool {
    let (mut kana, mut letters) = (0, 0);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        kana += usize::from(is_kana(c));
    }
    kana * KANA_SHARE > letters
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}')
}

/// Text the sender wrote for this mail.
pub(crate) fn is_own_text(zone: Zone) -> bool {
    matches!(zone, Zone::Subject | Zone::Lead | Zone::Body | Zone::Closing)
}

fn header_holds(test: &HeaderTest, message: &Message) -> bool {
    let h = &message.headers;
    let there = match test.name.as_str() {
        "list-unsubscribe" => h.list_unsubscribe,
        "list-id" => h.list_id,
        "auto-submitted" => h.auto_submitted,
        "precedence" => h.precedence_bulk,
        "x-auto-response-suppress" => h.auto_response_suppress,
        "feedback-id" => h.feedback_id,
        "return-path" => !h.null_return_path,
        _ => false,
    };
    there == test.exists
}

/// Whether a host is a domain or below it, by whole labels.
pub(crate) fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|h| h.ends_with('.'))
}

/// A rule counts once per message.
fn repeated(raws: &mut [Raw]) {
    let mut counted = HashSet::new();
    for raw in raws.iter_mut().filter(|r| r.dropped.is_none()) {
        if !counted.insert(raw.rule) {
            raw.dropped = Some(Dropped::Repeated);
        }
    }
}
