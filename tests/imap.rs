//! Tests of imap.
