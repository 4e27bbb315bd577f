//! What a person reads of a request that leads nowhere: what was asked for, by whom, and what to do.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::RegistrationPolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::forward_auth::{NOTES, Visit, installed};
use crate::support::{Browser, RelyingParty, Response, Server, register};

const UNREGISTERED: (&str, &str) = ("response_type", "token");

async fn page(server: &Server, path: &str) -> Response {
    let response = Browser::new(server).visit(path).await;
    assert!(response.header("content-type").starts_with("text/html"));
    response
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_shown_with_the_name_of_the_app() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let uri = "https://evil.example/cb?x=1";

    let page = page(&server, &shop.request(&[("redirect_uri", uri)])).await;

    page.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    assert!(page.text().contains("It says that it is <strong><bdi>Shop</bdi></strong>"));
    assert!(page.text().contains(&format!("<bdi>{uri}</bdi>")));
    assert!(!page.text().contains("href=\"https://evil.example"));
    assert!(!page.text().contains("https://shop.example/cb"), "what is registered is for the log");
}

/// Whatever is wrong with it.
#[tokio::test]
async fn an_address_that_could_never_be_registered_is_shown_too() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    for (uri, refusal) in [
        ("urn:ietf:wg:oauth:2.0:oob", Refusal::RedirectUriOutOfBand),
        ("http://nas.local/cb", Refusal::RedirectUriPrivate),
        ("file:///cb", Refusal::RedirectUriDangerous),
    ] {
        let page = page(&server, &shop.request(&[("redirect_uri", uri)])).await;

        page.refused(ErrorCode::InvalidRequest, refusal);
        assert!(page.text().contains(&format!("<bdi>{uri}</bdi>")), "{uri}");
    }
}

#[tokio::test]
async fn a_hostile_address_is_escaped_and_bounded() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let hostile = format!("https://evil.example/<script>\u{202e}\n{}", "x".repeat(8000));

    let page = page(&server, &shop.request(&[("redirect_uri", &hostile)])).await;

    page.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriMalformed);
    assert!(page.text().contains("<bdi>Shop</bdi>"));
    assert!(page.text().contains("/&#60;script&#62;\u{fffd}\u{fffd}xxx"));
    assert!(page.text().contains("x…</bdi>"));
    assert!(page.text().len() < 8192, "{}", page.text().len());
}

#[tokio::test]
async fn an_app_with_an_old_registration_is_told_to_forget_it() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let page = page(&server, &shop.request(&[("client_id", "old-shop")])).await;

    page.refused(ErrorCode::InvalidRequest, Refusal::ClientUnknownAtAuthorize);
    assert!(page.text().contains("<bdi>old-shop</bdi>"));
    assert!(page.text().contains("it may remember a registration that is gone."));
    assert!(page.text().contains("add it again"));
}

/// The operator's mistake names the host; a role that is missing is told to the person as such.
#[tokio::test]
async fn an_application_nobody_set_up_is_told_apart_from_a_role_that_is_missing() {
    let (server, mut ada) = installed().await;

    let by_proxy = Request::get("/auth/verify")
        .header("x-forwarded-host", "evil.localhost")
        .header("accept", "text/html");
    let by_proxy = server.send(by_proxy.body(Body::empty()).unwrap()).await;
    let at_start = ada.visit("/gate/apps/start?app=evil.localhost&state=x").await;
    let without_role = Visit::default().code(&mut ada, NOTES, "/_gatelodge/start").await;

    for unknown in [by_proxy, at_start] {
        unknown.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
        assert!(unknown.text().contains("This application is not set up"));
        assert!(unknown.text().contains("<bdi>evil.localhost</bdi>"));
    }
    without_role.refused(ErrorCode::AccessDenied, Refusal::AppRoleMissing);
    assert!(without_role.text().contains("None of your roles lets you into this application."));
    assert!(without_role.text().contains("This is not for you"));
}

async fn registered(server: &Server, uri: &str, more: Value) -> RelyingParty {
    let mut metadata = json!({ "client_name": "Stranger", "redirect_uris": [uri] });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    RelyingParty::new(server, &register(server, metadata).await.json())
}

