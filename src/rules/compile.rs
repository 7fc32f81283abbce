//! Merged syntax to [`RuleSet`]: every value checked against the vocabulary, every phrase compiled, every reference
//! resolved. Goes on after a mistake so that all of them are reported together.

use std::{collections::HashMap, sync::OnceLock};

use super::{
    Layer, Place, Source, Trust,
    diagnostic::{Problems, did_you_mean, nearest},
    merge::{Merged, MergedRule},
    pack::Pack,
    phrase::{Library, Phrase, WordLists},
    reader::Text,
    sender::{KINDS, NoReply, Sender, SenderTable, Tenant},
    set::{
        Condition, Conflict, Cue, Example, Examples, FactTest, HeaderTest, MessageTest, Policy, Rule, RuleSet, Scope,
        Status,
    },
    syntax::{ConditionSyntax, FileSyntax, RuleBody, SenderSyntax},
    vocabulary,
};
use crate::{classify::Modality, message::Zone, outcome::Category};

/// Most phrases of a whole set.
pub const PHRASES_MAX: usize = 20_000;
/// Most phrases of one rule.
pub const PHRASES_PER_RULE_MAX: usize = 200;
/// Zones a rule reads unless it says otherwise.
const ZONES: [Zone; 3] = [Zone::Subject, Zone::Lead, Zone::Body];

pub(super) struct Compiler<'c, 's> {
    pub lists: &'c WordLists,
    pub library: Library<'c>,
    pub problems: &'c mut Problems<'s>,
    pub ids: HashMap<String, usize>,
    /// Whether the phrases of shipped files are compiled at first use only.
    trusts_shipped: bool,
    packs: Vec<Pack>,
}

/// Compiles the merged rules and the other tables of the files. With errors among `problems` the result is not to be
/// used.
pub(super) fn compile(
    files: &[FileSyntax],
    sources: &[Source],
    merged: Merged,
    trust: Trust,
    problems: &mut Problems<'_>,
) -> RuleSet {
    let Merged { rules: merged, lists } = merged;
    let ids = merged.iter().enumerate().map(|(i, r)| (r.id.text.clone(), i)).collect();
    // A word added to a list stands in the shipped phrases that use the list.
    let layer = |wanted| files.iter().zip(sources).filter(move |(_, s)| s.layer == wanted);
    let mut added = layer(Layer::User).flat_map(|(f, _)| &f.defines).map(|(name, _)| name.text.to_lowercase());
    let widened = added.any(|name| layer(Layer::Shipped).any(|(_, s)| s.text.contains(&format!("{{{{{name}}}}}"))));
    let mut c = Compiler {
        lists: &lists,
        library: Library::new(&lists),
        problems,
        ids,
        trusts_shipped: trust == Trust::Shipped && !widened,
        packs: Vec::new(),
    };
    let categories = c.categories(files);
    let mut rules = Vec::new();
    for (index, rule) in merged.into_iter().enumerate() {
        c.rule_phrases(index, &rule);
        let source = sources.get(rule.file);
        let file_defaults = files.get(rule.file).and_then(|f| f.defaults.modality.clone());
        rules.push(c.rule(rule, source, &categories, file_defaults));
    }
    let phrases: usize = c.packs.iter().map(|pack| pack.phrases.len()).sum();
    if phrases > PHRASES_MAX {
        c.problems.error_nowhere("R021", format!("{phrases} phrases; the limit is {PHRASES_MAX}"));
    }
    let conflicts = c.conflicts(files);
    c.modality(files);
    // It all stays as long as the program.
    rules.shrink_to_fit();
    c.packs.iter_mut().for_each(|pack| pack.phrases.shrink_to_fit());
    let senders = c.senders(files);
    let message_tests = c.message_tests(files, sources);
    let (by_id, packs) = (c.ids, c.packs);
    if rules.is_empty() {
        problems.error_nowhere("R037", "no rule is left in force; a set without rules would find nothing");
    }
    RuleSet {
        rules,
        by_id,
        packs,
        categories,
        conflicts,
        senders,
        titles: super::titles::Titles::read(&lists),
        names: OnceLock::new(),
        lists,
        message_tests,
        fingerprint: String::new(),
        warnings: Vec::new(),
    }
}

