//! Clients: how they come to be known here, and how they prove who they are.

pub mod authentication;
pub mod document;
pub mod last_use;
pub mod operator;
pub mod owner;
pub mod registration;
pub mod retention;
pub mod usage;
