//! Clients: registration, documents, authentication, usage and removal.

pub mod authentication;
pub mod document;
pub mod home;
pub mod last_use;
pub mod lists;
pub mod logo;
pub mod operator;
pub mod owner;
mod recorded;
pub mod registration;
pub mod retention;
pub mod self_named;
pub mod usage;