impl Compiler<'_, '_> {
    fn rule_phrases(&mut self, index: usize, rule: &MergedRule) {
        let mut out = Vec::new();
        let written = rule.body.phrases.as_deref().unwrap_or_default();
        if written.len() > PHRASES_PER_RULE_MAX {
            let message = format!("{} phrases in one rule; the limit is {PHRASES_PER_RULE_MAX}", written.len());
            self.problems.error("R022", rule.id.at, message, None);
        }
        for text in written {
            self.lint_phrase(text);
            out.extend(self.phrase(text).map(|p| (index, p)));
        }
        for text in rule.body.regex.as_deref().unwrap_or_default() {
            match Phrase::raw(&text.text) {
                Ok(phrase) => out.push((index, phrase)),
                Err(e) => self.problems.error("R017", text.at, format!("not a usable regular expression: {e}"), None),
            }
        }
        let pack = self.pack(language(&rule.body));
        if let Some(pack) = self.packs.get_mut(pack) {
            pack.phrases.append(&mut out);
        }
    }

    /// The place of a language among the packs.
    fn pack(&mut self, language: &str) -> usize {
        self.packs.iter().position(|pack| pack.language == language).unwrap_or_else(|| {
            self.packs.push(Pack::new(language));
            self.packs.len() - 1
        })
    }

    fn lint_phrase(&mut self, text: &Text) {
        const COMMON: [&str; 12] = [
            "the",
            "you",
            "your",
            "we",
            "offer",
            "application",
            "role",
            "position",
            "thank",
            "thanks",
            "please",
            "job",
        ];
        if COMMON.contains(&text.text.as_str()) {
            self.problems.warn("R110", text.at, format!("phrase is one frequent word (`{}`)", text.text), None);
        }
    }

    pub(super) fn phrase(&mut self, text: &Text) -> Option<Phrase> {
        if self.trusts_shipped && self.problems.layer(text.at) == Layer::Shipped {
            return Some(Phrase::later(&text.text));
        }
        match self.library.phrase(&text.text) {
            Ok(phrase) => Some(phrase),
            Err(e) => {
                let help =
                    e.unknown_list.as_ref().and_then(|name| did_you_mean(name, self.lists.keys().map(String::as_str)));
                self.problems.error(e.code, text.at, e.message, help);
                None
            }
        }
    }

    fn phrases(&mut self, texts: &[Text]) -> Vec<Phrase> {
        texts.iter().filter_map(|t| self.phrase(t)).collect()
    }

    fn rule(
        &mut self,
        merged: MergedRule,
        source: Option<&Source>,
        categories: &HashMap<Category, Policy>,
        file_modality: Option<Vec<Text>>,
    ) -> Rule {
        let MergedRule { mut body, id, changed_by, .. } = merged;
        let title = self.needed(&body, &body.title, "title", &id);
        let category = self.category(&body, &id);
        let weight = self.weight(&body, &id, category);
        let modality = self.rule_modality(&body, category, categories, file_modality);
        let zones = body.zones.as_deref().map(|z| vocabulary::zones(z, self.problems)).unwrap_or(ZONES.to_vec());
        let has_text = body.phrases.as_ref().is_some_and(|p| !p.is_empty()) || body.regex.is_some();
        let headers = self.headers(&body);
        let facts = self.facts(&body);
        let sender: Vec<String> = body.sender.iter().flatten().map(|t| t.text.clone()).collect();
        if !has_text && headers.is_empty() && facts.is_empty() && sender.is_empty() {
            self.problems.error("R010", id.at, format!("`{}` has no `phrases`: it can never match", id.text), None);
        }
        let examples = Examples {
            matches: examples(body.matches.take()),
            no_matches: examples(body.no_matches.take()),
            todo_matches: examples(body.todo_matches.take()),
            todo_no_matches: examples(body.todo_no_matches.take()),
        };
        self.lint_examples(&id, &examples, has_text, source);
        Rule {
            title,
            doc: body.doc.as_ref().map(|t| t.text.clone()),
            category,
            weight,
            relevance: body.relevance.map_or(0.0, |n| n.value),
            family: body.family.as_ref().map_or_else(|| id.text.clone(), |f| f.text.clone()),
            opener: body.opener.is_some_and(|o| o.value),
            status: body.status.as_ref().and_then(|s| vocabulary::status(s, self.problems)).unwrap_or(Status::Stable),
            language: language(&body).to_owned(),
            pack: self.pack(language(&body)),
            zones,
            modality,
            sender,
            headers,
            facts,
            has_text,
            requires: self.conditions(body.requires.as_deref().unwrap_or_default()),
            unless: self.conditions(body.unless.as_deref().unwrap_or_default()),
            set: vocabulary::settings(&body.set, self.problems),
            examples,
            file: self.problems.file(id.at).to_owned(),
            line: id.at.line,
            layer: source.map_or(Layer::User, |s| s.layer),
            changed_by,
            written_at: body.phrases.iter().chain(&body.regex).flatten().map(|t| t.at).collect(),
            id: id.text,
        }
    }

