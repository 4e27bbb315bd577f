//! The check of a whole store: every row, every index entry, every sum, and the rows that others name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use crate::clock::Timestamp;
use crate::secret::hex;
use crate::store::engine::{Backend, Examined, Snapshot, examine, examine_disk};
use crate::store::schema::ClockRecord;
use crate::store::table::{Entries, Reference, decode, row_key};
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
    /// A row names another one that is not there, and opens nothing without it.
    Reference {
        /// The table of the row.
        table: &'static str,
        /// The row's key in hex.
        key: String,
        /// The table of the one that is not there.
        to: &'static str,
        /// Its key in hex.
        named: String,
    },
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

    /// What mends it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::EntriesStray(_) | Self::EntryMissing { .. } | Self::Sum { .. } => {
                "`gatelodge db repair` makes every index entry and every sum anew"
            }
            Self::Reference { .. } => {
                "a row that names what is not there opens nothing, and `gatelodge db repair` leaves it \
                 out; a backup may have what it names"
            }
            Self::Pages | Self::Row { .. } | Self::Unknown { .. } | Self::Unreadable(_) => {
                "a backup has what cannot be read; without one, `gatelodge db repair` makes the store \
                 anew of what can be read"
            }
        }
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
            Self::Reference { table, key, to, named } => write!(
                f,
                "row {key} of table {table} names row {named} of table {to}, which is not there"
            ),
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

/// Checks the store at `path`, pages and rows, while no process has it open. Nothing is written. The sums
/// of an older schema are not judged: an upgrade makes them anew.
///
/// # Errors
///
/// [`StoreError::Locked`] if a process has it open; [`StoreError::Damaged`] if it cannot be opened;
/// [`StoreError::NewerSchema`] if this program knows no such schema.
pub fn check(path: &Path) -> Result<Checked, StoreError> {
    let examined = examine(path)?;
    match migrate::standing(&examined.snapshot) {
        Err(error @ StoreError::NewerSchema { .. }) => Err(error),
        Err(_) | Ok(_) => Ok(whole(&examined)),
    }
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
    /// Its tag.
    pub tag: u8,
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
    let mut sizes = BTreeMap::<u8, TableSize>::new();
    for row in read.snapshot().rows(&[], &[u8::MAX])? {
        let (key, row) = row?;
        let Some(tag) = key.first().copied() else { continue };
        let Weight { rows, bytes } = Weight::of(&key, &row);
        let size = sizes.entry(tag).or_insert_with(|| empty(tag));
        size.rows += rows;
        size.bytes += bytes;
    }
    let mut sizes: Vec<TableSize> = sizes.into_values().collect();
    sizes.sort_by_key(|size| Reverse(size.bytes));
    Ok(sizes)
}

/// The size of a table or an index that is empty.
pub fn empty(tag: u8) -> TableSize {
    let (table, is_index) = (schema::name(&[tag]), schema::is_index(&[tag]));
    TableSize { tag, table, is_index, rows: 0, bytes: 0 }
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

/// What a check reads of.
struct Checking<'a> {
    snapshot: &'a Snapshot,
    checked: &'a mut Checked,
    sums: Sums,
    swept: Timestamp,
}

fn rows(snapshot: &Snapshot, checked: &mut Checked) {
    let (swept, mut declared) = (swept_up_to(snapshot), 0);
    let all = match snapshot.rows(&[], &[u8::MAX]) {
        Ok(all) => all,
        Err(error) => return checked.found(Flaw::Unreadable(error.to_string())),
    };
    let mut checking = Checking { snapshot, checked, sums: Sums::new(), swept };
    for row in all {
        match row.and_then(|(key, row)| checking.row(&key, &row)) {
            Ok(found) => declared += found,
            Err(StoreError::Corrupt { table, key }) => {
                checking.checked.found(Flaw::row(table, key));
            }
            Err(error) => return checking.checked.found(Flaw::Unreadable(error.to_string())),
        }
    }
    let Checking { checked, sums, .. } = checking;
    let is_older = matches!(migrate::standing(snapshot), Ok(migrate::Standing::Older(_)));
    for (key, [stored, counted]) in sums {
        if stored != counted && !is_older {
            checked.found(Flaw::Sum { key: hex(&key) });
        }
    }
    match checked.entries.checked_sub(declared) {
        Some(0) | None => {}
        Some(stray) => checked.found(Flaw::EntriesStray(stray)),
    }
}

