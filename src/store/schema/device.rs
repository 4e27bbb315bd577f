//! Devices that wait for a person.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Authentication, layout};
use crate::clock::Timestamp;
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// How long a device that asks too late is still told so (`expired_token`, RFC 8628 §3.5).
const RETENTION: Duration = Duration::from_mins(15);

/// A device authorization (RFC 8628 §3.2), by the hash of its device code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The address that it was asked for from, as it is shown.
    pub address: String,
    /// The program that asked, by its own account.
    pub user_agent: Option<String>,
    /// Whose it is to redeem.
    pub client: ClientId,
    /// When it was asked for.
    pub created: Timestamp,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
    /// The fewest seconds between two questions of the device.
    pub interval: u32,
    /// When the device asked last.
    pub polled: Option<Timestamp>,
    /// The resources that are asked for.
    pub resources: Vec<Resource>,
    /// The scope that is asked for, if the request named one.
    pub scope: Option<Scope>,
    /// What became of it.
    pub state: DeviceState,
    /// What the code that a person types is known by.
    pub user_code: TokenHash,
}

/// What became of a device authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceState {
    /// A person allowed it.
    Approved {
        /// How they signed in.
        authentication: Authentication,
        /// When they did.
        given: Timestamp,
        /// The resources that they granted.
        resources: Vec<Resource>,
        /// What they granted.
        scope: Scope,
        /// The browser session in which they did.
        session: SessionId,
        /// Who they are.
        user: UserId,
    },
    /// A person denied it.
    Denied,
    /// Nobody has decided yet.
    Pending,
}

/// Device authorizations by what their user code is known by.
pub const DEVICES_BY_USER_CODE: Index<TokenHash, TokenHash> =
    Index::new(49, "devices_by_user_code");

layout!(DeviceLayout, Device);

impl Row for Device {
    type Key = TokenHash;
    type Layout = DeviceLayout;
    const TABLE: Tag = Tag { byte: 27, name: "devices" };

    fn entries(&self, key: &TokenHash, into: &mut Entries) {
        into.add(&DEVICES_BY_USER_CODE, &self.user_code, key);
        into.expire(self.expires + RETENTION);
    }
}
