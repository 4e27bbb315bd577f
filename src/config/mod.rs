//! The configuration: read, checked and completed with defaults.
//!
//! There are four layers, and a later one overrides an earlier one: the defaults, the TOML file,
//! the environment (`GATELODGE_…`), the flags. One table (`config/keys.rs`) lists every key with
//! its kind and its bounds, for all layers. All faults are reported at once, as [`Faults`].
//!
//! The environment is an argument: this module does not read it. It reads only the configuration
//! file and the files that the configuration names.

mod draft;
mod duration;
mod fault;
mod keys;
mod kind;
mod load;
mod places;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::model::application::AppHost;
use crate::model::bridge::{HostId, Mode};
use crate::model::network::ProxyNetwork;
use crate::model::person::Role;
use crate::oauth::client::{DocumentPolicy, PkcePolicy, RegistrationPolicy};
use crate::oauth::issuer::Issuer;
use crate::oauth::scope::{Scope, ScopeToken};
use crate::secret::RootSecret;
use crate::tls::Files;

use draft::Draft;
use places::Platform;

pub use fault::{Fault, Faults, ResolvedSetting, Source};
pub use places::Places;

/// The flags of the command line, which override every other source.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--behind-proxy`, once for each proxy.
    pub behind_proxy: Vec<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--issuer`.
    pub issuer: Option<String>,
    /// `--listen`, once for each address.
    pub listen: Vec<String>,
    /// `--mtls-listen`, once for each address.
    pub mtls_listen: Vec<String>,
    /// `--offline`.
    pub offline: bool,
    /// `--print-setup`.
    pub print_setup: bool,
    /// `--tls`.
    pub tls: Option<String>,
}

/// The complete configuration, checked as far as possible without a store.
#[derive(Clone)]
pub struct Config {
    /// The applications behind a proxy that asks `/auth/verify`, and the roles that each admits. An
    /// empty list admits everybody.
    pub apps: BTreeMap<AppHost, Vec<Role>>,
    /// Settings of the bridge endpoints.
    pub bridge: Bridging,
    /// The proxies whose forwarded client address is trusted, by address or network.
    pub behind_proxy: Vec<ProxyNetwork>,
    /// The policy on Client ID Metadata Documents.
    pub documents: Documents,
    /// Settings of fetches of documents and keys.
    pub fetch: Fetching,
    /// The names that are accepted in the `Host` header in addition to the issuer's.
    pub hosts: Vec<String>,
    /// The issuer that the configuration names. The issuer in the store takes precedence.
    pub issuer: Option<Issuer>,
    /// The lifetimes.
    pub lifetimes: Lifetimes,
    /// The addresses to listen on; if empty, `127.0.0.1` and `[::1]` at the issuer's port.
    pub listen: Vec<SocketAddr>,
    /// The `tracing` filter of the log.
    pub log: String,
    /// Whether nothing is fetched from other machines.
    pub offline: bool,
    /// The directories and files of the installation.
    pub places: Places,
    /// Policies of the installation.
    pub policy: Policy,
    /// Whether the first start prints the setup link even if standard output is no terminal.
    pub print_setup: bool,
    /// Settings of dynamic client registration.
    pub registration: Registration,
    /// The scopes that each role may grant.
    pub roles: BTreeMap<Role, Scope>,
    /// The root secret, if it comes from another source than the key file beside the store.
    pub root_secret: Option<RootSecret>,
    /// Every known scope.
    pub scopes: BTreeMap<ScopeToken, ScopeEntry>,
    /// Settings of TLS.
    pub tls: Tls,
    /// The storage of the tokens of `gatelodge login`.
    pub token_store: TokenStore,
}

/// The lifetimes of what the server issues and stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token (RFC 9068).
    pub access_token: Duration,
    /// An anonymous session. Its use does not extend it.
    pub anonymous: Duration,
    /// An authorization code; RFC 6749 §4.1.2 recommends at most ten minutes.
    pub authorization_code: Duration,
    /// A passkey ceremony, from its challenge to its answer.
    pub ceremony: Duration,
    /// A device code, from its request to its approval.
    pub device_code: Duration,
    /// An exchange code, from the browser or an operator to a bridge.
    pub exchange_code: Duration,
    /// An ID token.
    pub id_token: Duration,
    /// An interaction, from the authorization request to its response.
    pub interaction: Duration,
    /// The time from the publication of a new signing key to its first use.
    pub key_overlap: Duration,
    /// The time for which a signing key signs.
    pub key_rotation: Duration,
    /// A personal access token, unless its creation names another lifetime.
    pub personal_token: Duration,
    /// A pushed authorization request, until a browser uses it.
    pub pushed_request: Duration,
    /// A refresh token that is not used.
    pub refresh_idle: Duration,
    /// A family of refresh tokens, regardless of its use.
    pub refresh_total: Duration,
    /// The time after it was spent for which a refresh token yields the newest of its family, at
    /// least; an eighth more, in whole seconds, at most. Zero disables this.
    pub replay_grace: Duration,
    /// A session that is not used.
    pub session_idle: Duration,
    /// A session, regardless of its use.
    pub session_total: Duration,
    /// A certificate that the local CA issues for this server. It is renewed before its expiry.
    pub server_certificate: Duration,
    /// A setup link.
    pub setup_token: Duration,
    /// A client that no operator registered, from its last use.
    pub unused_client: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const DAY: u64 = 86_400;
        Self {
            access_token: Duration::from_secs(15 * MINUTE),
            anonymous: Duration::from_secs(DAY),
            authorization_code: Duration::from_secs(10 * MINUTE),
            ceremony: Duration::from_secs(5 * MINUTE),
            device_code: Duration::from_secs(15 * MINUTE),
            exchange_code: Duration::from_secs(2 * MINUTE),
            id_token: Duration::from_secs(15 * MINUTE),
            interaction: Duration::from_secs(30 * MINUTE),
            key_overlap: Duration::from_secs(DAY),
            key_rotation: Duration::from_secs(90 * DAY),
            personal_token: Duration::from_secs(90 * DAY),
            pushed_request: Duration::from_secs(MINUTE),
            refresh_idle: Duration::from_secs(30 * DAY),
            refresh_total: Duration::from_secs(180 * DAY),
            replay_grace: Duration::from_secs(MINUTE),
            session_idle: Duration::from_secs(7 * DAY),
            session_total: Duration::from_secs(30 * DAY),
            server_certificate: Duration::from_secs(90 * DAY),
            setup_token: Duration::from_secs(15 * MINUTE),
            unused_client: Duration::from_secs(30 * DAY),
        }
    }
}

/// Policies of the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The most anonymous sessions that are stored.
    pub anonymous_sessions: usize,
    /// `email_verified` of an address that an operator entered without a word about it.
    pub email_verified: bool,
    /// The most pending interactions, device authorizations and pushed requests of strangers, each
    /// counted apart.
    pub interactions: usize,
    /// Whether authorization responses have the `iss` parameter (RFC 9207).
    pub iss_parameter: bool,
    /// Whether people may grant tokens for unregistered resources on their machine if the issuer is
    /// on loopback.
    pub loopback_resources: bool,
    /// The PKCE policy of clients that have none of their own, never `optional`.
    pub pkce: PkcePolicy,
    /// The private-use redirect schemes without a dot that are allowed in addition to the built-in
    /// ones.
    pub private_use_schemes: Vec<String>,
    /// Whether a session is a key in the origin's storage and no cookie, for an issuer whose host
    /// name has other ports. By default it is one if the issuer is on loopback.
    pub session_key: Option<bool>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            anonymous_sessions: 10_000,
            email_verified: false,
            interactions: 10_000,
            iss_parameter: true,
            loopback_resources: true,
            pkce: PkcePolicy::Required,
            private_use_schemes: Vec::new(),
            session_key: None,
        }
    }
}

/// Settings of the bridge endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridging {
    /// The command that the page displays with an exchange code behind it, if no redirect can carry
    /// the code to the bridge. The default works for any bridge.
    pub command: Option<String>,
    /// The hosts of agents in addition to the built-in ones.
    pub hosts: Vec<HostId>,
    /// The hosts that are disabled.
    pub hosts_off: Vec<HostId>,
    /// The ways in which a bridge may get access.
    pub modes: Vec<Mode>,
}

impl Default for Bridging {
    fn default() -> Self {
        let (hosts, hosts_off) = (Vec::new(), Vec::new());
        Self { command: None, hosts, hosts_off, modes: Mode::ALL.to_vec() }
    }
}

/// Settings of TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The file of the certificate chain, for [`TlsMode::Files`].
    pub certificate: Option<PathBuf>,
    /// The file of its key.
    pub key: Option<PathBuf>,
    /// The addresses at which devices may prove a certificate (mutual TLS).
    pub listen_for_devices: Vec<SocketAddr>,
    /// The source of the server's certificate.
    pub mode: TlsMode,
}

/// The source of the server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Files.
    Files,
    /// The installation's own CA.
    Local,
    /// None: plain HTTP.
    #[default]
    Off,
}

impl Tls {
    /// The files of the certificate, in [`TlsMode::Files`].
    pub fn files(&self) -> Option<Files> {
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        (self.mode == TlsMode::Files).then_some(Files { certificate, key })
    }
}

/// The policy on Client ID Metadata Documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// The hosts that the policy `listed` allows.
    pub hosts: Vec<String>,
    /// The policy.
    pub policy: DocumentPolicy,
}

impl Default for Documents {
    fn default() -> Self {
        Self { hosts: Vec::new(), policy: DocumentPolicy::Any }
    }
}

/// Settings of fetches of documents and keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetching {
    /// A PEM file of authorities that are trusted in addition to the public ones.
    pub ca_file: Option<PathBuf>,
    /// The destinations, as `host:port`, that may be fetched from although their addresses are
    /// private, whoever names them.
    pub private: Vec<String>,
}

/// Settings of dynamic client registration (RFC 7591 §3).
#[derive(Clone)]
pub struct Registration {
    /// The most registrations in a minute from one network. Loopback has no such limit.
    pub per_minute: usize,
    /// Who may register. By default everybody if the issuer is on loopback, otherwise nobody.
    pub policy: Option<RegistrationPolicy>,
    /// A file with the keys whose software statements are trusted (RFC 7591 §2.3).
    pub software_statement_keys: Option<PathBuf>,
    /// The initial access token of the policy `token` (RFC 7591 §3).
    pub token: Option<Zeroizing<String>>,
    /// The most clients that registered or named themselves and that no person has used.
    pub unused: usize,
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            per_minute: 120,
            policy: None,
            software_statement_keys: None,
            token: None,
            unused: 1000,
        }
    }
}

/// The storage of the tokens of `gatelodge login`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStore {
    /// A file, sealed if there is a keyring.
    Auto,
    /// A file that only its owner can read.
    File,
    /// That file, sealed under a key that the system's keyring holds.
    Keyring,
}

impl FromStr for TokenStore {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "auto" => Ok(Self::Auto),
            "file" => Ok(Self::File),
            "keyring" => Ok(Self::Keyring),
            _ => Err("\"auto\", \"file\" or \"keyring\" is allowed"),
        }
    }
}

/// A known scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeEntry {
    /// Whether every person may grant it, and clients that registered themselves may ask for it.
    pub open: bool,
    /// Its description on the consent page.
    pub description: String,
}

/// The scopes of OpenID Connect Core §5.4 and §11, with their descriptions on the consent page.
const STANDARD_SCOPES: &[(&str, &str)] = &[
    ("email", "See your e-mail address"),
    ("offline_access", "Keep access while you are away, until you withdraw it"),
    ("openid", "Know that it is you who signs in"),
    ("profile", "See your name and username"),
];

/// The scopes of groups and roles. Every person may grant them, and a client has to be registered by
/// an operator to ask for them.
const GROUP_SCOPES: &[(&str, &str)] =
    &[("groups", "See which groups you are in, and your roles"), ("roles", "See your roles")];

impl Config {
    /// Reads `flags`, `env` and the configuration file that they name. The error lists every fault.
    pub fn load(flags: &Flags, env: &BTreeMap<String, String>) -> Result<Self, Faults> {
        Draft::read(Platform::here(), flags, env).finish().map(|(config, _)| config)
    }

    /// As [`Config::load`], with the source of each key that is not at its default. It also checks
    /// the files of the certificate, which a server needs and a command does not.
    pub fn explain(
        flags: &Flags,
        env: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(Self, Vec<ResolvedSetting>), Faults> {
        let mut draft = Draft::read(Platform::here(), flags, env);
        draft.look_into_files(now);
        draft.finish()
    }

    /// The default configuration with the data directory `data`.
    pub fn at(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        let entries = |scopes: &'static [(&str, &str)], open| {
            scopes.iter().filter_map(move |(token, description)| {
                let entry = ScopeEntry { open, description: (*description).to_owned() };
                token.parse().ok().map(|token| (token, entry))
            })
        };
        let scopes: BTreeMap<ScopeToken, ScopeEntry> =
            entries(STANDARD_SCOPES, true).chain(entries(GROUP_SCOPES, false)).collect();
        let mut config = Self {
            apps: BTreeMap::new(),
            behind_proxy: Vec::new(),
            bridge: Bridging::default(),
            documents: Documents::default(),
            fetch: Fetching::default(),
            hosts: Vec::new(),
            issuer: None,
            lifetimes: Lifetimes::default(),
            listen: Vec::new(),
            log: "info".to_owned(),
            offline: false,
            places: Places { config: None, state: data.clone(), data },
            policy: Policy::default(),
            print_setup: false,
            registration: Registration::default(),
            roles: BTreeMap::new(),
            root_secret: None,
            scopes,
            tls: Tls::default(),
            token_store: TokenStore::Auto,
        };
        config.fill_roles();
        config
    }

    /// The configured addresses to listen on, for people and for devices.
    pub fn listeners(&self) -> impl Iterator<Item = SocketAddr> {
        self.listen.iter().chain(&self.tls.listen_for_devices).copied()
    }

    /// Every known scope.
    pub fn scope(&self) -> Scope {
        self.scopes.keys().cloned().collect()
    }

    /// The scopes that are open.
    pub fn open_scope(&self) -> Scope {
        self.scopes.iter().filter(|(_, entry)| entry.open).map(|(token, _)| token.clone()).collect()
    }

    /// The applications whose host conflicts with `issuer`, each with the reason.
    pub fn misplaced_apps(&self, issuer: &Issuer) -> Vec<(&AppHost, String)> {
        let scheme = if issuer.is_https() { "https" } else { "http" };
        let reason = |app: &AppHost| {
            let usual = app.under(scheme);
            if app.name() == issuer.host() {
                // RFC 6265 §8.5: "Cookies do not provide isolation by port."
                Some(format!(
                    "this is the host of the issuer {issuer}, whose cookies would reach the \
                     application at any port; give it a host name of its own"
                ))
            } else if usual != *app {
                Some(format!("browsers leave out the port of {scheme}; write {usual}"))
            } else {
                None
            }
        };
        self.apps.keys().filter_map(|app| Some((app, reason(app)?))).collect()
    }

    /// The policy of dynamic client registration, with its default for `issuer`.
    pub fn registration_policy(&self, issuer: &Issuer) -> RegistrationPolicy {
        let usual =
            if issuer.is_loopback() { RegistrationPolicy::Open } else { RegistrationPolicy::Off };
        self.registration.policy.unwrap_or(usual)
    }

    /// The scopes that a person with `roles` may grant; an unknown role grants none.
    pub fn allowed(&self, roles: &[Role]) -> Scope {
        let known = roles.iter().filter_map(|role| self.roles.get(role));
        known.fold(Scope::default(), |all, scope| all.union(scope))
    }

    /// Gives the built-in roles their default scopes, unless the configuration did.
    fn fill_roles(&mut self) {
        let own = GROUP_SCOPES.iter().filter_map(|(token, _)| token.parse().ok()).collect();
        let of_users = self.open_scope().union(&own);
        for (name, scope) in [(Role::ADMIN, self.scope()), (Role::USER, of_users)] {
            if let Ok(role) = name.parse() {
                self.roles.entry(role).or_insert(scope);
            }
        }
    }
}

#[cfg(test)]
mod tests;
