//! Whom to tell that a session has ended.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::id::{ClientId, SessionId};
use crate::store::{Entries, Index, Row, Tag};

/// A client that a session led to, and how far it is with being told of the session's end
/// (OpenID Connect Back-Channel Logout).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// How often it was tried.
    pub attempts: u32,
    /// When the client was first answered in that session.
    pub created: Timestamp,
    /// When it is to be tried next; never as long as the session lives.
    pub due: Option<Timestamp>,
    /// The person, as the client knows them.
    pub sub: String,
}

/// Deliveries by the moment at which they are due.
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
}
