//! Transitions: what happens, each in one transaction.
//!
//! A transition is a plain function of a transaction or a view, the facts it was given, and a
//! [`Context`]: no async, no clock, no randomness, no HTTP. `Err` means that nothing was written; a
//! refusal that has to write (a replay revokes the grant) is an `Ok` outcome that says so. It
//! takes ids and hashes, reads the rows itself, and could run twice unharmed.
//!
//! Only [`authorize::step`] knows the order in which a person meets the pages.

#![warn(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::oauth::issuer::Issuer;
use crate::secret::{Pepper, Seed};
use crate::store::schema::Client;

pub mod application;
pub mod authorize;
pub mod bridge;
pub mod client;
pub mod installation;
pub mod person;
pub mod removal;
pub mod resource;
pub mod session;
pub mod throttle;
pub mod token;

/// What stays the same while the program runs.
pub struct Rules {
    /// What the operator decided.
    pub config: Config,
    /// Who this is.
    pub issuer: Issuer,
    /// The keys of every keyed hash.
    pub pepper: Pepper,
}

impl Rules {
    /// The lifetime of an access token of `client`: its own, or that of the configuration.
    pub fn access_token_lifetime(&self, client: &Client) -> Duration {
        let own = client
            .decisions
            .access_token_lifetime
            .map(|seconds| Duration::from_secs(seconds.into()));
        own.unwrap_or(self.config.lifetimes.access_token)
    }
}

/// What a transition is given beside its facts: drawn before it, the same however often it runs.
#[derive(Clone)]
pub struct Context {
    /// Its own seed.
    pub seed: Seed,
    /// The moment at which it happens.
    pub now: Timestamp,
    /// What stays the same.
    pub rules: Arc<Rules>,
}
