//! What the tests share: private servers, temporary homes, the binary.

#![allow(dead_code, reason = "not every area uses every helper")]

use std::time::{Duration, Instant};

pub mod certificates;
pub mod cli;
pub mod crash;
pub mod dovecot;
pub mod fake_imap;
pub mod home;
pub mod imap_script;
pub mod mail;
pub mod postfix;
pub mod proxy;
pub mod skip;
pub mod smtp_sink;
pub mod token_endpoint;
pub mod watching;

pub use skip::skipped;

/// How long a condition may take to come true, whatever the machine is doing.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A TCP port nobody listens on right now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Notes in a state directory that the servers of a configuration can send, as `onward send --test` does.
pub fn prove_smtp(home: &std::path::Path, config_file: &std::path::Path, state_dir: &std::path::Path) {
    use onward::config::{Env, load};
    let home = Some(home.to_path_buf());
    let env = Env { home, state_directory: Some(state_dir.to_path_buf()), ..Env::of_process() };
    for account in load(config_file, &env).unwrap_or_else(|report| panic!("{report}")).accounts {
        if let Some(login) = &account.smtp {
            onward::io::gate::prove(state_dir, &account.name, login, jiff::Timestamp::now()).unwrap();
        }
    }
}

/// Lets as many replies leave in a minute as a policy may: how many do is not what most tests are about.
pub fn send_freely(config_dir: &std::path::Path) {
    std::fs::create_dir_all(config_dir.join("rules")).unwrap();
    std::fs::write(config_dir.join("rules/replies.toml"), "[caps]\nsends_a_minute = 10\n").unwrap();
}

/// Waits until `condition` holds, and says what did not come true when it never does.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_until_or(what, String::new, condition);
}

/// [`wait_until`] with more to say when it fails, e.g. a log.
pub fn wait_until_or(what: &str, more: impl Fn() -> String, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "this never came true: {what}\n{}", more());
        std::thread::sleep(Duration::from_millis(20));
    }
}
