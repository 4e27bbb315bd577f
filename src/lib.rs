//! Gatelodge.
pub mod error;
pub mod oauth;
pub mod secret;
pub mod store;
pub mod time;
