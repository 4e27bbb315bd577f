//! Who is asked for consent, how often, and what the client gets.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use crate::support::{RelyingParty, Server, register};

#[tokio::test]
async fn a_client_whose_redirect_uri_proves_it_is_asked_about_once() {
    let (server, mut ada) = Server::with_ada().await;

    for client in [RelyingParty::web(&server).await, RelyingParty::spa(&server).await] {
        let first = ada.visit(&client.request(&[])).await;
        ada.decide(&first, "allow").await;
        let second = ada.visit(&client.request(&[])).await;

        assert!(first.asks_for_consent());
        assert!(second.brought().contains_key("code"), "{}", client.id);
    }
}

/// Any program on the machine could pretend to be it.
#[tokio::test]
async fn a_public_client_on_loopback_is_confirmed_each_time() {
    let (server, mut ada) = Server::with_ada().await;
    let native = RelyingParty::native(&server).await;
    native.code(&mut ada).await;

    let page = ada.visit(&native.request(&[])).await;
    let silent = ada.visit(&native.request(&[("prompt", "none")])).await;

    assert!(page.asks_for_consent());
    assert!(page.text().contains("The answer goes to a program on this machine."));
    assert_eq!(silent.brought()["error"], "consent_required");
}

#[tokio::test]
async fn a_private_scheme_is_called_unverified_and_confirmed_each_time() {
    let (server, mut ada) = Server::with_ada().await;
    let uris = ["cursor://anysphere.cursor-mcp/cb"];
    let registration = json!({ "name": "Editor", "client_type": "public", "redirect_uris": uris });
    let editor = server.client(registration).await;
    editor.code(&mut ada).await;

    let page = ada.visit(&editor.request(&[])).await;

    assert!(page.asks_for_consent());
    assert!(page.text().contains("Nobody vouches for this name."));
}

#[tokio::test]
async fn a_first_party_client_asks_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Own", "redirect_uris": ["https://own.example/cb"], "first_party": true,
    });
    let own = server.client(registration).await;

    let response = ada.visit(&own.request(&[])).await;

    assert!(response.brought().contains_key("code"));
}

/// Whose client it is says nothing of who listens there.
#[tokio::test]
async fn a_first_party_client_that_any_program_could_be_is_confirmed_unless_that_is_waived() {
    let (server, mut ada) = Server::with_ada().await;

    for uri in ["http://127.0.0.1/cb", "com.example.own:/cb"] {
        for waived in [false, true] {
            let own = server.client(json!({
                "name": "Own", "client_type": "public", "redirect_uris": [uri],
                "first_party": true, "confirmation_waived": waived,
            }));
            let own = own.await;

            let response = ada.visit(&own.request(&[])).await;
            let silent = ada.visit(&own.request(&[("prompt", "none")])).await;

            assert_eq!(response.asks_for_consent(), !waived, "{uri}");
            assert_eq!(silent.brought().contains_key("code"), waived, "{uri}");
        }
    }
}

#[tokio::test]
async fn only_what_is_new_is_asked_for() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens_of(&mut ada, "openid profile").await;

    let narrower = ada.visit(&shop.request(&[("scope", "openid")])).await;
    let wider = ada.visit(&shop.request(&[("scope", "openid profile email")])).await;

    assert!(narrower.brought().contains_key("code"));
    let (asked, before) = wider.text().split_once("What you allowed it before").unwrap();
    let (email, profile) = ("See your e-mail address", "See your name and username");
    assert!(asked.contains(email) && !asked.contains(profile));
    assert!(before.contains(profile) && !before.contains(email));
}

