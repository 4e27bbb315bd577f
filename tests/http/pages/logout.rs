//! RP-initiated logout.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::params::form_encode;
use gatelodge::oauth::redirect_uri::RedirectUri;

use crate::support::{Browser, RelyingParty, Server};

const HOME: (&str, &str) = ("post_logout_redirect_uri", "https://shop.example/bye");

fn logout(params: &[(&str, &str)]) -> String {
    format!("/oauth/logout?{}", form_encode(params.iter().copied()))
}

/// Another installation of the same name, which signs with keys of its own.
async fn abroad() -> (Server, Browser) {
    let server = Server::without_keys().await;
    server.app.make_missing_keys().await.unwrap();
    let eve = server.first_administrator().await;
    (server, eve)
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    !browser.visit("/account").await.asks_to_sign_in()
}

/// OpenID Connect RP-Initiated Logout §2 and §3
#[tokio::test]
async fn a_fitting_hint_signs_out_without_a_question_and_goes_home_with_state() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid").await;
    server.advance(std::time::Duration::from_hours(1));

    let hint = ("id_token_hint", tokens.id());
    let response = ada.visit(&logout(&[hint, HOME, ("state", "a b&c")])).await;

    assert_eq!(response.location(), "https://shop.example/bye?state=a%20b%26c");
    assert_eq!(response.header("referrer-policy"), "no-referrer");
    assert!(!is_signed_in(&mut ada).await);
    assert_eq!(shop.refresh(tokens.refresh()).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn without_a_hint_the_person_is_asked() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;

    let page = ada.visit(&logout(&[("client_id", "shop"), HOME])).await;
    let still = is_signed_in(&mut ada).await;
    let response = ada.decide(&page, "allow").await;

    assert!(page.text().contains("<bdi>Shop</bdi></strong> asks to sign you out."));
    assert!(still);
    assert_eq!(response.redirect_url().unwrap().as_str(), "https://shop.example/bye");
    assert_eq!(response.header("referrer-policy"), "no-referrer");
    assert!(!is_signed_in(&mut ada).await);
}

#[tokio::test]
async fn whoever_wants_to_stay_stays() {
    let (_server, mut ada) = Server::with_ada().await;
    let page = ada.visit("/oauth/logout").await;

    let response = ada.decide(&page, "deny").await;
    let again = ada.decide(&page, "allow").await;

    assert_eq!(response.location(), "/gate/account");
    assert_eq!(again.location(), page.action());
    assert!(is_signed_in(&mut ada).await);
}

#[tokio::test]
async fn a_logout_without_a_way_home_ends_on_a_page() {
    let (_server, mut ada) = Server::with_ada().await;
    let page = ada.visit("/oauth/logout").await;

    let response = ada.decide(&page, "allow").await;

    assert_eq!(response.location(), "/gate/logged-out");
    assert!(ada.visit("/gate/logged-out").await.text().contains("You are signed out"));
}

#[tokio::test]
async fn a_hint_of_somebody_else_or_of_an_earlier_session_asks() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let of_bob = shop.tokens(&mut bob).await;
    let earlier = shop.tokens(&mut ada).await;
    ada.sign_out().await;
    ada.sign_in().await;
    ada.headers = vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];

    for tokens in [of_bob, earlier] {
        let page = ada.visit(&logout(&[("id_token_hint", tokens.id())])).await;

        assert!(page.unmarked().contains("Sign out of Gatelodge?"));
    }
    assert!(is_signed_in(&mut ada).await);
}

/// §4: what did not validate is not used; what is logged has an event.
#[tokio::test]
async fn a_hint_that_cannot_be_verified_asks_and_leads_nowhere() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let (elsewhere, mut eve) = abroad().await;
    let of_another = RelyingParty::web(&elsewhere).await.tokens(&mut eve).await;

    for hint in ["a.b.c", &tokens.access, of_another.id()] {
        let request = logout(&[("id_token_hint", hint), HOME]);
        let started = ada.send(Request::get(&request).body(Body::empty()).unwrap()).await;
        let page = ada.visit(started.location()).await;

        assert_eq!(started.header("gatelodge-event").len(), 16, "{hint}");
        assert!(page.unmarked().contains("Sign out of Gatelodge?"), "{hint}");
        assert!(is_signed_in(&mut ada).await, "{hint}");
    }
    let named = logout(&[("id_token_hint", "a.b.c"), ("client_id", "shop"), HOME]);
    let page = ada.visit(&named).await;
    assert!(page.text().contains("<bdi>Shop</bdi></strong> asks to sign you out."));
    assert!(ada.decide(&page, "allow").await.text().contains("You are signed out"));
}