    fn needed(&mut self, body: &RuleBody, value: &Option<Text>, key: &str, id: &Text) -> String {
        if value.is_none() {
            self.problems.error("R010", body.at, format!("`{}` has no `{key}`", id.text), None);
        }
        value.as_ref().map(|t| t.text.clone()).unwrap_or_default()
    }

    fn category(&mut self, body: &RuleBody, id: &Text) -> Option<Category> {
        match &body.category {
            Some(text) => vocabulary::category(text, self.problems).flatten(),
            None => {
                self.problems.error("R010", body.at, format!("`{}` has no `category`", id.text), None);
                None
            }
        }
    }

    fn weight(&mut self, body: &RuleBody, id: &Text, category: Option<Category>) -> f64 {
        match (&body.strength, body.weight) {
            (Some(_), Some(weight)) => {
                let message = format!("`{}` has both `strength` and `weight`", id.text);
                self.problems.error("R013", weight.at, message, Some("keep one of them".into()));
                0.0
            }
            (Some(strength), None) => vocabulary::strength(strength, self.problems).unwrap_or(0.0),
            (None, Some(weight)) => weight.value,
            (None, None) if category.is_none() => 0.0,
            (None, None) => {
                let help = "e.g. `strength = \"decisive\"`, strong, moderate, weak or hint".to_owned();
                self.problems.error("R010", id.at, format!("`{}` has no `strength`", id.text), Some(help));
                0.0
            }
        }
    }

    fn rule_modality(
        &mut self,
        body: &RuleBody,
        category: Option<Category>,
        categories: &HashMap<Category, Policy>,
        file: Option<Vec<Text>>,
    ) -> Vec<Modality> {
        if let Some(own) = &body.modality {
            return vocabulary::modalities(own, self.problems);
        }
        let of_category = match category {
            // A signal states a fact about the text, however it is said.
            None => Some(Modality::ALL.to_vec()),
            Some(c) => categories.get(&c).and_then(|p| p.modality.clone()).or(Policy::default_for(c).modality),
        };
        of_category
            .or_else(|| file.map(|m| vocabulary::modalities(&m, self.problems)))
            .unwrap_or_else(|| vec![Modality::Asserted])
    }

    fn headers(&mut self, body: &RuleBody) -> Vec<HeaderTest> {
        const KNOWN: [(&str, ()); 7] = [
            ("list-unsubscribe", ()),
            ("list-id", ()),
            ("auto-submitted", ()),
            ("precedence", ()),
            ("x-auto-response-suppress", ()),
            ("feedback-id", ()),
            ("return-path", ()),
        ];
        let mut out = Vec::new();
        for (name, value) in &body.header {
            let known = vocabulary::one_of(name, "header", &KNOWN, self.problems);
            let wanted = vocabulary::one_of(value, "test", &[("exists", true), ("missing", false)], self.problems);
            if let (Some(()), Some(exists)) = (known, wanted) {
                out.push(HeaderTest { name: name.text.clone(), exists });
            }
        }
        out
    }

    fn facts(&mut self, body: &RuleBody) -> Vec<FactTest> {
        let names = ["ics_method", "reply", "noreply", "link_host", "digest"].map(|n| (n, ()));
        let mut out = Vec::new();
        for (name, value) in &body.fact {
            let mut flag = || vocabulary::one_of(value, "flag", &[("true", true), ("false", false)], self.problems);
            match name.text.as_str() {
                "ics_method" => out.push(FactTest::IcsMethod(value.text.to_uppercase())),
                "link_host" => out.push(FactTest::LinkHost(value.text.to_lowercase())),
                "reply" => out.extend(flag().map(FactTest::Reply)),
                "noreply" => out.extend(flag().map(FactTest::NoReply)),
                "digest" => out.extend(flag().map(FactTest::Digest)),
                _ => {
                    vocabulary::one_of(name, "fact", &names, self.problems);
                }
            }
        }
        out
    }

    fn conditions(&mut self, conditions: &[ConditionSyntax]) -> Vec<Condition> {
        conditions.iter().map(|c| self.condition(c)).collect()
    }

