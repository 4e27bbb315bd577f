//! What a request may ask of the person: `prompt`, `max_age` and hints.

use std::time::Duration;

use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use crate::support::{RelyingParty, Response, Server, decoded};

#[tokio::test]
async fn prompt_none_answers_silently_once_everything_was_said() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let before = ada.visit(&shop.request(&[("prompt", "none")])).await;
    shop.code(&mut ada).await;
    let after = ada.visit(&shop.request(&[("prompt", "none")])).await;

    before.refused(ErrorCode::ConsentRequired, Refusal::ConsentNeeded);
    assert!(after.brought().contains_key("code"));
}

/// OpenID Connect Core §3.1.2.1: "The Authorization Server MUST NOT display any authentication or
/// consent user interface pages." A frame of another site sends no `SameSite=Lax` cookie.
#[tokio::test]
async fn prompt_none_in_a_frame_of_another_site_is_answered_once() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    let silent = server.get(&shop.request(&[("prompt", "none")])).await;
    let aloud = server.get(&shop.request(&[])).await;

    let response = server.get(silent.location()).await;
    let again = server.get(silent.location()).await;
    let page = server.get(aloud.location()).await;

    response.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
    assert_eq!(response.brought()["state"], "s-1");
    again.refused(ErrorCode::InteractionOver, Refusal::InteractionUnknown);
    page.refused(ErrorCode::InteractionOver, Refusal::InteractionOfAnotherBrowser);
}

#[tokio::test]
async fn prompt_login_asks_for_the_passkey_again() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let first = shop.tokens(&mut ada).await;
    server.advance(Duration::from_mins(5));

    for prompt in ["login", "select_account"] {
        let page = ada.visit(&shop.request(&[("prompt", prompt)])).await;
        assert!(page.asks_to_sign_in(), "{prompt}");
    }
    let response = shop.authorize(&mut ada, &[("prompt", "login")]).await;

    let second = shop.redeem(&response.brought()["code"]).await.tokens();
    let (before, after) = (decoded(first.id()).1, decoded(second.id()).1);
    assert_eq!(after["auth_time"].as_u64(), before["auth_time"].as_u64().map(|at| at + 300));
    assert_eq!(after["sid"], before["sid"]);
}

#[tokio::test]
async fn prompt_consent_asks_although_consent_is_remembered() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;

    let page = ada.visit(&shop.request(&[("prompt", "consent")])).await;

    assert!(page.asks_for_consent());
    assert!(page.text().contains("It asks for nothing that you have not allowed before."));
}

#[tokio::test]
async fn max_age_asks_again_only_for_a_sign_in_that_is_too_old() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    server.advance(Duration::from_secs(100));

    let small = ada.visit(&shop.request(&[("max_age", "99")])).await;
    let exact = ada.visit(&shop.request(&[("max_age", "100")])).await;
    let large = ada.visit(&shop.request(&[("max_age", "4294967295")])).await;
    let silent = ada.visit(&shop.request(&[("max_age", "99"), ("prompt", "none")])).await;

    assert!(small.asks_to_sign_in());
    assert!(exact.brought().contains_key("code"));
    assert!(large.brought().contains_key("code"));
    silent.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
}

#[tokio::test]
async fn a_sign_in_grows_too_old_while_somebody_reads() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server.advance(Duration::from_secs(30));
    let page = ada.visit(&shop.request(&[("max_age", "60")])).await;
    server.advance(Duration::from_mins(10));

    let response = ada.decide(&page, "allow").await;

    assert!(page.asks_for_consent());
    assert!(ada.visit(response.location()).await.asks_to_sign_in());
}

#[tokio::test]
async fn max_age_zero_asks_always_and_is_met_by_signing_in() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server.advance(Duration::from_secs(1));

    let page = ada.visit(&shop.request(&[("max_age", "0")])).await;
    let response = shop.authorize(&mut ada, &[("max_age", "0")]).await;

    assert!(page.asks_to_sign_in());
    let tokens = shop.redeem(&response.brought()["code"]).await.tokens();
    let claims = decoded(tokens.id()).1;
    assert_eq!(claims["auth_time"], claims["iat"]);
}

