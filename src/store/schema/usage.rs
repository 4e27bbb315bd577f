//! How clients are used, by the hour.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::id::ClientId;
use crate::store::{Entries, Row, Tag};

/// How long an hour is remembered: a week, and the day that is under way.
const RETENTION: Duration = Duration::from_hours(8 * 24);

/// What was issued to a client within an hour, and what it was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many tokens, by grant type.
    pub issued: BTreeMap<String, u64>,
    /// How many clients that nobody registered by hand have a row of their own for this hour, since
    /// they are bounded. Only the sum of all clients tells it.
    pub others: u32,
    /// How many requests, by the name of the refusal.
    pub refused: BTreeMap<String, u64>,
}

layout!(UsageLayout, Usage);

/// By client, and the moment at which the hour began.
impl Row for Usage {
    type Key = (ClientId, Timestamp);
    type Layout = UsageLayout;
    const TABLE: Tag = Tag { byte: 64, name: "usage" };

    fn entries(&self, (_, hour): &(ClientId, Timestamp), into: &mut Entries) {
        into.expire(*hour + RETENTION);
    }
}
