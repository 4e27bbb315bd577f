//! The schema of a store, and where a store stands to that of this program.
//!
//! A store of an older schema is made anew of its own rows ([`upgrade`](super::rewrite::upgrade)), in a
//! file beside it that gets its name once it is whole. The file before stays, under a name that says its
//! schema: it is the backup, and the way back. So an upgrade that is killed leaves the old store or the
//! new one.

use std::path::Path;

use crate::store::StoreError;
use crate::store::engine::{Engine, Snapshot, Writes, examine};
use crate::store::table::{SCHEMA_TAG, corrupt};

/// The schema that this program writes.
///
/// 1: the first. 2: the root key has generations. 3: the sum of a share is one row.
pub const SCHEMA: u32 = 3;

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

/// Where the store at `path` stands. Nothing is written.
///
/// # Errors
///
/// [`StoreError::NewerSchema`] if this program knows no such schema; [`StoreError::Locked`] if a
/// process has the store open; [`StoreError::Damaged`] if it cannot be read.
pub fn look(path: &Path) -> Result<Standing, StoreError> {
    standing(&examine(path)?.snapshot)
}

/// Writes [`SCHEMA`] into a new store, and refuses a store of another schema.
pub(super) fn run(engine: &Engine) -> Result<(), StoreError> {
    match standing(&*engine.snapshot()?)? {
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
