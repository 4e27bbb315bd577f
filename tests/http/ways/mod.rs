//! The ways on: what an error page offers, and what a person reads who comes back to what they answered.

mod outcomes;
pub(crate) mod self_named;

use axum::http::Method;
use gatelodge::config::Config;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::RegistrationPolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use crate::forward_auth::{NOTES, Visit, installed};
use crate::support::{Browser, RelyingParty, Response, Server, register};

const ACCOUNT: &str = "href=\"/gate/account\">Go to your account";

/// The id of a session that there is not.
const UNKNOWN: &str = "0190163d-8694-439b-aea5-966c26f8ad91";

/// What is missing if a page that displays a refusal leads nowhere.
pub(crate) fn astray(refusal: Refusal, page: &Response) -> Option<String> {
    let main = page.text().split("<main").nth(1).unwrap_or_default();
    let leads_on = ["class=\"button full", "<button", "<form"].iter().any(|way| main.contains(way));
    (!leads_on).then(|| format!("the page of {refusal:?} leads nowhere:\n{main}"))
}

/// Somebody of no group, where Desk is for the staff.
async fn bob_at_desk() -> (Server, Browser, RelyingParty) {
    let (server, _ada) = Server::with_ada().await;
    let bob = server.person("bob").await;
    let desk = RelyingParty::web(&server).await;
    let groups = json!({ "groups": ["staff"] });
    server.operate(Method::PATCH, "/clients/shop", groups).await;
    (server, bob, desk)
}

#[tokio::test]
async fn an_app_that_is_not_registered_is_told_by_the_host_it_would_send_to() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let page = Browser::new(&server).visit(&shop.request(&[("client_id", "old")])).await;

    page.refused(ErrorCode::InvalidRequest, Refusal::ClientUnknownAtAuthorize);
    assert!(page.text().contains("<dt>Would send you to</dt>"), "{}", page.text());
    assert!(page.text().contains("<bdi>shop.example</bdi>"));
    assert!(!page.text().contains("href=\"https://shop.example"), "nobody registered that address");
    assert!(page.text().contains(ACCOUNT));
}

#[tokio::test]
async fn an_app_that_is_switched_off_is_named_with_whom_to_ask() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let asked = ada.visit(&shop.request(&[])).await;
    server.change_client("shop", |client| client.enabled = false).await;

    let stranger = Browser::new(&server).visit(&shop.request(&[])).await;
    let person = ada.visit(&shop.request(&[])).await;
    let later = ada.visit(&asked.action()).await;

    for page in [&stranger, &person, &later] {
        page.refused(ErrorCode::InvalidRequest, Refusal::ClientDisabledAtAuthorize);
        assert!(page.text().contains("Shop is disabled"), "{}", page.text());
        assert!(!page.text().contains("Remove the connection"), "{}", page.text());
        assert!(page.text().contains("<p>Ask "), "{}", page.text());
    }
    assert!(!stranger.text().contains("Ask ada"), "{}", stranger.text());
}

/// OpenID Connect Core §4, the home page, and what is left.
#[tokio::test]
async fn a_sign_in_that_is_over_starts_again_at_the_app_of_an_operator() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mut over = async |server: &Server| {
        let page = ada.visit(&shop.request(&[])).await;
        server.advance(std::time::Duration::from_hours(1));
        ada.visit(&page.action()).await
    };

    let by_redirect = over(&server).await;
    server
        .change_client("shop", |shop| {
            shop.metadata_mut().client_uri = Some("https://shop.example/home".parse().unwrap());
        })
        .await;
    let by_page = over(&server).await;
    server
        .change_client("shop", |shop| {
            let start = "https://shop.example/start?a=b".parse().unwrap();
            shop.metadata_mut().initiate_login_uri = Some(start);
        })
        .await;
    let by_start = over(&server).await;

    for (page, home) in [
        (by_redirect, "https://shop.example/"),
        (by_page, "https://shop.example/home"),
        (by_start, "https://shop.example/start?a=b&#38;iss=http%3A%2F%2Flocalhost%3A7455"),
    ] {
        page.refused(ErrorCode::InteractionOver, Refusal::InteractionOfAnotherBrowser);
        assert!(page.text().contains(&format!("href=\"{home}\"")), "{home}: {}", page.text());
        assert!(page.text().contains("Start again at <bdi>Shop</bdi>"));
    }
}

