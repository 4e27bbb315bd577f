//! `/gate/interaction/ID`: the pages between an authorization or logout request and its response.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::asker::Asker;
use super::consent::page as consent_page;
use super::cookie::{Cookie, with_cookie, without_session_cookie};
use super::email::{self, EmailField};
use super::login::{self, SignInPrompt};
use super::outcome;
use super::templates::{self, LoggedOutPage, LogoutPage, NotForYouPage, Page};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::authorize::consent::{self, AuthorizationOutcome};
use crate::flow::authorize::step::{self, Astray, PresentedInteraction, Step};
use crate::flow::client::self_named::SelfNamed;
use crate::flow::session::logout;
use crate::http::about::About;
use crate::http::destination::{Destination, PagePath};
use crate::http::extract::body::Query;
use crate::http::extract::browser::{AtInteraction, Browser};
use crate::http::extract::outcomes::Outcome;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::{Cause, PageFailure};
use crate::http::redirect;
use crate::http::texts::Language;
use crate::model::actor::Acting;
use crate::oauth::id::{ClientId, InteractionId};
use crate::oauth::logout::PostLogout;
use crate::oauth::scope::Scope;
use crate::store::Tx;
use crate::store::schema::Purpose;

/// The page of the next step, or the response to the client if no step is left.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    acting: Acting,
    AtInteraction { browser, presented }: AtInteraction,
    method: Method,
    Query(query): Query,
    about: About,
) -> Result<Response, PageFailure> {
    let id = presented.interaction;
    let cx = app.context();
    let found = step::interaction(&app.read()?, &cx, &presented);
    if let Err(Error::Refused(Refusal::InteractionOfAnotherBrowser)) = &found
        && presented.browser.is_none()
        && method != Method::HEAD
    {
        return refuse_without_cookie(&app, presented, browser.language()).await;
    }
    if let Err(Error::Refused(Refusal::InteractionUnknown)) = &found
        && let Some(outcome) = browser.outcomes().about(&id)
    {
        return Ok(outcome::show(&app, browser.language(), outcome)?);
    }
    let interaction = found?;
    // HEAD has no side effects (RFC 9110 §9.3.2).
    if method == Method::HEAD {
        return Ok(redirect::to_page(&PagePath::Interaction(id)));
    }
    if matches!(interaction.purpose, Purpose::Logout { .. }) {
        return sign_out(&app, acting, &browser, &about, (presented, false)).await;
    }
    about_request(&about, &interaction.purpose);
    let create =
        matches!(&interaction.purpose, Purpose::Authorize(stored) if stored.request.prompt.create);
    let client = client_of(&interaction.purpose);
    let next = step::next(&app.read()?, &cx, &presented, interaction)?;
    let asks = matches!(next, Step::Consent(_) | Step::Login(..) | Step::NotForPerson(_));
    if asks {
        app.record_opened(&presented).await?;
    }
    let outcomes = browser.outcomes().clone();
    let asked = client.clone().filter(|_| asks).map(Outcome::Asked);
    let response = match next {
        Step::Consent(asked) if asked.anybody && query.one("as")? == Some("another") => {
            let host = asked.callback.uri().host();
            let asker = Asker::client(&app.read()?, &asked.client_id, &asked.client, host)?;
            sign_in(&app, browser, id, asker, SignInPrompt::to(PagePath::Interaction(id)))
        }
        Step::Consent(asked) => {
            let email = asked.lacks_email().then(|| EmailField::of(asked.session.person()));
            Ok(templates::show(&consent_page(&app, &browser, id, &asked, email)?))
        }
        Step::Login(asked) => {
            let host = asked.callback.uri().host();
            let asker = Asker::client(&app.read()?, &asked.client_id, &asked.client, host)?;
            let prompt = SignInPrompt {
                create,
                login_hint: asked.login_hint.unwrap_or_default(),
                ..SignInPrompt::to(PagePath::Interaction(id))
            };
            sign_in(&app, browser, id, asker, prompt)
        }
        Step::NotForPerson(astray) if query.one("as")? == Some("another") => {
            let host = astray.callback.uri().host();
            let asker = Asker::client(&app.read()?, &astray.client_id, &astray.client, host)?;
            sign_in(&app, browser, id, asker, SignInPrompt::to(PagePath::Interaction(id)))
        }
        Step::NotForPerson(astray) => not_for_person(&app, &browser, id, &astray),
        next @ (Step::Grant(_) | Step::Refuse(..)) => {
            if let Step::Grant(granted) = &next {
                about.set_person(granted.session.user());
            } else {
                browser.live_session(&app, &app.read()?, &cx)?;
            }
            let completed = app.write(move |tx, cx| consent::complete(tx, cx, &presented));
            match completed.await? {
                AuthorizationOutcome::StepChanged => {
                    Ok(redirect::to_page(&PagePath::Interaction(id)))
                }
                AuthorizationOutcome::Client(client_redirect) => {
                    let mut response =
                        redirect::to_client(&app, &client_redirect, browser.language());
                    if let (None, Some(client)) = (client_redirect.refusal, client) {
                        let allowed = Outcome::Allowed(client);
                        response = browser.outcomes().and(&app, &id, allowed, response);
                    }
                    Ok(clear_interaction(&app, id, response))
                }
            }
        }
    };
    // What is remembered already stays in its place.
    Ok(match asked.filter(|_| outcomes.client(&id).is_none()) {
        Some(asked) => outcomes.and(&app, &id, asked, response?),
        None => response?,
    })
}

