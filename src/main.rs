//! The program: what it was called with becomes what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatelodge::cli::run()
}
