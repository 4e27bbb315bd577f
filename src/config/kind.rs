//! The kinds of values: how each is read, and the message about a wrong value.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};
use toml::Value;
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::event::KindPattern;
use crate::fetch;
use crate::model::bridge::{HostId, Mode};
use crate::model::near::nearest;
use crate::model::network::ProxyNetwork;
use crate::model::recipient::Recipient;
use crate::oauth::client::{DocumentPolicy, PkcePolicy, RegistrationPolicy};
use crate::oauth::issuer::Issuer;
use crate::oauth::scope::{Scope, ScopeToken};
use crate::secret::RootSecrets;

use super::draft::Draft;
use super::fault::Source;
use super::{ScopeEntry, SignUpPolicy, TlsMode, TokenStore, duration};

/// The kind of a key's value, with its place in the draft.
pub(super) enum Kind {
    AppRoles,
    BridgeHosts(fn(&mut Draft) -> &mut Vec<HostId>),
    BridgeModes(fn(&mut Draft) -> &mut Vec<Mode>),
    Destinations(fn(&mut Draft) -> &mut Vec<String>),
    Directory(fn(&mut Draft) -> &mut Option<PathBuf>),
    Documents(fn(&mut Draft) -> &mut DocumentPolicy),
    EventKinds(fn(&mut Draft) -> &mut Vec<KindPattern>),
    Hosts(fn(&mut Draft) -> &mut Vec<String>),
    Issuer(fn(&mut Draft) -> &mut Option<Issuer>),
    Listeners(fn(&mut Draft) -> &mut Vec<SocketAddr>),
    Number { of: fn(&mut Draft) -> &mut usize, from: usize, to: usize },
    OptionalSwitch(fn(&mut Draft) -> &mut Option<bool>),
    OptionalText(fn(&mut Draft) -> &mut Option<String>),
    Pkce(fn(&mut Draft) -> &mut PkcePolicy),
    Proxies(fn(&mut Draft) -> &mut Vec<ProxyNetwork>),
    Recipients(fn(&mut Draft) -> &mut Vec<Recipient>),
    Registration(fn(&mut Draft) -> &mut Option<RegistrationPolicy>),
    RoleScopes,
    Schemes(fn(&mut Draft) -> &mut Vec<String>),
    ScopeOpen,
    ScopeDescription,
    Secret(fn(&mut Draft) -> &mut Option<RootSecrets>),
    SecretText(fn(&mut Draft) -> &mut Option<Zeroizing<String>>),
    SignUp(fn(&mut Draft) -> &mut SignUpPolicy),
    Span { of: fn(&mut Draft) -> &mut Duration, from: u64, to: u64 },
    Switch(fn(&mut Draft) -> &mut bool),
    Text(fn(&mut Draft) -> &mut String),
    Tls(fn(&mut Draft) -> &mut TlsMode),
    TokenStore(fn(&mut Draft) -> &mut TokenStore),
}

