//! A daemon whose task is stuck, and one whose log is full.

use std::{
    fs,
    os::unix::{
        fs::{OpenOptionsExt as _, PermissionsExt as _},
        net::UnixDatagram,
    },
    path::Path,
    process::Command,
    sync::mpsc,
    task::{Context, Waker},
};

use jiff::SignedDuration;

use super::*;
use crate::{
    config::{self, Env, Unchecked},
    io::store::Store,
};

/// Set in the process that plays a daemon with a stuck task: the notification socket is the environment's.
const PLAY: &str = "ONWARD_TEST_PLAY_STUCK_DAEMON";

/// A configuration for one Maildir, with its kit.
fn configured(dir: &Path) -> (Config, Kit) {
    for sub in ["mail/new", "mail/cur", "mail/tmp"] {
        std::fs::create_dir_all(dir.join(sub)).unwrap();
    }
    let path = dir.join("config.toml");
    let text = "[[identity]]\nname = \"Robin Hale\"\naddresses = [\"robin@example.com\"]\n\n\
                [[account]]\nname = \"home\"\nmaildir = \"mail\"\n";
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let env = Env { state_directory: Some(dir.join("state")), ..Env::of_process() };
    let config = crate::config::load(&path, &env).unwrap_or_else(|report| panic!("{report}"));
    let kit = Kit::load(&config).unwrap();
    (config, kit)
}

/// Not a test by itself; see [`a_task_that_is_stuck_is_not_told_to_be_alive`]. Time stands still and is moved by hand, by
/// half a minute each time, and after each step it is said how far things are.
#[tokio::test(start_paused = true)]
async fn play_the_stuck_daemon() {
    if std::env::var_os(PLAY).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (config, kit) = configured(dir.path());
    let db = Db::new(Store::open(&config.store).unwrap());
    let lock = Lock::acquire(&dir.path().join("state")).unwrap();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let load: Load = Box::new(|| anyhow::bail!("nothing is loaded again here"));
    let until = async { drop(ended.await) };
    let running = tokio::spawn(run(config, kit, db.clone(), load, lock, until));
    let minutes = async |minutes: u32, phase: &str| {
        for _ in 0..minutes * 2 {
            tokio::time::advance(Duration::from_secs(30)).await;
            // Every task that can move does so now: each goes to the log several times in one turn, and so does this one.
            for _ in 0..50 {
                tokio::task::yield_now().await;
                std::thread::yield_now();
                if phase.contains("well") || phase.contains("free") {
                    db.call(|_| Ok(())).await.unwrap();
                }
            }
        }
        Supervisor.status(phase);
    };
    minutes(10, "all is well").await;
    // The log is held by somebody who does not let go: every task waits for it.
    let (release, held) = mpsc::channel::<()>();
    let stuck = tokio::spawn({
        let db = db.clone();
        async move {
            db.call(move |_| {
                let _ = held.recv();
                Ok(())
            })
            .await
        }
    });
    minutes(25, "stuck").await;
    minutes(60, "still stuck").await;
    release.send(()).unwrap();
    stuck.await.unwrap().unwrap();
    minutes(10, "free again").await;
    end.send(()).unwrap();
    running.await.unwrap().unwrap();
}

#[test]
fn a_task_that_is_stuck_is_not_told_to_be_alive() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    // Heard while it plays: a socket holds few messages.
    let heard = std::thread::spawn(move || {
        let mut heard: Vec<String> = Vec::new();
        let mut buffer = [0; 4096];
        while heard.last().is_none_or(|said| !said.contains("STOPPING=1")) {
            let length = socket.recv(&mut buffer).unwrap();
            heard.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        heard
    });
    let played = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "app::daemon::tests::play_the_stuck_daemon"])
        .env(PLAY, "1")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "120000000")
        .env_remove("WATCHDOG_PID")
        .output()
        .unwrap();
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stdout));
    let heard = heard.join().unwrap();
    let alive = |from: &str, to: &str| {
        let at = |phase: &str| heard.iter().position(|said| said.trim() == format!("STATUS={phase}"));
        let (from, to) = (at(from).map_or(0, |at| at + 1), at(to).unwrap());
        heard[from..to].iter().filter(|said| said.contains("WATCHDOG=1")).count()
    };
    assert!(alive("", "all is well") >= 15, "{heard:?}");
    assert!(alive("all is well", "stuck") >= 15, "it takes its time before it counts as stuck: {heard:?}");
    assert_eq!(alive("stuck", "still stuck"), 0, "{heard:?}");
    assert!(alive("still stuck", "free again") >= 10, "{heard:?}");
}

