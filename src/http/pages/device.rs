//! `/gate/device`: where a person lets a device in (RFC 8628 §3.3).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;

use super::browser::{Browser, check_same_origin, with_browser_cookie};
use super::templates::{self, DeviceConfirmPage, DeviceDonePage, DevicePage, LoginPage, Page};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::device::{
    self, Decision, DecisionOutcome, PendingDevice, UserCodeEntry, UserCodeLookup,
};
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

    fn user_code_hash(&self, app: &App) -> Option<TokenHash> {
        self.code.as_ref().map(|code| device::user_code_hash(&app.rules().pepper, code))
    }
}

/// Asks for the code, or shows what the code of a link leads to. A link decides nothing: RFC 8628
/// §5.4 has the person compare the code and confirm.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let browser = Browser::of(&app, request.headers());
    let typed = Typed::of(&body::query(&request).map_err(Failure::page)?).map_err(Failure::page)?;
    // Whoever only looks brings nothing about, and guesses nothing.
    let typed = typed.filter(|_| request.method() != Method::HEAD);
    let address = peer::address(&app, &request);
    let device = peer::device(&app, &request);
    let Some(session) = browser.session(&app) else { return sign_in(&app, browser, &typed) };
    let Some(typed) = typed else {
        let view = app.read().map_err(Failure::page)?;
        let live = crate::flow::session::live(&view, &app.context(), &session);
        return match live.map_err(Failure::page)? {
            Some(_) => Ok(ask(&app, &browser, None)),
            None => sign_in(&app, browser, &None),
        };
    };
    let entry = UserCodeEntry { address, code: typed.user_code_hash(&app), device, session };
    let lookup = app.write(move |tx, cx| device::look_up(tx, cx, &entry));
    answer(&app, browser, typed, lookup.await.map_err(Failure::page)?)
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
    let browser = Browser::of(&app, &headers);
    let csrf = form.one("csrf").map_err(Failure::page)?.unwrap_or_default();
    browser.check_csrf(&app.rules().pepper, csrf).map_err(Failure::page)?;
    let decision = decision(&form).map_err(Failure::page)?;
    let typed = Typed::of(&form).map_err(Failure::page)?;
    let Some(session) = browser.session(&app) else { return sign_in(&app, browser, &typed) };
    let Some(typed) = typed else { return Ok(ask(&app, &browser, None)) };
    let entry = UserCodeEntry { address, code: typed.user_code_hash(&app), device, session };

    let allowed = matches!(decision, Some(Decision::Allow(_)));
    let decided = app.write(move |tx, cx| match &decision {
        Some(decision) => device::decide(tx, cx, &entry, decision),
        None => device::look_up(tx, cx, &entry).map(DecisionOutcome::Not),
    });
    match decided.await.map_err(Failure::page)? {
        DecisionOutcome::Done(client) => Ok(templates::show(&DeviceDonePage {
            page: Page::of(&app, &browser),
            allowed,
            client_name: client.name.to_string(),
        })),
        DecisionOutcome::Not(lookup) => answer(&app, browser, typed, lookup),
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

fn answer(
    app: &App,
    browser: Browser,
    typed: Typed,
    lookup: UserCodeLookup,
) -> Result<Response, Failure> {
    match (lookup, &typed.code) {
        (UserCodeLookup::SignIn, _) => sign_in(app, browser, &Some(typed)),
        (UserCodeLookup::PendingDevice(pending), Some(code)) => {
            Ok(confirm(app, &browser, code, &pending))
        }
        (UserCodeLookup::Nothing, _) | (UserCodeLookup::PendingDevice(_), None) => {
            Ok(ask(app, &browser, Some(typed)))
        }
    }
}

/// Asks for a code, again where `wrong` leads nowhere.
fn ask(app: &App, browser: &Browser, wrong: Option<Typed>) -> Response {
    templates::show(&DevicePage {
        page: Page::of(app, browser),
        unknown: wrong.is_some(),
        typed: wrong.map(|wrong| wrong.text.chars().take(32).collect()).unwrap_or_default(),
    })
}

fn confirm(app: &App, browser: &Browser, code: &UserCode, pending: &PendingDevice) -> Response {
    let person = pending.session.person();
    let scope = pending.scope.clone().unwrap_or_default();
    templates::show(&DeviceConfirmPage {
        page: Page::of(app, browser),
        address: pending.device.address.clone(),
        agent: pending.device.user_agent.clone(),
        allowable: pending.scope.is_some(),
        client_id: pending.device.client.to_string(),
        client_name: pending.client.name.to_string(),
        display_name: person.display_name.to_string(),
        named_by: templates::named_by(&pending.device.client, &pending.client),
        resources: pending.targets.resources.iter().map(ToString::to_string).collect(),
        scope: scope.to_string(),
        scopes: templates::scope_items(&app.rules().config, &scope),
        unregistered: pending.targets.unregistered,
        unverified: matches!(pending.client.origin, Origin::Dynamic { .. }),
        user_code: code.expose().to_string(),
        username: person.username.to_string(),
    })
}

/// Guesses belong to somebody: whoever has no session gets one first, and comes back.
fn sign_in(app: &App, mut browser: Browser, typed: &Option<Typed>) -> Result<Response, Failure> {
    let code = typed.as_ref().and_then(|typed| typed.code.as_ref());
    let new_cookie = browser.ensure_browser_cookie(&app.context());
    let view = app.read().map_err(Failure::page)?;
    let page = LoginPage {
        page: Page::of(app, &browser),
        next: code.map_or_else(
            || "/gate/device".to_owned(),
            |code| format!("/gate/device?user_code={}", *code.expose()),
        ),
        client: None,
        login_hint: String::new(),
        cancel: None,
        nobody: people::nobody(&view).map_err(Failure::page)?,
    };
    Ok(with_browser_cookie(app, templates::show(&page), new_cookie.as_ref()))
}
