//! The bridge: what carries a sign-in to it, its sessions and what it told of itself.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::bridge::{BridgeSessionId, HostId, ModelProtocol};
use crate::model::user_agent::DeviceInfo;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{ClientId, UserId};
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// An exchange code, by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it was made.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Timestamp,
    /// Whether it was redeemed.
    pub spent: bool,
    /// Who is behind it.
    pub user: UserId,
}

layout!(ExchangeLayout, Exchange);

impl Row for Exchange {
    type Key = TokenHash;
    type Layout = ExchangeLayout;
    const TABLE: Tag = Tag { byte: 34, name: "exchange_codes" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires);
    }
}

/// A personal access token, by the part of it that is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pat {
    /// When it was made.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Timestamp,
    /// The hash of its secret part.
    pub hash: TokenHash,
    /// What its owner calls it: the device, mostly.
    pub name: DisplayName,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it was used last, to the precision with which that is written.
    pub used: Option<Timestamp>,
    /// Whose it is.
    pub user: UserId,
}

/// Personal access tokens by their person, but for revoked ones.
pub const PATS_BY_USER: Index<UserId, String> = Index::new(52, "personal_tokens_by_user");

layout!(PatLayout, Pat);

impl Row for Pat {
    type Key = String;
    type Layout = PatLayout;
    const TABLE: Tag = Tag { byte: 35, name: "personal_tokens" };

    fn entries(&self, key: &String, into: &mut Entries) {
        if !self.revoked {
            into.add(&PATS_BY_USER, &self.user, key);
        }
        into.expire(self.expires);
    }
}

/// A bridge session: what bridge tokens hang on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeSession {
    /// Which client its tokens name.
    pub client: ClientId,
    /// When it began.
    pub created: Timestamp,
    /// What the request told that asked for a token last.
    pub device: DeviceInfo,
    /// Whether it was ended before its time.
    pub ended: bool,
    /// Expiry.
    pub expires: Timestamp,
    /// When it was seen last.
    pub seen: Timestamp,
    /// What brought it about: `bridge`, unless an operator says otherwise.
    pub source: String,
    /// Whose it is.
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
        if !self.ended {
            into.add(&BRIDGE_SESSIONS_BY_USER, &self.user, key);
        }
    }
}

/// A bridge once chose this id, by its hash. The row is never removed, since an ended id never
/// comes back; those that this server drew need no such row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedBridge {
    /// When its session was forgotten.
    pub at: Timestamp,
}

layout!(EndedBridgeLayout, EndedBridge);

impl Row for EndedBridge {
    type Key = TokenHash;
    type Layout = EndedBridgeLayout;
    const TABLE: Tag = Tag { byte: 65, name: "ended_bridges" };
}

/// A bridge at work, as it told of itself last, by its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// When it was heard of first.
    pub first_seen: Timestamp,
    /// How many requests it has forwarded.
    pub forwarded_total: u64,
    /// The machine's name.
    pub hostname: String,
    /// When an agent used it last, as it says.
    pub last_activity: Option<String>,
    /// When it was heard of last.
    pub last_seen: Timestamp,
    /// The operating system.
    pub os: String,
    /// How many tokens have come in.
    pub tokens_in_total: u64,
    /// How many tokens have gone out.
    pub tokens_out_total: u64,
    /// Whose it is.
    pub user: UserId,
    /// Its version.
    pub version: String,
}

/// How long a bridge that is silent is remembered.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(30 * 24);

layout!(BridgeLayout, Bridge);

impl Row for Bridge {
    type Key = BridgeSessionId;
    type Layout = BridgeLayout;
    const TABLE: Tag = Tag { byte: 37, name: "bridges" };

    fn entries(&self, _key: &BridgeSessionId, into: &mut Entries) {
        into.expire(self.last_seen + RETENTION);
    }
}

/// What a person wants of one host of agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPreference {
    /// Whether it may be used, if they said.
    pub enabled: Option<bool>,
    /// The protocols to which its models are held, if they said.
    pub model_protocols: Option<Vec<ModelProtocol>>,
}

layout!(HostPreferenceLayout, HostPreference);

impl Row for HostPreference {
    type Key = (UserId, HostId);
    type Layout = HostPreferenceLayout;
    const TABLE: Tag = Tag { byte: 38, name: "host_preferences" };
}

/// The key that signs what a bridge must trust. Clients pin it, so it is never replaced silently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeKey {
    /// When it was made.
    pub created: Timestamp,
    /// The public half: 32 bytes (RFC 8032 §5.1.5).
    pub public: [u8; 32],
    /// The PKCS #8 document, sealed.
    pub sealed: Vec<u8>,
}

layout!(BridgeKeyLayout, BridgeKey);

impl Row for BridgeKey {
    type Key = ();
    type Layout = BridgeKeyLayout;
    const TABLE: Tag = Tag { byte: 39, name: "bridge_key" };
}
