//! The daemon's log: one event is one line on standard error, `key=value` behind a sentence, ready for journald.
//!
//! It must never carry a secret, a mail body, a subject or an address: callers log ids. Libraries that print what goes
//! over the wire (async-imap at TRACE prints LOGIN with its password) are capped here whatever the level.

use std::fmt::{self, Write as _};

use tracing::{Event, Level, Subscriber, field::Visit, level_filters::LevelFilter};
use tracing_subscriber::{
    filter::Targets,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

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
    let journald = std::env::var_os("JOURNAL_STREAM").is_some();
    let layer = tracing_subscriber::fmt::layer().event_format(OneLine { journald }).with_writer(std::io::stderr);
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
        if self.journald {
            // sd-daemon(3): the priority stands in angle brackets; journald adds the time.
            write!(writer, "<{}>", priority(level))?;
        } else {
            write!(writer, "{} {level:<5} ", jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"))?;
        }
        let line = format!("{}{}", fields.message, fields.rest);
        writeln!(writer, "{}", clean::line_within(&line, LINE_CHARS_MAX))
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
