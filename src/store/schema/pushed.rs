//! Authorization requests that wait for their browser.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::authorize::AuthorizeRequest;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::RedirectUri;
use crate::secret::TokenHash;
use crate::store::{Entries, Row, Tag};

/// A pushed authorization request (RFC 9126 §2), by the hash of its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// Who pushed it.
    pub client: ClientId,
    /// When it was pushed.
    pub created: Timestamp,
    /// Who has to be signed in, where a hint named somebody: the `sub` that the client knows.
    pub expected: Option<String>,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
    /// Where the answer goes, as it was proven.
    pub redirect_uri: RedirectUri,
    /// Whether the request named it, so that the token request has to.
    pub redirect_uri_named: bool,
    /// What is asked.
    pub request: AuthorizeRequest,
    /// What the answer carries back.
    pub state: Option<String>,
}

layout!(PushedLayout, Pushed);

impl Row for Pushed {
    type Key = TokenHash;
    type Layout = PushedLayout;
    const TABLE: Tag = Tag { byte: 26, name: "pushed_requests" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires);
    }
}
