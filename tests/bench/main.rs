//! One run, one table: what the parts of a sign-in cost, each beside the least that its kind of
//! work can cost. `cargo bench`.
//!
//! A rate is the median of several short windows. What is compared takes turns within one run, so
//! that a busy machine slows both down alike: trust the ratios more than the rates.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has no result")]
#![expect(clippy::disallowed_methods, reason = "what is measured here is time")]

mod http;
mod installed;
mod lists;
mod machine;
mod measure;
mod parse;
mod sign;
mod write;

use measure::Row;

fn main() {
    machine::tell();
    println!("{}", Row::HEAD);
    for subject in [parse::rows, sign::rows, write::rows, lists::rows, http::rows] {
        for row in subject() {
            println!("{row}");
        }
    }
}
