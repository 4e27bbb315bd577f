//! Clients, resources and counted attempts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Person, layout};
use crate::clock::Timestamp;
use crate::model::folding::folded;
use crate::model::look::picture::PictureKind;
use crate::model::named_by::NamedBy;
use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{PkcePolicy, SubjectType};
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::Scope;
use crate::secret::TokenHash;
use crate::store::{
    Entries, Held, Holder, Holding, Index, Pool, References, Row, Share, Tag, as_json,
};

/// A client (RFC 6749 §2, RFC 7591 §2) of any origin.
///
/// The metadata and the decisions are stored as JSON, with the names of the wire. A postcard row is
/// positional, so a new member would need a new layout of the whole row and a copy of the old
/// struct. In JSON, a row without a later member gets the member's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The time of its registration.
    pub created: Timestamp,
    /// The operator's decisions.
    #[serde(with = "as_json")]
    pub decisions: Arc<OperatorDecisions>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The metadata that it stated, or the operator who registered it.
    #[serde(with = "as_json")]
    pub metadata: Arc<ClientMetadata>,
    /// The way in which it was registered.
    pub origin: Origin,
    /// The person it belongs to, if any. It is removed with them.
    pub owner: Option<UserId>,
    /// The verifier of its secret, if it has one.
    pub proof: Option<ClientProof>,
    /// A number that increases with every change that affects authentication. A proof of the client
    /// holds for one revision.
    pub revision: u64,
}

static NO_SCOPE: Scope = Scope::EMPTY;

impl Client {
    /// A new client without an owner, with default decisions.
    pub fn new(created: Timestamp, origin: Origin, metadata: ClientMetadata) -> Self {
        Self {
            created,
            decisions: Arc::default(),
            enabled: true,
            metadata: Arc::new(metadata),
            origin,
            owner: None,
            proof: None,
            revision: 1,
        }
    }

    /// Its decisions, to be changed.
    pub fn decisions_mut(&mut self) -> &mut OperatorDecisions {
        Arc::make_mut(&mut self.decisions)
    }

    /// Its metadata, to be changed.
    pub fn metadata_mut(&mut self) -> &mut ClientMetadata {
        Arc::make_mut(&mut self.metadata)
    }

    /// The scope that it may request, and the default scope of its requests.
    pub fn scope(&self) -> &Scope {
        let scope = self.decisions.scope.as_ref().or(self.metadata.scope.as_ref());
        scope.unwrap_or(&NO_SCOPE)
    }

    /// Whether its scope is what it said of itself, and not an operator's decision.
    pub fn states_its_scope(&self) -> bool {
        let by_itself = match self.origin {
            Origin::Document { .. } | Origin::Dynamic { .. } => true,
            Origin::Hook | Origin::Operator => false,
        };
        by_itself && self.decisions.scope.is_none()
    }

    /// The sector identifier (OpenID Connect Core §8.1), if its subjects are pairwise.
    pub fn sector(&self) -> Option<String> {
        match (&self.decisions.sector, self.metadata.subject_type) {
            (_, SubjectType::Public) => None,
            (Some(sector), SubjectType::Pairwise) => Some(sector.as_str().to_owned()),
            // Its redirect URIs were checked at the registration.
            (None, SubjectType::Pairwise) => self.metadata.sector().ok().flatten(),
        }
    }

    /// Its metadata with the effective values: grant types, scope and authentication method.
    pub fn metadata_in_force(&self) -> ClientMetadata {
        ClientMetadata {
            grant_types: Some(self.metadata.grant_types().to_vec()),
            scope: Some(self.scope().clone()),
            token_endpoint_auth_method: Some(self.metadata.auth_method()),
            ..ClientMetadata::clone(&self.metadata)
        }
    }

    /// Who named its addresses: those of its keys and of its logout.
    pub fn named_by(&self) -> NamedBy {
        match &self.origin {
            Origin::Document { fetched: None } | Origin::Operator => NamedBy::Operator,
            Origin::Document { fetched: Some(_) } | Origin::Dynamic { .. } | Origin::Hook => {
                NamedBy::Stranger
            }
        }
    }

    /// Whether the operator decided anything about it.
    pub fn is_decided(&self) -> bool {
        !self.enabled || *self.decisions != OperatorDecisions::default()
    }

    /// Whether it registered or named itself, and no person has used it.
    pub fn is_strangers(&self) -> bool {
        self.strangers_holding().is_some()
    }

    /// Its place in the pool, if strangers hold it.
    pub fn strangers_holding(&self) -> Option<Holding> {
        self.holding().filter(|own| matches!(own.holder, Holder::Network(_)))
    }

