//! Gatelodge.
pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod error;
pub mod event;
pub mod flow;
pub mod http;
pub mod keys;
pub mod oauth;
pub mod passkey;
pub mod secret;
pub mod serve;
pub mod store;
pub mod time;
