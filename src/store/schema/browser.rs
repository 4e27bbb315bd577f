//! What is bound to a browser: sessions, and requests on their way through the pages.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::bridge::LinkRedirect;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::AuthorizeRequest;
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
    /// What its cookie is known by.
    pub cookie: TokenHash,
    /// When it began.
    pub created: Timestamp,
    /// What the browser told of itself, when it was last heard of.
    pub device: DeviceInfo,
    /// From when on it is over: idle too long, or too old. Once revoked, until when that is kept.
    pub expires: Timestamp,
    /// Whether it was revoked, and with it what was granted in it.
    pub revoked: bool,
    /// When it was last seen, to the precision with which that is written.
    pub seen: Timestamp,
    /// Whose it is.
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

/// What an interaction is to bring about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// An authorization (RFC 6749 §4.1).
    Authorize {
        /// Who asks.
        client: ClientId,
        /// Who has to be signed in, where a hint named somebody: the `sub` that the client knows.
        expected: Option<String>,
        /// Where the answer goes, as it was proven.
        redirect_uri: RedirectUri,
        /// Whether the request named it, so that the token request has to.
        redirect_uri_named: bool,
        /// What the answer carries back.
        state: Option<String>,
        /// What is asked.
        request: Box<AuthorizeRequest>,
    },
    /// A bridge to be let in.
    Link {
        /// Where the browser goes afterwards; nothing where the person is shown the code.
        redirect: Option<LinkRedirect>,
    },
    /// A logout (OpenID Connect RP-Initiated Logout §2).
    Logout {
        /// Who asks, if that is known.
        client: Option<ClientId>,
        /// The `sub` that the hint named, and in which session.
        hint: Option<(String, Option<SessionId>)>,
        /// Where the browser is to go afterwards, and the `state` for there.
        next: Option<(RedirectUri, Option<String>)>,
    },
}

/// A validated request on its way through the pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// What the cookie that was set with it is known by.
    pub browser: TokenHash,
    /// When the request came.
    pub created: Timestamp,
    /// From when on it is over.
    pub expires: Timestamp,
    /// What it is to bring about.
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
