//! The table of all keys: path, kind and bounds.
//!
//! The file, the environment and the flags are read by this table, and the message about an unknown
//! key finds the nearest one in it. In a path, `*` is a name that the operator chooses.

use super::kind::Kind;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// One key.
pub(super) struct Key {
    /// Its dotted path.
    pub(super) path: &'static str,
    /// The kind of its value, with its place in the draft.
    pub(super) kind: Kind,
}

const fn key(path: &'static str, kind: Kind) -> Key {
    Key { path, kind }
}

pub(super) static KEYS: &[Key] = &[
    key("apps.*.roles", Kind::AppRoles),
    key("behind_proxy", Kind::Proxies(|d| &mut d.config.behind_proxy)),
    key("bridge.command", Kind::OptionalText(|d| &mut d.config.bridge.command)),
    key("bridge.hosts", Kind::BridgeHosts(|d| &mut d.config.bridge.hosts)),
    key("bridge.hosts_off", Kind::BridgeHosts(|d| &mut d.config.bridge.hosts_off)),
    key("bridge.modes", Kind::BridgeModes(|d| &mut d.config.bridge.modes)),
    key("data", Kind::Directory(|d| &mut d.data)),
    key("documents.hosts", Kind::Hosts(|d| &mut d.config.documents.hosts)),
    key("documents.policy", Kind::Documents(|d| &mut d.config.documents.policy)),
    key("fetch.ca_file", Kind::Directory(|d| &mut d.config.fetch.ca_file)),
    key("fetch.private", Kind::Destinations(|d| &mut d.config.fetch.private)),
    key("hosts", Kind::Hosts(|d| &mut d.config.hosts)),
    key("issuer", Kind::Issuer(|d| &mut d.config.issuer)),
    key(
        "lifetimes.access_token",
        Kind::Span { of: |d| &mut d.config.lifetimes.access_token, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.anonymous",
        Kind::Span { of: |d| &mut d.config.lifetimes.anonymous, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.authorization_code",
        Kind::Span {
            of: |d| &mut d.config.lifetimes.authorization_code,
            from: 10,
            to: 10 * MINUTE,
        },
    ),
    key(
        "lifetimes.ceremony",
        Kind::Span { of: |d| &mut d.config.lifetimes.ceremony, from: 30, to: 15 * MINUTE },
    ),
    key(
        "lifetimes.device_code",
        Kind::Span { of: |d| &mut d.config.lifetimes.device_code, from: MINUTE, to: HOUR },
    ),
    key(
        "lifetimes.exchange_code",
        Kind::Span { of: |d| &mut d.config.lifetimes.exchange_code, from: 30, to: 10 * MINUTE },
    ),
    key(
        "lifetimes.id_token",
        Kind::Span { of: |d| &mut d.config.lifetimes.id_token, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.interaction",
        Kind::Span { of: |d| &mut d.config.lifetimes.interaction, from: MINUTE, to: DAY },
    ),
    key(
        "lifetimes.key_overlap",
        Kind::Span { of: |d| &mut d.config.lifetimes.key_overlap, from: HOUR, to: 7 * DAY },
    ),
    key(
        // The minimum exceeds the longest overlap, so that two successors are never published at
        // once.
        "lifetimes.key_rotation",
        Kind::Span { of: |d| &mut d.config.lifetimes.key_rotation, from: 8 * DAY, to: 3650 * DAY },
    ),
    key(
        "lifetimes.personal_token",
        Kind::Span { of: |d| &mut d.config.lifetimes.personal_token, from: HOUR, to: 3650 * DAY },
    ),
    key(
        "lifetimes.pushed_request",
        Kind::Span { of: |d| &mut d.config.lifetimes.pushed_request, from: 5, to: 10 * MINUTE },
    ),
    key(
        "lifetimes.refresh_idle",
        Kind::Span { of: |d| &mut d.config.lifetimes.refresh_idle, from: HOUR, to: 3650 * DAY },
    ),
    key(
        "lifetimes.refresh_total",
        Kind::Span { of: |d| &mut d.config.lifetimes.refresh_total, from: HOUR, to: 3650 * DAY },
    ),
    key(
        "lifetimes.replay_grace",
        Kind::Span { of: |d| &mut d.config.lifetimes.replay_grace, from: 0, to: 10 * MINUTE },
    ),
    key(
        "lifetimes.server_certificate",
        Kind::Span { of: |d| &mut d.config.lifetimes.server_certificate, from: 10, to: 398 * DAY },
    ),
    key(
        "lifetimes.session_idle",
        Kind::Span {
            of: |d| &mut d.config.lifetimes.session_idle,
            from: 5 * MINUTE,
            to: 365 * DAY,
        },
    ),
    key(
        "lifetimes.session_total",
        Kind::Span {
            of: |d| &mut d.config.lifetimes.session_total,
            from: 5 * MINUTE,
            to: 365 * DAY,
        },
    ),
    key(
        "lifetimes.setup_token",
        Kind::Span { of: |d| &mut d.config.lifetimes.setup_token, from: MINUTE, to: 7 * DAY },
    ),
    key(
        "lifetimes.unused_client",
        Kind::Span { of: |d| &mut d.config.lifetimes.unused_client, from: HOUR, to: 3650 * DAY },
    ),
    key("listen", Kind::Listeners(|d| &mut d.config.listen)),
    key("log", Kind::Text(|d| &mut d.config.log)),
    key("offline", Kind::Switch(|d| &mut d.config.offline)),
    key(
        "policy.anonymous_sessions",
        Kind::Number { of: |d| &mut d.config.policy.anonymous_sessions, from: 16, to: 1_000_000 },
    ),
    key("policy.email_verified", Kind::Switch(|d| &mut d.config.policy.email_verified)),
    key(
        "policy.interactions",
        Kind::Number { of: |d| &mut d.config.policy.interactions, from: 16, to: 1_000_000 },
    ),
    key("policy.iss_parameter", Kind::Switch(|d| &mut d.config.policy.iss_parameter)),
    key("policy.loopback_resources", Kind::Switch(|d| &mut d.config.policy.loopback_resources)),
    key("policy.pkce", Kind::Pkce(|d| &mut d.config.policy.pkce)),
    key("policy.private_use_schemes", Kind::Schemes(|d| &mut d.config.policy.private_use_schemes)),
    key("policy.session_key", Kind::OptionalSwitch(|d| &mut d.config.policy.session_key)),
    key(
        "registration.per_minute",
        Kind::Number { of: |d| &mut d.config.registration.per_minute, from: 1, to: 100_000 },
    ),
    key("registration.policy", Kind::Registration(|d| &mut d.config.registration.policy)),
    key(
        "registration.software_statement_keys",
        Kind::Directory(|d| &mut d.config.registration.software_statement_keys),
    ),
    key("registration.token", Kind::SecretText(|d| &mut d.config.registration.token)),
    key(
        "registration.unused",
        Kind::Number { of: |d| &mut d.config.registration.unused, from: 16, to: 1_000_000 },
    ),
    key("roles.*.scopes", Kind::RoleScopes),
    key("root_secret", Kind::Secret(|d| &mut d.config.root_secret)),
    key("scopes.*.description", Kind::ScopeDescription),
    key("scopes.*.open", Kind::ScopeOpen),
    key("tls.certificate", Kind::Directory(|d| &mut d.config.tls.certificate)),
    key("tls.key", Kind::Directory(|d| &mut d.config.tls.key)),
    key("tls.mode", Kind::Tls(|d| &mut d.config.tls.mode)),
    key("tls.mtls_listen", Kind::Listeners(|d| &mut d.config.tls.listen_for_devices)),
    key("token_store", Kind::TokenStore(|d| &mut d.config.token_store)),
];

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

/// Prints `path` as a dotted key of TOML.
pub(super) fn dotted(path: &[String]) -> String {
    path.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(".")
}

fn quoted(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { format!("{name:?}") }
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
