//! The bridge: a program on a person's machine that signs them in once through the browser, and
//! carries their identity to local agents.
//!
//! An exchange code, a personal token or a certificate opens a session with a token of its own
//! ([`access`]). Each belongs to a linked device, and everything that the device was given ends with
//! it ([`device`]); all of it ends with the person.

pub mod access;
pub mod belongings;
pub mod certificate;
pub mod device;
pub mod exchange;
pub mod hook;
pub mod hosts;
pub mod key;
pub mod link;
pub mod pat;
pub mod presence;
