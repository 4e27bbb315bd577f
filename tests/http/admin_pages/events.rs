//! The pages of events: search, explanation, and the repair as a button.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{server, with_role};
use crate::refusals::managing::at_repair;
use crate::support::{RelyingParty, Server};
use crate::ways::self_named::your_bank;

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

/// The app meets no refusal: it gets a token without its groups.
#[tokio::test]
async fn scopes_that_are_left_out_are_an_event_with_a_repair_once_an_hour() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    server.operate(Method::PATCH, "/clients/shop", json!({ "scope": "openid profile" })).await;
    let count = async || {
        let path = "/events?kind=scope.left_out&client=shop";
        let events = server.operate(Method::GET, path, json!({})).await.json()["events"].clone();
        events.as_array().unwrap().clone()
    };
    let request = shop.request(&[("scope", "openid groups nonsense admin:people")]);

    server.get(&shop.request(&[("scope", "openid profile")])).await;
    let none = count().await;
    for _ in 0..3 {
        assert_eq!(server.get(&request).await.refusal(), None);
    }
    let one = count().await;
    server.advance(std::time::Duration::from_secs(3601));
    server.get(&request).await;
    let later = count().await;

    assert_eq!((none.len(), one.len(), later.len()), (0, 1, 2));
    assert_eq!(one[0]["facts"]["left_out"], "groups");
    let event = format!("/gate/admin/events/{}", one[0]["id"].as_str().unwrap());
    ada.sign_in().await;
    let page = ada.visit(&event).await;
    assert!(page.unmarked().contains("--add-scope=groups"), "{}", page.text());
    let path = format!("{event}/repair");
    let operation = ada.visit(&path).await.hidden("operation").unwrap();
    let made = ada.submit(&path, &[("operation", &operation)]).await;
    assert!(ada.visit(made.location()).await.text().contains("Done:"));
    let shop = server.operate(Method::GET, "/clients/shop", json!({})).await.json();
    assert_eq!(shop["scope"], "groups openid profile");
}

/// Nobody knows an app by the id that this server made.
#[tokio::test]
async fn an_app_has_its_name_where_a_request_of_it_is_explained_and_mended() {
    let (server, mut ada) = server().await;
    let client = json!({ "name": "Green House", "redirect_uris": ["https://green.example/cb"] });
    let made = server.operate(Method::POST, "/clients", client).await.json();
    let mut green = RelyingParty::web(&server).await;
    green.id = made["client_id"].as_str().unwrap().to_owned();
    let refused = server.get(&green.request(&[("redirect_uri", "https://green.example/o")])).await;
    let path = format!("/gate/admin/events/{}", refused.header("gatelodge-event"));

    let event = ada.visit(&path).await;
    let repair = ada.visit(&format!("{path}/repair")).await;

    for page in [&event, &repair] {
        assert!(page.text().contains("Green House"), "{}", page.text());
    }
    assert!(event.text().contains("--add-redirect="), "{}", event.text());
    assert!(!event.text().contains("--redirect URI"), "one command, not two: {}", event.text());
}

