//! The vocabulary that the protocol does not define: actors, people, user agents, bridges, applications
//! behind a proxy, the catalogue of known applications, colours and logos.
//!
//! This room parses and prints values. It does no I/O, reads no clock and knows no table.

pub mod actor;
pub mod anonymous;
pub mod application;
pub mod authenticator;
pub mod bridge;
pub mod catalogue;
pub mod claim;
pub mod dotted;
pub mod email;
pub mod fingerprint;
pub mod folding;
pub mod look;
pub mod named_by;
pub mod near;
pub mod network;
pub mod person;
pub mod qr_code;
pub mod recipient;
pub mod session_proof;
pub mod user_agent;
