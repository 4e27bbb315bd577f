//! The configuration: what is written becomes what is meant.
//!
//! Four layers, the later over the earlier: the defaults, the TOML file, the environment
//! (`GATELODGE_…`), the flags. One table (`config/keys.rs`) names every key, its kind and its
//! bounds, and reads all layers alike. All faults are reported at once, as [`Faults`].
//!
//! The environment is an argument and never read here. The only files touched are the
//! configuration itself and the secrets that it points to.

mod draft;
mod duration;
mod fault;
mod keys;
mod kind;
mod load;
mod places;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::model::application::AppHost;
use crate::model::bridge::{HostId, Mode};
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

/// The flags of the command line, which precede every other source.
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

/// The configuration as it is meant: complete, and checked as far as it can be without a store.
#[derive(Clone)]
pub struct Config {
    /// The applications behind a proxy that asks here, and the roles that may enter; none named:
    /// everybody.
    pub apps: BTreeMap<AppHost, Vec<Role>>,
    /// Settings of the bridge endpoints.
    pub bridge: Bridging,
    /// The proxies that are believed about the address of a request; an IPv4 address never in the
    /// form of IPv6.
    pub behind_proxy: Vec<IpAddr>,
    /// Which clients may name themselves by a document on the web.
    pub documents: Documents,
    /// How documents and keys are fetched.
    pub fetch: Fetching,
    /// Names beside the issuer's that are answered in the `Host` header.
    pub hosts: Vec<String>,
    /// The issuer that is asked for; the one that the store holds has the last word.
    pub issuer: Option<Issuer>,
    /// How long things last.
    pub lifetimes: Lifetimes,
    /// Where to listen; empty means `127.0.0.1` and `[::1]` at the issuer's port.
    pub listen: Vec<SocketAddr>,
    /// Which events are logged, as a `tracing` filter.
    pub log: String,
    /// Whether nothing is ever fetched.
    pub offline: bool,
    /// Where things lie.
    pub places: Places,
    /// Policies of the installation.
    pub policy: Policy,
    /// Whether the first start tells the setup link where standard output is no terminal.
    pub print_setup: bool,
    /// Who may register a client over the wire.
    pub registration: Registration,
    /// The scopes that each role may grant.
    pub roles: BTreeMap<Role, Scope>,
    /// The root secret, where it comes from elsewhere than the key file beside the store.
    pub root_secret: Option<RootSecret>,
    /// Every scope there is.
    pub scopes: BTreeMap<ScopeToken, ScopeEntry>,
    /// Whether and how TLS is spoken.
    pub tls: Tls,
    /// Where `gatelodge login` keeps what it got.
    pub token_store: TokenStore,
}

/// How long things last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token (RFC 9068).
    pub access_token: Duration,
    /// An anonymous session, whatever happens in it.
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
    /// A sign-in under way, from the authorization request to its answer.
    pub interaction: Duration,
    /// How long before its first use a new signing key is published.
    pub key_overlap: Duration,
    /// A signing key's time in use.
    pub key_rotation: Duration,
    /// A personal access token, unless its maker says otherwise.
    pub personal_token: Duration,
    /// A pushed authorization request, until its browser comes.
    pub pushed_request: Duration,
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
    /// A certificate of this server that the local CA issues; it is renewed in time.
    pub server_certificate: Duration,
    /// A setup link.
    pub setup_token: Duration,
    /// A client that registered itself, from the last sign of life of its grants.
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
    /// How many anonymous sessions may live at once. One network alone fills half of that.
    pub anonymous_sessions: usize,
    /// How many sign-ins may be under way that no signed-in person owns. One network alone fills
    /// half of that.
    pub interactions: usize,
    /// Whether answers to clients name their issuer (RFC 9207).
    pub iss_parameter: bool,
    /// Whether people may grant tokens for resources on this machine that nobody registered, where
    /// the issuer is on loopback.
    pub loopback_resources: bool,
    /// The PKCE policy of clients that have none of their own.
    pub pkce: PkcePolicy,
    /// Private-use redirect schemes without a dot, beyond those known to the program.
    pub private_use_schemes: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            anonymous_sessions: 10_000,
            interactions: 10_000,
            iss_parameter: true,
            loopback_resources: true,
            pkce: PkcePolicy::Required,
            private_use_schemes: Vec::new(),
        }
    }
}

/// Settings of the bridge endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridging {
    /// The command to which a person pastes a code, where the browser cannot bring it home; the
    /// code is written behind it. By default one that works anywhere.
    pub command: Option<String>,
    /// Hosts of agents beyond those that every installation knows.
    pub hosts: Vec<HostId>,
    /// Hosts that this installation does without.
    pub hosts_off: Vec<HostId>,
    /// The ways in which a bridge comes to its access.
    pub modes: Vec<Mode>,
}

impl Default for Bridging {
    fn default() -> Self {
        let (hosts, hosts_off) = (Vec::new(), Vec::new());
        Self { command: None, hosts, hosts_off, modes: Mode::ALL.to_vec() }
    }
}

