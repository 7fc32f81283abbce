//! IMAP (RFC 3501) over TLS: one command at a time, only the tagged OK counts, any doubt drops the connection.
