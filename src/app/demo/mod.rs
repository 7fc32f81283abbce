//! `onward demo`: the ordinary path against an embedded IMAP server.