impl Kind {
    /// Reads the text of an environment variable. Items of a list are separated by commas.
    pub(super) fn of_text(&self, text: &str) -> Value {
        match self {
            Self::AppRoles
            | Self::BridgeHosts(_)
            | Self::BridgeModes(_)
            | Self::Destinations(_)
            | Self::EventKinds(_)
            | Self::Hosts(_)
            | Self::Listeners(_)
            | Self::Proxies(_)
            | Self::Recipients(_)
            | Self::RoleScopes
            | Self::Schemes(_) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(Value::from).collect())
            }
            Self::Number { .. } => text.parse::<i64>().map_or(Value::from(text), Value::from),
            Self::OptionalSwitch(_) | Self::ScopeOpen | Self::Switch(_) => {
                text.parse::<bool>().map_or(Value::from(text), Value::from)
            }
            Self::Directory(_)
            | Self::Documents(_)
            | Self::Issuer(_)
            | Self::OptionalText(_)
            | Self::Pkce(_)
            | Self::Registration(_)
            | Self::ScopeDescription
            | Self::Secret(_)
            | Self::SecretText(_)
            | Self::SignUp(_)
            | Self::Span { .. }
            | Self::Text(_)
            | Self::Tls(_)
            | Self::TokenStore(_) => Value::from(text),
        }
    }

    /// Reads `value` into `draft`. The error is a sentence about what is allowed.
    ///
    /// `name` is the name that the operator chose, if the key has one.
    pub(super) fn read(
        &self,
        draft: &mut Draft,
        name: &str,
        value: &Value,
        source: &Source,
    ) -> Result<(), String> {
        match self {
            Self::AppRoles => {
                let app = name.parse().map_err(|_| {
                    "an application's name is its host, such as app.example or \
                     wiki.localhost:8080; localhost and IP addresses have no cookies of its own"
                        .to_owned()
                })?;
                let roles = list(value, "a role", |s| s.parse().ok())?;
                draft.config.apps.insert(app, roles);
            }
            Self::BridgeHosts(of) => {
                let allowed = "a host of agents, such as claude-code";
                *of(draft) = list(value, allowed, |s| s.parse().ok())?;
            }
            Self::BridgeModes(of) => {
                let allowed = "\"pat\", \"session\", \"session-pat\", \"mtls\" or \"oauth-client\"";
                *of(draft) = list(value, allowed, Mode::named)?;
            }
            Self::Destinations(of) => {
                let read = |s: &str| fetch::is_destination(s).then(|| s.to_owned());
                let allowed = "a host and a port, such as apps.lan:443 or [::1]:8443";
                *of(draft) = list(value, allowed, read)?;
            }
            Self::Directory(of) => {
                let written = value.as_str().filter(|path| !path.is_empty());
                let path = written.and_then(|path| draft.resolve(Path::new(path), source));
                *of(draft) = Some(path.ok_or("a path is allowed, and ~ where HOME is set")?);
            }
            Self::Documents(of) => {
                let policy = value.as_str().and_then(|word| word.parse().ok());
                *of(draft) = policy.ok_or("\"any\", \"listed\" or \"off\" is allowed")?;
            }
            Self::EventKinds(of) => {
                let read = |s: &str| s.parse().ok();
                *of(draft) = list(value, "a kind of event", read).map_err(|e| kinds(value, e))?;
            }
            Self::Hosts(of) => {
                *of(draft) = list(value, "a host name, such as id.lan or id.lan:8443", host)?;
            }
            Self::Issuer(of) => {
                let issuer = value.as_str().ok_or(Refusal::IssuerUnfit).and_then(str::parse);
                *of(draft) = Some(issuer.map_err(|refusal| {
                    if refusal == Refusal::IssuerAtAddress {
                        "a host name is allowed: an IP address cannot be the RP ID of a passkey"
                    } else {
                        "an https URL, or an http URL of localhost, without path or trailing slash \
                         is allowed, such as http://localhost:7455"
                    }
                })?);
            }
            Self::Listeners(of) => {
                let allowed = "an IP address and a port, such as 127.0.0.1:7455 or [::1]:7455";
                *of(draft) = list(value, allowed, |s| s.parse().ok())?;
            }
            Self::Number { of, from, to } => {
                let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
                let number = number.filter(|number| (from..=to).contains(&number));
                *of(draft) = number
                    .ok_or_else(|| format!("a whole number from {from} to {to} is allowed"))?;
            }
            Self::OptionalText(of) => {
                let fits =
                    |text: &&str| !text.trim().is_empty() && !text.chars().any(char::is_control);
                let text = value.as_str().filter(fits).ok_or("a text on one line is allowed")?;
                *of(draft) = Some(text.to_owned());
            }
            Self::Pkce(of) => {
                *of(draft) = match value.as_str().and_then(|word| word.parse().ok()) {
                    Some(policy @ (PkcePolicy::Nonce | PkcePolicy::Required)) => policy,
                    Some(PkcePolicy::Optional) => return Err(ONE_CLIENT_AT_A_TIME.to_owned()),
                    None => return Err("\"required\" or \"nonce\" is allowed".to_owned()),
                };
            }
            Self::Proxies(of) => {
                let allowed = "an IP address or a network, such as 127.0.0.1 or 172.18.0.0/16";
                *of(draft) = list(value, allowed, |s| s.parse().ok())?;
            }
            Self::Recipients(of) => {
                let allowed = "a recipient of age, such as age1…, which age-keygen prints";
                *of(draft) = list(value, allowed, |s| s.parse().ok())?;
            }
            Self::Registration(of) => {
                let policy = value.as_str().and_then(|word| word.parse().ok());
                *of(draft) = Some(policy.ok_or("\"off\", \"open\" or \"token\" is allowed")?);
            }
            Self::SignUp(of) => {
                let named = |policy: &&SignUpPolicy| value.as_str() == Some(policy.as_str());
                let policy = SignUpPolicy::ALL.iter().find(named);
                *of(draft) = *policy.ok_or("\"closed\" or \"open\" is allowed")?;
            }
            Self::RoleScopes => {
                let role = name.parse().map_err(|_| {
                    "a role's name is 1 to 64 letters, digits and . _ - long".to_owned()
                })?;
                let tokens = list(value, "a scope", |s| s.parse::<ScopeToken>().ok())?;
                draft.roles.insert(role, (tokens.into_iter().collect::<Scope>(), source.clone()));
            }
            Self::Schemes(of) => {
                *of(draft) = list(value, "a URI scheme in lower case, such as myapp", scheme)?;
            }
            Self::ScopeOpen => {
                let open = value.as_bool().ok_or(SWITCH)?;
                let reserved = name.parse::<ScopeToken>().is_ok_and(|token| token.is_reserved());
                if open && reserved {
                    let why = "admin, admin: and hook: scopes are never open to everyone";
                    return Err(why.to_owned());
                }
                draft.scope_entry(name)?.open = open;
            }
            Self::ScopeDescription => {
                let description = value.as_str().and_then(ScopeEntry::checked_description);
                let description = description.ok_or("1 to 200 characters are allowed")?;
                draft.scope_entry(name)?.description = description;
            }
            Self::Secret(of) => {
                let written = value.as_str().ok_or("a text is allowed")?;
                *of(draft) = Some(written.parse()?);
            }
            Self::SecretText(of) => {
                let fits =
                    |text: &&str| text.len() >= 16 && text.bytes().all(|b| b.is_ascii_graphic());
                let text = value.as_str().filter(fits);
                let text = text.ok_or("16 or more printable ASCII characters are allowed")?;
                *of(draft) = Some(Zeroizing::new(text.to_owned()));
            }
            Self::Span { of, from, to } => {
                let seconds =
                    duration::read(value).filter(|seconds| (from..=to).contains(&seconds));
                let seconds = seconds.ok_or_else(|| {
                    let (from, to) = (duration::show(*from), duration::show(*to));
                    format!(
                        "{from} to {to} is allowed, in seconds (900) or with a unit (\"45s\", \
                         \"15m\", \"12h\", \"30d\")"
                    )
                })?;
                *of(draft) = Duration::from_secs(seconds);
            }
            Self::OptionalSwitch(of) => *of(draft) = Some(value.as_bool().ok_or(SWITCH)?),
            Self::Switch(of) => *of(draft) = value.as_bool().ok_or(SWITCH)?,
            Self::Text(of) => {
                let text = value.as_str().filter(|text| !text.trim().is_empty());
                *of(draft) = text.ok_or("a text is allowed")?.to_owned();
            }
            Self::Tls(of) => {
                *of(draft) = match value.as_str() {
                    Some("files") => TlsMode::Files,
                    Some("local") => TlsMode::Local,
                    Some("off") => TlsMode::Off,
                    Some(_) | None => {
                        return Err("\"files\", \"local\" or \"off\" is allowed".to_owned());
                    }
                };
            }
            Self::TokenStore(of) => *of(draft) = value.as_str().unwrap_or_default().parse()?,
        }
        Ok(())
    }

    /// The value in `draft`, as the file would have it; `None` if there is none.
    pub(super) fn value(&self, draft: &mut Draft, name: &str) -> Option<Value> {
        let texts = |items: &mut dyn Iterator<Item = String>| {
            Value::Array(items.map(Value::from).collect())
        };
        Some(match self {
            Self::AppRoles => texts(
                &mut draft.config.apps.get(&name.parse().ok()?)?.iter().map(ToString::to_string),
            ),
            Self::BridgeHosts(of) => texts(&mut of(draft).iter().map(ToString::to_string)),
            Self::BridgeModes(of) => {
                texts(&mut of(draft).iter().map(|mode| mode.as_str().to_owned()))
            }
            Self::Destinations(of) | Self::Hosts(of) | Self::Schemes(of) => {
                texts(&mut of(draft).iter().cloned())
            }
            Self::Directory(of) => of(draft).as_ref()?.display().to_string().into(),
            Self::EventKinds(of) => texts(&mut of(draft).iter().map(ToString::to_string)),
            Self::Documents(of) => of(draft).as_str().into(),
            Self::Issuer(of) => of(draft).as_ref()?.to_string().into(),
            Self::Listeners(of) => texts(&mut of(draft).iter().map(ToString::to_string)),
            Self::Number { of, .. } => i64::try_from(*of(draft)).ok()?.into(),
            Self::OptionalSwitch(of) => (*of(draft))?.into(),
            Self::OptionalText(of) => of(draft).clone()?.into(),
            Self::Pkce(of) => of(draft).as_str().into(),
            Self::Proxies(of) => texts(&mut of(draft).iter().map(ToString::to_string)),
            Self::Recipients(of) => texts(&mut of(draft).iter().map(ToString::to_string)),
            Self::Registration(of) => of(draft).as_ref()?.as_str().into(),
            Self::SignUp(of) => of(draft).as_str().into(),
            Self::RoleScopes => {
                let scope = draft.config.roles.get(&name.parse().ok()?)?;
                texts(&mut scope.iter().map(|token| token.as_str().to_owned()))
            }
            Self::ScopeOpen => draft.config.scopes.get(&name.parse().ok()?)?.open.into(),
            Self::ScopeDescription => {
                draft.config.scopes.get(&name.parse().ok()?)?.description.clone().into()
            }
            Self::Secret(of) => of(draft).as_ref().map(|_| Value::from(SECRET))?,
            Self::SecretText(of) => of(draft).as_ref().map(|_| Value::from(SECRET))?,
            Self::Span { of, .. } => duration::show(of(draft).as_secs()).into(),
            Self::Switch(of) => (*of(draft)).into(),
            Self::Text(of) => of(draft).clone().into(),
            Self::Tls(of) => of(draft).as_str().into(),
            Self::TokenStore(of) => of(draft).as_str().into(),
        })
    }

    /// The JSON Schema of the value in the file.
    pub(super) fn schema(&self) -> Json {
        match self {
            Self::AppRoles
            | Self::BridgeHosts(_)
            | Self::Destinations(_)
            | Self::EventKinds(_)
            | Self::Hosts(_)
            | Self::Listeners(_)
            | Self::Proxies(_)
            | Self::Recipients(_)
            | Self::RoleScopes
            | Self::Schemes(_) => json!({ "type": "array", "items": { "type": "string" } }),
            Self::BridgeModes(_) => {
                let modes: Vec<_> = Mode::ALL.iter().map(|mode| mode.as_str()).collect();
                json!({ "type": "array", "items": { "enum": modes } })
            }
            Self::Documents(_) => one_of(DocumentPolicy::ALL.iter().map(|own| own.as_str())),
            Self::Issuer(_) => json!({ "type": "string", "format": "uri" }),
            Self::Number { from, to, .. } => {
                json!({ "type": "integer", "minimum": from, "maximum": to })
            }
            Self::OptionalSwitch(_) | Self::ScopeOpen | Self::Switch(_) => {
                json!({ "type": "boolean" })
            }
            Self::Pkce(_) => {
                one_of([PkcePolicy::Required, PkcePolicy::Nonce].map(PkcePolicy::as_str))
            }
            Self::SignUp(_) => one_of(SignUpPolicy::ALL.iter().map(|own| own.as_str())),
            Self::Registration(_) => one_of(RegistrationPolicy::ALL.iter().map(|own| own.as_str())),
            Self::Span { from, to, .. } => {
                let (lowest, highest) = (duration::show(*from), duration::show(*to));
                json!({
                    "anyOf": [
                        { "type": "integer", "minimum": from, "maximum": to },
                        { "type": "string", "pattern": "^[0-9]+[smhd]?$" },
                    ],
                    "title": format!("{lowest} to {highest}"),
                })
            }
            Self::Tls(_) => one_of(TlsMode::ALL.iter().map(|own| own.as_str())),
            Self::TokenStore(_) => one_of(TokenStore::ALL.iter().map(|own| own.as_str())),
            Self::Directory(_)
            | Self::OptionalText(_)
            | Self::ScopeDescription
            | Self::Secret(_)
            | Self::SecretText(_)
            | Self::Text(_) => json!({ "type": "string", "minLength": 1 }),
        }
    }

    /// Whether the value is a secret, which has a file of its own.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_) | Self::SecretText(_))
    }

    /// Prints `value` for a message, without a secret.
    pub(super) fn show(&self, value: &Value) -> String {
        match self {
            Self::Secret(_) | Self::SecretText(_) => SECRET.to_owned(),
            // Somebody took the one half of a pair for the other.
            Self::Recipients(_) if value.to_string().contains("SECRET-KEY") => SECRET.to_owned(),
            Self::AppRoles
            | Self::BridgeHosts(_)
            | Self::BridgeModes(_)
            | Self::Destinations(_)
            | Self::Directory(_)
            | Self::Documents(_)
            | Self::EventKinds(_)
            | Self::Hosts(_)
            | Self::Issuer(_)
            | Self::Listeners(_)
            | Self::Number { .. }
            | Self::OptionalSwitch(_)
            | Self::OptionalText(_)
            | Self::Pkce(_)
            | Self::Proxies(_)
            | Self::Recipients(_)
            | Self::Registration(_)
            | Self::RoleScopes
            | Self::Schemes(_)
            | Self::ScopeOpen
            | Self::ScopeDescription
            | Self::SignUp(_)
            | Self::Span { .. }
            | Self::Switch(_)
            | Self::Text(_)
            | Self::Tls(_)
            | Self::TokenStore(_) => show(value),
        }
    }
}

