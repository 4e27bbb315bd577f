//! The key that signs what a bridge must trust. Bridges pin it, so it is made once and never
//! replaced automatically.

use crate::error::Error;
use crate::flow::Context;
use crate::store::schema::BridgeKey;
use crate::store::{StoreError, Tx, View};

/// The key, if it exists.
pub fn find(view: &impl View) -> Result<Option<BridgeKey>, StoreError> {
    view.find::<BridgeKey>(&())
}

/// Stores `made`, unless a key exists. Returns the stored key.
pub fn store(tx: &mut Tx<'_>, _cx: &Context, made: &BridgeKey) -> Result<BridgeKey, Error> {
    if let Some(existing) = find(tx)? {
        return Ok(existing);
    }
    tx.put(&(), made.clone())?;
    Ok(made.clone())
}
