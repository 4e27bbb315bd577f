//! `/gate/setup` for links and invitations, and the passkey ceremony of an enrolment.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::cookie::Cookie;
use super::cookie::{with_browser_cookie, with_cookie, with_session_cookie};
use super::templates::{self, Page, SetupPage};
use crate::app::App;
use crate::app::sign_in::{self as use_case, PresentedRegistration, Starting};
use crate::error::Refusal;
use crate::flow::person::ceremony::Ceremony;
use crate::flow::person::enroll::{self, Opened, Way};
use crate::flow::session::LiveSession;
use crate::http::destination::PagePath;
use crate::http::done::Done;
use crate::http::extract::browser::{Browser, NewSession};
use crate::http::extract::own_page::PageJson;
use crate::http::failure::ScriptFailure;
use crate::model::actor::Acting;
use crate::model::person::Username;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::display_name::DisplayName;
use crate::secret::{InvitationPurpose, InvitationToken, Purpose as _, RecoveryCode, SetupToken};
use crate::store::schema::SetupPurpose;

/// The page, which is the same for every link. The token is in the fragment, which a browser sends
/// to no server; the page's script posts it.
pub(in crate::http) async fn show(State(app): State<Arc<App>>, mut browser: Browser) -> Response {
    let new_cookie = browser.ensure_browser_cookie(&app.context());
    let page = SetupPage { page: Page::of(&app, &browser) };
    with_browser_cookie(&app, templates::show_alone(&page), new_cookie.as_ref())
}

#[derive(Deserialize)]
pub(in crate::http) struct Describe {
    token: Option<String>,
}

/// Describes a link: its purpose and its person.
pub(in crate::http) async fn describe(
    State(app): State<Arc<App>>,
    PageJson { body, browser, .. }: PageJson<Describe>,
) -> Result<Json<Value>, ScriptFailure> {
    let way = way(&app, body.token.as_deref())?;
    let (view, cx) = (app.read()?, app.context());
    let opened = enroll::open(&view, &cx, &way)?;
    let session = browser.live_session(&app, &view, &cx)?;
    let session = session.as_ref().map(LiveSession::person);
    let purpose = match &opened {
        Opened::Code(..) => "code",
        Opened::Invitation(..) => "invitation",
        Opened::Link(_, SetupPurpose::First, _) => "first",
        Opened::Link(_, SetupPurpose::Further(_), _) => "further",
        Opened::Link(_, SetupPurpose::New(_), _) => "new",
        Opened::Link(_, SetupPurpose::Recovery(_), _) => "recover",
        Opened::SignUp => "sign_up",
    };
    let person = opened.person();
    // Whoever is signed in here, and is somebody else than the link is for.
    let another = session.filter(|own| person.is_none_or(|person| person.username != own.username));
    Ok(Json(json!({
        "purpose": purpose,
        "takes_email": opened.takes_email(),
        "takes_names": opened.takes_names(),
        "username": person.map(|person| person.username.as_str()),
        "signed_in_as": another.map(|own| own.display_name.as_str()),
        "display_name": person.map(|person| person.display_name.as_str()),
    })))
}

#[derive(Deserialize)]
pub(in crate::http) struct Start {
    token: Option<String>,
    username: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
}

pub(in crate::http) async fn start(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageJson { body, browser_id, .. }: PageJson<Start>,
) -> Result<Json<Value>, ScriptFailure> {
    let way = way(&app, body.token.as_deref())?;
    let email = body.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
    let email = email.map(str::parse).transpose()?;
    let starting = Starting { acting, browser: browser_id };
    let names = || names(&body);
    let started = use_case::start_registration(&app, starting, way, names, email).await?;
    Ok(Json(json!({ "ceremony": started.ceremony, "publicKey": started.public_key })))
}

/// The names that somebody chose who makes their account. Without a display name, the username is
/// used.
fn names(body: &Start) -> Result<(Username, DisplayName), Refusal> {
    let username = body.username.as_deref().unwrap_or_default().trim();
    let display_name = body.display_name.as_deref().unwrap_or_default().trim();
    let display_name = if display_name.is_empty() { username } else { display_name };
    Ok((username.parse()?, display_name.parse()?))
}

#[derive(Deserialize)]
pub(in crate::http) struct Finish {
    ceremony: String,
    token: Option<String>,
    credential: Value,
    /// Whether a recovery ends the passkeys and sessions that are there.
    #[serde(default)]
    end_others: bool,
    passkey_name: Option<String>,
}

pub(in crate::http) async fn finish(
    State(app): State<Arc<App>>,
    device: DeviceInfo,
    session: NewSession,
    PageJson { body, browser, browser_id }: PageJson<Finish>,
) -> Result<Response, ScriptFailure> {
    let presented = PresentedRegistration {
        anonymous: browser.anonymous(&app),
        browser: browser_id,
        ceremony: Ceremony::open(&app.rules().pepper, &body.ceremony)?,
        credential: body.credential,
        device,
        end_others: body.end_others,
        key: session.key(&app)?,
        name: body.passkey_name.unwrap_or_else(|| "Passkey".to_owned()),
        previous: browser.session(&app),
        way: way(&app, body.token.as_deref())?,
    };
    let enrolled = use_case::finish_registration(&app, presented).await?;
    let mut response = Json(json!({ "next": PagePath::Account.to_string() })).into_response();
    if body.end_others {
        response.extensions_mut().insert(Done::Recovered);
    }
    let response = with_session_cookie(&app, response, enrolled.secret.as_ref());
    Ok(if enrolled.merged {
        with_cookie(response, Cookie::Anonymous.clear(&app.rules().issuer))
    } else {
        response
    })
}

/// What a token opens: a setup link, an invitation, or a recovery code as it was typed; without one, the
/// account that somebody makes by themselves. What has the form of none is refused as an unknown link if
/// it begins as a token does, and otherwise as an unknown code.
fn way(app: &App, token: Option<&str>) -> Result<Way, Refusal> {
    let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(Way::SignUp) };
    let pepper = &app.rules().pepper;
    if token.starts_with(InvitationPurpose::PREFIX) {
        let token: InvitationToken = token.parse().map_err(|_| Refusal::InvitationUnknown)?;
        return Ok(Way::Invitation(pepper.hash(&token)));
    }
    if !token.starts_with("gl_") {
        let code: RecoveryCode = token.parse().map_err(|_| Refusal::RecoveryCodeUnknown)?;
        return Ok(Way::Code(code.hash(pepper)));
    }
    let token: SetupToken = token.parse().map_err(|_| Refusal::SetupTokenUnknown)?;
    Ok(Way::Link(pepper.hash(&token)))
}
