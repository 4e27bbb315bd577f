//! The configuration in force: the value of each key and its source, what a reload changes, and what
//! waits for a restart.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toml::Value;

use super::Config;
use super::draft::Draft;
use super::fault::Source;
use super::keys::{self, KEYS, Key};

/// A key in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InForce {
    /// Whether a running server keeps the value that it started with.
    pub is_fixed: bool,
    /// The key, dotted.
    pub key: String,
    /// The source of its value; `default` if no layer names it.
    pub source: String,
    /// Its value; `null` if it has none, `"(secret)"` for a secret.
    pub value: Json,
}

impl Config {
    /// Every key in force, in the order of their names.
    pub fn in_force(&self) -> Vec<InForce> {
        let mut draft = Draft::of(self);
        let all = KEYS.iter().flat_map(|key| paths(self, key).into_iter().map(move |at| (key, at)));
        let mut all: Vec<_> = all
            .map(|(key, at)| {
                let dotted = keys::dotted(&at);
                let source = self.settings.get(&dotted);
                InForce {
                    is_fixed: key.is_fixed,
                    source: source.map_or(&Source::Default, |own| &own.source).to_string(),
                    value: value(key, &at, &mut draft),
                    key: dotted,
                }
            })
            .collect();
        all.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        all
    }

    /// This configuration with what a running server takes of `new`, and the keys of `new` that wait
    /// for a restart.
    pub fn reloaded(&self, new: &Self) -> (Self, Vec<String>) {
        let (old, wanted) = (self.in_force(), new.in_force());
        let differs =
            |own: &&InForce| old.iter().all(|old| old.key != own.key || old.value != own.value);
        let waiting = wanted.iter().filter(|own| own.is_fixed).filter(differs);
        let waiting = waiting.map(|own| own.key.clone()).collect();
        let is_fixed = |key: &String| wanted.iter().any(|own| own.is_fixed && own.key == *key);
        let mut settings = new.settings.clone();
        settings.retain(|key, _| !is_fixed(key));
        let own = self.settings.iter().filter(|(key, _)| is_fixed(key));
        settings.extend(own.map(|(key, setting)| (key.clone(), setting.clone())));
        let taken = Self {
            backup: super::BackupSettings { to: self.backup.to.clone(), ..new.backup.clone() },
            behind_proxy: self.behind_proxy.clone(),
            exit_when_idle: self.exit_when_idle,
            fetch: self.fetch.clone(),
            issuer: self.issuer.clone(),
            listen: self.listen.clone(),
            log: self.log.clone(),
            offline: self.offline,
            places: self.places.clone(),
            policy: super::Policy { session_key: self.policy.session_key, ..new.policy.clone() },
            print_setup: self.print_setup,
            root_secret: self.root_secret.clone(),
            sandbox: self.sandbox,
            settings,
            tls: self.tls.clone(),
            ..new.clone()
        };
        (taken, waiting)
    }

