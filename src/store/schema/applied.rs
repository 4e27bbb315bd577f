//! What `gatelodge apply` made: its marks, and the scopes and roles beside those of the configuration.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::id::UserId;
use crate::oauth::scope::Scope;
use crate::store::{References, Row, Tag};

/// The mark of something that `apply` made, by its noun and its name. A group has no row of its own,
/// so its mark has the people whom `apply` put into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The creation of what was made. Something of that name with another one was made by hand.
    pub created: Timestamp,
    /// The people whom `apply` put into a group; empty for every other noun.
    pub members: BTreeSet<UserId>,
}

layout!(AppliedLayout, Applied);

impl Row for Applied {
    type Key = (String, String);
    type Layout = AppliedLayout;
    const TABLE: Tag = Tag { byte: 93, name: "applied" };

    /// A mark of what is gone is the mark of nothing.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A role that `apply` defined, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedRole {
    /// The scopes that its people may grant.
    pub scope: Scope,
}

layout!(AppliedRoleLayout, AppliedRole);

impl Row for AppliedRole {
    type Key = String;
    type Layout = AppliedRoleLayout;
    const TABLE: Tag = Tag { byte: 94, name: "applied_roles" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A scope that `apply` defined, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedScope {
    /// What the consent page says of it.
    pub description: String,
    /// Whether every person may grant it, and every client ask for it.
    pub open: bool,
}

layout!(AppliedScopeLayout, AppliedScope);

impl Row for AppliedScope {
    type Key = String;
    type Layout = AppliedScopeLayout;
    const TABLE: Tag = Tag { byte: 95, name: "applied_scopes" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