#[tokio::test]
async fn consent_is_remembered_for_one_person_and_one_redirect_host() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let uris = ["https://shop.example/cb", "https://shop.example/2", "https://other.example/cb"];
    let shop = server.client(json!({ "name": "Shop", "redirect_uris": uris })).await;
    shop.code(&mut ada).await;

    let same_host = ada.visit(&shop.request(&[("redirect_uri", uris[1])])).await;
    let other_host = ada.visit(&shop.request(&[("redirect_uri", uris[2])])).await;
    let other_person = bob.visit(&shop.request(&[])).await;

    assert!(same_host.brought().contains_key("code"));
    assert!(other_host.asks_for_consent());
    assert!(other_person.asks_for_consent());
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    assert_eq!(ada.decide(&page, "deny").await.brought()["error"], "access_denied");

    let again = ada.visit(&shop.request(&[])).await;

    assert!(again.asks_for_consent());
}

/// What would be granted is worked out anew at the moment of the yes.
#[tokio::test]
async fn a_yes_counts_only_for_what_was_shown() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[("scope", "openid email")])).await;
    server
        .change_client("shop", |client| {
            client.metadata_mut().scope = Some("openid".parse().unwrap());
        })
        .await;

    let response = ada.decide(&page, "allow").await;
    let next_page = ada.visit(response.location()).await;

    assert!(next_page.asks_for_consent());
    assert_eq!(next_page.hidden("scope").as_deref(), Some("openid"));
    assert!(ada.decide(&next_page, "allow").await.brought().contains_key("code"));
}

#[tokio::test]
async fn a_yes_to_a_client_counts_for_no_later_one_of_its_name() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;
    server.advance(Duration::from_secs(1));
    RelyingParty::web(&server).await;

    for decision in ["allow", "deny"] {
        let response = ada.decide(&page, decision).await;

        response.refused(ErrorCode::InvalidRequest, Refusal::ClientUnknownAtAuthorize);
    }
}

#[tokio::test]
async fn names_that_clients_chose_are_shown_as_text() {
    let (server, mut ada) = Server::with_ada().await;
    let name = "<script>alert(1)</script>";
    let uris = ["https://shop.example/cb"];
    let shop = server.client(json!({ "name": name, "redirect_uris": uris })).await;

    let page = ada.visit(&shop.request(&[])).await;

    assert!(!page.text().contains(name));
    assert!(page.text().contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
}

#[tokio::test]
async fn a_yes_of_somebody_who_has_signed_out_asks_for_the_passkey() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    ada.sign_out().await;
    ada.visit("/login").await;

    let response = ada.decide(&page, "allow").await;

    assert!(ada.visit(response.location()).await.asks_to_sign_in());
}

#[tokio::test]
async fn a_yes_on_a_page_that_was_shown_to_somebody_else_is_refused() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    let old_token = ada.csrf.clone();
    ada.authenticator = bob.authenticator;
    ada.sign_in().await;

    ada.csrf = old_token;
    let response = ada.decide(&page, "allow").await;

    response.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
}

/// The answer is that of whoever presses the button, so the page lets somebody else come first.
#[tokio::test]
async fn whoever_is_not_the_one_who_is_signed_in_signs_in_and_is_asked() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[("login_hint", "ada")])).await;
    let at = page.action();

    let sign_in = ada.visit(&format!("{at}?as=another")).await;
    ada.authenticator = bob.authenticator;
    ada.sign_in().await;
    let asked = ada.visit(&at).await;
    let response = ada.decide(&asked, "allow").await;

    assert!(page.text().contains(&format!("<a href=\"{at}?as=another\">Not you?</a>")));
    assert!(sign_in.asks_to_sign_in() && sign_in.text().contains("data-next=\"/gate/interaction/"));
    assert!(!sign_in.text().contains("value=\"ada\""), "the hint was about who leaves");
    assert!(asked.asks_for_consent() && asked.text().contains("<bdi>bob</bdi>"));
    assert!(response.brought().contains_key("code"));
}

/// Only a sign-in as somebody else ends a session.
#[tokio::test]
async fn whoever_asks_for_another_account_stays_signed_in_until_there_is_one() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;

    let sign_in = ada.visit(&format!("{}?as=another", page.action())).await;
    let account = ada.visit("/account").await;
    let cancelled = ada.decide(&sign_in, "deny").await;

    assert!(sign_in.asks_to_sign_in() && account.text().contains("Your account"));
    assert_eq!(cancelled.brought()["error"], "access_denied");
}

