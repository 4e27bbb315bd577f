//! What keeps other sites from acting for a person.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::params::form_encode;

use crate::routes::ROUTES;
use crate::support::{Browser, Response, Server};

/// The id of nothing.
const ID: &str = "0190163d-8694-439b-aea5-966c26f8ad91";

const START: &str = "/gate/webauthn/authenticate/start";

/// Ada signs out, by a form that comes with `headers`.
async fn signs_out_with(headers: &[(&str, &str)]) -> Response {
    let (_server, mut ada) = Server::with_ada().await;
    ada.visit("/account").await;
    let csrf = form_encode([("csrf", ada.csrf.as_str())]);
    let mut request =
        Request::post("/gate/logout").header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ada.send(request.body(Body::from(csrf)).unwrap()).await
}

#[tokio::test]
async fn a_form_comes_from_a_page_of_ours() {
    for headers in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:7455")],
        &[("origin", "http://localhost:7455")],
    ] {
        assert_eq!(signs_out_with(headers).await.location(), "/gate/logged-out");
    }
}

#[tokio::test]
async fn a_form_from_anywhere_else_is_refused() {
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        // What the browser says of the site goes before the origin.
        &[("sec-fetch-site", "same-site"), ("origin", "http://localhost:7455")],
        &[("origin", "null")],
        &[("origin", "http://localhost:7456")],
        &[("origin", "https://localhost:7455")],
        &[("origin", "http://localhost")],
        &[("referer", "http://localhost:7455/gate/account")],
    ] {
        let response = signs_out_with(headers).await;

        response.refused(ErrorCode::Forbidden, Refusal::CrossSite);
    }
}

#[tokio::test]
async fn an_anti_forgery_token_belongs_to_one_browser() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    bob.visit("/account").await;
    ada.visit("/account").await;

    ada.csrf.clone_from(&bob.csrf);
    let of_another = ada.submit("/gate/logout", &[]).await;
    ada.csrf.clear();
    let none = ada.submit("/gate/logout", &[]).await;

    of_another.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
    none.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
}

/// The page was open in one tab while the person signed in in another.
#[tokio::test]
async fn a_token_from_before_sign_in_still_counts() {
    let (server, ada) = Server::with_ada().await;
    let mut browser = Browser::at_login(&server).await;
    browser.authenticator = ada.authenticator.clone();
    let before = browser.csrf.clone();
    browser.sign_in().await;

    browser.csrf = before;
    let response = browser.submit("/gate/logout", &[]).await;

    assert_eq!(response.location(), "/gate/logged-out");
}

#[tokio::test]
async fn a_script_needs_a_browser_that_the_server_knows() {
    let server = Server::new().await;
    let mut known = Browser::at_login(&server).await;
    let mut unknown = Browser::new(&server);
    unknown.csrf.clone_from(&known.csrf);

    let response = unknown.call(START, &serde_json::json!({})).await;

    response.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
    assert_eq!(known.call(START, &serde_json::json!({})).await.status, 200);
}

#[tokio::test]
async fn every_post_of_a_page_is_guarded() {
    let server = Server::new().await;

    let posted = ROUTES
        .iter()
        .filter(|(route, methods, ..)| route.starts_with("/gate/") && methods.ends_with("POST"));
    let paths: Vec<String> = posted
        .map(|(route, ..)| {
            let parts = route.split('/');
            let named =
                |part: &str| if part.starts_with('{') { ID.to_owned() } else { part.to_owned() };
            parts.map(named).collect::<Vec<_>>().join("/")
        })
        .collect();
    assert!(paths.len() > 40, "{paths:?}");
    for path in paths {
        let foreign = Request::post(&path).header("sec-fetch-site", "cross-site");
        let response = server.send(foreign.body(Body::empty()).unwrap()).await;

        response.refused(ErrorCode::Forbidden, Refusal::CrossSite);
    }
}

/// Somebody planted one of them.
#[tokio::test]
async fn two_cookies_of_one_name_are_none() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let browser = Browser::at_login(&server).await;
    let cookies = browser.cookies_for("/gate/login");
    let start = |cookies: String| {
        let request = Request::post(START)
            .header("content-type", "application/json")
            .header("sec-fetch-site", "same-origin")
            .header("x-csrf-token", &browser.csrf)
            .header("cookie", cookies);
        server.send(request.body(Body::from("{}")).unwrap())
    };

    let twice = start(format!("{cookies}; {cookies}")).await;

    twice.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
    assert_eq!(start(cookies).await.status, 200);
}
