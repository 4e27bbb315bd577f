//! Stub.
use crate::oauth::client::PkcePolicy;
use crate::oauth::issuer::Issuer;
use crate::oauth::person::Role;
use crate::oauth::scope::{Scope, ScopeToken};
use crate::secret::RootSecret;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
/// Places
#[derive(Clone)]
pub struct Places {
    /// d
    pub data: PathBuf,
    /// c
    pub config: Option<PathBuf>,
}
impl Places {
    /// s
    pub fn store(&self) -> PathBuf {
        self.data.join("gatelodge.redb")
    }
    /// k
    pub fn key(&self) -> PathBuf {
        self.data.join("gatelodge.key")
    }
    /// k
    pub fn socket(&self) -> PathBuf {
        self.data.join("gatelodge.sock")
    }
}
impl Config {
    /// s
    pub fn scope(&self) -> Scope {
        self.scopes.keys().cloned().collect()
    }
    /// a
    pub fn allowed(&self, roles: &[Role]) -> Scope {
        roles.iter().filter_map(|r| self.roles.get(r)).fold(Scope::default(), |a, b| a.union(b))
    }
}
/// The configuration as it is meant: complete, and checked as far as it can be without a store.
#[derive(Clone)]
pub struct Config {
    /// The proxies that are believed about the address and the scheme of a request.
    pub behind_proxy: Vec<IpAddr>,
    /// Names beside the issuer's that are answered in the `Host` header.
    pub hosts: Vec<String>,
    /// The issuer that is asked for; the one that the store holds has the last word.
    pub issuer: Option<Issuer>,
    /// How long things last.
    pub lifetimes: Lifetimes,
    /// Where to listen; empty means 127.0.0.1 and [::1] at the issuer's port.
    pub listen: Vec<SocketAddr>,
    /// Which events are logged, as a `tracing` filter.
    pub log: String,
    /// Where things lie.
    pub places: Places,
    /// What the installation insists on.
    pub policy: Policy,
    /// Whether the first start tells the setup link where standard output is no terminal.
    pub print_setup: bool,
    /// What each role may grant.
    pub roles: BTreeMap<Role, Scope>,
    /// The root secret, where it comes from elsewhere than the key file beside the store.
    pub root_secret: Option<RootSecret>,
    /// Every scope there is.
    pub scopes: BTreeMap<ScopeToken, ScopeEntry>,
}

/// How long things last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token (RFC 9068).
    pub access_token: Duration,
    /// An authorization code; RFC 6749 §4.1.2 recommends at most ten minutes.
    pub authorization_code: Duration,
    /// A passkey ceremony, from its challenge to its answer.
    pub ceremony: Duration,
    /// An ID token.
    pub id_token: Duration,
    /// A sign-in under way, from the authorization request to its answer.
    pub interaction: Duration,
    /// How long before its first use a new signing key is published.
    pub key_overlap: Duration,
    /// A signing key's time in use.
    pub key_rotation: Duration,
    /// A refresh token that nobody uses.
    pub refresh_idle: Duration,
    /// A family of refresh tokens, however often used.
    pub refresh_total: Duration,
    /// How long a spent refresh token is answered with its family's newest; nothing: never.
    pub replay_grace: Duration,
    /// A session that nobody uses.
    pub session_idle: Duration,
    /// A session, however often used.
    pub session_total: Duration,
    /// A setup link.
    pub setup_token: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const DAY: u64 = 86_400;
        Self {
            access_token: Duration::from_secs(15 * MINUTE),
            authorization_code: Duration::from_secs(10 * MINUTE),
            ceremony: Duration::from_secs(5 * MINUTE),
            id_token: Duration::from_secs(15 * MINUTE),
            interaction: Duration::from_secs(30 * MINUTE),
            key_overlap: Duration::from_secs(DAY),
            key_rotation: Duration::from_secs(90 * DAY),
            refresh_idle: Duration::from_secs(30 * DAY),
            refresh_total: Duration::from_secs(180 * DAY),
            replay_grace: Duration::from_secs(MINUTE),
            session_idle: Duration::from_secs(7 * DAY),
            session_total: Duration::from_secs(30 * DAY),
            setup_token: Duration::from_secs(15 * MINUTE),
        }
    }
}

/// What the installation insists on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many sign-ins may be under way that no signed-in person owns.
    pub interactions: usize,
    /// Whether answers to clients name their issuer (RFC 9207).
    pub iss_parameter: bool,
    /// What a client that names no policy of its own must send.
    pub pkce: PkcePolicy,
    /// Private-use redirect schemes without a dot, beyond those known to the program.
    pub private_use_schemes: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            interactions: 10_000,
            iss_parameter: true,
            pkce: PkcePolicy::Required,
            private_use_schemes: Vec::new(),
        }
    }
}

/// One scope that the installation knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeEntry {
    /// Whether every person may grant it, and clients that registered themselves may ask for it.
    pub open: bool,
    /// What it allows, as the consent page says it.
    pub words: String,
}
