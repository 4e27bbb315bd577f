//! What can be read of the store, alike from a snapshot and in a transaction.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::model::network::Network;
use crate::secret::hex;
use crate::store::StoreError;
use crate::store::engine::KnownAt;
use crate::store::key::{Beginning, Key, after};
use crate::store::share::{Holder, Pool, Rank, Share};
use crate::store::table::{
    EXPIRY, HELD, Index, Row, decode, decode_key, earlier_prefixes, earlier_row_keys, held,
    held_at, prefix, row_key,
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
    /// The most entries that are looked at for them, so that a page of which little is kept ends soon.
    /// It has fewer results then, and a next page.
    pub seen: usize,
}

impl<K> Span<K> {
    /// The first `limit` results, however many entries it takes.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit, seen: usize::MAX }
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
    let (mut items, mut last, mut seen) = (Vec::new(), None, 0);
    loop {
        let batch = read(last.as_ref().or(span.after.as_ref()))?;
        let is_last = batch.len() < BATCH;
        for (key, entry) in batch {
            if items.len() == span.limit || seen == span.seen {
                return Ok(Listing { items, next: last });
            }
            items.extend(keep(&key, entry)?);
            (last, seen) = (Some(key), seen + 1);
        }
        if is_last {
            return Ok(Listing { items, next: None });
        }
    }
}

