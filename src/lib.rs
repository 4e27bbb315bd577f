//! Gatelodge.
pub mod config;
pub mod error;
pub mod flow;
pub mod keys;
pub mod oauth;
pub mod passkey;
pub mod secret;
pub mod store;
pub mod time;