#[tokio::test]
async fn login_hint_fills_in_the_name_and_tells_nothing() {
    let server = Server::new().await;
    server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let mut known = crate::support::Browser::new(&server);
    let mut unknown = crate::support::Browser::new(&server);

    let page = known.visit(&shop.request(&[("login_hint", "ada")])).await;
    let other = unknown.visit(&shop.request(&[("login_hint", "<eve>")])).await;

    assert_eq!(page.hidden("username"), None);
    assert!(page.text().contains("value=\"ada\""));
    assert!(other.text().contains("value=\"&#60;eve&#62;\""));
    assert_eq!(page.text().len() + "&#60;&#62;".len(), other.text().len());
}

#[tokio::test]
async fn id_token_hint_accepts_nobody_else() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let of_ada = shop.tokens(&mut ada).await;
    shop.code(&mut bob).await;
    // It may have expired long ago.
    server.advance(Duration::from_hours(24));
    let hint = ("id_token_hint", of_ada.id());

    let same = ada.visit(&shop.request(&[hint, ("prompt", "none")])).await;
    let silent = bob.visit(&shop.request(&[hint, ("prompt", "none")])).await;
    let page = bob.visit(&shop.request(&[hint])).await;
    let signed_in = shop.authorize(&mut bob, &[hint]).await;

    assert!(same.brought().contains_key("code"));
    silent.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
    assert!(page.asks_to_sign_in());
    signed_in.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
}

#[tokio::test]
async fn an_access_token_is_no_id_token_hint() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;

    let response = ada.visit(&shop.request(&[("id_token_hint", &tokens.access)])).await;

    response.refused(ErrorCode::InvalidRequest, Refusal::IdTokenHintMalformed);
}

#[tokio::test]
async fn whoever_gives_up_at_sign_in_goes_back_with_a_refusal() {
    let server = Server::new().await;
    server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let mut somebody = crate::support::Browser::new(&server);
    let page = somebody.visit(&shop.request(&[])).await;

    let response = somebody.decide(&page, "deny").await;

    response.refused(ErrorCode::AccessDenied, Refusal::PersonDeclined);
}

#[tokio::test]
async fn a_client_may_register_the_max_age_of_its_requests() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    server.change_client("shop", |shop| shop.metadata_mut().default_max_age = Some(60)).await;
    server.advance(Duration::from_secs(61));

    let silent = ada.visit(&shop.request(&[("prompt", "none")])).await;
    let own = ada.visit(&shop.request(&[("prompt", "none"), ("max_age", "61")])).await;
    let page = ada.visit(&shop.request(&[])).await;

    silent.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
    assert!(own.brought().contains_key("code"));
    assert!(page.asks_to_sign_in());
}

/// OpenID Connect Core §3.1.2.1: what a sign-in of a minute ago is worth to each request.
#[tokio::test]
async fn prompt_and_max_age_go_together() {
    const CODE: &str = "code";
    const CONSENT: &str = "consent";
    const LOGIN: &str = "login";
    const REQUIRED: &str = "login_required";
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    server.advance(Duration::from_mins(1));

    for (prompt, max_ages) in [
        ("", [CODE, CODE, LOGIN, LOGIN]),
        ("none", [CODE, CODE, REQUIRED, REQUIRED]),
        ("login", [LOGIN; 4]),
        ("select_account", [LOGIN; 4]),
        ("create", ["invalid_request"; 4]),
        ("consent", [CONSENT, CONSENT, LOGIN, LOGIN]),
        ("consent login", [LOGIN; 4]),
        ("login select_account consent", [LOGIN; 4]),
        ("none login", ["invalid_request"; 4]),
        ("none consent", ["invalid_request"; 4]),
        ("none select_account", ["invalid_request"; 4]),
        ("none create", ["invalid_request"; 4]),
    ] {
        for (max_age, expected) in ["", "60", "59", "0"].iter().zip(max_ages) {
            let response =
                ada.visit(&shop.request(&[("prompt", prompt), ("max_age", max_age)])).await;

            let outcome = if response.asks_to_sign_in() {
                LOGIN.to_owned()
            } else if response.asks_for_consent() {
                CONSENT.to_owned()
            } else {
                response.brought().remove("error").unwrap_or(CODE.to_owned())
            };
            assert_eq!(outcome, expected, "prompt={prompt} max_age={max_age}");
        }
    }
}

