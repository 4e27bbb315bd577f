//! The schema of a store, and the way from an older one to that of this program.
//!
//! A store of an older schema is made anew of its own rows (`rewrite`), in a file beside it that gets
//! its name once it is whole. The file before stays, under a name that says its schema: it is the
//! backup, and the way back. So an upgrade that is killed leaves the old store or the new one.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::store::engine::{Engine, Snapshot, Writes, examine};
use crate::store::rewrite::{self, Rewritten};
use crate::store::table::{SCHEMA_TAG, corrupt};

/// The schema that this program writes.
///
/// 1: the first. 2: the root key has generations.
pub const SCHEMA: u32 = 2;

/// The oldest schema that this program reads.
const OLDEST: u32 = 1;

/// The key of the number: the tag 0, which no table has. The number is in big-endian bytes, which
/// every version can read.
#[doc(hidden)]
pub const SCHEMA_KEY: &[u8] = &[0];

/// Where a store stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is empty.
    Empty,
    /// It has an older schema, and can be upgraded.
    Older(u32),
    /// It has that of this program.
    This,
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

/// Where the store at `path` stands. Nothing is written.
///
/// # Errors
///
/// [`StoreError::NewerSchema`] if this program knows no such schema; [`StoreError::Locked`] if a
/// process has the store open; [`StoreError::Damaged`] if it cannot be read.
pub fn look(path: &Path) -> Result<Standing, StoreError> {
    standing(&examine(path)?.snapshot)
}

/// Upgrades the store at `path`, if it has an older schema. The file before it is kept beside it.
///
/// # Errors
///
/// Those of [`look`], and [`StoreError::Corrupt`], [`StoreError::Damaged`] and
/// [`StoreError::Unwritable`]. The store is as it was.
pub fn upgrade(path: &Path) -> Result<Option<Upgraded>, StoreError> {
    let examined = examine(path)?;
    let Standing::Older(from) = standing(&examined.snapshot)? else { return Ok(None) };
    if !examined.pages_are_whole {
        return Err(StoreError::Damaged("pages are not as they were written".to_owned()));
    }
    let aside = aside(path, from);
    let rewritten = rewrite::upgraded(path, &examined.snapshot, &aside)?;
    tracing::info!(
        from,
        to = SCHEMA,
        before = %aside.display(),
        "the store was upgraded; the store before it can be removed once all is well"
    );
    Ok(Some(Upgraded { aside, from, rewritten }))
}

/// The name of the store of schema `from` that an upgrade of the store at `path` left.
pub fn before(path: &Path, from: u32) -> PathBuf {
    path.with_added_extension(format!("schema-{from}"))
}

/// A name for the store at `path` that is free, or is another name of that very file, which an upgrade
/// that was killed gave it.
fn aside(path: &Path, from: u32) -> PathBuf {
    free(before(path, from), |name| is_same(name, path))
}

/// The first of `name`, `name.2`, `name.3` and so on that is not there, or that may be taken.
pub fn free(name: PathBuf, may_be_taken: impl Fn(&Path) -> bool) -> PathBuf {
    let more = (2_u32..).map(|number| name.with_added_extension(number.to_string()));
    let mut names = std::iter::once(name.clone()).chain(more);
    names.find(|name| !name.exists() || may_be_taken(name)).unwrap_or(name)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    id(one).is_some() && id(one) == id(other)
}

/// Writes [`SCHEMA`] into a new store, and refuses a store of another schema.
pub(super) fn run(engine: &Engine) -> Result<(), StoreError> {
    match standing(&engine.snapshot()?)? {
        Standing::This => Ok(()),
        Standing::Older(found) => Err(StoreError::OlderSchema { found }),
        Standing::Empty => {
            let number = Some(SCHEMA.to_be_bytes().to_vec());
            engine.apply(&Writes::from([(SCHEMA_KEY.to_vec(), number)]))
        }
    }
}

/// Where the store of a snapshot stands.
///
/// # Errors
///
/// [`StoreError::NewerSchema`] if this program knows no such number.
pub(super) fn standing(snapshot: &Snapshot) -> Result<Standing, StoreError> {
    match snapshot.row(SCHEMA_KEY)?.as_deref().map(<[u8; 4]>::try_from) {
        None => Ok(Standing::Empty),
        Some(Ok(bytes)) => match u32::from_be_bytes(bytes) {
            SCHEMA => Ok(Standing::This),
            found @ OLDEST..SCHEMA => Ok(Standing::Older(found)),
            found if found > SCHEMA => Err(StoreError::NewerSchema { found }),
            _ => Err(corrupt(SCHEMA_TAG, SCHEMA_KEY)),
        },
        Some(Err(_)) => Err(corrupt(SCHEMA_TAG, SCHEMA_KEY)),
    }
}