/// A request for one person alone could end in nothing but an error with anybody else.
#[tokio::test]
async fn a_request_for_one_person_offers_nobody_else() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let hint = shop.tokens(&mut ada).await;

    let asked = [("id_token_hint", hint.id()), ("prompt", "consent")];
    let page = ada.visit(&shop.request(&asked)).await;
    let insisted = ada.visit(&format!("{}?as=another", page.action())).await;

    assert!(page.asks_for_consent() && !page.text().contains("Not you?"));
    assert!(insisted.asks_for_consent());
}

#[tokio::test]
async fn scopes_stand_in_the_order_of_their_meaning_and_those_of_the_administration_last() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Console", "redirect_uris": ["https://console.example/cb"],
        "scope": "admin:read email offline_access openid profile",
    });
    let console = server.client(registration).await;
    let scope = "admin:read offline_access email profile openid";

    let page = ada.visit(&console.request(&[("scope", scope)])).await;

    let at = |text: &str| page.text().find(text).unwrap_or_else(|| panic!("no {text}"));
    let order = [
        "Know that it is you",
        "See your name",
        "See your e-mail",
        "Keep access while",
        "See everything that",
        "Far-reaching",
    ]
    .map(at);
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(page.text().matches("Far-reaching").count(), 1);
}

/// Nobody reads three warnings, so the page has the one that matters most.
#[tokio::test]
async fn a_name_that_an_app_chose_itself_stands_beside_its_host_and_one_warning() {
    let (server, mut ada) = Server::with_ada().await;
    let metadata = json!({
        "client_name": "Editor",
        "redirect_uris": ["http://127.0.0.1:25078/cb"],
        "token_endpoint_auth_method": "none",
    });
    let registered = register(&server, metadata).await.json();
    let editor = RelyingParty::new(&server, &registered);

    let asked = [("resource", "http://127.0.0.1:8931/mcp"), ("scope", "openid mcp:tools")];
    let page = ada.visit(&editor.request(&asked)).await;
    ada.sign_out().await;
    let sign_in = ada.visit(&editor.request(&[])).await;

    assert!(page.text().contains("Self-chosen name, at <bdi>127.0.0.1:25078</bdi>"));
    assert_eq!(page.text().matches("class=\"notice\"").count(), 1);
    assert!(page.text().contains("Nobody vouches for this name."));
    assert_eq!(page.text().matches("<code>mcp:tools</code>").count(), 1);
    assert!(page.text().contains("at <strong><bdi>http://127.0.0.1:8931/mcp</bdi></strong>"));
    let warning = "at <strong><bdi>127.0.0.1:25078</bdi></strong>. The app chose this name itself";
    assert!(sign_in.asks_to_sign_in() && sign_in.text().contains(warning), "{}", sign_in.text());
}

/// OpenID Connect Registration §2, `policy_uri` and `tos_uri`: "The OpenID Provider SHOULD display
/// this URL to the End-User if it is given."
#[tokio::test]
async fn the_policy_and_the_terms_of_an_app_are_links_that_tell_it_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Shop", "redirect_uris": ["https://shop.example/cb"],
        "policy_uri": "https://shop.example/privacy", "tos_uri": "https://legal.example/terms",
    });
    let shop = server.client(registration).await;

    let page = ada.visit(&shop.request(&[])).await;

    let rest = "\" target=\"_blank\" rel=\"noreferrer noopener\">";
    for (address, text, host) in [
        ("https://shop.example/privacy", "Privacy policy", "shop.example"),
        ("https://legal.example/terms", "Terms of service", "legal.example"),
    ] {
        let link = format!("<a href=\"{address}{rest}⟦</a> (<bdi>{host}</bdi>)");
        assert!(page.text().contains(&link.replace('⟦', text)), "{}", page.text());
    }
}
