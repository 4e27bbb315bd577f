//! The file of a store, and what its commits write.

use std::fmt;
use std::fs;
use std::path::Path;

use redb::{Builder, ReadableDatabase as _, ReadableTableMetadata as _, TableDefinition};

/// The table of the engine.
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");

/// A page of the engine.
pub(super) const PAGE: u64 = 4096;

/// How large the file of a store is, and its tree.
pub(in crate::operations) struct Shape {
    bytes: u64,
    /// With index entries and sums.
    pub(in crate::operations) rows: u64,
    height: u32,
    /// The pages of the tree that are full of rows, and those above them.
    leaves: u64,
    branches: u64,
}

impl Shape {
    /// Looks at the file, which no process has open.
    pub(in crate::operations) fn of(store: &Path) -> Self {
        let database = Builder::new().set_cache_size(64 << 20).open(store).unwrap();
        let table = database.begin_read().unwrap().open_table(ROWS).unwrap();
        let stats = table.stats().unwrap();
        Self {
            bytes: fs::metadata(store).unwrap().len(),
            rows: table.len().unwrap(),
            height: stats.tree_height(),
            leaves: stats.leaf_pages(),
            branches: stats.branch_pages(),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, rows, height, leaves, branches } = self;
        let megabytes = bytes / 1_000_000;
        write!(f, "{rows} rows and entries in {megabytes} MB: a tree of height {height}, ")?;
        write!(f, "{leaves} leaves below {branches} branches")
    }
}

/// Gives back the free pages that the large transactions of [`fill`](super::fill) leave: a store that grew
/// by small ones has few. The pages in use stay as full as they are.
pub(super) fn shrink(store: &Path) {
    let mut database = Builder::new().set_cache_size(256 << 20).open(store).unwrap();
    database.compact().unwrap();
}
