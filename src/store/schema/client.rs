//! Clients.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::oauth::client::{
    AuthMethod, ClientType, GrantType, PkcePolicy, RefreshPolicy, SigningAlg,
};
use crate::oauth::id::ClientId;
use crate::oauth::person::DisplayName;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::scope::Scope;
use crate::secret::TokenHash;
use crate::store::{Row, Tag};
use crate::time::Timestamp;

/// A registered client (RFC 6749 §2, RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// How it proves itself.
    pub auth_method: AuthMethod,
    /// Whether it can keep a secret.
    pub client_type: ClientType,
    /// When it was registered.
    pub created: Timestamp,
    /// Whether it may do anything at all.
    pub enabled: bool,
    /// Whether it is the operator's own, and so needs no consent.
    pub first_party: bool,
    /// What it may ask the token endpoint for.
    pub grant_types: Vec<GrantType>,
    /// What its ID tokens are signed with.
    pub id_token_alg: SigningAlg,
    /// What people read.
    pub name: DisplayName,
    /// Whether it must send a PKCE challenge.
    pub pkce: PkcePolicy,
    /// Where a logout may lead.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where an authorization may lead.
    pub redirect_uris: Vec<RedirectUri>,
    /// What becomes of a spent refresh token that returns.
    pub refresh: RefreshPolicy,
    /// A number that every change raises: a proof holds for the revision it was made against.
    pub revision: u64,
    /// What it may ask for, and what it gets where a request names no scope.
    pub scope: Scope,
    /// What its secret is known by.
    pub secret: Option<ClientProof>,
}

/// What a client secret is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientProof {
    /// The keyed hash of a 256-bit secret that this server made.
    Made(TokenHash),
}

layout!(ClientLayout, Client);

impl Row for Client {
    type Key = ClientId;
    type Layout = ClientLayout;
    const TABLE: Tag = Tag { byte: 12, name: "clients" };
}