    /// Whether a proof of `other` also proves this client.
    pub fn is_authenticated_like(&self, other: &Self) -> bool {
        let (own, its) = (&self.metadata, &other.metadata);
        self.enabled == other.enabled
            && self.proof == other.proof
            && own.jwks == its.jwks
            && own.jwks_uri == its.jwks_uri
            && own.token_endpoint_auth_method == its.token_endpoint_auth_method
    }
}

/// The way in which a client was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a client is read and written whole")]
pub enum Origin {
    /// By the document at the URL that is its `client_id` (Client ID Metadata Document).
    Document {
        /// The last fetch; `None` if an operator imported the document.
        fetched: Option<FetchedDocument>,
    },
    /// By dynamic registration (RFC 7591).
    Dynamic {
        /// The hash of its metadata, by which a client that registers at each start is recognised.
        fingerprint: TokenHash,
        /// Its place in the pool: the network that registered it, until a person uses it.
        holding: Holding,
        /// The hash of its registration access token (RFC 7592 §3).
        registration: TokenHash,
        /// The time at which it may be removed if it holds no live grant.
        unused: Timestamp,
    },
    /// By a bridge, as the hook client of its owner.
    Hook,
    /// By an operator.
    Operator,
}

/// The last fetch of a client's document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedDocument {
    /// Its place in the pool: the network whose request caused it, until a person uses it.
    pub holding: Holding,
    /// The time at which the document has to be fetched again.
    pub stale: Timestamp,
    /// The time at which the client may be removed if it holds no live grant.
    pub unused: Timestamp,
}

/// The verifier of a client secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientProof {
    /// The Argon2id hash, in PHC form, of a secret that a person chose.
    Chosen(String),
    /// The secrets of its owner's linked devices, one each. A hook client has them.
    Devices,
    /// The keyed hash of a 256-bit secret that this server made.
    Made(TokenHash),
}

/// Dynamically registered clients by the fingerprint of their metadata.
pub const CLIENTS_BY_FINGERPRINT: Index<TokenHash, ClientId> =
    Index::new(47, "clients_by_fingerprint");

/// The clients that an operator registered, by their name, folded. Nobody else's client is found by
/// its name.
pub const CLIENTS_BY_NAME: Index<String, ClientId> = Index::new(77, "clients_by_name");

/// The clients that may go without PKCE and nonce. A start names them.
pub const CLIENTS_WITHOUT_PKCE: Index<(), ClientId> = Index::new(54, "clients_without_pkce");

/// The clients that are for people of a group, by the group.
pub const CLIENTS_BY_GROUP: Index<String, ClientId> = Index::new(91, "clients_by_group");

layout!(ClientLayout, Client);

impl Held for Client {
    const POOL: Pool = Pool::Clients;

    /// A client about which the operator decided something is in no pool.
    fn holding(&self) -> Option<Holding> {
        match &self.origin {
            Origin::Document { fetched: Some(FetchedDocument { holding, .. }) }
            | Origin::Dynamic { holding, .. } => (!self.is_decided()).then_some(*holding),
            Origin::Document { fetched: None } | Origin::Hook | Origin::Operator => None,
        }
    }

    fn stored_at(&self) -> Timestamp {
        self.created
    }
}

impl Row for Client {
    type Key = ClientId;
    type Layout = ClientLayout;
    const TABLE: Tag = Tag { byte: 12, name: "clients" };

    fn entries(&self, key: &ClientId, into: &mut Entries) {
        if self.decisions.pkce == Some(PkcePolicy::Optional) {
            into.add(&CLIENTS_WITHOUT_PKCE, &(), key);
        }
        for group in &self.decisions.groups {
            into.add(&CLIENTS_BY_GROUP, &group.as_str().to_owned(), key);
        }
        if self.origin == Origin::Operator {
            into.add(&CLIENTS_BY_NAME, &folded(self.metadata.name()), key);
        }
        match &self.origin {
            Origin::Document { fetched: Some(FetchedDocument { unused, .. }) } => {
                into.expire(*unused);
                into.hold(self);
            }
            Origin::Dynamic { fingerprint, unused, .. } => {
                into.add(&CLIENTS_BY_FINGERPRINT, fingerprint, key);
                into.expire(*unused);
                into.hold(self);
            }
            Origin::Document { fetched: None } | Origin::Hook | Origin::Operator => {
                if let Some(owner) = self.owner {
                    into.weigh_on(Share::Person(owner));
                }
            }
        }
    }

    /// It is removed with its owner.
    fn references(&self, _key: &ClientId, into: &mut References) {
        if let Some(owner) = &self.owner {
            into.to::<Person>(owner);
        }
    }
}

