//! Views of the store: a snapshot, and a transaction with its own writes.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::engine::{KnownAt, Snapshot, Writes};
use crate::store::key::Key as _;
use crate::store::share::Share;
use crate::store::table::{EXPIRY, Entries, Row, decode, decode_key, encode, prefix, row_key};
use crate::store::view::{Rows, View};
use crate::store::weight::{self, Weight};

/// A snapshot of the store at one commit.
///
/// It is not `Send`, so that no task holds one across an `.await`: an old snapshot prevents the
/// reuse of every page that it sees.
///
/// ```compile_fail,E0277
/// fn is_send<T: Send>() {}
/// is_send::<gatelodge::store::Read>();
/// ```
pub struct Read {
    snapshot: Arc<Snapshot>,
    not_send: PhantomData<*const ()>,
}

impl Read {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, not_send: PhantomData }
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl View for Read {
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot.row(key)
    }

    fn known(&self, _: &[u8]) -> Option<KnownAt<'_>> {
        self.snapshot.known()
    }

    fn raw_range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Rows, StoreError> {
        self.snapshot.rows(from, to)?.take(limit).collect()
    }

    fn raw_count(&self, from: &[u8], to: &[u8], limit: usize) -> Result<usize, StoreError> {
        self.snapshot.count(from, to, limit)
    }
}

/// A transaction: its own writes over the writes of the earlier transitions of the batch, over a
/// snapshot. Reads see all of them.
pub struct Tx<'a> {
    #[cfg(test)]
    reads: std::cell::RefCell<Vec<u8>>,
    snapshot: &'a Snapshot,
    batch: &'a Writes,
    own: Writes,
}

impl<'a> Tx<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, batch: &'a Writes) -> Self {
        Self {
            #[cfg(test)]
            reads: std::cell::RefCell::default(),
            snapshot,
            batch,
            own: Writes::new(),
        }
    }

    pub(super) fn into_writes(self) -> Writes {
        self.own
    }

    /// Writes a row. Its declarations replace those of the row before it. A row that lies under an
    /// earlier form of its key stays there, since others may name it so.
    pub fn put<R: Row>(&mut self, key: &R::Key, row: R) -> Result<(), StoreError> {
        match self.elsewhere::<R>(key)? {
            Some(key) => self.put_at(&key, row),
            None => self.put_at(key, row),
        }
    }

    /// The key under which the row of `key` lies, if it is an earlier form.
    fn elsewhere<R: Row>(&self, key: &R::Key) -> Result<Option<R::Key>, StoreError> {
        if key.earlier_forms() == 0 {
            return Ok(None);
        }
        let at = self.place::<R>(key)?;
        (at != row_key::<R>(key)).then(|| decode_key::<R::Key>(R::TABLE, &at)).transpose()
    }

    fn put_at<R: Row>(&mut self, key: &R::Key, row: R) -> Result<(), StoreError> {
        let new = Entries::of(&row, key);
        let (at, bytes) = (row_key::<R>(key), encode(row));
        debug_assert!(decode::<R>(&at, &bytes).is_ok(), "what is written can be read again");
        let old = self.stored::<R>(key, &at)?.map(|(_, declared)| declared).unwrap_or_default();
        self.declare(&old, Declared::of(new, &at, &bytes))?;
        self.own.insert(at, Some(bytes));
        Ok(())
    }

    /// Removes a row with its declarations, and returns it.
    pub fn remove<R: Row>(&mut self, key: &R::Key) -> Result<Option<R>, StoreError> {
        match self.elsewhere::<R>(key)? {
            Some(key) => self.remove_at(&key),
            None => self.remove_at(key),
        }
    }

    fn remove_at<R: Row>(&mut self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let at = row_key::<R>(key);
        let Some((row, old)) = self.stored::<R>(key, &at)? else { return Ok(None) };
        self.declare(&old, Declared::default())?;
        self.own.insert(at, None);
        Ok(Some(row))
    }

    /// The row at `at`, and its declarations.
    fn stored<R: Row>(&self, key: &R::Key, at: &[u8]) -> Result<Option<(R, Declared)>, StoreError> {
        let Some(bytes) = self.raw(at)? else { return Ok(None) };
        let row: R = decode(at, &bytes)?;
        let declared = Declared::of(Entries::of(&row, key), at, &bytes);
        Ok(Some((row, declared)))
    }

    /// Replaces the declarations of a row.
    fn declare(&mut self, old: &Declared, new: Declared) -> Result<(), StoreError> {
        if (&old.shares, old.weight) != (&new.shares, new.weight) {
            for share in &old.shares {
                self.weigh(share, |sum| sum - old.weight)?;
            }
            for share in &new.shares {
                self.weigh(share, |sum| sum + new.weight)?;
            }
        }
        for entry in old.entries.iter().filter(|entry| !new.entries.contains(entry)) {
            self.own.insert(entry.clone(), None);
        }
        for entry in new.entries.into_iter().filter(|entry| !old.entries.contains(entry)) {
            self.own.insert(entry, Some(Vec::new()));
        }
        Ok(())
    }

    /// Changes the sum of `share`.
    fn weigh(
        &mut self,
        share: &Share,
        change: impl FnOnce(Weight) -> Weight,
    ) -> Result<(), StoreError> {
        let sum = self.weight(share)?;
        self.own.insert(weight::sum(share), change(sum).encode());
        Ok(())
    }

    /// Decodes the key of a row that [`View::expired`] or [`View::held`] returned.
    pub fn listed_key<R: Row>(&self, bytes: &[u8]) -> Result<R::Key, StoreError> {
        decode_key::<R::Key>(R::TABLE, bytes)
    }

    /// Removes a row that [`View::expired`] or [`View::held`] returned, and returns its key.
    pub fn remove_listed<R: Row>(&mut self, bytes: &[u8]) -> Result<R::Key, StoreError> {
        let key = self.listed_key::<R>(bytes)?;
        self.remove::<R>(&key)?;
        Ok(key)
    }

    /// Removes the expiry entry of a row that [`View::expired`] returned, and leaves the row.
    pub fn leave_expired(&mut self, since: Timestamp, bytes: &[u8]) {
        let mut entry = prefix(EXPIRY, &since);
        entry.extend_from_slice(bytes);
        self.own.insert(entry, None);
    }

    /// The number of rows and index entries that the transition has written or removed so far.
    #[doc(hidden)]
    pub fn written(&self) -> usize {
        self.own.len()
    }

    /// How often the transaction has looked for a row of `R` by its key.
    #[cfg(test)]
    pub(crate) fn reads<R: Row>(&self) -> usize {
        self.reads.borrow().iter().filter(|table| **table == R::TABLE.byte).count()
    }

    /// How often the transaction has looked for a row or an entry by its key.
    #[cfg(test)]
    pub(crate) fn all_reads(&self) -> usize {
        self.reads.borrow().len()
    }

    #[doc(hidden)]
    pub fn put_raw(&mut self, key: Vec<u8>, row: Vec<u8>) {
        self.own.insert(key, Some(row));
    }

    /// The pending writes of a range; `None` removes the row.
    fn held(&self, from: &[u8], to: &[u8]) -> BTreeMap<&[u8], Option<&[u8]>> {
        let range = || (std::ops::Bound::Included(from), std::ops::Bound::Excluded(to));
        self.batch
            .range::<[u8], _>(range())
            .chain(self.own.range::<[u8], _>(range()))
            .map(|(key, row)| (key.as_slice(), row.as_deref()))
            .collect()
    }
}

