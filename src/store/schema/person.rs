//! People and their setup links.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Deadline, layout};
use crate::clock::Timestamp;
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::email::PersonEmail;
use crate::model::person::{Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::{SessionId, UserId};
use crate::secret::TokenHash;
use crate::store::{Entries, Index, Row, Tag};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The claims that an operator gave them, beside those of the account.
    pub claims: BTreeMap<ClaimName, ClaimValue>,
    /// Tokens and sessions from sign-ins up to this time are invalid: the person was disabled then.
    pub tokens_valid_after: Option<Timestamp>,
    /// The time of the creation of the account.
    pub created: Timestamp,
    /// Whether the person is disabled.
    pub disabled: bool,
    /// Their display name.
    pub display_name: DisplayName,
    /// Their email address, if it is known.
    pub email: Option<PersonEmail>,
    /// Their groups, which applications learn and which mean nothing here.
    pub groups: Vec<Group>,
    /// Their roles, which decide the scopes that they can grant.
    pub roles: Vec<Role>,
    /// The last time at which all of their sessions ended at once.
    pub signed_out: Option<SignedOut>,
    /// The time of the last change.
    pub updated: Timestamp,
    /// The name of the account.
    pub username: Username,
}

/// The end of every browser session of a person, with what was allowed in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {
    /// The time: whatever comes from a sign-in up to it has ended.
    pub at: Timestamp,
    /// The session that goes on.
    pub except: Option<SessionId>,
}

/// The smallest difference of two times.
const MOMENT: std::time::Duration = std::time::Duration::from_millis(1);

impl Person {
    /// Whether the person is enabled, and has been since `time`. What was made for them before they
    /// were disabled stays invalid after they are enabled again.
    pub fn enabled_since(&self, time: Timestamp) -> bool {
        !self.disabled && self.tokens_valid_after.is_none_or(|valid_after| time > valid_after)
    }

    /// Whether a session with a sign-in at `time`, and what was allowed in it, ended together with
    /// others.
    pub fn is_signed_out(&self, session: SessionId, time: Timestamp) -> bool {
        self.signed_out.is_some_and(|out| time <= out.at && Some(session) != out.except)
    }

    /// `now`, or the first moment since which the person has been enabled and no session has ended
    /// with all others, if the clock went back and that is later.
    pub fn now_enabled(&self, now: Timestamp) -> Timestamp {
        let ended = self.tokens_valid_after.max(self.signed_out.map(|out| out.at));
        ended.map_or(now, |ended| now.max(ended + MOMENT))
    }

    /// Their groups and roles, the claim `groups`.
    pub fn groups_and_roles(&self) -> Vec<String> {
        let groups = self.groups.iter().map(Group::as_str);
        let all: BTreeSet<&str> = groups.chain(self.roles.iter().map(Role::as_str)).collect();
        all.into_iter().map(str::to_owned).collect()
    }
}

/// People by their email address, folded. No two have the same.
pub const PEOPLE_BY_EMAIL: Index<String, UserId> = Index::new(56, "people_by_email");

/// People by their username in lower case.
pub const PEOPLE_BY_NAME: Index<Username, UserId> = Index::new(40, "people_by_name");

layout!(PersonLayout, Person);

impl Row for Person {
    type Key = UserId;
    type Layout = PersonLayout;
    const TABLE: Tag = Tag { byte: 13, name: "people" };

    fn entries(&self, key: &UserId, into: &mut Entries) {
        into.add(&PEOPLE_BY_NAME, &self.username.folded(), key);
        if let Some(email) = &self.email {
            into.add(&PEOPLE_BY_EMAIL, &email.address.folded(), key);
        }
    }
}

/// The purpose of a setup link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetupPurpose {
    /// The first passkey of a person whom an operator added.
    Enrol(UserId),
    /// The first administrator, who does not exist yet.
    First,
    /// A new passkey for a person who lost theirs.
    Recover(UserId),
}

/// A setup link, by the hash of its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLink {
    /// Expiry.
    pub expires: Deadline,
    /// Its purpose.
    pub purpose: SetupPurpose,
    /// The time of its use, if it was used.
    pub used: Option<Timestamp>,
}

/// The time for which a used or expired link is stored, to distinguish it from an unknown one.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(7 * 24);

layout!(SetupLinkLayout, SetupLink);

impl Row for SetupLink {
    type Key = TokenHash;
    type Layout = SetupLinkLayout;
    const TABLE: Tag = Tag { byte: 14, name: "setup_links" };

    fn entries(&self, _key: &TokenHash, into: &mut Entries) {
        into.expire(self.expires.by_evidence() + RETENTION);
    }
}
