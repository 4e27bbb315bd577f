//! What people allowed, and the codes and tokens under it.

use serde::{Deserialize, Serialize};

use super::{Authentication, layout};
use crate::clock::Timestamp;
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::id::{ClientId, GrantId, SessionId, UserId};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// What a person once allowed a client, so that it is not asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The scope, by the canonical spelling of the resource that it is for; this server is a
    /// resource too.
    pub allowed: Vec<(String, Scope)>,
    /// When it was given or widened last.
    pub given: Timestamp,
}

layout!(ConsentLayout, Consent);

/// By person, client and redirect host.
impl Row for Consent {
    type Key = (UserId, ClientId, String);
    type Layout = ConsentLayout;
    const TABLE: Tag = Tag { byte: 19, name: "consents" };
}

/// That a person took back what they allowed a client. Kept as long as an answer from before may
/// still be on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// When it was.
    pub at: Timestamp,
    /// From when on nothing from before can be redeemed anyway.
    pub expires: Timestamp,
}

layout!(WithdrawalLayout, Withdrawal);

/// By person and client.
impl Row for Withdrawal {
    type Key = (UserId, ClientId);
    type Layout = WithdrawalLayout;
    const TABLE: Tag = Tag { byte: 32, name: "withdrawals" };

    fn entries(&self, _key: &(UserId, ClientId), into: &mut Entries) {
        into.expire(self.expires);
    }
}

/// An authorization code (RFC 6749 §4.1.2), by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// How the person signed in.
    pub authentication: Authentication,
    /// The claims that are asked for by name.
    pub claims: ClaimsRequest,
    /// Whose it is to redeem.
    pub client: ClientId,
    /// What its redemption has to meet.
    pub code_challenge: Option<CodeChallenge>,
    /// When it was issued.
    pub created: Timestamp,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
    /// Until when it is kept as evidence.
    pub retained_until: Timestamp,
    /// What the ID token carries back.
    pub nonce: Option<String>,
    /// The `redirect_uri` of the request, if it named one.
    pub redirect_uri: Option<String>,
    /// The resources that were granted.
    pub resources: Vec<Resource>,
    /// What was granted.
    pub scope: Scope,
    /// The browser session in which it was granted.
    pub session: SessionId,
    /// The grant that its redemption made.
    pub spent: Option<GrantId>,
    /// Who granted it.
    pub user: UserId,
}

layout!(CodeLayout, Code);

impl Row for Code {
    type Key = TokenHash;
    type Layout = CodeLayout;
    const TABLE: Tag = Tag { byte: 20, name: "codes" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.retained_until);
    }
}

/// One authorization: what every token that comes of it hangs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// How the person signed in.
    pub authentication: Authentication,
    /// The claims that are asked for by name.
    pub claims: ClaimsRequest,
    /// Who may use it.
    pub client: ClientId,
    /// When it was made.
    pub created: Timestamp,
    /// When it was ended, if it was.
    pub ended: Option<Timestamp>,
    /// From when on nothing under it is valid.
    pub expires: Timestamp,
    /// Whether it outlives the session (OpenID Connect Core §11).
    pub offline: bool,
    /// The resources.
    pub resources: Vec<Resource>,
    /// What was granted.
    pub scope: Scope,
    /// The browser session in which it was made.
    pub session: SessionId,
    /// Who granted it.
    pub user: UserId,
}

/// Grants by their client.
pub const GRANTS_BY_CLIENT: Index<ClientId, GrantId> = Index::new(44, "grants_by_client");
/// Grants by their session.
pub const GRANTS_BY_SESSION: Index<SessionId, GrantId> = Index::new(45, "grants_by_session");
/// Grants by their person.
pub const GRANTS_BY_USER: Index<UserId, GrantId> = Index::new(46, "grants_by_user");

layout!(GrantLayout, Grant);

impl Row for Grant {
    type Key = GrantId;
    type Layout = GrantLayout;
    const TABLE: Tag = Tag { byte: 21, name: "grants" };

    fn entries(&self, key: &GrantId, into: &mut Entries) {
        into.add(&GRANTS_BY_CLIENT, &self.client, key);
        into.add(&GRANTS_BY_SESSION, &self.session, key);
        into.add(&GRANTS_BY_USER, &self.user, key);
        into.expire(self.expires);
    }
}

/// A refresh token (RFC 6749 §1.5), by its hash.
///
/// Its successor is derived from it, so a family is a line, and needs no list of its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// Whose it is to use.
    pub client: ClientId,
    /// From when on it is worth nothing, unused.
    pub expires: Timestamp,
    /// The grant it refreshes.
    pub grant: GrantId,
    /// Until when it is kept as evidence: the end of the grant.
    pub retained_until: Timestamp,
    /// When it was replaced by its successor, if it was.
    pub spent: Option<Timestamp>,
}

layout!(RefreshLayout, Refresh);

impl Row for Refresh {
    type Key = TokenHash;
    type Layout = RefreshLayout;
    const TABLE: Tag = Tag { byte: 22, name: "refresh_tokens" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.retained_until);
    }
}

/// An access token that was revoked by itself (RFC 7009 §2.1), by its `jti`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// When the token would have expired.
    pub expires: Timestamp,
}

layout!(RevokedLayout, Revoked);

impl Row for Revoked {
    type Key = String;
    type Layout = RevokedLayout;
    const TABLE: Tag = Tag { byte: 24, name: "revoked" };

    fn entries(&self, _key: &String, into: &mut Entries) {
        into.expire(self.expires);
    }
}
