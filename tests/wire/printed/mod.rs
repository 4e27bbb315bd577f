//! What a program reads of the command line: failures, help, and whose a place is.

mod failures;
#[cfg(target_os = "linux")]
mod owner;
mod tokens;
pub(crate) mod verbs;
