//! People, and the links by which they enrol.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::model::person::{Email, Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Tokens and sessions from sign-ins up to this time are invalid: the person was disabled then.
    pub tokens_valid_after: Option<Timestamp>,
    /// When the account was made.
    pub created: Timestamp,
    /// Whether the person may do nothing here.
    pub disabled: bool,
    /// What other people call them.
    pub display_name: DisplayName,
    /// Their address, if they gave one.
    pub email: Option<Email>,
    /// What they are here, which decides what they can grant.
    pub roles: Vec<Role>,
    /// When any of this changed last.
    pub updated: Timestamp,
    /// The name of the account.
    pub username: Username,
}

/// People by their folded username.
pub const PEOPLE_BY_NAME: Index<Username, UserId> = Index::new(40, "people_by_name");

layout!(PersonLayout, Person);

impl Row for Person {
    type Key = UserId;
    type Layout = PersonLayout;
    const TABLE: Tag = Tag { byte: 13, name: "people" };

    fn entries(&self, key: &UserId, into: &mut Entries) {
        into.add(&PEOPLE_BY_NAME, &self.username.folded(), key);
    }
}

/// What a setup link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetupPurpose {
    /// The first passkey of a person whom an operator added.
    Enrol(UserId),
    /// The first administrator, who is nobody yet.
    First,
    /// A new passkey for a person who lost theirs.
    Recover(UserId),
}

/// A setup link, by the hash of its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLink {
    /// Expiry.
    pub expires: Timestamp,
    /// What it opens.
    pub purpose: SetupPurpose,
    /// When it was used, if it was.
    pub used: Option<Timestamp>,
}

/// How long a used or expired link is remembered, so that it can be told from an unknown one.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(7 * 24);

layout!(SetupLinkLayout, SetupLink);

impl Row for SetupLink {
    type Key = TokenHash;
    type Layout = SetupLinkLayout;
    const TABLE: Tag = Tag { byte: 14, name: "setup_links" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires + RETENTION);
    }
}
