//! The store: what any engine has to do, and what its file has to survive.

#![expect(clippy::unwrap_used, reason = "a test that gets nothing has failed")]
#![expect(clippy::expect_used, reason = "a test that gets nothing has failed")]
#![expect(clippy::panic, reason = "that is how a test fails")]
#![expect(clippy::indexing_slicing, reason = "a test that reads past the end has failed")]

mod backup;
mod crash;
mod damage;
mod disk;
mod exam;
mod forms;
mod golden;
mod opening;
mod outage;
mod references;
mod rewriting;
mod rows;
mod samples;
mod shared;
mod tables;
mod trouble;
mod weights;
