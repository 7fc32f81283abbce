//! Approve, append, send: whatever the moment, a reply lies in Drafts once, and a server gets it once or never.

use std::net::TcpStream;

use onward::draft::DraftState;
use tokio::task::block_in_place;

use super::{assert_facts, at_every_point};
use crate::{
    e2e::{messages, uids_and_flags},
    support::{
        crash::facts,
        dovecot::Dovecot,
        home::Home,
        mail::sample,
        send_freely,
        smtp_sink::{Mode, Sink},
        wait_until,
    },
};

impl Home {
    /// The draft of a home that has one.
    fn draft_id(&self) -> String {
        let drafts = self.log().drafts(&[]).unwrap();
        assert_eq!(drafts.len(), 1);
        drafts[0].id.to_string()
    }

    fn draft_state(&self) -> DraftState {
        self.log().drafts(&[]).unwrap()[0].state
    }

    /// The digest of the draft, as the person names it.
    fn draft_digest(&self) -> String {
        self.log().drafts(&[]).unwrap()[0].digest.to_string()
    }
}

#[test]
fn a_reply_lies_in_drafts_once_whatever_point_its_approval_and_placing_end_at() {
    let Some(dovecot) = Dovecot::start() else { return };
    let reader = "crash-points-approved";
    let read = Home::with_account(dovecot, reader);
    dovecot.deliver(reader, &sample(0).bytes);
    assert_eq!(read.one(&["once"])["stored"], 1);
    let (draft, digest) = (read.draft_id(), read.draft_digest());
    let verb = ["draft", "approve", &draft, "--digest", &digest];
    let message_id = read.log().drafts(&[]).unwrap()[0].message_id.clone();
    // The same log for all, and Drafts of their own.
    let of = |user: &str| {
        let home = read.copy();
        home.write_config(&home.config(dovecot, user, None));
        home
    };

    let calm = of("crash-points-placed");
    let whole = calm.run_until(0, &verb);
    assert_eq!(calm.draft_state(), DraftState::Placed, "{}", whole.said);
    let expected = facts(&calm.log());

    let points = at_every_point(|at| {
        let user = format!("crash-points-placed-{at}");
        let home = of(&user);
        let first = home.run_until(at, &verb);
        if home.draft_state() == DraftState::Approved {
            // Ended once more, a few steps further or earlier: what begins here is the placing alone.
            home.run_until(at.saturating_sub(2).max(1), &["send"]);
        }
        // The person sees that the draft waits still, and approves it.
        if home.draft_state() == DraftState::Pending {
            approve_later(&home, &draft);
        }
        let said = home.verb(&["send"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert_facts(&home, &expected, &first);
        assert_eq!(uids_and_flags(dovecot, &user, "Drafts").len(), 1, "after {:?}", first.points.last());
        assert_eq!(messages(dovecot, &user, "Drafts", &message_id).len(), 1);
        assert_eq!(uids_and_flags(dovecot, &user, "INBOX"), [], "nowhere else");
        first
    });
    assert_eq!(points, whole.points, "every point was tried");
    // The approval, APPEND in its steps, and the record of it, each before and after.
    assert!(points.len() >= 8 && points.iter().any(|point| point.contains("the message of APPEND")), "{points:#?}");
    println!("{} points: {points:#?}", points.len());
}

fn approve_later(home: &Home, draft: &str) {
    let digest = home.draft_digest();
    let approved = home.one(&["draft", "approve", draft, "--digest", &digest, "--later"]);
    assert_eq!(approved["state"], "approved", "{approved}");
}

/// A home with a no and a reply that waits, whose replies go to that server.
fn sending_to(sink: &Sink) -> Home {
    let home = Home::with_maildir(&format!(
        "[account.smtp]\nhost = \"localhost\"\nport = {}\ntls = \"implicit\"\nca_file = \"{}\"\nuser = \"robin\"\n\
         password.file = \"password\"\n\n[reply]\ndeliver = \"smtp\"\n",
        sink.port,
        sink.ca_file.display()
    ));
    home.prove_smtp();
    send_freely(&home.config_dir());
    home.deliver("0.sample", &sample(0).bytes);
    assert_eq!(home.one(&["once"])["stored"], 1);
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_accepted_once_at_most_whatever_point_its_approval_and_sending_end_at() {
    let sink = Sink::start(Mode::Implicit, &[]).await;
    let read = block_in_place(|| sending_to(&sink));
    let (draft, digest) = (read.draft_id(), read.draft_digest());
    let verb = ["draft", "approve", draft.as_str(), "--digest", digest.as_str()];
    let letter = read.log().drafts(&[]).unwrap()[0].bytes.clone();
    let mut before = 0;
    // What the server has got since it was asked last, with every conversation at its end.
    let mut accepted = || {
        let caller = TcpStream::connect(("127.0.0.1", sink.port)).unwrap();
        let address = caller.local_addr().unwrap();
        wait_until("every conversation is over", || sink.is_alone_with(address));
        let all = sink.accepted();
        let new = all[before..].to_vec();
        before = all.len();
        assert!(new.iter().all(|mail| mail.bytes == letter), "it is what was approved");
        new.len()
    };
    block_in_place(|| {
        let calm = read.copy();
        let whole = calm.run_until(0, &verb);
        assert_eq!((calm.draft_state(), accepted()), (DraftState::Sent, 1), "{}", whole.said);
        let expected = facts(&calm.log());
        let (mut in_doubt, mut in_doubt_and_there) = (0, 0);

        let points = at_every_point(|at| {
            let home = read.copy();
            let first = home.run_until(at, &verb);
            let point = first.points.last();
            let mut times = accepted();
            if home.draft_state() == DraftState::Pending {
                assert_eq!(times, 0, "nothing leaves without an approval: {point:?}");
                approve_later(&home, &draft);
            }
            if home.draft_state() == DraftState::Approved {
                assert_eq!(times, 0, "nothing leaves before it is on record: {point:?}");
            }
            let cut_off = home.draft_state() == DraftState::Sending;
            if cut_off {
                assert_eq!(home.verb(&[]).code, 4, "the person is asked, whoever notices: {point:?}");
            }
            // Before the message was about to leave there is no doubt: it is sent now.
            let said = home.verb(&["send"]);
            let doubt = home.draft_state() == DraftState::Unconfirmed;
            assert!(cut_off || !doubt, "{said:?} after {point:?}");
            assert_eq!(said.code == 4, doubt, "{said:?} after {point:?}");
            assert_eq!(said.out.contains("perhaps sent"), doubt, "{said:?} after {point:?}");
            times += accepted();
            match home.draft_state() {
                DraftState::Sent => {
                    assert_eq!(times, 1, "{point:?}");
                    // What was taken up and given back stands in the log as such.
                    if !cut_off {
                        assert_facts(&home, &expected, &first);
                    }
                }
                DraftState::Unconfirmed => {
                    assert!(cut_off, "{point:?}");
                    assert!(times <= 1, "{point:?}");
                    in_doubt += 1;
                    in_doubt_and_there += times;
                    assert_eq!(home.verb(&[]).code, 4, "the person is asked");
                    // They look, and say what they found.
                    let found = if times == 1 { "sent" } else { "retry" };
                    home.one(&["draft", "resolve", &draft, found]);
                    home.verb(&["send"]);
                    assert_eq!((home.draft_state(), times + accepted()), (DraftState::Sent, 1), "{point:?}");
                }
                state => panic!("it is {state} after {point:?}"),
            }
            home.verb(&["send"]);
            assert_eq!(accepted(), 0, "it is over: {point:?}");
            first
        });
        // The goodbye to the server is said beside the record of the result, before or after it.
        assert!(points.len() + 1 >= whole.points.len(), "{points:#?}\n{:#?}", whole.points);
        assert!(points.len() >= 15 && points.iter().any(|point| point.contains("a command of SMTP")), "{points:#?}");
        assert!(in_doubt > in_doubt_and_there && in_doubt_and_there > 0, "{in_doubt}, {in_doubt_and_there}");
        println!("{} points, {in_doubt} in doubt, {in_doubt_and_there} of them accepted: {points:#?}", points.len());
    });
}
