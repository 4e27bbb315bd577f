//! Typed tables over ordered bytes.
//!
//! postcard writes a row inside the enum of its layouts, whose variant is the version. postcard is
//! positional, so a row must have no `serde` attribute skip, default, flatten or untagged.

use std::any::Any;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::secret::hex;
use crate::store::StoreError;
use crate::store::key::Key;
use crate::store::share::{Holder, Holding, Pool, Rank, Share};

/// The tag of a table: its byte in every key, and its name in messages. The byte is fixed once it
/// is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The first byte of each key.
    pub byte: u8,
    /// The name.
    pub name: &'static str,
}

/// A row of a table.
pub trait Row: Any + Clone + Send + Sized + Sync {
    /// Its key.
    type Key: Key;
    /// The enum of all its layouts, which is append only. `From` makes the newest.
    type Layout: Serialize + DeserializeOwned + From<Self> + Into<Self>;
    /// Its table.
    const TABLE: Tag;

    /// Declares what exists as long as the row: its index entries, its expiry and its weight.
    fn entries(&self, _key: &Self::Key, _into: &mut Entries) {}

    /// Names the rows without which this one opens nothing, and which transitions do not remove without
    /// it. Only a check reads it. What may be gone is not named.
    fn references(&self, key: &Self::Key, into: &mut References);
}

/// A row that may be in a pool.
pub trait Held: Row {
    /// The pool.
    const POOL: Pool;

    /// Its place in the pool, if it is in it.
    fn holding(&self) -> Option<Holding>;

    /// The time at which it was stored.
    fn stored_at(&self) -> Timestamp;
}

/// An index: for a value `A`, the keys `B` of rows.
pub struct Index<A, B> {
    pub(super) tag: Tag,
    of: PhantomData<fn(A) -> B>,
}

impl<A: Key, B: Key> Index<A, B> {
    /// The index of that tag.
    pub const fn new(byte: u8, name: &'static str) -> Self {
        Self { tag: Tag { byte, name }, of: PhantomData }
    }
}

/// The number of the schema.
pub(super) const SCHEMA_TAG: Tag = Tag { byte: 0, name: "schema" };

/// The expiry index: the rows by the time from which they may be removed.
pub(super) const EXPIRY: Tag = Tag { byte: 1, name: "expiry" };

/// The rows of each pool by their holder, in the order in which a full pool takes them.
pub(super) const HELD: Tag = Tag { byte: 3, name: "held" };

/// The bytes that most keys have room in.
const USUAL_KEY: usize = 64;

/// What one row declares.
pub struct Entries {
    row: Vec<u8>,
    pub(super) expires: Option<Timestamp>,
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) shares: Vec<Share>,
}

impl Entries {
    pub(super) fn of<R: Row>(row: &R, key: &R::Key) -> Self {
        let (row_key, keys, shares) = (row_key::<R>(key), Vec::new(), Vec::new());
        let mut entries = Self { row: row_key, expires: None, keys, shares };
        row.entries(key, &mut entries);
        entries
    }

    /// The stored row under `key` in its newest layout, and what it declares.
    pub(super) fn newest<R: Row>(key: &[u8], row: &[u8]) -> Result<(Vec<u8>, Self), StoreError> {
        let (row, id) = (decode::<R>(key, row)?, decode_key(R::TABLE, key)?);
        let entries = Self::of(&row, &id);
        Ok((encode(row), entries))
    }

    /// What the stored row under `key` declares, and the rows that it names.
    pub(super) fn stored<R: Row>(
        key: &[u8],
        row: &[u8],
    ) -> Result<(Self, Vec<Reference>), StoreError> {
        let (row, id) = (decode::<R>(key, row)?, decode_key(R::TABLE, key)?);
        let mut references = References(Vec::new());
        row.references(&id, &mut references);
        Ok((Self::of(&row, &id), references.0))
    }

    /// Adds an entry to `index`: the row `key` is found by `by`.
    pub fn add<A: Key, B: Key>(&mut self, index: &Index<A, B>, by: &A, key: &B) {
        let mut entry = prefix(index.tag, by);
        key.write(&mut entry);
        self.keys.push(entry);
    }

    /// Adds an entry to the expiry index: the sweep may remove the row from `at`.
    pub fn expire(&mut self, at: Timestamp) {
        let mut entry = prefix(EXPIRY, &at);
        entry.extend_from_slice(&self.row);
        self.keys.push(entry);
        self.expires = Some(at);
    }

