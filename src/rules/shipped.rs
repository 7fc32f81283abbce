//! The rule files built into the program.

use super::{Layer, Source};

/// Name and text of each file of `rules/`, in the order they are loaded.
const FILES: [(&str, &str); 7] = [
    ("rules/00-core.toml", include_str!("../../rules/00-core.toml")),
    ("rules/10-en-core.toml", include_str!("../../rules/10-en-core.toml")),
    ("rules/11-en-rejection.toml", include_str!("../../rules/11-en-rejection.toml")),
    ("rules/12-en-other.toml", include_str!("../../rules/12-en-other.toml")),
    ("rules/13-en-facts.toml", include_str!("../../rules/13-en-facts.toml")),
    ("rules/20-de.toml", include_str!("../../rules/20-de.toml")),
    ("rules/senders.toml", include_str!("../../rules/senders.toml")),
];

/// The shipped rules.
pub fn shipped() -> Vec<Source> {
    let source = |(name, text): &(&str, &str)| Source {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        layer: Layer::Shipped,
    };
    FILES.iter().map(source).collect()
}
