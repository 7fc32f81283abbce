//! The rule files built into the program.

use super::{Layer, Source};

/// Name and text of each file of `rules/`, in the order they are loaded.
const FILES: [(&str, &str); 0] = [];

/// The shipped rules.
pub fn shipped() -> Vec<Source> {
    let source = |(name, text): &(&str, &str)| Source {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        layer: Layer::Shipped,
    };
    FILES.iter().map(source).collect()
}