/// Whoever registers a client chooses its addresses.
#[tokio::test]
async fn nothing_leads_to_an_address_that_a_stranger_registered() {
    let open = |config: &mut Config| config.registration.policy = Some(RegistrationPolicy::Open);
    let server = Server::with(Issuer::localhost(7455), open).await;
    let mut ada = server.first_administrator().await;
    let metadata = json!({
        "client_name": "Stranger", "client_uri": "https://stranger.example/",
        "redirect_uris": ["https://stranger.example/cb"],
    });
    let stranger = RelyingParty::new(&server, &register(&server, metadata).await.json());

    let page = ada.visit(&stranger.request(&[])).await;
    server.advance(std::time::Duration::from_hours(1));
    let over = ada.visit(&page.action()).await;

    over.refused(ErrorCode::InteractionOver, Refusal::InteractionOfAnotherBrowser);
    assert!(over.text().contains("It says that it is <strong><bdi>Stranger</bdi></strong>"));
    assert!(over.text().contains("<bdi>stranger.example</bdi>"), "{}", over.text());
    assert!(!over.text().contains("href=\"https://stranger.example"), "{}", over.text());
    assert!(over.text().contains(ACCOUNT));
}

/// A browser that did not start a sign-in learns nothing of it.
#[tokio::test]
async fn another_browser_does_not_learn_whose_sign_in_it_is() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;

    let seen = Browser::at_login(&server).await.visit(&page.action()).await;

    seen.refused(ErrorCode::InteractionOver, Refusal::InteractionOfAnotherBrowser);
    assert!(!seen.text().contains("Shop"));
}

#[tokio::test]
async fn an_administrator_who_is_signed_in_is_led_to_the_event() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let request = shop.request(&[("client_id", "old")]);

    let of_ada = ada.visit(&request).await;
    let of_bob = bob.visit(&request).await;
    let of_nobody = Browser::new(&server).visit(&request).await;

    let why = format!("href=\"/gate/admin/events/{}\"", of_ada.header("gatelodge-event"));
    assert!(of_ada.text().contains(&why), "{}", of_ada.text());
    assert!(!of_bob.text().contains("/gate/admin/"));
    assert!(!of_nobody.text().contains("/gate/admin/"));
    // The refusal stays nobody's: whoever leads a browser here fills no share of its person.
    let events = server.operate(Method::GET, "/events?user=ada&limit=1000", json!({})).await.json();
    assert!(!events.to_string().contains(of_ada.header("gatelodge-event")), "{events}");
}

/// On loopback no request from an application proves anybody, so its page asks for a sign-in.
#[tokio::test]
async fn a_refusal_on_loopback_leads_to_the_event_whoever_reads_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let refused = ada.visit(&shop.request(&[("client_id", "old")])).await;
    let path = format!("/gate/admin/events/{}", refused.header("gatelodge-event"));
    let of_ada = ada.visit(&path).await;
    let of_nobody = Browser::at_login(&server).await.visit(&path).await;

    assert!(refused.text().contains(&format!("href=\"{path}\"")), "{}", refused.text());
    assert!(of_ada.text().contains("ClientUnknownAtAuthorize"), "{}", of_ada.text());
    assert!(of_nobody.asks_to_sign_in(), "{}", of_nobody.text());
}

/// Where a session is a key, a request that proves it shows whose it is.
#[tokio::test]
async fn a_proven_request_of_an_administrator_leads_to_the_event() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let path = "/gate/account/sessions";

    let of_ada = ada.submit(path, &[("session", UNKNOWN)]).await;
    let of_bob = bob.submit(path, &[("session", UNKNOWN)]).await;

    assert_eq!(of_ada.refusal(), Some(Refusal::SessionNotFound));
    let why = format!("href=\"/gate/admin/events/{}\"", of_ada.header("gatelodge-event"));
    assert!(of_ada.text().contains(&why), "{}", of_ada.text());
    assert!(of_ada.text().contains(ACCOUNT) && of_bob.text().contains(ACCOUNT));
    assert!(!of_bob.text().contains("/gate/admin/"));
}

/// Sign-in names nobody, and neither does an error.
#[tokio::test]
async fn whom_to_ask_is_named_to_people_who_are_signed_in() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let request = shop.request(&[("redirect_uri", "https://shop.example/other")]);

    let named = ada.visit(&request).await;
    let unnamed = Browser::new(&server).visit(&request).await;

    named.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    assert!(
        named.text().contains("Ask <strong><bdi>ada</bdi></strong> if you need it."),
        "{}",
        named.text()
    );
    assert!(unnamed.text().contains("Ask whoever runs this server if you need it."));
    assert!(!unnamed.text().contains("ada"));
}

#[tokio::test]
async fn a_page_that_is_out_of_date_is_loaded_again() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    let csrf = std::mem::replace(&mut ada.csrf, "stale".to_owned());

    let at_interaction = ada.decide(&page, "allow").await;
    ada.csrf = "stale".to_owned();
    let at_device = ada.submit("/gate/device", &[]).await;

    at_interaction.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
    let link = |path: &str| format!("href=\"{path}\">Load the page again");
    assert!(at_interaction.text().contains(&link(&page.action())), "{}", at_interaction.text());
    assert!(at_device.text().contains(&link("/gate/device")), "{}", at_device.text());
    assert!(!csrf.is_empty());
}

