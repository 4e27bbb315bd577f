//! `/api/v1/users` and `/api/v1/recover`: people, and their setup links.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use serde::{Deserialize, Serialize};

use super::by::{By, People, ReadPeople};
use super::link::SetupLinkView;
use super::listing::{ByName, ListView, Noun, Query};
use super::request::{Body, Created, Named};
use super::{Failed, optional, parsed};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::lists::ListChange;
use crate::flow::named;
use crate::flow::person::people::{self, Change, NewPerson, Stored};
use crate::flow::person::recovery::{self, Recovering};
use crate::model::claim::{ClaimName, ClaimValue};
use crate::model::person::Role;
use crate::oauth::id::UserId;
use crate::store::schema::{CLIENTS_BY_GROUP, PASSKEYS_BY_USER, PEOPLE_BY_NAME, Person};
use crate::store::{Beginning, StoreError, View};

/// The most passkeys that are counted for one person.
const MAX_PASSKEYS: usize = 100;

/// The most clients of one group that are named.
const MAX_CLIENTS: usize = 100;

/// The form of a group, of a role and of a username, for the description of the API.
#[cfg(test)]
pub(super) const GROUP: &str = r"^[!-+\-.-~]{1,128}$";
#[cfg(test)]
pub(super) const ROLE: &str = "^[A-Za-z0-9._-]{1,64}$";
#[cfg(test)]
const USERNAME: &str = "^[A-Za-z0-9._@+-]{1,64}$";

/// A person.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct UserView {
    /// The claims that an operator gave them.
    pub(crate) claims: BTreeMap<String, String>,
    /// The time of the account's creation.
    pub(crate) created: String,
    /// The clients that are for people of a group of theirs, at most 100 for each group.
    pub(crate) clients: Vec<String>,
    /// Whether the person is disabled.
    pub(crate) disabled: bool,
    /// The name that other people see.
    pub(crate) display_name: String,
    /// The e-mail address.
    pub(crate) email: Option<String>,
    /// Whether an operator vouches for it; null: there is none.
    pub(crate) email_verified: Option<bool>,
    /// The groups.
    pub(crate) groups: Vec<String>,
    /// The subject of the person's tokens.
    pub(crate) id: String,
    /// The number of passkeys, counted up to 100.
    pub(crate) passkeys: usize,
    /// The roles.
    pub(crate) roles: Vec<String>,
    /// The name of the account.
    pub(crate) username: String,
}

impl Noun for UserView {
    const PLURAL: &'static str = "users";
}

/// A person who was changed.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ChangedUserView {
    /// Who had typed the e-mail address, which nobody vouched for, and has none now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_taken_from: Option<String>,
    /// The person.
    #[serde(flatten)]
    pub(crate) user: UserView,
}

/// A new person, and the setup link with which they create their passkey.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewUserView {
    /// The link.
    #[serde(flatten)]
    pub(crate) link: SetupLinkView,
    /// The person.
    #[serde(flatten)]
    pub(crate) user: ChangedUserView,
}

/// A new setup link, and what ended with its making.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RecoveryView {
    /// The number of passkeys that ended.
    pub(crate) ended_passkeys: usize,
    /// The number of browser sessions that ended.
    pub(crate) ended_sessions: usize,
    /// The link.
    #[serde(flatten)]
    pub(crate) link: SetupLinkView,
    /// Its person; null: the first administrator, who has no account yet.
    pub(crate) username: Option<String>,
}

/// A person that was removed.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RemovedUserView {
    /// The subject of the person's tokens.
    pub(crate) id: String,
    /// The name of the account.
    pub(crate) username: String,
}

/// A request to add a person.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// The name that other people see; absent: the username.
    pub(crate) display_name: Option<String>,
    /// The e-mail address.
    pub(crate) email: Option<String>,
    /// The groups.
    #[serde(default)]
    #[cfg_attr(test, schemars(inner(regex(pattern = GROUP))))]
    pub(crate) groups: Vec<String>,
    /// The roles; empty: `user`.
    #[serde(default)]
    #[cfg_attr(test, schemars(inner(regex(pattern = ROLE))))]
    pub(crate) roles: Vec<String>,
    /// The name of the account.
    #[cfg_attr(test, schemars(regex(pattern = USERNAME)))]
    pub(crate) username: String,
}

