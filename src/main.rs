//! The binary: nothing but the call into the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    onward::ui::cli::main()
}
