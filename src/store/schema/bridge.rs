//! Bridges: their exchange codes, linked devices, sessions, heartbeats and key.

use serde::{Deserialize, Serialize};

use super::{BridgeKeyV1, Deadline, layout, second_layout};
use crate::clock::Timestamp;
use crate::model::bridge::{BridgeSessionId, HostId, ModelProtocol};
use crate::model::fingerprint::Fingerprint;
use crate::model::folding::folded;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{ClientId, UserId};
use crate::secret::TokenHash;
use crate::store::{Entries, Index, References, Row, Share, Tag};

/// An exchange code, by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The time of its creation.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Deadline,
    /// Whether it was redeemed.
    pub spent: bool,
    /// The person it signs in.
    pub user: UserId,
}

layout!(ExchangeLayout, Exchange);

impl Row for Exchange {
    type Key = TokenHash;
    type Layout = ExchangeLayout;
    const TABLE: Tag = Tag { byte: 34, name: "exchange_codes" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires.by_evidence());
    }

    /// The person may be gone, and then it opens nothing.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A linked device, by its id: what comes in for a person, and everything that it was given. Its
/// personal token or certificate, its sessions and its secret of the hook client end with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedDevice {
    /// The time of its creation.
    pub created: Timestamp,
    /// Whether it was ended.
    pub ended: bool,
    /// Expiry. Nothing that it was given lives longer.
    pub expires: Timestamp,
    /// The hash of its secret of the hook client, if it has one.
    pub hook: Option<TokenHash>,
    /// The way in which it comes in.
    pub means: DeviceMeans,
    /// The name that it sent, or that its person or an operator gave it.
    pub name: DisplayName,
    /// The last use, with the precision at which it is recorded.
    pub used: Option<Timestamp>,
    /// The person.
    pub user: UserId,
}

/// The way in which a linked device comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceMeans {
    /// By a certificate that an operator registered.
    Certificate(Fingerprint),
    /// By nothing but this session, which an exchange code or an operator opened.
    Session(BridgeSessionId),
    /// By a personal access token, whose public part is the id of the device.
    Token {
        /// Expiry of the token.
        expires: Timestamp,
        /// The hash of its secret part.
        hash: TokenHash,
        /// Its origin.
        origin: TokenOrigin,
    },
}

/// The origin of a personal access token, which decides whose place its device takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenOrigin {
    /// A login of a device that sent its name.
    NamedLogin,
    /// An operator.
    Operator,
    /// A login of a device that sent no name.
    UnnamedLogin,
}

/// The devices with a personal access token by their person, without ended ones.
pub const TOKENS_BY_USER: Index<UserId, String> = Index::new(52, "personal_tokens_by_user");

/// The devices by their name, folded, without ended ones.
pub const DEVICES_BY_NAME: Index<String, String> = Index::new(79, "linked_devices_by_name");

/// The devices by the hash of their secret of the hook client, without ended ones.
pub const DEVICES_BY_HOOK: Index<TokenHash, String> = Index::new(76, "linked_devices_by_hook");

layout!(LinkedDeviceLayout, LinkedDevice);

impl Row for LinkedDevice {
    type Key = String;
    type Layout = LinkedDeviceLayout;
    const TABLE: Tag = Tag { byte: 35, name: "linked_devices" };

    fn entries(&self, key: &String, into: &mut Entries) {
        if !self.ended {
            into.add(&DEVICES_BY_NAME, &folded(self.name.as_str()), key);
            if matches!(self.means, DeviceMeans::Token { .. }) {
                into.add(&TOKENS_BY_USER, &self.user, key);
            }
            if let Some(hook) = &self.hook {
                into.add(&DEVICES_BY_HOOK, hook, key);
            }
        }
        into.expire(self.expires);
        into.weigh_on(Share::Person(self.user));
    }

    /// One that has ended, or whose session or certificate is gone, may outlive its person.
    fn references(&self, _key: &String, into: &mut References) {
        if !self.ended && matches!(self.means, DeviceMeans::Token { .. }) {
            into.person(self.user);
        }
    }
}

