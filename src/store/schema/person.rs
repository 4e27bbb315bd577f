//! People, their setup links and invitations.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Deadline, layout};
use crate::clock::Timestamp;
use crate::model::actor::Actor;
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::email::PersonEmail;
use crate::model::person::{Role, Username};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::id::{InvitationId, LinkId, SessionId, UserId};
use crate::secret::TokenHash;
use crate::store::{Entries, Index, References, Row, Tag};

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

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// The purpose of a setup link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetupPurpose {
    /// The first administrator, who does not exist yet.
    First,
    /// A further passkey for a person who has theirs.
    Further(UserId),
    /// The first passkey of a person whom an operator added.
    New(UserId),
    /// A new passkey for a person who lost theirs.
    Recovery(UserId),
}

impl SetupPurpose {
    /// The person it is for; `None` for the first administrator.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::First => None,
            Self::Further(user) | Self::New(user) | Self::Recovery(user) => Some(user),
        }
    }

    /// Whom indices have it under: the person, and for the first administrator the id of nobody.
    pub fn holder(self) -> UserId {
        self.user().unwrap_or_else(|| uuid::Uuid::nil().into())
    }
}

/// How a setup link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkEnd {
    /// An operator revoked it.
    Revoked,
    /// A newer link was made for the same person.
    Superseded,
    /// It was used.
    Used,
}

/// A setup link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLink {
    /// The time of its creation.
    pub created: Timestamp,
    /// When it ended and how, if it did before its expiry.
    pub ended: Option<(Timestamp, LinkEnd)>,
    /// Expiry.
    pub expires: Deadline,
    /// Who made it.
    pub made_by: Actor,
    /// Its purpose.
    pub purpose: SetupPurpose,
    /// The hash of its token.
    pub token: TokenHash,
}

/// The time for which an ended or expired link is stored, to distinguish it from an unknown one.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(7 * 24);

/// Setup links by the hash of their token.
pub const LINKS_BY_TOKEN: Index<TokenHash, LinkId> = Index::new(99, "links_by_token");

/// Setup links by their [holder](SetupPurpose::holder).
pub const LINKS_BY_USER: Index<UserId, LinkId> = Index::new(100, "links_by_user");

/// The setup link of a [holder](SetupPurpose::holder) that has not ended, expired or not. There is
/// one at most, since a new one ends those before it.
pub const OPEN_LINKS: Index<UserId, LinkId> = Index::new(101, "open_links");

layout!(SetupLinkLayout, SetupLink);

impl Row for SetupLink {
    type Key = LinkId;
    type Layout = SetupLinkLayout;
    const TABLE: Tag = Tag { byte: 14, name: "setup_links" };

    fn entries(&self, key: &LinkId, into: &mut Entries) {
        into.add(&LINKS_BY_TOKEN, &self.token, key);
        into.add(&LINKS_BY_USER, &self.purpose.holder(), key);
        if self.ended.is_none() {
            into.add(&OPEN_LINKS, &self.purpose.holder(), key);
        }
        into.expire(self.expires.by_evidence() + RETENTION);
    }

    /// One that is open ends with its maker. The person it is for may be gone, and it says so.
    fn references(&self, _key: &LinkId, into: &mut References) {
        let maker = self.made_by.person().filter(|maker| self.purpose.user() != Some(*maker));
        if let Some(maker) = maker.filter(|_| self.ended.is_none()) {
            into.to::<Person>(&maker);
        }
    }
}

/// An invitation: a link by which several people make their accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The time of its creation.
    pub created: Timestamp,
    /// Expiry.
    pub expires: Deadline,
    /// The groups of whoever comes by it.
    pub groups: Vec<Group>,
    /// Who made it.
    pub made_by: Actor,
    /// The time of its revocation, if it was revoked.
    pub revoked: Option<Timestamp>,
    /// The roles of whoever comes by it.
    pub roles: Vec<Role>,
    /// The hash of its token.
    pub token: TokenHash,
    /// The number of people who have come by it.
    pub used: u32,
    /// The most people who may.
    pub uses: u32,
}

/// Invitations by the hash of their token.
pub const INVITATIONS_BY_TOKEN: Index<TokenHash, InvitationId> =
    Index::new(109, "invitations_by_token");

layout!(InvitationLayout, Invitation);

impl Row for Invitation {
    type Key = InvitationId;
    type Layout = InvitationLayout;
    const TABLE: Tag = Tag { byte: 108, name: "invitations" };

    fn entries(&self, key: &InvitationId, into: &mut Entries) {
        into.add(&INVITATIONS_BY_TOKEN, &self.token, key);
        into.expire(self.expires.by_evidence() + RETENTION);
    }

    /// One that is open ends with its maker.
    fn references(&self, _key: &InvitationId, into: &mut References) {
        let is_open = self.revoked.is_none() && self.used < self.uses;
        if let Some(maker) = self.made_by.person().filter(|_| is_open) {
            into.to::<Person>(&maker);
        }
    }
}
