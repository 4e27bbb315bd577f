//! Rows that are bound to a browser: sessions and interactions.

use serde::{Deserialize, Serialize};

use super::{Deadline, layout};
use crate::clock::Timestamp;
use crate::model::bridge::LinkRedirect;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::{AuthorizeRequest, ResponseMode};
use crate::oauth::id::{ClientId, InteractionId, SessionId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::state::State;
use crate::secret::TokenHash;
use crate::store::{Entries, Held, Holding, Index, Pool, References, Row, Share, Tag};

/// The method and time of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// The methods (RFC 8176 §2).
    pub amr: Vec<String>,
    /// The time: `auth_time`.
    pub at: Timestamp,
}

/// A browser session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The last sign-in.
    pub authentication: Authentication,
    /// The time of the last sign-in in this session.
    pub created: Timestamp,
    /// The device, as the last recorded request described it.
    pub device: DeviceInfo,
    /// Expiry, by idleness or by age. For a revoked session, the time at which the row may be
    /// removed.
    pub expires: Timestamp,
    /// The keyed hash of what proves it: the public half of its key, which each proof brings, or its
    /// cookie.
    pub holder: TokenHash,
    /// Whether it was revoked. If so, its grants have ended too.
    pub revoked: bool,
    /// The last use, with the precision at which it is recorded.
    pub seen: Timestamp,
    /// The person.
    pub user: UserId,
}

/// Sessions by the hash of their key or cookie.
pub const SESSIONS_BY_HOLDER: Index<TokenHash, SessionId> = Index::new(42, "sessions_by_holder");
/// Sessions by their person.
pub const SESSIONS_BY_USER: Index<UserId, SessionId> = Index::new(43, "sessions_by_user");

layout!(SessionLayout, Session);

impl Row for Session {
    type Key = SessionId;
    type Layout = SessionLayout;
    const TABLE: Tag = Tag { byte: 17, name: "sessions" };

    fn entries(&self, key: &SessionId, into: &mut Entries) {
        into.add(&SESSIONS_BY_HOLDER, &self.holder, key);
        into.add(&SESSIONS_BY_USER, &self.user, key);
        into.expire(self.expires);
        into.weigh_on(Share::Person(self.user));
    }

    fn references(&self, _key: &SessionId, into: &mut References) {
        into.person(self.user);
    }
}

/// A checked authorization request. Interactions and pushed requests contain it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAuthorizationRequest {
    /// The client.
    pub client: ClientId,
    /// The `sub` of the `id_token_hint`: this person has to sign in.
    pub expected: Option<String>,
    /// The reference to the request, if it was pushed, in an interaction. A response spends it.
    pub pushed: Option<TokenHash>,
    /// The proven redirect URI.
    pub redirect_uri: RedirectUri,
    /// Whether the request named it. If so, the token request must name it too.
    pub redirect_uri_named: bool,
    /// The request.
    pub request: AuthorizeRequest,
    /// The time of the request, before which its client was registered.
    pub requested: Timestamp,
    /// The `response_mode`.
    pub response_mode: ResponseMode,
    /// The `state`.
    pub state: Option<State>,
}

/// The purpose of an interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// An authorization (RFC 6749 §4.1).
    Authorize(Box<StoredAuthorizationRequest>),
    /// A link of a bridge.
    Link {
        /// The redirect after the decision. Without it, the person copies the code from the page.
        redirect: Option<LinkRedirect>,
    },
    /// A logout (OpenID Connect RP-Initiated Logout §2).
    Logout {
        /// The client, if the request named one.
        client: Option<ClientId>,
        /// The `sub` and the session of the `id_token_hint`.
        hint: Option<(String, Option<SessionId>)>,
        /// Whether the request named a `post_logout_redirect_uri` that could not be verified.
        astray: bool,
        /// The `post_logout_redirect_uri` and the `state`.
        next: Option<(RedirectUri, Option<State>)>,
    },
}

/// An interaction: a checked request whose response is pending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// The hash of the cookie that was set with it.
    pub browser: TokenHash,
    /// The hash of the secret in the storage of the browser that opened it first, where a session is
    /// a key. From then on the cookie alone, which other ports receive, opens it nowhere else.
    pub claimed: Option<TokenHash>,
    /// The time of the request.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Deadline,
    /// Its place in the pool.
    pub holding: Holding,
    /// Its purpose.
    pub purpose: Purpose,
}

impl Held for Interaction {
    const POOL: Pool = Pool::Interactions;

    fn holding(&self) -> Option<Holding> {
        Some(self.holding)
    }

    fn stored_at(&self) -> Timestamp {
        self.created
    }
}

layout!(InteractionLayout, Interaction);

impl Row for Interaction {
    type Key = InteractionId;
    type Layout = InteractionLayout;
    const TABLE: Tag = Tag { byte: 18, name: "interactions" };

    fn entries(&self, _key: &InteractionId, into: &mut Entries) {
        into.expire(self.expires.by_evidence());
        into.hold(self);
    }

    /// Whom and what it names may be gone, and then it leads nowhere.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