/// What was asked for is met by the sign-in that follows, and asks no second time.
#[tokio::test]
async fn whatever_was_asked_for_leads_to_a_code_in_the_end() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;

    for (prompt, max_age) in [("login", ""), ("consent login", ""), ("consent", "0")] {
        server.advance(Duration::from_secs(1));
        let page = ada.visit(&shop.request(&[("prompt", prompt), ("max_age", max_age)])).await;
        assert!(page.asks_to_sign_in(), "{prompt}");
        ada.sign_in().await;

        let after = ada.visit(&next(&page)).await;

        assert_eq!(after.asks_for_consent(), prompt.contains("consent"), "{prompt}");
        let after =
            if after.asks_for_consent() { ada.decide(&after, "allow").await } else { after };
        let tokens = shop.redeem(&after.brought()["code"]).await.tokens();
        let claims = decoded(tokens.id()).1;
        assert_eq!(claims["auth_time"], claims["iat"], "{prompt}");
    }
}

#[tokio::test]
async fn select_account_may_end_as_somebody_else() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let of_ada = decoded(shop.tokens(&mut ada).await.id()).1;
    server.advance(Duration::from_secs(1));
    let page = ada.visit(&shop.request(&[("prompt", "select_account")])).await;
    ada.authenticator = bob.authenticator;
    ada.sign_in().await;

    let consent = ada.visit(&next(&page)).await;
    let response = ada.decide(&consent, "allow").await;

    assert!(consent.asks_for_consent());
    let tokens = shop.redeem(&response.brought()["code"]).await.tokens();
    let of_bob = decoded(tokens.id()).1;
    assert_ne!(of_bob["sub"], of_ada["sub"]);
    assert_ne!(of_bob["sid"], of_ada["sid"]);
}

/// RFC 9126 §4: what was pushed counts as if it came by the browser.
#[tokio::test]
async fn what_is_pushed_asks_as_much_of_the_person() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let of_ada = shop.tokens(&mut ada).await;
    shop.code(&mut bob).await;
    server.advance(Duration::from_secs(100));
    let silent = ("prompt", "none");
    let claims = json!({ "id_token": { "name": null } }).to_string();

    let login = ada.visit(&shop.push(&[("prompt", "login")]).await).await;
    let consent = ada.visit(&shop.push(&[("prompt", "consent")]).await).await;
    let too_old = ada.visit(&shop.push(&[silent, ("max_age", "99")]).await).await;
    let recent = ada.visit(&shop.push(&[silent, ("max_age", "100")]).await).await;
    let hint = shop.push(&[silent, ("id_token_hint", of_ada.id())]).await;
    let somebody_else = bob.visit(&hint).await;
    let named = ada.visit(&shop.push(&[("claims", &claims)]).await).await;
    let named = ada.decide(&named, "allow").await;

    assert!(login.asks_to_sign_in() && consent.asks_for_consent());
    too_old.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
    assert!(recent.brought().contains_key("code"));
    somebody_else.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
    let tokens = shop.redeem(&named.brought()["code"]).await.tokens();
    assert_eq!(decoded(tokens.id()).1["name"], "ada");
}

/// Where a page of sign-in goes on.
pub(crate) fn next(page: &Response) -> String {
    let (_, rest) = page.text().split_once("data-next=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// OpenID Connect Core §3.1.2.1: wishes that change nothing here are no errors.
#[tokio::test]
async fn display_and_languages_are_taken_and_passed_over() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    for display in ["page", "popup", "touch", "wap"] {
        let wishes = [("display", display), ("ui_locales", "de-CH en"), ("claims_locales", "fr")];
        let response = shop.authorize(&mut ada, &wishes).await;

        assert!(response.brought().contains_key("code"), "{display}");
    }
}