/// The response to a client whose `prompt=none` request came without the interaction's cookie.
pub(super) async fn refuse_without_cookie(
    app: &App,
    presented: PresentedInteraction,
    language: Language,
) -> Result<Response, PageFailure> {
    let refused = app.write(move |tx, cx| consent::refuse_without_cookie(tx, cx, &presented));
    Ok(redirect::to_client(app, &refused.await?, language))
}

/// Records the person's decision, and redirects to the response.
pub(in crate::http) async fn decide(
    State(app): State<Arc<App>>,
    acting: Acting,
    AtInteraction { presented, .. }: AtInteraction,
    about: About,
    PageForm { browser, form }: PageForm,
) -> Result<Response, PageFailure> {
    let id = presented.interaction;
    let allowed = match form.one("decision")? {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => return Err(Refusal::InteractionDecisionMalformed.into()),
    };

    let found = step::interaction(&app.read()?, &app.present(), &presented);
    if let Err(Error::Refused(Refusal::InteractionUnknown)) = &found
        && browser.outcomes().about(&id).is_some()
    {
        return Ok(redirect::to_page(&PagePath::Interaction(id)));
    }
    let interaction = found?;
    if matches!(interaction.purpose, Purpose::Logout { .. }) {
        if allowed {
            return sign_out(&app, acting, &browser, &about, (presented, true)).await;
        }
        app.write(move |tx, cx| logout::stay(tx, cx, &presented)).await?;
        let response = redirect::to_page(&PagePath::Account);
        let response = browser.outcomes().and(&app, &id, Outcome::Stayed, response);
        return Ok(clear_interaction(&app, id, response));
    }
    let client = client_of(&interaction.purpose);
    about_request(&about, &interaction.purpose);
    let consent_scope: Scope = form.parsed("scope")?.unwrap_or_default();
    let (typed, deciding) = (email::typed(&form)?, presented.clone());
    let decided = match email::parsed(&typed) {
        Ok(email) if allowed => {
            let approve = move |tx: &mut Tx<'_>, cx: &Context| {
                consent::approve(tx, cx, &deciding, &consent_scope, email.as_ref())
            };
            app.write_by(acting, approve).await
        }
        Err(refusal) if allowed => Err(refusal.into()),
        Ok(_) | Err(_) => {
            app.write_by(acting, move |tx, cx| consent::deny(tx, cx, &deciding)).await
        }
    };
    let decided = match decided {
        Ok(decided) => decided,
        Err(error) => {
            let Some(field) = EmailField::refused(browser.language().texts(), typed, &error) else {
                return Err(error.into());
            };
            return match ask_again(&app, &browser, &presented, field)? {
                Some(page) => Ok(email::refusing(page, error)),
                None => Ok(redirect::to_page(&PagePath::Interaction(id))),
            };
        }
    };
    match decided {
        AuthorizationOutcome::StepChanged => Ok(redirect::to_page(&PagePath::Interaction(id))),
        AuthorizationOutcome::Client(client_redirect) => {
            browser.live_session(&app, &app.read()?, &app.present())?;
            let mut response = redirect::to_client_after_form(&app, &browser, &client_redirect);
            if let Some(client) = client {
                let denied = client_redirect.refusal.is_some();
                let outcome =
                    if denied { Outcome::Denied(client) } else { Outcome::Allowed(client) };
                response = browser.outcomes().and(&app, &id, outcome, response);
            }
            Ok(clear_interaction(&app, id, response))
        }
    }
}

/// The sign-in page of an interaction.
fn sign_in(
    app: &App,
    browser: Browser,
    id: InteractionId,
    asker: Asker,
    prompt: SignInPrompt,
) -> Result<Response, PageFailure> {
    let cancel = Some(PagePath::Interaction(id));
    let prompt = SignInPrompt { cancel, client: Some(asker), ..prompt };
    Ok(login::page(app, browser, prompt)?)
}

/// The client of an authorization.
fn client_of(purpose: &Purpose) -> Option<ClientId> {
    match purpose {
        Purpose::Authorize(stored) => Some(stored.client.clone()),
        Purpose::Link { .. } | Purpose::Logout { .. } => None,
    }
}

