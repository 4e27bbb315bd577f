//! Clients, and the resources that tokens are for.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{
    ApplicationType, AuthMethod, ClientType, GrantType, PkcePolicy, RefreshPolicy, SigningAlg,
    SubjectType,
};
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

pub use crate::oauth::client::registration::Links;

/// A client (RFC 6749 §2, RFC 7591 §2), however it came to be known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// How long its access tokens last, in seconds, where that is not as everywhere.
    pub access_token_lifetime: Option<u32>,
    /// Whether it may open anonymous sessions, as the operator decided.
    pub anonymous: bool,
    /// Where it runs.
    pub application_type: ApplicationType,
    /// How it proves itself.
    pub auth_method: AuthMethod,
    /// Whether Basic and post both serve, since its registration named no method.
    pub any_secret_method: bool,
    /// Whether a logout token has to name the session (OpenID Connect Back-Channel Logout §2.2).
    pub backchannel_logout_session_required: bool,
    /// Where it is told of a logout.
    pub backchannel_logout_uri: Option<WebUri>,
    /// Whether it can keep a secret.
    pub client_type: ClientType,
    /// Whether a public client on loopback or a private-use scheme is answered without a visible
    /// confirmation, as the operator decided.
    pub confirmation_waived: bool,
    /// When it was registered.
    pub created: Timestamp,
    /// The `max_age` of a request that names none.
    pub default_max_age: Option<u32>,
    /// Whether it may do anything at all.
    pub enabled: bool,
    /// Whether it is the operator's own, and so needs no consent.
    pub first_party: bool,
    /// What it may ask the token endpoint for.
    pub grant_types: Vec<GrantType>,
    /// What its ID tokens are signed with.
    pub id_token_alg: SigningAlg,
    /// What introspection answers to it are signed with (RFC 9701 §6), unless RS256.
    pub introspection_alg: Option<SigningAlg>,
    /// Whether it may introspect every token.
    pub introspect_any: bool,
    /// The keys that it signs with.
    pub jwks: Option<JwkSet>,
    /// Where the keys lie that it signs with.
    pub jwks_uri: Option<WebUri>,
    /// What it says of itself.
    pub links: Links,
    /// What people read.
    pub name: DisplayName,
    /// How it came to be known here.
    pub origin: Origin,
    /// Whether it must send a PKCE challenge.
    pub pkce: PkcePolicy,
    /// Where a logout may lead.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where an authorization may lead.
    pub redirect_uris: Vec<RedirectUri>,
    /// What becomes of a spent refresh token that returns.
    pub refresh: RefreshPolicy,
    /// Whether it must push its authorization requests (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// The resources that it may ask tokens for; empty: those that people grant it.
    pub resources: Vec<Resource>,
    /// A number that every change raises of what it is proven by: a proof holds for the revision
    /// it was made against.
    pub revision: u64,
    /// What it may ask for, and what it gets where a request names no scope.
    pub scope: Scope,
    /// Whether the operator decided so, of a client that describes itself.
    pub scope_decided: bool,
    /// What its secret is known by.
    pub secret: Option<ClientProof>,
    /// The sector in which people have one name towards it (OpenID Connect Core §8.1).
    pub sector: Option<String>,
    /// Where the redirect URIs of that sector are listed, if it named that.
    pub sector_identifier_uri: Option<WebUri>,
    /// What somebody whom the operator trusts attested of it (RFC 7591 §2.3).
    pub software_statement: Option<String>,
    /// What people are called towards it.
    pub subject_type: SubjectType,
    /// What its userinfo answers are signed with, if they are.
    pub userinfo_alg: Option<SigningAlg>,
}

impl Client {
    /// Whether a proof of `other` is one of this client too.
    pub fn is_proven_like(&self, other: &Self) -> bool {
        self.any_secret_method == other.any_secret_method
            && self.auth_method == other.auth_method
            && self.enabled == other.enabled
            && self.jwks == other.jwks
            && self.jwks_uri == other.jwks_uri
            && self.secret == other.secret
    }
}

/// How a client came to be known here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// By the document that its `client_id` is the address of (Client ID Metadata Document).
    Document {
        /// From when on it has to be fetched anew; never for one that an operator imported.
        stale: Option<Timestamp>,
        /// From when on it may be forgotten, where it holds no live grant.
        unused: Option<Timestamp>,
    },
    /// By dynamic registration (RFC 7591).
    Dynamic {
        /// What its metadata is known by, so that one that registers anew at each start is found.
        fingerprint: TokenHash,
        /// What its registration access token is known by (RFC 7592 §3).
        registration: TokenHash,
        /// From when on it may be forgotten, where it holds no live grant.
        unused: Timestamp,
    },
    /// By a bridge: the hook client of a person, which is over with them.
    Hook {
        /// Who.
        owner: UserId,
    },
    /// By an operator.
    Operator,
}

/// What a client secret is known by.
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
            Origin::Document { unused: None, .. } | Origin::Hook { .. } | Origin::Operator => {}
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

/// How long it is kept: well beyond the time that counts.
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
