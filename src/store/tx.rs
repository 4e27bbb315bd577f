//! Views of the store: a snapshot, and a transaction with its own writes.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::clock::Timestamp;
use crate::secret::hex;
use crate::store::StoreError;
use crate::store::engine::{Snapshot, Writes};
use crate::store::key::{Key, after};
use crate::store::share::Share;
use crate::store::table::{
    EXPIRY, Entries, Index, Row, decode, decode_key, encode, prefix, row_key,
};
use crate::store::weight::{self, Weight};

/// The number of rows that a filtered listing reads at a time.
const BATCH: usize = 256;

/// The part of a listing that a caller asks for.
#[derive(Clone, Copy, Debug)]
pub struct Span<K> {
    /// The key after which it starts; `None` for the first.
    pub after: Option<K>,
    /// The most results.
    pub limit: usize,
}

impl<K> Span<K> {
    /// The first `limit` results.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }
}

/// A page of a listing.
#[derive(Debug)]
pub struct Listing<T, K> {
    /// The results, in the order of their keys.
    pub items: Vec<T>,
    /// The key after which the next page starts; `None` if this page is the last.
    pub next: Option<K>,
}

/// The page `span` of the results of `keep`. `read` returns a batch of the entries after a key.
fn filter<K: Key, E, T>(
    span: &Span<K>,
    read: impl Fn(Option<&K>) -> Result<Vec<(K, E)>, StoreError>,
    mut keep: impl FnMut(&K, E) -> Result<Option<T>, StoreError>,
) -> Result<Listing<T, K>, StoreError> {
    let (mut items, mut last) = (Vec::new(), None);
    loop {
        let batch = read(last.as_ref().or(span.after.as_ref()))?;
        let is_last = batch.len() < BATCH;
        for (key, entry) in batch {
            if items.len() == span.limit {
                return Ok(Listing { items, next: last });
            }
            items.extend(keep(&key, entry)?);
            last = Some(key);
        }
        if is_last {
            return Ok(Listing { items, next: None });
        }
    }
}

/// Rows as bytes: key and value.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The reads of a snapshot or a transaction.
pub trait View {
    #[doc(hidden)]
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    #[doc(hidden)]
    fn raw_range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Rows, StoreError>;

    #[doc(hidden)]
    fn raw_count(&self, from: &[u8], to: &[u8], limit: usize) -> Result<usize, StoreError>;

    /// The row under `key`.
    fn find<R: Row>(&self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let key = row_key::<R>(key);
        self.raw(&key)?.map(|bytes| decode(&key, &bytes)).transpose()
    }

    /// The first `limit` rows of a table.
    fn list<R: Row>(&self, limit: usize) -> Result<Vec<(R::Key, R)>, StoreError> {
        self.list_under::<R, ()>(&(), limit)
    }

    /// The first `limit` rows whose key begins with `first`.
    fn list_under<R: Row, A: Key>(
        &self,
        first: &A,
        limit: usize,
    ) -> Result<Vec<(R::Key, R)>, StoreError> {
        self.list_after::<R, A>(first, None, limit)
    }

    /// The first `limit` rows whose key begins with `first` and comes after `last`.
    fn list_after<R: Row, A: Key>(
        &self,
        first: &A,
        last: Option<&R::Key>,
        limit: usize,
    ) -> Result<Vec<(R::Key, R)>, StoreError> {
        let whole = prefix(R::TABLE, first);
        let from = last.map_or_else(|| whole.clone(), |last| after(&row_key::<R>(last)));
        let rows = self.raw_range(&from, &after(&whole), limit)?;
        let read =
            |(key, row): &(Vec<u8>, Vec<u8>)| Ok((decode_key(R::TABLE, key)?, decode(key, row)?));
        rows.iter().map(read).collect()
    }

    /// The number of rows of a table, counted up to `limit`.
    fn count<R: Row>(&self, limit: usize) -> Result<usize, StoreError> {
        let from = [R::TABLE.byte];
        self.raw_count(&from, &after(&from), limit)
    }

