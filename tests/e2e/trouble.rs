//! What the daemon says and does when something is wrong.

use super::{assert_discreet, wait_for_look};
use crate::support::{
    dovecot::Dovecot,
    home::{Home, Said},
};

/// Codes of `sysexits.h` that systemd acts on.
const EX_TEMPFAIL: i32 = 75;
const EX_CONFIG: i32 = 78;

#[test]
fn a_second_daemon_steps_back() {
    let Some(dovecot) = Dovecot::start() else { return };
    let home = Home::with_account(dovecot, "e2e-second");
    let daemon = home.start();
    wait_for_look(&home);
    let second = home.verb(&["run"]);
    assert_eq!(second.code, EX_TEMPFAIL, "{second:?}");
    assert!(second.err.contains("already running"), "{second:?}");
    daemon.stop();
    let third = home.start();
    third.stop();
}

#[test]
fn a_wrong_password_is_said_and_survived() {
    let Some(dovecot) = Dovecot::start() else { return };
    let home = Home::with_account(dovecot, "e2e-password");
    let wrong = "marzipan-tunnel-93";
    home.write_password(wrong);
    let mut daemon = home.start();
    daemon.wait_for("The account cannot be watched.");
    assert!(daemon.is_running());

    let status = home.verb(&["--json"]);
    assert_eq!(status.code, 4, "it needs the person: {status:?}");
    assert_eq!(status.json()[0]["mailboxes"][0]["stale"], true, "{status:?}");
    let said = home.verb(&[]);
    assert!(said.code == 4 && said.out.contains("onward doctor"), "{said:?}");

    let doctor = home.verb(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    let named = |trouble: &str| trouble.contains("home") && trouble.to_lowercase().contains("password");
    assert!(doctor.out.split("WRONG").skip(1).any(named), "{doctor:?}");
    assert!(doctor.out.contains("INBOX of home"), "that nobody looks is said as well: {doctor:?}");

    // The person corrects it; the daemon need not be started anew.
    home.write_password(crate::support::dovecot::PASSWORD);
    daemon.reload();
    wait_for_look(&home);
    assert_eq!(home.verb(&["doctor"]).code, 0);
    assert_eq!(home.verb(&[]).code, 0);
    assert!(!home.logs().contains(wrong) && !doctor.out.contains(wrong), "{}", home.logs());
    daemon.stop();
    assert_discreet(&home);
}

#[test]
fn a_broken_configuration_is_reported_whole() {
    let home = Home::new();
    home.write("password", "secret");
    home.write_config(
        "[[identity]]\nname = \"Robin Hale\"\naddreses = [\"robin@example.com\"]\n\n[[account]]\nname = \"home\"\n\
         poll = \"5s\"\n\n[account.imap]\nhost = \"mail.example.com\"\ntls = \"none-loopback\"\nuser = 7\n\
         password.file = \"passwort\"\n\n[reply]\ndeliver = \"smtp\"\n",
    );
    let run = home.verb(&["run"]);
    assert_eq!(run.code, EX_CONFIG, "{run:?}");
    let file = home.config_dir().join("config.toml").display().to_string();
    for line in [3, 5, 7, 11, 12, 13] {
        assert!(run.err.contains(&format!("{file}:{line}:")), "line {line} is reported in\n{}", run.err);
    }
    assert_eq!(run.err.matches(": error: ").count(), run.err.matches("fix: ").count(), "each with a fix: {}", run.err);
    assert!(!home.state_dir().exists(), "nothing was begun");

    let check = home.verb(&["config", "check"]);
    let problems = |said: &Said| said.err.matches(": error: ").count() + said.out.matches(": error: ").count();
    assert_eq!(problems(&check), problems(&run), "both see the same: {check:?}");

    let home = Home::new();
    home.write("password", "secret");
    home.write("rules/mine.toml", "schema = 1\n[[rul]]\n");
    home.write_config(
        "[[identity]]\nname = \"Robin Hale\"\naddresses = [\"robin@example.com\"]\n\n[[account]]\nname = \"home\"\n\n\
         [account.imap]\nhost = \"localhost\"\nuser = \"robin\"\npassword.file = \"password\"\n",
    );
    let run = home.verb(&["run"]);
    assert_eq!(run.code, EX_CONFIG, "broken rules at the start: {run:?}");
    assert!(run.err.contains("mine.toml:2"), "{run:?}");
}
