//! Junk is watched: what strangers write there is asked about or left alone, and what is known is what it is.

use onward::{
    classify::Ask,
    config::Junk,
    io::store::{Filter, Item},
    outcome::Category,
};

use crate::support::{
    fake_imap::{Act, FakeImap},
    watching::{Watching, no, until},
};

/// A mail of somebody, with its subject and its text.
fn mail(from: &str, id: &str, more: &str, subject: &str, text: &str) -> String {
    format!(
        "From: {from}\r\nTo: ada@home.example\r\nSubject: {subject}\r\nMessage-ID: <{id}>\r\n{more}\
         Date: Mon, 16 Nov 2026 09:00:00 +0000\r\n\r\nDear Ada Stein,\r\n\r\n{text}\r\n\r\nKind regards\r\n"
    )
}

const INVITATION: &str = "thank you for your application as a Data Analyst. We would like to invite you to an interview \
                          next week. Please let us know when you are available.";
const NO: &str = "thank you for applying for the position of Data Analyst. Unfortunately, we have decided not to go ahead \
                  with your application.";

async fn with_junk(name: &str) -> FakeImap {
    let server = FakeImap::start().await;
    server.has_junk(name);
    server
}

async fn logged(watching: &Watching) -> Vec<Item> {
    let items = |store: &mut onward::io::store::Store| {
        store.list(&Filter::default())?.iter().map(|row| store.item(row.id)).collect()
    };
    watching.db.call(items).await.unwrap()
}

async fn messages(watching: &Watching) -> u32 {
    watching.db.call(|store| Ok(store.counts()?.messages)).await.unwrap()
}

/// Strangers in Junk are never certain: an invitation is told at once and asked about, a no has no draft before the person
/// has said so, and offers of work out of the blue are left alone.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_writes_in_junk_is_asked_about_or_left_alone() {
    let server = with_junk("Verdacht").await;
    server.deliver_to_junk(&mail("Edda Voss <edda@larkfield.example>", "a@x", "", "Interview", INVITATION));
    server.deliver_to_junk(&no("Quillstone"));
    let offer = "I am a recruiter and came across your profile. We have an opening for a Data Analyst that would be a \
                 great fit for you. Would you be interested in a new opportunity?";
    server.deliver_to_junk(&mail("Kim <kim@ambervale.example>", "c@x", "", "A new opportunity for you", offer));
    let watching = Watching::start(&[&server]);
    until("all is read", async || messages(&watching).await == 3).await;
    let items = logged(&watching).await;
    let categories: Vec<_> = items.iter().map(|item| (item.row.outcome.category, item.row.outcome.decided)).collect();
    assert!(categories.contains(&(Category::Interview, false)), "{categories:?}");
    assert!(categories.contains(&(Category::Rejection, false)), "{categories:?}");
    assert_eq!(categories.len(), 2, "{categories:?}");
    for item in &items {
        let (verdict, _) = item.classification.as_ref().unwrap();
        assert!(verdict.asks.contains(&Ask::InJunk), "{verdict:?}");
        assert!(item.draft.is_none() && item.note.is_none());
        assert_eq!(item.places, [("a0".to_owned(), "Verdacht".to_owned())]);
    }
    let interview = items.iter().find(|item| item.row.outcome.category == Category::Interview).unwrap();
    assert!(interview.row.tell_at.unwrap() <= jiff::Timestamp::now(), "an invitation waits for no reading hour");
    watching.stop().await;
}

/// Mail of a conversation that is under way, and of those who relay for employers, is judged as anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_what_it_is_in_junk_too() {
    let server = with_junk("Spam").await;
    server.deliver(&mail("Edda Voss <edda@larkfield.example>", "first@x", "", "Interview", INVITATION));
    let watching = Watching::start(&[&server]);
    until("the first is read", async || messages(&watching).await == 1).await;
    let answer = "In-Reply-To: <first@x>\r\nReferences: <first@x>\r\n";
    server.deliver_to_junk(&mail("Edda Voss <edda@larkfield.example>", "second@x", answer, "Re: Interview", NO));
    server.deliver_to_junk(&mail("Millbrook <no-reply@greenhouse.io>", "third@x", "", "Your application", NO));
    until("all is read", async || messages(&watching).await == 3).await;
    let items = logged(&watching).await;
    let noes: Vec<&Item> = items.iter().filter(|item| item.row.outcome.category == Category::Rejection).collect();
    assert_eq!(noes.len(), 2);
    assert!(noes.iter().all(|item| item.row.outcome.decided));
    assert!(noes.iter().any(|item| item.draft.is_some()));
    watching.stop().await;
}

/// No Junk is no mistake, a server that will not list has none, and `never` means never.
#[tokio::test(flavor = "multi_thread")]
async fn without_junk_the_inbox_is_watched_as_ever() {
    let (without, refusing, unwanted) = (FakeImap::start().await, with_junk("Junk").await, with_junk("Junk").await);
    refusing.fails("LIST", usize::MAX, Act::Say("$tag NO you may not\r\n".to_owned()));
    let watching =
        Watching::start_with(&[&without, &refusing, &unwanted], |config| config.accounts[2].junk = Junk::Never);
    for (server, account) in [(&without, "a0"), (&refusing, "a1"), (&unwanted, "a2")] {
        server.deliver(&no("Larkfield"));
        watching.wait_for(account, 1).await;
        assert_eq!(server.heard("EXAMINE \"Junk\""), 0, "{account}");
    }
    assert_eq!((without.heard("LIST"), refusing.heard("LIST"), unwanted.heard("LIST")), (1, 1, 1));
    watching.stop().await;
}

/// A Junk mailbox that is named and not there is reported and stops nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_named_junk_that_is_not_there_stops_nothing() {
    let server = FakeImap::start().await;
    server.fails("EXAMINE \"Nowhere\"", usize::MAX, Act::Say("$tag NO [NONEXISTENT] no such mailbox\r\n".to_owned()));
    let watching =
        Watching::start_with(&[&server], |config| config.accounts[0].junk = Junk::Named("Nowhere".to_owned()));
    server.deliver(&no("Larkfield"));
    watching.wait_for("a0", 1).await;
    assert_eq!(server.heard("EXAMINE \"Nowhere\""), 1);
    watching.stop().await;
}
