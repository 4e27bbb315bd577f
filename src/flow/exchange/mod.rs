//! The exchange: everything that outlives a version and a machine, as lines of JSON, out and in.
//!
//! What goes out are hashes and public data: no secret can be used that is not known already. The
//! keyed hashes hold under the same root secret alone, which the first line declares by its check
//! value. What comes in is taken whole, in one transaction, or not at all. What is there already and
//! equal stays as it is, and what differs is refused.

mod export;
mod file;
mod identity;
mod import;
mod lines;
mod member;
mod notes;
mod parse;
mod persons;
mod plan;
mod rows;
mod things;

pub use export::{Sink, write};
pub use file::{Faults, File, read};
pub use import::{Imported, Invited, Wanted, run};
pub use notes::Note;