    /// The first `limit` keys that `index` has for `by`.
    fn by<A: Key, B: Key>(
        &self,
        index: &Index<A, B>,
        by: &A,
        limit: usize,
    ) -> Result<Vec<B>, StoreError> {
        self.by_after(index, by, None, limit)
    }

    /// The first `limit` keys after `last` that `index` has for `by`.
    fn by_after<A: Key, B: Key>(
        &self,
        index: &Index<A, B>,
        by: &A,
        last: Option<&B>,
        limit: usize,
    ) -> Result<Vec<B>, StoreError> {
        let whole = prefix(index.tag, by);
        let mut from = whole.clone();
        if let Some(last) = last {
            last.write(&mut from);
            from = after(&from);
        }
        let rows = self.raw_range(&from, &after(&whole), limit)?;
        let read = |(key, _): &(Vec<u8>, Vec<u8>)| {
            decode_key::<(A, B)>(index.tag, key).map(|(_, key)| key)
        };
        rows.iter().map(read).collect()
    }

    /// A page of the results of `keep` among the keys that `index` has for `by`. Keys that `keep`
    /// leaves out do not count, so a page is full unless it is the last.
    fn filter_by<A: Key, B: Key, T>(
        &self,
        index: &Index<A, B>,
        by: &A,
        span: &Span<B>,
        mut keep: impl FnMut(&B) -> Result<Option<T>, StoreError>,
    ) -> Result<Listing<T, B>, StoreError> {
        let read = |last: Option<&B>| {
            let keys = self.by_after(index, by, last, BATCH)?;
            Ok(keys.into_iter().map(|key| (key, ())).collect())
        };
        filter(span, read, |key, ()| keep(key))
    }

    /// As [`View::filter_by`], among all rows of a table.
    fn filter<R: Row, T>(
        &self,
        span: &Span<R::Key>,
        keep: impl FnMut(&R::Key, R) -> Result<Option<T>, StoreError>,
    ) -> Result<Listing<T, R::Key>, StoreError> {
        filter(span, |last| self.list_after::<R, ()>(&(), last, BATCH), keep)
    }

    /// The first `limit` keys that `index` has for values after `last`, in their order.
    fn beyond<A: Key, B: Key>(
        &self,
        index: &Index<A, B>,
        last: &A,
        limit: usize,
    ) -> Result<Vec<B>, StoreError> {
        let from = after(&prefix(index.tag, last));
        let rows = self.raw_range(&from, &after(&[index.tag.byte]), limit)?;
        let read = |(key, _): &(Vec<u8>, Vec<u8>)| {
            decode_key::<(A, B)>(index.tag, key).map(|(_, key)| key)
        };
        rows.iter().map(read).collect()
    }

    /// The number of keys that `index` has for values after `last` that begin with `first`, counted
    /// up to `limit`.
    fn count_beyond<A: Key, B: Key, F: Key>(
        &self,
        index: &Index<A, B>,
        first: &F,
        last: &A,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let from = after(&prefix(index.tag, last));
        self.raw_count(&from, &after(&prefix(index.tag, first)), limit)
    }

    /// The first `limit` keys that `index` has for values up to and including `last`, in their
    /// order.
    fn up_to<A: Key, B: Key>(
        &self,
        index: &Index<A, B>,
        last: &A,
        limit: usize,
    ) -> Result<Vec<B>, StoreError> {
        let rows = self.raw_range(&[index.tag.byte], &after(&prefix(index.tag, last)), limit)?;
        let read = |(key, _): &(Vec<u8>, Vec<u8>)| {
            decode_key::<(A, B)>(index.tag, key).map(|(_, key)| key)
        };
        rows.iter().map(read).collect()
    }

