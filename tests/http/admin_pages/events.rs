//! The pages of events: search, explanation, and the repair as a button.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{server, with_role};
use crate::refusals::managing::at_repair;
use crate::support::{RelyingParty, Server};

async fn redirect_uris(server: &Server) -> Value {
    let shop = server.operate(Method::GET, "/clients/shop", json!({})).await.json();
    shop["redirect_uris"].clone()
}

#[tokio::test]
async fn an_address_of_a_request_shows_its_host_apart_and_is_added_by_whoever_vouches_for_it() {
    let (server, mut ada, path) = at_repair().await;
    let before = redirect_uris(&server).await;

    let page = ada.visit(&path).await;
    let operation = page.hidden("operation").unwrap();
    let untrusted = ada.submit(&path, &[("operation", &operation)]).await;
    let after_refusal = redirect_uris(&server).await;
    let made = ada.submit(&path, &[("operation", &operation), ("trust", "yes")]).await;

    assert!(page.text().contains("<strong><bdi>shop.example</bdi></strong>"), "{}", page.text());
    assert!(page.text().contains("receives the sign-ins of this app"));
    assert!(!page.text().contains(" checked"), "it is never preselected");
    untrusted.refused(ErrorCode::InvalidRequest, Refusal::RepairUntrusted);
    assert!(untrusted.text().contains("<form"), "the page is shown again");
    assert_eq!(after_refusal, before);
    assert_eq!(made.status, 303, "{}", made.text());
    let uris = redirect_uris(&server).await;
    assert!(uris.as_array().unwrap().contains(&json!("https://shop.example/other")), "{uris}");
    let events = server.operate(Method::GET, "/events?kind=client.changed", json!({})).await.json();
    assert_eq!(events["events"][0]["actor"]["kind"], "administrator");
    assert_eq!(events["events"][0]["actor"]["username"], "ada");
}

#[tokio::test]
async fn only_what_was_shown_is_done() {
    let (server, mut ada, path) = at_repair().await;
    let before = redirect_uris(&server).await;
    let fields =
        [("operation", "PATCH /api/v1/clients/shop {\"first_party\":true}"), ("trust", "yes")];

    let refused = ada.submit(&path, &fields).await;

    refused.refused(ErrorCode::Conflict, Refusal::RepairDiffers);
    assert_eq!(redirect_uris(&server).await, before);
}

