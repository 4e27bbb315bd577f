//! Extractors: the parts of a request that handlers read, checked.
//!
//! Only the extractors in [`own_page`] check that a POST comes from one of our own pages; the
//! checks are private to that file.

pub(super) mod bearer;
pub(super) mod body;
pub(super) mod browser;
pub(super) mod caller;
pub(super) mod host;
pub(super) mod navigation;
pub(super) mod outcomes;
pub(super) mod own_page;
pub(super) mod peer;
pub(super) mod probe;
pub(super) mod section;
pub(super) mod session_proof;
