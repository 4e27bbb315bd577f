//! The `claims` parameter: what is asked for by name.

use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Server, Tokens, address, decoded};

/// What a request with these claims leads to.
async fn tokens(shop: &RelyingParty, ada: &mut Browser, scope: &str, claims: &Value) -> Tokens {
    let claims = claims.to_string();
    let response = shop.authorize(ada, &[("scope", scope), ("claims", &claims)]).await;
    shop.redeem(&response.brought()["code"]).await.tokens()
}

/// OpenID Connect Core §5.5
#[tokio::test]
async fn each_place_tells_what_was_asked_of_it_by_name() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server.change_person("ada", |ada| ada.email = address("ada@id.example")).await;
    let claims = json!({
        "id_token": { "name": null, "auth_time": { "essential": true }, "address": null },
        "userinfo": { "email": { "essential": true }, "picture": null },
    });

    let first = tokens(&shop, &mut ada, "openid offline_access", &claims).await;
    let second = shop.refresh(first.refresh()).await.tokens();

    assert_eq!(first.scope, "offline_access openid");
    for tokens in [first, second] {
        let id = decoded(tokens.id()).1;
        let userinfo = shop.userinfo(&tokens.access).await.json();
        assert_eq!((&id["name"], id.get("email")), (&json!("ada"), None));
        assert_eq!(id.get("preferred_username"), None);
        assert!(id["auth_time"].is_u64());
        assert_eq!(userinfo, json!({ "sub": id["sub"], "email": "ada@id.example" }));
    }
}

#[tokio::test]
async fn consent_says_what_is_asked_for_by_name_and_remembers_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    let claims = json!({ "userinfo": { "email": null } }).to_string();
    let by_name = ("claims", claims.as_str());

    let silent = ada.visit(&shop.request(&[by_name, ("prompt", "none")])).await;
    let page = ada.visit(&shop.request(&[by_name])).await;
    let allowed = ada.decide(&page, "allow").await;
    let again = ada.visit(&shop.request(&[by_name, ("prompt", "none")])).await;

    silent.refused(ErrorCode::ConsentRequired, Refusal::ConsentNeeded);
    assert!(page.asks_for_consent() && page.text().contains("See your e-mail address"));
    let tokens = shop.redeem(&allowed.brought()["code"]).await.tokens();
    assert_eq!(tokens.scope, "offline_access openid");
    assert!(again.brought().contains_key("code"));
}

#[tokio::test]
async fn nothing_is_told_by_name_that_the_client_could_not_have_by_scope() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Shop", "redirect_uris": ["https://shop.example/cb"], "scope": "openid email",
    });
    let shop = server.client(registration).await;
    server.change_person("ada", |ada| ada.email = address("ada@id.example")).await;
    let claims = json!({
        "id_token": { "name": null, "email": null }, "userinfo": { "name": null, "email": null },
    });

    let tokens = tokens(&shop, &mut ada, "openid", &claims).await;
    let before = shop.userinfo(&tokens.access).await.json();
    server
        .change_client(&shop.id, |shop| shop.metadata_mut().scope = Some("openid".parse().unwrap()))
        .await;
    let after = shop.userinfo(&tokens.access).await.json();

    let id = decoded(tokens.id()).1;
    assert_eq!((id.get("name"), &id["email"]), (None, &json!("ada@id.example")));
    assert_eq!(before, json!({ "sub": id["sub"], "email": "ada@id.example" }));
    assert_eq!(after, json!({ "sub": id["sub"] }));
}

/// §5.5: the parameter is one of OpenID Connect, which asks with the scope `openid`.
#[tokio::test]
async fn without_openid_nothing_is_asked_for_by_name() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let claims = json!({ "userinfo": { "email": null } }).to_string();

    let page = ada.visit(&shop.request(&[("scope", "profile"), ("claims", &claims)])).await;

    assert!(!page.text().contains("See your e-mail address"));
}

/// §3.1.2.2
#[tokio::test]
async fn a_sub_that_is_asked_for_has_to_be_signed_in() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let own = decoded(shop.tokens(&mut ada).await.id()).1["sub"].clone();
    let silent = ("prompt", "none");
    let asked = |sub: Value| json!({ "id_token": { "sub": sub } }).to_string();

    for sub in [json!({ "value": own }), json!({ "values": ["other", own] }), Value::Null] {
        let response = ada.visit(&shop.request(&[silent, ("claims", &asked(sub))])).await;

        assert!(response.brought().contains_key("code"));
    }
    let other = asked(json!({ "value": "other" }));
    let response = ada.visit(&shop.request(&[silent, ("claims", &other)])).await;
    response.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
    let signed_in = shop.authorize(&mut ada, &[("claims", &other)]).await;
    signed_in.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
}

/// §5.5.1.1
#[tokio::test]
async fn only_an_essential_acr_that_nobody_has_is_refused() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    let asked = |acr: Value| json!({ "id_token": { "acr": acr } }).to_string();

    for acr in [
        json!({ "essential": true }),
        json!({ "essential": true, "values": ["phrh", "phr"] }),
        json!({ "value": "phrh" }),
        Value::Null,
    ] {
        let tokens =
            tokens(&shop, &mut ada, "openid", &json!({ "id_token": { "acr": acr } })).await;

        assert_eq!(decoded(tokens.id()).1["acr"], "phr");
    }
    let unmet = asked(json!({ "essential": true, "values": ["phrh", "gold"] }));
    let response = ada.visit(&shop.request(&[("claims", &unmet)])).await;
    response.refused(ErrorCode::UnmetAuthenticationRequirements, Refusal::AcrUnmet);

    let voluntary = shop.authorize(&mut ada, &[("acr_values", "phrh gold")]).await;
    assert!(voluntary.brought().contains_key("code"));
}