    /// The row and its key weigh on `share`.
    pub fn weigh_on(&mut self, share: Share) {
        self.shares.push(share);
    }

    /// The row is in its pool, if it says so: it weighs on its holder, and can be taken.
    pub fn hold<R: Held>(&mut self, row: &R) {
        let Some(holding) = row.holding() else { return };
        let mut entry = held(R::POOL, &holding.holder);
        holding.rank.write(&mut entry);
        row.stored_at().write(&mut entry);
        entry.extend_from_slice(&self.row);
        self.keys.push(entry);
        self.shares.extend(Share::of(R::POOL, &holding.holder));
    }
}

/// The rows that one row names.
pub struct References(Vec<Reference>);

/// A row that another one names, and that has to be there as long as that one.
pub struct Reference {
    pub(super) to: Vec<u8>,
    pub(super) unless: Option<Vec<u8>>,
    pub(super) until: Option<Timestamp>,
}

impl References {
    /// The row of `R` under `key` has to be there.
    pub fn to<R: Row>(&mut self, key: &R::Key) -> &mut Reference {
        self.0.push(Reference { to: row_key::<R>(key), unless: None, until: None });
        self.0.last_mut().expect("it was added just now")
    }
}

impl Reference {
    /// It may be gone while the row of `R` under `key` is there.
    pub fn unless<R: Row>(&mut self, key: &R::Key) -> &mut Self {
        self.unless = Some(row_key::<R>(key));
        self
    }

    /// It may be gone from `at`.
    pub fn until(&mut self, at: Timestamp) {
        self.until = Some(at);
    }
}

/// Where the entries of [`HELD`] for one holder lie.
pub(super) fn held(pool: Pool, holder: &Holder) -> Vec<u8> {
    let mut bytes = prefix(HELD, &pool);
    holder.write(&mut bytes);
    bytes
}

/// Where those of one rank lie.
pub(super) fn held_at(pool: Pool, holder: &Holder, rank: Rank) -> Vec<u8> {
    let mut bytes = held(pool, holder);
    rank.write(&mut bytes);
    bytes
}

/// The bytes of a tag and the first part of a key.
pub(super) fn prefix<K: Key>(tag: Tag, key: &K) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_KEY);
    bytes.push(tag.byte);
    key.write(&mut bytes);
    bytes
}

/// The bytes of the tag and the key of a row, as [`View::held`](crate::store::View::held) returns
/// them.
pub fn row_key<R: Row>(key: &R::Key) -> Vec<u8> {
    prefix(R::TABLE, key)
}

/// Where a row may lie under an earlier form of its key, the newest first.
pub(super) fn earlier_row_keys<R: Row>(key: &R::Key) -> impl Iterator<Item = Vec<u8>> {
    earlier_prefixes(R::TABLE, key)
}

/// As [`prefix`], of the earlier forms of the key.
pub(super) fn earlier_prefixes<K: Key>(tag: Tag, key: &K) -> impl Iterator<Item = Vec<u8>> {
    (0..key.earlier_forms()).map(move |nth| {
        let mut bytes = vec![tag.byte];
        key.write_earlier(nth, &mut bytes);
        bytes
    })
}

pub(super) fn encode<R: Row>(row: R) -> Vec<u8> {
    postcard::to_stdvec(&R::Layout::from(row)).expect("rows are plain data, which postcard encodes")
}

pub(super) fn decode<R: Row>(key: &[u8], bytes: &[u8]) -> Result<R, StoreError> {
    match postcard::take_from_bytes::<R::Layout>(bytes) {
        Ok((layout, [])) => Ok(layout.into()),
        Ok(_) | Err(_) => Err(corrupt(R::TABLE, key)),
    }
}

/// Decodes a key from `bytes`, after its tag.
pub(super) fn decode_key<K: Key>(table: Tag, bytes: &[u8]) -> Result<K, StoreError> {
    let mut rest = bytes.get(1..).unwrap_or_default();
    match K::read(&mut rest) {
        Some(key) if rest.is_empty() => Ok(key),
        Some(_) | None => Err(corrupt(table, bytes)),
    }
}

pub(super) fn corrupt(table: Tag, key: &[u8]) -> StoreError {
    StoreError::Corrupt { table: Some(table.name), key: hex(key) }
}
