//! The administrator at a page, and what they ask of the operations.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

use super::drafts::Drafts;
use super::frame::Frame;
use super::refused::{Fault, Refused};
use crate::admin::{self, Asker, Reported};
use crate::app::App;
use crate::error::{Error, Internal, Refusal};
use crate::http::about::About;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::extract::body::Query;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::extract::peer::ClientAddress;
use crate::http::failure::PageFailure;
use crate::http::pages::login::{self, SignInPrompt};
use crate::http::pages::templates::Page;
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::oauth::id::SessionId;
use crate::oauth::params::{Params, form_encode, segment_encode};

/// The parameter that names the form that fills in a page.
const DRAFT: &str = "draft";

/// What else of an address fills in a form: which form it is, and what is searched for.
const CHOICES: [&str; 3] = ["app", "by", "q"];

/// The most bytes of a view.
const MAX_VIEW: usize = 64 << 20;

/// The operations of the administration, in process, and the forms that are kept for them.
#[derive(Clone)]
pub(super) struct Operations {
    drafts: Drafts,
    router: Router,
}

impl Operations {
    pub(super) fn of(app: &Arc<App>) -> Self {
        let router = admin::operations().with_state(Arc::clone(app));
        Self { drafts: Drafts::default(), router }
    }
}

/// A person at a page of the administration whose roles let them in there.
pub(super) struct Administrator {
    app: Arc<App>,
    asker: Asker,
    browser: Browser,
    /// The page.
    pub(super) here: AdminPath,
    is_recent: bool,
    /// Whether the form of the page is filled with what was typed before another sign-in.
    is_refilled: bool,
    name: String,
    operations: Operations,
    /// The query of the request; after a POST, that of its address.
    pub(super) query: Params,
    /// Their session.
    pub(super) session: SessionId,
}

impl Administrator {
    /// The values that every page of the administration needs.
    pub(super) fn frame(&self) -> Frame {
        let frame = Frame::new(&self.asker, &self.here, self.name.clone());
        Frame { not_sent: self.is_refilled, ..frame }
    }

    /// The values that every page needs.
    pub(super) fn page(&self) -> Page {
        Page::of(&self.app, &self.browser)
    }

