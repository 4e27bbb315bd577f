//! A new file that is filled with rows in one transaction, beside the place that it is made for.
//!
//! Rows come in the order of their keys, and their index entries do not. So all of them are sorted first, by
//! a database whose file has no name and never a commit. Then they are written in their order, which fills
//! the pages: those of a tree that grows by single rows are half to two thirds full.

use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::Path;

use redb::{Database, Durability, ReadableTable as _, WriteTransaction};

use crate::private_file;
use crate::store::{StoreError, seal};

use super::guard::guarded;
use super::{ROWS, Writes, builder};

/// The bytes of rows that wait to be written in the order of their keys.
const MAX_PENDING: usize = 64 * 1024 * 1024;

/// The page cache of what sorts them.
const CACHE_BYTES: usize = 256 * 1024 * 1024;

/// The rows of a file that is being made.
pub(in crate::store) struct Draft {
    transaction: WriteTransaction,
    pending: Writes,
    bytes: usize,
}

impl Draft {
    /// Adds a row, or replaces the one of its key.
    pub(in crate::store) fn put(&mut self, key: Vec<u8>, row: Vec<u8>) -> Result<(), StoreError> {
        self.bytes += key.len() + row.len();
        self.pending.insert(key, Some(row));
        if self.bytes > MAX_PENDING { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        let mut rows = self.transaction.open_table(ROWS)?;
        for (key, row) in &self.pending {
            if let Some(row) = row {
                rows.insert(key.as_slice(), &*seal::seal(key, row))?;
            }
        }
        drop(rows);
        self.pending.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Makes the private file at `path`, over what a killed process may have left there, and fills it
/// by `fill`. When this returns, the file is on the disk and closed.
///
/// # Errors
///
/// Those of `fill`, and [`StoreError::Unwritable`] if the disk does not take it. The file is
/// removed.
pub(in crate::store) fn draft<T, E: From<StoreError>>(
    path: &Path,
    fill: impl FnOnce(&mut Draft) -> Result<T, E>,
) -> Result<T, E> {
    let unsorted = unnamed(path).map_err(|error| super::unwritable(&error))?;
    let file = private_file::create_draft(path).map_err(|error| super::unwritable(&error))?;
    let filled =
        guarded(|| filled(file, unsorted, fill)).map_err(E::from).and_then(|filled| filled);
    if filled.is_err() {
        // What cannot be removed is overwritten by the next.
        let _ = std::fs::remove_file(path);
    }
    filled
}

fn filled<T, E: From<StoreError>>(
    file: File,
    unsorted: File,
    fill: impl FnOnce(&mut Draft) -> Result<T, E>,
) -> Result<T, E> {
    let unsorted = builder().set_cache_size(CACHE_BYTES).create_file(unsorted);
    let unsorted = unsorted.map_err(StoreError::from)?;
    let mut draft = Draft { transaction: started(&unsorted)?, pending: Writes::new(), bytes: 0 };
    let result = fill(&mut draft)?;
    draft.write()?;

    let mut database = builder().create_file(file).map_err(StoreError::from)?;
    let transaction = started(&database)?;
    sorted(&draft.transaction, &transaction)?;
    draft.transaction.abort().map_err(failed)?;
    transaction.commit().map_err(failed)?;
    // A new file has room for more than there is.
    database.compact().map_err(failed)?;
    Ok(result)
}

/// Copies all rows in the order of their keys.
fn sorted(from: &WriteTransaction, to: &WriteTransaction) -> Result<(), StoreError> {
    let (from, mut to) = (from.open_table(ROWS)?, to.open_table(ROWS)?);
    let mut end = to.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
    for row in from.iter()? {
        let (key, sealed) = row?;
        end.insert_before(key.value(), sealed.value()).map_err(failed)?;
    }
    Ok(end.close()?)
}

fn started(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_durability(Durability::Immediate).map_err(failed)?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// A private file beside `path`. It has no name any more, and is gone once this process has ended.
fn unnamed(path: &Path) -> io::Result<File> {
    let name = path.with_added_extension("unsorted");
    let file = private_file::create_draft(&name)?;
    fs::remove_file(&name)?;
    Ok(file)
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    error.into().into()
}
