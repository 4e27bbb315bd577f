//! `/gate/`: every page, and with them every cookie.
//!
//! Cookies of a loopback issuer have the path `/gate/`, so every page that reads one is here.

pub(super) mod account;
pub(super) mod applications;
pub(super) mod connections;
pub(super) mod cookie;
pub(super) mod device;
pub(super) mod interaction;
pub(super) mod link;
pub(super) mod login;
pub(super) mod passkeys;
pub(super) mod setup;
pub(super) mod templates;
