//! From raw bytes to one committed transaction: parse, classify, compose, store.
