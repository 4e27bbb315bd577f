//! What handlers take from a request, each as an extractor over the [`App`](crate::app::App).
//!
//! A POST of one of our own pages comes as [`own_page::PageForm`] or [`own_page::PageJson`], which
//! alone check that the page is ours; the checks are private to that file.

pub(super) mod bearer;
pub(super) mod body;
pub(super) mod browser;
pub(super) mod caller;
pub(super) mod host;
pub(super) mod own_page;
pub(super) mod peer;
