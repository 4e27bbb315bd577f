//! Transitions, each in one transaction.
//!
//! A transition is a plain function of a transaction or a view, the facts it gets, and a
//! [`Context`]: no async, no clock, no randomness, no HTTP. `Err` means that nothing was written; a
//! refusal that has to write (a replay revokes the grant) is an `Ok` outcome. A transition takes
//! ids and hashes, reads the rows itself, and may run twice.
//!
//! Only [`authorize::step`] knows the order of the pages.

#![warn(clippy::wildcard_enum_match_arm)]

use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::{Config, Definitions};
use crate::model::actor::Acting;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{ClientType, PkcePolicy};
use crate::oauth::issuer::Issuer;
use crate::secret::{Pepper, Seed};
use crate::store::schema::{Client, Deadline};

pub mod admission;
pub mod application;
pub mod apply;
pub mod authorize;
pub mod bridge;
pub mod client;
pub mod events;
pub mod exchange;
pub mod installation;
pub mod launcher;
pub mod lists;
pub mod named;
pub mod person;
pub mod removal;
pub mod resource;
pub mod rights;
pub mod session;
pub mod throttle;
pub mod token;

/// What decides beside the facts: the same within a transition, and for as long as nobody reloads the
/// configuration or applies a file.
#[derive(Clone)]
pub struct Rules {
    /// The configuration in force: with the scopes and roles that an applied file defines.
    pub config: Config,
    /// The configuration as its layers have it.
    pub configured: Config,
    /// What the server publishes about itself, and follows from the rest.
    pub documents: Documents,
    /// The issuer.
    pub issuer: Issuer,
    /// The keys of every keyed hash.
    pub pepper: Arc<Pepper>,
    /// The keys whose software statements are trusted (RFC 7591 §2.3).
    pub statement_keys: Option<JwkSet>,
}

/// The documents that follow from [`Rules`] alone. Each is made when it is first asked for.
#[derive(Clone, Default)]
pub struct Documents {
    /// The metadata of this server.
    pub metadata: Document,
    /// The metadata of this server as a resource.
    pub own_resource: Document,
    /// Where people create and manage passkeys.
    pub passkey_endpoints: Document,
    /// The origins of its passkeys.
    pub related_origins: Document,
}

/// A document of some [`Rules`]. A clone is for other rules, and not made yet.
#[derive(Default)]
pub struct Document(OnceLock<Arc<[u8]>>);

impl Clone for Document {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Document {
    /// The document, which `make` makes if nobody asked for it before.
    pub fn made(&self, make: impl FnOnce() -> Vec<u8>) -> Arc<[u8]> {
        Arc::clone(self.0.get_or_init(|| make().into()))
    }
}

impl Rules {
    /// These rules with `definitions` beside the configuration, in place of those before.
    #[must_use]
    pub fn with_definitions(&self, definitions: &Definitions) -> Self {
        Self { config: self.configured.with_definitions(definitions), ..self.clone() }
    }

    /// The lifetime of an access token of `client`: its own, or that of the configuration.
    pub fn access_token_lifetime(&self, client: &Client) -> Duration {
        let own = client
            .decisions
            .access_token_lifetime
            .map(|seconds| Duration::from_secs(seconds.into()));
        own.unwrap_or(self.config.lifetimes.access_token)
    }

    /// Whether a session is a key in the origin's storage. Otherwise it is a cookie, which browsers
    /// send to every port of the host.
    pub fn session_is_key(&self) -> bool {
        self.config.policy.session_key.unwrap_or_else(|| self.issuer.is_loopback())
    }

    /// Whether `client` must send a PKCE challenge: the operator's word about it, or the policy of the
    /// configuration. RFC 9700 §2.1.1: "Public clients MUST use PKCE".
    pub fn pkce_policy(&self, client: &Client) -> PkcePolicy {
        match client.metadata.client_type() {
            ClientType::Confidential => client.decisions.pkce.unwrap_or(self.config.policy.pkce),
            ClientType::Public => PkcePolicy::Required,
        }
    }
}

/// The context of a transition: made before it, and the same each time it runs.
#[derive(Clone)]
pub struct Context {
    /// Who does it, and from where.
    pub acting: Acting,
    /// The time, and the rules.
    pub present: Present,
    /// The seed of this transition alone.
    pub seed: Seed,
}

impl Context {
    /// The same under other rules.
    #[must_use]
    pub fn under(&self, rules: Rules) -> Self {
        let present = Present { rules: Arc::new(rules), ..self.present.clone() };
        Self { present, ..self.clone() }
    }
}

impl Deref for Context {
    type Target = Present;

    fn deref(&self) -> &Present {
        &self.present
    }
}

/// What it takes to judge what is stored. Nothing is made of it: it has no seed.
#[derive(Clone)]
pub struct Present {
    /// Whether the clock is in doubt, since it jumped. Nothing is removed then because of its age.
    pub in_doubt: bool,
    /// The latest time that any transition had, which is later than `now` after the clock went back.
    /// What has to come after everything before it is dated by it.
    pub latest: Timestamp,
    /// The time.
    pub now: Timestamp,
    /// The rules.
    pub rules: Arc<Rules>,
}

impl Present {
    /// The deadline of something that is used once, and lives for `lifetime`.
    pub fn deadline(&self, lifetime: Duration) -> Deadline {
        Deadline::after(lifetime, self.now, self.latest)
    }
}
