//! The layer around the pages of an issuer whose sessions are keys in the origin's storage.
//!
//! It verifies the proofs of a request. A request for a page that no script sent is answered with a
//! page without data, which is the same for everyone: its script (`prove.js`) sends the request
//! again with the proof, and displays the page that it gets.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::interaction;
use super::outcome;
use super::templates::{self, Page, ProvePage, SilentPage};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::authorize::step::{self, PresentedInteraction};
use crate::http::about::About;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::extract::outcomes::Outcomes;
use crate::http::extract::session_proof::{self, Unproven};
use crate::http::failure::{NegotiatedFailure, PageFailure};
use crate::http::redirect;

/// The header with a challenge for the next proof.
const CHALLENGE: &str = "gatelodge-challenge";

/// Verifies the proofs of a request, and answers one that has yet to bring them.
pub(in crate::http) async fn prove(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    if !app.rules().session_is_key() {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let outcomes = Outcomes::of(&app.rules().issuer, request.headers());
    let head = request.method() == Method::HEAD;
    let about = About::of(request.extensions());
    let is_script = session_proof::storage(request.headers()).is_some();
    let mut response = match session_proof::verify(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(error) => refused(error),
    };
    if let Some(unproven) = response.extensions_mut().remove::<Unproven>() {
        let page = page(&app, (&path, head), &about, &outcomes, unproven).await;
        response = page.unwrap_or_else(PageFailure::into_response);
        if head {
            *response.body_mut() = Body::empty();
        }
    } else if is_script {
        response = redirect::for_script(response);
    }
    let challenge = HeaderValue::from_str(&app.session_challenge());
    response.headers_mut().insert(CHALLENGE, challenge.expect("base64url is a header value"));
    response
}

/// The refusal of a proof. The header tells the script that another proof may serve, as
/// `use_dpop_nonce` does (RFC 9449 §9).
fn refused(error: Error) -> Response {
    let mut response = NegotiatedFailure::from(error).into_response();
    let value = HeaderValue::from_static("Gatelodge-Proof");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    response
}

/// The page without data.
async fn page(
    app: &App,
    (path, head): (&str, bool),
    about: &About,
    outcomes: &Outcomes,
    unproven: Unproven,
) -> Result<Response, PageFailure> {
    let challenge = app.session_challenge();
    if let Some(presented) = unproven.interaction {
        return at_interaction(app, (challenge, head), about, outcomes, presented).await;
    }
    let language = about.language();
    let page = ProvePage { page: Page::anonymous(app, language), challenge };
    let alone = ["/gate/account", AdminPath::ROOT].iter().any(|own| path.starts_with(own))
        || path == PagePath::Setup.to_string();
    Ok(if alone { templates::show_alone(&page) } else { templates::show(&page) })
}

async fn at_interaction(
    app: &App,
    (challenge, head): (String, bool),
    about: &About,
    outcomes: &Outcomes,
    presented: PresentedInteraction,
) -> Result<Response, PageFailure> {
    let looks = step::unproven(&app.read()?, &app.present(), &presented);
    let looks = match looks {
        Err(Error::Refused(Refusal::InteractionOfAnotherBrowser))
            if presented.browser.is_none() && !head =>
        {
            return interaction::refuse_without_cookie(app, presented, about.language()).await;
        }
        Err(Error::Refused(Refusal::InteractionUnknown))
            if let Some(outcome) = outcomes.about(&presented.interaction) =>
        {
            return Ok(outcome::show(app, about.language(), outcome)?);
        }
        looks => looks?,
    };
    about.prefer(looks.ui_locales.iter().map(String::as_str));
    let language = about.language();
    let mut response = match &looks.silent {
        Some(_) => templates::show(&SilentPage { page: Page::anonymous(app, language), challenge }),
        None => templates::show(&ProvePage { page: Page::anonymous(app, language), challenge }),
    };
    let ancestor = looks.silent.and_then(|uri| uri.origin());
    let policy = templates::content_security_policy(looks.form_post, ancestor.as_deref());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
