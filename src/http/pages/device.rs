//! `/gate/device`: where a person lets a device in (RFC 8628 §3.3).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;

use super::templates::{self, DeviceConfirmPage, DeviceDonePage, DevicePage, LoginPage, Page};
use super::visitor::{Visitor, check_same_origin, greet};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::device::{self, Comer, Decided, Decision, Looked, Waiting};
use crate::flow::person::people;
use crate::http::extract::{body, peer};
use crate::http::failure::Failure;
use crate::oauth::params::Params;
use crate::oauth::scope::Scope;
use crate::oauth::token::device::UserCode;
use crate::secret::TokenHash;
use crate::store::schema::Origin;

/// A user code as it came: in a link, or typed.
struct Typed {
    /// The code, if it has the form of one.
    code: Option<UserCode>,
    /// As it came.
    text: String,
}

impl Typed {
    fn of(params: &Params) -> Result<Option<Self>, Refusal> {
        let text = params.one("user_code")?;
        Ok(text.map(|text| Self { code: text.parse().ok(), text: text.to_owned() }))
    }

    fn known_by(&self, app: &App) -> Option<TokenHash> {
        self.code.as_ref().map(|code| device::known_by(&app.rules().pepper, code))
    }
}

/// Asks for the code, or shows what the code of a link leads to. A link decides nothing: RFC 8628
/// §5.4 has the person compare the code and confirm.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let visitor = Visitor::of(&app, request.headers());
    let typed = Typed::of(&body::query(&request).map_err(Failure::page)?).map_err(Failure::page)?;
    // Whoever only looks brings nothing about, and guesses nothing.
    let typed = typed.filter(|_| request.method() != Method::HEAD);
    let address = peer::address(&app, &request);
    let device = peer::device(&app, &request);
    let Some(session) = visitor.session(&app) else { return sign_in(&app, visitor, &typed) };
    let Some(typed) = typed else {
        let view = app.read().map_err(Failure::page)?;
        let live = crate::flow::session::live(&view, &app.context(), &session);
        return match live.map_err(Failure::page)? {
            Some(_) => Ok(ask(&app, &visitor, None)),
            None => sign_in(&app, visitor, &None),
        };
    };
    let comer = Comer { address, code: typed.known_by(&app), device, session };
    let looked = app.write(move |tx, cx| device::look(tx, cx, &comer));
    answer(&app, visitor, typed, looked.await.map_err(Failure::page)?)
}

/// Takes a typed code, or the decision about one.
pub(in crate::http) async fn decide(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let headers: HeaderMap = request.headers().clone();
    let address = peer::address(&app, &request);
    let device = peer::device(&app, &request);
    check_same_origin(&app, &headers).map_err(Failure::page)?;
    let form = body::form(request).await.map_err(Failure::page)?;
    let visitor = Visitor::of(&app, &headers);
    let csrf = form.one("csrf").map_err(Failure::page)?.unwrap_or_default();
    visitor.check_csrf(&app.rules().pepper, csrf).map_err(Failure::page)?;
    let decision = decision(&form).map_err(Failure::page)?;
    let typed = Typed::of(&form).map_err(Failure::page)?;
    let Some(session) = visitor.session(&app) else { return sign_in(&app, visitor, &typed) };
    let Some(typed) = typed else { return Ok(ask(&app, &visitor, None)) };
    let comer = Comer { address, code: typed.known_by(&app), device, session };

    let allowed = matches!(decision, Some(Decision::Allow(_)));
    let decided = app.write(move |tx, cx| match &decision {
        Some(decision) => device::decide(tx, cx, &comer, decision),
        None => device::look(tx, cx, &comer).map(Decided::Not),
    });
    match decided.await.map_err(Failure::page)? {
        Decided::Done(client) => Ok(templates::show(&DeviceDonePage {
            page: Page::of(&app, &visitor),
            allowed,
            client_name: client.name.to_string(),
        })),
        Decided::Not(looked) => answer(&app, visitor, typed, looked),
    }
}

/// The decision that a form brings; one that was not yet asked for brings none.
fn decision(form: &Params) -> Result<Option<Decision>, Error> {
    Ok(match form.one("decision")? {
        Some("allow") => {
            let shown: Scope = form.parsed("scope")?.unwrap_or_default();
            Some(Decision::Allow(shown))
        }
        Some("deny") => Some(Decision::Deny),
        Some(_) => return Err(Refusal::InteractionDecisionMalformed.into()),
        None => None,
    })
}

fn answer(app: &App, visitor: Visitor, typed: Typed, looked: Looked) -> Result<Response, Failure> {
    match (looked, &typed.code) {
        (Looked::SignIn, _) => sign_in(app, visitor, &Some(typed)),
        (Looked::Waiting(waiting), Some(code)) => Ok(confirm(app, &visitor, code, &waiting)),
        (Looked::Nothing, _) | (Looked::Waiting(_), None) => Ok(ask(app, &visitor, Some(typed))),
    }
}

/// Asks for a code, again where `wrong` leads nowhere.
fn ask(app: &App, visitor: &Visitor, wrong: Option<Typed>) -> Response {
    templates::show(&DevicePage {
        page: Page::of(app, visitor),
        unknown: wrong.is_some(),
        typed: wrong.map(|wrong| wrong.text.chars().take(32).collect()).unwrap_or_default(),
    })
}

fn confirm(app: &App, visitor: &Visitor, code: &UserCode, waiting: &Waiting) -> Response {
    let person = waiting.session.person();
    let scope = waiting.scope.clone().unwrap_or_default();
    templates::show(&DeviceConfirmPage {
        page: Page::of(app, visitor),
        address: waiting.device.address.clone(),
        agent: waiting.device.agent.clone(),
        allowable: waiting.scope.is_some(),
        client_id: waiting.device.client.to_string(),
        client_name: waiting.client.name.to_string(),
        display_name: person.display_name.to_string(),
        named_by: templates::named_by(&waiting.device.client, &waiting.client),
        resources: waiting.targets.resources.iter().map(ToString::to_string).collect(),
        scope: scope.to_string(),
        scopes: templates::in_words(&app.rules().config, &scope),
        unregistered: waiting.targets.unregistered,
        unverified: matches!(waiting.client.origin, Origin::Dynamic { .. }),
        user_code: code.expose().to_string(),
        username: person.username.to_string(),
    })
}

/// Guesses belong to somebody: whoever has no session gets one first, and comes back.
fn sign_in(app: &App, mut visitor: Visitor, typed: &Option<Typed>) -> Result<Response, Failure> {
    let code = typed.as_ref().and_then(|typed| typed.code.as_ref());
    let welcomed = visitor.welcome(&app.context());
    let view = app.read().map_err(Failure::page)?;
    let page = LoginPage {
        page: Page::of(app, &visitor),
        next: code.map_or_else(
            || "/gate/device".to_owned(),
            |code| format!("/gate/device?user_code={}", *code.expose()),
        ),
        client: None,
        login_hint: String::new(),
        cancel: None,
        nobody: people::nobody(&view).map_err(Failure::page)?,
    };
    Ok(greet(app, templates::show(&page), welcomed.as_ref()))
}
