//! The check of a whole store: every row, every index entry and every sum.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use crate::secret::hex;
use crate::store::engine::{Backend, Examined, Snapshot, examine, examine_disk};
use crate::store::table::Entries;
use crate::store::weight::{self, WEIGHTS, Weight};
use crate::store::{Read, StoreError, migrate, schema};

/// The most flaws that are listed one by one.
const MAX_LISTED: usize = 1000;

/// What is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A row declares an index entry that is not there.
    EntryMissing {
        /// The table of the row.
        table: &'static str,
        /// The row's key in hex.
        key: String,
    },
    /// Pages of the file are not as they were written.
    Pages,
    /// A row cannot be read: its checksum is wrong, or it does not decode.
    Row {
        /// The table of the row.
        table: &'static str,
        /// The row's key in hex.
        key: String,
    },
    /// The engine cannot go on, and the rest was not read.
    Unreadable(String),
    /// There are index entries that no row declares.
    EntriesStray(u64),
    /// The sum of what rows weigh is another.
    Sum {
        /// The key of the sum in hex.
        key: String,
    },
    /// A key is of no table and of no index.
    Unknown {
        /// The key in hex.
        key: String,
    },
}

impl Flaw {
    /// A row that cannot be read, of a table that its key in hex says if nothing else does.
    pub(super) fn row(table: Option<&'static str>, key: String) -> Self {
        let tag = || u8::from_str_radix(key.get(..2)?, 16).ok();
        let table = table.or_else(|| tag().map(|tag| schema::name(&[tag])));
        Self::Row { table: table.unwrap_or("no table"), key }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntriesStray(1) => f.write_str("1 index entry is of no row"),
            Self::EntriesStray(count) => write!(f, "{count} index entries are of no row"),
            Self::EntryMissing { table, key } => {
                write!(f, "an index does not have row {key} of table {table}")
            }
            Self::Pages => f.write_str("pages of the file are not as they were written"),
            Self::Row { table, key } => write!(f, "row {key} of table {table} cannot be read"),
            Self::Sum { key } => write!(f, "the sum {key} is not that of its rows"),
            Self::Unknown { key } => write!(f, "row {key} is of no table"),
            Self::Unreadable(cause) => write!(f, "the rest cannot be read: {cause}"),
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The rows that were read.
    pub rows: u64,
    /// The index entries that were read.
    pub entries: u64,
    /// What is wrong, the first thousand.
    pub flaws: Vec<Flaw>,
    /// How many more there are.
    pub more: u64,
}

impl Checked {
    /// Adds a flaw.
    pub(super) fn found(&mut self, flaw: Flaw) {
        if self.flaws.len() < MAX_LISTED {
            self.flaws.push(flaw);
        } else {
            self.more += 1;
        }
    }
}

/// Checks the store at `path`, pages and rows, while no process has it open. Nothing is written.
///
/// # Errors
///
/// [`StoreError::Locked`] if a process has it open; [`StoreError::Damaged`] if it cannot be opened.
pub fn check(path: &Path) -> Result<Checked, StoreError> {
    examine(path).map(|examined| whole(&examined))
}

/// As [`check`], of a disk; for tests of damaged ones.
pub fn check_disk(disk: impl Backend) -> Result<Checked, StoreError> {
    examine_disk(disk).map(|examined| whole(&examined))
}

/// Checks the rows of a snapshot, while the store is in use.
pub fn check_rows(read: &Read) -> Checked {
    let mut checked = Checked::default();
    rows(read.snapshot(), &mut checked);
    checked
}

/// The size of a table or an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub table: &'static str,
    /// Whether it is an index.
    pub is_index: bool,
    /// How many rows it has.
    pub rows: u64,
    /// The bytes of its rows with their keys.
    pub bytes: u64,
}

/// The sizes of the tables and indices that are not empty, the largest first.
///
/// # Errors
///
/// [`StoreError::Corrupt`] if a row cannot be read.
pub fn sizes(read: &Read) -> Result<Vec<TableSize>, StoreError> {
    let mut sizes = BTreeMap::<&'static str, TableSize>::new();
    for row in read.snapshot().rows(&[], &[u8::MAX])? {
        let (key, row) = row?;
        let (table, Weight { rows, bytes }) = (schema::name(&key), Weight::of(&key, &row));
        let is_index = schema::is_index(&key);
        let empty = TableSize { table, is_index, rows: 0, bytes: 0 };
        let size = sizes.entry(table).or_insert(empty);
        size.rows += rows;
        size.bytes += bytes;
    }
    let mut sizes: Vec<TableSize> = sizes.into_values().collect();
    sizes.sort_by_key(|size| Reverse(size.bytes));
    Ok(sizes)
}

fn whole(examined: &Examined) -> Checked {
    let mut checked = Checked::default();
    if !examined.pages_are_whole {
        checked.found(Flaw::Pages);
    }
    rows(&examined.snapshot, &mut checked);
    checked
}

/// The sums as they are stored, and as they should be.
type Sums = BTreeMap<Vec<u8>, [Weight; 2]>;

fn rows(snapshot: &Snapshot, checked: &mut Checked) {
    let (mut sums, mut declared) = (Sums::new(), 0);
    let all = match snapshot.rows(&[], &[u8::MAX]) {
        Ok(all) => all,
        Err(error) => return checked.found(Flaw::Unreadable(error.to_string())),
    };
    for row in all {
        let read = row.and_then(|(key, row)| {
            one(snapshot, checked, &mut sums, &key, &row).map(|found| declared += found)
        });
        match read {
            Ok(()) => {}
            Err(StoreError::Corrupt { table, key }) => checked.found(Flaw::row(table, key)),
            Err(error) => return checked.found(Flaw::Unreadable(error.to_string())),
        }
    }
    for (key, [stored, counted]) in sums {
        if stored != counted {
            checked.found(Flaw::Sum { key: hex(&key) });
        }
    }
    match checked.entries.checked_sub(declared) {
        Some(0) | None => {}
        Some(stray) => checked.found(Flaw::EntriesStray(stray)),
    }
}

/// Checks one row, and returns how many of its index entries are there.
fn one(
    snapshot: &Snapshot,
    checked: &mut Checked,
    sums: &mut Sums,
    key: &[u8],
    row: &[u8],
) -> Result<u64, StoreError> {
    if key == migrate::SCHEMA_KEY {
        return Ok(0);
    }
    if key.first() == Some(&WEIGHTS.byte) {
        let [stored, _] = sums.entry(key.to_vec()).or_default();
        *stored = Weight::decode(key, row)?;
        return Ok(0);
    }
    let Some(Entries { keys, shares, .. }) = schema::declared(key, row)? else {
        if schema::is_index(key) {
            checked.entries += 1;
        } else {
            checked.found(Flaw::Unknown { key: hex(key) });
        }
        return Ok(0);
    };
    checked.rows += 1;
    for share in &shares {
        let [_, counted] = sums.entry(weight::shard(share, key)).or_default();
        *counted = *counted + Weight::of(key, row);
    }
    let mut there = 0;
    for entry in keys.into_iter().collect::<BTreeSet<_>>() {
        match snapshot.row(&entry) {
            Ok(Some(_)) => there += 1,
            // A damaged entry is found where it lies.
            Err(StoreError::Corrupt { .. }) => {}
            Ok(None) => {
                checked.found(Flaw::EntryMissing { table: schema::name(key), key: hex(key) });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}
