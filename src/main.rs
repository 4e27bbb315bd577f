//! The program: it parses its arguments and runs the command.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// How it is set: `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    gatelodge::cli::run()
}