    /// The keys whose value is another one than in `old`.
    pub fn changes(&self, old: &Self) -> Vec<String> {
        let (old, new) = (old.in_force(), self.in_force());
        let among = |all: &[InForce], own: &InForce| {
            all.iter().any(|other| other.key == own.key && other.value == own.value)
        };
        let gone = old.iter().filter(|own| !among(&new, own));
        let mut keys: Vec<_> = new
            .iter()
            .filter(|own| !among(&old, own))
            .chain(gone)
            .map(|own| own.key.clone())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// The paths of a key: one for each name, if the operator chooses it.
fn paths(config: &Config, key: &Key) -> Vec<Vec<String>> {
    let at: Vec<String> = key.path.split('.').map(str::to_owned).collect();
    let names: Vec<String> = match at.first().map(String::as_str).filter(|_| key.has_a_name()) {
        Some("apps") => config.apps.keys().map(ToString::to_string).collect(),
        Some("roles") => config.roles.keys().map(ToString::to_string).collect(),
        Some("scopes") => config.scopes.keys().map(|token| token.as_str().to_owned()).collect(),
        Some(_) | None => return vec![at],
    };
    let named = |name: String| {
        at.iter().map(|part| if part == "*" { name.clone() } else { part.clone() }).collect()
    };
    names.into_iter().map(named).collect()
}

fn value(key: &Key, at: &[String], draft: &mut Draft) -> Json {
    let name = at.get(1).map_or("", String::as_str);
    let value = key.kind.value(draft, name);
    value.map_or(Json::Null, |value| json(&value))
}

/// A value of TOML in JSON. No key of the configuration has another kind of value.
fn json(value: &Value) -> Json {
    match value {
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Boolean(yes) => (*yes).into(),
        Value::Integer(number) => (*number).into(),
        Value::String(text) => text.as_str().into(),
        Value::Datetime(_) | Value::Float(_) | Value::Table(_) => value.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Flags, Layers};

    /// The configuration of these variables.
    fn config(pairs: &[(&str, &str)]) -> Config {
        let mut env: BTreeMap<_, _> = pairs
            .iter()
            .map(|(name, value)| (format!("GATELODGE_{name}"), (*value).to_owned()))
            .collect();
        env.insert("GATELODGE_DATA".to_owned(), "/d".to_owned());
        Layers::new(Flags::default(), env).load().unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// A value other than the default for each key, as a variable has it.
    const OTHERS: &[(&str, &str)] = &[
        ("APPS__WIKI.LOCALHOST__ROLES", "user"),
        ("BEHIND_PROXY", "10.0.0.1"),
        ("BACKUP__EVERY", "2h"),
        ("BACKUP__KEEP", "99"),
        ("BACKUP__RECIPIENTS", "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"),
        ("BACKUP__TO", "/backups"),
        ("BRIDGE__COMMAND", "desk login"),
        ("BRIDGE__HOSTS", "my-agent"),
        ("BRIDGE__HOSTS_OFF", "codex"),
        ("BRIDGE__MODES", "pat"),
        ("DOCUMENTS__HOSTS", "app.example"),
        ("DOCUMENTS__POLICY", "off"),
        ("EVENTS__KEEP", "7d"),
        ("EVENTS__REFUSALS", "99"),
        ("EVENTS__WEBHOOK", "https://hook.example/"),
        ("EVENTS__WEBHOOK_KINDS", "user.*"),
        ("EVENTS__WEBHOOK_SECRET", "0123456789abcdefghij"),
        ("FETCH__CA_FILE", "/ca.pem"),
        ("FETCH__PRIVATE", "apps.lan:443"),
        ("HOSTS", "id.lan"),
        ("ISSUER", "http://localhost:1"),
        ("LIFETIMES__ACCESS_TOKEN", "2h"),
        ("LIFETIMES__ANONYMOUS", "2h"),
        ("LIFETIMES__AUTHORIZATION_CODE", "1m"),
        ("LIFETIMES__CEREMONY", "1m"),
        ("LIFETIMES__DEVICE_CODE", "1m"),
        ("LIFETIMES__EXCHANGE_CODE", "1m"),
        ("LIFETIMES__ID_TOKEN", "2h"),
        ("LIFETIMES__INTERACTION", "2h"),
        ("LIFETIMES__KEY_OVERLAP", "2h"),
        ("LIFETIMES__KEY_ROTATION", "8d"),
        ("LIFETIMES__PERSONAL_TOKEN", "2h"),
        ("LIFETIMES__PUSHED_REQUEST", "2m"),
        ("LIFETIMES__REFRESH_IDLE", "2h"),
        ("LIFETIMES__REFRESH_TOTAL", "2h"),
        ("LIFETIMES__REPLAY_GRACE", "2m"),
        ("LIFETIMES__SERVER_CERTIFICATE", "2h"),
        ("LIFETIMES__SESSION_IDLE", "2h"),
        ("LIFETIMES__SESSION_TOTAL", "2h"),
        ("LIFETIMES__SETUP_TOKEN", "2h"),
        ("LIFETIMES__UNUSED_CLIENT", "2h"),
        ("LISTEN", "127.0.0.1:1"),
        ("LOG", "debug"),
        ("LOOK__ACCENT", "#8a1c4a"),
        ("LOOK__LOGO", "/logo.svg"),
        ("LOOK__NAME", "House of Ada"),
        ("OFFLINE", "true"),
        ("POLICY__ANONYMOUS_SESSIONS", "99"),
        ("POLICY__EMAIL_VERIFIED", "true"),
        ("POLICY__INTERACTIONS", "99"),
        ("POLICY__ISS_PARAMETER", "false"),
        ("POLICY__LOOPBACK_RESOURCES", "false"),
        ("POLICY__PKCE", "nonce"),
        ("POLICY__PRIVATE_USE_SCHEMES", "myapp"),
        ("POLICY__SESSION_KEY", "true"),
        ("POLICY__SIGN_UP", "open"),
        ("REGISTRATION__PER_MINUTE", "99"),
        ("REGISTRATION__POLICY", "off"),
        ("REGISTRATION__SOFTWARE_STATEMENT_KEYS", "/keys.json"),
        ("REGISTRATION__TOKEN", "0123456789abcdefghij"),
        ("REGISTRATION__UNUSED", "99"),
        ("ROLES__OPS__SCOPES", "openid"),
        ("ROOT_SECRET", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        ("SANDBOX", "false"),
        ("SCOPES__ORDERS__DESCRIPTION", "See your orders"),
        ("SCOPES__EMAIL__OPEN", "false"),
        ("TOKEN_STORE", "file"),
    ];

    /// Whoever adds a key says whether a reload takes it, and this test whether that is so.
    #[test]
    fn a_reload_takes_every_key_that_is_not_fixed() {
        let old = config(&[]);
        let mut tried = vec!["data", "tls.certificate", "tls.key", "tls.mode", "tls.mtls_listen"];
        for other in OTHERS {
            let path: Vec<_> =
                other.0.to_ascii_lowercase().split("__").map(str::to_owned).collect();
            let key = keys::find(&path).unwrap();
            tried.push(key.path);
            let mut all = vec![*other];
            // Neither is sound alone.
            all.extend((other.0 == "ISSUER").then_some(("LIFETIMES__ID_TOKEN", "15m")));
            if other.0 == "EVENTS__WEBHOOK" {
                let needed = |other: &&(&str, _)| other.0.starts_with("EVENTS__WEBHOOK_");
                all.extend(OTHERS.iter().filter(needed));
            }
            let new = config(&all);

            let (taken, waiting) = old.reloaded(&new);

            let changed = taken.changes(&old);
            let named = keys::dotted(&path);
            assert_eq!(changed.contains(&named), !key.is_fixed, "{named}: {changed:?}");
            assert_eq!(waiting.contains(&named), key.is_fixed, "{named}: {waiting:?}");
            let source = |config: &Config| {
                let all = config.in_force();
                all.into_iter().find(|own| own.key == named).map(|own| own.source)
            };
            let variable = (!key.is_fixed).then(|| format!("GATELODGE_{}", other.0));
            let expected = variable.clone().unwrap_or_else(|| "default".to_owned());
            assert_eq!(source(&taken).unwrap(), expected);
        }
        let untried: Vec<_> =
            KEYS.iter().map(|key| key.path).filter(|key| !tried.contains(key)).collect();
        assert_eq!(untried, [""; 0]);
    }
}
