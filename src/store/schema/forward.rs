//! Forward authentication: codes and sessions of applications behind a proxy.

use serde::{Deserialize, Serialize};

use super::{Deadline, layout};
use crate::clock::Timestamp;
use crate::model::application::{AppHost, ReturnPath};
use crate::oauth::id::SessionId;
use crate::secret::TokenHash;
use crate::store::{Entries, References, Row, Tag};

/// A single-use code that carries a sign-in from the issuer's host to an application's, by its
/// hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppCode {
    /// The host that it is for.
    pub app: AppHost,
    /// Expiry.
    pub expires: Deadline,
    /// The path to which the browser returns.
    pub path: ReturnPath,
    /// The sign-in session.
    pub session: SessionId,
    /// The anti-forgery token of the cookie of the browser that started.
    pub state: String,
}

layout!(AppCodeLayout, AppCode);

impl Row for AppCode {
    type Key = TokenHash;
    type Layout = AppCodeLayout;
    const TABLE: Tag = Tag { byte: 30, name: "app_codes" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires.by_evidence());
    }

    /// The session may have ended, and then the code opens nothing.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A session at an application, by the hash of the application's cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSession {
    /// The host whose cookie it is.
    pub app: AppHost,
    /// Expiry, even if the sign-in session is live longer.
    pub expires: Timestamp,
    /// The sign-in session that it depends on.
    pub session: SessionId,
}

layout!(AppSessionLayout, AppSession);

impl Row for AppSession {
    type Key = TokenHash;
    type Layout = AppSessionLayout;
    const TABLE: Tag = Tag { byte: 31, name: "app_sessions" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires);
    }

    /// The session that it depends on may have ended, and then so has this one.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
