//! Anonymous sessions: what tokens of nobody in particular hang on.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::anonymous::Metadata;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::{AnonymousSub, ClientId, SessionId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// A session of nobody in particular.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnonymousSession {
    /// What the request told of its device.
    pub device: DeviceInfo,
    /// Which client opened it.
    pub client: ClientId,
    /// The hash of its cookie.
    pub cookie: TokenHash,
    /// When it began.
    pub created: Timestamp,
    /// Whether it was ended before its time, and by what.
    pub ending: Option<AnonymousEnding>,
    /// Expiry.
    pub expires: Timestamp,
    /// What the client says of it.
    pub metadata: Option<Metadata>,
    /// The keyed hash of the network that asked for it.
    pub network: TokenHash,
    /// Where the client meant to go on.
    pub redirect_uri: Option<RedirectUri>,
    /// What its tokens name in place of a person.
    pub sub: AnonymousSub,
}

/// How an anonymous session came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnonymousEnding {
    /// The person enrolled, as this one.
    Merged(UserId),
    /// An operator ended it.
    Revoked,
}

/// How long a session is stored for the operator to see, from its start.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Anonymous sessions that nothing has ended, by the hash of their cookie.
pub const ANONYMOUS_BY_COOKIE: Index<TokenHash, SessionId> =
    Index::new(61, "anonymous_sessions_by_cookie");
/// Anonymous sessions that nothing has ended, by the moment from which they are over.
pub const ANONYMOUS_BY_EXPIRY: Index<Timestamp, SessionId> =
    Index::new(62, "anonymous_sessions_by_expiry");
/// The same, by the network that asked for them.
pub const ANONYMOUS_BY_NETWORK: Index<(TokenHash, Timestamp), SessionId> =
    Index::new(63, "anonymous_sessions_by_network");

layout!(AnonymousSessionLayout, AnonymousSession);

impl Row for AnonymousSession {
    type Key = SessionId;
    type Layout = AnonymousSessionLayout;
    const TABLE: Tag = Tag { byte: 60, name: "anonymous_sessions" };

    fn entries(&self, key: &SessionId, into: &mut Entries) {
        into.expire(self.created + RETENTION);
        if self.ending.is_none() {
            into.add(&ANONYMOUS_BY_COOKIE, &self.cookie, key);
            into.add(&ANONYMOUS_BY_EXPIRY, &self.expires, key);
            into.add(&ANONYMOUS_BY_NETWORK, &(self.network, self.expires), key);
        }
    }
}