/// The declarations of a stored row.
#[derive(Default)]
struct Declared {
    entries: Vec<Vec<u8>>,
    shares: Vec<Share>,
    weight: Weight,
}

impl Declared {
    fn of(entries: Entries, at: &[u8], bytes: &[u8]) -> Self {
        Self { entries: entries.keys, shares: entries.shares, weight: Weight::of(at, bytes) }
    }
}

impl View for Tx<'_> {
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        #[cfg(test)]
        self.reads.borrow_mut().extend(key.first());
        match self.own.get(key).or_else(|| self.batch.get(key)) {
            Some(held) => Ok(held.clone()),
            None => self.snapshot.row(key),
        }
    }

    fn known(&self, key: &[u8]) -> Option<KnownAt<'_>> {
        let is_held = self.own.contains_key(key) || self.batch.contains_key(key);
        self.snapshot.known().filter(|_| !is_held)
    }

    fn raw_range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Rows, StoreError> {
        let mut held = self.held(from, to).into_iter().peekable();
        let mut stored = self.snapshot.rows(from, to)?.peekable();
        let mut rows = Rows::new();
        while rows.len() < limit {
            let stored_first = match (stored.peek(), held.peek()) {
                (None, None) => break,
                (Some(Err(_)), _) | (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(Ok((stored, _))), Some((held, _))) => stored.as_slice() < *held,
            };
            if stored_first {
                rows.extend(stored.next().transpose()?);
            } else if let Some((key, row)) = held.next() {
                // A pending write replaces the stored row of the same key.
                let _ = stored.next_if(|row| matches!(row, Ok((stored, _)) if stored == key));
                rows.extend(row.map(|row| (key.to_vec(), row.to_vec())));
            }
        }
        Ok(rows)
    }

    fn raw_count(&self, from: &[u8], to: &[u8], limit: usize) -> Result<usize, StoreError> {
        let held = self.held(from, to);
        // At most this many of the stored rows are removed by pending writes.
        let mut count = self.snapshot.count(from, to, limit.saturating_add(held.len()))?;
        for (key, row) in held {
            match (self.snapshot.row(key)?, row) {
                (None, Some(_)) => count += 1,
                (Some(_), None) => count -= 1,
                (None, None) | (Some(_), Some(_)) => {}
            }
        }
        Ok(count.min(limit))
    }
}
