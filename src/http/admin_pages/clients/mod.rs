//! `/gate/admin/clients`: who may let people sign in, and what they may.

pub(super) mod act;
pub(super) mod add;
pub(super) mod application;
mod described;
pub(super) mod edit;
pub(super) mod list;
pub(super) mod made;
pub(super) mod show;
#[cfg(test)]
pub(super) mod unmarked;
