//! The exam that every engine sits.

mod concurrency;
mod model;
mod ranges;
mod transitions;

use gatelodge::store::Store;

use crate::disk::Disk;

/// A store in memory.
fn memory() -> Store {
    Store::memory().unwrap()
}

/// A store in a file whose name is gone, so that the system removes it at the end.
fn file() -> Store {
    let directory = tempfile::tempdir().unwrap();
    Store::open(&directory.path().join("store")).unwrap()
}

/// A store over a disk of ours.
fn over() -> Store {
    Disk::new().open().unwrap()
}

/// Each question, put to each engine.
macro_rules! exam {
    ($($question:ident),* $(,)?) => {
        mod memory { $(#[tokio::test] async fn $question() { super::$question(crate::exam::memory).await; })* }
        mod file { $(#[tokio::test] async fn $question() { super::$question(crate::exam::file).await; })* }
        mod over { $(#[tokio::test] async fn $question() { super::$question(crate::exam::over).await; })* }
    };
}
use exam;
