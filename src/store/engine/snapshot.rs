//! What is read of the database at one commit.

use std::iter;
use std::mem;
use std::sync::Arc;

use redb::{AccessGuard, ReadOnlyTable};

use crate::store::{StoreError, seal};

use super::Opened;
use super::guard::guarded;
use super::known_rows::{KnownAt, KnownRows};

/// The key and the bytes of a row.
type KeyedRow = (Vec<u8>, Vec<u8>);

/// The rows of a snapshot.
pub(super) type Rows = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Bytes in a page.
type Guard<'a> = AccessGuard<'a, &'static [u8]>;

/// A snapshot of the database.
pub(in crate::store) struct Snapshot {
    /// The number of its commit, and what is known of its rows, if it is the one that all share.
    known: Option<(u64, Arc<KnownRows>)>,
    rows: Rows,
    /// Keeps the database open.
    opened: Arc<Opened>,
}

impl Snapshot {
    pub(super) fn of(opened: &Arc<Opened>) -> Result<Self, StoreError> {
        Ok(Self { known: None, rows: opened.rows()??, opened: Arc::clone(opened) })
    }

    /// The same, as the snapshot of the commit of this number.
    pub(super) fn numbered(self, commit: u64, known: &Arc<KnownRows>) -> Self {
        Self { known: Some((commit, Arc::clone(known))), ..self }
    }

    /// What is known of its rows without reading them.
    pub(in crate::store) fn known(&self) -> Option<KnownAt<'_>> {
        let (commit, rows) = self.known.as_ref()?;
        Some(KnownAt { commit: *commit, rows })
    }

    /// Whether its database has to be opened anew.
    pub(super) fn is_of_fault(&self) -> bool {
        self.opened.overlay.fault().is_some()
    }

    /// The row under `key`.
    pub(in crate::store) fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        guarded(|| {
            let Some(row) = self.rows.get(key)? else { return Ok(None) };
            Ok(Some(seal::open(key, row.value())?.to_vec()))
        })?
    }

    /// Counts the rows from `from` to before `to`, up to `limit`, without copying them.
    pub(in crate::store) fn count(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<usize, StoreError> {
        let counted = guarded(|| {
            let range = self.rows.range::<&[u8]>(from..to)?;
            range.take(limit).try_fold(0, |count, row| row.map(|_| count + 1))
        });
        Ok(counted??)
    }

    /// The rows from `from` to before `to`, in order. It goes on behind one that cannot be read, and
    /// ends where the engine fails.
    pub(in crate::store) fn rows<'a>(
        &'a self,
        from: &[u8],
        to: &[u8],
    ) -> Result<impl Iterator<Item = Result<KeyedRow, StoreError>> + use<'a>, StoreError> {
        let mut range = guarded(|| self.rows.range::<&[u8]>(from..to))??;
        let next = move || {
            let row = guarded(|| range.next().map(|row| copied(&row?)));
            row.unwrap_or_else(|damaged| Some(Err(damaged)))
        };
        let is_end =
            |row: &_| matches!(row, Err(error) if !matches!(error, StoreError::Corrupt { .. }));
        let mut ended = false;
        Ok(iter::from_fn(next).take_while(move |row| !mem::replace(&mut ended, is_end(row))))
    }
}

/// The key of a stored row, and the row.
fn copied((key, sealed): &(Guard<'_>, Guard<'_>)) -> Result<KeyedRow, StoreError> {
    let row = seal::open(key.value(), sealed.value())?.to_vec();
    Ok((key.value().to_vec(), row))
}
