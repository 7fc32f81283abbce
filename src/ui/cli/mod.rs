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
mod fix;
mod home;
mod import;
mod learn;
mod list;
mod log;
mod notes;
mod propose;
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
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
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
        Verb::Send { dry_run } => send::run(&home, *dry_run, screen),
        Verb::Log(args) => log::run(&home, args, screen),
        Verb::Explain { what, rule } => explain::run(&home, what, rule.as_deref(), screen),
        Verb::Rules(verb) => rules::run(&home, verb, screen),
        Verb::Learn(verb) => learn::run(&home, *verb, screen),
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

/// A reader that went away (`onward list | head`) is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|e| e.downcast_ref::<io::Error>()).any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}

/// The status an error stands for: a broken configuration is told apart, because trying again does not help.
fn exit_of(error: &anyhow::Error) -> Exit {
    if error.chain().any(|e| e.is::<crate::config::Report>()) { Exit::System(EX_CONFIG) } else { Exit::Findings }
}
