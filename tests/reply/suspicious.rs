//! Mail that is not what it claims: each red flag, and that honest job mail raises none.

use std::{path::PathBuf, sync::LazyLock};

use onward::{
    classify::{Ask, Facts, classify},
    message::{AuthResult, AuthResults, Fetched, Message},
    reply::{Relays, suspicion, suspicion::asks},
    rules::{self, RuleSet},
};

use super::{Case, address, codes, fact};

static RULES: LazyLock<RuleSet> = LazyLock::new(|| rules::load(&rules::shipped()).unwrap());

fn facts(employer: Option<&str>) -> Facts {
    Facts { employer: employer.and_then(fact), ..Case::new().facts }
}

/// The codes of the flags of a mail.
fn flags(mail: &str, employer: Option<&str>) -> Vec<String> {
    let message = Message::parse(mail.as_bytes(), Fetched::Whole);
    suspicion(&RULES, &message, &facts(employer), None).into_iter().map(|c| c.code).collect()
}

#[test]
fn senders_that_pass_for_others_are_flagged() {
    for (from, employer, expected) in [
        ("PayPal <jobs@paypa1.example>", Some("PayPal"), &["look-alike-sender"][..]),
        ("PayPal <jobs@paypal.example>", Some("PayPal"), &[]),
        ("PayPal <jobs@talent.example>", Some("PayPal"), &[]),
        ("Kestrel <jobs@kestrel.example>", Some("Kestrel Ltd."), &[]),
        ("Kestrel <jobs@kestre1.example>", Some("Kestrel Ltd."), &["look-alike-sender"]),
        ("Kestrel <jobs@kеstrel.example>", None, &["look-alike-sender"]),
        ("Müller <jobs@müller.example>", None, &[]),
        ("Greenhouse <no-reply@greenh0use.example>", None, &["look-alike-sender"]),
        ("SmartRecruiters <x@smartrecruiter.example>", None, &["look-alike-sender"]),
        ("SmartRecruiters <x@smartrecruiters.com>", None, &[]),
        ("Clever <x@clever.example>", None, &[]),
        ("\"hr@kestrel.example\" <hr@mailbox.example>", None, &["address-in-name"]),
        ("\"hr@kestrel.example\" <anna@mail.kestrel.example>", None, &[]),
        ("\"anna@kestrel.example via Lever\" <no-reply@hire.lever.co>", None, &[]),
    ] {
        let found = flags(&format!("From: {from}\r\nSubject: x\r\n\r\nHello\r\n"), employer);
        assert_eq!(found, expected, "{from}");
    }
}

