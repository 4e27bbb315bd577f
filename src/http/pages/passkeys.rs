//! `/gate/webauthn/authenticate/…` and `/gate/webauthn/add/…`: the passkey ceremonies of a sign-in, and
//! of a further passkey.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cookie::with_session_cookie;
use crate::app::App;
use crate::app::sign_in::{self as use_case, PresentedAssertion, PresentedFurther};
use crate::error::Refusal;
use crate::flow::person::ceremony::Ceremony;
use crate::http::done::Done;
use crate::http::extract::browser::NewSession;
use crate::http::extract::own_page::PageJson;
use crate::http::failure::ScriptFailure;
use crate::model::actor::Acting;
use crate::model::user_agent::DeviceInfo;
use crate::passkey::Assertion;

/// The request that starts a ceremony. It names no person, so the response does not reveal which
/// accounts exist.
#[derive(Deserialize)]
pub(in crate::http) struct Start {}

pub(in crate::http) async fn start(
    State(app): State<Arc<App>>,
    PageJson { browser_id, .. }: PageJson<Start>,
) -> Result<Json<Value>, ScriptFailure> {
    let started = use_case::start_assertion(&app, browser_id)?;
    Ok(Json(json!({
        "ceremony": started.ceremony,
        "expires_in": app.rules().config.lifetimes.ceremony.as_secs(),
        "publicKey": started.public_key,
    })))
}

#[derive(Deserialize)]
pub(in crate::http) struct Finish {
    ceremony: String,
    credential: Value,
}

pub(in crate::http) async fn finish(
    State(app): State<Arc<App>>,
    device: DeviceInfo,
    session: NewSession,
    PageJson { body, browser, browser_id }: PageJson<Finish>,
) -> Result<Response, ScriptFailure> {
    let presented = PresentedAssertion {
        browser: browser_id,
        ceremony: Ceremony::open(&app.rules().pepper, &body.ceremony)?,
        assertion: Assertion::parse(body.credential)?,
        device,
        key: session.key(&app)?,
        previous: browser.session(&app),
    };
    let secret = use_case::finish_assertion(&app, presented).await?;
    Ok(with_session_cookie(&app, Json(json!({})).into_response(), secret.as_ref()))
}

/// Starts the registration of a further passkey, for whoever has signed in a moment ago.
pub(in crate::http) async fn start_further(
    State(app): State<Arc<App>>,
    PageJson { browser, browser_id, .. }: PageJson<Start>,
) -> Result<Json<Value>, ScriptFailure> {
    let holder = browser.session(&app).ok_or(Refusal::SignInStale)?;
    let started = use_case::start_further(&app, browser_id, &holder)?;
    Ok(Json(json!({ "ceremony": started.ceremony, "publicKey": started.public_key })))
}

#[derive(Deserialize)]
pub(in crate::http) struct FinishFurther {
    ceremony: String,
    credential: Value,
    passkey_name: Option<String>,
}

pub(in crate::http) async fn finish_further(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageJson { body, browser, browser_id }: PageJson<FinishFurther>,
) -> Result<Response, ScriptFailure> {
    let presented = PresentedFurther {
        browser: browser_id,
        ceremony: Ceremony::open(&app.rules().pepper, &body.ceremony)?,
        credential: body.credential,
        holder: browser.session(&app).ok_or(Refusal::SignInStale)?,
        name: body.passkey_name.unwrap_or_else(|| "Passkey".to_owned()),
    };
    let id = use_case::finish_further(&app, acting, presented).await?;
    let mut response = Json(json!({ "passkey": id.to_string() })).into_response();
    // The page of the account comes next.
    response.extensions_mut().insert(Done::PasskeyAdded);
    Ok(response)
}
