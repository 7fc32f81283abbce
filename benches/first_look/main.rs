//! How fast a mailbox is read for the first time, what memory that takes, and how soon a new mail is logged:
//! `cargo bench --bench first_look`. Needs Dovecot 2.3 and mbsync; the mails are made here, the server and the line are on
//! loopback, and a yardstick over the same mails stands beside every figure. Nothing is asserted about time.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints what it measured, and ends where it cannot measure"
)]

mod latency;
mod line;
#[path = "../judge/mailbox.rs"]
mod mailbox;
mod process;
#[path = "../../tests/support/mod.rs"]
mod support;
mod yardstick;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use onward::config::Tls;

use line::Line;
use process::{Home, Peak};
use support::dovecot::Dovecot;

/// Mails of the mailbox, and when nothing is measured: `cargo test` only sees whether it runs.
const MAILS: usize = 10_000;
const TRIAL: usize = 10;
/// In per cent: mails about work.
const ABOUT_WORK: usize = 5;
/// Mails delivered one by one.
const DELIVERIES: usize = 200;
/// The user whose mailbox is read.
const USER: &str = "reader";
/// One way of the slow line.
const DELAY: Duration = Duration::from_millis(20);
/// Bytes a second of the slow line: 100 Mbit/s.
const BANDWIDTH: u64 = 12_500_000;

fn main() {
    // `cargo test --benches` runs it without this argument.
    let measures = env::args().any(|arg| arg == "--bench");
    let mails = if measures { MAILS } else { TRIAL };
    let Some(server) = Dovecot::with("", true) else { return };
    let bytes = fill(&server, mails);
    println!("{mails} mails, {:.1} MB; p50 and p99 of a few runs tell more than one run", bytes as f64 / 1e6);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let tls = server.server(Tls::Implicit);
    let ca = server.ca_file();

    let download = runtime.block_on(yardstick::download(tls.port, &ca, USER));
    println!("plain download            {:7.2} s   {}", download.as_secs_f64(), rate(mails, download));
    let stored = yardstick::mbsync(tls.port, &ca, USER);
    match stored {
        Some(took) => println!("mbsync, default settings  {:7.2} s   {}", took.as_secs_f64(), rate(mails, took)),
        None => println!("mbsync is not there: apt-get install isync"),
    }
    let home = Home::new(tls.port, "implicit", &ca, USER);
    let (took, peak) = home.once();
    println!("onward once               {:7.2} s   {}", took.as_secs_f64(), rate(mails, took));
    if let Some(stored) = stored {
        println!("  of the time of mbsync   {:7.2}", took.as_secs_f64() / stored.as_secs_f64());
    }
    println!("  memory at most          {}", said(&peak));
    println!("onward run, waiting       {}", said(&home.waiting(Duration::from_secs(if measures { 20 } else { 2 }))));

    let line = runtime.block_on(Line::start(tls.port, DELAY, BANDWIDTH));
    let download = runtime.block_on(yardstick::download(line.port, &ca, USER));
    println!("40 ms, 100 Mbit/s: plain  {:7.2} s   {}", download.as_secs_f64(), rate(mails, download));
    let (took, peak) = Home::new(line.port, "implicit", &ca, USER).once();
    println!("40 ms, 100 Mbit/s: onward {:7.2} s   {}", took.as_secs_f64(), rate(mails, took));
    println!("  of the plain download   {:7.2}", took.as_secs_f64() / download.as_secs_f64());
    println!("  memory at most          {}", said(&peak));

    let deliveries = if measures { DELIVERIES } else { 2 };
    latency::measure(&runtime, &server, deliveries);
}

/// Puts the mails where the server finds them. Gives their bytes.
fn fill(server: &Dovecot, mails: usize) -> usize {
    // The server makes the mailbox, so that it belongs to whom it should.
    server.deliver(USER, b"From: a@example.org\nSubject: first\n\nFirst.\n");
    let cur: PathBuf = server.maildir(USER).join("cur");
    let mut bytes = 0;
    for (number, mail) in mailbox::mailbox(mails, ABOUT_WORK).into_iter().enumerate() {
        bytes += mail.len();
        fs::write(cur.join(format!("{}.{number}.bench:2,S", 1_777_888_800 + number)), mail).unwrap();
    }
    own_as(&cur, server.maildir(USER).parent().unwrap());
    bytes
}

/// Gives everything in a directory to the owner of another one.
fn own_as(dir: &Path, model: &Path) {
    let reference = format!("--reference={}", model.display());
    assert!(Command::new("chown").args(["-R", &reference]).arg(dir).status().unwrap().success());
}

fn rate(mails: usize, took: Duration) -> String {
    format!("{:8.0} mails/s", mails as f64 / took.as_secs_f64())
}

fn said(peak: &Peak) -> String {
    let mb = |kib: u64| kib as f64 / 1024.0;
    format!("{:7.1} MB, of which {:.1} MB are the program's own file", mb(peak.resident), mb(peak.of_files))
}
