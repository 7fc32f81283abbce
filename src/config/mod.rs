//! Reads `config.toml`: all problems in one report, with file, line and fix.
