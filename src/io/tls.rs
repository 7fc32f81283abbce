//! TLS for IMAP and SMTP alike: system roots or a CA file of the account, never "accept anything".