#[tokio::test]
async fn whoever_is_signed_out_already_goes_home_without_a_question() {
    let server = Server::new().await;
    RelyingParty::web(&server).await;
    let mut nobody = Browser::new(&server);

    let response = nobody.visit(&logout(&[("client_id", "shop"), HOME])).await;

    assert_eq!(response.location(), "https://shop.example/bye");
}

#[tokio::test]
async fn the_way_home_is_one_that_the_client_registered() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;
    RelyingParty::spa(&server).await;
    let elsewhere = ("post_logout_redirect_uri", "https://shop.example/bye/");

    for (params, refusal) in [
        (vec![HOME], Refusal::PostLogoutClientMissing),
        (vec![("client_id", "reader"), HOME], Refusal::PostLogoutUriUnregistered),
        (vec![("client_id", "nobody"), HOME], Refusal::PostLogoutClientUnknown),
        (vec![("client_id", "shop"), elsewhere], Refusal::PostLogoutUriUnregistered),
    ] {
        let request = Request::get(logout(&params)).body(Body::empty()).unwrap();
        let started = ada.send(request).await;
        let page = ada.visit(started.location()).await;
        let still = is_signed_in(&mut ada).await;
        let response = ada.decide(&page, "allow").await;

        assert_eq!(started.refusal(), Some(refusal));
        assert!(page.unmarked().contains("Sign out of Gatelodge?") && still);
        assert!(response.text().contains("You are signed out"));
        assert!(response.redirect_url().is_none());
        ada.sign_in().await;
    }
}

/// A client may be changed or switched off while the person is reading.
#[tokio::test]
async fn the_way_home_is_proven_again_when_it_is_taken() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;
    let request = logout(&[("client_id", "shop"), HOME]);
    let moved = ada.visit(&request).await;
    server
        .change_client("shop", |shop| shop.metadata_mut().post_logout_redirect_uris.clear())
        .await;
    let at_moved = ada.decide(&moved, "allow").await;
    server
        .change_client("shop", |shop| shop.metadata_mut().post_logout_redirect_uris = vec![bye()])
        .await;
    ada.sign_in().await;
    let off = ada.visit(&request).await;
    server.change_client("shop", |shop| shop.enabled = false).await;
    let at_off = ada.decide(&off, "allow").await;

    let asked_while_off = ada.visit(&request).await;

    assert_eq!(at_moved.location(), "/gate/logged-out");
    assert_eq!(at_off.location(), "/gate/logged-out");
    assert!(asked_while_off.text().contains("could not be verified, so you stay here."));
    assert!(!is_signed_in(&mut ada).await);
}

fn bye() -> RedirectUri {
    HOME.1.parse().unwrap()
}

#[tokio::test]
async fn a_hint_and_a_client_id_have_to_agree() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let hint = ("id_token_hint", tokens.id());

    let response = ada.visit(&logout(&[hint, ("client_id", "reader")])).await;

    response.refused(ErrorCode::InvalidRequest, Refusal::IdTokenHintClientDiffers);
}

/// §2: GET and POST. A form of another site brings no `SameSite=Lax` cookie.
#[tokio::test]
async fn a_logout_may_be_posted_from_another_site_and_comes_to_its_end() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let (hint, client, state) =
        (("id_token_hint", tokens.id()), ("client_id", "shop"), ("state", "a b"));

    for (params, asks, end) in [
        (vec![client, HOME, state], true, "https://shop.example/bye?state=a%20b"),
        (vec![client, hint, HOME, state], true, "https://shop.example/bye?state=a%20b"),
        (vec![state], true, "/gate/logged-out"),
    ] {
        ada.sign_in().await;
        let posted = Request::post("/oauth/logout")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "cross-site")
            .body(Body::from(form_encode(params)));
        let response = ada.send(posted.unwrap()).await;
        let response =
            ada.send(Request::get(response.location()).body(Body::empty()).unwrap()).await;

        assert_eq!(response.unmarked().contains("Sign out of Gatelodge?"), asks, "{end}");
        let response = if asks { ada.decide(&response, "allow").await } else { response };

        let home = response.redirect_url().map(String::from);
        assert_eq!(home.unwrap_or_else(|| response.location().to_owned()), end);
        assert!(!is_signed_in(&mut ada).await);
    }
}