#[tokio::test]
async fn somebody_whom_an_app_is_not_for_signs_in_as_somebody_else_and_goes_on() {
    let (server, mut bob, desk) = bob_at_desk().await;
    let carol = server.person("carol").await;
    let groups = json!({ "groups": ["staff"] });
    server.operate(Method::PATCH, "/users/carol", groups).await;

    let page = bob.visit(&desk.request(&[])).await;
    let link = page.text().split("href=\"").find(|rest| rest.contains("as=another")).unwrap();
    let link = link.split('"').next().unwrap().to_owned();
    let sign_in = bob.visit(&link).await;
    let still = bob.visit("/account").await;
    bob.authenticator = carol.authenticator.clone();
    bob.sign_in().await;
    let consent = bob.visit(&page.action()).await;

    assert_eq!(page.refusal(), Some(Refusal::PersonAstray));
    assert!(sign_in.asks_to_sign_in(), "{}", sign_in.text());
    assert!(sign_in.text().contains(&format!("data-next=\"{}\"", page.action())));
    assert!(still.text().contains("bob"), "nobody is signed out before somebody else is in");
    assert!(consent.asks_for_consent() && consent.text().contains("carol"), "{}", consent.text());
}

#[tokio::test]
async fn somebody_whom_a_device_is_not_for_signs_in_as_somebody_else() {
    let (server, _ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let device = RelyingParty::tv(&server).await.device().await;
    server.operate(Method::PATCH, "/clients/telly", json!({ "groups": ["staff"] })).await;

    let page = bob.open_device(&device).await;
    let code = device["user_code"].as_str().unwrap();
    let link = format!("/gate/device?user_code={code}&#38;as=another");
    let sign_in = bob.visit(&link.replace("&#38;", "&")).await;

    assert_eq!(page.refusal(), Some(Refusal::PersonAstray));
    assert!(page.text().replace("&amp;", "&#38;").contains(&link), "{}", page.text());
    assert!(sign_in.asks_to_sign_in(), "{}", sign_in.text());
    assert!(sign_in.text().contains(&format!("data-next=\"/gate/device?user_code={code}\"")));
}

#[tokio::test]
async fn somebody_without_the_role_of_an_application_signs_in_as_somebody_else() {
    let (server, mut ada) = installed().await;

    let refused = Visit::default().code(&mut ada, NOTES, "/_gatelodge/start").await;
    let link = refused.text().split("href=\"").find(|rest| rest.contains("as=another")).unwrap();
    let link = link.split('"').next().unwrap().replace("&#38;", "&");
    let sign_in = ada.visit(&link).await;

    refused.refused(ErrorCode::AccessDenied, Refusal::AppRoleMissing);
    assert!(
        refused.text().contains("Ask <strong><bdi>ada</bdi></strong> if you need it."),
        "{}",
        refused.text()
    );
    assert!(sign_in.asks_to_sign_in(), "{}", sign_in.text());
    assert!(sign_in.text().contains("data-next=\"/gate/apps/start?app=notes.localhost"));
    assert!(!sign_in.text().contains("as=another"));
    drop(server);
}

#[tokio::test]
async fn an_app_that_sends_something_wrong_has_to_be_mended() {
    let server = Server::new().await;
    let open = RelyingParty::web(&server).await;

    let page = Browser::new(&server).visit(&open.request(&[("redirect_uri", "")])).await;
    let english = page.text().to_owned();

    page.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriMissingForOpenid);
    assert!(english.contains("Whoever made it or runs it has to mend that."), "{english}");
    assert!(english.contains("href=\"https://shop.example/\""), "{english}");
}

/// OpenID Connect RP-Initiated Logout §2: `ui_locales` is for every page of the sign-out.
#[tokio::test]
async fn every_page_of_a_sign_out_is_in_the_language_that_the_request_named() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;

    let page = ada.visit("/oauth/logout?client_id=shop&ui_locales=de").await;
    let done = ada.decide(&page, "allow").await;
    let after = ada.visit(done.location()).await;
    let unknown = Browser::new(&server).visit("/oauth/logout?ui_locales=xx").await;

    assert!(page.text().contains("lang=\"de\""), "{}", page.text());
    assert_eq!(done.location(), "/gate/logged-out?language=de");
    assert!(after.text().contains("Sie sind abgemeldet"), "{}", after.text());
    assert!(unknown.text().contains("You are signed out"), "{}", unknown.text());
}