    fn condition(&mut self, c: &ConditionSyntax) -> Condition {
        if c.any.is_empty() && c.all.is_empty() && c.rules.is_empty() && c.sender.is_empty() {
            let help = "a condition needs `any`, `all`, `rule` or `sender`".to_owned();
            self.problems.error("R010", c.at, "an empty condition", Some(help));
        }
        Condition {
            any: self.phrases(&c.any),
            all: self.phrases(&c.all),
            rules: self.rule_references(&c.rules),
            sender: c.sender.iter().map(|t| t.text.clone()).collect(),
            scope: c.scope.as_ref().and_then(|s| vocabulary::scope(s, self.problems)).unwrap_or(Scope::Sentence),
            zones: c.zones.as_deref().map(|z| vocabulary::zones(z, self.problems)).unwrap_or_default(),
            at_least: c.at_least.map_or(1, |n| n.value.max(1.0) as usize),
        }
    }

    fn rule_references(&mut self, ids: &[Text]) -> Vec<usize> {
        ids.iter().flat_map(|id| self.rule_reference(id)).collect()
    }

    /// The rule of that id, or with `*` in front every rule whose id ends so: one name for the same in each language.
    fn rule_reference(&mut self, id: &Text) -> Vec<usize> {
        let mut found: Vec<usize> = match id.text.strip_prefix('*') {
            Some(end) => self.ids.iter().filter(|(known, _)| known.ends_with(end)).map(|(_, at)| *at).collect(),
            None => self.ids.get(&id.text).copied().into_iter().collect(),
        };
        found.sort_unstable();
        if found.is_empty() {
            let help = nearest(&id.text, self.ids.keys().map(String::as_str)).map(|k| format!("did you mean `{k}`?"));
            self.problems.error("R033", id.at, format!("no rule `{}` in force", id.text), help);
        }
        found
    }

    fn lint_examples(&mut self, id: &Text, examples: &Examples, has_text: bool, source: Option<&Source>) {
        if !has_text {
            return;
        }
        let shipped = source.is_some_and(|s| s.layer == Layer::Shipped);
        if examples.matches.is_empty() {
            let help = "write `match = [\"a sentence it has to find\"]`".to_owned();
            let message = format!("`{}` has no `match` example", id.text);
            self.problems.error("R018", id.at, message, Some(help));
        }
        if examples.no_matches.is_empty() {
            let message = format!("`{}` has no `no_match` example", id.text);
            if shipped {
                self.problems.error("R019", id.at, message, None);
            } else {
                self.problems.warn("R115", id.at, message, None);
            }
        }
    }

    fn categories(&mut self, files: &[FileSyntax]) -> HashMap<Category, Policy> {
        let mut out: HashMap<Category, Policy> = HashMap::new();
        for syntax in files.iter().flat_map(|f| &f.categories) {
            let Some(Some(category)) = vocabulary::category(&syntax.name, self.problems) else { continue };
            let policy = out.entry(category).or_insert_with(|| Policy::default_for(category));
            if let Some(t) = syntax.terminal {
                policy.terminal = t.value;
            }
            if let Some(n) = syntax.accept {
                policy.accept = n.value;
            }
            if let Some(n) = syntax.margin {
                policy.margin = n.value;
            }
            if let Some(m) = &syntax.modality {
                policy.modality = Some(vocabulary::modalities(m, self.problems));
            }
        }
        out
    }

    fn conflicts(&mut self, files: &[FileSyntax]) -> Vec<Conflict> {
        let mut out = Vec::new();
        for syntax in files.iter().flat_map(|f| &f.conflicts) {
            if let Some(when) = &syntax.when {
                vocabulary::one_of(when, "condition", &[("both-anchored", ())], self.problems);
            }
            let [first, second] = syntax.between.as_slice() else {
                self.problems.error("R010", syntax.at, "`between` has to name two categories", None);
                continue;
            };
            let first = vocabulary::category(first, self.problems).flatten();
            let second = vocabulary::category(second, self.problems).flatten();
            let then = match &syntax.then {
                Some(text) if text.text != "ask" => vocabulary::category(text, self.problems).flatten(),
                _ => None,
            };
            let unless_rules = self.rule_references(&syntax.unless_rules);
            if let (Some(first), Some(second)) = (first, second) {
                out.push(Conflict { between: (first, second), then, unless_rules });
            }
        }
        out
    }

    fn modality(&mut self, files: &[FileSyntax]) {
        let mut joined: HashMap<(&str, Cue), Vec<Phrase>> = HashMap::new();
        for syntax in files.iter().flat_map(|f| &f.modality) {
            for (name, texts) in &syntax.lists {
                let Some(cue) = vocabulary::one_of(name, "cue list", &Cue::NAMES, self.problems) else { continue };
                let phrases = self.phrases(texts);
                joined.entry((&syntax.language.text, cue)).or_default().extend(phrases);
            }
        }
        for ((language, cue), phrases) in joined {
            let pack = self.pack(language);
            if let Some(pack) = self.packs.get_mut(pack) {
                pack.cues.get_or_insert_default().lists.insert(cue, phrases);
            }
        }
    }

