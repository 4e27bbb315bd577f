//! `/gate/device`: the page where a person authorizes a device (RFC 8628 §3.3).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::asker::ClientMark;
use super::connections;
use super::email::{self, EmailField};
use super::login::{self, SignInPrompt};
use super::templates::{self, DeviceConfirmPage, DeviceDonePage, DevicePage, Page};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::device::{
    self, Decision, DecisionOutcome, PendingDevice, UserCodeEntry, UserCodeLookup,
};
use crate::flow::client::self_named::SelfNamed;
use crate::flow::{Context, authorize};
use crate::http::destination::PagePath;
use crate::http::extract::body::Query;
use crate::http::extract::browser::Browser;
use crate::http::extract::outcomes::Outcome;
use crate::http::extract::own_page::PageForm;
use crate::http::extract::peer::Sender;
use crate::http::failure::{Cause, PageFailure};
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::oauth::params::Params;
use crate::oauth::scope::Scope;
use crate::oauth::token::device::UserCode;
use crate::secret::TokenHash;
use crate::store::Tx;
use crate::store::schema::Origin;

/// A user code of a request, from a link or typed.
struct Typed {
    /// The code, if it is well formed.
    code: Option<UserCode>,
    /// The text of the request.
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

/// The entry of a user code. A wrong one is a guess, counted by network and by account.
fn entry(sender: Sender, code: Option<TokenHash>, session: TokenHash) -> UserCodeEntry {
    UserCodeEntry { address: sender.address, code, device: sender.device, session }
}

/// The page that asks for the code, with the code of a link filled in. It looks nothing up, since a
/// wrong code counts as a guess of the account, and any other site can lead a browser here.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    Query(query): Query,
    browser: Browser,
) -> Result<Response, PageFailure> {
    let typed = Typed::of(&query)?;
    if query.one("as")? == Some("another") {
        return sign_in(&app, browser, typed);
    }
    match browser.live_session(&app, &app.read()?, &app.present())? {
        Some(_) => Ok(ask(&app, &browser, typed, false)),
        None => sign_in(&app, browser, typed),
    }
}

/// Looks up a typed code, or records the decision about one.
pub(in crate::http) async fn decide(
    State(app): State<Arc<App>>,
    sender: Sender,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let typed = Typed::of(&form)?;
    let Some(session) = browser.session(&app) else { return sign_in(&app, browser, typed) };
    let Some(typed) = typed else { return Ok(ask(&app, &browser, None, false)) };
    let acting = Acting::stranger(sender.address);
    let hash = typed.user_code_hash(&app);
    if hash.is_some_and(|hash| browser.outcomes().about(&hash).is_some()) {
        return Ok(redirect::to_page(&PagePath::DeviceDone));
    }
    let entry = entry(sender, hash, session);

    let (decision, again) = (decision(&form), entry.clone());
    let allowed = matches!(decision, Ok(Some(Decision::Allow { .. })));
    let decided = match decision {
        Ok(decision) => {
            let decide = move |tx: &mut Tx<'_>, cx: &Context| match &decision {
                Some(decision) => device::decide(tx, cx, &entry, decision),
                None => device::look_up(tx, cx, &entry).map(DecisionOutcome::Not),
            };
            app.write_by(acting, decide).await
        }
        Err(error) => Err(error),
    };
    let decided = match decided {
        Ok(decided) => decided,
        Err(error) => {
            let Some(field) =
                EmailField::refused(browser.language().texts(), email::typed(&form)?, &error)
            else {
                return Err(error.into());
            };
            let lookup = app.write(move |tx, cx| device::look_up(tx, cx, &again)).await?;
            return Ok(email::refusing(found(&app, browser, typed, lookup, Some(field))?, error));
        }
    };
    match decided {
        DecisionOutcome::Done(client) => {
            let outcome = if allowed { Outcome::Allowed(client) } else { Outcome::Denied(client) };
            let response = redirect::to_page(&PagePath::DeviceDone);
            Ok(match hash {
                Some(hash) => browser.outcomes().and(&app, &hash, outcome, response),
                None => response,
            })
        }
        DecisionOutcome::Not(lookup) => found(&app, browser, typed, lookup, None),
    }
}

/// The page after a decision, also when it is loaded again.
pub(in crate::http) async fn done(
    State(app): State<Arc<App>>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    let (client, allowed) = match browser.outcomes().device() {
        Some(Outcome::Allowed(client)) => (client, true),
        Some(Outcome::Denied(client)) => (client, false),
        Some(
            Outcome::Asked(_)
            | Outcome::CodeDisplayed
            | Outcome::Linked
            | Outcome::NotLinked
            | Outcome::SignedOut
            | Outcome::Stayed,
        )
        | None => return Ok(redirect::to_page(&PagePath::Device(None))),
    };
    let view = app.read()?;
    let row = authorize::find_enabled(&view, client)?;
    let self_named = row.as_ref().and_then(|row| SelfNamed::of(client, row));
    let name = row.map(|client| client.metadata.name().to_owned());
    let mark = name.as_ref().map(|name| ClientMark::of_client(&view, client, name)).transpose()?;
    Ok(templates::show(&DeviceDonePage {
        page: Page::of(&app, &browser),
        allowed,
        mark,
        client_name: name.unwrap_or_else(|| browser.language().texts().error.app().plain()),
        self_named,
    }))
}

