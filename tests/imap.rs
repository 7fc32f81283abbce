//! The IMAP client against a server that does everything wrong on demand, and against Dovecot.

mod oauth;
mod protection;
mod real;
mod scripted;

use std::time::Duration;

use onward::io::imap::{Deadlines, ImapError, Session};
use onward::secret::Secret;

use crate::support::imap_script::{Script, Step, logged_in};

/// Deadlines for servers that will never answer; long enough for a busy machine to do everything else in.
fn short() -> Deadlines {
    let short = Duration::from_millis(500);
    Deadlines {
        greeting: short,
        command: short,
        progress: short,
        transfer: 20 * short,
        idle_start: short,
        done: short,
        logout: short,
    }
}

/// A session with a server that plays `steps` once somebody is logged in.
async fn session(capabilities: &str, steps: Vec<Step>) -> (Session, Script) {
    session_within(Deadlines::default(), capabilities, steps).await
}

async fn session_within(deadlines: Deadlines, capabilities: &str, steps: Vec<Step>) -> (Session, Script) {
    let script = Script::start([logged_in(capabilities), steps].concat()).await;
    let session = log_in(&script, deadlines).await.unwrap();
    (session, script)
}

async fn log_in(script: &Script, deadlines: Deadlines) -> Result<Session, ImapError> {
    let server = script.server(onward::config::Tls::NoneLoopback);
    // Spawned, as the daemon does it: the whole of it can move between threads.
    let attempt = async move {
        let unauthenticated = Session::connect_within(&server, deadlines).await?;
        unauthenticated.login("ann@example.org", &Secret::new("hun ter2".into())).await
    };
    tokio::spawn(attempt).await.unwrap()
}
