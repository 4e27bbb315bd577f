//! The sections of the configuration, with their defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::event::KindPattern;
use crate::model::bridge::{HostId, Mode};
use crate::model::recipient::Recipient;
use crate::oauth::client::{DocumentPolicy, PkcePolicy, RegistrationPolicy};
use crate::tls::Files;

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
    /// Whether people make accounts by themselves.
    pub sign_up: SignUpPolicy,
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
            sign_up: SignUpPolicy::Closed,
        }
    }
}

/// Whether people make accounts by themselves, without a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUpPolicy {
    /// They need a link of an operator.
    #[default]
    Closed,
    /// Whoever reaches the server may be a user of it.
    Open,
}

impl SignUpPolicy {
    /// All policies.
    pub const ALL: &[Self] = &[Self::Closed, Self::Open];

    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
        }
    }
}

/// Settings of the bridge endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridging {
    /// The command that the page displays with an exchange code behind it, in place of
    /// `systemprompt-bridge login --gateway ISSUER --code CODE`, if no redirect can carry
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

impl TlsMode {
    /// All sources.
    pub const ALL: &[Self] = &[Self::Files, Self::Local, Self::Off];

    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Local => "local",
            Self::Off => "off",
        }
    }
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

/// Settings of the events that are stored, and of those that are sent.
#[derive(Clone)]
pub struct EventSettings {
    /// How long an event is stored.
    pub keep: Duration,
    /// The most events that strangers and clients have stored: refused requests and registrations.
    pub refusals: usize,
    /// The URL to which events are sent. With it there are kinds and a secret.
    pub webhook: Option<String>,
    /// The kinds of events that are sent.
    pub webhook_kinds: Vec<KindPattern>,
    /// The secret by which they are signed.
    pub webhook_secret: Option<Zeroizing<String>>,
}

impl EventSettings {
    /// Whether events of the kind of this name are sent to the webhook.
    pub fn sends(&self, kind: &str) -> bool {
        self.webhook.is_some() && self.webhook_kinds.iter().any(|pattern| pattern.has(kind))
    }
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            keep: Duration::from_hours(90 * 24),
            refusals: 10_000,
            webhook: None,
            webhook_kinds: Vec::new(),
            webhook_secret: None,
        }
    }
}

/// The backups that the server makes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSettings {
    /// The time from one to the next.
    pub every: Duration,
    /// How many are kept, the newest.
    pub keep: usize,
    /// For whom they are encrypted; for nobody: they are not.
    pub recipients: Vec<Recipient>,
    /// The directory that they are written to, if any are made.
    pub to: Option<PathBuf>,
}

impl Default for BackupSettings {
    fn default() -> Self {
        Self { every: Duration::from_hours(24), keep: 7, recipients: Vec::new(), to: None }
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

impl TokenStore {
    /// All kinds.
    pub const ALL: &[Self] = &[Self::Auto, Self::File, Self::Keyring];

    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::File => "file",
            Self::Keyring => "keyring",
        }
    }
}

impl FromStr for TokenStore {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().copied().find(|word| word.as_str() == s);
        found.ok_or("\"auto\", \"file\" or \"keyring\" is allowed")
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

impl ScopeEntry {
    /// A description without the spaces around it: 1 to 200 characters, and none of control.
    pub fn checked_description(written: &str) -> Option<String> {
        let description = written.trim();
        let fits = (1..=200).contains(&description.chars().count())
            && !written.chars().any(char::is_control);
        fits.then(|| description.to_owned())
    }
}