/// The decision in a form. The form that asks for the code has none.
fn decision(form: &Params) -> Result<Option<Decision>, Error> {
    Ok(match form.one("decision")? {
        Some("allow") => {
            let scope: Scope = form.parsed("scope")?.unwrap_or_default();
            Some(Decision::Allow { email: email::parsed(&email::typed(form)?)?, scope })
        }
        Some("deny") => Some(Decision::Deny),
        Some(_) => return Err(Refusal::InteractionDecisionMalformed.into()),
        None => None,
    })
}

fn found(
    app: &App,
    browser: Browser,
    typed: Typed,
    lookup: UserCodeLookup,
    email: Option<EmailField>,
) -> Result<Response, PageFailure> {
    match (lookup, &typed.code) {
        (UserCodeLookup::SignIn, _) => sign_in(app, browser, Some(typed)),
        (UserCodeLookup::PendingDevice(pending), Some(code)) => {
            confirm(app, &browser, code, &pending, email)
        }
        (UserCodeLookup::Nothing, _) | (UserCodeLookup::PendingDevice(_), None) => {
            Ok(ask(app, &browser, Some(typed), true))
        }
    }
}

/// The page that asks for a code, with one filled in. `unknown`: no device waits for that code.
fn ask(app: &App, browser: &Browser, typed: Option<Typed>, unknown: bool) -> Response {
    templates::show(&DevicePage {
        page: Page::of(app, browser),
        linked: typed.is_some() && !unknown,
        unknown,
        typed: typed.map(|typed| typed.text.chars().take(32).collect()).unwrap_or_default(),
    })
}

fn confirm(
    app: &App,
    browser: &Browser,
    code: &UserCode,
    pending: &PendingDevice,
    email: Option<EmailField>,
) -> Result<Response, PageFailure> {
    let (person, t) = (pending.session.person(), browser.language().texts());
    let email = pending.lacks_email().then(|| email.unwrap_or_else(|| EmailField::of(person)));
    let scope = pending.scope.clone().unwrap_or_default();
    let (mut groups, mut administrators) = (Vec::new(), Vec::new());
    if !pending.is_for_person {
        groups = pending.client.decisions.groups.iter().map(ToString::to_string).collect();
        administrators = templates::administrators(app, Some(person.display_name.as_str()))?;
    }
    let mut response = templates::show(&DeviceConfirmPage {
        page: Page::of(app, browser),
        administrators,
        asked: asked(t, app.clock().now().since(pending.device.created)),
        place: place(app, t, &pending.device.address),
        user_agent: pending.device.user_agent.clone(),
        allowable: pending.scope.is_some(),
        client_id: pending.device.client.to_string(),
        client_name: pending.client.metadata.name().to_string(),
        mark: ClientMark::of_client(
            &app.read()?,
            &pending.device.client,
            pending.client.metadata.name(),
        )?,
        display_name: person.display_name.to_string(),
        groups,
        named_by: templates::named_by(&pending.device.client, &pending.client),
        resources: pending.targets.resources.iter().map(ToString::to_string).collect(),
        scope: scope.to_string(),
        scopes: templates::scope_items(t, &app.rules().config, &scope),
        self_named: SelfNamed::of(&pending.device.client, &pending.client),
        unregistered: pending.targets.unregistered,
        unverified: matches!(pending.client.origin, Origin::Dynamic { .. }),
        user_code: code.expose().to_string(),
        username: person.username.to_string(),
        email,
    });
    if !pending.is_for_person {
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.extensions_mut().insert(Cause(Arc::new(Refusal::PersonAstray.into())));
    }
    Ok(response)
}

/// How long ago the device asked. Whoever has just started it sees that it was a moment ago.
fn asked(t: &Texts, ago: Duration) -> String {
    match ago.as_secs() / 60 {
        0 => t.device_confirm.asked_now().plain(),
        minutes => t.device_confirm.asked_ago(minutes).plain(),
    }
}

/// Where the device asked from. Only on a loopback issuer is the machine of this server the person's.
fn place(app: &App, t: &Texts, address: &str) -> String {
    let loopback = |address: IpAddr| address.to_canonical().is_loopback();
    let here = address.parse().is_ok_and(loopback);
    if here && !app.rules().issuer.is_loopback() {
        return t.device_confirm.gates_machine().plain();
    }
    connections::place(t, address)
}

/// The sign-in page, which leads back to this page. Guesses are counted by account, so the person
/// must sign in first.
fn sign_in(app: &App, browser: Browser, typed: Option<Typed>) -> Result<Response, PageFailure> {
    let next = PagePath::Device(typed.and_then(|typed| typed.code));
    Ok(login::page(app, browser, SignInPrompt::to(next))?)
}
