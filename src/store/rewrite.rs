//! The one way in which a store is made of the rows of another: its index entries and its sums are
//! made anew, and every row is written in its newest layout.
//!
//! It makes a file beside the place of the store, and gives it the name once it is whole and on the
//! disk. Killed at any moment, it leaves the store as it was, or the new one.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use crate::private_file;
use crate::store::check::{self, Checked, Flaw};
use crate::store::engine::{Draft, Examined, Snapshot, draft, examine, unwritable};
use crate::store::migrate::{self, SCHEMA, SCHEMA_KEY, Standing};
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

/// What an upgrade did.
#[derive(Clone, Debug)]
pub struct Upgraded {
    /// The store before it.
    pub aside: PathBuf,
    /// The schema before.
    pub from: u32,
    /// What the new store was made of.
    pub rewritten: Rewritten,
}

/// Makes the store at `path` anew from its own rows, which leaves out the space that no row uses.
///
/// # Errors
///
/// [`StoreError::Corrupt`] and [`StoreError::Damaged`] if it cannot all be read;
/// [`StoreError::Locked`] if a process has it open; [`StoreError::Unwritable`] if there is no space
/// for the new one. The store is as it was.
pub fn compact(path: &Path) -> Result<Rewritten, StoreError> {
    let snapshot = whole(examine(path)?)?;
    match migrate::standing(&snapshot)? {
        Standing::Older(from) => Ok(upgraded(path, &snapshot, from)?.rewritten),
        Standing::Empty | Standing::This => replaced(path, &snapshot, None, false),
    }
}

/// The snapshot of a store whose pages are all as they were written.
///
/// # Errors
///
/// [`StoreError::Damaged`] if they are not.
pub(super) fn whole(examined: Examined) -> Result<Snapshot, StoreError> {
    if examined.pages_are_whole {
        return Ok(examined.snapshot);
    }
    Err(StoreError::Damaged("pages are not as they were written".to_owned()))
}

/// Makes the store at `path` anew from those of its rows that can be read. The store before it is
/// named `aside`.
///
/// # Errors
///
/// Those of [`compact`], but for rows that cannot be read.
pub fn repair(path: &Path, aside: &Path) -> Result<Rewritten, StoreError> {
    let snapshot = examine(path)?.snapshot;
    match migrate::standing(&snapshot) {
        // Without a number that can be read, its rows still say what they are.
        Ok(_) | Err(StoreError::Corrupt { .. } | StoreError::Damaged(_)) => {}
        Err(error) => return Err(error),
    }
    replaced(path, &snapshot, Some(aside), true)
}

/// Upgrades the store at `path`, if it has an older schema. The file before it is kept beside it.
///
/// # Errors
///
/// Those of [`look`](migrate::look), and [`StoreError::Corrupt`], [`StoreError::Damaged`] and
/// [`StoreError::Unwritable`]. The store is as it was.
pub fn upgrade(path: &Path) -> Result<Option<Upgraded>, StoreError> {
    // A link to a file elsewhere stays one.
    let path = &fs::canonicalize(path).map_err(|error| unwritable(&error))?;
    let examined = examine(path)?;
    let Standing::Older(from) = migrate::standing(&examined.snapshot)? else { return Ok(None) };
    upgraded(path, &whole(examined)?, from).map(Some)
}

fn upgraded(path: &Path, snapshot: &Snapshot, from: u32) -> Result<Upgraded, StoreError> {
    let aside = aside(path, from);
    let rewritten = replaced(path, snapshot, Some(&aside), false)?;
    tracing::info!(
        from,
        to = SCHEMA,
        before = %aside.display(),
        "the store was upgraded; the store before it can be removed once all is well"
    );
    Ok(Upgraded { aside, from, rewritten })
}

/// The name of the store of schema `from` that an upgrade of the store at `path` left.
pub fn before(path: &Path, from: u32) -> PathBuf {
    path.with_added_extension(format!("schema-{from}"))
}

/// A name for the store at `path` that is free, or is another name of that very file, which an upgrade
/// that was killed gave it.
fn aside(path: &Path, from: u32) -> PathBuf {
    let is_own = |name: &Path| {
        let both = fs::metadata(name).and_then(|name| Ok((name, fs::metadata(path)?)));
        both.is_ok_and(|(name, own)| is_same(&name, &own))
    };
    free(before(path, from), is_own)
}

