//! When a client that nobody registered by hand was used last.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::flow::Context;
use crate::oauth::id::ClientId;
use crate::store::schema::{Client, Origin};
use crate::store::{StoreError, Tx};

/// A use is recorded if the recorded one is at least this old, which saves writes.
const USE_PRECISION: Duration = Duration::from_mins(10);

/// When a client that is used now may be removed, if it is not used again.
pub fn unused_deadline(cx: &Context) -> Timestamp {
    cx.now + cx.rules.config.lifetimes.unused_client
}

/// Records that a client is used. Its revision stays: nothing that a proof was made against changes.
/// `client` is its row, as this transaction read it.
pub fn record_use(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    client: &Client,
) -> Result<(), StoreError> {
    let unused_deadline = unused_deadline(cx);
    let mut origin = client.origin.clone();
    match &mut origin {
        Origin::Dynamic { unused, .. } | Origin::Document { unused: Some(unused), .. } => {
            if unused_deadline < *unused + USE_PRECISION {
                return Ok(());
            }
            *unused = unused_deadline;
        }
        Origin::Document { unused: None, .. } | Origin::Hook | Origin::Operator => {
            return Ok(());
        }
    }
    tx.put(id, Client { origin, ..client.clone() })
}
