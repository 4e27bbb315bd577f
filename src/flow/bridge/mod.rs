//! The bridge: a program on a person's machine that signs them in once through the browser, and
//! carries their identity to local agents.
//!
//! An exchange code or a personal token opens a session with a token of its own ([`access`]).
//! Everything that depends on the session ends with it, and all of it ends with the person.

pub mod access;
pub mod certificate;
pub mod exchange;
pub mod hook;
pub mod hosts;
pub mod key;
pub mod link;
pub mod pat;
pub mod presence;