/// While the log is full nobody is asked for mail; with room the work goes on, and no step of the pause is skipped.
#[tokio::test(start_paused = true)]
async fn no_mail_is_asked_for_while_the_log_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let (config, _) = configured(dir.path());
    let db = Db::new(Store::open(&config.store).unwrap());
    let (_running, stopped) = signal_of::channel(false);
    let pulse = Pulse::new(stopped);
    db.call(|store| store.limit_growth(Some(0))).await.unwrap();
    let waiting = tokio::spawn({
        let (db, pulse) = (db.clone(), pulse.clone());
        async move { wait_for_disk(&db, &pulse).await }
    });
    tokio::time::sleep(DISK_EVERY * 20).await;
    assert!(!waiting.is_finished() && pulse.health().no_room, "it waits, and says so");
    assert!(pulse.health().moved.elapsed() <= DISK_EVERY * 2, "a daemon that waits is not stuck");
    db.call(|store| store.limit_growth(None)).await.unwrap();
    assert!(!waiting.await.unwrap(), "it goes on");
    assert!(!pulse.health().no_room);
    let (stop, stopped) = signal_of::channel(false);
    let pulse = Pulse::new(stopped);
    db.call(|store| store.limit_growth(Some(0))).await.unwrap();
    stop.send(true).unwrap();
    assert!(wait_for_disk(&db, &pulse).await, "the end is not held up");
}

/// `reliability.md` A10: after eight hours of sleep no account trusts its connection.
#[tokio::test]
async fn a_sleep_wakes_every_account() {
    let pulse = Pulse::new(signal_of::channel(false).1);
    let clocks = read_clocks();
    let slept = Clocks { wall: clocks.wall + SignedDuration::from_hours(8), ..clocks };
    let woken = pulse.woken();
    let mut woken = std::pin::pin!(woken);
    let mut is_woken = || woken.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(!is_woken());
    wake_after_leap([&pulse], clocks, clocks);
    assert!(!is_woken());
    wake_after_leap([&pulse], clocks, slept);
    assert!(is_woken());
}

/// Freshness is claimed only as long as a look is young enough to prove it.
#[tokio::test(start_paused = true)]
async fn an_account_is_stale_when_no_look_is_young_enough() {
    let poll = Duration::from_secs(60);
    let pulse = Pulse::new(signal_of::channel(false).1);
    let is = |pulse: &Pulse| state(&pulse.health(), poll);
    assert_eq!(is(&pulse), "connecting");
    pulse.failed("no route");
    assert_eq!(is(&pulse), "stale since the start");
    pulse.progress(300, 2000);
    assert_eq!(is(&pulse), "reading, 300 of 2000");
    pulse.looked(watch::Looked::default());
    assert_eq!(is(&pulse), "watched");
    tokio::time::advance(poll * STALE_POLLS + Duration::from_secs(1)).await;
    assert!(is(&pulse).starts_with("stale since 20"), "{}", is(&pulse));
    pulse.looked(watch::Looked::default());
    pulse.failed("gone");
    assert!(is(&pulse).starts_with("stale since 20"), "{}", is(&pulse));
}

/// An account that only `onward auth` can open rests, says so, and goes on when that was done; nothing is connected
/// meanwhile, so the clock can run ahead.
#[tokio::test(start_paused = true)]
async fn an_account_that_needs_the_person_rests_and_goes_on_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env { state_directory: Some(dir.path().to_path_buf()), ..Env::of_process() };
    let text = "[[identity]]\nname = \"Sam\"\naddresses = [\"sam@example.org\"]\n[[account]]\nname = \"home\"\n\
                [account.imap]\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none-loopback\"\nuser = \"sam\"\n\
                oauth.provider = \"microsoft\"\noauth.client_id = \"c\"\n";
    let config = config::parse(&dir.path().join("config.toml"), text, &env, &Unchecked).unwrap();
    let account = config.accounts.first().unwrap().clone();
    let desk = Desk { db: Db::new(Store::in_memory().unwrap()), kit: Arc::new(Kit::load(&config).unwrap()) };
    let (stop, stopped) = signal_of::channel(false);
    let pulse = Pulse::new(stopped);
    let task = tokio::spawn(keep_watching(desk, account.clone(), pulse.clone()));
    let oauth = account.oauth().unwrap();
    let grant = |revoked: &str| {
        let text = format!(
            r#"{{"client_id":"c","token_url":"{}","refresh_token":"r","access_token":"a",
                "fresh_until":"9999-01-01T00:00:00Z","revoked":{revoked}}}"#,
            oauth.token_url
        );
        fs::write(&oauth.grant, text).unwrap();
        fs::set_permissions(&oauth.grant, fs::Permissions::from_mode(0o600)).unwrap();
    };
    // Far beyond the pauses of a refused login, after which an account is not tried again before a reload.
    tokio::time::sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert!(pulse.health().trouble.contains("nobody authorised onward"), "{:?}", pulse.health());
    let becomes = |part: &'static str, wanted: bool| {
        let pulse = pulse.clone();
        async move {
            while pulse.health().trouble.contains(part) != wanted {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    grant("\"it ran out\"");
    tokio::time::timeout(2 * PERSON_EVERY, becomes("takes the authorisation of `home` no more (it ran out)", true))
        .await
        .unwrap();
    grant("null");
    tokio::time::timeout(2 * PERSON_EVERY, becomes("onward auth", false)).await.unwrap();
    assert!(!task.is_finished());
    stop.send(true).unwrap();
    task.await.unwrap();
}