    /// The texts of the page.
    pub(super) fn texts(&self) -> &'static Texts {
        self.browser.language().texts()
    }

    /// The application, for what no operation says.
    pub(super) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Whether they have one of these scopes of the administration, or all of it.
    pub(super) fn may(&self, scopes: &[&str]) -> bool {
        self.asker.may(scopes)
    }

    /// The view that an operation without a body returns.
    pub(super) async fn get<V: DeserializeOwned>(&self, path: &str) -> Result<V, Refused> {
        viewed(&self.call(Method::GET, path, Body::empty()).await?)
    }

    /// Does something by an operation, and returns its view.
    pub(super) async fn send<V: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<V, Refused> {
        let body = serde_json::to_vec(body).map_err(Refused::internal)?;
        viewed(&self.call(method, path, body.into()).await?)
    }

    /// Removes or ends something by an operation.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Refused> {
        self.call(Method::DELETE, path, Body::empty()).await.map(drop)
    }

    async fn call(&self, method: Method, path: &str, body: Body) -> Result<Bytes, Refused> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .extension(self.asker.clone())
            .body(body)
            .map_err(Refused::internal)?;
        let Ok(mut response) = self.operations.router.clone().oneshot(request).await;
        if let Some(Reported(error, _)) = response.extensions_mut().remove() {
            return Err(Refused::by(error));
        }
        if !response.status().is_success() {
            return Err(Refused::of(Refusal::PageNotFound));
        }
        to_bytes(response.into_body(), MAX_VIEW).await.map_err(Refused::internal)
    }

    /// The page of a form that was refused: `page` with what was wrong, or, where the sign-in has grown
    /// old meanwhile, the way to another one, from which the form comes back filled.
    pub(super) fn again(
        &self,
        refused: Refused,
        form: &Params,
        page: impl FnOnce(Fault) -> Result<Response, PageFailure>,
    ) -> Result<Response, PageFailure> {
        if refused.refusal() == Some(Refusal::SignInStale) {
            return Ok(redirect::to_page(&PagePath::Admin(self.filled(form))));
        }
        if !refused.is_about_request() {
            return Err(refused.into());
        }
        let page = page(refused.fault(self.texts()))?;
        Ok(refused.beside(page))
    }

    /// This page, with what was typed into its form. The address names the form alone.
    fn filled(&self, form: &Params) -> AdminPath {
        let is_empty = form.names().all(|name| name == "csrf");
        let Some(holder) = self.browser.id(&self.app).filter(|_| !is_empty) else {
            return self.here.with_query([]);
        };
        let (cx, path) = (self.app.context(), self.here.path());
        let name = self.operations.drafts.keep(&cx, holder, path, form.clone());
        self.here.with_query([(DRAFT, name.as_str())])
    }

    /// Fills in the form of the page: with what this browser typed into it before another sign-in. A
    /// link fills in nothing but a choice. Otherwise it could fill in what somebody else wants, and
    /// stand before an administrator who presses the button.
    fn fill(&mut self) -> Result<(), Refusal> {
        let (drafts, now) = (&self.operations.drafts, self.app.context().now);
        let named = self.query.one(DRAFT)?.zip(self.browser.id(&self.app));
        let draft = named.and_then(|(name, own)| drafts.find(now, &own, self.here.path(), name));
        self.is_refilled = draft.is_some();
        self.query = match draft {
            Some(form) => form,
            None => {
                let choices = self.query.pairs().filter(|(name, _)| CHOICES.contains(name));
                Params::parse(form_encode(choices).as_bytes())?
            }
        };
        Ok(())
    }

    /// The administrator of a request, or the page that leads to a sign-in.
    async fn read(app: &Arc<App>, parts: &mut Parts, browser: Browser) -> Result<Self, Response> {
        let failed = |error: Error| PageFailure::from(error).into_response();
        let here = AdminPath::requested(&parts.uri);
        let here = here.ok_or_else(|| failed(Refusal::PageNotFound.into()))?;
        let operations = parts.extensions.get::<Operations>().cloned();
        let operations = operations.ok_or_else(|| {
            failed(Internal::new("a page of the administration without operations").into())
        })?;
        let query = Query::from_request_parts(parts, app).await;
        let Query(query) = query.map_err(PageFailure::into_response)?;
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, app).await;
        let cx = app.context_of(Acting::stranger(address));
        let session = app
            .read()
            .and_then(|view| browser.live_session(app, &view, &cx))
            .map_err(|error| failed(error.into()))?;
        let (Some(session), Some(holder)) = (session, browser.session(app)) else {
            let next = SignInPrompt::to(PagePath::Admin(here));
            return Err(login::page(app, browser, next).unwrap_or_else(failed));
        };
        let asker =
            Asker::at_page(&cx, &session, holder).map_err(|refusal| failed(refusal.into()))?;
        About::of(&parts.extensions).set_administrator(asker.actor());
        Ok(Self {
            app: Arc::clone(app),
            asker,
            browser,
            here,
            is_recent: session.is_recent(&cx),
            is_refilled: false,
            name: session.person().display_name.to_string(),
            operations,
            query,
            session: session.id(),
        })
    }
}

impl FromRequestParts<Arc<App>> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let browser = Browser::from_request_parts(parts, app).await?;
        Self::read(app, parts, browser).await
    }
}

/// An administrator who has signed in a moment ago: for a page whose form changes something. Anybody
/// else gets the sign-in page, which leads back.
pub(super) struct RecentAdministrator(pub(super) Administrator);

impl FromRequestParts<Arc<App>> for RecentAdministrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let mut administrator = Administrator::from_request_parts(parts, app).await?;
        if administrator.is_recent {
            let filled = administrator.fill();
            filled.map_err(|refusal| PageFailure::from(refusal).into_response())?;
            return Ok(Self(administrator));
        }
        let Administrator { browser, here, name, .. } = administrator;
        let again = SignInPrompt::again(name, PagePath::Admin(here));
        let page = login::page(app, browser, again);
        Err(page.unwrap_or_else(|error| PageFailure::from(error).into_response()))
    }
}

/// A form of a page of the administration.
pub(super) struct AdministratorForm {
    pub(super) administrator: Administrator,
    pub(super) form: Params,
}

impl FromRequest<Arc<App>> for AdministratorForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let form = PageForm::from_request(request, app).await;
        let PageForm { browser, form } = form.map_err(PageFailure::into_response)?;
        let administrator = Administrator::read(app, &mut parts, browser).await?;
        if let Some(own) = administrator.browser.id(app) {
            administrator.operations.drafts.forget(&own, administrator.here.path());
        }
        Ok(Self { administrator, form })
    }
}

fn viewed<V: DeserializeOwned>(body: &[u8]) -> Result<V, Refused> {
    serde_json::from_slice(body).map_err(Refused::internal)
}

/// The path of the operations of one thing, by its name.
pub(super) fn path_of(noun: &str, name: &str) -> String {
    format!("/api/v1/{noun}/{}", segment_encode(name))
}
