//! What the daemon does for its log besides writing it: the backup of the day, and mail whose time is over.
//!
//! It must not decide what is kept (that is the configuration) nor how (that is the store).

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::sync::watch as signal_of;

use super::pulse::Pulse;
use crate::{
    config::Config,
    io::{
        clock,
        store::{Db, StoreError},
    },
};

/// How often there may be something to do: a machine that sleeps at night has its backup within the hour.
const UPKEEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// Looks after the log again and again, until told to stop. What fails is tried at the next turn, and nothing else waits
/// for it.
pub async fn keep_up(db: Db, mut configured: signal_of::Receiver<Arc<Config>>, pulse: Pulse) {
    loop {
        let keep = configured.borrow_and_update().keep_mail;
        if let Err(error) = once(&db, keep).await {
            tracing::warn!(reason = %error, "The log could not be looked after.");
        }
        if super::daemon::rest(&pulse, UPKEEP_EVERY).await {
            return;
        }
    }
}

/// One turn. The backup comes first: it is made of what is there.
async fn once(db: &Db, keep: Duration) -> Result<(), StoreError> {
    let backup = db
        .call(|store| {
            store.require_room()?;
            store.back_up(clock::now())
        })
        .await?;
    if backup.is_some() {
        tracing::info!("The backup of the day was made.");
    }
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    let purged = db
        .call(move |store| {
            let now = clock::now();
            now.checked_sub(keep).map_or(Ok(0), |before| store.purge_raw(before, now))
        })
        .await?;
    if purged > 0 {
        tracing::info!(mails = purged, "The text of old mail was purged.");
    }
    Ok(())
}
