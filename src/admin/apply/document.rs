//! Reads a document into what is applied. Each error has the place of what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::config;
use crate::error::{Error, Refusal};
use crate::flow::apply::{
    ClientEntry, Manifest, Noun, ResourceEntry, RoleEntry, ScopeEntry, UserEntry,
};
use crate::flow::client::operator;
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::dotted::dotted;
use crate::model::near::nearest;
use crate::model::person::Username;
use crate::oauth::client::ClientSecret;
use crate::oauth::group::Group;
use crate::oauth::id::ClientId;
use crate::oauth::resource::Resource;
use crate::oauth::scope::ScopeToken;

/// The most names that stand beside the refusal of an unknown one.
const MAX_KNOWN: usize = 3;

/// The secrets of clients.
type Secrets = BTreeMap<ClientId, ClientSecret>;

/// The members of an object of the document.
pub(crate) fn members_of(noun: Noun) -> Vec<&'static str> {
    match noun {
        Noun::Client => {
            let own = ["client_secret", "enabled", "scopes"];
            operator::members().filter(|member| *member != "scope").chain(own).collect()
        }
        Noun::Group => vec!["members"],
        Noun::Resource => {
            vec!["accepts_bridge", "client", "introspect", "name", "open", "scopes", "typ"]
        }
        Noun::Role => vec!["scopes"],
        Noun::Scope => vec!["description", "open"],
        Noun::User => {
            vec!["claims", "disabled", "display_name", "email", "email_verified", "groups", "roles"]
        }
    }
}

/// Reads the whole document.
///
/// # Errors
///
/// The first fault, with its place.
pub(super) fn read(document: &Map<String, Value>) -> Result<(Manifest, Secrets), Error> {
    let (mut manifest, mut secrets) = (Manifest::default(), Secrets::new());
    for (section, objects) in document {
        let noun = Noun::ALL.into_iter().find(|noun| noun.section() == section);
        let known = || Noun::ALL.iter().map(|noun| noun.section().to_owned());
        let noun = noun.ok_or_else(|| unknown(section, known()).at(|| dotted(&[section])))?;
        let objects = objects.as_object().ok_or_else(|| {
            Error::from(malformed("an object of names is expected")).at(|| dotted(&[section]))
        })?;
        for (name, members) in objects {
            read_object(noun, name, members, &mut manifest, &mut secrets)?;
        }
    }
    check_distinct(Noun::User, manifest.users.keys(), |user| (user.as_str(), user.folded()))?;
    let resources = manifest.resources.iter().map(|(resource, _)| resource);
    check_distinct(Noun::Resource, resources, |own| (own.as_str(), own.canonical().to_owned()))?;
    Ok((manifest, secrets))
}

fn malformed(why: &'static str) -> Refusal {
    Refusal::MemberMalformed("the document", why)
}

/// The refusal of a name, with the nearest of those that there are.
fn unknown(written: &str, known: impl Iterator<Item = String>) -> Error {
    Error::with_known(Refusal::MemberUnknown, nearest(written, known, MAX_KNOWN))
}

/// Checks that no two names of a section mean the same.
fn check_distinct<'a, T: 'a, K: Ord>(
    noun: Noun,
    all: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> (&'a str, K),
) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for one in all {
        let (name, key) = key(one);
        if !seen.insert(key) {
            let refusal = malformed("another name of this section means the same");
            return Err(Error::from(refusal).at(|| noun.place(name)));
        }
    }
    Ok(())
}

fn read_object(
    noun: Noun,
    name: &str,
    members: &Value,
    manifest: &mut Manifest,
    secrets: &mut Secrets,
) -> Result<(), Error> {
    let place = || noun.place(name);
    let members = members
        .as_object()
        .ok_or_else(|| Error::from(malformed("an object of members is expected")).at(place))?;
    let known = members_of(noun);
    if let Some(member) = members.keys().find(|member| !known.contains(&member.as_str())) {
        let known = known.iter().map(|known| (*known).to_owned());
        return Err(unknown(member, known).at(|| noun.member(name, member)));
    }
    let object = Object { members, name, noun };
    match noun {
        Noun::Client => {
            let id = object.named::<ClientId>()?;
            if let Some(secret) = object.secret()? {
                secrets.insert(id.clone(), secret);
            }
            manifest.clients.insert(id, object.client()?);
        }
        Noun::Group => {
            let listed = object.list::<Username>("members")?;
            let missing = Refusal::MemberMalformed("members", "it is missing");
            let listed = listed.ok_or_else(|| Error::from(missing).at(place))?;
            manifest.groups.insert(object.named::<Group>()?, listed);
        }
        Noun::Resource => {
            let resource = object.named::<Resource>()?;
            manifest.resources.push((resource, object.resource()?));
        }
        Noun::Role => {
            let entry = RoleEntry { scopes: object.list("scopes")? };
            manifest.roles.insert(object.named()?, entry);
        }
        Noun::Scope => {
            let entry =
                ScopeEntry { description: object.description()?, open: object.flag("open")? };
            manifest.scopes.insert(object.named()?, entry);
        }
        Noun::User => {
            manifest.users.insert(object.named()?, object.user()?);
        }
    }
    Ok(())
}

