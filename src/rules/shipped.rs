//! The rule files built into the program.

use std::borrow::Cow;

use super::{Layer, Source};

/// Name and text of each file of `rules/`, in the order they are loaded.
const FILES: [(&str, &str); 37] = [
    ("rules/00-core.toml", include_str!("../../rules/00-core.toml")),
    ("rules/10-en-core.toml", include_str!("../../rules/10-en-core.toml")),
    ("rules/11-en-choice.toml", include_str!("../../rules/11-en-choice.toml")),
    ("rules/11-en-criteria.toml", include_str!("../../rules/11-en-criteria.toml")),
    ("rules/11-en-position.toml", include_str!("../../rules/11-en-position.toml")),
    ("rules/11-en-rejection.toml", include_str!("../../rules/11-en-rejection.toml")),
    ("rules/12-en-other.toml", include_str!("../../rules/12-en-other.toml")),
    ("rules/12-en-steps.toml", include_str!("../../rules/12-en-steps.toml")),
    ("rules/12-en-unrelated.toml", include_str!("../../rules/12-en-unrelated.toml")),
    ("rules/13-en-facts.toml", include_str!("../../rules/13-en-facts.toml")),
    ("rules/14-en-roundabout.toml", include_str!("../../rules/14-en-roundabout.toml")),
    ("rules/20-de-facts.toml", include_str!("../../rules/20-de-facts.toml")),
    ("rules/20-de.toml", include_str!("../../rules/20-de.toml")),
    ("rules/21-nl.toml", include_str!("../../rules/21-nl.toml")),
    ("rules/22-fr.toml", include_str!("../../rules/22-fr.toml")),
    ("rules/23-it.toml", include_str!("../../rules/23-it.toml")),
    ("rules/24-es.toml", include_str!("../../rules/24-es.toml")),
    ("rules/25-pt.toml", include_str!("../../rules/25-pt.toml")),
    ("rules/26-ro.toml", include_str!("../../rules/26-ro.toml")),
    ("rules/27-pl.toml", include_str!("../../rules/27-pl.toml")),
    ("rules/28-cs.toml", include_str!("../../rules/28-cs.toml")),
    ("rules/29-sv.toml", include_str!("../../rules/29-sv.toml")),
    ("rules/30-da.toml", include_str!("../../rules/30-da.toml")),
    ("rules/31-nb.toml", include_str!("../../rules/31-nb.toml")),
    ("rules/32-fi.toml", include_str!("../../rules/32-fi.toml")),
    ("rules/33-ru.toml", include_str!("../../rules/33-ru.toml")),
    ("rules/34-uk.toml", include_str!("../../rules/34-uk.toml")),
    ("rules/35-tr.toml", include_str!("../../rules/35-tr.toml")),
    ("rules/36-ja.toml", include_str!("../../rules/36-ja.toml")),
    ("rules/37-zh.toml", include_str!("../../rules/37-zh.toml")),
    ("rules/38-ko.toml", include_str!("../../rules/38-ko.toml")),
    ("rules/39-ca.toml", include_str!("../../rules/39-ca.toml")),
    ("rules/39-el.toml", include_str!("../../rules/39-el.toml")),
    ("rules/39-hi.toml", include_str!("../../rules/39-hi.toml")),
    ("rules/39-hu.toml", include_str!("../../rules/39-hu.toml")),
    ("rules/names.toml", include_str!("../../rules/names.toml")),
    ("rules/senders.toml", include_str!("../../rules/senders.toml")),
];

/// The shipped rules.
pub fn shipped() -> Vec<Source> {
    let source = |(name, text): &(&str, &'static str)| Source {
        name: (*name).to_owned(),
        text: Cow::Borrowed(text),
        layer: Layer::Shipped,
    };
    FILES.iter().map(source).collect()
}
