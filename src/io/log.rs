//! The daemon's log: one event is one line on standard error, `key=value` behind a sentence, ready for journald.
//!
//! It must never carry a secret, a mail body, a subject or an address: callers log ids. Libraries that print what goes
//! over the wire (async-imap at TRACE prints LOGIN with its password) are capped here whatever the level.

mod flood;

use std::{
    fmt::{self, Write as _},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use tracing::{Event, Level, Subscriber, field::Visit, level_filters::LevelFilter};
use tracing_subscriber::{
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use self::flood::{Flood, Verdict};
use crate::{clean, config::LogLevel};

/// Longest log line, in characters: a server's text is cut well before, this bounds everything else.
const LINE_CHARS_MAX: usize = 1000;

/// Starts logging to standard error. Later calls change nothing.
pub fn start(level: LogLevel) {
    let own = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    // Only our own crate is let through above WARN: see the module's doc.
    let filter = Targets::new().with_default(LevelFilter::OFF).with_target("onward", own);
    let format = OneLine { journald: std::env::var_os("JOURNAL_STREAM").is_some(), flood: Mutex::default() };
    let layer = tracing_subscriber::fmt::layer().event_format(format).with_writer(std::io::stderr);
    let _ = tracing_subscriber::registry().with(layer).with(filter).try_init();
    // The usual hook prints the panic's text, which may quote a mail ("... is not a char boundary; it is inside ...").
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "A mistake in onward stopped a step; please report the place.");
    }));
}

/// Formats an event as one line.
struct OneLine {
    journald: bool,
    flood: Mutex<Flood>,
}

impl OneLine {
    /// The line with how often it was held back since it was written last; `None` while it is to be held back. Warnings
    /// and errors only: what happened is told each time.
    fn against_flood(&self, event: &Event<'_>, mut line: String) -> Option<String> {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN {
            return Some(line);
        }
        let mut flood = self.flood.lock().unwrap_or_else(PoisonError::into_inner);
        let Verdict::Write { same, others } = flood.judge(metadata.name(), &line, Instant::now()) else { return None };
        if same > 0 {
            let _ = write!(line, " (and {same} times more since it was written last)");
        }
        if others > 0 {
            let _ = write!(line, " ({others} lines like this one were left out)");
        }
        Some(line)
    }
}

impl<S, N> FormatEvent<S, N> for OneLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = *event.metadata().level();
        let line = clean::line_within(&format!("{}{}", fields.message, fields.rest), LINE_CHARS_MAX);
        let Some(line) = self.against_flood(event, line) else { return Ok(()) };
        if self.journald {
            // sd-daemon(3): the priority stands in angle brackets; journald adds the time.
            write!(writer, "<{}>", priority(level))?;
        } else {
            write!(writer, "{} {level:<5} ", jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"))?;
        }
        writeln!(writer, "{line}")
    }
}

fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else if value.chars().all(|c| c.is_alphanumeric() || "-_./:@".contains(c)) && !value.is_empty() {
            let _ = write!(self.rest, " {}={value}", field.name());
        } else {
            let _ = write!(self.rest, " {}={value:?}", field.name());
        }
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            let _ = write!(self.rest, " {}={value:?}", field.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::Arc,
    };

    use super::*;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce()) -> Vec<String> {
        let kept = Kept::default();
        let writer = kept.clone();
        let format = OneLine { journald: true, flood: Mutex::default() };
        let layer = tracing_subscriber::fmt::layer().event_format(format).with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_hundred_warnings_a_second_are_one_line_and_news_are_all_told() {
        let lines = logged(|| {
            for n in 0..1000 {
                tracing::warn!(account = "home", "The account cannot be watched.");
                if n < 3 {
                    tracing::warn!(account = %format!("other{n}"), "The account cannot be watched.");
                    tracing::info!("A mail was logged.");
                }
            }
            tracing::error!("Something else.");
        });
        let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
        assert_eq!(count("account=home"), 1, "{lines:?}");
        assert_eq!((count("account=other"), count("A mail was logged."), count("Something else.")), (3, 3, 1));
        assert_eq!(lines.len(), 8, "{lines:?}");
        assert!(lines.iter().all(|line| line.starts_with('<')), "no line is left half: {lines:?}");
    }
}
