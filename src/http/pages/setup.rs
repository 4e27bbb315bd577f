//! `/gate/setup` and the registration ceremony behind it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::browser::{Browser, sign_in, with_browser_cookie, with_cookie};
use super::cookie::Cookie;
use super::passkeys::{Posted, posted};
use super::templates::{self, Page, SetupPage};
use crate::app::App;
use crate::error::Refusal;
use crate::flow::person::{enroll, login};
use crate::http::extract::peer;
use crate::http::failure::Failure;
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::CeremonyId;
use crate::secret::{SetupToken, TokenHash};
use crate::store::schema::{CeremonyPurpose, SetupPurpose};

/// The page, the same for every link: the secret is in the fragment, which no server sees.
pub(in crate::http) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut browser = Browser::of(&app, &headers);
    let new_cookie = browser.ensure_browser_cookie(&app.context());
    let page = SetupPage { page: Page::of(&app, &browser) };
    with_browser_cookie(&app, templates::show_alone(&page), new_cookie.as_ref())
}

#[derive(Deserialize)]
pub(in crate::http) struct Look {
    token: String,
}

/// What a link is for.
pub(in crate::http) async fn look(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let Posted { body, .. } = posted::<Look>(&app, request).await?;
    let link = link(&app, &body.token)?;
    let view = app.read().map_err(Failure::json)?;
    let opened = enroll::open(&view, &app.context(), &link).map_err(Failure::json)?;
    let purpose = match opened.purpose {
        SetupPurpose::Enrol(_) => "new",
        SetupPurpose::First => "first",
        SetupPurpose::Recover(_) => "recover",
    };
    let person = opened.person.as_ref();
    Ok(Json(json!({
        "purpose": purpose,
        "username": person.map(|person| person.username.as_str()),
        "display_name": person.map(|person| person.display_name.as_str()),
    }))
    .into_response())
}

#[derive(Deserialize)]
pub(in crate::http) struct Start {
    token: String,
    username: Option<String>,
    display_name: Option<String>,
}

/// Begins the ceremony. It may be repeated: nothing is spent yet.
pub(in crate::http) async fn start(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let Posted { body, browser_id, .. } = posted::<Start>(&app, request).await?;
    let link = link(&app, &body.token)?;
    let cx = app.context();
    let view = app.read().map_err(Failure::json)?;
    login::check_capacity(&view, app.rules()).map_err(Failure::json)?;
    let opened = enroll::open(&view, &cx, &link).map_err(Failure::json)?;
    let chosen = match opened.purpose {
        SetupPurpose::First => Some(chosen(&body).map_err(Failure::json)?),
        SetupPurpose::Enrol(_) | SetupPurpose::Recover(_) => None,
    };
    let candidate = enroll::candidate(opened, &cx, chosen).map_err(Failure::json)?;
    let existing = enroll::passkeys(&view, candidate.user).map_err(Failure::json)?;
    let existing = existing.into_iter().map(|(id, _)| id).collect();
    let begun = app
        .passkeys()
        .start_registration(candidate.user, &candidate.username, &candidate.display_name, existing)
        .map_err(Failure::json)?;
    let state = begun.state;
    let ceremony = app
        .write(move |tx, cx| {
            enroll::start_ceremony(tx, cx, browser_id, link, &candidate, state.clone())
        })
        .await
        .map_err(Failure::json)?;
    let ceremony = ceremony.to_string();
    Ok(Json(json!({ "ceremony": ceremony, "publicKey": begun.public_key })).into_response())
}

/// The name that the first administrator chose; what they are called may be left out.
fn chosen(body: &Start) -> Result<(Username, DisplayName), Refusal> {
    let username = body.username.as_deref().unwrap_or_default().trim();
    let display_name = body.display_name.as_deref().unwrap_or_default().trim();
    let display_name = if display_name.is_empty() { username } else { display_name };
    Ok((username.parse()?, display_name.parse()?))
}

#[derive(Deserialize)]
pub(in crate::http) struct Finish {
    ceremony: String,
    token: String,
    credential: Value,
    passkey_name: Option<String>,
}

/// Verifies the answer, and makes the passkey, the person and the session.
pub(in crate::http) async fn finish(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let device = peer::device(&app, &request);
    let Posted { body, browser, browser_id } = posted::<Finish>(&app, request).await?;
    let link = link(&app, &body.token)?;
    let id: CeremonyId = body.ceremony.parse().map_err(Failure::json)?;
    let view = app.read().map_err(Failure::json)?;
    let cx = app.context();
    enroll::open(&view, &cx, &link).map_err(Failure::json)?;
    let ceremony = login::ceremony(&view, &cx, id, &browser_id).map_err(Failure::json)?;
    if !matches!(ceremony.purpose, CeremonyPurpose::Register { .. }) {
        return Err(Failure::json(Refusal::CeremonyUnknown));
    }
    let registered = app
        .passkeys()
        .finish_registration(&ceremony.state, body.credential)
        .map_err(Failure::json)?;
    let name = body.passkey_name.as_deref().unwrap_or("Passkey");
    let proof = enroll::RegistrationProof {
        anonymous: browser.anonymous(&app),
        browser: browser_id,
        ceremony: id,
        device,
        link,
        name: name.parse().map_err(Failure::json)?,
        previous: browser.session(&app),
        registered,
    };
    let enrolled =
        app.write(move |tx, cx| enroll::complete(tx, cx, &proof)).await.map_err(Failure::json)?;
    let response = Json(json!({ "next": "/gate/account" })).into_response();
    let response = sign_in(&app, response, &enrolled.secret);
    Ok(if enrolled.merged {
        with_cookie(response, Cookie::Anonymous.clear(&app.rules().issuer))
    } else {
        response
    })
}

/// A token that has not the form of one is as unknown as one that was never made.
fn link(app: &App, token: &str) -> Result<TokenHash, Failure> {
    let token: SetupToken = token.parse().map_err(|_| Failure::json(Refusal::SetupTokenUnknown))?;
    Ok(app.rules().pepper.hash(&token))
}
