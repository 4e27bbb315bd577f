//! The vocabulary beside the protocol's: people, user agents, bridges, applications behind a proxy.
//!
//! Values are parsed and printed here. This room does no I/O, reads no clock and knows no table.

pub mod anonymous;
pub mod application;
pub mod bridge;
pub mod fingerprint;
pub mod person;
pub mod user_agent;
