//! How soon a mail is in the log after the server has announced it. The line is watched, so it goes without TLS.

use std::{
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use onward::config::Tls;
use rusqlite::{Connection, OpenFlags};
use tokio::runtime::Runtime;

use super::{
    line::Line,
    process::{Home, stop},
    support::dovecot::Dovecot,
};

/// The user who gets mail now and then.
const USER: &str = "waiting";
/// Pause after each mail: they come one by one.
const APART: Duration = Duration::from_millis(1_100);
/// How long anything may take before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the log is looked at.
const EVERY: Duration = Duration::from_micros(500);

/// What the server said last, and when.
#[derive(Default)]
struct Seen {
    exists: Option<Instant>,
    idles: bool,
}

/// Delivers noes one by one and prints how long each took from the notice to its row.
pub fn measure(runtime: &Runtime, server: &Dovecot, deliveries: usize) {
    server.deliver(USER, &no(0));
    let seen = Arc::new(Mutex::new(Seen::default()));
    let noted = Arc::clone(&seen);
    let watcher = Arc::new(move |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let mut seen = noted.lock().unwrap();
        if text.contains(" EXISTS") {
            seen.exists.get_or_insert_with(Instant::now);
        }
        seen.idles |= text.contains("+ idling");
    });
    let port = server.server(Tls::NoneLoopback).port;
    let line = runtime.block_on(Line::watched(port, Duration::ZERO, u64::MAX / 4_000_000_000, watcher));
    let home = Home::new(line.port, "none-loopback", &server.ca_file(), USER);
    let mut daemon = home.start("run");
    wait(|| home.database().exists());
    let log = Connection::open_with_flags(home.database(), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    log.busy_timeout(PATIENCE).unwrap();
    let rows = || log.query_row("SELECT count(*) FROM outcome", [], |row| row.get::<_, i64>(0));
    let count = || rows().ok().and_then(|rows| usize::try_from(rows).ok()).unwrap_or(0);
    wait(|| count() == 1);
    let mut took = Vec::new();
    for number in 1..=deliveries {
        wait(|| seen.lock().unwrap().idles);
        sleep(APART);
        *seen.lock().unwrap() = Seen::default();
        server.deliver(USER, &no(number));
        let deadline = Instant::now() + PATIENCE;
        while count() <= number {
            assert!(Instant::now() < deadline, "mail {number} is not logged");
            sleep(EVERY);
        }
        let logged = Instant::now();
        let announced = seen.lock().unwrap().exists.unwrap();
        took.push(logged.saturating_duration_since(announced));
    }
    stop(&mut daemon);
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent).div_ceil(100).saturating_sub(1)].as_secs_f64() * 1e3;
    println!("from notice to log        p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms", at(50), at(99), at(100));
}

fn wait(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "the daemon does not come to watch");
        sleep(Duration::from_millis(5));
    }
}

/// A no of one firm of many.
fn no(number: usize) -> Vec<u8> {
    format!(
        "From: Talent Team <talent@lathe{number}.example>\r\nTo: Kim Doe <kim@example.org>\r\n\
         Subject: Your application at Lathe {number}\r\nMessage-ID: <no-{number}@lathe{number}.example>\r\n\
         Date: Mon, 4 May 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Dear Kim,\r\n\r\nmany thanks for applying for the Turner position at Lathe {number}. The choice has \
         fallen on another candidate, so we cannot offer you the position.\r\n\r\nAll the best for \
         your search.\r\n\r\nKind regards\r\nTalent Team\r\n"
    )
    .into_bytes()
}
