//! `onward run`: one task per account, reload, watchdog, graceful end.