    /// The weight of all rows of `share`.
    fn weight(&self, share: &Share) -> Result<Weight, StoreError> {
        let whole = weight::shards(share);
        let shards = self.raw_range(&whole, &after(&whole), usize::MAX)?;
        let mut shards = shards.iter().map(|(key, shard)| Weight::decode(key, shard));
        shards.try_fold(Weight::default(), |sum, shard| Ok(sum + shard?))
    }

    /// The first `limit` rows that have expired at `now`: their expiry, and the bytes of their tag
    /// and key.
    fn expired(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Vec<u8>)>, StoreError> {
        let mut to = vec![EXPIRY.byte];
        (now, ()).write(&mut to);
        let rows = self.raw_range(&[EXPIRY.byte], &after(&to), limit)?;
        let row = |(key, _): &(Vec<u8>, Vec<u8>)| {
            let mut row = key.get(1..).unwrap_or_default();
            let since = Timestamp::read(&mut row);
            let corrupt = || StoreError::Corrupt { table: EXPIRY.name, key: hex(key) };
            Ok((since.ok_or_else(corrupt)?, row.to_vec()))
        };
        rows.iter().map(row).collect()
    }
}

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
    snapshot: Snapshot,
    not_send: PhantomData<*const ()>,
}

impl Read {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self { snapshot, not_send: PhantomData }
    }
}

impl View for Read {
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.snapshot.row(key)
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

    /// Writes a row. Its declarations replace those of the row before it.
    pub fn put<R: Row>(&mut self, key: &R::Key, row: R) -> Result<(), StoreError> {
        let new = Entries::of(&row, key);
        let (at, bytes) = (row_key::<R>(key), encode(row));
        debug_assert!(decode::<R>(&at, &bytes).is_ok(), "what is written can be read again");
        let old = self.stored::<R>(key, &at)?.map(|(_, declared)| declared).unwrap_or_default();
        self.declare(&at, old, Declared::of(new, &at, &bytes))?;
        self.own.insert(at, Some(bytes));
        Ok(())
    }

    /// Removes a row with its declarations, and returns it.
    pub fn remove<R: Row>(&mut self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let at = row_key::<R>(key);
        let Some((row, old)) = self.stored::<R>(key, &at)? else { return Ok(None) };
        self.declare(&at, old, Declared::default())?;
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

    /// Replaces the declarations of the row at `at`.
    fn declare(&mut self, at: &[u8], old: Declared, new: Declared) -> Result<(), StoreError> {
        if old.weight != new.weight {
            if let Some((share, weight)) = old.weight {
                self.weigh(&share, at, |sum| sum - weight)?;
            }
            if let Some((share, weight)) = new.weight {
                self.weigh(&share, at, |sum| sum + weight)?;
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

    /// Changes the sum of the shard of the row at `at`.
    fn weigh(
        &mut self,
        share: &Share,
        at: &[u8],
        change: impl FnOnce(Weight) -> Weight,
    ) -> Result<(), StoreError> {
        let shard = weight::shard(share, at);
        let sum = match self.raw(&shard)? {
            Some(bytes) => Weight::decode(&shard, &bytes)?,
            None => Weight::default(),
        };
        self.own.insert(shard, change(sum).encode());
        Ok(())
    }

    /// Decodes the key of a row that [`View::expired`] returned.
    pub fn expired_key<R: Row>(&self, bytes: &[u8]) -> Result<R::Key, StoreError> {
        decode_key::<R::Key>(R::TABLE, bytes)
    }

    /// Removes a row that [`View::expired`] returned, and returns its key.
    pub fn remove_expired<R: Row>(&mut self, bytes: &[u8]) -> Result<R::Key, StoreError> {
        let key = self.expired_key::<R>(bytes)?;
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
    weight: Option<(Share, Weight)>,
}

impl Declared {
    fn of(entries: Entries, at: &[u8], bytes: &[u8]) -> Self {
        let weight = entries.share.map(|share| (share, Weight::of(at, bytes)));
        Self { entries: entries.keys, weight }
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
