//! A long life in a short time: memory and open files of the process stay what they were, whatever comes and goes.
//!
//! It runs in a process of its own: what the other tests hold is none of its business.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use onward::{
    app::watch::{self, Desk},
    config::{Server, Tls},
    io::{
        imap::{IdleEnd, Session},
        store::{Db, Store},
    },
    secret::Secret,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{Home, no};

/// Connections made and ended: more than a bad week has.
const RECONNECTS: u32 = 1_000;
/// Times that IDLE is ended by news: a week of one every six seconds.
const WAKE_UPS: u32 = 100_000;
/// Mails that come at every so many connections: judging them is most of the work, and many other tests judge mail.
const MAILS: u32 = 2;
const MAILS_EVERY: u32 = 50;
/// Rounds before the first measurement: what is made once is made by then.
const WARM_UP: u32 = 100;
/// Most that the memory of the process may grow, in KiB.
const GROWTH_MAX: u64 = 20 << 10;

/// Set in the process that lives.
const PLAY: &str = "ONWARD_TEST_LONG_LIFE";

/// Memory in KiB and open files of this process.
fn use_of_process() -> (u64, usize) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let memory = line.split_whitespace().next().unwrap().parse().unwrap();
    (memory, std::fs::read_dir("/proc/self/fd").unwrap().count())
}

/// A server that answers everything; now and then a look finds mail.
async fn serve(listener: TcpListener, looks: Arc<AtomicU32>) {
    loop {
        let stream = listener.accept().await.unwrap().0;
        let looks = Arc::clone(&looks);
        tokio::spawn(async move { talk(stream, &looks).await.is_ok() });
    }
}

async fn talk(stream: TcpStream, looks: &AtomicU32) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"* OK hello\r\n").await?;
    let (mut line, mut last, mut exists) = (String::new(), 0, 0_u32);
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let (tag, command) = line.trim_end().split_once(' ').unwrap_or(("", ""));
        let word = command.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let said = match word.as_str() {
            "CAPABILITY" => "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR IDLE\r\n".to_owned(),
            "EXAMINE \"INBOX\"" => {
                last = MAILS * (looks.fetch_add(1, Ordering::Relaxed) / MAILS_EVERY + 1);
                let next = last + 1;
                format!("* {last} EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT {next}] n\r\n")
            }
            "UID SEARCH" => format!("* SEARCH {} {last}\r\n", last - 1),
            "UID FETCH" => (last - 1..=last).map(mail).collect(),
            "IDLE" => {
                exists += 1;
                stream.write_all(format!("+ idling\r\n* {exists} EXISTS\r\n").as_bytes()).await?;
                let mut done = String::new();
                stream.read_line(&mut done).await?;
                String::new()
            }
            "LOGOUT" => "* BYE bye\r\n".to_owned(),
            _ => String::new(),
        };
        stream.write_all(format!("{said}{tag} OK done\r\n").as_bytes()).await?;
    }
}

fn mail(uid: u32) -> String {
    let mail = no(&format!("Larkfield{uid}"));
    let size = mail.len();
    format!(
        "* {uid} FETCH (UID {uid} INTERNALDATE \"16-Nov-2026 09:00:01 +0000\" RFC822.SIZE {size} BODY[]<0> {{{size}}}\r\n\
         {mail})\r\n"
    )
}

/// Not a test by itself: it measures its whole process.
#[test]
fn live_long() {
    if std::env::var_os(PLAY).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve(listener, Arc::default()));
        let login = "host = \"127.0.0.1\"\ntls = \"none-loopback\"\nuser = \"ada\"\npassword.file = \"password\"";
        let home = Home::new(&format!("look_back = \"30d\"\n[account.imap]\nport = {port}\n{login}\n"));
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("onward.db")).unwrap();
        let desk = Desk { db: Db::new(store), kit: Arc::clone(&home.desk.kit) };
        let look = async |n: u32| {
            let looked = watch::look_once(&desk, &home.config.accounts[0]).await.unwrap();
            assert_eq!(looked.stored, if n.is_multiple_of(MAILS_EVERY) { MAILS } else { 0 }, "look {n}");
        };
        for n in 0..WARM_UP {
            look(n).await;
        }
        let before = use_of_process();
        for n in WARM_UP..WARM_UP + RECONNECTS {
            look(n).await;
        }
        let reconnected = use_of_process();
        println!("\nuse {} {} {} {}", before.0, before.1, reconnected.0, reconnected.1);

        let server = Server { host: "127.0.0.1".to_owned(), port, tls: Tls::NoneLoopback, ca_file: None };
        let session = Session::connect(&server).await.unwrap();
        let mut session = session.login("ada", &Secret::new("secret".to_owned())).await.unwrap();
        session.examine("INBOX").await.unwrap();
        let mut before = use_of_process();
        for n in 0..WARM_UP + WAKE_UPS {
            let end = session.idle(Duration::from_secs(60), std::future::pending()).await.unwrap();
            assert_eq!(end, IdleEnd::Changed);
            if n == WARM_UP {
                before = use_of_process();
            }
        }
        let woken = use_of_process();
        println!("\nuse {} {} {} {}", before.0, before.1, woken.0, woken.1);
    });
}

#[test]
fn neither_connections_nor_wake_ups_cost_memory_or_files() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "app::soak::live_long", "--nocapture", "--test-threads=1"])
        .env(PLAY, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let uses: Vec<Vec<u64>> = said
        .lines()
        .filter_map(|line| line.strip_prefix("use "))
        .map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect())
        .collect();
    assert_eq!(uses.len(), 2, "{said}");
    for numbers in &uses {
        let [memory, files, memory_then, files_then] = numbers[..] else { panic!("{said}") };
        assert!(memory_then < memory + GROWTH_MAX, "memory grew from {memory} to {memory_then} KiB");
        // A connection that is just being closed may still count.
        assert!(files_then <= files + 2, "open files grew from {files} to {files_then}");
    }
}
