//! The format of rule files as a JSON Schema (draft 2020-12), for editors that check and complete TOML by one. What the
//! reader takes is the truth; a test holds the two together.

use serde_json::{Map, Value, json};

use super::{
    SCHEMA,
    set::Cue,
    vocabulary::{SIGNAL, STRENGTHS},
};
use crate::{
    classify::Modality,
    message::Zone,
    outcome::{Category, Reason, Stage},
};

/// The schema of one rule file.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Onward rule file",
        "description": "Rules by which Onward judges mail. See docs/rules.md.",
        "$defs": { "rule": rule(), "condition": condition() },
        "type": "object",
        "additionalProperties": false,
        "required": ["schema"],
        "properties": {
            "schema": { "const": SCHEMA, "description": "version of the format" },
            "min_engine": text("oldest version of onward that reads this file"),
            "pack": text("name of the file's rules as a whole"),
            "version": text("version of the content"),
            "title": text("one line about the file"),
            "license": text("licence of the rules"),
            "author": text("who wrote them"),
            "language": text("ISO 639-1: whose cue lists judge the hits"),
            "define": { "type": "object", "additionalProperties": texts("words of the list"), "description": "word lists for {{name}}" },
            "defaults": reference("rule"),
            "category": named(category()),
            "modality": named(json!({ "type": "object", "additionalProperties": false, "properties": cues() })),
            "rule": tables(json!({ "$ref": "#/$defs/rule", "required": ["id", "title", "category"] })),
            "override": tables(change()),
            "disable": tables(object(&["id", "reason"], json!({
                "id": text("the rule to switch off"),
                "reason": text("why"),
                "until": { "description": "the day it comes back, e.g. 2027-06-30", "type": ["string", "object"] },
            }))),
            "sender": tables(sender()),
            "conflict": tables(conflict()),
            "message_test": tables(message_test()),
            "tombstone": tables(object(&["id"], json!({
                "id": text("an id that is not used any more"),
                "removed_in": text("version"),
                "replaced_by": text("the rule that took its place"),
                "why": text("why"),
            }))),
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

fn number(description: &str) -> Value {
    json!({ "type": "number", "description": description })
}

/// A list of texts, or one text alone.
fn texts(description: &str) -> Value {
    json!({
        "description": description,
        "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
    })
}

fn one_of<'n>(names: impl Iterator<Item = &'n str>, description: &str) -> Value {
    json!({ "enum": names.collect::<Vec<_>>(), "description": description })
}

fn several_of<'n>(names: impl Iterator<Item = &'n str>, description: &str) -> Value {
    let names: Vec<&str> = names.collect();
    json!({
        "description": description,
        "oneOf": [{ "enum": names }, { "type": "array", "items": { "enum": names } }],
    })
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// `[[key]]`
fn tables(item: Value) -> Value {
    json!({ "type": "array", "items": item })
}

/// `[key.NAME]`
fn named(item: Value) -> Value {
    json!({ "type": "object", "additionalProperties": item })
}

fn categories() -> impl Iterator<Item = &'static str> {
    Category::ALL.iter().map(|c| c.as_str()).chain([SIGNAL])
}

fn zones(description: &str) -> Value {
    several_of(Zone::ALL.iter().map(|z| z.as_str()), description)
}