/// A change that was made is offered no second time, wherever it was made.
#[tokio::test]
async fn what_was_let_pass_is_said_to_be_done_and_not_offered_again() {
    let (server, mut ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    server.operate(Method::PATCH, "/clients/shop", json!({ "scope": "openid" })).await;
    for changed in [("redirect_uri", "https://shop.example/other"), ("scope", "groups")] {
        let refused = server.get(&shop.request(&[changed])).await;
        let event = format!("/gate/admin/events/{}", refused.header("gatelodge-event"));
        let before = ada.visit(&event).await;
        let path = format!("{event}/repair");
        let operation = ada.visit(&path).await.hidden("operation").unwrap();

        let made = ada.submit(&path, &[("operation", &operation), ("trust", "yes")]).await;
        let after = ada.visit(made.location()).await;
        let again = ada.submit(&path, &[("operation", &operation), ("trust", "yes")]).await;
        let passes = server.get(&shop.request(&[changed])).await;

        assert!(before.text().contains("/repair\"") && !before.text().contains("Done:"));
        assert_eq!(made.location(), event);
        assert!(after.text().contains("Done: it is allowed"), "{}", after.text());
        assert!(!after.text().contains("/repair\""), "{}", after.text());
        assert!(!after.text().contains("gatelodge client set"), "{}", after.text());
        again.refused(ErrorCode::NotFound, Refusal::RepairMissing);
        assert_eq!(passes.refusal(), None, "{changed:?}");
        let id = event.rsplit('/').next().unwrap();
        let explained = server.operate(Method::GET, &format!("/events/{id}"), json!({})).await;
        let explained = explained.json();
        assert_eq!((&explained["made"], &explained["repair"]), (&json!(true), &Value::Null));
        assert!(explained["no_command"].as_str().unwrap().contains("already"), "{explained}");
    }
}

/// Where an administrator follows the link to an event at once.
#[tokio::test]
async fn an_event_that_is_being_written_is_found() {
    let (server, _ada) = server().await;
    let shop = RelyingParty::web(&server).await;
    for _ in 0..5 {
        let refused = server.get(&shop.request(&[("scope", "nothing")])).await;
        let path = format!("/events/{}", refused.header("gatelodge-event"));

        let look = server.operate(Method::GET, &path, json!({}));
        let (written, found) = tokio::join!(server.app.write_events(), look);

        written.unwrap();
        assert_eq!(found.status, 200, "{}", found.text());
    }
}

/// No app is there to be mended.
#[tokio::test]
async fn what_is_not_there_leads_back_to_the_administration_and_blames_no_app() {
    let (_server, mut ada) = server().await;

    for path in [
        "/gate/admin/people/ada/passkeys/0190163d-8694-439b-aea5-966c26f8ad91",
        "/gate/admin/events/nonsense",
        "/gate/admin/events/0000000000000000",
        "/gate/admin/clients/nobody",
    ] {
        let page = ada.visit(path).await;

        assert!([400, 404].contains(&page.status.as_u16()), "{path}: {}", page.status);
        assert!(!page.text().contains("The app sent something"), "{path}: {}", page.text());
        let way = "href=\"/gate/admin\">Go to the administration</a>";
        assert!(page.text().contains(way), "{path}: {}", page.text());
    }
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

/// An administrator who lets its request pass should know whose it is.
#[tokio::test]
async fn the_repair_of_an_app_that_named_itself_says_so_and_where_it_is() {
    let (server, mut ada) = server().await;
    let bank = your_bank(&server, &["https://evil.example/cb"]).await;
    let path = format!("/clients/{}", bank.id);
    for resource in ["https://api.example", "https://own.example"] {
        let resource = json!({ "resource": resource });
        assert_eq!(server.operate(Method::POST, "/resources", resource).await.status, 201);
    }
    let narrow = json!({ "scope": "openid profile", "resources": ["https://own.example"] });
    assert_eq!(server.operate(Method::PATCH, &path, narrow).await.status, 200);
    let mut kinds = Vec::new();

    for (asked, refusal) in [
        ([("resource", "https://new.example"), ("scope", "openid")], Refusal::ResourceUnknown),
        ([("resource", "https://api.example"), ("scope", "openid")], Refusal::ResourceUnknown),
        ([("scope", "email"), ("prompt", "none")], Refusal::ScopeNotAllowed),
    ] {
        let refused = ada.visit(&bank.request(&asked)).await;
        assert_eq!(refused.refusal(), Some(refusal), "{}", refused.text());
        let event = refused.header("gatelodge-event").to_owned();
        let explained = server.operate(Method::GET, &format!("/events/{event}"), json!({})).await;
        let page = ada.visit(&format!("/gate/admin/events/{event}/repair")).await;
        let operation = page.hidden("operation").unwrap();
        let untrusted = ada.submit(&page.action(), &[("operation", &operation)]).await;
        let trusted = [("operation", operation.as_str()), ("trust", "yes")];
        let made = ada.submit(&page.action(), &trusted).await;

        let explained = explained.json();
        assert_eq!(explained["repair"]["self_named"], "evil.example", "{explained}");
        for said in ["registered itself and chose its own name", "<bdi>evil.example</bdi>"] {
            assert!(page.text().contains(said), "{said}: {}", page.text());
        }
        let tick = "type=\"checkbox\" value=\"yes\" required>";
        assert!(page.text().contains(tick), "it is never preselected: {}", page.text());
        untrusted.refused(ErrorCode::InvalidRequest, Refusal::RepairUntrusted);
        assert_eq!(made.status, 303, "{}", made.text());
        kinds.push(explained["repair"]["kind"].as_str().unwrap().to_owned());
    }

    assert_eq!(kinds, ["new_resource", "add_resource", "add_scope"]);
}

/// What an app said of itself is no operator's to change.
#[tokio::test]
async fn an_app_that_wants_its_requests_pushed_has_no_repair() {
    let (server, mut ada) = server().await;
    let metadata = json!({
        "redirect_uris": ["https://own.example/cb"], "require_pushed_authorization_requests": true,
    });
    let own = crate::support::register(&server, metadata).await.json();

    let refused = ada.visit(&RelyingParty::new(&server, &own).request(&[])).await;
    let event = format!("/events/{}", refused.header("gatelodge-event"));
    let explained = server.operate(Method::GET, &event, json!({})).await.json();

    assert_eq!(refused.refusal(), Some(Refusal::RequestNotPushed));
    assert_eq!((&explained["repair"], &explained["command"]), (&Value::Null, &Value::Null));
    assert!(explained["no_command"].as_str().unwrap().contains("describes itself"), "{explained}");
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
