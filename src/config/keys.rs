//! The table of all keys: path, kind and bounds.
//!
//! The file, the environment and the flags are read by this table, and the message about an unknown
//! key finds the nearest one in it. In a path, `*` is a name that the operator chooses.

use super::kind::Kind;
pub(super) use crate::model::dotted::dotted;
use crate::model::dotted::quoted;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// One key.
pub(super) struct Key {
    /// What it is, for editors.
    pub(super) about: &'static str,
    /// Whether a running server keeps the value that it started with.
    pub(super) is_fixed: bool,
    /// The kind of its value, with its place in the draft.
    pub(super) kind: Kind,
    /// Its dotted path.
    pub(super) path: &'static str,
}

const fn key(path: &'static str, about: &'static str, kind: Kind) -> Key {
    Key { about, is_fixed: false, kind, path }
}

const fn fixed(path: &'static str, about: &'static str, kind: Kind) -> Key {
    Key { is_fixed: true, ..key(path, about, kind) }
}

pub(super) static KEYS: &[Key] = &[
    key(
        "apps.*.roles",
        "The roles that an application behind a proxy admits; an empty list admits everybody",
        Kind::AppRoles,
    ),
    key(
        "backup.every",
        "The time from one backup by the server to the next",
        Kind::Span { of: |d| &mut d.config.backup.every, from: MINUTE, to: 365 * DAY },
    ),
    key(
        "backup.keep",
        "The number of those backups that are kept: the newest ones",
        Kind::Number { of: |d| &mut d.config.backup.keep, from: 1, to: 10_000 },
    ),
    key(
        "backup.recipients",
        "The recipients of age for whom they are encrypted",
        Kind::Recipients(|d| &mut d.config.backup.recipients),
    ),
    fixed(
        "backup.to",
        "The directory to which the server writes backups; without it, it makes none",
        Kind::Directory(|d| &mut d.config.backup.to),
    ),
    fixed(
        "behind_proxy",
        "The proxies that are believed about who asks and for which host, by address or network",
        Kind::Proxies(|d| &mut d.config.behind_proxy),
    ),
    key(
        "bridge.command",
        "The command that the page displays with an exchange code behind it, if no redirect can carry the code; systemprompt-bridge login by default",
        Kind::OptionalText(|d| &mut d.config.bridge.command),
    ),
    key(
        "bridge.hosts",
        "Hosts of agents in addition to the built-in ones",
        Kind::BridgeHosts(|d| &mut d.config.bridge.hosts),
    ),
    key(
        "bridge.hosts_off",
        "Hosts of agents that are switched off",
        Kind::BridgeHosts(|d| &mut d.config.bridge.hosts_off),
    ),
    key(
        "bridge.modes",
        "The ways in which a bridge may get access",
        Kind::BridgeModes(|d| &mut d.config.bridge.modes),
    ),
    fixed(
        "data",
        "The directory of the store, its key and the socket",
        Kind::Directory(|d| &mut d.data),
    ),
    key(
        "documents.hosts",
        "The hosts whose client documents the policy \"listed\" reads",
        Kind::Hosts(|d| &mut d.config.documents.hosts),
    ),
    key(
        "documents.policy",
        "Whose client documents are read",
        Kind::Documents(|d| &mut d.config.documents.policy),
    ),
    key(
        "events.keep",
        "How long the events are stored of what people and operators did, and of refused requests",
        Kind::Span { of: |d| &mut d.config.events.keep, from: HOUR, to: 3_650 * DAY },
    ),
    key(
        "events.refusals",
        "The highest number of stored events that strangers and clients caused",
        Kind::Number { of: |d| &mut d.config.events.refusals, from: 16, to: 1_000_000 },
    ),
    key(
        "events.webhook",
        "The URL to which events of the named kinds are sent",
        Kind::OptionalText(|d| &mut d.config.events.webhook),
    ),
    key(
        "events.webhook_kinds",
        "The kinds of events that are sent to the webhook: user.added, user.*, or * for all but \
         request.refused",
        Kind::EventKinds(|d| &mut d.config.events.webhook_kinds),
    ),
    key(
        "events.webhook_secret",
        "The secret by which those messages are signed (Standard Webhooks)",
        Kind::SecretText(|d| &mut d.config.events.webhook_secret),
    ),
    fixed(
        "fetch.ca_file",
        "A PEM file of authorities that are trusted in addition to the public ones",
        Kind::Directory(|d| &mut d.config.fetch.ca_file),
    ),
    fixed(
        "fetch.private",
        "Destinations (host:port) that may be fetched from although their addresses are private",
        Kind::Destinations(|d| &mut d.config.fetch.private),
    ),
    key(
        "hosts",
        "Names that are accepted in Host in addition to that of the issuer",
        Kind::Hosts(|d| &mut d.config.hosts),
    ),
    fixed(
        "issuer",
        "The issuer of a new store; of an old one, the issuer that it must have",
        Kind::Issuer(|d| &mut d.config.issuer),
    ),
    key(
        "lifetimes.access_token",
        "Of an access token",
        Kind::Span { of: |d| &mut d.config.lifetimes.access_token, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.anonymous",
        "Of an anonymous session; its use does not extend it",
        Kind::Span { of: |d| &mut d.config.lifetimes.anonymous, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.authorization_code",
        "Of an authorization code",
        Kind::Span {
            of: |d| &mut d.config.lifetimes.authorization_code,
            from: 10,
            to: 10 * MINUTE,
        },
    ),
    key(
        "lifetimes.ceremony",
        "Of a passkey ceremony, from its challenge to its answer",
        Kind::Span { of: |d| &mut d.config.lifetimes.ceremony, from: 30, to: 15 * MINUTE },
    ),
    key(
        "lifetimes.device_code",
        "Of a device code, from its request to its approval",
        Kind::Span { of: |d| &mut d.config.lifetimes.device_code, from: MINUTE, to: HOUR },
    ),
    key(
        "lifetimes.exchange_code",
        "Of an exchange code, from the browser or an operator to a bridge",
        Kind::Span { of: |d| &mut d.config.lifetimes.exchange_code, from: 30, to: 10 * MINUTE },
    ),
    key(
        "lifetimes.id_token",
        "Of an ID token",
        Kind::Span { of: |d| &mut d.config.lifetimes.id_token, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.interaction",
        "Of an interaction, from the authorization request to its response",
        Kind::Span { of: |d| &mut d.config.lifetimes.interaction, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.key_overlap",
        "From the publication of a new signing key to its first use",
        Kind::Span { of: |d| &mut d.config.lifetimes.key_overlap, from: HOUR, to: 7 * DAY },
    ),
    key(
        // The minimum exceeds the longest overlap, so that two successors are never published at
        // once.
        "lifetimes.key_rotation",
        "The time for which a signing key signs",
        Kind::Span { of: |d| &mut d.config.lifetimes.key_rotation, from: 8 * DAY, to: 3650 * DAY },
    ),
    key(
        "lifetimes.personal_token",
        "Of a personal access token that names no other lifetime",
        Kind::Span { of: |d| &mut d.config.lifetimes.personal_token, from: HOUR, to: 3650 * DAY },
    ),
    key(
        "lifetimes.pushed_request",
        "Of a pushed authorization request, until a browser uses it",
        Kind::Span { of: |d| &mut d.config.lifetimes.pushed_request, from: 5, to: 10 * MINUTE },
    ),
    key(
        "lifetimes.refresh_idle",
        "Of a refresh token that is not used",
        Kind::Span { of: |d| &mut d.config.lifetimes.refresh_idle, from: HOUR, to: 3650 * DAY },
    ),
    key(
        "lifetimes.refresh_total",
        "Of a family of refresh tokens, regardless of its use",
        Kind::Span { of: |d| &mut d.config.lifetimes.refresh_total, from: HOUR, to: 3650 * DAY },
    ),
    key(
        "lifetimes.replay_grace",
        "How long a spent refresh token yields the newest one; 0 switches that off",
        Kind::Span { of: |d| &mut d.config.lifetimes.replay_grace, from: 0, to: 10 * MINUTE },
    ),
    key(
        "lifetimes.server_certificate",
        "Of a certificate that the local CA issues for this server",
        Kind::Span { of: |d| &mut d.config.lifetimes.server_certificate, from: 10, to: 398 * DAY },
    ),
    key(
        "lifetimes.session_idle",
        "Of a session that is not used",
        Kind::Span {
            of: |d| &mut d.config.lifetimes.session_idle,
            from: 5 * MINUTE,
            to: 365 * DAY,
        },
    ),
    key(
        "lifetimes.session_total",
        "Of a session, regardless of its use",
        Kind::Span {
            of: |d| &mut d.config.lifetimes.session_total,
            from: 5 * MINUTE,
            to: 365 * DAY,
        },
    ),
    key(
        "lifetimes.setup_token",
        "Of a setup link",
        Kind::Span { of: |d| &mut d.config.lifetimes.setup_token, from: MINUTE, to: 7 * DAY },
    ),
    key(
        "lifetimes.unused_client",
        "Of a client that no operator registered, from its last use",
        Kind::Span { of: |d| &mut d.config.lifetimes.unused_client, from: HOUR, to: 3650 * DAY },
    ),
    fixed(
        "listen",
        "The addresses to listen on; by default loopback, at the port of the issuer",
        Kind::Listeners(|d| &mut d.config.listen),
    ),
    fixed(
        "log",
        "The filter of the log, such as info or gatelodge=debug",
        Kind::Text(|d| &mut d.config.log),
    ),
    key(
        "look.accent",
        "The colour of buttons and links, #rrggbb; each scheme has the lightness next to it that can \
         be read",
        Kind::OptionalText(|d| &mut d.config.look.accent),
    ),
    key(
        "look.logo",
        "A file with the logo of this place: PNG, WebP, JPEG or SVG, at most 24 KiB",
        Kind::Directory(|d| &mut d.config.look.logo),
    ),
    key(
        "look.name",
        "What the pages call this place, 1 to 40 characters",
        Kind::OptionalText(|d| &mut d.config.look.name),
    ),
    fixed(
        "offline",
        "Whether nothing is fetched from other machines",
        Kind::Switch(|d| &mut d.config.offline),
    ),
    key(
        "policy.anonymous_sessions",
        "The highest number of anonymous sessions",
        Kind::Number { of: |d| &mut d.config.policy.anonymous_sessions, from: 16, to: 1_000_000 },
    ),
    key(
        "policy.email_verified",
        "Whether you vouch for the e-mail addresses that you entered",
        Kind::Switch(|d| &mut d.config.policy.email_verified),
    ),
    key(
        "policy.interactions",
        "The highest number of pending interactions of strangers",
        Kind::Number { of: |d| &mut d.config.policy.interactions, from: 16, to: 1_000_000 },
    ),
    key(
        "policy.iss_parameter",
        "Whether authorization responses have the parameter iss (RFC 9207)",
        Kind::Switch(|d| &mut d.config.policy.iss_parameter),
    ),
    key(
        "policy.loopback_resources",
        "Whether people may grant tokens for unregistered programs of their own machine",
        Kind::Switch(|d| &mut d.config.policy.loopback_resources),
    ),
    key(
        "policy.pkce",
        "The PKCE policy of confidential clients that have none of their own",
        Kind::Pkce(|d| &mut d.config.policy.pkce),
    ),
    key(
        "policy.private_use_schemes",
        "Redirect schemes without a dot that are allowed, such as myapp",
        Kind::Schemes(|d| &mut d.config.policy.private_use_schemes),
    ),
    fixed(
        "policy.session_key",
        "Whether a session is a key in the browser's storage and no cookie",
        Kind::OptionalSwitch(|d| &mut d.config.policy.session_key),
    ),
    key(
        "policy.sign_up",
        "Whether people make accounts by themselves, without a link",
        Kind::SignUp(|d| &mut d.config.policy.sign_up),
    ),
    key(
        "registration.per_minute",
        "The highest number of registrations in a minute from one network: of clients, and of people who sign up",
        Kind::Number { of: |d| &mut d.config.registration.per_minute, from: 1, to: 100_000 },
    ),
    key(
        "registration.policy",
        "Who may register clients",
        Kind::Registration(|d| &mut d.config.registration.policy),
    ),
    key(
        "registration.software_statement_keys",
        "A file with the JWK Set whose software statements count",
        Kind::Directory(|d| &mut d.config.registration.software_statement_keys),
    ),
    key(
        "registration.token",
        "The initial access token of the policy \"token\"",
        Kind::SecretText(|d| &mut d.config.registration.token),
    ),
    key(
        "registration.unused",
        "The highest number of self-registered clients that nobody has used",
        Kind::Number { of: |d| &mut d.config.registration.unused, from: 16, to: 1_000_000 },
    ),
    key("roles.*.scopes", "The scopes that people of a role may grant", Kind::RoleScopes),
    fixed(
        "root_secret",
        "The root secret, if it is not in the key file beside the store; a newer one before it rotates it",
        Kind::Secret(|d| &mut d.config.root_secret),
    ),
    fixed(
        "sandbox",
        "Whether the server gives up what it does not need: files, programs, system calls",
        Kind::Switch(|d| &mut d.config.sandbox),
    ),
    key("scopes.*.description", "What the consent page says of a scope", Kind::ScopeDescription),
    key(
        "scopes.*.open",
        "Whether everybody may grant a scope, and every client ask for it",
        Kind::ScopeOpen,
    ),
    fixed(
        "tls.certificate",
        "The file of the certificate chain",
        Kind::Directory(|d| &mut d.config.tls.certificate),
    ),
    fixed("tls.key", "The file of its key", Kind::Directory(|d| &mut d.config.tls.key)),
    fixed(
        "tls.mode",
        "Where the certificate of this server comes from",
        Kind::Tls(|d| &mut d.config.tls.mode),
    ),
    fixed(
        "tls.mtls_listen",
        "The addresses at which devices may prove a certificate",
        Kind::Listeners(|d| &mut d.config.tls.listen_for_devices),
    ),
    key(
        "token_store",
        "Where gatelodge login keeps its tokens",
        Kind::TokenStore(|d| &mut d.config.token_store),
    ),
];

impl Key {
    /// Whether the operator chooses a name in its path.
    pub(super) fn has_a_name(&self) -> bool {
        self.path.contains('*')
    }
}

/// The key at `path`.
pub(super) fn find(path: &[String]) -> Option<&'static Key> {
    KEYS.iter().find(|key| reach(key, path) == Some(0))
}

/// The key of the secret whose file `path` names: the secret's path followed by `_file`.
pub(super) fn find_secret_file(path: &[String]) -> Option<&'static Key> {
    let (last, above) = path.split_last()?;
    let mut path = above.to_vec();
    path.push(last.strip_suffix("_file")?.to_owned());
    find(&path).filter(|key| key.kind.is_secret())
}

/// Whether there are keys below `path`.
pub(super) fn is_section(path: &[String]) -> bool {
    KEYS.iter().any(|key| reach(key, path).is_some_and(|below| below > 0))
}

/// The number of names of `key` below `path`, if it is there.
fn reach(key: &Key, path: &[String]) -> Option<usize> {
    let mut names = key.path.split('.');
    let fits = path.iter().all(|own| names.next().is_some_and(|name| name == "*" || name == own));
    fits.then(|| names.count())
}

/// The known key that is most similar to `path`, with its `*` replaced from `path`.
pub(super) fn nearest(path: &[String]) -> String {
    let written = dotted(path);
    let last = path.last().map_or("", String::as_str);
    let candidates = KEYS.iter().flat_map(|key| {
        let meant = filled(key.path, path);
        let file = key.kind.is_secret().then(|| format!("{meant}_file"));
        [Some(meant), file].into_iter().flatten()
    });
    let distance = |meant: &String| {
        let own = meant.rsplit('.').next().unwrap_or(meant);
        // A correct name in the wrong section has the distance one, however long the section's
        // name.
        let whole = strsim::osa_distance(&written, meant);
        whole.min(strsim::osa_distance(last, own) + 1)
    };
    candidates.min_by_key(distance).unwrap_or_default()
}

fn filled(known: &str, path: &[String]) -> String {
    let names = known.split('.').enumerate().map(|(position, name)| match path.get(position) {
        Some(own) if name == "*" => quoted(own),
        Some(_) | None => name.to_owned(),
    });
    names.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn the_table_is_in_order_and_names_nothing_twice() {
        assert!(KEYS.is_sorted_by(|one, other| one.path < other.path));
    }

    #[test]
    fn a_misspelt_key_leads_to_the_nearest_one() {
        for (written, meant) in [
            ("isuer", "issuer"),
            ("lifetimes.acess_token", "lifetimes.access_token"),
            ("lifetime.access_token", "lifetimes.access_token"),
            ("lifetimes_access_token", "lifetimes.access_token"),
            ("access_token", "lifetimes.access_token"),
            ("policy.issparameter", "policy.iss_parameter"),
            ("roles.ops.scope", "roles.ops.scopes"),
            ("scopes.a:b.descriptio", "scopes.\"a:b\".description"),
            ("root_secretfile", "root_secret_file"),
        ] {
            assert_eq!(nearest(&path(written)), meant, "{written}");
        }
    }

    #[test]
    fn a_chosen_name_stands_for_itself() {
        assert!(find(&path("roles.ops.scopes")).is_some());
        assert!(find(&path("roles.ops")).is_none());
        assert!(is_section(&path("roles.ops")));
        assert!(!is_section(&path("issuer")));
        assert!(find_secret_file(&path("root_secret_file")).is_some());
        assert!(find_secret_file(&path("issuer_file")).is_none());
    }
}