#[test]
fn requests_that_no_employer_makes_are_flagged_in_seven_languages() {
    let mail = |text: &str| {
        format!("From: a@kestrel.example\r\nSubject: Your job\r\n\r\nHello Sam,\r\n\r\nfine news. {text}\r\n")
    };
    for (text, expected) in [
        ("Before you start you have to pay a small registration fee of 80 euro.", "asks-for-money"),
        ("Bitte überweisen Sie vorab die Bearbeitungsgebühr von 80 Euro.", "asks-for-money"),
        ("Veuillez verser les frais de dossier avant lundi.", "asks-for-money"),
        ("Debe abonar una pequeña tasa de inscripción.", "asks-for-money"),
        ("Dovrà versare una piccola quota di iscrizione.", "asks-for-money"),
        ("U moet vooraf de administratiekosten betalen.", "asks-for-money"),
        ("Deve pagar uma pequena taxa de registo.", "asks-for-money"),
        ("Kindly send us your bank account details today.", "asks-for-bank-data"),
        ("Bitte senden Sie uns Ihre Kontodaten und Ihre IBAN.", "asks-for-bank-data"),
        ("Merci de nous envoyer rapidement, envoyez votre RIB aujourd'hui.", "asks-for-bank-data"),
        ("Envíenos hoy sus datos bancarios.", "asks-for-bank-data"),
        ("La preghiamo di inviare oggi il suo IBAN.", "asks-for-bank-data"),
        ("Stuur ons vandaag uw rekeningnummer.", "asks-for-bank-data"),
        ("Envie hoje os seus dados bancários.", "asks-for-bank-data"),
        ("Please send a clear photo of your passport and a selfie.", "asks-for-papers"),
        ("Schicken Sie uns ein Foto von Ihrem Personalausweis.", "asks-for-papers"),
        ("Envoyez une photo de votre passeport.", "asks-for-papers"),
        ("Mándenos una foto de su pasaporte.", "asks-for-papers"),
        ("Ci mandi una foto del suo passaporto.", "asks-for-papers"),
        ("Mail ons een foto van uw paspoort.", "asks-for-papers"),
        ("Mande uma foto do seu passaporte.", "asks-for-papers"),
        ("The interview takes place by chat: add our manager on Telegram.", "asks-to-move-to-chat"),
        ("Das Gespräch führen wir über WhatsApp.", "asks-to-move-to-chat"),
        ("Veuillez contacter notre recruteur sur Telegram.", "asks-to-move-to-chat"),
        ("La entrevista será por WhatsApp.", "asks-to-move-to-chat"),
        ("Il colloquio si terrà su Telegram.", "asks-to-move-to-chat"),
        ("Het gesprek gaat via WhatsApp.", "asks-to-move-to-chat"),
        ("A entrevista será pelo Telegram.", "asks-to-move-to-chat"),
        ("For a first task, buy three gift cards and scratch them.", "asks-for-gift-cards"),
        ("Bitte kaufen Sie drei Geschenkkarten.", "asks-for-gift-cards"),
        ("Achetez trois cartes cadeau pour nous.", "asks-for-gift-cards"),
        ("Compre tres tarjetas de regalo.", "asks-for-gift-cards"),
        ("Acquisti tre carte regalo.", "asks-for-gift-cards"),
        ("Wilt u drie cadeaukaarten kopen of koop cadeaukaarten online.", "asks-for-gift-cards"),
        ("Compre três cartões presente.", "asks-for-gift-cards"),
    ] {
        assert_eq!(flags(&mail(text), None), [expected], "{text}");
    }
    for honest in [
        "We will never ask you to pay a fee or to send bank details.",
        "Wir bitten Sie nie, eine Gebühr zu überweisen.",
        "To refund your travel expenses, please send us your bank details.",
        "For the Fahrtkosten: teilen Sie uns bitte Ihre Bankverbindung mit, dann erstatten wir die Fahrtkosten.",
        "Please bring your passport to the interview.",
        "You would work on the payment team: transfers, deposits and cards.",
        "The role pays well, and there is no application fee.",
        "Our product is a chat like WhatsApp.",
    ] {
        assert_eq!(flags(&mail(honest), None), Vec::<String>::new(), "{honest}");
    }
}

#[test]
fn a_link_that_shows_another_host_is_flagged() {
    let mail = |link: &str| {
        format!(
            "From: Anna <anna@kestrel.com>\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n<p>Hello Sam, see {link} for more.</p>\r\n"
        )
    };
    for (link, flagged) in [
        ("<a href='https://evil.net/login'>www.kestrel.com</a>", true),
        ("<a href='https://kestrel.com.evil.net/'>https://<b>kestrel</b>.com/jobs</a>", true),
        ("<a href='https://jobs.kestrel.com/x'>www.kestrel.com</a>", false),
        ("<a href='https://kestrel.com/out?to=x'>www.other.org</a>", false),
        ("<a href='https://boards.greenhouse.io/kestrel'>www.kestrel.com</a>", false),
        ("<a href='https://u1.ct.sendgrid.net/ls/click'>www.kestrel.com</a>", false),
        ("<a href='https://evil.net/'>our page</a>", false),
        ("<a href='https://evil.net/'>Onward.Thanks</a>", false),
        ("<a href='mailto:anna@kestrel.com'>anna@kestrel.com</a>", false),
        ("<a>www.kestrel.com</a>", false),
    ] {
        assert_eq!(!flags(&mail(link), None).is_empty(), flagged, "{link}");
    }
}

