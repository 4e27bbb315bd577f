//! `/oauth/authorize`: RFC 6749 §3.1. It checks the request, and stores it for the pages of an
//! interaction, to which it redirects the browser. A browser whose session is a cookie, and of whom
//! nothing has to be asked, goes to the client at once.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use axum::response::Response;

use crate::app::{App, AuthorizationError};
use crate::flow::authorize::Started;
use crate::flow::authorize::consent::ClientRedirect;
use crate::http::about::About;
use crate::http::destination::PagePath;
use crate::http::extract::body::{Form, Query};
use crate::http::extract::browser::Browser;
use crate::http::extract::navigation::Navigation;
use crate::http::extract::peer::Sender;
use crate::http::facts::Facts;
use crate::http::failure::{Cause, PageFailure};
use crate::http::pages::cookie::with_interaction_cookie;
use crate::http::redirect;
use crate::oauth::id::InteractionId;
use crate::oauth::params::Params;
use crate::secret::{BrowserSecret, TokenHash};
use crate::store::StoreError;

pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    _: Navigation,
    Query(params): Query,
    sender: Sender,
    headers: HeaderMap,
    about: About,
) -> Result<Response, PageFailure> {
    let asked = Asked { about, headers, params };
    if sender.head {
        let checked = app.check_authorization(&asked.params);
        return checked
            .map_or_else(|error| failed(&app, &asked, error), |()| Ok(redirect::to_head()));
    }
    start(&app, sender, &asked).await
}

/// OpenID Connect Core §3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and
/// POST methods".
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    _: Navigation,
    sender: Sender,
    headers: HeaderMap,
    about: About,
    Form(params): Form,
) -> Result<Response, PageFailure> {
    start(&app, sender, &Asked { about, headers, params }).await
}

/// A request.
struct Asked {
    about: About,
    headers: HeaderMap,
    params: Params,
}

impl Asked {
    /// The hash of the session cookie. Where a session is a key, a request shows none.
    fn session(&self, app: &App) -> Result<Option<TokenHash>, StoreError> {
        Ok(Browser::of(app, &self.headers, &Extensions::new())?.session(app))
    }
}

async fn start(app: &App, sender: Sender, asked: &Asked) -> Result<Response, PageFailure> {
    let session = asked.session(app)?;
    let sent_by = (sender.address, sender.device);
    match app.start_authorization(&asked.params, sent_by, session).await {
        Ok(Started::Granted { client, redirect: to, user }) => {
            asked.about.set(&client);
            asked.about.set_person(user);
            Ok(redirect::to_client(app, &to, asked.about.language()))
        }
        Ok(Started::Interaction(id, secret)) => Ok(to_interaction(app, id, &secret)),
        Err(error) => failed(app, asked, error),
    }
}

/// The response to a request that failed: an error page, or a redirect that carries the error to
/// the client (RFC 6749 §4.1.2.1). If nobody vouches for the client, the page leads on to it.
fn failed(app: &App, asked: &Asked, error: AuthorizationError) -> Result<Response, PageFailure> {
    let (callback, client, error, silent) = match error {
        AuthorizationError::Page { client, error } => {
            asked.about.set_if_known(client.as_ref());
            let facts = Facts::of_unproven(app, &asked.params, error.refusal())?;
            return Err(PageFailure::from(error).with_facts(facts));
        }
        AuthorizationError::Redirect { callback, client, error, silent } => {
            (callback, client, error, silent)
        }
    };
    asked.about.set(&client);
    let client_redirect = match error.refusal() {
        Some(refusal) => ClientRedirect::refused(&app.present(), &callback, refusal),
        None => ClientRedirect::failed(&app.present(), &callback),
    };
    // RFC 9700 §4.11.2: "The authorization server MUST always authenticate the user first and, with
    // the exception of the authorization request with prompt=none, prompt the user for credentials
    // when needed, before redirecting the user."
    let session = asked.session(app)?;
    if !silent && !app.vouches_for(&client, &callback, session.as_ref())? {
        let facts = Facts::of_unvouched(app, &client, client_redirect.response)?;
        return Err(PageFailure::from(error).with_facts(facts));
    }
    let mut response = redirect::to_client(app, &client_redirect, asked.about.language());
    response.extensions_mut().insert(Cause(Arc::new(error)));
    Ok(response)
}

/// The interaction that a response leads to. A browser does not get it; whoever serves the router may
/// take it up in the place of a person, as `gatelodge dev` does.
#[derive(Clone)]
pub(crate) struct StartedInteraction {
    /// Its id.
    pub(crate) id: InteractionId,
    /// The value of its cookie.
    pub(crate) secret: BrowserSecret,
}

/// Redirects a browser to an interaction, and sets the cookie that binds the interaction to it.
pub(in crate::http) fn to_interaction(
    app: &App,
    id: InteractionId,
    secret: &BrowserSecret,
) -> Response {
    let mut response = redirect::to_page(&PagePath::Interaction(id));
    response.extensions_mut().insert(StartedInteraction { id, secret: secret.clone() });
    with_interaction_cookie(app, response, id, secret)
}