/// Rows as bytes: key and value.
pub(super) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The reads of a snapshot or a transaction.
pub trait View {
    #[doc(hidden)]
    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// What is known of the stored rows without reading them, if it holds for `key`.
    #[doc(hidden)]
    fn known(&self, _key: &[u8]) -> Option<KnownAt<'_>> {
        None
    }

    #[doc(hidden)]
    fn raw_range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Rows, StoreError>;

    #[doc(hidden)]
    fn raw_count(&self, from: &[u8], to: &[u8], limit: usize) -> Result<usize, StoreError>;

    /// The row under `key`, or under an earlier form of it.
    fn find<R: Row>(&self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let at = row_key::<R>(key);
        if let Some(bytes) = self.raw(&at)? {
            return decode(&at, &bytes).map(Some);
        }
        for earlier in earlier_row_keys::<R>(key) {
            if let Some(bytes) = self.raw(&earlier)? {
                return decode(&earlier, &bytes).map(Some);
            }
        }
        Ok(None)
    }

    /// As [`View::find`], for rows that many requests read and few change: one that was read before is not
    /// read and decoded again, as long as no commit has changed it.
    fn find_shared<R: Row>(&self, key: &R::Key) -> Result<Option<Arc<R>>, StoreError> {
        let at = row_key::<R>(key);
        // A row may lie under an earlier form of its key, and is changed there.
        let Some(known) = self.known(&at).filter(|_| key.earlier_forms() == 0) else {
            return Ok(self.find(key)?.map(Arc::new));
        };
        if let Some(row) = known.find::<R>(&at) {
            return Ok(row);
        }
        let bytes = self.raw(&at)?;
        let row = bytes.as_ref().map(|bytes| decode(&at, bytes)).transpose()?.map(Arc::new);
        known.keep(&at, bytes.map_or(0, |bytes| bytes.len()), row.as_ref());
        Ok(row)
    }

    /// Where the row of `key` lies: under the key, or under an earlier form of it if there is a row.
    #[doc(hidden)]
    fn place<R: Row>(&self, key: &R::Key) -> Result<Vec<u8>, StoreError> {
        let at = row_key::<R>(key);
        if key.earlier_forms() == 0 || self.raw(&at)?.is_some() {
            return Ok(at);
        }
        for earlier in earlier_row_keys::<R>(key) {
            if self.raw(&earlier)?.is_some() {
                return Ok(earlier);
            }
        }
        Ok(at)
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

    /// The first `limit` rows whose key begins so.
    fn list_beginning<R: Row>(
        &self,
        beginning: &Beginning,
        limit: usize,
    ) -> Result<Vec<(R::Key, R)>, StoreError> {
        let (from, to) = beginning.bounds(R::TABLE.byte);
        let rows = self.raw_range(&from, &to, limit)?;
        let read =
            |(key, row): &(Vec<u8>, Vec<u8>)| Ok((decode_key(R::TABLE, key)?, decode(key, row)?));
        rows.iter().map(read).collect()
    }

    /// The first `limit` values of `index` that begin so, each with a key that it has for them.
    fn by_beginning<A: Key, B: Key>(
        &self,
        index: &Index<A, B>,
        beginning: &Beginning,
        limit: usize,
    ) -> Result<Vec<(A, B)>, StoreError> {
        let (from, to) = beginning.bounds(index.tag.byte);
        let rows = self.raw_range(&from, &to, limit)?;
        rows.iter().map(|(key, _)| decode_key::<(A, B)>(index.tag, key)).collect()
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
        let mut keys = Vec::new();
        for whole in std::iter::once(prefix(index.tag, by)).chain(earlier_prefixes(index.tag, by)) {
            let mut from = whole.clone();
            if let Some(last) = last {
                last.write(&mut from);
                from = after(&from);
            }
            for (key, _) in self.raw_range(&from, &after(&whole), limit - keys.len())? {
                keys.push(decode_key::<(A, B)>(index.tag, &key)?.1);
            }
            if keys.len() == limit {
                break;
            }
        }
        Ok(keys)
    }

    /// A page of the results of `keep` among the keys that `index` has for `by`. Keys that `keep`
    /// leaves out are no results, so a page is full unless it is the last or has seen enough.
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

    /// As [`View::filter_by`], among the keys that `index` has for values that begin so.
    fn filter_beginning<A: Key, B: Key, T>(
        &self,
        index: &Index<A, B>,
        beginning: &Beginning,
        span: &Span<(A, B)>,
        mut keep: impl FnMut(&B) -> Result<Option<T>, StoreError>,
    ) -> Result<Listing<T, (A, B)>, StoreError> {
        let (first, end) = beginning.bounds(index.tag.byte);
        let read = |last: Option<&(A, B)>| {
            let from = last.map_or_else(|| first.clone(), |last| after(&prefix(index.tag, last)));
            // A cursor of another listing may name a place before the first one, or behind the last.
            if from >= end {
                return Ok(Vec::new());
            }
            let rows = self.raw_range(from.as_slice().max(&first), &end, BATCH)?;
            let read = |(key, _): &(Vec<u8>, Vec<u8>)| {
                decode_key::<(A, B)>(index.tag, key).map(|key| (key, ()))
            };
            rows.iter().map(read).collect()
        };
        filter(span, read, |(_, key), ()| keep(key))
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
        let at = weight::sum(share);
        self.raw(&at)?.map_or(Ok(Weight::default()), |sum| Weight::decode(&at, &sum))
    }

    /// The widest networks within `within`, or the widest of all, that hold rows of `pool`, and what
    /// they hold.
    fn holders(
        &self,
        pool: Pool,
        within: Option<&Network>,
    ) -> Result<Vec<(Network, Weight)>, StoreError> {
        let mut holders: Vec<(Network, Weight)> = Vec::new();
        for whole in weight::sums_within(pool, within) {
            for (key, sum) in self.raw_range(&whole, &after(&whole), usize::MAX)? {
                holders.push((weight::network_of(&key)?, Weight::decode(&key, &sum)?));
            }
        }
        Ok(holders)
    }

    /// The first `limit` rows of `pool` that `holder` has, by rank and from the oldest of each: the
    /// bytes of their tag and key.
    fn held(&self, pool: Pool, holder: &Holder, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let whole = held(pool, holder);
        let rows = self.raw_range(&whole, &after(&whole), limit)?;
        let row = |(key, _): &(Vec<u8>, Vec<u8>)| {
            let corrupt = || StoreError::Corrupt { table: Some(HELD.name), key: hex(key) };
            let mut row = key.get(whole.len()..).ok_or_else(corrupt)?;
            let place = Rank::read(&mut row).zip(Timestamp::read(&mut row));
            place.map(|_| row.to_vec()).ok_or_else(corrupt)
        };
        rows.iter().map(row).collect()
    }

    /// As [`View::held`], of one rank.
    fn held_at(
        &self,
        pool: Pool,
        holder: &Holder,
        rank: Rank,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut rows = Vec::new();
        let whole = held_at(pool, holder, rank);
        for (key, _) in self.raw_range(&whole, &after(&whole), limit)? {
            let corrupt = || StoreError::Corrupt { table: Some(HELD.name), key: hex(&key) };
            let mut row = key.get(whole.len()..).ok_or_else(corrupt)?;
            Timestamp::read(&mut row).ok_or_else(corrupt)?;
            rows.push(row.to_vec());
        }
        Ok(rows)
    }

    /// How many rows of `rank` in `pool` `holder` has, counted up to `limit`.
    fn count_held_at(
        &self,
        pool: Pool,
        holder: &Holder,
        rank: Rank,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let whole = held_at(pool, holder, rank);
        self.raw_count(&whole, &after(&whole), limit)
    }

    /// What the row weighs whose tag and key `row` are.
    fn weight_of(&self, row: &[u8]) -> Result<Weight, StoreError> {
        Ok(self.raw(row)?.map_or_else(Weight::default, |bytes| Weight::of(row, &bytes)))
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
            let corrupt = || StoreError::Corrupt { table: Some(EXPIRY.name), key: hex(key) };
            Ok((since.ok_or_else(corrupt)?, row.to_vec()))
        };
        rows.iter().map(row).collect()
    }
}
