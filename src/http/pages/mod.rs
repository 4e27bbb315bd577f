//! The pages for people, below `/gate/`, and the cookies of the issuer's host.
//!
//! Cookies of a loopback issuer have the path `/gate/`, so every page that reads one must be below
//! it.

pub(super) mod account;
pub(super) mod applications;
pub(super) mod asker;
pub(super) mod connections;
pub(super) mod consent;
pub(super) mod cookie;
pub(super) mod device;
pub(super) mod email;
pub(super) mod error;
pub(super) mod interaction;
pub(super) mod link;
pub(super) mod login;
pub(super) mod outcome;
pub(super) mod own_passkeys;
pub(super) mod passkeys;
pub(super) mod prove;
pub(super) mod setup;
pub(super) mod templates;
#[cfg(test)]
pub(super) mod unmarked;