#[tokio::test]
async fn to_do_without_pkce_is_offered_for_confidential_clients_of_an_operator_alone() {
    let (server, mut ada) = server().await;
    let challenge = [("code_challenge", ""), ("code_challenge_method", ""), ("nonce", "n")];
    let (shop, spa) = (RelyingParty::web(&server).await, RelyingParty::spa(&server).await);
    let registration = json!({ "redirect_uris": ["https://self.example/cb"] });
    let registered = crate::support::register(&server, registration).await.json();
    let mut own = shop.clone();
    own.id = registered["client_id"].as_str().unwrap().to_owned();
    own.redirect_uri = "https://self.example/cb".to_owned();

    let mut offered = Vec::new();
    for client in [&shop, &spa, &own] {
        let refused = server.get(&client.request(&challenge)).await;
        let event = refused.header("gatelodge-event");
        let page = ada.visit(&format!("/gate/admin/events/{event}")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        offered.push(page.text().contains("/repair\""));
    }

    assert_eq!(offered, [true, false, false]);
}

#[tokio::test]
async fn events_are_found_by_what_they_are_about() {
    let (server, mut ada) = server().await;
    server.person("bob").await;
    RelyingParty::web(&server).await;

    let of_bob = ada.visit("/gate/admin/events?user=bob&kind=user.added").await;
    let of_shop = ada.visit("/gate/admin/events?client=shop").await;
    let misspelt = ada.visit("/gate/admin/events?kind=user.aded").await;

    assert_eq!(of_bob.text().matches("/gate/admin/events/").count(), 1, "{}", of_bob.text());
    assert!(of_bob.text().contains("value=\"bob\""), "what was typed is still there");
    assert_eq!(of_shop.text().matches("/gate/admin/events/").count(), 1, "{}", of_shop.text());
    misspelt.refused(ErrorCode::InvalidRequest, Refusal::EventKindUnknown);
    assert!(misspelt.text().contains("value=\"user.aded\""), "{}", misspelt.text());
    assert!(misspelt.text().contains("Perhaps it is user.added"), "the nearest one is named");
}

#[tokio::test]
async fn older_events_are_a_page_away() {
    let (server, mut ada) = server().await;
    for n in 0..60 {
        server.operate(Method::POST, "/users", json!({ "username": format!("u{n}") })).await;
    }

    let newest = ada.visit("/gate/admin/events?kind=user.added").await;
    let link = newest.text().split("href=\"").find(|rest| rest.contains("cursor=")).unwrap();
    let link = link.split('"').next().unwrap().replace("&#38;", "&");
    let older = ada.visit(&link).await;

    let count = |text: &str| text.matches("href=\"/gate/admin/events/").count();
    assert_eq!((count(newest.text()), count(older.text())), (50, 11), "{link}");
}

#[tokio::test]
async fn whoever_may_only_read_is_offered_no_repair() {
    let (server, _ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    let refused = server.get(&shop.request(&[("redirect_uri", "https://shop.example/o")])).await;
    let path = format!("/gate/admin/events/{}", refused.header("gatelodge-event"));
    let mut bob = with_role(&server, "reader").await;

    let page = bob.visit(&path).await;
    let repair = bob.visit(&format!("{path}/repair")).await;

    assert!(page.text().contains("gatelodge client set"), "{}", page.text());
    assert!(!page.text().contains("/repair\""), "{}", page.text());
    repair.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
}

#[tokio::test]
async fn a_row_says_who_did_what_to_whom() {
    let (server, mut ada) = server().await;
    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;
    ada.visit("/gate/admin/people/bob/disable").await;
    ada.submit("/gate/admin/people/bob/disable", &[]).await;
    let shop = RelyingParty::web(&server).await;
    server.get(&shop.request(&[("redirect_uri", "https://shop.example/o")])).await;

    for path in ["/gate/admin", "/gate/admin/events"] {
        let page = ada.visit(path).await;
        let rows: Vec<&str> = page.text().split("<li>\n<div class=\"name\">").skip(1).collect();
        let row = |mark: &str| rows.iter().find(|row| row.contains(mark)).unwrap().to_owned();
        let refused = row("RedirectUriUnregistered: shop");
        assert!(refused.contains("<bdi lang=\"en\">redirect_uri is not"), "why: {refused}");
        assert!(refused.contains("<bdi>somebody unknown</bdi>"), "{refused}");
        let disabled = row("<bdi>ada, as administrator</bdi>");
        assert!(disabled.contains("<code>bob"), "to whom: {disabled}");
        assert!(disabled.contains(" UTC"), "{disabled}");
    }
}

#[tokio::test]
async fn a_filter_says_what_may_be_typed_and_takes_a_day() {
    let (server, mut ada) = server().await;
    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;
    let events = server.operate(Method::GET, "/events?limit=1", json!({})).await.json();
    let day = events["events"][0]["at"].as_str().unwrap().split('T').next().unwrap().to_owned();

    let all = ada.visit("/gate/admin/events").await;
    let since = ada.visit(&format!("/gate/admin/events?kind=user.added&since={day}")).await;
    let until = ada.visit(&format!("/gate/admin/events?kind=user.added&until={day}")).await;
    let wrong = ada.visit("/gate/admin/events?since=yesterday").await;

    for value in ["user.added", "RedirectUriUnregistered"] {
        assert!(all.text().contains(&format!("<option value=\"{value}\">")), "{value}");
    }
    assert!(all.text().contains("aria-describedby=\"since-hint\""), "{}", all.text());
    let count = |text: &str| text.matches("href=\"/gate/admin/events/").count();
    assert_eq!((count(since.text()), count(until.text())), (2, 0), "{}", since.text());
    assert!(since.text().contains(&format!("value=\"{day}\"")), "what was typed is still there");
    wrong.refused(ErrorCode::InvalidRequest, Refusal::TimeMalformed);
}
