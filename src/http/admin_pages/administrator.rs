//! The administrator at a page, and what they ask of the operations.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use tower::ServiceExt as _;

use super::frame::Frame;
use crate::admin::{self, Asker, Reported};
use crate::app::App;
use crate::error::{Error, ErrorCode, Internal, Refusal};
use crate::http::about::About;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::extract::body::Query;
use crate::http::extract::browser::Browser;
use crate::http::extract::own_page::PageForm;
use crate::http::extract::peer::ClientAddress;
use crate::http::failure::{Cause, PageFailure};
use crate::http::pages::login::{self, SignInPrompt};
use crate::http::pages::templates::Page;
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::oauth::id::SessionId;
use crate::oauth::params::{Params, form_encode, segment_encode};
use crate::secret::{TokenHash, hex};

/// The most bytes of a form that comes back in the address of its page.
const MAX_FILLED: usize = 4096;

/// The parameter that shows that this server made the address of a filled form.
const MARK: &str = "mark";

/// What may stand in the address of a form without that: which form it is, and what is searched for.
const CHOICES: [&str; 3] = ["app", "by", "q"];

/// The most bytes of a view.
const MAX_VIEW: usize = 64 << 20;

/// The operations of the administration, in process.
#[derive(Clone)]
pub(super) struct Operations(Router);

impl Operations {
    pub(super) fn of(app: &Arc<App>) -> Self {
        Self(admin::operations().with_state(Arc::clone(app)))
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
    /// Whether this server filled the form of the page with what was typed before another sign-in.
    is_refilled: bool,
    name: String,
    operations: Operations,
    /// The query of the request; after a POST, that of its address.
    pub(super) query: Params,
    /// Their session.
    pub(super) session: SessionId,
}

/// Why an operation did nothing.
pub(super) struct Refused(Arc<Error>);

impl Refused {
    /// The refusal; `None`: a fault of this server.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.0.refusal()
    }

    /// What it says to an administrator: the precise reason, and what it may have meant.
    pub(super) fn sentence(&self, t: &Texts) -> String {
        // Of what stands in one field, the pages have words of their own.
        match self.refusal() {
            Some(Refusal::CatalogueUrlUnfit) => t.beside.hints.url_unfit().plain(),
            Some(Refusal::EmailMalformed) => t.beside.hints.email_unfit().plain(),
            Some(Refusal::MemberMalformed("uses", _)) => t.beside.hints.uses_unfit().plain(),
            // Whoever has an app at home gets no further by the reason alone.
            Some(Refusal::RedirectUriPrivate) => {
                format!("{} {}", t.precise(&self.0), t.admin.list.use_https().plain())
            }
            _ => t.precise(&self.0),
        }
    }
}

impl Refused {
    /// What a page itself refuses.
    pub(super) fn of(refusal: Refusal) -> Self {
        Self(Arc::new(refusal.into()))
    }

    /// Whether it is about what was asked, so that the page can be shown beside it.
    pub(super) fn is_about_request(&self) -> bool {
        let status = self.0.code().status();
        self.refusal().is_some() && (400..500).contains(&status) && status != 403
    }

    /// The page that shows it.
    pub(super) fn beside(self, mut page: Response) -> Response {
        let status = StatusCode::from_u16(self.0.code().status());
        *page.status_mut() = status.unwrap_or(StatusCode::BAD_REQUEST);
        page.extensions_mut().insert(Cause(self.0));
        page
    }
}

