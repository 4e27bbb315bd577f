//! `/gate/admin/resources`: what tokens are for, and the scopes and roles as they are configured.

pub(super) mod edit;
pub(super) mod list;
pub(super) mod remove;
pub(super) mod show;
