//! Rows that were read before, as they are in the newest commit.
//!
//! It remembers what a row says and never how long that holds: whoever commits takes out what they change
//! before anybody can read the new commit. So a snapshot reads the same whether a row is here or not.
//!
//! - A row comes in with the number of the commit whose snapshot it was read from, and stays out if a later
//!   commit has changed something beside it meanwhile.
//! - A snapshot of an earlier commit than that does not get it: the row may have been another one then.

use std::any::Any;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Writes;

/// The parts, each with a lock of its own.
const PARTS: usize = 16;

/// The most rows in each half of a part, and the most bytes of one with its key, as they are stored: 8 MiB in
/// all. A row that is read takes more room than one that is stored.
const MAX_IN_HALF: usize = 128;
const MAX_BYTES: usize = 2048;

/// A row, or that there is none.
type Known = Option<Arc<dyn Any + Send + Sync>>;

/// The rows that were read last.
#[derive(Default)]
pub(super) struct KnownRows {
    parts: [Mutex<Part>; PARTS],
}

/// What was read since the newer half began, and what was read in the time of the half before.
#[derive(Default)]
struct Part {
    /// The last commit, or attempt at one, that may have changed a row of this part.
    changed: u64,
    newer: HashMap<Box<[u8]>, Entry>,
    older: HashMap<Box<[u8]>, Entry>,
}

#[derive(Clone)]
struct Entry {
    /// The commit from whose snapshot it was read.
    commit: u64,
    row: Known,
}

impl KnownRows {
    fn part(&self, key: &[u8]) -> MutexGuard<'_, Part> {
        // Most keys have an id in them that nobody chose.
        let sum = key.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let part = usize::from(sum) % PARTS;
        let part = self.parts.get(part).unwrap_or(&self.parts[0]);
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what the commit of this number writes. It comes before its snapshot.
    pub(super) fn change(&self, commit: u64, writes: &Writes) {
        for key in writes.keys() {
            let mut part = self.part(key);
            part.changed = commit;
            part.newer.remove(key.as_slice());
            part.older.remove(key.as_slice());
        }
    }

    /// Takes out everything.
    pub(super) fn clear(&self, commit: u64) {
        for part in &self.parts {
            *part.lock().unwrap_or_else(PoisonError::into_inner) =
                Part { changed: commit, ..Part::default() };
        }
    }
}

/// The rows as they are in one commit.
#[derive(Clone, Copy)]
pub struct KnownAt<'a> {
    pub(super) commit: u64,
    pub(super) rows: &'a KnownRows,
}

impl KnownAt<'_> {
    /// What is known of the row under `key`: `Some(None)` if there is no such row.
    pub(in crate::store) fn find<R: Any + Send + Sync>(self, key: &[u8]) -> Option<Option<Arc<R>>> {
        let entry = self.rows.part(key).find(key, self.commit)?;
        entry.row.map(Arc::downcast).transpose().ok()
    }

    /// Keeps the row under `key`, which was read from this commit and has that many bytes.
    pub(in crate::store) fn keep<R: Any + Send + Sync>(
        self,
        key: &[u8],
        bytes: usize,
        row: Option<&Arc<R>>,
    ) {
        if key.len() + bytes > MAX_BYTES {
            return;
        }
        let row = row.map(|row| Arc::clone(row) as Arc<dyn Any + Send + Sync>);
        let mut part = self.rows.part(key);
        if self.commit >= part.changed {
            part.insert(key.into(), Entry { commit: self.commit, row });
        }
    }
}

impl Part {
    fn find(&mut self, key: &[u8], commit: u64) -> Option<Entry> {
        let is_for = |entry: &&Entry| entry.commit <= commit;
        if let Some(entry) = self.newer.get(key) {
            return Some(entry).filter(is_for).cloned();
        }
        self.older.get(key).filter(is_for)?;
        let (key, entry) = self.older.remove_entry(key)?;
        self.insert(key, entry.clone());
        Some(entry)
    }

    fn insert(&mut self, key: Box<[u8]>, entry: Entry) {
        if self.newer.len() == MAX_IN_HALF {
            self.older = mem::take(&mut self.newer);
        }
        self.older.remove(&key);
        self.newer.insert(key, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rows: &KnownRows, commit: u64) -> KnownAt<'_> {
        KnownAt { commit, rows }
    }

    fn found(rows: &KnownRows, commit: u64, key: &[u8]) -> Option<Option<u32>> {
        at(rows, commit).find::<u32>(key).map(|row| row.map(|row| *row))
    }

    fn writes(key: &[u8], row: Option<&[u8]>) -> Writes {
        Writes::from([(key.to_vec(), row.map(<[u8]>::to_vec))])
    }

    #[test]
    fn a_row_is_known_until_a_commit_changes_it_and_to_no_snapshot_from_before() {
        let rows = KnownRows::default();
        assert_eq!(found(&rows, 3, b"a"), None);

        at(&rows, 3).keep(b"a", 1, Some(&Arc::new(7_u32)));
        at(&rows, 3).keep::<u32>(b"b", 0, None);
        assert_eq!((found(&rows, 3, b"a"), found(&rows, 9, b"a")), (Some(Some(7)), Some(Some(7))));
        assert_eq!(found(&rows, 3, b"b"), Some(None));
        // An earlier snapshot reads for itself.
        assert_eq!(found(&rows, 2, b"a"), None);

        rows.change(4, &writes(b"a", Some(b"new")));
        rows.change(5, &writes(b"b", None));
        assert_eq!((found(&rows, 4, b"a"), found(&rows, 5, b"b")), (None, None));
        // Whoever read it before the commit, and comes after it.
        at(&rows, 3).keep(b"a", 1, Some(&Arc::new(7_u32)));
        assert_eq!(found(&rows, 4, b"a"), None);
        at(&rows, 4).keep(b"a", 1, Some(&Arc::new(8_u32)));
        assert_eq!(found(&rows, 4, b"a"), Some(Some(8)));

        rows.clear(6);
        at(&rows, 5).keep(b"a", 1, Some(&Arc::new(8_u32)));
        assert_eq!(found(&rows, 6, b"a"), None);
    }

    #[test]
    fn what_is_read_again_and_again_stays_and_no_more_than_so_many() {
        let rows = KnownRows::default();
        for number in 0..100_000_u32 {
            let key = number.to_be_bytes();
            at(&rows, 1).keep(&key, 4, Some(&Arc::new(number)));
            at(&rows, 1).keep(b"hot", 3, Some(&Arc::new(1_u32)));
            assert_eq!(found(&rows, 1, b"hot"), Some(Some(1)));
        }

        let known = |part: &Mutex<Part>| {
            let part = part.lock().unwrap();
            part.newer.len() + part.older.len()
        };
        assert!(rows.parts.iter().map(known).sum::<usize>() <= 2 * PARTS * MAX_IN_HALF);
        at(&rows, 1).keep(b"long", MAX_BYTES + 1, Some(&Arc::new(1_u32)));
        assert_eq!(found(&rows, 1, b"long"), None);
    }
}