/// RFC 9700 §4.11.2
#[tokio::test]
async fn an_error_of_a_client_that_registered_itself_waits_for_the_person() {
    let server = Server::new().await;
    let stranger = registered(&server, "https://stranger.example/cb", json!({})).await;
    let form_post = ("response_mode", "form_post");

    let linked = page(&server, &stranger.request(&[UNREGISTERED])).await;
    let posted = page(&server, &stranger.request(&[UNREGISTERED, form_post])).await;

    for page in [&linked, &posted] {
        page.refused(ErrorCode::UnsupportedResponseType, Refusal::ResponseTypeUnsupported);
        assert!(page.redirect_url().is_none(), "nothing goes on by itself");
        assert!(!page.text().contains("form_post.js"));
        assert!(page.text().contains("Nobody here vouches for this app."));
        assert!(page.text().contains("It says that it is <strong><bdi>Stranger</bdi></strong>"));
        assert!(page.text().contains("Go on to <bdi>stranger.example</bdi>"));
    }
    let link = "href=\"https://stranger.example/cb?error=unsupported_response_type&#38;";
    assert!(linked.text().contains(link), "{}", linked.text());
    assert!(linked.text().contains("&#38;state=s-1&#38;iss="));
    assert!(
        posted.text().contains("<form method=\"post\" action=\"https://stranger.example/cb\">")
    );
    assert_eq!(posted.hidden("error").as_deref(), Some("unsupported_response_type"));
    assert!(!posted.header("content-security-policy").contains("form-action"));
    assert!(linked.header("content-security-policy").contains("form-action 'self'"));
}

#[tokio::test]
async fn what_somebody_vouches_for_or_must_be_silent_is_redirected() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let native =
        registered(&server, "http://127.0.0.1/cb", json!({ "token_endpoint_auth_method": "none" }));
    let native = native.await;
    let stranger = registered(&server, "https://stranger.example/cb", json!({})).await;

    for request in [
        shop.request(&[UNREGISTERED]),
        native.request(&[UNREGISTERED]),
        stranger.request(&[UNREGISTERED, ("prompt", "none")]),
    ] {
        let response = server.get(&request).await;

        assert_eq!(response.status, 303, "{request}");
        assert_eq!(response.brought()["error"], "unsupported_response_type");
    }
}

/// Where the session is a cookie, the request shows whose it is.
#[tokio::test]
async fn a_person_who_allowed_the_client_before_vouches_for_it() {
    let server = Server::with("https://id.example".parse::<Issuer>().unwrap(), |config| {
        config.registration.policy = Some(RegistrationPolicy::Open);
    })
    .await;
    let mut ada = server.first_administrator().await;
    let mut bob = server.person("bob").await;
    let stranger = registered(&server, "https://stranger.example/cb", json!({})).await;
    let request = stranger.request(&[UNREGISTERED]);

    let before = ada.visit(&request).await;
    stranger.code(&mut ada).await;
    let after = ada.visit(&request).await;
    let of_another = bob.visit(&request).await;

    assert!(before.redirect_url().is_none());
    assert_eq!(after.brought()["error"], "unsupported_response_type");
    assert!(of_another.redirect_url().is_none());
}

/// Nobody is redirected either who declines before they have signed in.
#[tokio::test]
async fn who_declines_at_the_sign_in_of_such_a_client_goes_back_by_a_button() {
    let server = Server::new().await;
    let (shop, stranger) = (
        RelyingParty::web(&server).await,
        registered(&server, "https://stranger.example/cb", json!({})).await,
    );
    let mut nobody = Browser::new(&server);

    let page = nobody.visit(&stranger.request(&[])).await;
    let declined = nobody.decide(&page, "deny").await;
    let page = nobody.visit(&shop.request(&[])).await;
    let of_shop = nobody.decide(&page, "deny").await;

    assert_eq!(declined.refusal(), Some(Refusal::PersonDeclined));
    assert!(declined.redirect_url().is_none());
    assert!(declined.text().contains("Nobody here vouches for this app."));
    assert!(declined.text().contains("href=\"https://stranger.example/cb?error=access_denied"));
    assert_eq!(of_shop.brought()["error"], "access_denied");
}