const ONE_CLIENT_AT_A_TIME: &str = "\"required\" or \"nonce\" is allowed; \"optional\" is for one \
     client at a time (gatelodge client set CLIENT --pkce optional)";

/// What stands for the value of a secret.
const SECRET: &str = "(secret)";

const SWITCH: &str = "true or false is allowed";

/// Prints `value` on one line, cut after 80 characters.
pub(super) fn show(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => format!("{text:?}"),
        Value::Table(_) => "a table".to_owned(),
        Value::Array(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Float(_)
        | Value::Integer(_) => value.to_string().replace('\n', " "),
    };
    match whole.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", whole.get(..end).unwrap_or_default()),
        None => whole,
    }
}

/// The schema of one of these texts.
fn one_of(texts: impl IntoIterator<Item = &'static str>) -> Json {
    json!({ "enum": texts.into_iter().collect::<Vec<_>>() })
}

/// Reads a list. `item` reads one item.
fn list<T>(
    value: &Value,
    allowed: &str,
    item: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let items = value.as_array().and_then(|items| {
        items.iter().map(|written| item(written.as_str()?)).collect::<Option<Vec<T>>>()
    });
    items.ok_or_else(|| format!("a list is allowed, each item {allowed}"))
}

/// The message about kinds of events that cannot be read: the kinds nearest to the first wrong one.
fn kinds(value: &Value, allowed: String) -> String {
    let texts = value.as_array().into_iter().flatten().map(Value::as_str);
    let wrong = texts.flatten().find(|text| text.parse::<KindPattern>().is_err());
    let Some(wrong) = wrong else { return allowed };
    let near = nearest(wrong, KindPattern::known(), 3).join(", ");
    format!("no kind is {wrong:?}, and the nearest are {near}; * is all but request.refused")
}

