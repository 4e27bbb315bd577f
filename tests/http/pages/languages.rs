//! The language of a page: that which the app asks for, else that of the browser, else English.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use crate::admin_pages::type_into;
use crate::support::{Browser, RelyingParty, Response, Server};

const GERMAN: (&str, &str) = ("accept-language", "de-AT, en;q=0.5");

fn is_in(response: &Response, language: &str, sentence: &str) {
    let page = response.text();
    assert!(page.contains(&format!("<html lang=\"{language}\">")), "{page}");
    assert!(page.contains(sentence), "{sentence}: {page}");
}

async fn login(server: &Server, accepted: &'static str) -> Response {
    let mut nobody = Browser::new(server);
    nobody.headers = vec![("accept-language", accepted)];
    nobody.visit("/gate/login").await
}

#[tokio::test]
async fn a_page_is_in_the_language_that_the_browser_prefers() {
    let (server, _) = Server::with_ada().await;

    for (accepted, language, button) in [
        ("de", "de", "Mit Passkey anmelden"),
        ("de-AT", "de", "Mit Passkey anmelden"),
        ("tlh, de;q=0.4, en;q=0.3", "de", "Mit Passkey anmelden"),
        ("de;q=0.3, en-GB;q=0.4", "en", "Sign in with a passkey"),
        ("de;q=0, *", "en", "Sign in with a passkey"),
        ("tlh", "en", "Sign in with a passkey"),
        ("", "en", "Sign in with a passkey"),
        (";;,=,q=,de;q=9", "en", "Sign in with a passkey"),
    ] {
        is_in(&login(&server, accepted).await, language, button);
    }
}

/// OpenID Connect Core §3.1.2.1: `ui_locales` is "ordered by preference".
#[tokio::test]
async fn an_app_asks_for_a_language_for_each_page_of_its_request() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    ada.headers = vec![("accept-language", "en")];
    let mut nobody = Browser::new(&server);
    nobody.headers.clone_from(&ada.headers);
    let wish = [("ui_locales", "tlh de-CH en")];

    let sign_in = nobody.visit(&shop.request(&wish)).await;
    let consent = ada.visit(&shop.request(&wish)).await;
    let path = consent.action();
    let redirect = ada.submit(&path, &[("decision", "deny")]).await;

    is_in(&sign_in, "de", "weiter zu <strong><bdi>");
    is_in(&consent, "de", "Die Antwort geht an");
    is_in(&consent, "de", "Wissen, dass Sie es sind, wenn Sie sich anmelden");
    is_in(&redirect, "de", "Die App bekommt keinen Zugriff.");
    is_in(&ada.visit("/account").await, "en", "Your passkeys");
    // No language of these is one in which there are pages.
    is_in(&ada.visit(&shop.request(&[("ui_locales", "tlh fr")])).await, "en", "The answer goes to");
}

#[tokio::test]
async fn the_page_without_data_is_in_the_language_of_the_app_too() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let request = shop.request(&[("ui_locales", "de")]);
    let at = ada.send(Request::get(&request).body(Body::empty()).unwrap()).await;
    let interaction = Request::get(at.location()).body(Body::empty()).unwrap();

    is_in(&ada.send_unproven(interaction).await, "de", "Diese Seite braucht JavaScript");
}

#[tokio::test]
async fn an_error_page_is_in_the_language_of_the_person() {
    let (_server, mut ada) = Server::with_ada().await;
    ada.headers = vec![GERMAN];

    let nothing = ada.visit("/gate/nothing").await;
    let unknown = ada.visit("/oauth/authorize?client_id=nobody&ui_locales=en").await;
    let twice = ada.visit("/oauth/authorize?client_id=a&client_id=b").await;

    is_in(
        &nothing,
        "de",
        "<h1>Hier ist nichts</h1>\n<p class=\"notice bad\">Diese Seite gibt es nicht.</p>",
    );
    is_in(&unknown, "en", "No client with this client_id is registered here");
    is_in(&twice, "de", "client_id kam mehr als einmal.");
}

/// What people read of a fault that a script reports is in their language; what programs get is in
/// the ASCII that RFC 6749 §5.2 demands.
#[tokio::test]
async fn errors_of_scripts_are_in_the_language_of_the_person_and_those_of_programs_in_english() {
    let (server, mut ada) = Server::with_ada().await;
    ada.headers = vec![GERMAN];
    ada.visit("/gate/login").await;
    let token = Request::post("/oauth/token")
        .header(GERMAN.0, GERMAN.1)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("grant_type=authorization_code&client_id=nobody"));

    let script = ada.call("/gate/setup", &json!({ "token": "gl_st_wrong" })).await;
    let program = server.send(token.unwrap()).await;

    assert_eq!(
        script.json()["error_description"],
        "Dieser Einrichtungslink ist hier nicht bekannt. Prüfen Sie, ob er vollständig kopiert wurde."
    );
    program.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
}

/// The words of an operator stay as they are.
#[tokio::test]
async fn a_scope_that_the_operator_describes_keeps_the_description() {
    let server = Server::with("http://localhost:7455".parse().unwrap(), |config| {
        let email = &"email".parse().unwrap();
        config.scopes.get_mut(email).unwrap().description = "Write to you".to_owned();
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    ada.headers = vec![GERMAN];

    let consent = ada.visit(&shop.request(&[("scope", "openid email")])).await;

    is_in(&consent, "de", "<span>Write to you</span>");
    is_in(&consent, "de", "Wissen, dass Sie es sind");
}

/// What an administrator is told is precise, and in their language, too.
#[tokio::test]
async fn a_refusal_of_the_administration_is_in_the_language_of_the_page() {
    let (server, mut ada) = Server::with_ada().await;
    ada.headers = vec![GERMAN];
    let added = json!({ "username": "bob", "email": "bob@example.org" });
    server.operate(axum::http::Method::POST, "/users", added).await;
    let form = ada.visit("/gate/admin/people/add").await;

    let nobody = ada.visit("/gate/admin/sessions?user=nobody").await;
    let typed = [("username", "eve"), ("email", "bob@example.org")];
    let taken = type_into(&mut ada, &form, &typed).await;

    is_in(&nobody, "de", "Es gibt keine Person mit diesem Benutzernamen.");
    assert_eq!(taken.refusal(), Some(Refusal::EmailTaken));
    is_in(&taken, "de", "Eine andere Person hat diese E-Mail-Adresse");
}
