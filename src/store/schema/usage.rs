//! The usage of clients by the hour.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::id::ClientId;
use crate::store::{Entries, References, Row, Tag};

/// The time for which an hour is stored: a week and the present day.
const RETENTION: Duration = Duration::from_hours(8 * 24);

/// The tokens that were issued to a client within an hour, and its refused requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The number of issued tokens, by grant type.
    pub issued: BTreeMap<String, u64>,
    /// The number of clients that no operator registered and that have a row of their own for this
    /// hour, which is bounded. Only the row of the sum of all clients has it.
    pub others: u32,
    /// The refused requests, by the name of the refusal.
    pub refused: BTreeMap<String, RefusedRequests>,
    /// The number of active tokens that it introspected and may not know about.
    pub withheld: u64,
}

/// The requests of a client that were refused by one refusal within an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRequests {
    /// Their number.
    pub count: u64,
    /// The time of the last one.
    pub last: Timestamp,
    /// The reason of the last one.
    pub reason: String,
}

layout!(UsageLayout, Usage);

/// By client and the beginning of the hour.
impl Row for Usage {
    type Key = (ClientId, Timestamp);
    type Layout = UsageLayout;
    const TABLE: Tag = Tag { byte: 64, name: "usage" };

    fn entries(&self, (_, hour): &(ClientId, Timestamp), into: &mut Entries) {
        into.expire(*hour + RETENTION);
    }

    /// The client may be gone.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
