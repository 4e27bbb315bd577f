//! What was changed: each object as it was before the first change, compared with what it is at the
//! end.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Noun;
use crate::error::{Error, Internal};
use crate::flow::person::people;
use crate::flow::person::setup_link::IssuedSetupLink;
use crate::model::email::Vouched;
use crate::model::person::Username;
use crate::oauth::id::ClientId;
use crate::oauth::resource::Resource;
use crate::store::schema::{AppliedRole, AppliedScope, Client, Person, Protected};
use crate::store::{Tx, View};

/// The member of a description that stands for a secret.
const SECRET: &str = "secret";

/// An object that changed.
pub struct Changed {
    /// What became of it.
    pub kind: Kind,
    /// The setup link of a new person.
    pub link: Option<IssuedSetupLink>,
    /// The members that changed, of one that there was and is.
    pub members: Vec<MemberChange>,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub noun: Noun,
    /// The client that got a secret that nobody has seen.
    pub unseen_secret: Option<ClientId>,
}

impl Changed {
    /// What it is and what became of it, such as `+clients.shop`.
    pub(super) fn place(&self) -> String {
        let sign = match self.kind {
            Kind::Added => '+',
            Kind::Changed => '~',
            Kind::Removed => '-',
        };
        format!("{sign}{}", self.noun.place(&self.name))
    }
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Added,
    /// It changed.
    Changed,
    /// It is gone.
    Removed,
}

/// A member that changed.
pub struct MemberChange {
    /// Its value after the change; null if it has none or is a secret.
    pub after: Value,
    /// Its value before the change; null if it had none or is a secret.
    pub before: Value,
    /// Its name.
    pub member: String,
}

/// The members of an object; `None` if there is none.
type Description = Option<Map<String, Value>>;

/// What was changed so far.
#[derive(Default)]
pub(super) struct Ledger {
    /// The objects as they were, by what finds them, each with its name.
    before: BTreeMap<(Noun, String), (String, Description)>,
    links: BTreeMap<String, IssuedSetupLink>,
    unseen: BTreeMap<(Noun, String), ClientId>,
}

impl Ledger {
    /// Remembers an object before it is changed.
    pub(super) fn touch(&mut self, tx: &Tx<'_>, noun: Noun, name: &str) -> Result<(), Error> {
        let key = key(noun, name);
        if let Entry::Vacant(entry) = self.before.entry(key) {
            let before = described(tx, noun, &entry.key().1)?;
            entry.insert((name.to_owned(), before));
        }
        Ok(())
    }

    /// Remembers the setup link of a new person.
    pub(super) fn invite(&mut self, username: &Username, link: IssuedSetupLink) {
        self.links.insert(username.folded().to_string(), link);
    }

    /// Remembers that a secret was made for `client`, as which the object introspects or which it is.
    pub(super) fn made_secret(&mut self, noun: Noun, name: &str, client: ClientId) {
        self.unseen.insert(key(noun, name), client);
    }

    /// What has changed in the end, in the order of the nouns and names.
    pub(super) fn finish(mut self, view: &impl View) -> Result<Vec<Changed>, Error> {
        let mut changes = Vec::new();
        for (key, (name, before)) in std::mem::take(&mut self.before) {
            let after = described(view, key.0, &key.1)?;
            let members = differences(before.as_ref(), after.as_ref());
            let kind = match (&before, &after) {
                (None, Some(_)) => Kind::Added,
                (Some(_), None) => Kind::Removed,
                (Some(_), Some(_)) if !members.is_empty() => Kind::Changed,
                (None, None) | (Some(_), Some(_)) => continue,
            };
            let link = if key.0 == Noun::User { self.links.remove(&key.1) } else { None };
            let unseen_secret = self.unseen.remove(&key);
            let members = if kind == Kind::Changed { members } else { Vec::new() };
            changes.push(Changed { kind, link, members, name, noun: key.0, unseen_secret });
        }
        Ok(changes)
    }
}

