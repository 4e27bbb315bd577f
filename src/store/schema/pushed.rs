//! Pushed authorization requests (RFC 9126).

use serde::{Deserialize, Serialize};

use super::{StoredAuthorizationRequest, layout};
use crate::clock::Timestamp;
use crate::secret::TokenHash;
use crate::store::{Entries, Row, Share, Tag};

/// A pushed authorization request (RFC 9126 §2), by the hash of its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// The time of the request.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Timestamp,
    /// The keyed hash of the network that it came from.
    pub network: TokenHash,
    /// The request.
    pub request: StoredAuthorizationRequest,
}

layout!(PushedLayout, Pushed);

impl Row for Pushed {
    type Key = TokenHash;
    type Layout = PushedLayout;
    const TABLE: Tag = Tag { byte: 26, name: "pushed_requests" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires);
        into.weigh_on(Share::Network(self.network));
    }
}
