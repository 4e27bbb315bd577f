//! Where people may name their e-mail address: at setup, on the account page, and where they consent
//! to `email`.

use axum::http::Method;
use gatelodge::error::Refusal;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Response, Server, decoded};

async fn user(server: &Server, username: &str) -> Value {
    server.operate(Method::GET, &format!("/users/{username}"), json!({})).await.json()
}

/// Makes a passkey by a link, with an e-mail address typed on the page.
async fn enrol(browser: &mut Browser, link: &Value, username: Value, email: &str) -> Response {
    let token = browser.open_link(link["setup_url"].as_str().unwrap()).await;
    let start = json!({ "token": token, "username": username, "email": email });
    match browser.started_passkey(&start).await {
        Ok(made) => browser.finish_setup(&made).await,
        Err(refused) => *refused,
    }
}

#[tokio::test]
async fn the_setup_page_takes_an_address_that_nobody_vouches_for() {
    let server = Server::new().await;
    let link = server.operate(Method::POST, "/recover", json!({})).await.json();
    let mut ada = Browser::new(&server);
    enrol(&mut ada, &link, "ada".into(), " ada@id.example ").await;
    let link = server.operate(Method::POST, "/users", json!({ "username": "bob" })).await.json();
    let mut bob = Browser::new(&server);

    let taken = enrol(&mut bob, &link, Value::Null, "ADA@id.example").await;
    let malformed = enrol(&mut bob, &link, Value::Null, "ada").await;
    let done = enrol(&mut bob, &link, Value::Null, "bob@id.example").await;

    let (ada, bob) = (user(&server, "ada").await, user(&server, "bob").await);
    assert_eq!((&ada["email"], &ada["email_verified"]), (&"ada@id.example".into(), &false.into()));
    assert_eq!((&bob["email"], &bob["email_verified"]), (&"bob@id.example".into(), &false.into()));
    assert_eq!(
        (taken.refusal(), malformed.refusal()),
        (Some(Refusal::EmailTaken), Some(Refusal::EmailMalformed),)
    );
    assert_eq!(done.status, 200);
}

/// The address of an operator counts, and a link to get back in changes nothing else.
#[tokio::test]
async fn the_setup_page_asks_nobody_who_has_an_address_and_nobody_who_comes_back() {
    let (server, _ada) = Server::with_ada().await;
    let person = json!({ "username": "bob", "email": "bob@id.example" });
    let invited = server.operate(Method::POST, "/users", person).await.json();
    let recovered =
        server.operate(Method::POST, "/recover", json!({ "username": "ada" })).await.json();

    for link in [&invited, &recovered] {
        let mut browser = Browser::new(&server);
        let token = browser.open_link(link["setup_url"].as_str().unwrap()).await;
        let seen = browser.call("/gate/setup", &json!({ "token": token })).await.json();
        enrol(&mut browser, link, Value::Null, "eve@id.example").await;

        assert_eq!(seen["takes_email"], false);
    }
    assert_eq!(user(&server, "bob").await["email"], "bob@id.example");
    assert_eq!(user(&server, "ada").await["email"], json!(null));
}

#[tokio::test]
async fn the_account_page_sets_and_removes_an_address() {
    let (server, mut ada) = Server::with_ada().await;
    ada.visit("/account").await;

    let set = ada
        .submit("/gate/account/profile", &[("display_name", "ada"), ("email", " ada@id.example ")])
        .await;
    let page = ada.visit("/gate/account/profile").await;
    let during = user(&server, "ada").await;
    ada.submit("/gate/account/profile", &[("display_name", "ada"), ("email", "")]).await;
    let after = user(&server, "ada").await;

    assert_eq!((set.status.as_u16(), set.location()), (303, "/gate/account"));
    assert!(page.text().contains("value=\"ada@id.example\""));
    assert_eq!((&during["email"], &after["email"]), (&"ada@id.example".into(), &json!(null)));
}

#[tokio::test]
async fn the_account_page_says_beside_the_field_what_is_wrong_with_an_address() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = json!({ "username": "bob", "email": "bob@id.example" });
    server.operate(Method::POST, "/users", bob).await;
    ada.visit("/account").await;

    let malformed =
        ada.submit("/gate/account/profile", &[("display_name", "ada"), ("email", "a<b")]).await;
    let taken = ada
        .submit("/gate/account/profile", &[("display_name", "ada"), ("email", "BOB@id.example")])
        .await;

    assert_eq!(malformed.refusal(), Some(Refusal::EmailMalformed));
    assert!(malformed.text().contains("This is no e-mail address."));
    assert!(malformed.text().contains("value=\"a&#60;b\""));
    assert_eq!(taken.refusal(), Some(Refusal::EmailTaken));
    assert!(taken.text().contains("This e-mail address cannot be used here."));
    assert!(taken.text().contains("aria-invalid=\"true\"") && !taken.text().contains("bob "));
    assert_eq!(user(&server, "ada").await["email"], json!(null));
}

