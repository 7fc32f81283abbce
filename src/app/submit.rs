//! The outbox: approved drafts to the Drafts mailbox or to SMTP.