fn modalities(description: &str) -> Value {
    several_of(Modality::ALL.iter().map(|m| m.as_str()), description)
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// One entry of `requires` or `unless`.
fn condition() -> Value {
    object(
        &[],
        json!({
            "any": texts("phrases of which one has to stand there"),
            "all": texts("phrases that all have to stand there"),
            "rule": texts("rules of which one has to have counted; `*.signal.x` is that of any language"),
            "sender": texts("kinds or ids of senders"),
            "scope": one_of(["match", "sentence", "paragraph", "message"].into_iter(), "where it is looked for"),
            "zones": zones("where a message-wide condition reads"),
            "at_least": number("how many different phrases of `any`"),
        }),
    )
}

/// One condition, or a list of them.
fn conditions(description: &str) -> Value {
    let condition = reference("condition");
    json!({ "description": description, "oneOf": [condition, { "type": "array", "items": condition }] })
}

/// A rule, the defaults of a file, or a part of an override.
fn rule() -> Value {
    let settings = object(
        &[],
        json!({
            "reason": one_of(Reason::ALL.iter().map(|r| r.as_str()), "why it is a no"),
            "stage": one_of(Stage::ALL.iter().map(|s| s.as_str()), "how far the application came"),
            "event": text("what happens"),
            "note": text("for readers of the rule"),
            "noreply": flag("nobody reads an answer"),
            "no_feedback": flag("no individual feedback is given"),
            "offers_feedback": flag("feedback or a call is offered"),
            "retracts": flag("an earlier mail is taken back"),
            "agency": flag("the sender writes for several employers"),
        }),
    );
    object(
        &[],
        json!({
            "id": { "type": "string", "pattern": "^[a-z0-9.-]{3,80}$", "description": "lang.category.name, never used again" },
            "title": text("one line for people"),
            "doc": text("more about it"),
            "since": text("version it came with"),
            "tags": texts("free words"),
            "author": text("who wrote it"),
            "references": texts("where to read more"),
            "keywords": texts("free words"),
            "category": one_of(categories(), "what it speaks for"),
            "status": one_of(["stable", "preview", "shadow", "deprecated"].into_iter(), "lifecycle"),
            "strength": one_of(STRENGTHS.iter().map(|(name, _)| *name), "how much it says"),
            "weight": number("bits of log-odds instead of `strength`"),
            "relevance": number("bits for: this mail is about an application"),
            "family": text("rules that say the same in other words"),
            "opener": flag("courtesy that also opens refusals"),
            "language": text("ISO 639-1"),
            "zones": zones("where it reads"),
            "modality": modalities("which ways of saying it count"),
            "phrases": texts("what to look for"),
            "regex": texts("Rust regular expressions, where phrases cannot say it"),
            "sender": texts("kinds or ids of senders"),
            "header": { "type": "object", "additionalProperties": { "enum": ["exists", "missing"] }, "description": "header fields" },
            "fact": { "type": "object", "description": "ics_method, reply, noreply, link_host, digest" },
            "requires": conditions("what must all hold"),
            "unless": conditions("what must not hold"),
            "set": settings,
            "match": texts("sentences it has to find"),
            "no_match": texts("sentences it must leave alone"),
            "todo_match": texts("known gaps"),
            "todo_no_match": texts("known errors"),
        }),
    )
}

fn change() -> Value {
    object(
        &["id", "reason"],
        json!({
            "id": text("the rule to change"),
            "reason": text("why"),
            "set": reference("rule"),
            "append": reference("rule"),
            "remove": reference("rule"),
        }),
    )
}

fn category() -> Value {
    object(
        &[],
        json!({
            "terminal": flag("closes or wins an application: needs an anchor"),
            "accept": number("bits needed"),
            "margin": number("bits ahead of the runner-up"),
            "modality": modalities("what its rules take unless they say otherwise"),
            "label": text("for people"),
            "colour": text("for people"),
        }),
    )
}

fn cues() -> Value {
    let list = |(name, _): &(&'static str, Cue)| ((*name).to_owned(), texts("cue words, as phrases"));
    Value::Object(Cue::NAMES.iter().map(list).collect::<Map<String, Value>>())
}

fn sender() -> Value {
    object(
        &["id", "kind"],
        json!({
            "id": text("short name"),
            "brand": texts("names of the vendor, never taken for the employer"),
            "kind": text("ats, jobboard, scheduler, assessment, interview-platform, esp, freemail, agency, …"),
            "domains": texts("domains of its addresses"),
            "noreply": one_of(["always", "default", "no"].into_iter(), "whether a reply reaches anybody"),
            "tenant": one_of(
                ["none", "local-part", "local-before-plus", "subdomain"].into_iter(),
                "where the employer's slug stands",
            ),
            "company_from": texts("where the employer's name stands, best first"),
            "subjects": texts("subject lines as phrases"),
            "display_forms": texts("display names as phrases"),
            "seen": texts("where it was seen"),
            "grade": text("A documented, B seen, C from lists, M from memory"),
            "note": text("remarks"),
            "title": text("one line"),
        }),
    )
}

fn conflict() -> Value {
    object(
        &["between"],
        json!({
            "between": several_of(categories(), "two categories"),
            "when": text("both-anchored"),
            "then": text("ask, or the category that wins"),
            "unless_rule": texts("rules that explain it"),
            "title": text("one line"),
            "note": text("remarks"),
            "reason": text("why"),
        }),
    )
}

fn message_test() -> Value {
    object(
        &["name", "body"],
        json!({
            "name": text("what is tested"),
            "from": text("the From field"),
            "subject": text("the Subject field"),
            "body": text("the text"),
            "reply": flag("answers another mail"),
            "category": one_of(Category::ALL.iter().map(|c| c.as_str()), "expected"),
            "decision": one_of(["accept", "ask", "none"].into_iter(), "expected"),
            "set": { "type": "object", "description": "expected facts" },
            "hits": texts("rules that have to count"),
            "not_hits": texts("rules that must not count"),
        }),
    )
}
