//! Deliveries of logout tokens.

use serde::{Deserialize, Serialize};

use super::{Session, layout};
use crate::clock::Timestamp;
use crate::oauth::id::{ClientId, SessionId};
use crate::store::{Entries, Index, References, Row, Tag};

/// The delivery of a logout token to a client that was answered in a session (OpenID Connect
/// Back-Channel Logout).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The number of failed attempts.
    pub attempts: u32,
    /// The time of the first response to the client in that session.
    pub created: Timestamp,
    /// The time of the next attempt; `None` until the session ends.
    pub due: Option<Timestamp>,
    /// The `sub` of the person for the client.
    pub sub: String,
}

/// Deliveries by the time at which they are due.
pub const DELIVERIES_BY_DUE: Index<Timestamp, (SessionId, ClientId)> =
    Index::new(50, "deliveries_by_due");

layout!(DeliveryLayout, Delivery);

/// By session and client: each is notified once.
impl Row for Delivery {
    type Key = (SessionId, ClientId);
    type Layout = DeliveryLayout;
    const TABLE: Tag = Tag { byte: 28, name: "deliveries" };

    fn entries(&self, key: &(SessionId, ClientId), into: &mut Entries) {
        if let Some(due) = &self.due {
            into.add(&DELIVERIES_BY_DUE, due, key);
        }
    }

    /// Until it is due, the end of the session makes it due. The client may be gone.
    fn references(&self, (session, _): &(SessionId, ClientId), into: &mut References) {
        if self.due.is_none() {
            into.to::<Session>(session);
        }
    }
}
