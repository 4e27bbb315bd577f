//! The last use of clients that no operator registered.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::flow::Context;
use crate::oauth::id::{ClientId, UserId};
use crate::store::schema::{Client, FetchedDocument, Origin};
use crate::store::{Holder, Holding, StoreError, Tx};

/// The precision of the last use, which saves writes.
const USE_PRECISION: Duration = Duration::from_mins(10);

/// The time at which a client that is used now may be removed, if it is not used again.
pub fn unused_deadline(cx: &Context) -> Timestamp {
    cx.now + cx.rules.config.lifetimes.unused_client
}

/// Records that a client is used, by `user` if they allowed it something. Its revision stays, since nothing changes that a proof depends
/// on. `client` is its row, as this transaction read it.
pub fn record_use(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    client: &Client,
    user: Option<UserId>,
) -> Result<(), StoreError> {
    let unused_deadline = unused_deadline(cx);
    let mut origin = client.origin.clone();
    match &mut origin {
        Origin::Dynamic { holding, unused, .. }
        | Origin::Document { fetched: Some(FetchedDocument { holding, unused, .. }) } => {
            // The first person who uses it takes it out of the reach of strangers.
            let first = user.filter(|_| matches!(holding.holder, Holder::Network(_)));
            if unused_deadline < *unused + USE_PRECISION && first.is_none() {
                return Ok(());
            }
            *unused = unused_deadline;
            *holding = first.map_or(*holding, Holding::persons);
        }
        Origin::Document { fetched: None } | Origin::Hook | Origin::Operator => {
            return Ok(());
        }
    }
    tx.put(id, Client { origin, ..client.clone() })
}