/// A JSON Merge Patch (RFC 7396) of a person: an absent member does not change.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatch {
    /// The groups that are added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(inner(regex(pattern = GROUP))))]
    pub(crate) add_groups: Vec<String>,
    /// The roles that are added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(inner(regex(pattern = ROLE))))]
    pub(crate) add_roles: Vec<String>,
    /// The claims that are given or, by null, taken away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) claims: BTreeMap<String, Option<String>>,
    /// Whether the person is disabled.
    pub(crate) disabled: Option<bool>,
    /// The name that other people see.
    pub(crate) display_name: Option<String>,
    /// The e-mail address; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<Option<String>>,
    /// Whether the operator vouches for the address; null leaves that to the policy.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(crate) email_verified: Option<Option<bool>>,
    /// The groups, which replace the present ones.
    pub(crate) groups: Option<Vec<String>>,
    /// The groups that are taken away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(inner(regex(pattern = GROUP))))]
    pub(crate) remove_groups: Vec<String>,
    /// The roles that are taken away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(inner(regex(pattern = ROLE))))]
    pub(crate) remove_roles: Vec<String>,
    /// The roles, which replace the present ones.
    pub(crate) roles: Option<Vec<String>>,
}

/// Deserialises a member that is present, so that `null` differs from absence.
fn present<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// A request for a new setup link. The open one of the same person ends.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Recovery {
    /// Whether the passkeys that the person has end at once.
    #[serde(default)]
    pub(crate) end_passkeys: bool,
    /// Whether the browser sessions that the person has end at once, with their grants. Bridges go
    /// on.
    #[serde(default)]
    pub(crate) end_sessions: bool,
    /// Whether it is for a further passkey of somebody who has theirs.
    #[serde(default)]
    pub(crate) further: bool,
    /// The person; absent: the first administrator.
    pub(crate) username: Option<String>,
}

impl UserView {
    fn new(app: &App, view: &impl View, id: UserId, person: &Person) -> Result<Self, StoreError> {
        let (email, policy) = (person.email.as_ref(), &app.rules().config.policy);
        let claims = person.claims.iter();
        let mut clients = BTreeSet::new();
        for group in &person.groups {
            let own = view.by(&CLIENTS_BY_GROUP, &group.as_str().to_owned(), MAX_CLIENTS)?;
            clients.extend(own.iter().map(ToString::to_string));
        }
        Ok(Self {
            claims: claims
                .map(|(name, value)| (name.as_str().to_owned(), value.to_string()))
                .collect(),
            clients: clients.into_iter().collect(),
            created: person.created.rfc3339(),
            disabled: person.disabled,
            display_name: person.display_name.to_string(),
            email: email.map(|email| email.address.to_string()),
            email_verified: email.map(|email| email.is_verified(policy.email_verified)),
            groups: person.groups.iter().map(ToString::to_string).collect(),
            id: id.to_string(),
            passkeys: view.by(&PASSKEYS_BY_USER, &id, MAX_PASSKEYS)?.len(),
            roles: person.roles.iter().map(ToString::to_string).collect(),
            username: person.username.to_string(),
        })
    }
}

impl ChangedUserView {
    fn new(app: &App, stored: &Stored) -> Result<Self, Failed> {
        let user = UserView::new(app, &app.read()?, stored.id, &stored.person)?;
        let email_taken_from = stored.email_taken_from.as_ref().map(ToString::to_string);
        Ok(Self { email_taken_from, user })
    }
}

/// The roles of these names.
///
/// # Errors
///
/// [`Refusal::RoleUnknown`] with the roles that there are, if one has the form of none.
pub(super) fn roles(app: &App, written: &[String]) -> Result<Vec<Role>, Error> {
    let role = |name: &String| name.parse().map_err(|_| people::role_unknown(&app.rules(), name));
    written.iter().map(role).collect()
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<ByName>,
) -> Result<Json<ListView<UserView>>, Failed> {
    let view = app.read()?;
    // In the order of their names, as people look for one.
    let beginning = Beginning::of_text(&query.beginning()?.unwrap_or_default());
    let users = view.filter_beginning(&PEOPLE_BY_NAME, &beginning, &query.span()?, |id| {
        let user = |person| UserView::new(&app, &view, *id, &person);
        view.find::<Person>(id)?.map(user).transpose()
    });
    Ok(Json(ListView::new(users?, |user| user)))
}

