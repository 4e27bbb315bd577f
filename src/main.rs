//! The program: it parses its arguments and runs the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatelodge::cli::run()
}
