//! The schema number, and its check at the opening of a store.

use crate::store::StoreError;
use crate::store::engine::{Engine, Snapshot, Writes};
use crate::store::table::{SCHEMA_TAG, corrupt};

/// The schema that this program writes.
pub const SCHEMA: u32 = 1;

/// The key of the number: the tag 0, which no table has. The number is in big-endian bytes, which
/// every version can read.
#[doc(hidden)]
pub const SCHEMA_KEY: &[u8] = &[0];

/// Writes [`SCHEMA`] into a new store, and refuses a store of another schema.
pub(super) fn run(engine: &Engine) -> Result<(), StoreError> {
    if is_known(&engine.snapshot()?)? {
        return Ok(());
    }
    let number = Some(SCHEMA.to_be_bytes().to_vec());
    engine.apply(&Writes::from([(SCHEMA_KEY.to_vec(), number)]))
}

/// Whether a store has a schema number; it has none while it is empty.
///
/// # Errors
///
/// [`StoreError::NewerSchema`] if this program knows no such number.
pub(super) fn is_known(snapshot: &Snapshot) -> Result<bool, StoreError> {
    match snapshot.row(SCHEMA_KEY)?.as_deref().map(<[u8; 4]>::try_from) {
        None => Ok(false),
        Some(Ok(bytes)) => match u32::from_be_bytes(bytes) {
            0 => Err(corrupt(SCHEMA_TAG, SCHEMA_KEY)),
            SCHEMA => Ok(true),
            found => Err(StoreError::NewerSchema { found }),
        },
        Some(Err(_)) => Err(corrupt(SCHEMA_TAG, SCHEMA_KEY)),
    }
}
