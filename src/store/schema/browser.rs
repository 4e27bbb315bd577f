//! What is bound to a browser: sessions, and requests that the pages work on.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::bridge::LinkRedirect;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::{AuthorizeRequest, ResponseMode};
use crate::oauth::id::{ClientId, InteractionId, SessionId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// How and when a person proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// The methods (RFC 8176 §2).
    pub amr: Vec<String>,
    /// The moment: `auth_time`.
    pub at: Timestamp,
}

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The last sign-in.
    pub authentication: Authentication,
    /// The hash of its cookie.
    pub cookie: TokenHash,
    /// When it was opened.
    pub created: Timestamp,
    /// The device, as of the last request that was written down.
    pub device: DeviceInfo,
    /// Expiry: idle too long, or too old. Of a revoked session: when the row may be removed.
    pub expires: Timestamp,
    /// Whether it was revoked; then its grants are ended too.
    pub revoked: bool,
    /// When it was last used, to the precision with which that is written.
    pub seen: Timestamp,
    /// The person.
    pub user: UserId,
}

/// Sessions by the hash of their cookie.
pub const SESSIONS_BY_COOKIE: Index<TokenHash, SessionId> = Index::new(42, "sessions_by_cookie");
/// Sessions by their person.
pub const SESSIONS_BY_USER: Index<UserId, SessionId> = Index::new(43, "sessions_by_user");

layout!(SessionLayout, Session);

impl Row for Session {
    type Key = SessionId;
    type Layout = SessionLayout;
    const TABLE: Tag = Tag { byte: 17, name: "sessions" };

    fn entries(&self, key: &SessionId, into: &mut Entries) {
        into.add(&SESSIONS_BY_COOKIE, &self.cookie, key);
        into.add(&SESSIONS_BY_USER, &self.user, key);
        into.expire(self.expires);
    }
}

/// An authorization request that was checked. Interactions and pushed requests contain it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAuthorizationRequest {
    /// The client.
    pub client: ClientId,
    /// The `sub` that an `id_token_hint` named: this person has to sign in.
    pub expected: Option<String>,
    /// The redirect URI, as it was proven.
    pub redirect_uri: RedirectUri,
    /// Whether the request named it: then the token request has to name it too.
    pub redirect_uri_named: bool,
    /// The request.
    pub request: AuthorizeRequest,
    /// The `response_mode`.
    pub response_mode: ResponseMode,
    /// The `state`.
    pub state: Option<String>,
}

/// The purpose of an interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// An authorization (RFC 6749 §4.1).
    Authorize(Box<StoredAuthorizationRequest>),
    /// A link of a bridge.
    Link {
        /// Where the browser goes afterwards. Without it the person copies the code from the page.
        redirect: Option<LinkRedirect>,
    },
    /// A logout (OpenID Connect RP-Initiated Logout §2).
    Logout {
        /// The client, if the request named one.
        client: Option<ClientId>,
        /// The `sub` and the session of the `id_token_hint`.
        hint: Option<(String, Option<SessionId>)>,
        /// The `post_logout_redirect_uri` and the `state`.
        next: Option<(RedirectUri, Option<String>)>,
    },
}

/// A request that was checked and that the pages work on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// The hash of the cookie that was set with it.
    pub browser: TokenHash,
    /// When the request arrived.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Timestamp,
    /// Its purpose.
    pub purpose: Purpose,
}

layout!(InteractionLayout, Interaction);

impl Row for Interaction {
    type Key = InteractionId;
    type Layout = InteractionLayout;
    const TABLE: Tag = Tag { byte: 18, name: "interactions" };

    fn entries(&self, _key: &InteractionId, into: &mut Entries) {
        into.expire(self.expires);
    }
}
