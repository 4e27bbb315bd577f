//! `/gate/account` and the pages around it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::asker::ClientMark;
use super::connections;
use super::cookie::without_session_cookie;
use super::login::{self, SignInPrompt};
use super::own_passkeys;
use super::templates::{
    self, Accepted, ApplicationItem, HostItem, LoggedOutPage, Page, PasskeyItem, SessionItem,
};
use crate::app::App;
use crate::flow::launcher::{self, Launchable};
use crate::flow::person::{passkeys, recovery_codes};
use crate::flow::session::{self, LiveSession};
use crate::http::about::About;
use crate::http::account::devices::{self, DeviceItem, MeansItem};
use crate::http::account::next::NextSteps;
use crate::http::destination::PagePath;
use crate::http::done::Done;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::model::person::Role;
use crate::model::user_agent::DeviceInfo;
use crate::store::{StoreError, View};

#[derive(Template)]
#[template(path = "account.html", config = "assets/askama.toml")]
pub(in crate::http) struct AccountPage {
    pub(in crate::http) page: Page,
    /// The passkeys that are left after a removal, for the browser.
    pub(in crate::http) accepted: Option<Accepted>,
    /// Whether the person administers something here.
    pub(in crate::http) administers: bool,
    /// The number of recovery codes that are left.
    pub(in crate::http) codes: usize,
    pub(in crate::http) display_name: String,
    pub(in crate::http) username: String,
    pub(in crate::http) email: Option<String>,
    pub(in crate::http) admin: bool,
    pub(in crate::http) issuer: String,
    pub(in crate::http) launchable: Vec<LaunchItem>,
    pub(in crate::http) next: NextSteps,
    pub(in crate::http) passkeys: Vec<PasskeyItem>,
    pub(in crate::http) apps: Vec<ApplicationItem>,
    pub(in crate::http) sessions: Vec<SessionItem>,
    pub(in crate::http) devices: Vec<DeviceItem>,
    pub(in crate::http) hosts: Vec<HostItem>,
}

/// An application to open, as the account page lists it.
pub(in crate::http) struct LaunchItem {
    pub(in crate::http) address: String,
    pub(in crate::http) mark: ClientMark,
    pub(in crate::http) name: String,
}

impl LaunchItem {
    fn of(view: &impl View, all: Vec<Launchable>) -> Result<Vec<Self>, StoreError> {
        let item = |Launchable { address, client, name }| {
            let mark = match &client {
                Some(id) => ClientMark::of_client(view, id, &name)?,
                // Nobody else has its host.
                None => ClientMark::of(&name, &name),
            };
            Ok(Self { address, mark, name })
        };
        all.into_iter().map(item).collect()
    }
}

/// The account page of the person who is signed in. A browser that is not signed in is redirected
/// to the sign-in page.
pub(in crate::http) async fn show(
    State(app): State<Arc<App>>,
    browser: Browser,
    device: DeviceInfo,
) -> Result<Response, PageFailure> {
    let cx = app.context();
    let Some(session) = browser.live_session(&app, &app.read()?, &cx)? else {
        return Ok(redirect::to_page(&PagePath::Login));
    };
    if session.needs_touch(&cx) {
        let id = session.id();
        app.record(move |tx, cx| session::touch(tx, cx, id, Some(&device))).await?;
    }
    page(&app, &browser, &session)
}

fn page(app: &App, browser: &Browser, session: &LiveSession) -> Result<Response, PageFailure> {
    let (view, cx) = (app.read()?, app.context());
    let connected = connections::of(&view, &cx, session, browser.language().texts())?;
    let passkeys = passkeys::of(&view, session.user())?;
    let codes = recovery_codes::left(&view, session.user())?;
    let person = session.person();
    let page = Page::of(app, browser);
    let removed = page.done == Some(Done::PasskeyRemoved);
    let accepted = removed.then(|| own_passkeys::accepted(app, session.user(), &passkeys));
    let scope = cx.rules.config.allowed(&person.roles);
    let admin = person.roles.iter().any(|role| role.as_str() == Role::ADMIN);
    Ok(templates::show_alone(&AccountPage {
        accepted,
        administers: admin || !scope.of_administration().is_empty(),
        display_name: person.display_name.to_string(),
        username: person.username.to_string(),
        email: person.email.as_ref().map(|email| email.address.to_string()),
        admin,
        issuer: app.rules().issuer.to_string(),
        launchable: LaunchItem::of(&view, launcher::of(&view, &cx, session)?)?,
        next: NextSteps::of(&view, admin, passkeys.len(), codes)?,
        codes,
        devices: devices::of(&view, &cx, session.user(), page.t)?,
        passkeys: passkeys.iter().map(|(_, passkey)| own_passkeys::item(page.t, passkey)).collect(),
        page,
        apps: connected.apps,
        sessions: connected.sessions,
        hosts: connected.hosts,
    }))
}

/// The sign-in page, for a sign-in that no client requested.
pub(in crate::http) async fn login(
    State(app): State<Arc<App>>,
    browser: Browser,
) -> Result<Response, PageFailure> {
    if browser.live_session(&app, &app.read()?, &app.present())?.is_some() {
        return Ok(redirect::to_page(&PagePath::Account));
    }
    Ok(login::page(&app, browser, SignInPrompt::to(PagePath::Account))?)
}

/// Ends the browser's session.
pub(in crate::http) async fn sign_out(
    State(app): State<Arc<App>>,
    acting: Acting,
    PageForm { browser, .. }: PageForm,
) -> Result<Response, PageFailure> {
    if let Some(holder) = browser.session(&app) {
        app.write_by(acting, move |tx, cx| session::sign_out(tx, cx, &holder)).await?;
    }
    Ok(without_session_cookie(&app, redirect::to_page(&PagePath::LoggedOut)))
}

pub(in crate::http) async fn signed_out(State(app): State<Arc<App>>, about: About) -> Response {
    let page = Page::anonymous(&app, about.language());
    templates::show(&LoggedOutPage { page, astray: false })
}

pub(in crate::http) async fn home() -> Response {
    redirect::to_page(&PagePath::Account)
}

pub(in crate::http) async fn to_account() -> Response {
    redirect::to_page(&PagePath::Account)
}

pub(in crate::http) async fn to_login() -> Response {
    redirect::to_page(&PagePath::Login)
}

/// Redirects a setup link. Its token is in the fragment, which a browser keeps across a redirect.
pub(in crate::http) async fn to_setup() -> Response {
    redirect::to_page(&PagePath::Setup)
}