/// Whether and how TLS is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The file of the certificate chain, for [`TlsMode::Files`].
    pub certificate: Option<PathBuf>,
    /// The file of its key.
    pub key: Option<PathBuf>,
    /// Where devices may prove a certificate of theirs.
    pub listen_for_devices: Vec<SocketAddr>,
    /// Whose certificate is shown.
    pub mode: TlsMode,
}

/// Whose certificate is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// One that lies in files.
    Files,
    /// One for which the installation's own CA vouches.
    Local,
    /// None: plain HTTP.
    #[default]
    Off,
}

impl Tls {
    /// Where the certificate lies, if it lies in files.
    pub fn files(&self) -> Option<Files> {
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        (self.mode == TlsMode::Files).then_some(Files { certificate, key })
    }
}

/// Which clients may name themselves by a document on the web (Client ID Metadata Document).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// The hosts that the policy `listed` lets in.
    pub hosts: Vec<String>,
    /// Which.
    pub policy: DocumentPolicy,
}

impl Default for Documents {
    fn default() -> Self {
        Self { hosts: Vec::new(), policy: DocumentPolicy::Any }
    }
}

/// How documents and keys are fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetching {
    /// A PEM file of authorities that are trusted beside the usual ones.
    pub ca_file: Option<PathBuf>,
    /// Hosts with their ports that may be fetched from although their addresses are private.
    pub private: Vec<String>,
}

/// Who may register a client over the wire (RFC 7591 §3).
#[derive(Clone)]
pub struct Registration {
    /// The most registrations in a minute.
    pub per_minute: usize,
    /// Who; where nothing is said, everybody on a loopback issuer and nobody elsewhere.
    pub policy: Option<RegistrationPolicy>,
    /// A file with the keys whose software statements count (RFC 7591 §2.3).
    pub software_statement_keys: Option<PathBuf>,
    /// The initial access token of the policy `token` (RFC 7591 §3).
    pub token: Option<Zeroizing<String>>,
}

impl Default for Registration {
    fn default() -> Self {
        Self { per_minute: 120, policy: None, software_statement_keys: None, token: None }
    }
}

/// Where `gatelodge login` keeps tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStore {
    /// Sealed by the keyring where there is one, else in a file.
    Auto,
    /// In a file that only its person can read.
    File,
    /// In that file, sealed under a key that the system's keyring holds.
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

/// One scope that the installation knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeEntry {
    /// Whether every person may grant it, and clients that registered themselves may ask for it.
    pub open: bool,
    /// Its description on the consent page.
    pub description: String,
}

/// The scopes of OpenID Connect Core §5.4 and §11, in words for people.
const BUILT_IN_SCOPES: &[(&str, &str)] = &[
    ("email", "See your e-mail address"),
    ("offline_access", "Keep access while you are away, until you withdraw it"),
    ("openid", "Know that it is you who signs in"),
    ("profile", "See your name and username"),
];

impl Config {
    /// What `flags`, `env` and the file they lead to mean together, or everything that is wrong
    /// with them.
    pub fn load(flags: &Flags, env: &BTreeMap<String, String>) -> Result<Self, Faults> {
        Draft::read(Platform::here(), flags, env).finish().map(|(config, _)| config)
    }

    /// As [`Config::load`], and which source decided each key that is not at its default. The
    /// certificate's files are looked into as well: a server needs them, a command does not.
    pub fn explain(
        flags: &Flags,
        env: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(Self, Vec<ResolvedSetting>), Faults> {
        let mut draft = Draft::read(Platform::here(), flags, env);
        draft.look_into_files(now);
        draft.finish()
    }

    /// Every default, over the data directory `data`.
    pub fn at(data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        let scopes: BTreeMap<ScopeToken, ScopeEntry> = BUILT_IN_SCOPES
            .iter()
            .filter_map(|(token, description)| {
                let entry = ScopeEntry { open: true, description: (*description).to_owned() };
                token.parse().ok().map(|token| (token, entry))
            })
            .collect();
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

    /// Everywhere that was named to listen, for people and for devices.
    pub fn listeners(&self) -> impl Iterator<Item = SocketAddr> {
        self.listen.iter().chain(&self.tls.listen_for_devices).copied()
    }

    /// Every scope there is.
    pub fn scope(&self) -> Scope {
        self.scopes.keys().cloned().collect()
    }

    /// The scopes that are open.
    pub fn open_scope(&self) -> Scope {
        self.scopes.iter().filter(|(_, entry)| entry.open).map(|(token, _)| token.clone()).collect()
    }

    /// The applications that cannot be beside `issuer`, each with the reason.
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

    /// Who may register a client over the wire, for an installation at `issuer`.
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

    /// Gives the built-in roles their scopes where nobody did.
    fn fill_roles(&mut self) {
        for (name, scope) in [(Role::ADMIN, self.scope()), (Role::USER, self.open_scope())] {
            if let Ok(role) = name.parse() {
                self.roles.entry(role).or_insert(scope);
            }
        }
    }
}

#[cfg(test)]
mod tests;