/// Reads a name of the `Host` header (RFC 9110 §7.2), with an optional port, into lower case.
fn host(written: &str) -> Option<String> {
    let name = match written.rsplit_once(':') {
        Some((name, port)) => {
            port.parse::<u16>().ok()?;
            name
        }
        None => written,
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let fit = (1..=253).contains(&name.len()) && name.bytes().all(fits);
    fit.then(|| written.to_ascii_lowercase())
}

/// Reads a URI scheme (RFC 3986 §3.1). Only the canonical lower case is accepted.
fn scheme(written: &str) -> Option<String> {
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b);
    let fit = written.starts_with(|c: char| c.is_ascii_lowercase()) && written.bytes().all(rest);
    fit.then(|| written.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_with_or_without_a_port() {
        assert_eq!(host("ID.lan"), Some("id.lan".to_owned()));
        assert_eq!(host("id.lan:8443"), Some("id.lan:8443".to_owned()));
        for wrong in ["", "https://id.lan", "id.lan/", "id lan", "id.lan:", "id.lan:99999"] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_long_value_is_cut_in_a_message() {
        assert_eq!(show(&Value::from("é".repeat(200))).chars().count(), 81);
        assert_eq!(show(&Value::from("a\nb")), "\"a\\nb\"");
    }
}
