//! Clients, and the resources that tokens are for.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::client::SubjectType;
use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// A client (RFC 6749 §2, RFC 7591 §2), whatever its origin.
///
/// The metadata and the decisions are JSON inside the row, by the mapping that the wire has: a row
/// of postcard is positional, so a new member would need a new layout of the whole row and a copy
/// of the old struct. In JSON a row from before a member has the member's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// When it was registered.
    pub created: Timestamp,
    /// What the operator decided of it.
    #[serde(with = "as_json")]
    pub decisions: OperatorDecisions,
    /// Whether it may do anything.
    pub enabled: bool,
    /// What it stated of itself, or what the operator who registered it stated.
    #[serde(with = "as_json")]
    pub metadata: ClientMetadata,
    /// How it was registered.
    pub origin: Origin,
    /// The person it belongs to. It ends with them.
    pub owner: Option<UserId>,
    /// How its secret is verified, if it has one.
    pub proof: Option<ClientProof>,
    /// A number that rises with every change of what it is authenticated by. An authentication
    /// holds for the revision it was made against.
    pub revision: u64,
}

static NO_SCOPE: Scope = Scope::EMPTY;

impl Client {
    /// A new client that nobody owns, of which the operator decided nothing.
    pub fn new(created: Timestamp, origin: Origin, metadata: ClientMetadata) -> Self {
        Self {
            created,
            decisions: OperatorDecisions::default(),
            enabled: true,
            metadata,
            origin,
            owner: None,
            proof: None,
            revision: 1,
        }
    }

    /// What it may ask for, and what it gets if a request names no scope.
    pub fn scope(&self) -> &Scope {
        let scope = self.decisions.scope.as_ref().or(self.metadata.scope.as_ref());
        scope.unwrap_or(&NO_SCOPE)
    }

    /// The sector in which people have one identifier for this client (OpenID Connect Core §8.1),
    /// if its subjects are pairwise.
    pub fn sector(&self) -> Option<String> {
        match (&self.decisions.sector, self.metadata.subject_type) {
            (_, SubjectType::Public) => None,
            (Some(sector), SubjectType::Pairwise) => Some(sector.as_str().to_owned()),
            // Its redirect URIs were checked when it registered.
            (None, SubjectType::Pairwise) => self.metadata.sector().ok().flatten(),
        }
    }

    /// Its metadata with the values that hold: the scope in force, the method it has to use.
    pub fn metadata_in_force(&self) -> ClientMetadata {
        ClientMetadata {
            grant_types: Some(self.metadata.grant_types().to_vec()),
            scope: Some(self.scope().clone()),
            token_endpoint_auth_method: Some(self.metadata.auth_method()),
            ..self.metadata.clone()
        }
    }

    /// Whether the operator decided anything of it.
    pub fn is_decided(&self) -> bool {
        !self.enabled || self.decisions != OperatorDecisions::default()
    }

    /// Whether an authentication of `other` is one of this client too.
    pub fn is_authenticated_like(&self, other: &Self) -> bool {
        let (own, its) = (&self.metadata, &other.metadata);
        self.enabled == other.enabled
            && self.proof == other.proof
            && own.jwks == its.jwks
            && own.jwks_uri == its.jwks_uri
            && own.token_endpoint_auth_method == its.token_endpoint_auth_method
    }
}

/// A value as JSON text inside a row.
mod as_json {
    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(value).map_err(S::Error::custom)?)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let json = String::deserialize(deserializer)?;
        serde_json::from_str(&json).map_err(D::Error::custom)
    }
}

/// How a client was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// By the document at the address that its `client_id` is (Client ID Metadata Document).
    Document {
        /// When the document has to be fetched again; never if an operator imported it.
        stale: Option<Timestamp>,
        /// When it may be removed, if it holds no live grant; never if an operator imported it.
        unused: Option<Timestamp>,
    },
    /// By dynamic registration (RFC 7591).
    Dynamic {
        /// The hash of its metadata, which finds a client that registers again at each start.
        fingerprint: TokenHash,
        /// The hash of its registration access token (RFC 7592 §3).
        registration: TokenHash,
        /// When it may be removed, if it holds no live grant.
        unused: Timestamp,
    },
    /// By a bridge: the hook client of its owner.
    Hook,
    /// By an operator.
    Operator,
}

/// How a client secret is verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientProof {
    /// The Argon2id hash, in PHC form, of a secret that a person chose.
    Chosen(String),
    /// The keyed hash of a 256-bit secret that this server made.
    Made(TokenHash),
}

/// Clients that registered themselves, by the fingerprint of their metadata.
pub const CLIENTS_BY_FINGERPRINT: Index<TokenHash, ClientId> =
    Index::new(47, "clients_by_fingerprint");

layout!(ClientLayout, Client);

impl Row for Client {
    type Key = ClientId;
    type Layout = ClientLayout;
    const TABLE: Tag = Tag { byte: 12, name: "clients" };

    fn entries(&self, key: &ClientId, into: &mut Entries) {
        match &self.origin {
            Origin::Document { unused: Some(unused), .. } => into.expire(*unused),
            Origin::Document { unused: None, .. } | Origin::Hook | Origin::Operator => {}
            Origin::Dynamic { fingerprint, unused, .. } => {
                into.add(&CLIENTS_BY_FINGERPRINT, fingerprint, key);
                into.expire(*unused);
            }
        }
    }
}

/// A client assertion that was used (RFC 7523 §3), by the hash of its client and its `jti`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedAssertion {
    /// When the assertion would have expired.
    pub expires: Timestamp,
}

layout!(UsedAssertionLayout, UsedAssertion);

impl Row for UsedAssertion {
    type Key = TokenHash;
    type Layout = UsedAssertionLayout;
    const TABLE: Tag = Tag { byte: 25, name: "used_assertions" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires);
    }
}

/// A registered resource (RFC 8707 §2), by the one spelling of its URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// When it was registered.
    pub created: Timestamp,
    /// What people read.
    pub name: DisplayName,
    /// Its URI as it was registered: the `aud` of tokens for it.
    pub resource: Resource,
    /// The scopes that mean something there.
    pub scope: Scope,
    /// The client as which the resource introspects the tokens that are addressed to it.
    pub server: Option<ClientId>,
    /// Whether clients that nobody registered may ask for those scopes.
    pub open: bool,
}

/// Resources by the client as which they introspect.
pub const RESOURCES_BY_SERVER: Index<ClientId, String> = Index::new(48, "resources_by_server");

layout!(ProtectedLayout, Protected);

impl Row for Protected {
    type Key = String;
    type Layout = ProtectedLayout;
    const TABLE: Tag = Tag { byte: 23, name: "resources" };

    fn entries(&self, key: &String, into: &mut Entries) {
        if let Some(server) = &self.server {
            into.add(&RESOURCES_BY_SERVER, server, key);
        }
    }
}

/// How often something failed lately (or came, where that is bounded), by the hash of what is
/// counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How often.
    pub count: u32,
    /// When it was the last time, or where arrivals are counted, when the counting began.
    pub last: Timestamp,
}

/// Retention: well beyond the window that counts.
const RETENTION: std::time::Duration = std::time::Duration::from_mins(10);

layout!(AttemptsLayout, Attempts);

impl Row for Attempts {
    type Key = TokenHash;
    type Layout = AttemptsLayout;
    const TABLE: Tag = Tag { byte: 29, name: "attempts" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.last + RETENTION);
    }
}
