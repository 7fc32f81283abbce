//! Mail for the end-to-end tests, made from numbers: the same number always makes the same message.

/// What a generated message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A no from a person.
    HumanRejection,
    /// A no from an applicant-tracking system.
    RelayRejection,
    /// A receipt for an application.
    Acknowledgement,
    /// An invitation to talk.
    Interview,
    /// Nothing to do with jobs.
    Newsletter,
}

impl Kind {
    /// Whether a draft and a note are due.
    pub fn is_rejection(self) -> bool {
        matches!(self, Kind::HumanRejection | Kind::RelayRejection)
    }
}

/// A generated message.
pub struct Sample {
    /// What it is.
    pub kind: Kind,
    /// Its `Message-ID` without angle brackets.
    pub message_id: String,
    /// The message, CRLF.
    pub bytes: Vec<u8>,
}

const EMPLOYERS: [&str; 6] =
    ["Larkfield", "Tidewater Metrics", "Ostrava Looms", "Quillhaven", "Brightmoor Labs", "Sable & Finch"];
const ROLES: [&str; 5] = ["Data Analyst", "Site Engineer", "Payroll Officer", "Backend Developer", "Lab Technician"];

/// The `n`-th message.
pub fn sample(n: usize) -> Sample {
    let employer = EMPLOYERS[n % EMPLOYERS.len()];
    let role = ROLES[n % ROLES.len()];
    let kind = match n % 5 {
        0 => Kind::HumanRejection,
        1 => Kind::Acknowledgement,
        2 => Kind::RelayRejection,
        3 => Kind::Newsletter,
        _ => Kind::Interview,
    };
    let (from, subject, body) = match kind {
        Kind::HumanRejection => (
            "Edith Marlow <edith.marlow@larkfield.example>".to_owned(),
            format!("Your application for {role}"),
            format!(
                "Dear Robin,\n\nthank you for the interview last week. We have decided to offer the {role} position at \
                 {employer} to another candidate, so we will not be taking your application any further.\n\nKind regards,\nEdith Marlow\n{employer}\n"
            ),
        ),
        Kind::RelayRejection => (
            format!("{employer} Hiring Team <no-reply@us.greenhouse-mail.io>"),
            format!("Your application to {employer}"),
            format!(
                "Hello Robin,\n\nThank you for applying for the {role} role at {employer}. After reviewing your application, we \
                 have decided not to move forward with your candidacy.\n\nThe {employer} Hiring Team\n"
            ),
        ),
        Kind::Acknowledgement => (
            format!("{employer} <no-reply@us.greenhouse-mail.io>"),
            format!("We received your application for {role}"),
            format!(
                "Hello Robin,\n\nWe have received your application for the {role} role at {employer}. Our team will review it.\n"
            ),
        ),
        Kind::Interview => (
            "Edith Marlow <edith.marlow@larkfield.example>".to_owned(),
            format!("Interview for {role}"),
            format!(
                "Dear Robin,\n\nwe would like to invite you to an interview for the {role} position at {employer}. Are you free on Tuesday?\n\nEdith Marlow\n"
            ),
        ),
        Kind::Newsletter => (
            "Garden Letter <letter@garden.example>".to_owned(),
            "This month in the garden".to_owned(),
            "Hello,\n\nUnfortunately the frost took the early beans, so here is what to sow instead.\n".to_owned(),
        ),
    };
    let message_id = format!("sample-{n}@mail.example");
    let text = format!(
        "From: {from}\nTo: Robin Hale <robin@example.com>\nSubject: {subject}\nDate: Mon, 16 Nov 2026 09:{:02}:00 +0000\n\
         Message-ID: <{message_id}>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}\n(mail number {n})\n",
        n % 60
    );
    Sample { kind, message_id, bytes: text.replace('\n', "\r\n").into_bytes() }
}
