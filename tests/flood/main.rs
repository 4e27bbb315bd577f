//! The flood test: strangers ask for as much as two cores allow, while a person signs in and a client
//! refreshes. It drives the built binary, in a network namespace of its own, and prints a table.
//! `make flood`.
//!
//! Every flood runs from three sources: from 127.0.0.1, which is the person's own address, from one
//! other address, and from 10,000 /64s of one /48. `judge.rs` has the criteria. The rates are those of
//! a client on the same cores.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a run that cannot go on ends here, in whichever function it is"
)]
#![expect(clippy::disallowed_methods, reason = "what is measured here is time")]

mod arguments;
mod exchange;
mod floods;
mod judge;
mod netns;
mod person;
mod run;
mod sender;
mod server;
mod site;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(fault) => {
            eprintln!("{fault}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let sources = match netns::enter() {
        netns::Place::Inside(sources) => sources,
        netns::Place::Outside(status) => return status,
    };
    netns::need_descriptors();
    judge::tell_machine(&arguments);
    let mut passed = true;
    for flood in floods::all().into_iter().filter(|flood| arguments.asks_for(flood)) {
        for source in sources.iter().filter(|source| arguments.asks_from(&flood, **source)) {
            let outcome = run::run(&arguments, &flood, *source);
            let faults = judge::faults(&arguments, &flood, &outcome);
            judge::tell(&outcome, &faults);
            // Without admission, the same criteria have to fail.
            passed &= faults.is_empty() != arguments.without_admission;
        }
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