/// A bridge session, on which its bridge tokens depend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeSession {
    /// The client that its tokens name.
    pub client: ClientId,
    /// The time of its creation.
    pub created: Timestamp,
    /// The device, as the last token request described it.
    pub device: DeviceInfo,
    /// Expiry.
    pub expires: Timestamp,
    /// The linked device that has it, with which it ends.
    pub linked: String,
    /// The last use.
    pub seen: Timestamp,
    /// The source of the session: `bridge`, or what the operator names.
    pub source: String,
    /// The person.
    pub user: UserId,
}

/// Bridge sessions by their person.
pub const BRIDGE_SESSIONS_BY_USER: Index<UserId, BridgeSessionId> =
    Index::new(53, "bridge_sessions_by_user");

layout!(BridgeSessionLayout, BridgeSession);

impl Row for BridgeSession {
    type Key = BridgeSessionId;
    type Layout = BridgeSessionLayout;
    const TABLE: Tag = Tag { byte: 36, name: "bridge_sessions" };

    fn entries(&self, key: &BridgeSessionId, into: &mut Entries) {
        into.expire(self.expires);
        into.weigh_on(Share::Person(self.user));
        into.add(&BRIDGE_SESSIONS_BY_USER, &self.user, key);
    }

    fn references(&self, _key: &BridgeSessionId, into: &mut References) {
        into.person(self.user);
        into.of_person::<LinkedDevice>(&self.linked, self.user);
    }
}

/// The record of a session id that a bridge chose and that has ended, by its hash. Ids that this
/// server generates need no such row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedBridge {
    /// Expiry, from which the id may be chosen again.
    pub expires: Deadline,
}

layout!(EndedBridgeLayout, EndedBridge);

impl Row for EndedBridge {
    type Key = TokenHash;
    type Layout = EndedBridgeLayout;
    const TABLE: Tag = Tag { byte: 65, name: "ended_bridges" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires.by_evidence());
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// The last heartbeat of a bridge, by its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// The time of the first heartbeat.
    pub first_seen: Timestamp,
    /// The number of forwarded requests.
    pub forwarded_total: u64,
    /// The machine's name.
    pub hostname: String,
    /// The time of its last use by an agent, in the bridge's own format.
    pub last_activity: Option<String>,
    /// The time of the last heartbeat.
    pub last_seen: Timestamp,
    /// The operating system.
    pub os: String,
    /// The number of incoming tokens.
    pub tokens_in_total: u64,
    /// The number of outgoing tokens.
    pub tokens_out_total: u64,
    /// The person.
    pub user: UserId,
    /// Its version.
    pub version: String,
}

/// The time for which a bridge is stored after its last heartbeat.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(30 * 24);

layout!(BridgeLayout, Bridge);

impl Row for Bridge {
    type Key = BridgeSessionId;
    type Layout = BridgeLayout;
    const TABLE: Tag = Tag { byte: 37, name: "bridges" };

    fn entries(&self, _key: &BridgeSessionId, into: &mut Entries) {
        into.expire(self.last_seen + RETENTION);
        into.weigh_on(Share::Person(self.user));
    }

    /// The session may have ended, and the person may be gone.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A person's preference about one host of agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPreference {
    /// Whether it may be used, if the person decided it.
    pub enabled: Option<bool>,
    /// The protocols to which its models are restricted, if the person decided it.
    pub model_protocols: Option<Vec<ModelProtocol>>,
}

layout!(HostPreferenceLayout, HostPreference);

impl Row for HostPreference {
    type Key = (UserId, HostId);
    type Layout = HostPreferenceLayout;
    const TABLE: Tag = Tag { byte: 38, name: "host_preferences" };

    fn entries(&self, (user, _): &(UserId, HostId), into: &mut Entries) {
        into.weigh_on(Share::Person(*user));
    }

    fn references(&self, (user, _): &(UserId, HostId), into: &mut References) {
        into.person(*user);
    }
}

/// The key that signs what a bridge must trust. Bridges pin it, so it is never replaced
/// automatically.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeKey {
    /// The time of its creation.
    pub created: Timestamp,
    /// The public key: 32 bytes (RFC 8032 §5.1.5).
    pub public: [u8; 32],
    /// The private key in PKCS #8, encrypted.
    pub sealed: Vec<u8>,
}

second_layout!(BridgeKeyLayout, BridgeKeyV1, BridgeKey);

impl Row for BridgeKey {
    type Key = ();
    type Layout = BridgeKeyLayout;
    const TABLE: Tag = Tag { byte: 39, name: "bridge_key" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