impl From<Refused> for PageFailure {
    fn from(Refused(error): Refused) -> Self {
        // The pages know no token.
        if error.code() == ErrorCode::InsufficientScope {
            return Refusal::AdministrationClosed.into();
        }
        Self::reported(error)
    }
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
        self.call(Method::GET, path, Body::empty()).await
    }

    /// Does something by an operation, and returns its view.
    pub(super) async fn send<V: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<V, Refused> {
        let body = serde_json::to_vec(body).map_err(Refused::fault)?;
        self.call(method, path, body.into()).await
    }

    /// Removes or ends something by an operation.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Refused> {
        self.call(Method::DELETE, path, Body::empty()).await.map(|_: serde::de::IgnoredAny| ())
    }

    async fn call<V: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<V, Refused> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .extension(self.asker.clone())
            .body(body)
            .map_err(Refused::fault)?;
        let Ok(mut response) = self.operations.0.clone().oneshot(request).await;
        if let Some(Reported(error, _)) = response.extensions_mut().remove() {
            return Err(Refused(error));
        }
        if !response.status().is_success() {
            return Err(Refused(Arc::new(Refusal::PageNotFound.into())));
        }
        let body = to_bytes(response.into_body(), MAX_VIEW).await.map_err(Refused::fault)?;
        serde_json::from_slice(&body).map_err(Refused::fault)
    }

    /// The page of a form that was refused: `page` with what was wrong, or, where the sign-in has grown
    /// old meanwhile, the way to another one, from which the form comes back filled.
    pub(super) fn again(
        &self,
        refused: Refused,
        form: &Params,
        page: impl FnOnce(String) -> Result<Response, PageFailure>,
    ) -> Result<Response, PageFailure> {
        if refused.refusal() == Some(Refusal::SignInStale) {
            return Ok(redirect::to_page(&PagePath::Admin(self.filled(form))));
        }
        if !refused.is_about_request() {
            return Err(refused.into());
        }
        let page = page(refused.sentence(self.texts()))?;
        Ok(refused.beside(page))
    }

    /// This page, with what was typed into its form.
    fn filled(&self, form: &Params) -> AdminPath {
        let typed = || form.pairs().filter(|(name, _)| !["csrf", MARK].contains(name));
        if typed().next().is_none() {
            return self.here.with_query([]);
        }
        let mark = self.mark(&self.here.with_query(typed()));
        let filled = self.here.with_query(typed().chain([(MARK, mark.as_str())]));
        if filled.to_string().len() > MAX_FILLED { self.here.with_query([]) } else { filled }
    }

    /// What shows that a filled form is of this browser. Otherwise a link could fill in what somebody
    /// else wants, and stand before an administrator who presses the button.
    fn mark(&self, filled: &AdminPath) -> String {
        let holder = self.browser.id(&self.app).map(TokenHash::to_bytes);
        let filled = filled.to_string();
        let bound = [holder.as_ref().map_or(&[][..], |id| id.as_slice()), filled.as_bytes()];
        let mac = self.app.rules().pepper.hash_parts("filled form", &bound.concat());
        hex(&mac.to_bytes())
    }

    /// The query of a page with a form: filled in only by this server for this browser.
    fn trusted(&self) -> Result<Params, Refusal> {
        let query = || self.query.pairs().filter(|(name, _)| *name != MARK);
        let mark = self.mark(&self.here.with_query(query()));
        let presented = self.query.one(MARK)?.unwrap_or_default();
        if mark.as_bytes().ct_eq(presented.as_bytes()).into() {
            return Ok(self.query.clone());
        }
        let choices = query().filter(|(name, _)| CHOICES.contains(name));
        Params::parse(form_encode(choices).as_bytes())
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

impl Refused {
    fn fault(error: impl std::fmt::Display) -> Self {
        Self(Arc::new(Internal::new(error).into()))
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
            let trusted = administrator.trusted();
            administrator.query =
                trusted.map_err(|refusal| PageFailure::from(refusal).into_response())?;
            // Without a good mark, none is left of it.
            administrator.is_refilled = administrator.query.names().any(|name| name == MARK);
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
        Ok(Self { administrator, form })
    }
}

/// The path of the operations of one thing, by its name.
pub(super) fn path_of(noun: &str, name: &str) -> String {
    format!("/api/v1/{noun}/{}", segment_encode(name))
}
