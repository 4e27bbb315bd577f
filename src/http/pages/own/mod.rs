//! The parts of the account page that have a page, a form or a list of their own.

pub(in crate::http) mod devices;
pub(in crate::http) mod next;
pub(in crate::http) mod profile;
pub(in crate::http) mod sessions;
