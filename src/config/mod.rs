//! The configuration: read, checked and completed with defaults.
//!
//! There are four layers, and a later one overrides an earlier one: the defaults, the TOML file,
//! the environment (`GATELODGE_…`), the flags. One table (`config/keys.rs`) lists every key with
//! its kind and its bounds, for all layers. All faults are reported at once, as [`Faults`].
//!
//! The environment is an argument: this module does not read it. It reads only the configuration
//! file and the files that the configuration names.

mod definitions;
mod draft;
mod duration;
mod fault;
mod in_force;
mod keys;
mod kind;
mod layers;
mod load;
mod look;
mod places;
mod schema;
mod sections;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::application::AppHost;
use crate::model::network::ProxyNetwork;
use crate::model::person::Role;
use crate::oauth::client::RegistrationPolicy;
use crate::oauth::issuer::Issuer;
use crate::oauth::scope::{Scope, ScopeToken};
use crate::secret::RootSecrets;

pub use definitions::Definitions;
pub use duration::of_text as duration_of_text;
pub use fault::{Fault, Faults, ResolvedSetting, Source};
pub use in_force::InForce;
pub use layers::{Layers, Tolerant};
pub use look::{Look, Sheet};
pub use places::Places;
pub use schema::schema;
pub use sections::{
    BackupSettings, Bridging, Documents, EventSettings, Fetching, Lifetimes, Policy, Registration,
    ScopeEntry, SignUpPolicy, Tls, TlsMode, TokenStore,
};

/// The flags of the command line, which override every other source.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--behind-proxy`, once for each proxy.
    pub behind_proxy: Vec<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--exit-when-idle`.
    pub exit_when_idle: Option<Duration>,
    /// `--issuer`.
    pub issuer: Option<String>,
    /// `--listen`, once for each address.
    pub listen: Vec<String>,
    /// `--mtls-listen`, once for each address.
    pub mtls_listen: Vec<String>,
    /// `--no-sandbox`.
    pub no_sandbox: bool,
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
    /// The backups that the server makes by itself.
    pub backup: BackupSettings,
    /// Settings of the bridge endpoints.
    pub bridge: Bridging,
    /// The proxies whose forwarded client address is trusted, by address or network.
    pub behind_proxy: Vec<ProxyNetwork>,
    /// The built-in roles that no layer names, with the scopes that follow from the others.
    pub default_roles: BTreeSet<Role>,
    /// The policy on Client ID Metadata Documents.
    pub documents: Documents,
    /// Settings of the events that are stored.
    pub events: EventSettings,
    /// How long the server goes on without a connection; `None`: for ever.
    pub exit_when_idle: Option<Duration>,
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
    /// What the pages look like.
    pub look: Look,
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
    pub root_secret: Option<RootSecrets>,
    /// Whether the server gives up what it does not need.
    pub sandbox: bool,
    /// Every known scope.
    pub scopes: BTreeMap<ScopeToken, ScopeEntry>,
    /// The keys that a layer names, by their dotted path.
    pub settings: BTreeMap<String, ResolvedSetting>,
    /// Settings of TLS.
    pub tls: Tls,
    /// The storage of the tokens of `gatelodge login`.
    pub token_store: TokenStore,
    /// What a layer names and nobody knows, and which does no harm: variables of the environment.
    pub warnings: Vec<Fault>,
    /// The files that were read, and those that would have been if they existed.
    pub watched: Vec<PathBuf>,
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

/// The scopes of the administration. The role `admin` may grant them, and a client has to be registered
/// by an operator to ask for one.
const ADMINISTRATION_SCOPES: &[(&str, &str)] = &[
    ("admin", "Administer this server: everything"),
    ("admin:clients", "Administer applications and resources"),
    ("admin:keys", "Administer signing keys, and issue tokens and certificates"),
    ("admin:people", "Administer people: their accounts, sessions and devices"),
    ("admin:read", "See everything that administrators see"),
];

impl Config {
    /// The description of a scope that every installation knows, unless a layer has another.
    pub fn built_in_description(token: &ScopeToken) -> Option<&'static str> {
        let known = [STANDARD_SCOPES, GROUP_SCOPES, ADMINISTRATION_SCOPES].into_iter().flatten();
        known.clone().find(|(name, _)| *name == token.as_str()).map(|(_, description)| *description)
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
        let scopes: BTreeMap<ScopeToken, ScopeEntry> = entries(STANDARD_SCOPES, true)
            .chain(entries(GROUP_SCOPES, false))
            .chain(entries(ADMINISTRATION_SCOPES, false))
            .collect();
        let mut config = Self {
            apps: BTreeMap::new(),
            backup: BackupSettings::default(),
            behind_proxy: Vec::new(),
            bridge: Bridging::default(),
            default_roles: BTreeSet::new(),
            documents: Documents::default(),
            events: EventSettings::default(),
            exit_when_idle: None,
            fetch: Fetching::default(),
            hosts: Vec::new(),
            issuer: None,
            lifetimes: Lifetimes::default(),
            listen: Vec::new(),
            log: "info".to_owned(),
            look: Look::default(),
            offline: false,
            places: Places { config: None, state: data.clone(), data },
            policy: Policy::default(),
            print_setup: false,
            registration: Registration::default(),
            roles: BTreeMap::new(),
            root_secret: None,
            sandbox: true,
            scopes,
            settings: BTreeMap::new(),
            tls: Tls::default(),
            token_store: TokenStore::Auto,
            warnings: Vec::new(),
            watched: Vec::new(),
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

    /// Whether it knows the scope `token`.
    pub fn knows(&self, token: &ScopeToken) -> bool {
        self.scopes.contains_key(token)
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
            if let Ok(role) = name.parse::<Role>()
                && !self.roles.contains_key(&role)
            {
                self.default_roles.insert(role.clone());
                self.roles.insert(role, scope);
            }
        }
    }
}

#[cfg(test)]
mod tests;