/// The first of `name`, `name.2`, `name.3` and so on that is not there, or that may be taken.
pub fn free(name: PathBuf, may_be_taken: impl Fn(&Path) -> bool) -> PathBuf {
    let more = (2_u32..).map(|number| name.with_added_extension(number.to_string()));
    let mut names = std::iter::once(name.clone()).chain(more);
    names.find(|name| !name.exists() || may_be_taken(name)).unwrap_or(name)
}

fn replaced(
    path: &Path,
    snapshot: &Snapshot,
    aside: Option<&Path>,
    is_lenient: bool,
) -> Result<Rewritten, StoreError> {
    let new: PathBuf = path.with_added_extension("new");
    let before = fs::metadata(path).map_err(|error| unwritable(&error))?;
    let mut rewritten = draft(&new, |draft| copied(snapshot, draft, is_lenient))?;
    let placed = placed(&new, path, aside);
    if placed.is_err() {
        // What cannot be removed is overwritten by the next.
        let _ = fs::remove_file(&new);
    }
    rewritten.bytes = [before.len(), placed.map_err(|error| unwritable(&error))?];
    private_file::sync_directory_of(path).map_err(|error| unwritable(&error))?;
    Ok(rewritten)
}

/// Gives the file `new` the name of the store at `path`, and its owner. The store before it gets the
/// name `aside`. Returns the length of the new file.
pub(super) fn placed(new: &Path, path: &Path, aside: Option<&Path>) -> io::Result<u64> {
    let (made, before) = (fs::metadata(new)?, fs::metadata(path)?);
    // Whoever serves has to open it, whoever makes it anew.
    if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
        chown(new, Some(before.uid()), Some(before.gid()))?;
    }
    if let Some(aside) = aside {
        match fs::hard_link(path, aside) {
            // Whoever was killed before this had given it the name already.
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && is_same(&before, &fs::metadata(aside)?) => {}
            named => named?,
        }
    }
    fs::rename(new, path)?;
    Ok(made.len())
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Copies all rows of `snapshot`. Those that cannot be read are an error; or they are left out, and
/// with them those that open nothing without a row that is not there.
fn copied(
    snapshot: &Snapshot,
    draft: &mut Draft,
    is_lenient: bool,
) -> Result<Rewritten, StoreError> {
    let (mut rewritten, mut filling) = (Rewritten::default(), Filling::new(draft));
    let swept = check::swept_up_to(snapshot);
    // Each table by itself: where one cannot be read any further, the next may be. What is made anew
    // is not read at all.
    for tag in schema::stored_tags() {
        for row in snapshot.rows(&[tag], &[tag + 1])? {
            let copied = row.and_then(|(key, row)| {
                let lacks =
                    if is_lenient { check::lack(snapshot, swept, &key, &row)? } else { None };
                if lacks.is_none() {
                    filling.row(key, &row)?;
                }
                Ok(lacks)
            });
            match copied {
                Ok(lacks) => lacks.into_iter().for_each(|flaw| rewritten.left_out.found(flaw)),
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
    rewritten.rows = filling.finish()?;
    Ok(rewritten)
}

/// Fills a new file with rows, and with all that follows from them.
pub(super) struct Filling<'a> {
    draft: &'a mut Draft,
    rows: u64,
    sums: BTreeMap<Vec<u8>, Weight>,
}

impl<'a> Filling<'a> {
    /// Begins an empty store.
    pub(super) fn new(draft: &'a mut Draft) -> Self {
        Self { draft, rows: 0, sums: BTreeMap::new() }
    }

    /// Adds a row of any layout in its newest, with its index entries.
    pub(super) fn row(&mut self, key: Vec<u8>, row: &[u8]) -> Result<(), StoreError> {
        let newest = schema::newest(&key, row)?;
        let (row, declared) = newest.ok_or_else(|| schema::unknown(&key))?;
        for share in &declared.shares {
            let sum = self.sums.entry(weight::sum(share)).or_default();
            *sum = *sum + Weight::of(&key, &row);
        }
        for entry in declared.keys {
            self.draft.put(entry, Vec::new())?;
        }
        self.rows += 1;
        self.draft.put(key, row)
    }

    /// Adds the sums and the number of the schema. Returns the number of rows.
    pub(super) fn finish(self) -> Result<u64, StoreError> {
        for (key, sum) in self.sums {
            if let Some(sum) = sum.encode() {
                self.draft.put(key, sum)?;
            }
        }
        self.draft.put(SCHEMA_KEY.to_vec(), SCHEMA.to_be_bytes().to_vec())?;
        Ok(self.rows)
    }
}
