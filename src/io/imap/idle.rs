//! Waiting for news (IDLE, RFC 2177). A hint and no more: whoever waits here looks for new mail afterwards, whatever
//! the end was.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::Session;
use super::command::Command;
use super::error::{ImapError, Kind, Phase};
use super::guard::Allowance;
use super::reply::{Reply, Tagged, Untagged};
use super::wire::Wire;

/// Longest wait in one IDLE. RFC 2177 says 29 minutes; routers and providers forget a silent connection earlier, and the
/// DONE at its end is what proves the connection alive: one that is dead is found within six minutes
/// (`reliability.md` A1).
pub const IDLE_MAX: Duration = Duration::from_secs(5 * 60);

/// Why waiting ended. The session is ready for the next command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleEnd {
    /// The mailbox changed.
    Changed,
    /// The time is over.
    Deadline,
    /// The caller wanted it to end.
    Stopped,
}

impl Session {
    /// Waits until the open mailbox changes, `within` is over (at most [`IDLE_MAX`], however often the server says that
    /// it is still there), or `stop` completes. A server that refuses IDLE gives [`Kind::NotSupported`].
    pub async fn idle(&mut self, within: Duration, stop: impl Future<Output = ()>) -> Result<IdleEnd, ImapError> {
        let phase = Phase::Idle;
        let mut wire = self.take(phase)?;
        wire.allow(Allowance::SMALL);
        let until = Instant::now() + within.min(IDLE_MAX);
        let limit = wire.deadlines.idle_start;
        let tag = timeout(limit, wire.start(phase, &Command::Idle)).await;
        let tag = tag.unwrap_or_else(|_| Err(wire.error(phase, Kind::Timeout(limit))))?;
        let begun = timeout(limit, begin(&mut wire)).await;
        let mut changed = begun.unwrap_or_else(|_| Err(wire.error(phase, Kind::Timeout(limit))))?;
        let mut stop = std::pin::pin!(stop);
        let mut end = IdleEnd::Deadline;
        let mut ended = None;
        while !changed && ended.is_none() {
            tokio::select! {
                biased;
                () = &mut stop => { end = IdleEnd::Stopped; break }
                () = sleep_until(until) => break,
                reply = wire.next(phase) => match reply? {
                    Reply::Untagged(untagged) => changed = news(&wire, untagged)?,
                    Reply::Continue(_) => {}
                    Reply::Tagged(tagged) => ended = Some(tagged),
                },
            }
        }
        let (tagged, more) = match ended {
            Some(tagged) => (tagged, true),
            None => done(&mut wire, &tag).await?,
        };
        if !tagged.ok {
            return Err(wire.error(phase, not_supported(tagged)));
        }
        self.wire = Some(wire);
        Ok(if end == IdleEnd::Deadline && (changed || more) { IdleEnd::Changed } else { end })
    }
}

/// Waits for the `+`. Returns whether the mailbox changed before it: that is told once only.
async fn begin(wire: &mut Wire) -> Result<bool, ImapError> {
    let mut changed = false;
    loop {
        match wire.next(Phase::Idle).await? {
            Reply::Continue(_) => return Ok(changed),
            Reply::Tagged(tagged) => return Err(wire.error(Phase::Idle, not_supported(tagged))),
            Reply::Untagged(untagged) => changed |= news(wire, untagged)?,
        }
    }
}

/// Ends IDLE and waits for its tagged response. Returns whether the mailbox changed meanwhile, too.
async fn done(wire: &mut Wire, tag: &str) -> Result<(Tagged, bool), ImapError> {
    let phase = Phase::Idle;
    let within = wire.deadlines.done;
    let mut changed = false;
    let work = async {
        wire.write(phase, &[b"DONE\r\n"]).await?;
        wire.finish(phase, tag, |untagged| changed |= is_news(&untagged)).await
    };
    let ended = timeout(within, work).await;
    let tagged = ended.unwrap_or_else(|_| Err(wire.error(phase, Kind::Timeout(within))))?;
    Ok((tagged, changed))
}

fn news(wire: &Wire, untagged: Untagged) -> Result<bool, ImapError> {
    match untagged {
        Untagged::Bye(text) => Err(wire.error(Phase::Idle, Kind::Bye(text))),
        other => Ok(is_news(&other)),
    }
}

fn is_news(untagged: &Untagged) -> bool {
    matches!(untagged, Untagged::Exists(_) | Untagged::Changed | Untagged::Fetch(_))
}

fn not_supported(tagged: Tagged) -> Kind {
    Kind::NotSupported(format!("the server does not take IDLE: \"{}\"; it is asked on a timer instead", tagged.text))
}
