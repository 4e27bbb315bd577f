//! The schema number, and its check at the opening of a store.

use crate::store::engine::{Engine, Writes};
use crate::store::table::corrupt;
use crate::store::{StoreError, Tag};

/// The schema that this program writes.
pub const SCHEMA: u32 = 1;

/// The tag of the number.
pub(super) const SCHEMA_TAG: Tag = Tag { byte: 0, name: "schema" };

/// The key of the number: the tag 0, which no table has. The number is in big-endian bytes, which
/// every version can read.
#[doc(hidden)]
pub const SCHEMA_KEY: &[u8] = &[0];

/// Writes [`SCHEMA`] into a new store, and refuses a store of another schema.
pub(super) fn run(engine: &Engine) -> Result<(), StoreError> {
    let found = engine.snapshot()?.row(SCHEMA_KEY)?;
    match found.as_deref().map(<[u8; 4]>::try_from) {
        None => {
            let number = Some(SCHEMA.to_be_bytes().to_vec());
            engine.apply(&Writes::from([(SCHEMA_KEY.to_vec(), number)]))
        }
        Some(Ok(bytes)) => match u32::from_be_bytes(bytes) {
            0 => Err(corrupt(SCHEMA_TAG, SCHEMA_KEY)),
            SCHEMA => Ok(()),
            found => Err(StoreError::NewerSchema { found }),
        },
        Some(Err(_)) => Err(corrupt(SCHEMA_TAG, SCHEMA_KEY)),
    }
}