/// The consent page after an e-mail address was refused, if consent is still the next step.
fn ask_again(
    app: &App,
    browser: &Browser,
    presented: &PresentedInteraction,
    field: EmailField,
) -> Result<Option<Response>, PageFailure> {
    let (view, cx, id) = (app.read()?, app.context(), presented.interaction);
    let interaction = step::interaction(&view, &cx, presented)?;
    match step::next(&view, &cx, presented, interaction)? {
        Step::Consent(asked) => {
            let email = asked.lacks_email().then_some(field);
            Ok(Some(templates::show(&consent_page(app, browser, id, &asked, email)?)))
        }
        Step::Grant(_) | Step::Login(..) | Step::NotForPerson(_) | Step::Refuse(..) => Ok(None),
    }
}

/// Says what a request is about that goes on with the one which an interaction stores.
fn about_request(about: &About, purpose: &Purpose) {
    let Purpose::Authorize(stored) = purpose else { return };
    about.set(&stored.client);
    about.prefer(stored.request.ui_locales.iter().map(String::as_str));
    let mut asked = vec![
        ("redirect_uri", stored.redirect_uri.as_str().to_owned()),
        ("response_type", "code".to_owned()),
    ];
    asked.extend(stored.request.scope.iter().map(|scope| ("scope", scope.to_string())));
    let resources = stored.request.resources.iter();
    asked.extend(resources.map(|resource| ("resource", resource.canonical().to_owned())));
    if stored.request.prompt.none {
        asked.push(("prompt", "none".to_owned()));
    }
    about.continues(asked);
}

async fn sign_out(
    app: &App,
    acting: Acting,
    browser: &Browser,
    about: &About,
    (presented, confirmed): (PresentedInteraction, bool),
) -> Result<Response, PageFailure> {
    let (id, named) = (presented.interaction, about.named_language());
    let advanced =
        app.write_by(acting, move |tx, cx| logout::advance(tx, cx, &presented, confirmed));
    match advanced.await? {
        logout::Step::Confirm { astray, client, session } => Ok(templates::show(&LogoutPage {
            page: Page::of(app, browser),
            action: named.map_or(PagePath::Interaction(id), |own| PagePath::InteractionIn(id, own)),
            astray,
            self_named: client.as_ref().and_then(|(id, client)| SelfNamed::of(id, client)),
            client_name: client.map(|(_, client)| client.metadata.name().to_string()),
            display_name: session.person().display_name.to_string(),
        })),
        logout::Step::Done { astray, redirect } => {
            let response = match redirect {
                Some(next) if confirmed => {
                    redirect::after_form(app, browser, &Destination::logout(&next), false)
                }
                next => signed_out(app, next.as_ref(), astray, about),
            };
            let response = browser.outcomes().and(app, &id, Outcome::SignedOut, response);
            Ok(clear_interaction(app, id, without_session_cookie(app, response)))
        }
    }
}

/// The response to a logout that is done, but for one that follows a form.
pub(in crate::http) fn signed_out(
    app: &App,
    redirect: Option<&PostLogout>,
    astray: bool,
    about: &About,
) -> Response {
    match redirect {
        Some(redirect) => redirect::see_other(&Destination::logout(redirect)),
        None if astray => {
            let page = Page::anonymous(app, about.language());
            templates::show(&LoggedOutPage { page, astray })
        }
        None => redirect::to_page(
            &about.named_language().map_or(PagePath::LoggedOut, PagePath::LoggedOutIn),
        ),
    }
}

/// The page for somebody whom the client is not for. It is a refusal, so it is logged and counted as
/// one.
fn not_for_person(
    app: &App,
    browser: &Browser,
    id: InteractionId,
    astray: &Astray,
) -> Result<Response, PageFailure> {
    let (person, decisions) = (astray.session.person(), &astray.client.decisions);
    let mut response = templates::show(&NotForYouPage {
        page: Page::of(app, browser),
        action: PagePath::Interaction(id),
        another: PagePath::InteractionAsAnother(id),
        administrators: templates::administrators(app, Some(person.display_name.as_str()))?,
        client_name: astray.client.metadata.name().to_string(),
        display_name: person.display_name.to_string(),
        self_named: SelfNamed::of(&astray.client_id, &astray.client),
        groups: decisions.groups.iter().map(ToString::to_string).collect(),
        username: person.username.to_string(),
    });
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.extensions_mut().insert(Cause(Arc::new(Refusal::PersonAstray.into())));
    Ok(response)
}

/// Clears the cookie of an interaction that has ended.
pub(super) fn clear_interaction(app: &App, id: InteractionId, response: Response) -> Response {
    with_cookie(response, Cookie::Interaction(id).clear(&app.rules().issuer))
}
