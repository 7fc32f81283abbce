//! Judges what of an account is watched, and how often: mailboxes, Junk, the time between two looks.

use std::time::Duration;

use toml::Spanned;

use super::{Junk, Source, check::Checker, raw::At, value::duration_text};

/// Shortest time between two polls: providers throttle those who ask more often, and IDLE tells at once anyway.
const POLL_MIN: Duration = Duration::from_secs(30);
/// Time between two polls unless configured.
const POLL_DEFAULT: Duration = Duration::from_secs(60);

impl Checker<'_, '_> {
    pub fn mailboxes(&mut self, raw: At<Vec<Spanned<String>>>, of_maildir: bool) -> Vec<String> {
        let default = vec!["INBOX".to_owned()];
        let Some(raw) = raw else { return default };
        if of_maildir {
            let message = "`mailboxes` means nothing for a maildir";
            self.source.problem(raw.span(), message, "remove it; watch several Maildirs with an account each");
            return default;
        }
        if raw.get_ref().is_empty() {
            self.source.problem(raw.span(), "there is no mailbox to watch", "mailboxes = [\"INBOX\"]");
        }
        let mut mailboxes: Vec<String> = Vec::new();
        for mailbox in raw.into_inner() {
            let at = mailbox.span();
            let Some(name) = self.mailbox("mailboxes", Some(mailbox)) else { continue };
            if mailboxes.contains(&name) {
                self.source.problem(at, "this mailbox is named twice", "name each mailbox once");
            } else {
                mailboxes.push(name);
            }
        }
        mailboxes
    }

    pub fn junk(&mut self, raw: At<String>, of_maildir: bool) -> Junk {
        if let Some(raw) = raw.as_ref().filter(|_| of_maildir) {
            let message = "`junk` means nothing for a maildir";
            self.source.problem(raw.span(), message, "remove it; watch a Maildir of junk as an account of its own");
        }
        match self.mailbox("junk", raw).as_deref() {
            None | Some("auto") => Junk::Auto,
            Some("never") => Junk::Never,
            Some(name) => Junk::Named(name.to_owned()),
        }
    }

    pub fn mailbox(&mut self, key: &str, raw: At<String>) -> Option<String> {
        let name = self.text(&(0..0), key, Some(raw?), "", "write the mailbox as your mail client shows it")?;
        // RFC 9051 §5.1: INBOX alone is the same in any case.
        Some(if name.eq_ignore_ascii_case("inbox") { "INBOX".to_owned() } else { name })
    }

    pub fn poll(&mut self, raw: At<String>, of: Option<&Source>) -> Duration {
        let at = raw.as_ref().map(Spanned::span);
        let poll = self.duration(raw).unwrap_or(POLL_DEFAULT);
        if let Some(at) = at.clone().filter(|_| poll < POLL_MIN) {
            let message = "asking more often than every 30 seconds gets accounts throttled";
            self.source.problem(at, message, "poll = \"30s\" or more; new mail is told by IDLE at once anyway");
            return poll;
        }
        let provider = match of {
            Some(Source::Imap(login)) => login.provider.as_deref(),
            _ => None,
        };
        let Some((provider, min)) = provider.and_then(|row| Some((row, row.poll_min?))).filter(|(_, min)| poll < *min)
        else {
            return poll;
        };
        if let Some(at) = at {
            let message =
                format!("{} slows down who asks so often; it is asked every {}", provider.name, duration_text(min));
            self.source.hint(at, message, "new mail is told by IDLE at once anyway");
        }
        min
    }
}
