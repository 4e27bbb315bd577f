//! Anonymous sessions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::anonymous::Metadata;
use crate::model::network::Network;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::{AnonymousSub, ClientId, SessionId, UserId};
use crate::oauth::redirect_uri::RedirectUri;
use crate::secret::TokenHash;
use crate::store::{Entries, Held, Holding, Index, Pool, Rank, References, Row, Tag};

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
    /// The network of the request.
    pub network: Network,
    /// The redirect URI that the request named.
    pub redirect_uri: Option<RedirectUri>,
    /// The `sub` of its tokens.
    pub sub: AnonymousSub,
}

impl Held for AnonymousSession {
    const POOL: Pool = Pool::AnonymousSessions;

    /// Sessions that have ended go first. One that was merged is its person's.
    fn holding(&self) -> Option<Holding> {
        Some(match self.ending {
            None => Holding::strangers(self.network, Rank::Plain),
            Some(AnonymousEnding::Merged(user)) => Holding::persons(user),
            Some(AnonymousEnding::Revoked) => Holding::strangers(self.network, Rank::Ended),
        })
    }

    fn stored_at(&self) -> Timestamp {
        self.created
    }
}

/// The end of an anonymous session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnonymousEnding {
    /// It was merged into this person, who enrolled.
    Merged(UserId),
    /// An operator ended it, or its client revoked its token.
    Revoked,
}

/// The time for which a session is stored for the operator, from its creation.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Anonymous sessions without an ending, by the hash of their cookie.
pub const ANONYMOUS_BY_COOKIE: Index<TokenHash, SessionId> =
    Index::new(61, "anonymous_sessions_by_cookie");

layout!(AnonymousSessionLayout, AnonymousSession);

impl Row for AnonymousSession {
    type Key = SessionId;
    type Layout = AnonymousSessionLayout;
    const TABLE: Tag = Tag { byte: 60, name: "anonymous_sessions" };

    fn entries(&self, key: &SessionId, into: &mut Entries) {
        into.expire(self.created + RETENTION);
        into.hold(self);
        if self.ending.is_none() {
            into.add(&ANONYMOUS_BY_COOKIE, &self.cookie, key);
        }
    }

    /// The client may be gone, and the person into whom it was merged.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
