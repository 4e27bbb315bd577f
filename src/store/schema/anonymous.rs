//! Anonymous sessions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::anonymous::Metadata;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::{AnonymousSub, ClientId, SessionId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Share, Tag};

/// An anonymous session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnonymousSession {
    /// The device, as the request described it.
    pub device: DeviceInfo,
    /// The client that opened it.
    pub client: ClientId,
    /// The hash of its cookie.
    pub cookie: TokenHash,
    /// The time of its creation.
    pub created: Timestamp,
    /// Its end, if it ended before its expiry.
    pub ending: Option<AnonymousEnding>,
    /// Expiry.
    pub expires: Timestamp,
    /// The client's notes about it.
    pub metadata: Option<Metadata>,
    /// The keyed hash of the network of the request.
    pub network: TokenHash,
    /// The redirect URI that the request named.
    pub redirect_uri: Option<RedirectUri>,
    /// The `sub` of its tokens.
    pub sub: AnonymousSub,
}

/// The end of an anonymous session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnonymousEnding {
    /// It was merged into this person, who enrolled.
    Merged(UserId),
    /// An operator ended it.
    Revoked,
}

/// The time for which a session is stored for the operator, from its creation.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Anonymous sessions without an ending, by the hash of their cookie.
pub const ANONYMOUS_BY_COOKIE: Index<TokenHash, SessionId> =
    Index::new(61, "anonymous_sessions_by_cookie");
/// Anonymous sessions without an ending, by their expiry.
pub const ANONYMOUS_BY_EXPIRY: Index<Timestamp, SessionId> =
    Index::new(62, "anonymous_sessions_by_expiry");
/// Anonymous sessions without an ending, by their network and expiry.
pub const ANONYMOUS_BY_NETWORK: Index<(TokenHash, Timestamp), SessionId> =
    Index::new(63, "anonymous_sessions_by_network");

layout!(AnonymousSessionLayout, AnonymousSession);

impl Row for AnonymousSession {
    type Key = SessionId;
    type Layout = AnonymousSessionLayout;
    const TABLE: Tag = Tag { byte: 60, name: "anonymous_sessions" };

    fn entries(&self, key: &SessionId, into: &mut Entries) {
        into.expire(self.created + RETENTION);
        into.weigh_on(Share::Network(self.network));
        if self.ending.is_none() {
            into.add(&ANONYMOUS_BY_COOKIE, &self.cookie, key);
            into.add(&ANONYMOUS_BY_EXPIRY, &self.expires, key);
            into.add(&ANONYMOUS_BY_NETWORK, &(self.network, self.expires), key);
        }
    }
}
