//! `/api/v1/users` and `/api/v1/recover`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, body, optional, parsed};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::person::people::{self, Change, NewPerson};
use crate::flow::person::setup_link::IssuedSetupLink;
use crate::model::person::Username;
use crate::oauth::id::UserId;
use crate::store::View;
use crate::store::schema::{PASSKEYS_BY_USER, Person};

/// The most people that one listing shows, and the most passkeys that are counted for one.
const MAX_LISTED: usize = 10_000;
const MAX_PASSKEYS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    username: String,
    display_name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

/// What is to change; a member that is not there stays as it is, and `null` takes an e-mail
/// address away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    disabled: Option<bool>,
    display_name: Option<String>,
    #[serde(default, deserialize_with = "named_at_all")]
    email: Option<Option<String>>,
    roles: Option<Vec<String>>,
}

/// A member that is there, if only as `null`.
fn named_at_all<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovered {
    username: Option<String>,
}

fn json(id: UserId, person: &Person, passkeys: usize) -> Value {
    let roles: Vec<&str> = person.roles.iter().map(|role| role.as_str()).collect();
    json!({
        "id": id.to_string(),
        "username": person.username.as_str(),
        "display_name": person.display_name.as_str(),
        "email": person.email.as_ref().map(|email| email.as_str()),
        "roles": roles,
        "disabled": person.disabled,
        "created": person.created.rfc3339(),
        "passkeys": passkeys,
    })
}

/// Adds a setup link to an answer.
fn with_link(app: &App, mut response: Value, invited: &IssuedSetupLink) -> Value {
    if let Value::Object(members) = &mut response {
        members.insert("setup_url".to_owned(), setup_url(app, invited).into());
        members.insert("setup_expires".to_owned(), invited.expires.rfc3339().into());
    }
    response
}

/// The link itself: the secret is in the fragment, which stays in the browser.
pub(crate) fn setup_url(app: &App, invited: &IssuedSetupLink) -> String {
    app.rules().issuer.at(&format!("/setup#{}", *invited.token.expose()))
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let view = app.read()?;
    let mut users = Vec::new();
    let mut people = view.list::<Person>(MAX_LISTED)?;
    // Their ids are drawn by lot.
    people.sort_by(|(_, a), (_, b)| a.username.as_str().cmp(b.username.as_str()));
    for (id, person) in people {
        let passkeys = view.by(&PASSKEYS_BY_USER, &id, MAX_PASSKEYS)?.len();
        users.push(json(id, &person, passkeys));
    }
    Ok(Json(json!({ "users": users })))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Failed> {
    let added: Added = body(request).await?;
    let new = NewPerson {
        username: added.username.parse()?,
        display_name: optional(added.display_name.as_deref())?,
        email: optional(added.email.as_deref())?,
        roles: parsed(&added.roles)?,
    };
    let (id, person, invited) = app.write(move |tx, cx| people::add(tx, cx, &new)).await?;
    Ok((StatusCode::CREATED, Json(with_link(&app, json(id, &person, 0), &invited))))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(username): Path<String>,
) -> Result<Json<Value>, Failed> {
    let view = app.read()?;
    let (id, person) = people::named(&view, &username.parse()?)?.ok_or(Refusal::UserNotFound)?;
    let passkeys = view.by(&PASSKEYS_BY_USER, &id, MAX_PASSKEYS)?.len();
    Ok(Json(json(id, &person, passkeys)))
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(username): Path<String>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let username: Username = username.parse()?;
    let changed: Changed = body(request).await?;
    let change = Change {
        disabled: changed.disabled,
        display_name: optional(changed.display_name.as_deref())?,
        email: changed.email.map(|email| optional(email.as_deref())).transpose()?,
        roles: changed.roles.map(|roles| parsed(&roles)).transpose()?,
    };
    let (id, person) = app.write(move |tx, cx| people::change(tx, cx, &username, &change)).await?;
    let passkeys = app.read()?.by(&PASSKEYS_BY_USER, &id, MAX_PASSKEYS)?.len();
    Ok(Json(json(id, &person, passkeys)))
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Path(username): Path<String>,
) -> Result<Json<Value>, Failed> {
    let username: Username = username.parse()?;
    let named = username.to_string();
    let id = app.write(move |tx, cx| people::remove(tx, cx, &username)).await?;
    Ok(Json(json!({ "id": id.to_string(), "username": named })))
}

pub(super) async fn recover(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let recovered: Recovered = body(request).await?;
    let username: Option<Username> = optional(recovered.username.as_deref())?;
    let (person, invited) =
        app.write(move |tx, cx| people::recover(tx, cx, username.as_ref())).await?;
    let username = person.as_ref().map(|person| person.username.as_str());
    Ok(Json(with_link(&app, json!({ "username": username }), &invited)))
}