#[test]
fn what_the_provider_found_is_a_flag_and_its_silence_is_nothing() {
    let message = Message::parse(b"From: a@kestrel.example\r\nSubject: x\r\n\r\nHello\r\n", Fetched::Whole);
    let results = |dmarc| AuthResults { authserv_id: "mx.roe.example".into(), dmarc, dkim: None, spf: None };
    for (auth, flagged) in [
        (None, false),
        (Some(results(None)), false),
        (Some(results(Some(AuthResult::Pass))), false),
        (Some(results(Some(AuthResult::Other))), false),
        (Some(results(Some(AuthResult::Fail))), true),
    ] {
        let found = suspicion(&RULES, &message, &facts(None), auth.as_ref());
        assert_eq!(found.iter().any(|c| c.code == "dmarc-fail" && c.stops), flagged, "{auth:?}");
        assert_eq!(asks(&found), if flagged { vec![Ask::DoubtfulSender] } else { Vec::new() });
    }
}

#[test]
fn a_flag_stops_the_draft_until_the_person_names_somebody() {
    let mut case = Case::new();
    case.thread = vec![super::thread_mail(1, address("Ben Ito", "ben@kestrel.example"), true)];
    case.warnings = suspicion(
        &RULES,
        &Message::parse("From: a@kestrе1.example\r\n\r\nHello\r\n".as_bytes(), Fetched::Whole),
        &facts(None),
        None,
    );
    for kind in [onward::reply::SenderKind::Human, onward::reply::SenderKind::NoReply] {
        let draft = case.clone().sent_by(kind).propose();
        assert!(!draft.approvable() && draft.envelope.to.is_none(), "{kind}");
        assert!(codes(&draft).contains(&"look-alike-sender"), "{:?}", draft.cautions);
    }
}

/// Answers wanted at another organisation: both are shown. A human's mail stops; that of a relay is only looked at twice.
#[test]
fn answers_wanted_elsewhere_stop_a_humans_mail_and_not_a_relays() {
    let relay = Relays { from: true, reply_to: false };
    let to_relay = Relays { from: false, reply_to: true };
    let none = Relays::default();
    for (from, reply_to, relays, to) in [
        ("anna.schmidt@kestrel.example", "anna.schmidt@other.example", none, None),
        ("anna.schmidt@kestrel.example", "inbox-778@elsewhere.example", none, None),
        ("anna.schmidt@kestrel.example", "inbox-778@elsewhere.example", to_relay, Some("inbox-778@elsewhere.example")),
        ("kestrel@ats.example", "anna.schmidt@kestrel.example", relay, Some("anna.schmidt@kestrel.example")),
        ("no-reply@kestrel.example", "anna.schmidt@other.example", none, Some("anna.schmidt@other.example")),
        ("anna.schmidt@kestrel.example", "talent@mail.kestrel.example", none, Some("talent@mail.kestrel.example")),
    ] {
        let mut case = Case::new();
        case.relays = relays;
        case.message.from = vec![address("Anna Schmidt", from)];
        case.message.reply_to = vec![address("Anna Schmidt", reply_to)];
        let draft = case.propose();
        assert_eq!(draft.envelope.to.as_deref(), to, "{from} {reply_to}");
        let shown = draft.cautions.iter().find(|c| c.code.starts_with("reply-to-"));
        let elsewhere = !reply_to.ends_with(from.split_once('@').unwrap().1);
        assert_eq!(shown.is_some(), elsewhere, "{from} {reply_to}: {:?}", draft.cautions);
        if let Some(caution) = shown {
            assert!(caution.text.contains(from) && caution.text.contains(reply_to), "{}", caution.text);
            assert_eq!(caution.stops, to.is_none());
        }
    }
}

/// Every mail below a folder.
fn mails(below: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(mails(path));
        } else if path.extension().is_some_and(|end| end == "eml") {
            found.push(path);
        }
    }
    found
}

#[test]
fn honest_job_mail_raises_no_flag() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let folder = std::env::var_os("ONWARD_MEASURE").map_or(own, PathBuf::from);
    let mut flagged = Vec::new();
    let all = mails(folder);
    assert!(all.len() > 300, "{}", all.len());
    for path in &all {
        let message = Message::parse(&std::fs::read(path).unwrap(), Fetched::Whole);
        let verdict = classify(&RULES, &message);
        let found = suspicion(&RULES, message.unwrapped(), &verdict.facts, message.auth.as_ref());
        if !found.is_empty() {
            let texts: Vec<String> = found.into_iter().map(|c| format!("{}: {}", c.code, c.text)).collect();
            flagged.push(format!("{} {} {texts:?}", path.display(), verdict.category));
        }
    }
    assert!(flagged.is_empty(), "{}", flagged.join("\n"));
}