/// An object of the document.
struct Object<'a> {
    members: &'a Map<String, Value>,
    name: &'a str,
    noun: Noun,
}

impl Object<'_> {
    /// The error of a member.
    fn refused(&self, member: &str, refusal: Refusal) -> Error {
        Error::from(refusal).at(|| self.noun.member(self.name, member))
    }

    /// Its name.
    fn named<T: FromStr<Err = Refusal>>(&self) -> Result<T, Error> {
        self.name
            .parse()
            .map_err(|refusal: Refusal| Error::from(refusal).at(|| self.noun.place(self.name)))
    }

    /// The text of a member; null is none.
    fn text(&self, member: &'static str) -> Result<Option<&str>, Error> {
        match self.members.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => {
                let why = Refusal::MemberMalformed(member, "a string is expected");
                Err(self.refused(member, why))
            }
        }
    }

    /// What the text of a member means.
    fn parsed<T: FromStr<Err = Refusal>>(&self, member: &'static str) -> Result<Option<T>, Error> {
        let text = self.text(member)?;
        text.map(str::parse).transpose().map_err(|refusal| self.refused(member, refusal))
    }

    fn flag(&self, member: &'static str) -> Result<Option<bool>, Error> {
        match self.members.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => {
                let why = Refusal::MemberMalformed(member, "true or false is expected");
                Err(self.refused(member, why))
            }
        }
    }

    fn list<T: FromStr<Err = Refusal>>(
        &self,
        member: &'static str,
    ) -> Result<Option<Vec<T>>, Error> {
        let items = match self.members.get(member) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(_) => {
                let why = Refusal::MemberMalformed(member, "a list is expected");
                return Err(self.refused(member, why));
            }
        };
        let string = Refusal::MemberMalformed(member, "a list of strings is expected");
        let item = |(position, item): (usize, &Value)| {
            let parsed = item.as_str().ok_or(string).and_then(str::parse);
            parsed.map_err(|refusal| {
                Error::from(refusal).at(|| self.noun.item(self.name, member, position))
            })
        };
        items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Some)
    }

    /// The chosen secret of a client.
    fn secret(&self) -> Result<Option<ClientSecret>, Error> {
        let Some(text) = self.text("client_secret")? else { return Ok(None) };
        let secret = text.parse().map_err(|_| Refusal::ClientSecretUnfit);
        secret.map(Some).map_err(|refusal| self.refused("client_secret", refusal))
    }

    fn client(&self) -> Result<ClientEntry, Error> {
        let mut members = self.members.clone();
        for apart in ["client_secret", "enabled", "scopes"] {
            members.remove(apart);
        }
        // As on the command line, an empty text takes a setting back.
        for value in members.values_mut().filter(|value| value.as_str() == Some("")) {
            *value = Value::Null;
        }
        Ok(ClientEntry {
            enabled: self.flag("enabled")?,
            members,
            scopes: self.list::<ScopeToken>("scopes")?,
            secret: None,
        })
    }

    fn resource(&self) -> Result<ResourceEntry, Error> {
        Ok(ResourceEntry {
            accepts_bridge: self.flag("accepts_bridge")?,
            client: self.parsed("client")?,
            introspect: self.flag("introspect")?.unwrap_or_default(),
            name: self.parsed("name")?,
            open: self.flag("open")?,
            scopes: self.list("scopes")?,
            typ: self.parsed("typ")?,
        })
    }

    fn description(&self) -> Result<Option<String>, Error> {
        let Some(text) = self.text("description")? else { return Ok(None) };
        let description = config::ScopeEntry::checked_description(text).ok_or_else(|| {
            let why = "1 to 200 characters without control characters are expected";
            self.refused("description", Refusal::MemberMalformed("description", why))
        });
        description.map(Some)
    }

    fn user(&self) -> Result<UserEntry, Error> {
        let is_empty = |member: &str| {
            self.members.get(member).is_some_and(|value| value.is_null() || value == "")
        };
        let email = if is_empty("email") { Some(None) } else { self.parsed("email")?.map(Some) };
        let email_verified = if is_empty("email_verified") {
            Some(None)
        } else {
            self.flag("email_verified")?.map(Some)
        };
        Ok(UserEntry {
            claims: self.claims()?,
            disabled: self.flag("disabled")?,
            display_name: self.parsed("display_name")?,
            email,
            email_verified,
            groups: self.list("groups")?,
            roles: self.list("roles")?,
        })
    }

    fn claims(&self) -> Result<Option<BTreeMap<ClaimName, ClaimValue>>, Error> {
        let claims = match self.members.get("claims") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(claims)) => claims,
            Some(_) => {
                let why = Refusal::MemberMalformed("claims", "an object of strings is expected");
                return Err(self.refused("claims", why));
            }
        };
        let claim = |(name, value): (&String, &Value)| {
            let string = Refusal::MemberMalformed("claims", "a string is expected");
            let read = || -> Result<_, Refusal> {
                Ok((name.parse::<ClaimName>()?, value.as_str().ok_or(string)?.parse()?))
            };
            let place = || dotted(&[self.noun.section(), self.name, "claims", name]);
            read().map_err(|refusal| Error::from(refusal).at(place))
        };
        claims.iter().map(claim).collect::<Result<_, _>>().map(Some)
    }
}