impl Checking<'_> {
    /// Checks one row, and returns how many of its index entries are there.
    fn row(&mut self, key: &[u8], row: &[u8]) -> Result<u64, StoreError> {
        if key == migrate::SCHEMA_KEY {
            return Ok(0);
        }
        if key.first() == Some(&WEIGHTS.byte) {
            let [stored, _] = self.sums.entry(key.to_vec()).or_default();
            *stored = Weight::decode(key, row)?;
            return Ok(0);
        }
        let Some((entries, references)) = schema::declared(key, row)? else {
            if schema::is_index(key) {
                self.checked.entries += 1;
            } else {
                self.checked.found(Flaw::Unknown { key: hex(key) });
            }
            return Ok(0);
        };
        self.checked.rows += 1;
        for share in &entries.shares {
            let [_, counted] = self.sums.entry(weight::sum(share)).or_default();
            *counted = *counted + Weight::of(key, row);
        }
        for reference in needed(references, &entries, self.swept) {
            // What cannot be read is found where it lies.
            if !is_there(self.snapshot, &reference, |read| Ok(!matches!(read, Ok(None))))? {
                self.checked.found(dangling(key, &reference));
            }
        }
        self.entries(key, entries)
    }

    fn entries(&mut self, key: &[u8], entries: Entries) -> Result<u64, StoreError> {
        let mut there = 0;
        for entry in entries.keys.into_iter().collect::<BTreeSet<_>>() {
            match self.snapshot.row(&entry) {
                Ok(Some(_)) => there += 1,
                // A damaged entry is found where it lies.
                Err(StoreError::Corrupt { .. }) => {}
                Ok(None) => {
                    let (table, key) = (schema::name(key), hex(key));
                    self.checked.found(Flaw::EntryMissing { table, key });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(there)
    }
}

/// The time up to which the sweep has removed what had expired, as far as it can be read.
pub(super) fn swept_up_to(snapshot: &Snapshot) -> Timestamp {
    let key = row_key::<ClockRecord>(&());
    let record = snapshot.row(&key).ok().flatten();
    let record = record.and_then(|row| decode::<ClockRecord>(&key, &row).ok());
    record.unwrap_or_default().removed_up_to
}

/// The references that count: none of a row that the sweep is about to remove.
fn needed(
    references: Vec<Reference>,
    entries: &Entries,
    swept: Timestamp,
) -> impl Iterator<Item = Reference> {
    let goes = entries.expires.is_some_and(|at| at <= swept);
    let counts = move |own: &Reference| !goes && own.until.is_none_or(|until| swept < until);
    references.into_iter().filter(counts)
}

/// What was read of a row.
type ReadRow = Result<Option<Vec<u8>>, StoreError>;

/// Whether what a row names is there, or may be gone. `stands` says of what was read whether it is.
fn is_there(
    snapshot: &Snapshot,
    reference: &Reference,
    stands: impl Fn(&ReadRow) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let named = snapshot.row(&reference.to);
    let unless = || reference.unless.as_ref().map(|unless| snapshot.row(unless));
    Ok(stands(&named)? || unless().is_some_and(|read| !matches!(read, Ok(None))))
}

fn dangling(key: &[u8], reference: &Reference) -> Flaw {
    let (table, to) = (schema::name(key), schema::name(&reference.to));
    Flaw::Reference { table, key: hex(key), to, named: hex(&reference.to) }
}

/// What a row names and what is not there, or cannot be read, or goes for the same reason.
pub(super) fn lack(
    snapshot: &Snapshot,
    swept: Timestamp,
    key: &[u8],
    row: &[u8],
) -> Result<Option<Flaw>, StoreError> {
    let Some((entries, references)) = schema::declared(key, row)? else { return Ok(None) };
    for reference in needed(references, &entries, swept) {
        let stands = |read: &ReadRow| match read {
            Ok(Some(named)) => match lack(snapshot, swept, &reference.to, named) {
                Ok(lack) => Ok(lack.is_none()),
                Err(StoreError::Corrupt { .. }) => Ok(false),
                Err(error) => Err(error),
            },
            Ok(None) | Err(_) => Ok(false),
        };
        if !is_there(snapshot, &reference, stands)? {
            return Ok(Some(dangling(key, &reference)));
        }
    }
    Ok(None)
}