/// The logo that an operator gave a client of theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientLogo {
    /// The image.
    #[serde(with = "as_bytes")]
    pub content: Vec<u8>,
    /// Its kind, never SVG.
    pub kind: PictureKind,
    /// The version of its content, which its address has.
    pub version: String,
}

/// Bytes as they are, and not as a list of numbers that are read one by one.
mod as_bytes {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

layout!(ClientLogoLayout, ClientLogo);

impl Row for ClientLogo {
    type Key = ClientId;
    type Layout = ClientLogoLayout;
    const TABLE: Tag = Tag { byte: 118, name: "client_logos" };

    fn entries(&self, _key: &ClientId, _into: &mut Entries) {}

    fn references(&self, key: &ClientId, into: &mut References) {
        into.to::<Client>(key);
    }
}

/// A used client assertion (RFC 7523 §3), by its client and the hash of its `jti`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedAssertion {
    /// The expiry of the assertion.
    pub expires: Timestamp,
    /// Its place in the pool, if strangers hold its client. It stays when the pool of clients takes
    /// the client, whose id may come back.
    pub holding: Option<Holding>,
}

layout!(UsedAssertionLayout, UsedAssertion);

impl Held for UsedAssertion {
    const POOL: Pool = Pool::UsedAssertions;

    fn holding(&self) -> Option<Holding> {
        self.holding
    }

    /// Those that expire first go first.
    fn stored_at(&self) -> Timestamp {
        self.expires
    }
}

impl Row for UsedAssertion {
    type Key = (ClientId, TokenHash);
    type Layout = UsedAssertionLayout;
    const TABLE: Tag = Tag { byte: 25, name: "used_assertions" };

    fn entries(&self, _key: &(ClientId, TokenHash), into: &mut Entries) {
        into.expire(self.expires);
        into.hold(self);
    }

    /// The client may be gone, and come back.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A registered resource (RFC 8707 §2), by the canonical spelling of its URI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// Whether its introspection knows the tokens of bridges, too, whose `aud` has `mcp`.
    pub accepts_bridge: bool,
    /// The time of its registration.
    pub created: Timestamp,
    /// Its name, as people see it.
    pub name: DisplayName,
    /// Its URI as it was registered: the `aud` of tokens for it.
    pub resource: Resource,
    /// Its scopes.
    pub scope: Scope,
    /// The client with whose credentials the resource introspects its tokens.
    pub server: Option<ClientId>,
    /// Whether every client may ask for its scopes.
    pub open: bool,
    /// The type of the access tokens for it.
    pub typ: TokenType,
}

/// Resources by the client with whose credentials they introspect.
pub const RESOURCES_BY_SERVER: Index<ClientId, String> = Index::new(48, "resources_by_server");

/// Resources by their name, folded.
pub const RESOURCES_BY_NAME: Index<String, String> = Index::new(78, "resources_by_name");

/// Resources by each of their scopes.
pub const RESOURCES_BY_SCOPE: Index<String, String> = Index::new(55, "resources_by_scope");

layout!(ProtectedLayout, Protected);

impl Row for Protected {
    type Key = String;
    type Layout = ProtectedLayout;
    const TABLE: Tag = Tag { byte: 23, name: "resources" };

    fn entries(&self, key: &String, into: &mut Entries) {
        into.add(&RESOURCES_BY_NAME, &folded(self.name.as_str()), key);
        if let Some(server) = &self.server {
            into.add(&RESOURCES_BY_SERVER, server, key);
        }
        for scope in self.scope.iter() {
            into.add(&RESOURCES_BY_SCOPE, &scope.as_str().to_owned(), key);
        }
    }

    /// Its client may be gone, and then nobody introspects its tokens.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// The count of recent failures, or of recent uses that are limited, by the hash of the label and
/// the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// The number.
    pub count: u32,
    /// Its place in the pool.
    pub holding: Holding,
    /// The time of the last failure, or of the first counted use.
    pub last: Timestamp,
}

/// The time for which a count is stored, well beyond the window that it is for.
const RETENTION: std::time::Duration = std::time::Duration::from_mins(10);

layout!(AttemptsLayout, Attempts);

impl Held for Attempts {
    const POOL: Pool = Pool::Attempts;

    fn holding(&self) -> Option<Holding> {
        Some(self.holding)
    }

    fn stored_at(&self) -> Timestamp {
        self.last
    }
}

impl Row for Attempts {
    type Key = TokenHash;
    type Layout = AttemptsLayout;
    const TABLE: Tag = Tag { byte: 29, name: "attempts" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.last + RETENTION);
        into.hold(self);
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
