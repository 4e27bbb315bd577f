//! The one way in which a store is made of the rows of another: its index entries and its sums are
//! made anew, and every row is written in its newest layout.
//!
//! It makes a file beside the place of the store, and gives it the name once it is whole and on the
//! disk. Killed at any moment, it leaves the store as it was, or the new one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use crate::private_file;
use crate::store::check::{Checked, Flaw};
use crate::store::engine::{Draft, Snapshot, draft, examine};
use crate::store::migrate::{self, SCHEMA, SCHEMA_KEY};
use crate::store::weight::{self, Weight};
use crate::store::{StoreError, schema};

/// What a new store was made of.
#[derive(Clone, Debug, Default)]
pub struct Rewritten {
    /// The rows that it has.
    pub rows: u64,
    /// What is wrong with the store before it; no row that a flaw names is in the new one.
    pub left_out: Checked,
    /// The bytes of the file before, and of the new one.
    pub bytes: [u64; 2],
}

/// Makes the store at `path` anew from its own rows, which leaves out the space that no row uses.
///
/// # Errors
///
/// [`StoreError::Corrupt`] and [`StoreError::Damaged`] if it cannot all be read;
/// [`StoreError::Locked`] if a process has it open; [`StoreError::Unwritable`] if there is no space
/// for both. The store is as it was.
pub fn compact(path: &Path) -> Result<Rewritten, StoreError> {
    let examined = examine(path)?;
    if !examined.pages_are_whole {
        return Err(StoreError::Damaged("pages are not as they were written".to_owned()));
    }
    replaced(path, &examined.snapshot, None)
}

/// Makes the store at `path` anew from those of its rows that can be read. The store before it is
/// named `aside`.
///
/// # Errors
///
/// Those of [`compact`], but for rows that cannot be read.
pub fn repair(path: &Path, aside: &Path) -> Result<Rewritten, StoreError> {
    replaced(path, &examine(path)?.snapshot, Some(aside))
}

fn replaced(
    path: &Path,
    snapshot: &Snapshot,
    aside: Option<&Path>,
) -> Result<Rewritten, StoreError> {
    match migrate::is_known(snapshot) {
        // Without a number that can be read, its rows still say what they are.
        Ok(_) => {}
        Err(StoreError::Corrupt { .. } | StoreError::Damaged(_)) if aside.is_some() => {}
        Err(error) => return Err(error),
    }
    let unwritable = |error: io::Error| StoreError::Unwritable(error.to_string());
    let new: PathBuf = path.with_added_extension("new");
    let before = fs::metadata(path).map_err(unwritable)?;
    let mut rewritten = draft(&new, |draft| copied(snapshot, draft, aside.is_some()))?;
    let placed = placed(&new, path, aside);
    if placed.is_err() {
        // What cannot be removed is overwritten by the next.
        let _ = fs::remove_file(&new);
    }
    rewritten.bytes = [before.len(), placed.map_err(unwritable)?];
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    private_file::sync_directory(directory.unwrap_or(Path::new("."))).map_err(unwritable)?;
    Ok(rewritten)
}

/// Gives the file `new` the name of the store at `path`, and its owner. The store before it gets the
/// name `aside`. Returns the length of the new file.
fn placed(new: &Path, path: &Path, aside: Option<&Path>) -> io::Result<u64> {
    let (made, before) = (fs::metadata(new)?, fs::metadata(path)?);
    // Whoever serves has to open it, whoever makes it anew.
    if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
        chown(new, Some(before.uid()), Some(before.gid()))?;
    }
    if let Some(aside) = aside {
        fs::hard_link(path, aside)?;
    }
    fs::rename(new, path)?;
    Ok(made.len())
}

/// Copies all rows of `snapshot`. Those that cannot be read are left out, or are an error.
fn copied(
    snapshot: &Snapshot,
    draft: &mut Draft,
    is_lenient: bool,
) -> Result<Rewritten, StoreError> {
    let mut rewritten = Rewritten::default();
    let mut sums = BTreeMap::<Vec<u8>, Weight>::new();
    let mut copy = |key: Vec<u8>, row: &[u8], draft: &mut Draft| {
        let newest = schema::newest(&key, row)?;
        let (row, declared) = newest.ok_or_else(|| schema::unknown(&key))?;
        for share in &declared.shares {
            let sum = sums.entry(weight::shard(share, &key)).or_default();
            *sum = *sum + Weight::of(&key, &row);
        }
        for entry in declared.keys {
            draft.put(entry, Vec::new())?;
        }
        draft.put(key, row)
    };
    // Each table by itself: where one cannot be read any further, the next may be. What is made anew
    // is not read at all.
    for tag in (0..u8::MAX).filter(|tag| !schema::is_made_anew(&[*tag])) {
        for row in snapshot.rows(&[tag], &[tag + 1])? {
            match row.and_then(|(key, row)| copy(key, &row, draft)) {
                Ok(()) => rewritten.rows += 1,
                Err(StoreError::Corrupt { table, key }) if is_lenient => {
                    rewritten.left_out.found(Flaw::row(table, key));
                }
                Err(error @ StoreError::Damaged(_)) if is_lenient => {
                    let why = format!("table {}: {error}", schema::name(&[tag]));
                    rewritten.left_out.found(Flaw::Unreadable(why));
                }
                Err(error) => return Err(error),
            }
        }
    }
    for (key, sum) in sums {
        if let Some(sum) = sum.encode() {
            draft.put(key, sum)?;
        }
    }
    draft.put(SCHEMA_KEY.to_vec(), SCHEMA.to_be_bytes().to_vec())?;
    Ok(rewritten)
}