#[tokio::test]
async fn nobody_sets_an_address_without_a_session() {
    let (server, _ada) = Server::with_ada().await;
    let mut nobody = Browser::new(&server);
    nobody.visit("/login").await;

    let response = nobody
        .submit("/gate/account/profile", &[("display_name", "ada"), ("email", "ada@id.example")])
        .await;

    assert_eq!(response.location(), "/gate/account/profile");
    assert!(nobody.visit("/gate/account/profile").await.asks_to_sign_in());
}

/// Dex and oauth2-proxy fail without the claim, and say 500.
#[tokio::test]
async fn consent_for_an_address_that_is_missing_says_so_and_takes_one() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = json!({ "username": "bob", "email": "bob@id.example" });
    server.operate(Method::POST, "/users", bob).await;
    let shop = RelyingParty::web(&server).await;
    let request = shop.request(&[("scope", "openid email")]);

    let other = ada.visit(&shop.request(&[("scope", "openid")])).await;
    let page = ada.visit(&request).await;
    let (action, scope) = (page.action(), page.hidden("scope").unwrap());
    let allow = |email| [("scope", "email openid"), ("decision", "allow"), ("email", email)];
    let taken = ada.submit(&action, &allow("Bob@id.example")).await;
    let malformed = ada.submit(&action, &allow("ada")).await;
    let allowed = ada.submit(&action, &allow("ada@id.example")).await;

    assert!(!other.text().contains("name=\"email\""));
    assert!(page.text().contains("you have none here") && page.text().contains("name=\"email\""));
    assert_eq!(scope, "email openid");
    assert_eq!(taken.refusal(), Some(Refusal::EmailTaken));
    assert!(
        taken.text().contains("you have none here") && taken.text().contains("cannot be used here")
    );
    assert_eq!(malformed.refusal(), Some(Refusal::EmailMalformed));
    assert!(malformed.text().contains("value=\"ada\""));
    let tokens = shop.redeem(&allowed.brought()["code"]).await.tokens();
    let claims = decoded(tokens.id()).1;
    assert_eq!(
        (&claims["email"], &claims["email_verified"]),
        (&"ada@id.example".into(), &false.into(),)
    );
    let again = ada.visit(&shop.request(&[("scope", "openid email"), ("prompt", "consent")])).await;
    assert!(again.asks_for_consent() && !again.text().contains("name=\"email\""));
}

#[tokio::test]
async fn consent_without_an_address_is_no_less_a_consent() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let page = ada.visit(&shop.request(&[("scope", "openid email")])).await;
    let allow = [("scope", "email openid"), ("decision", "allow"), ("email", "")];
    let allowed = ada.submit(&page.action(), &allow).await;

    let tokens = shop.redeem(&allowed.brought()["code"]).await.tokens();
    assert_eq!((&*tokens.scope, decoded(tokens.id()).1.get("email")), ("email openid", None));
    assert_eq!(user(&server, "ada").await["email"], json!(null));
}

/// What is typed and not allowed is nobody's business.
#[tokio::test]
async fn an_address_typed_beside_a_no_is_not_stored() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let page = ada.visit(&shop.request(&[("scope", "openid email")])).await;
    let deny = [("scope", "email openid"), ("decision", "deny"), ("email", "nonsense")];
    let denied = ada.submit(&page.action(), &deny).await;

    assert_eq!(denied.refusal(), Some(Refusal::PersonDeclined));
    assert_eq!(user(&server, "ada").await["email"], json!(null));
}

#[tokio::test]
async fn a_device_that_asks_for_an_address_gets_one_too() {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let asked = [("scope", "openid email")];
    let device = telly.post("/oauth/device_authorization", &asked).await.json();
    let code = device["user_code"].as_str().unwrap();
    let page = ada.submit("/gate/device", &[("user_code", code)]).await;
    let allow = |email| {
        let scope = ("scope", "email openid");
        [("user_code", code), scope, ("decision", "allow"), ("email", email)]
    };

    let malformed = ada.submit("/gate/device", &allow("ada")).await;
    ada.submit("/gate/device", &allow("ada@id.example")).await;

    assert!(page.text().contains("you have none here"));
    assert_eq!(malformed.refusal(), Some(Refusal::EmailMalformed));
    assert!(malformed.text().contains("This is no e-mail address."));
    let tokens = telly.poll(&device).await.tokens();
    assert_eq!(decoded(tokens.id()).1["email"], "ada@id.example");
}
