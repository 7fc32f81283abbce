//! The command line as a person meets it: what each verb says, with which status, on a home of its own without a network.

use std::{collections::BTreeSet, fs, path::Path, process::Stdio};

use clap::CommandFactory as _;
use onward::{config, ui::cli::args::Cli};
use serde_json::Value;

use crate::support::{
    cli::{Home, data, mails},
    skip::skipped,
};

/// One call: the words after `onward`, its status, what it says (`|` between the parts), what it does not say.
type Case = (&'static str, i32, &'static str, &'static str);

/// Runs calls one after the other in a home. `{digest:N}` stands for the digest of draft N.
fn run(home: &Home, cases: &[Case]) {
    for (line, code, says, never) in cases {
        let mut line = (*line).to_owned();
        while let Some((before, rest)) = line.split_once("{digest:") {
            let (draft, after) = rest.split_once('}').unwrap();
            line = format!("{before}{}{after}", home.digest(draft));
        }
        let said = home.line(&line);
        assert_eq!(said.code, Some(*code), "onward {line}: {said:?}");
        for part in says.split('|') {
            assert!(said.all().contains(part), "onward {line} lacks {part:?}:\n{}", said.all());
        }
        for part in never.split('|').filter(|part| !part.is_empty()) {
            assert!(!said.all().contains(part), "onward {line} has {part:?}:\n{}", said.all());
        }
    }
}

/// Calls that change nothing, on a home in which the sample mails were imported.
const LOOKING: &[Case] = &[
    (
        "",
        0,
        "Onward is not running|9 mails read, 3 about an application|1 mail to decide about (`onward review`)",
        "1 mails",
    ),
    // A no is not shown before the reading hour unless the person asks, and neither is its draft.
    ("list", 0, "Ostrava Looms|perhaps a no|Brightmoor Labs|received|5 more wait for your reading hour", "Northgate"),
    ("list --all", 0, "a no after the final round|Kieler Werkstatt · Buchhalterin|draft 2: waits for you", "Garden"),
    ("list --all --category rejection --limit 1", 0, "Northgate Mills", "Quillhaven|Ostrava"),
    ("list --undecided", 0, "perhaps a no", "Ostrava"),
    ("list --category offer", 0, "Nothing of this kind.", ""),
    ("draft list", 0, "5 drafts rest for now. `onward draft list --all`", "Northgate"),
    ("draft list --all", 0, "Northgate Mills · Production Planner|rests until|thanks and one question", ""),
    ("log", 0, "item 2: an interview, by the rules|5 items wait for your reading hour", "rejection|draft"),
    ("log --all", 0, "item 3: a no, by the rules|draft 2 of item 3: waits for you|item 3: a note (", "{\""),
    ("log --all --limit 1", 0, "item 8: received", "item 3"),
    (
        "log --export",
        0,
        "date,employer,role,requisition,outcome,stage,reason,from,subject|,Northgate Mills,Production Planner",
        "",
    ),
    (
        "show 3",
        0,
        "Ruth Calloway <ruth.calloway@northgate-mills.example>|arrived  Thu |> We are sorry|To:      Ruth Calloway|digest",
        "lies in  \n",
    ),
    ("show 7", 0, "(nobody yet)|stop: |Name a recipient", ""),
    ("why 7", 0, "rules/|not to move|`onward explain 7` shows everything", ""),
    ("explain 7", 0, "REJECTION  decided|Facts|relayed by Greenhouse", ""),
    ("explain 5", 0, "ASK  |asked because", ""),
    ("explain 7 --rule en.rejection.not-forward", 0, "counted", ""),
    ("explain 7 --rule no.such.rule", 1, "`onward rules list` names them", ""),
    ("draft show 2", 0, "Dear Ruth Calloway|approve with `onward draft approve 2 --digest", ""),
    ("send --dry-run", 0, "Nothing is approved", ""),
    ("send", 0, "Nothing is approved", ""),
    ("rules list", 0, "en.rejection.not-forward", ""),
    ("rules doc en.rejection.not-forward", 0, "phrases|finds|from        rules/", ""),
    ("learn list", 0, "nothing was learned|`onward fix ID --as CATEGORY`", ""),
    ("learn forget 1", 0, "Nothing was learned from item 1.", ""),
    ("learn forget 999", 1, "there is no item 999", ""),
    ("rules new --from 3", 1, "say what item 3 really is: `--category CATEGORY`", ""),
    ("rules new --from 3 --category rejection", 1, "the rules judge item 3 like that already", ""),
    ("rules new --from nowhere.eml --category offer", 1, "cannot read nowhere.eml", ""),
    ("rules tune no.such.rule --fp 3", 1, "there is no rule `no.such.rule` in force", ""),
    ("rules tune en.rejection.not-forward", 2, "--fp", ""),
    ("rules doc no.such.rule", 1, "`onward rules list` names them", ""),
    ("notes list", 0, "en/after-final/", ""),
    ("notes preview", 0, "a no after the final round (en)", "reject"),
    ("notes preview --replies", 0, "pt/thank-you/thank-you/1", "{{"),
    ("notes check", 0, "all fine.", ""),
    ("config path", 0, "config.toml|onward.db", "not there yet"),
    ("config check", 0, "is fine.", ""),
    ("config dump", 0, "maildir = |Europe/Berlin", ""),
    ("config example", 0, "[[identity]]|[account.imap]", ""),
    ("completions bash", 0, "_onward", ""),
    ("man", 0, ".TH onward 1", ""),
    ("--version", 0, "onward 0.", ""),
    ("--help", 0, "review|Exit status|onward demo", ""),
    ("doctor", 1, "ok     rules and texts|home: Drafts|a Maildir has no Drafts mailbox|reply.deliver = \"smtp\"", ""),
    // What does not exist is named together with where to look.
    ("show 999", 1, "there is no item 999: `onward list --all`", ""),
    ("why 999", 1, "there is no item 999", ""),
    ("explain 999", 1, "there is no item 999", ""),
    ("fix 999 --as offer", 1, "there is no item 999", ""),
    ("undo 999", 1, "there is no item 999", ""),
    ("draft show 999", 1, "there is no draft 999: `onward draft list --all`", ""),
    ("draft discard 999", 1, "there is no draft 999", ""),
    (
        "explain nowhere.eml",
        1,
        "cannot read nowhere.eml|check the spelling",
        "(os error 2); check the spelling; `-` reads standard input: ",
    ),
    ("rules check nowhere.toml", 1, "cannot read nowhere.toml: No such file", "(os error 2): "),
    ("draft edit 1 --file nowhere", 1, "nowhere cannot be read", ""),
    ("draft edit 1 --to nobody", 1, "`nobody` is no mail address: write it as name@domain", ""),
    ("undo 1", 1, "item 1 was never corrected", ""),
    ("fix 2 --stage after_final", 1, "only a rejection has a stage", ""),
    ("draft approve 1", 1, "`onward draft show 1` prints the digest", ""),
    ("draft approve 1 --digest abc", 1, "too short|`onward draft show 1`", ""),
    ("draft approve 1 --digest 000000000000", 1, "it has changed since", ""),
    ("draft approve 5 --digest {digest:5}", 1, "draft 5 has no recipient yet|--to ADDRESS", ""),
    ("draft resolve 1 sent", 1, "draft 1 (waits for you) cannot be settled", "resolve_sent"),
    ("draft restore 1", 1, "cannot be brought back", ""),
    // Wrong usage.
    ("show 0", 2, "items are numbered from 1|`onward list --all`", ""),
    ("show -1", 2, "items are numbered from 1", ""),
    ("show three", 2, "items are numbered from 1", "invalid digit"),
    ("draft show 0", 2, "drafts are numbered from 1", ""),
    ("fix 1", 2, "--as <CATEGORY>", ""),
    ("fix 1 --as hope", 2, "`hope` is none of rejection, offer", ""),
    ("fix 1 --stage soon", 2, "`soon` is none of", ""),
    ("fix 1 --reason luck", 2, "`luck` is none of", ""),
    ("list --category hope", 2, "none of", ""),
    ("list --limit many", 2, "--limit", ""),
    ("draft resolve 1 perhaps", 2, "sent, retry, discard", ""),
    ("completions tcl", 2, "bash", ""),
    ("import", 2, "<PATHS>", ""),
    ("classify", 2, "<PATHS>", ""),
    ("hope", 2, "unrecognized subcommand", ""),
];

#[test]
fn every_verb_says_what_is_and_what_to_do() {
    run(&Home::with_mail(), LOOKING);
}

/// Every leaf of the grammar, e.g. `draft show`.
fn verbs(command: &clap::Command, before: &str, into: &mut BTreeSet<String>) {
    for verb in command.get_subcommands() {
        let name = format!("{before}{}", verb.get_name());
        if verb.has_subcommands() {
            verbs(verb, &format!("{name} "), into);
        } else {
            into.insert(name);
        }
    }
}

#[test]
fn every_verb_gives_json_by_the_line() {
    // What has a format of its own, and what is tried elsewhere: the daemon and the demo by the end-to-end tests.
    let own_format = ["completions", "config example", "man", "demo", "run", "rules schema"];
    let cases = [
        ("list --all", 0, 8),
        ("show 3", 0, 1),
        ("why 3", 0, 1),
        ("explain 3", 0, 1),
        ("explain 3 --rule en.rejection.not-forward", 0, 1),
        ("explain 3 --rule none", 1, 1),
        ("draft list --all", 0, 5),
        ("draft show 2", 0, 1),
        ("log --all --limit 5", 0, 5),
        ("rules check", 0, 1),
        ("rules test", 0, 2),
        ("rules test Maildir", 1, 1),
        ("rules fmt", 0, 0),
        ("rules stats", 0, 1),
        ("rules diff Maildir Maildir", 0, 1),
        ("rules doc en.rejection.not-forward", 0, 1),
        ("rules doc none", 1, 1),
        ("notes preview", 0, 10),
        ("notes check", 0, 1),
        ("auth", 1, 0),
        ("config path", 0, 1),
        ("config check", 0, 1),
        ("config dump", 0, 1),
        ("doctor", 1, 11),
        ("review --all", 0, 6),
        ("once", 0, 1),
        ("once --dry-run", 0, 1),
        ("classify Maildir", 1, 1),
        ("import Maildir", 1, 1),
        ("fix 2 --as assessment", 0, 1),
        ("learn list", 0, 1),
        ("learn export", 0, 1),
        ("undo 2", 0, 1),
        ("rules new --from 3 --category rejection", 1, 1),
        ("rules tune en.rejection.not-forward --fp 2", 1, 1),
        ("learn forget 2", 0, 1),
        ("draft edit 2 --to ruth@northgate-mills.example", 0, 1),
        ("draft approve 2 --digest {digest:2} --later", 0, 1),
        ("draft write 3", 1, 0),
        ("feedback --all", 0, 1),
        ("send --dry-run", 0, 1),
        ("send", 4, 1),
        ("draft discard 2", 0, 1),
        ("draft restore 2", 0, 1),
        ("forget 3", 0, 1),
        ("restore", 0, 1),
        ("", 0, 1),
    ];
    let home = Home::with_mail();
    let mut tried = BTreeSet::new();
    for (line, code, objects) in cases {
        let words: Vec<&str> =
            line.split_whitespace().take_while(|word| word.chars().all(char::is_lowercase)).collect();
        tried.extend((1..=words.len()).map(|n| words[..n].join(" ")));
        let line =
            if line.contains("{digest:2}") { line.replace("{digest:2}", &home.digest("2")) } else { line.into() };
        let said = home.line(&format!("{line} --json"));
        assert_eq!(said.code, Some(code), "{line}: {said:?}");
        assert_eq!(said.json().len(), objects, "{line}: {said:?}");
    }
    for line in ["rules list", "notes list"] {
        assert!(home.line(&format!("{line} --json")).json().len() > 50);
        tried.insert(line.to_owned());
    }
    let said = home.line("draft resolve 2 sent --json");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    tried.insert("draft resolve".to_owned());
    let mut all = BTreeSet::new();
    verbs(&Cli::command(), "", &mut all);
    all.retain(|verb| !own_format.contains(&verb.as_str()));
    let untried: Vec<&String> = all.difference(&tried).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

/// A draft's life at the command line, in order.
const DRAFTING: &[Case] = &[
    ("draft edit 5 --to ops@tidewater.example", 0, "To:      ops@tidewater.example|digest", "(nobody yet)"),
    ("draft approve 5 --digest {digest:5} --later", 0, "Draft 5: approved, not delivered yet.", ""),
    ("", 0, "1 draft approved and not delivered yet (`onward send`)", ""),
    // A Maildir has no Drafts mailbox: said before and after trying, and the draft is not lost.
    ("send --dry-run", 0, "Draft 5 to ops@tidewater.example|would stay here: a Maildir has no Drafts", ""),
    ("send", 4, "not delivered: a Maildir has no Drafts", "tried again"),
    ("draft show 5", 0, "approved, not delivered yet", ""),
    // An edit voids the approval.
    ("draft edit 5 --to people@tidewater.example", 0, "waits for you", ""),
    ("draft approve 5 --digest 0123456789ab --later", 1, "it has changed since", ""),
    ("draft approve 5 --to ops@tidewater.example --digest {digest:5} --later", 2, "cannot be used with", ""),
    ("draft approve 5 --digest {digest:5} --later", 0, "approved", ""),
    ("draft discard 5", 0, "Draft 5: discarded.", ""),
    ("draft edit 5 --to ops@tidewater.example", 1, "draft 5 (discarded) cannot be changed", ""),
    ("draft approve 5 --digest {digest:5}", 1, "`onward draft restore 5` brings it back", ""),
    ("draft list", 0, "rest for now", "Tidewater"),
    ("draft restore 5", 0, "Draft 5: waits for you.", ""),
    // A correction takes the draft along; undo brings it back.
    (
        "fix 7 --as interview --employer=Tidewater",
        0,
        "Noted: Tidewater · Site Engineer · an interview.|Draft 5 was withdrawn.",
        "",
    ),
    (
        "undo 7",
        0,
        "Back to: Tidewater Metrics · Site Engineer · a no after the application.|Draft 5 waits for you again.|`onward undo 7` once more",
        "",
    ),
    ("undo 7", 0, "Back to: Tidewater · Site Engineer · an interview.", ""),
    // What was undecided and is a no after all gets a draft.
    (
        "fix 5 --as rejection --stage after_interview --reason other_candidate",
        0,
        "a no after the interview.|Draft 6 waits for you (`onward draft show 6`)",
        "",
    ),
    ("show 5", 0, "person said|`onward undo 5` takes the last correction back", ""),
    ("draft show 6", 0, "Dear Imke Jansen", ""),
];

#[test]
fn a_draft_is_changed_approved_dropped_and_brought_back() {
    run(&Home::with_mail(), DRAFTING);
}

#[test]
fn a_draft_takes_a_whole_new_text() {
    let home = Home::with_mail();
    let letter = "To: Ruth Calloway <ruth@northgate-mills.example>\nSubject: Thank you\n\nDear Ruth,\n\nThank you for the call.\n\nRobin\n";
    home.write("letter.txt", letter);
    let said = home.run(&["draft", "edit", "2", "--file", "letter.txt"]);
    assert!(said.code == Some(0) && said.out.contains("ruth@northgate-mills.example"), "{said:?}");
    let said = home.answering(&["draft", "edit", "2", "--file", "-"], letter.replace("the call", "your word"), &[]);
    assert!(said.code == Some(0) && said.out.contains("Thank you for your word."), "{said:?}");
    for (text, says) in [
        ("Subject: x\n\n", "line 2: the text is missing"),
        ("To: a@b.example, c@d.example\nSubject: x\n\nhi\n", "line 1: name one recipient"),
        ("To: a@b.example\nBcc: c@d.example\nSubject: x\n\nhi\n", "line 2: only `To:` and `Subject:`"),
        ("", "the subject is missing"),
    ] {
        let said = home.answering(&["draft", "edit", "2", "--file", "-"], text, &[]);
        assert!(said.code == Some(1) && said.err.contains(says), "{text:?}: {said:?}");
    }
    for (editor, code, says) in [
        ("true", 0, "Nothing changed."),
        ("false", 1, "the editor ended with an error"),
        ("no-such-editor", 1, "set $EDITOR"),
    ] {
        let said = home.answering(&["draft", "edit", "2"], "", &[("EDITOR", editor)]);
        assert!(said.code == Some(code) && said.all().contains(says), "{editor}: {said:?}");
    }
    assert_eq!(
        fs::read_dir(home.path(".local/state/onward"))
            .unwrap()
            .filter(|f| { f.as_ref().unwrap().file_name().to_string_lossy().starts_with("draft-") })
            .count(),
        0,
        "an edited text is left behind"
    );
}

#[test]
fn review_goes_through_the_queue_one_answer_a_line() {
    // Item 5 is asked about first; then the drafts 1 to 5 in order.
    let editor =
        "printf 'To: ruth@northgate-mills.example\\nSubject: Thank you\\n\\nThank you for the talk.\\n' > \"$1\"\n";
    for (answers, says, states) in [
        ("q\n", "1 of 6|What is it? [y]es, as guessed", "pending pending"),
        ("", "1 of 6", "pending pending"),
        ("x\n?\nl\nq\n", "Please answer y, w, l or q.|2 of 6|1 left for later.", "pending pending"),
        ("y\nq\n", "Noted. A draft waits in the queue.", "pending pending"),
        (
            "w\n\nw\n99\nl\n",
            "A number, or Enter|There is no such number.|2 of 6|it states two outcomes that exclude each other",
            "pending pending",
        ),
        ("w\n1\nq\n", "Noted. A draft waits in the queue.", "pending pending"),
        (
            "l\n?\nz\nd\nq\n",
            "a  approve exactly this text|Please answer with one of the letters|Discarded. `onward draft restore 1` brings it back.|1 discarded, 1 left for later.",
            "discarded pending",
        ),
        ("l\nn\na\nq\n", "Approved.|1 approved, 1 left for later.", "approved pending"),
        (
            "l\nl\ne\na\nl\nl\nl\n",
            "To:      ruth@northgate-mills.example|Thank you for the talk.|Approved.",
            "pending approved",
        ),
        ("l\nl\nv\nl\nl\nl\nl\n", "3 of 6|5 of 6|6 of 6", "pending pending"),
        ("l\nw\n3\nl\nl\nl\nl\n", "What is it really?|Noted.", "withdrawn pending"),
        ("l\nl\nl\nl\nl\na\nq\n", "Not approved: the draft has no reachable address|[e]dit names a", "pending pending"),
    ] {
        let home = Home::with_mail();
        let script = home.write("editor.sh", editor);
        let editor = format!("sh {}", script.display());
        let said = home.answering(&["review", "--all", "--no-submit"], answers, &[("EDITOR", &editor)]);
        assert_eq!(said.code, Some(0), "{answers:?}: {said:?}");
        for part in says.split('|') {
            assert!(said.out.contains(part), "{answers:?} lacks {part:?}: {}", said.all());
        }
        assert_eq!(format!("{} {}", home.state("1"), home.state("2")), states, "{answers:?}");
    }
}

#[test]
fn review_offers_nothing_that_rests_and_delivers_what_was_approved() {
    let home = Home::with_mail();
    let said = home.answering(&["review"], "y\n", &[]);
    assert!(said.code == Some(0) && said.out.contains("1 of 1") && said.out.contains("5 drafts rest"), "{said:?}");
    // The person said that it is a no: its draft is there at once.
    let said = home.answering(&["review"], "d\n", &[]);
    assert!(said.code == Some(0) && said.out.contains("Discarded"), "{said:?}");
    let said = home.answering(&["review"], "", &[]);
    assert!(said.out.contains("Nothing waits for you.") && said.out.contains("`onward review --all`"), "{said:?}");
    let said = home.answering(&["review", "--all"], "a\nq\n", &[]);
    assert!(said.code == Some(4) && said.out.contains("a Maildir has no Drafts"), "{said:?}");
    assert_eq!(home.state("1"), "approved");
}

#[test]
fn mail_of_every_form_is_imported_once() {
    let home = Home::set_up();
    let texts: Vec<String> = mails("mail").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mbox: String = texts[..3].iter().map(|t| format!("From a@b.example Mon Nov  2 10:00:00 2026\n{t}\n")).collect();
    home.write("old.mbox", mbox);
    home.write("box/new/1.x", &texts[3]);
    home.write("box/cur/2.x:2,S", &texts[4]);
    home.write("letters/a.eml", &texts[5]);
    home.write("letters/notes.txt", "no mail");
    home.write("garbage", (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>());
    home.write("empty.eml", "");
    fs::create_dir(home.path("nothing")).unwrap();
    for (paths, stdin, code, says) in [
        ("old.mbox", "", 0, "3 mails read.\n`onward list --all`"),
        ("old.mbox", "", 0, "0 mails read, 3 known before.\n"),
        ("box letters", "", 0, "3 mails read."),
        ("-", texts[6].as_str(), 0, "1 mail read."),
        ("garbage", "", 0, "1 mail read."),
        // With nothing to read in either, one is like the other.
        ("empty.eml", "", 0, "0 mails read, 1 known before."),
        (
            "nowhere.mbox old.mbox",
            "",
            1,
            "cannot read nowhere.mbox: No such file|0 mails read, 3 known before, 1 not readable.",
        ),
        ("nothing", "", 1, "cannot read nothing: there is no mail in it"),
    ] {
        let args: Vec<&str> = ["import"].into_iter().chain(paths.split(' ')).collect();
        let said = home.answering(&args, stdin, &[]);
        assert_eq!(said.code, Some(code), "{paths}: {said:?}");
        for part in says.split('|') {
            assert!(said.out.contains(part), "{paths}: {said:?}");
        }
    }
    assert_eq!(home.line("list --all --json").json().len(), 6);
    assert_eq!(home.line("--json").json()[0]["messages"], 8);
}

#[test]
fn once_reads_the_maildir_and_a_dry_run_stores_nothing() {
    let home = Home::set_up();
    for (n, mail) in mails("mail").iter().enumerate() {
        home.write(&format!("Maildir/new/{n}.x"), fs::read(mail).unwrap());
    }
    run(
        &home,
        &[
            ("", 0, "Nothing was looked at yet: `onward once`", ""),
            ("once --dry-run", 0, "9 mails would be logged|a no after the final round    Northgate Mills", "known"),
            ("list", 1, "nothing is logged yet|`onward once` looks at your mailbox", ""),
            ("once", 0, "home: 9 mails logged.\n|`onward review` goes through what waits", ""),
            ("once", 0, "home: 0 mails logged, 9 known before.", ""),
            ("", 0, "INBOX of home: looked at just now", ""),
        ],
    );
    fs::remove_dir_all(home.path("Maildir/new")).unwrap();
    run(
        &home,
        &[
            ("once", 1, "is no Maildir that can be read (it needs `new` and `cur`)", ""),
            ("doctor", 1, "WRONG  home: Maildir", ""),
        ],
    );
}

/// Keys of a line of `classify --json` and their order, as design.md promises them to programs.
const KEYS: &str = "path message_id category decided score stage reason language employer role requisition_id contact \
                    ats noreply evidence defects";

#[test]
fn classify_gives_a_line_for_every_input() {
    let home = Home::empty();
    let hostile = data("hostile");
    home.write("garbage", (0..4000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<u8>>());
    home.write("empty", "");
    fs::create_dir(home.path("nothing")).unwrap();
    let mail = fs::read_to_string(data("mail/no-by-relay.eml")).unwrap();
    let folder = hostile.to_str().unwrap();
    let args = ["classify", "--json", "garbage", "empty", "-", "nowhere", "nothing", folder];
    let said = home.answering(&args, &mail, &[]);
    assert_eq!(said.code, Some(1), "what cannot be read is a finding");
    let lines = said.json();
    let paths: Vec<&str> =
        lines.iter().map(|line| line["path"].as_str().unwrap().rsplit('/').next().unwrap()).collect();
    assert_eq!(
        paths,
        ["garbage", "empty", "-", "nowhere", "nothing", "raw-bytes.eml", "spreadsheet.eml", "terminal.eml"]
    );
    for line in &lines {
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        match line.get("error") {
            Some(_) => assert_eq!(keys, ["path", "error"]),
            None => assert_eq!(keys.join(" "), KEYS),
        }
    }
    let relay = &lines[2];
    for (key, value) in [
        ("message_id", "no-by-relay@mail.example".into()),
        ("category", "rejection".into()),
        ("decided", Value::Bool(true)),
        ("stage", "after_application".into()),
        ("reason", "none".into()),
        ("language", "en".into()),
        ("employer", "Tidewater Metrics".into()),
        ("role", "Site Engineer".into()),
        ("requisition_id", Value::Null),
        ("contact", Value::Null),
        ("ats", "Greenhouse".into()),
        ("noreply", Value::Bool(true)),
    ] {
        assert_eq!(relay[key], value, "{key}");
    }
    let evidence = &relay["evidence"][0];
    assert_eq!(
        evidence.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["rule", "file", "line", "zone", "text", "weight"]
    );
    assert!(evidence["weight"].is_f64() && evidence["line"].is_u64(), "{evidence}");
    let text = home.answering(&args[..1].iter().chain(&args[2..]).copied().collect::<Vec<_>>(), &mail, &[]);
    assert_eq!((text.code, text.out.lines().count()), (Some(1), 8), "{text:?}");
}

#[test]
fn hostile_mail_stays_text_in_every_verb() {
    let home = Home::set_up();
    let imported = home.run(&["import", home.recent("hostile").to_str().unwrap()]);
    assert!(imported.code == Some(0) && imported.out.contains("3 mails read."), "{imported:?}");
    // The helper looks for steering characters in everything below.
    for line in ["list --all", "log --all", "log --export", "draft list --all", "review --all", "once", ""] {
        for form in ["", " --json"] {
            assert_eq!(home.line(&format!("{line}{form}")).code, Some(0), "{line}{form}");
        }
    }
    for id in 1..=3 {
        for verb in ["show", "why", "explain", "draft show"] {
            for form in ["", " --json"] {
                let said = home.line(&format!("{verb} {id}{form}"));
                assert_eq!(said.code, Some(0), "{verb} {id}: {said:?}");
                assert!(form.is_empty() || said.json().len() == 1);
            }
        }
        let draft = home.line(&format!("draft show {id}"));
        assert!(!draft.out.contains("\nBcc"), "{draft:?}");
    }
    // A spreadsheet runs what begins with one of these.
    for row in home.line("log --export").out.split("\r\n").skip(1) {
        for cell in row.split(',') {
            assert!(!cell.trim_start_matches('"').starts_with(['=', '+', '-', '@']), "{row}");
        }
    }
}

#[test]
fn before_anything_is_set_up_every_verb_says_how_to_begin() {
    let home = Home::empty();
    let start = "make a start with `onward config example >|config.toml`, then `chmod 600";
    let nothing = "nothing is logged yet|`onward config example` prints a configuration to start from, `onward demo`";
    run(
        &home,
        &[
            ("", 0, "Onward is not set up yet.|onward demo|onward config example|.config/onward/config.toml", ""),
            ("--json", 0, "\"configured\":false", ""),
            ("review", 78, start, ""),
            ("run", 78, start, ""),
            ("once", 78, start, ""),
            ("import x.eml", 78, start, ""),
            ("doctor", 78, start, ""),
            ("config check", 78, start, ""),
            ("config check --json", 78, "\"problems\":[{", ""),
            ("config dump", 78, start, ""),
            ("fix 1 --as offer", 78, start, ""),
            ("config path", 0, "config.toml  (not there yet)|.local/state/onward/onward.db", ""),
            ("list", 1, nothing, ""),
            ("show 1", 1, nothing, ""),
            ("log", 1, nothing, ""),
            ("log --export", 1, nothing, ""),
            ("draft list", 1, nothing, ""),
            ("send", 1, nothing, ""),
            ("undo 1", 1, nothing, ""),
            ("draft discard 1", 1, nothing, ""),
            ("rules list", 0, "en.rejection.not-forward", ""),
            ("notes check", 0, "all fine.", ""),
        ],
    );
    assert!(!home.path(".local/state/onward/onward.db").exists(), "a verb that found nothing made a database");
}

#[test]
fn a_broken_configuration_is_78_everywhere() {
    let home = Home::with_mail();
    home.write(".config/onward/config.toml", "nonsense = 1\n[[account]]\nname = \"x\"\nmaildir = \"~/nowhere\"\n");
    let all = "config.toml:1:1: error: unknown key `nonsense`|fix: remove it|there is no [[identity]]|nowhere|problems in the configuration";
    for verb in [
        "run",
        "once",
        "list",
        "show 1",
        "review",
        "doctor",
        "send",
        "config check",
        "config dump",
        "rules check",
        "",
        "draft list",
    ] {
        run(&home, &[(verb, 78, all, "")]);
    }
    run(
        &home,
        &[
            ("config path", 0, "config.toml|`onward config check`", ""),
            ("config example", 0, "[[identity]]", ""),
            ("--help", 0, "Usage", ""),
        ],
    );
}

/// A rule of one's own is written, laid out, tried on old mail, and measured.
#[test]
fn rules_of_ones_own_show_what_they_change() {
    let home = Home::with_mail();
    let rule = |phrase: &str| {
        format!(
            "schema = 1\nlanguage = \"en\"\n[[rule]]\nphrases=[\"{phrase}\"] # why\nid = \"mine.offer.x\"\ntitle = \"x\"\ncategory = \"offer\"\nweight = 30\nmatch = [\"{phrase}\"]\nno_match = [\"y\"]\n"
        )
    };
    home.write("old/mine.toml", rule("never in any mail"));
    home.write(".config/onward/rules/mine.toml", rule("not to move"));
    for mail in mails("mail") {
        home.write(&format!("mail/{}", mail.file_name().unwrap().display()), fs::read(&mail).unwrap());
    }
    run(
        &home,
        &[
            ("rules fmt --check", 1, "mine.toml: not laid out; run `onward rules fmt`", ""),
            ("rules fmt", 0, "mine.toml: laid out", ""),
            ("rules fmt --check", 0, "", "laid out"),
            ("rules check", 0, "fine", ""),
            (
                "rules test mail",
                0,
                "2 are judged differently|! rejection → offer?  |your log: |would change 2 past decisions",
                "",
            ),
            ("rules stats", 0, "en.rejection.not-forward|keep|without a hit; --all lists them", "mine.offer.x"),
            ("rules stats --all --since 0", 1, "no judged mail yet", ""),
            ("rules diff old", 2, "<NEW>", ""),
            ("rules diff nowhere old", 1, "cannot read nowhere", ""),
        ],
    );
    let laid_out = fs::read_to_string(home.path(".config/onward/rules/mine.toml")).unwrap();
    assert!(laid_out.contains("id       = \"mine.offer.x\"\n") && laid_out.contains("# why"), "{laid_out}");
    run(
        &home,
        &[("rules diff old .config/onward/rules", 1, "2 are judged differently|! rejection → offer?  item ", "")],
    );
}

#[test]
fn broken_rules_and_texts_of_ones_own_are_named_with_their_lines() {
    let home = Home::with_mail();
    home.write(".config/onward/rules/mine.toml", "[[rule]]\nid = \"mine.x\"\nnonsense = 1\n");
    home.write(".config/onward/templates/note/en/after-final.md", "# 01\nCheer up, {{ nobody }}!\n");
    let front = "lang = \"fr\"\nkind = \"thank-you\"\ngroup = \"thank-you\"\nvariant = 1";
    let own = format!("+++\n{front}\n+++\nMerci. Je conteste ce choix.\n");
    home.write(".config/onward/templates/reply/fr/mine.md", &own);
    run(
        &home,
        &[
            ("rules check", 2, "mine.toml:|nonsense|Nothing was loaded", ""),
            ("rules list", 2, "mine.toml:", ""),
            (
                "notes check",
                1,
                "after-final.md:|help: |mine.md:7: |it argues with|In: “Je conteste ce choix",
                "all fine",
            ),
            ("review", 1, "your rules or texts cannot be used as they are|mine.toml:|after-final.md:", ""),
            ("doctor", 1, "WRONG  rules and texts|mine.toml", ""),
            ("run", 78, "mine.toml|nonsense|after-final.md:", ""),
            ("list", 0, "Ostrava Looms", ""),
        ],
    );
    let said = home.line("rules check --json");
    assert_eq!((said.code, said.json()[0]["loaded"].as_bool()), (Some(2), Some(false)));
}

#[test]
fn a_database_that_cannot_be_used_is_left_alone_and_explained() {
    let database = ".local/state/onward/onward.db";
    for (make, says) in [
        // `user_version`, the four bytes at 60 of the header (sqlite.org/fileformat, 1.3).
        (
            &(|bytes: &mut Vec<u8>| bytes[60..64].copy_from_slice(&9999_u32.to_be_bytes())) as &dyn Fn(&mut Vec<u8>),
            "use the newer onward",
        ),
        (&|bytes| bytes.clear(), "damaged or is no onward database"),
        (&|bytes| *bytes = b"To do: buy milk\n".repeat(100), "damaged or is no onward database"),
    ] {
        let home = Home::with_mail();
        let mut bytes = fs::read(home.path(database)).unwrap();
        make(&mut bytes);
        home.write(database, &bytes);
        for (verb, code) in [("list", 1), ("once", 1), ("", 1), ("undo 1", 1), ("run", 74)] {
            let said = home.line(verb);
            assert!(said.code == Some(code) && said.all().contains(says), "{verb}: {said:?}");
        }
        let said = home.line("doctor");
        assert!(said.code == Some(1) && said.out.contains("WRONG  log") && said.out.contains("onward.db"), "{said:?}");
        assert_eq!(fs::read(home.path(database)).unwrap(), bytes);
    }
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let home = Home::set_up();
    home.write("state", "a file");
    let mail = data("mail/no-by-relay.eml");
    for (verb, code) in [("once", 1), ("run", 74), (&*format!("import {}", mail.display()), 1)] {
        let said = home.line(&format!("{verb} --state state/onward"));
        assert_eq!(said.code, Some(code), "{verb}: {said:?}");
        assert!(said.err.contains("state/onward"), "{verb}: {said:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::with_mail();
    for line in ["list --all", "completions bash", "man", "rules list", "notes list --json", "config example"] {
        let args: Vec<&str> = line.split(' ').collect();
        let mut child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()), "{line}");
    }
}

#[test]
fn a_terminal_gets_weight_and_no_color_takes_it_away() {
    let home = Home::with_mail();
    for (variable, value, bold) in [("X", "", true), ("NO_COLOR", "1", false), ("NO_COLOR", "", true)] {
        let onward = format!("{} notes preview", env!("CARGO_BIN_EXE_onward"));
        let mut command = home.command(&[]);
        let environment: Vec<(String, String)> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned())))
            .collect();
        command = std::process::Command::new("script");
        command.args(["-qec", &onward, "/dev/null"]).env_clear().envs(environment).env(variable, value);
        let Ok(ended) = command.stdin(Stdio::null()).output() else {
            skipped("script not found: apt-get install bsdutils");
            return;
        };
        let out = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(out.contains("a no after the final round"), "{out}");
        assert_eq!(out.contains("\x1b[1m"), bold, "{variable}={value}: {out:?}");
    }
}

#[test]
fn the_example_configuration_needs_only_ones_own_values() {
    let home = Home::empty();
    let said = home.line("config example");
    assert_eq!(said.out, config::EXAMPLE);
    home.write("password", "secret\n");
    let filled = said
        .out
        .replace("Sam Doe", "Robin Hale")
        .replace("sam@example.org", "robin@example.com")
        .replace("imap.example.org", "imap.example.com")
        .replace("password.command = [\"pass\", \"show\", \"mail/example.org\"]", "password.file = \"~/password\"");
    home.write(".config/onward/config.toml", filled);
    run(&home, &[("config check", 0, "config.toml is fine.", ""), ("config dump", 0, "robin@example.com", "secret")]);
}

/// Code spans and code lines of a Markdown text.
fn code_of(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.chain(text.lines().filter_map(|line| line.strip_prefix("    ")))
}

#[test]
fn the_documents_name_verbs_that_exist_and_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = Home::empty();
    let mut verbs_named = BTreeSet::new();
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/rules.md"] {
        let text = fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for code in code_of(&text) {
            let call = code.split("&& ").last().unwrap_or(code);
            if let Some(words) = call.strip_prefix("onward ") {
                let verb = words.split_whitespace().take_while(|w| w.chars().all(|c| c.is_ascii_lowercase()));
                verbs_named.insert(verb.collect::<Vec<_>>().join(" "));
            }
        }
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            let beside = root.join(name).parent().unwrap().join(link);
            assert!(beside.exists(), "{name} links to {link}, which is not there");
        }
    }
    assert!(verbs_named.len() > 10, "{verbs_named:?}");
    let mut grammar = BTreeSet::new();
    verbs(&Cli::command(), "", &mut grammar);
    for verb in verbs_named {
        // What follows a verb may be its argument.
        let known = grammar.iter().any(|known| {
            known == &verb || verb.starts_with(&format!("{known} ")) || known.starts_with(&format!("{verb} "))
        });
        assert!(known || verb.is_empty(), "no verb `onward {verb}`");
    }
    for verb in grammar {
        assert_eq!(home.line(&format!("{verb} --help")).code, Some(0), "{verb}");
    }
}
