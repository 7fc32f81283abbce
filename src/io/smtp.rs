//! SMTP submission (RFC 6409) with lettre, driven phase by phase with a deadline each. Takes only an approved draft.
