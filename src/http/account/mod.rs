//! The parts of the account page that have a page, a form or a list of their own; the page itself is in
//! `pages/account.rs`.

pub(super) mod devices;
pub(super) mod next;
pub(super) mod profile;
pub(super) mod sessions;
