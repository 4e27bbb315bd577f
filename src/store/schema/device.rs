//! Device authorizations (RFC 8628).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Authorization, Deadline, layout};
use crate::clock::Timestamp;
use crate::oauth::id::ClientId;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::TokenHash;
use crate::store::{Entries, Held, Holding, Index, Pool, References, Row, Tag};

/// The time after its expiry for which a device code gets `expired_token` (RFC 8628 §3.5).
const RETENTION: Duration = Duration::from_mins(15);

/// A device authorization (RFC 8628 §3.2), by the hash of its device code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The address of the device, for the page.
    pub address: String,
    /// The `User-Agent` of the device.
    pub user_agent: Option<String>,
    /// The client it was issued to.
    pub client: ClientId,
    /// The time of its issue.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Deadline,
    /// The minimum number of seconds between two polls.
    pub interval: u32,
    /// Its place in the pool.
    pub holding: Holding,
    /// The last poll.
    pub polled: Option<Timestamp>,
    /// The requested resources.
    pub resources: Vec<Resource>,
    /// The requested scope, if the request named one.
    pub scope: Option<Scope>,
    /// The person's decision.
    pub state: DeviceState,
    /// The hash of the user code.
    pub user_code: TokenHash,
}

impl Held for Device {
    const POOL: Pool = Pool::Devices;

    fn holding(&self) -> Option<Holding> {
        Some(self.holding)
    }

    fn stored_at(&self) -> Timestamp {
        self.created
    }
}

/// The person's decision about a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceState {
    /// A person allowed it.
    Approved(Box<Authorization>),
    /// A person denied it.
    Denied,
    /// There is no decision yet.
    Pending,
}

/// Device authorizations by the hash of their user code.
pub const DEVICES_BY_USER_CODE: Index<TokenHash, TokenHash> =
    Index::new(49, "devices_by_user_code");

layout!(DeviceLayout, Device);

impl Row for Device {
    type Key = TokenHash;
    type Layout = DeviceLayout;
    const TABLE: Tag = Tag { byte: 27, name: "devices" };

    fn entries(&self, key: &TokenHash, into: &mut Entries) {
        into.add(&DEVICES_BY_USER_CODE, &self.user_code, key);
        into.expire(self.expires.by_evidence() + RETENTION);
        into.hold(self);
    }

    /// Whom and what it names may be gone, and then it opens nothing.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
