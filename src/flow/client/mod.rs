//! Clients: how they come to be known here, and how they prove who they are.

pub mod auth;
pub mod decided;
pub mod document;
pub mod operator;
pub mod registration;
pub mod tally;
pub mod usage;
