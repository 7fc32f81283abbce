//! Mail in files: Maildir, mbox and single `.eml` files, read one message at a time and never changed.
