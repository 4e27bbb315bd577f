//! One run, one table: what the parts of a sign-in cost, each beside the least that its kind of
//! work can cost. `cargo bench`.
//!
//! A rate is the median of several short windows. What is compared takes turns within one run, so
//! that a busy machine slows both down alike: trust the ratios more than the rates.
//!
//! The pages over many rows stand apart, and one that is late fails the run. What is named runs alone,
//! and `--rows` says how many rows of a kind there are:
//!
//! ```text
//! cargo bench --bench gatelodge -- pages --rows 2000
//! ```
//!
//! `keep` and `operations` run only where they are named: the commands that keep a store for years, over one
//! with many rows; and operations over HTTP by the built program, each beside the least that it could cost.
//! Such a run is saved and compared with another by their ratios, which a slower machine leaves as they are:
//!
//! ```text
//! cargo bench --bench gatelodge -- operations --save before.json
//! cargo bench --bench gatelodge -- operations --against before.json
//! ```
//!
//! With `--grants`, the operations are measured over a store with so many grants beside a small one, and
//! so are what a commit writes, the start after a kill, and what a backup or a sweep does to whoever asks
//! meanwhile:
//!
//! ```text
//! cargo bench --bench gatelodge -- operations --grants 1000000
//! ```
//!
//! `--only` and `--callers` leave most of them out, for a look at one of them with a profiler.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has no result")]
#![expect(clippy::disallowed_methods, reason = "what is measured here is time")]

mod crowd;
mod http;
mod installed;
mod keep;
mod lists;
mod machine;
mod measure;
mod operations;
mod pages;
mod parse;
mod sign;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;

use measure::Row;

/// The rows of a kind, unless `--rows` says another number.
const ROWS: u32 = 100_000;

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    operations: operations::Asked,
    rows: u32,
    /// What runs; nothing: all.
    subjects: Vec<String>,
}

impl Asked {
    fn read() -> Self {
        let mut asked = Self { rows: ROWS, ..Self::default() };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo says so to every benchmark.
                "--bench" => {}
                "--rows" => {
                    let rows = arguments.next().and_then(|rows| rows.parse().ok());
                    asked.rows =
                        rows.filter(|rows| *rows >= 500).expect("--rows takes 500 or more");
                }
                "--against" => asked.operations.against = arguments.next().map(PathBuf::from),
                "--callers" => {
                    let callers = arguments.next().and_then(|callers| callers.parse().ok());
                    asked.operations.callers = Some(callers.expect("--callers takes a number"));
                }
                "--grants" => {
                    let grants = arguments.next().and_then(|grants| grants.parse().ok());
                    asked.operations.grants = grants.expect("--grants takes a number");
                }
                "--only" => asked.operations.only = arguments.next(),
                "--save" => asked.operations.save = arguments.next().map(PathBuf::from),
                subject => asked.subjects.push(subject.to_owned()),
            }
        }
        asked
    }

    fn has(&self, subject: &str) -> bool {
        self.subjects.is_empty() || self.subjects.iter().any(|own| own == subject)
    }
}

fn main() -> ExitCode {
    if operations::is_limit() {
        operations::serve_limit();
    }
    let asked = Asked::read();
    machine::tell();
    println!("{}", Row::HEAD);
    let lists = || lists::rows(asked.rows);
    let subjects: [(&str, &dyn Fn() -> Vec<Row>); 5] = [
        ("parse", &parse::rows),
        ("sign", &sign::rows),
        ("write", &write::rows),
        ("lists", &lists),
        ("http", &http::rows),
    ];
    for (_, rows) in subjects.into_iter().filter(|(name, _)| asked.has(name)) {
        for row in rows() {
            println!("{row}");
        }
    }
    if asked.has("pages") && !pages::are_in_time(asked.rows) {
        println!("a page is late, or another than was meant");
        return ExitCode::FAILURE;
    }
    if asked.subjects.iter().any(|own| own == "keep") {
        keep::tell(asked.rows);
    }
    if asked.subjects.iter().any(|own| own == "operations") {
        operations::tell(&asked.operations);
    }
    ExitCode::SUCCESS
}
