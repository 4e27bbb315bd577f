//! Recovery codes.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::id::UserId;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Share, Tag};

/// A recovery code, by its hash. The row of a used one stays until its person makes new codes, so that
/// it is told from an unknown one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCode {
    /// The time at which it was made.
    pub created: Timestamp,
    /// The time of its use, if it was used.
    pub used: Option<Timestamp>,
    /// Its person.
    pub user: UserId,
}

/// Recovery codes by their person.
pub const RECOVERY_CODES_BY_USER: Index<UserId, TokenHash> =
    Index::new(117, "recovery_codes_by_user");

layout!(StoredCodeLayout, StoredCode);

impl Row for StoredCode {
    type Key = TokenHash;
    type Layout = StoredCodeLayout;
    const TABLE: Tag = Tag { byte: 107, name: "recovery_codes" };

    fn entries(&self, key: &TokenHash, into: &mut Entries) {
        into.add(&RECOVERY_CODES_BY_USER, &self.user, key);
        into.weigh_on(Share::Person(self.user));
    }
}