/// What finds an object: usernames that differ only in case are one, and so are spellings of a URI.
fn key(noun: Noun, name: &str) -> (Noun, String) {
    let other = match noun {
        Noun::Client | Noun::Group | Noun::Role | Noun::Scope => None,
        Noun::Resource => {
            name.parse::<Resource>().ok().map(|resource| resource.canonical().to_owned())
        }
        Noun::User => name.parse::<Username>().ok().map(|username| username.folded().to_string()),
    };
    (noun, other.unwrap_or_else(|| name.to_owned()))
}

fn differences(
    before: Option<&Map<String, Value>>,
    after: Option<&Map<String, Value>>,
) -> Vec<MemberChange> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let value =
        |object: &Map<String, Value>, member: &str| object.get(member).cloned().unwrap_or_default();
    let members: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = members.into_iter().filter_map(|member| {
        let (before, after) = (value(before, member), value(after, member));
        let change = |before, after| MemberChange { after, before, member: member.clone() };
        match member.as_str() {
            _ if before == after => None,
            SECRET => Some(change(Value::Null, Value::Null)),
            _ => Some(change(before, after)),
        }
    });
    changed.collect()
}

fn described(view: &impl View, noun: Noun, name: &str) -> Result<Description, Error> {
    let object = |value: Value| value.as_object().cloned();
    Ok(match noun {
        Noun::Client => match name.parse::<ClientId>() {
            Ok(id) => {
                view.find::<Client>(&id)?.map(|client| client_members(&client)).transpose()?
            }
            Err(_) => None,
        },
        // It is the people who change.
        Noun::Group => None,
        Noun::Resource => view.find::<Protected>(&name.to_owned())?.and_then(|row| {
            object(json!({
                "accepts_bridge": row.accepts_bridge,
                "client": row.server,
                "name": row.name,
                "open": row.open,
                "scopes": row.scope.iter().collect::<Vec<_>>(),
                "typ": row.typ,
            }))
        }),
        Noun::Role => view
            .find::<AppliedRole>(&name.to_owned())?
            .and_then(|row| object(json!({ "scopes": row.scope.iter().collect::<Vec<_>>() }))),
        Noun::Scope => view
            .find::<AppliedScope>(&name.to_owned())?
            .and_then(|row| object(json!({ "description": row.description, "open": row.open }))),
        Noun::User => match name.parse::<Username>() {
            Ok(username) => {
                let person = people::named(view, &username)?;
                person.and_then(|(_, person)| object(person_members(&person)))
            }
            Err(_) => None,
        },
    })
}

fn client_members(client: &Client) -> Result<Map<String, Value>, Error> {
    let fault = |error: serde_json::Error| Internal::new(error);
    let mut members = Map::new();
    for part in [
        serde_json::to_value(&*client.metadata).map_err(fault)?,
        serde_json::to_value(&*client.decisions).map_err(fault)?,
        json!({
            "enabled": client.enabled,
            "name": client.metadata.client_name,
            "scopes": client.scope().iter().collect::<Vec<_>>(),
            // It is compared, and never leaves this file.
            SECRET: client.proof,
        }),
    ] {
        members.extend(part.as_object().cloned().unwrap_or_default());
    }
    for other_name in ["client_name", "scope"] {
        members.remove(other_name);
    }
    Ok(members)
}

fn person_members(person: &Person) -> Value {
    let vouched = person.email.as_ref().map(|email| match email.vouched {
        Vouched::ByPolicy => json!("by policy"),
        Vouched::Explicitly(verified) => json!(verified),
        Vouched::Nobody => json!("by nobody"),
    });
    json!({
        "claims": person.claims,
        "disabled": person.disabled,
        "display_name": person.display_name,
        "email": person.email.as_ref().map(|email| &email.address),
        "email_verified": vouched,
        "groups": person.groups,
        "roles": person.roles,
    })
}
