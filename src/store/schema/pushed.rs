//! Pushed authorization requests (RFC 9126).

use serde::{Deserialize, Serialize};

use super::{Deadline, StoredAuthorizationRequest, layout};
use crate::clock::Timestamp;
use crate::secret::TokenHash;
use crate::store::{Entries, Held, Holding, Pool, References, Row, Tag};

/// A pushed authorization request (RFC 9126 §2), by the hash of its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// The time of the request.
    pub created: Timestamp,
    /// The time until which it can be opened.
    pub expires: Deadline,
    /// Its place in the pool.
    pub holding: Holding,
    /// The request.
    pub request: StoredAuthorizationRequest,
    /// The time at which the row may be removed: no interaction that opened it can end later.
    pub retained_until: Timestamp,
    /// Whether an interaction that opened it has ended with a code, or a person's refusal.
    pub spent: bool,
}

impl Held for Pushed {
    const POOL: Pool = Pool::PushedRequests;

    fn holding(&self) -> Option<Holding> {
        Some(self.holding)
    }

    fn stored_at(&self) -> Timestamp {
        self.created
    }
}

layout!(PushedLayout, Pushed);

impl Row for Pushed {
    type Key = TokenHash;
    type Layout = PushedLayout;
    const TABLE: Tag = Tag { byte: 26, name: "pushed_requests" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.retained_until);
        into.hold(self);
    }

    /// The client may be gone, and then it leads nowhere.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