pub(super) async fn add(
    app: By<People>,
    Body(added): Body<NewUser>,
) -> Result<Created<NewUserView>, Failed> {
    let new = NewPerson {
        username: added.username.parse()?,
        display_name: optional(added.display_name.as_deref())?,
        email: optional(added.email.as_deref())?,
        groups: parsed(&added.groups)?,
        roles: roles(&app, &added.roles)?,
    };
    let (stored, link) = app.write(move |tx, cx| people::add(tx, cx, &new)).await?;
    let user = ChangedUserView::new(&app, &stored)?;
    Ok(Created(NewUserView { link: SetupLinkView::new(&app, &link), user }))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<UserView>, Failed> {
    let view = app.read()?;
    let (id, person) = named::person(&view, &named)?;
    Ok(Json(UserView::new(&app, &view, id, &person)?))
}

pub(super) async fn change(
    app: By<People>,
    Named(named): Named,
    Body(patch): Body<UserPatch>,
) -> Result<Json<ChangedUserView>, Failed> {
    let claims = patch.claims.iter().map(|(name, value)| -> Result<_, Refusal> {
        Ok((name.parse::<ClaimName>()?, optional::<ClaimValue>(value.as_deref())?))
    });
    let change = Change {
        claims: claims.collect::<Result<_, Refusal>>()?,
        disabled: patch.disabled,
        display_name: optional(patch.display_name.as_deref())?,
        email: patch.email.map(|email| optional(email.as_deref())).transpose()?,
        email_verified: patch.email_verified,
        groups: ListChange {
            add: parsed(&patch.add_groups)?,
            remove: parsed(&patch.remove_groups)?,
            replace: patch.groups.map(|groups| parsed(&groups)).transpose()?,
        },
        roles: ListChange {
            add: roles(&app, &patch.add_roles)?,
            remove: roles(&app, &patch.remove_roles)?,
            replace: patch.roles.map(|named| roles(&app, &named)).transpose()?,
        },
    };
    let stored = app.write(move |tx, cx| {
        let (_, person) = named::person(tx, &named)?;
        people::change(tx, cx, &person.username, &change)
    });
    Ok(Json(ChangedUserView::new(&app, &stored.await?)?))
}

pub(super) async fn remove(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<RemovedUserView>, Failed> {
    let removed = app.write(move |tx, cx| {
        let (id, person) = named::person(tx, &named)?;
        people::remove(tx, cx, &person.username)?;
        Ok(RemovedUserView { id: id.to_string(), username: person.username.to_string() })
    });
    Ok(Json(removed.await?))
}

pub(super) async fn recover(
    app: By<People>,
    Body(asked): Body<Recovery>,
) -> Result<Json<RecoveryView>, Failed> {
    let Recovery { end_passkeys, end_sessions, further, username } = asked;
    let recovered = app.write(move |tx, cx| {
        let Some(written) = &username else {
            if further || end_passkeys || end_sessions {
                return Err(Refusal::UsernameMissing.into());
            }
            return recovery::first(tx, cx).map(|link| (None, link));
        };
        let (id, _) = named::person(tx, written)?;
        let recovering = Recovering { end_passkeys, end_sessions, further };
        let recovered = recovery::recover(tx, cx, id, recovering)?;
        let ended = (recovered.ended_passkeys, recovered.ended_sessions);
        Ok((Some((recovered.person, ended)), recovered.link))
    });
    let (recovered, link) = recovered.await?;
    let (person, ended) = recovered.unzip();
    let (ended_passkeys, ended_sessions) = ended.unwrap_or_default();
    let username = person.map(|person| person.username.to_string());
    let link = SetupLinkView::new(&app, &link);
    Ok(Json(RecoveryView { ended_passkeys, ended_sessions, link, username }))
}
