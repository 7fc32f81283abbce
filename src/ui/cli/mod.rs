//! The command line: one file per verb. This file reads the arguments, calls the verb, and turns what it says into
//! an exit status. It must not do a verb's work.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser as _};

use self::{
    args::{Cli, Verb},
    home::Home,
};
use super::term::Screen;

pub mod args;
mod auth;
pub mod classify;
mod config;
mod demo;
mod doctor;
mod draft;
pub mod explain;
mod feedback;
mod fix;
mod forget;
mod home;
mod import;
mod learn;
mod list;
mod log;
mod notes;
mod propose;
mod restore;
mod review;
pub mod rules;
mod rules_effect;
mod run;
mod send;
mod show;
mod status;

/// How a verb ended. The numbers are the command line's contract (`design.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0.
    Fine,
    /// 1: it failed, or found something.
    Findings,
    /// 2: wrong usage, or rules that cannot be loaded.
    Usage,
    /// 4: something needs the person.
    Attention,
    /// A code of `sysexits.h`, for systemd.
    System(u8),
}

/// `EX_USAGE`: the command line of the daemon is wrong.
pub const EX_USAGE: u8 = 64;
/// `EX_TEMPFAIL`: try again later.
pub const EX_TEMPFAIL: u8 = 75;
/// `EX_IOERR`: a file or the database failed.
pub const EX_IOERR: u8 = 74;
/// `EX_NOPERM`: permissions have to be changed.
pub const EX_NOPERM: u8 = 77;
/// `EX_CONFIG`: the configuration has to be changed.
pub const EX_CONFIG: u8 = 78;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Attention => 4,
            Exit::System(code) => code,
        })
    }
}

/// The program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let wrong = if is_daemon(std::env::args().skip(1)) { EX_USAGE } else { 2 };
            return ExitCode::from(if error.use_stderr() { wrong } else { 0 });
        }
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut screen = Screen::stdout(&mut out);
    let ended = run(&cli, &mut screen);
    let flushed = out.flush();
    match ended.and_then(|exit| flushed.map(|()| exit).map_err(Into::into)) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "onward: {}", crate::clean::text(&format!("{error:#}")));
            exit_of(&error).into()
        }
    }
}

fn run(cli: &Cli, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let home = Home::new(cli.common.clone());
    let Some(verb) = &cli.verb else { return status::run(&home, screen) };
    match verb {
        Verb::Demo(args) => demo::run(&home, *args, screen),
        Verb::Run => run::daemon(&home),
        Verb::Once { dry_run } => run::once(&home, *dry_run, screen),
        Verb::Import { paths } => import::run(&home, paths, screen),
        Verb::Classify { paths } => classify::run(&home, paths, screen),
        Verb::Review { all, no_submit } => review::run(&home, *all, *no_submit, screen),
        Verb::List(args) => list::run(&home, args, screen),
        Verb::Show { id } => show::show(&home, *id, screen),
        Verb::Why { id } => show::why(&home, *id, screen),
        Verb::Fix(args) => fix::fix(&home, args, screen),
        Verb::Undo { id } => fix::undo(&home, *id, screen),
        Verb::Draft(verb) => draft::run(&home, verb, screen),
        Verb::Feedback(args) => feedback::run(&home, args, screen),
        Verb::Send(args) => send::run(&home, args, screen),
        Verb::Log(args) => log::run(&home, args, screen),
        Verb::Explain { what, rule } => explain::run(&home, what, rule.as_deref(), screen),
        Verb::Rules(verb) => rules::run(&home, verb, screen),
        Verb::Learn(verb) => learn::run(&home, *verb, screen),
        Verb::Forget(args) => forget::run(&home, args, screen),
        Verb::Restore { backup } => restore::run(&home, backup.as_deref(), screen),
        Verb::Notes(verb) => notes::run(&home, verb, screen),
        Verb::Config(verb) => config::run(&home, *verb, screen),
        Verb::Auth(args) => auth::run(&home, args, screen),
        Verb::Doctor => doctor::run(&home, screen),
        Verb::Completions { shell } => {
            // Into memory first: the generator panics when its reader goes away.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "onward", &mut script);
            screen.raw().write_all(&script)?;
            Ok(Exit::Fine)
        }
        Verb::Man => {
            clap_mangen::Man::new(Cli::command()).render(screen.raw())?;
            Ok(Exit::Fine)
        }
    }
}

/// Whether a command line that cannot be read was meant for the daemon: systemd knows `sysexits.h` and not our 2.
fn is_daemon(args: impl Iterator<Item = String>) -> bool {
    let mut args = args;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // The value is no verb.
            "--config" | "--state" => drop(args.next()),
            option if option.starts_with('-') => {}
            verb => return verb == "run",
        }
    }
    false
}

/// A reader that went away (`onward list | head`) is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|e| e.downcast_ref::<io::Error>()).any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// The status an error stands for: a broken configuration is told apart, because trying again does not help.
fn exit_of(error: &anyhow::Error) -> Exit {
    let config =
        |e: &(dyn std::error::Error + 'static)| e.is::<crate::config::Report>() || e.is::<crate::config::NoHome>();
    if error.chain().any(config) { Exit::System(EX_CONFIG) } else { Exit::Findings }
}