    fn senders(&mut self, files: &[FileSyntax]) -> SenderTable {
        let mut table = SenderTable::default();
        let mut seen: HashMap<String, Place> = HashMap::new();
        for syntax in files.iter().flat_map(|f| &f.senders) {
            if let Some(first) = seen.insert(syntax.id.text.clone(), syntax.id.at) {
                let where_ = format!("{}:{}", self.problems.file(first), first.line);
                let message = format!("sender `{}` stands in {where_} already", syntax.id.text);
                self.problems.error("R039", syntax.id.at, message, None);
            }
            let sender = self.sender(syntax);
            for domain in &syntax.domains {
                table.domains.entry(domain.text.to_lowercase()).or_insert(table.senders.len());
            }
            table.senders.push(sender);
        }
        table
    }

    fn sender(&mut self, syntax: &SenderSyntax) -> Sender {
        let kinds = KINDS.map(|k| (k, k));
        let noreply = [("always", NoReply::Always), ("default", NoReply::Default), ("no", NoReply::No)];
        let tenant = [
            ("none", Tenant::None),
            ("local-part", Tenant::LocalPart),
            ("local-before-plus", Tenant::LocalBeforePlus),
            ("subdomain", Tenant::Subdomain),
        ];
        let sources = ["display-name", "subject", "body", "local-part", "local-before-plus", "subdomain", "signature"];
        let kind = syntax.kind.as_ref().and_then(|k| vocabulary::one_of(k, "kind", &kinds, self.problems));
        for source in &syntax.company_from {
            vocabulary::one_of(source, "source", &sources.map(|s| (s, ())), self.problems);
        }
        Sender {
            id: syntax.id.text.clone(),
            brand: syntax.brand.iter().map(|t| t.text.clone()).collect(),
            kind: kind.unwrap_or("ats").to_owned(),
            noreply: syntax
                .noreply
                .as_ref()
                .and_then(|t| vocabulary::one_of(t, "value", &noreply, self.problems))
                .unwrap_or(NoReply::Default),
            tenant: syntax
                .tenant
                .as_ref()
                .and_then(|t| vocabulary::one_of(t, "value", &tenant, self.problems))
                .unwrap_or(Tenant::None),
            company_from: syntax.company_from.iter().map(|t| t.text.clone()).collect(),
            subjects: self.whole_phrases(&syntax.subjects),
            display_forms: self.whole_phrases(&syntax.display_forms),
        }
    }

    fn whole_phrases(&mut self, texts: &[Text]) -> Vec<Phrase> {
        let mut out = Vec::new();
        for text in texts {
            match Phrase::whole(&text.text, self.lists) {
                Ok(phrase) => out.push(phrase),
                Err(e) => self.problems.error(e.code, text.at, e.message, None),
            }
        }
        out
    }

    fn message_tests(&mut self, files: &[FileSyntax], sources: &[Source]) -> Vec<MessageTest> {
        let text = |t: &Option<Text>| t.as_ref().map(|t| t.text.clone()).unwrap_or_default();
        let mut out = Vec::new();
        for (file, source) in files.iter().zip(sources) {
            for syntax in &file.message_tests {
                let decisions = [("accept", ()), ("ask", ()), ("none", ())];
                if let Some(decision) = &syntax.decision {
                    vocabulary::one_of(decision, "decision", &decisions, self.problems);
                }
                let pairs = syntax.set.iter().map(|(k, v)| (k.text.clone(), v.text.clone())).collect();
                out.push(MessageTest {
                    name: text(&syntax.name),
                    from: text(&syntax.from),
                    subject: text(&syntax.subject),
                    body: text(&syntax.body),
                    reply: syntax.reply.is_some_and(|r| r.value),
                    category: syntax.category.as_ref().and_then(|c| vocabulary::category(c, self.problems)).flatten(),
                    decision: syntax.decision.as_ref().map(|d| d.text.clone()),
                    set: pairs,
                    hits: syntax.hits.iter().map(|t| t.text.clone()).collect(),
                    not_hits: syntax.not_hits.iter().map(|t| t.text.clone()).collect(),
                    at: syntax.at,
                    file: source.name.clone(),
                });
            }
        }
        out
    }
}

/// The language of a rule; `und` where its file names none.
fn language(body: &RuleBody) -> &str {
    body.language.as_ref().map_or("und", |l| l.text.as_str())
}

fn examples(texts: Option<Vec<Text>>) -> Vec<Example> {
    texts.into_iter().flatten().map(|t| Example { text: t.text, at: t.at }).collect()
}
