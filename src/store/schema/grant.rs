//! Consents, authorizations, and the codes, grants and tokens under them.

use serde::{Deserialize, Serialize};

use super::{Authentication, Deadline, GrantV1, layout, second_layout};
use crate::clock::Timestamp;
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::id::{ClientId, GrantId, SessionId, UserId};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::{RefreshSalt, TokenHash};
use crate::store::{Entries, Index, References, Row, Share, Tag};

/// A remembered consent, which the person is not asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The scope for each resource, by the canonical spelling of the resource. This server is a
    /// resource too.
    pub allowed: Vec<(String, Scope)>,
    /// The time at which it was last given or widened.
    pub given: Timestamp,
}

layout!(ConsentLayout, Consent);

/// By person, client and redirect host.
impl Row for Consent {
    type Key = (UserId, ClientId, String);
    type Layout = ConsentLayout;
    const TABLE: Tag = Tag { byte: 19, name: "consents" };

    fn entries(&self, (user, ..): &(UserId, ClientId, String), into: &mut Entries) {
        into.weigh_on(Share::Person(*user));
    }

    /// The client may be gone, and one that comes back by its document is asked for anew.
    fn references(&self, (user, ..): &(UserId, ClientId, String), into: &mut References) {
        into.person(*user);
    }
}

/// The withdrawal of everything that a person had authorized a client to do. The row stays as long
/// as codes and grants from before it exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// The time of the withdrawal.
    pub at: Timestamp,
    /// Expiry, at which every code from before the withdrawal has expired.
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

    /// Whom and what it names may be gone.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// An authorization of a client by a person. Authorization codes, approved device codes and grants
/// contain it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The sign-in of the person.
    pub authentication: Authentication,
    /// The claims that the client requested by name (OpenID Connect Core §5.5).
    pub claims: ClaimsRequest,
    /// The client.
    pub client: ClientId,
    /// The time of the authorization.
    pub given: Timestamp,
    /// The resources.
    pub resources: Vec<Resource>,
    /// The granted scope.
    pub scope: Scope,
    /// The browser session in which the person authorized it.
    pub session: SessionId,
    /// The person.
    pub user: UserId,
}

/// An authorization code (RFC 6749 §4.1.2), by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The authorization.
    pub authorization: Authorization,
    /// The PKCE challenge (RFC 7636 §4.2).
    pub code_challenge: Option<CodeChallenge>,
    /// Expiry.
    pub expires: Deadline,
    /// The `nonce` for the ID token.
    pub nonce: Option<String>,
    /// The `redirect_uri` of the request, if it named one.
    pub redirect_uri: Option<String>,
    /// The time at which the row may be removed. Until then it is evidence of a replay.
    pub retained_until: Timestamp,
    /// The grant that its redemption created, if it was redeemed.
    pub spent: Option<GrantId>,
}

layout!(CodeLayout, Code);

impl Row for Code {
    type Key = TokenHash;
    type Layout = CodeLayout;
    const TABLE: Tag = Tag { byte: 20, name: "codes" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.retained_until);
    }

    /// Whom and what it names may be gone, and then it opens nothing.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A grant: an authorization in use. Its tokens are valid as long as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The authorization.
    pub authorization: Authorization,
    /// Whether an operator made it, for one access token. The person authorized nothing, and the
    /// session is none.
    pub by_operator: bool,
    /// The time of its creation.
    pub created: Timestamp,
    /// The time at which it was ended, if it was.
    pub ended: Option<Timestamp>,
    /// Expiry, of the grant and of every token under it.
    pub expires: Timestamp,
    /// Its refresh tokens, if its client may refresh.
    pub family: Option<Family>,
    /// Whether it outlives the session (OpenID Connect Core §11).
    pub offline: bool,
}

impl Grant {
    /// The last use: the last refresh, or the beginning.
    pub fn used(&self) -> Timestamp {
        let family = self.family.as_ref().and_then(|family| family.spendings.last());
        family.map_or(self.created, |last| last.at.max(self.created))
    }
}

/// The refresh tokens of a grant (RFC 6749 §1.5). None of them has a row: a token is known by its MAC
/// and judged by its generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Whether a generation ahead of the newest was taken although no restore is recorded.
    pub ahead: bool,
    /// The generation of the key under which the newest token was given out.
    pub key: u8,
    /// The spendings that are inside the replay grace, oldest first, and in any case the last one,
    /// which issued the newest token.
    pub spendings: Vec<Spending>,
    /// The generation of the newest token. That of the first is 0.
    pub newest: u64,
    /// The random bytes that every token of the family needs.
    pub salt: RefreshSalt,
}

/// The spending of some generations of a family that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spending {
    /// The time at which the last of them was spent.
    pub at: Timestamp,
    /// The first of them. The last comes before the first of the next spending, or before the newest
    /// token.
    pub first: u64,
}

/// Grants by their client.
pub const GRANTS_BY_CLIENT: Index<ClientId, GrantId> = Index::new(44, "grants_by_client");
/// Grants by their session.
pub const GRANTS_BY_SESSION: Index<SessionId, GrantId> = Index::new(45, "grants_by_session");
/// Grants by their person.
pub const GRANTS_BY_USER: Index<UserId, GrantId> = Index::new(46, "grants_by_user");

second_layout!(GrantLayout, GrantV1, Grant);

impl Row for Grant {
    type Key = GrantId;
    type Layout = GrantLayout;
    const TABLE: Tag = Tag { byte: 21, name: "grants" };

    fn entries(&self, key: &GrantId, into: &mut Entries) {
        let Authorization { client, session, user, .. } = &self.authorization;
        into.add(&GRANTS_BY_CLIENT, client, key);
        into.add(&GRANTS_BY_SESSION, session, key);
        into.add(&GRANTS_BY_USER, user, key);
        into.expire(self.expires);
        into.weigh_on(Share::Person(*user));
    }

    /// The session may have ended.
    fn references(&self, _key: &GrantId, into: &mut References) {
        into.person(self.authorization.user);
        into.client(&self.authorization.client);
    }
}

/// An access token that was revoked without its grant (RFC 7009 §2.1), by its `jti`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The time until which the revocation has to be remembered.
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

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
