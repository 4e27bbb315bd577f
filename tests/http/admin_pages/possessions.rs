//! What people have: links, invitations, sessions, grants and bridges.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::params::segment_encode;
use serde_json::{Value, json};

use super::{actor, link_on, page_of, refused_above, server, stored, with_role};
use crate::anonymous::{allowed, ask};
use crate::bridge::{access, send, whoami};
use crate::support::{Browser, RelyingParty, Server};

/// Every page that changes something.
const CHANGES: [&str; 18] = [
    "/gate/admin/bridges/x/end",
    "/gate/admin/grants/x/end",
    "/gate/admin/invitations/add",
    "/gate/admin/invitations/revoke",
    "/gate/admin/invitations/x/revoke",
    "/gate/admin/links/revoke",
    "/gate/admin/links/x/revoke",
    "/gate/admin/people/add",
    "/gate/admin/people/ada/certificates/x/revoke",
    "/gate/admin/people/ada/disable",
    "/gate/admin/people/ada/edit",
    "/gate/admin/people/ada/enable",
    "/gate/admin/people/ada/passkeys/x",
    "/gate/admin/people/ada/passkeys/x/remove",
    "/gate/admin/people/ada/recover",
    "/gate/admin/people/ada/remove",
    "/gate/admin/people/ada/tokens/x/revoke",
    "/gate/admin/sessions/x/end",
];

#[tokio::test]
async fn whatever_changes_something_asks_for_a_sign_in_that_is_not_old() {
    let (server, mut ada) = server().await;
    server.advance(Duration::from_secs(5 * 60 + 1));

    for path in CHANGES {
        let page = ada.visit(path).await;
        assert!(page.asks_to_sign_in(), "{path}: {}", page.text());
    }
}

#[tokio::test]
async fn somebody_who_may_only_read_changes_nothing() {
    let (server, _ada) = server().await;
    let mut bob = with_role(&server, "reader").await;

    for path in CHANGES {
        let page = bob.visit(path).await;
        page.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
        let done = bob.submit(path, &[("uses", "1"), ("days", "1"), ("username", "eve")]).await;
        done.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
    }
    assert_eq!(stored(&server, "/invitations").await["invitations"], json!([]));
    assert_eq!(stored(&server, "/users").await["users"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_form_that_comes_from_anywhere_else_changes_nothing() {
    let (_server, mut ada) = server().await;
    ada.visit("/gate/admin").await;

    for path in CHANGES {
        ada.csrf = "0".repeat(64);
        let response = ada.submit(path, &[]).await;
        response.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
    }
}

async fn invite(server: &Server, username: &str) -> Value {
    let person = json!({ "username": username });
    server.operate(Method::POST, "/users", person).await.json()
}

async fn states(server: &Server) -> Vec<Value> {
    let links = stored(server, "/links").await["links"].clone();
    links.as_array().unwrap().iter().map(|link| link["state"].clone()).collect()
}

#[tokio::test]
async fn a_link_is_revoked_or_all_of_them() {
    let (server, mut ada) = server().await;
    let grace = invite(&server, "grace").await;
    invite(&server, "alan").await;
    invite(&server, "kurt").await;
    let one = format!("/gate/admin/links/{}/revoke", grace["setup_id"].as_str().unwrap());

    let list = ada.visit("/gate/admin/links").await;
    let own = ada.visit("/gate/admin/links?user=alan").await;
    ada.visit(&one).await;
    let revoked = ada.submit(&one, &[]).await;
    let after_one = states(&server).await;
    let all = ada.submit("/gate/admin/links/revoke", &[]).await;

    assert!(list.text().contains(&one), "{}", list.text());
    assert!(list.text().contains(">used<") && list.text().contains(">open<"), "{}", list.text());
    assert!(!list.text().contains("gl_st_"));
    let until = list.text().matches("· until ").count();
    assert_eq!(until, 3, "a link that was used is good for nothing any more: {}", list.text());
    let (alan, grace) = (page_of(&server, "alan").await, page_of(&server, "grace").await);
    assert!(own.text().contains(&alan) && !own.text().contains(&grace), "{}", own.text());
    assert_eq!(revoked.location(), grace);
    assert_eq!(after_one.iter().filter(|state| *state == "open").count(), 2);
    assert_eq!(all.location(), "/gate/admin/links");
    assert_eq!(states(&server).await.iter().filter(|state| *state == "open").count(), 0);
    assert_eq!(actor(&server, "link.revoked", "grace").await, "ada");
}

#[tokio::test]
async fn an_invitation_is_made_used_and_revoked() {
    let (server, mut ada) = server().await;
    let path = "/gate/admin/invitations/add";
    let form = ada.visit(path).await;
    assert!(form.text().contains("value=\"7\""), "{}", form.text());

    let fields = [("uses", "2"), ("days", "3"), ("role", "user"), ("groups", "crew")];
    let made = ada.submit(path, &fields).await;
    Browser::new(&server).enrol(&link_on(&made), Some("grace")).await;
    let list = ada.visit("/gate/admin/invitations").await;
    let stored_one = stored(&server, "/invitations").await["invitations"][0].clone();
    let revoke = format!("/gate/admin/invitations/{}/revoke", stored_one["id"].as_str().unwrap());
    let asked = ada.visit(&revoke).await;
    let revoked = ada.submit(&revoke, &[]).await;

    assert!(made.text().contains("<svg "), "{}", made.text());
    let view = [&stored_one["uses"], &stored_one["used"], &stored_one["groups"]];
    assert_eq!(view, [&json!(2), &json!(1), &json!(["crew"])]);
    assert_eq!(stored_one["expires"], "2026-01-04T00:00:00Z");
    assert_eq!(stored_one["made_by"]["username"], "ada");
    assert_eq!(stored(&server, "/users/grace").await["groups"], json!(["crew"]));
    assert!(list.text().contains(&revoke) && !list.text().contains("gl_"), "{}", list.text());
    assert!(asked.text().contains("One person could still come"), "{}", asked.text());
    assert_eq!(revoked.location(), "/gate/admin/invitations");
    let state = stored(&server, "/invitations").await["invitations"][0]["state"].clone();
    assert_eq!(state, "revoked");
}

#[tokio::test]
async fn an_invitation_for_nobody_or_without_an_end_is_not_made() {
    let (server, mut ada) = server().await;
    let path = "/gate/admin/invitations/add";
    ada.visit(path).await;

    for (uses, days) in [("0", "7"), ("many", "7"), ("5", "0"), ("5", "999")] {
        let fields = [("uses", uses), ("days", days), ("role", "reader"), ("groups", "crew")];
        let refused = ada.submit(path, &fields).await;

        assert_eq!(refused.status, 400, "{uses} {days}");
        let says = refused.text().contains(">An invitation is for 1 to 10,000 people.<");
        assert_eq!(says, uses != "5", "{}", refused.text());
        for typed in [uses, days, "crew"] {
            assert!(refused.text().contains(&format!("value=\"{typed}\"")), "{}", refused.text());
        }
        assert!(refused.text().contains("value=\"reader\" checked"), "{}", refused.text());
    }
    assert_eq!(stored(&server, "/invitations").await["invitations"], json!([]));
}

#[tokio::test]
async fn sessions_of_every_kind_are_listed_and_ended() {
    let (server, mut ada) = server().await;
    let _grace = server.person("grace").await;
    server.operate(Method::POST, "/bridge/tokens", json!({ "username": "grace" })).await;
    let client = allowed(&server).await;
    ask(&server, &json!({ "client_id": client.id })).await;
    let sessions = stored(&server, "/sessions").await["sessions"].clone();
    let own = page_of(&server, "grace").await;

    let all = ada.visit("/gate/admin/sessions").await;
    let graces = ada.visit("/gate/admin/sessions?user=grace").await;
    let nobody = ada.visit("/gate/admin/sessions?user=nobody").await;

    assert_eq!(sessions.as_array().unwrap().len(), 4);
    for session in sessions.as_array().unwrap() {
        let path = format!("/gate/admin/sessions/{}/end", session["id"].as_str().unwrap());
        assert!(all.text().contains(&path), "{}", all.text());
        let of_grace = session["username"] == "grace";
        assert_eq!(graces.text().contains(&path), of_grace, "{}", graces.text());
        if session["username"] != "ada" {
            let asked = ada.visit(&path).await;
            assert_eq!(asked.status, 200, "{}", asked.text());
            let ended = ada.submit(&path, &[]).await;
            let next = if of_grace { own.as_str() } else { "/gate/admin/sessions" };
            assert_eq!(ended.location(), next);
        }
    }
    refused_above(&nobody, Refusal::UserNotFound);
    assert!(nobody.text().contains("value=\"nobody\""), "{}", nobody.text());
    let left = stored(&server, "/sessions").await["sessions"].clone();
    let left: Vec<&Value> = left.as_array().unwrap().iter().map(|own| &own["username"]).collect();
    assert_eq!(left, [&json!("ada")]);
}

#[tokio::test]
async fn a_grant_is_found_by_its_person_and_its_client_and_ended() {
    let (server, mut ada) = server().await;
    let mut grace = server.person("grace").await;
    let (shop, reader) = (RelyingParty::web(&server).await, RelyingParty::spa(&server).await);
    shop.tokens_of(&mut grace, "openid").await;
    reader.tokens_of(&mut grace, "openid").await;
    reader.tokens_of(&mut ada, "openid").await;

    let graces = ada.visit("/gate/admin/grants?user=grace&client=").await;
    let of_shop = ada.visit("/gate/admin/grants?client=shop").await;
    let id = stored(&server, "/connections?client=shop").await["connections"][0]["id"].clone();
    let path = format!("/gate/admin/grants/{}/end", segment_encode(id.as_str().unwrap()));
    ada.visit(&path).await;
    let ended = ada.submit(&path, &[]).await;

    assert_eq!(graces.text().matches("/gate/admin/grants/").count(), 2, "{}", graces.text());
    assert_eq!(of_shop.text().matches("/gate/admin/grants/").count(), 1, "{}", of_shop.text());
    assert!(of_shop.text().contains(&path), "{}", of_shop.text());
    assert_eq!(ended.location(), page_of(&server, "grace").await);
    assert_eq!(stored(&server, "/grants?client=shop").await["grants"], json!([]));
    assert_eq!(stored(&server, "/grants").await["grants"].as_array().unwrap().len(), 2);
    assert_eq!(actor(&server, "grant.revoked", "grace").await, "ada");
}

/// What is remembered is access, too: no token was ever issued for it.
#[tokio::test]
async fn the_end_of_access_ends_what_is_remembered_so_that_the_app_asks_again() {
    let (server, mut ada) = server().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let asked = bob.visit(&shop.request(&[])).await;
    bob.decide(&asked, "allow").await;
    assert!(bob.visit(&shop.request(&[])).await.brought().contains_key("code"));
    assert!(bob.visit("/gate/account").await.text().contains("value=\"shop\""));
    assert_eq!(stored(&server, "/grants").await["grants"], json!([]));

    let list = ada.visit("/gate/admin/grants").await;
    let person = ada.visit("/gate/admin/people/bob").await;
    let connection = stored(&server, "/connections").await["connections"][0].clone();
    let switching_off = ada.visit("/gate/admin/clients/shop/disable").await;
    let usage = stored(&server, "/clients/shop/usage").await;
    let id = segment_encode(connection["id"].as_str().unwrap());
    let path = format!("/gate/admin/grants/{id}/end");
    let question = ada.visit(&path).await;
    let ended = ada.submit(&path, &[]).await;

    for page in [&list, &person] {
        assert!(page.text().contains(&path) && page.text().contains("Shop"), "{}", page.text());
        assert!(page.text().contains("remembered, no tokens"), "{}", page.text());
    }
    assert_eq!((&connection["remembered"], &connection["used"]), (&json!(true), &Value::Null));
    assert!(switching_off.text().contains("One person lets it do"), "{}", switching_off.text());
    assert_eq!((&usage["people"], &usage["live_grants"]), (&json!(1), &json!(0)));
    assert!(question.text().contains("It asks them again the next time."), "{}", question.text());
    assert_eq!(ended.location(), page_of(&server, "bob").await);
    assert!(bob.visit(&shop.request(&[])).await.asks_for_consent());
    assert!(!bob.visit("/gate/account").await.text().contains("value=\"shop\""));
    assert_eq!(stored(&server, "/connections").await["connections"], json!([]));
    assert_eq!(stored(&server, "/clients/shop/usage").await["people"], 0);
    assert_eq!(actor(&server, "grant.revoked", "bob").await, "ada");
}

/// The contract of the operation on one grant says so.
#[tokio::test]
async fn a_grant_alone_ends_without_the_consent_and_the_connection_ends_with_all_of_them() {
    let (server, _ada) = server().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let first = shop.tokens_of(&mut bob, "openid offline_access").await;
    let second = shop.tokens_of(&mut bob, "openid offline_access").await;
    let code = shop.code(&mut bob).await;
    let grant = stored(&server, "/grants").await["grants"][0]["id"].clone();

    let one = format!("/grants/{}", grant.as_str().unwrap());
    server.operate(Method::DELETE, &one, json!({})).await;
    let silently = bob.visit(&shop.request(&[("prompt", "none")])).await;
    let found = stored(&server, "/connections/bob:shop").await;
    let ended = server.operate(Method::DELETE, "/connections/bob:shop", json!({})).await;

    assert!(silently.brought().contains_key("code"));
    assert_eq!((&found["username"], &found["client_id"]), (&json!("bob"), &json!("shop")));
    assert_eq!(ended.status, 200, "{}", ended.text());
    assert_eq!(stored(&server, "/grants").await["grants"], json!([]));
    for tokens in [first, second] {
        let refused = shop.refresh(tokens.refresh()).await;
        refused.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
    }
    shop.redeem(&code).await.refused(ErrorCode::InvalidGrant, Refusal::CodeEnded);
    let silently = bob.visit(&shop.request(&[("prompt", "none")])).await;
    assert_eq!(silently.brought()["error"], "consent_required");
}

#[tokio::test]
async fn a_bridge_is_ended_with_what_hangs_on_it() {
    let (server, mut ada) = server().await;
    let session = "11111111-1111-4111-8111-111111111111";
    let token = access(&server, session).await["token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let beat = json!({
        "session_id": session, "bridge_version": "1.2.3", "os": "linux", "hostname": "desk",
        "forwarded_total": 3, "tokens_in_total": 0, "tokens_out_total": 0,
    });
    let headers = [("authorization", bearer.as_str())];
    let heard = send(&server, Method::POST, "/v1/bridge/heartbeat", &headers, &beat).await;
    assert_eq!(heard.status, 200, "{}", heard.text());
    let id = stored(&server, "/bridge").await["bridges"][0]["session_id"].clone();
    let path = format!("/gate/admin/bridges/{}/end", id.as_str().unwrap());

    let list = ada.visit("/gate/admin/bridges").await;
    let asked = ada.visit(&path).await;
    let ended = ada.submit(&path, &[]).await;

    assert!(list.text().contains(&path) && list.text().contains("desk"), "{}", list.text());
    assert!(asked.text().contains("personal token or certificate"), "{}", asked.text());
    assert_eq!(ended.location(), "/gate/admin/bridges");
    assert_eq!(whoami(&server, &token).await.status, 401);
    let sessions = stored(&server, "/sessions?user=ada").await["sessions"].clone();
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    assert_eq!(actor(&server, "bridge.ended", "ada").await, "ada");
}

#[tokio::test]
async fn every_open_invitation_is_revoked_at_once() {
    let (server, mut ada) = server().await;
    for _ in 0..3 {
        server.operate(Method::POST, "/invitations", json!({ "uses": 2 })).await;
    }
    let path = "/gate/admin/invitations/revoke";
    ada.visit(path).await;

    let done = ada.submit(path, &[]).await;

    assert_eq!(done.location(), "/gate/admin/invitations");
    let invitations = stored(&server, "/invitations").await;
    let states: Vec<_> = invitations["invitations"].as_array().unwrap().iter().collect();
    assert!(states.iter().all(|own| own["state"] == "revoked"), "{states:?}");
    assert_eq!(states.len(), 3);
}

#[tokio::test]
async fn the_session_that_ends_is_described_and_ones_own_is_marked() {
    let (server, mut ada) = server().await;
    server.person("bob").await;
    let sessions = stored(&server, "/sessions").await["sessions"].clone();
    let of = |person: &str| {
        let mut sessions = sessions.as_array().unwrap().iter();
        let own = sessions.find(|session| session["username"] == person).unwrap();
        own["id"].as_str().unwrap().to_owned()
    };

    let list = ada.visit("/gate/admin/sessions").await;
    let of_bob = ada.visit(&format!("/gate/admin/sessions/{}/end", of("bob"))).await;
    let own = ada.visit(&format!("/gate/admin/sessions/{}/end", of("ada"))).await;

    assert_eq!(list.text().matches("This browser").count(), 1, "{}", list.text());
    let row = list.text().split("<li>").find(|row| row.contains("This browser")).unwrap();
    assert!(row.contains("<bdi>ada</bdi>"), "{row}");
    for page in [&of_bob, &own] {
        assert!(page.text().contains(" UTC from 127.0.0.1"), "{}", page.text());
        assert!(page.text().contains("last used "), "{}", page.text());
    }
    assert!(own.text().contains("This is the browser that you use now."), "{}", own.text());
    assert!(!of_bob.text().contains("This is the browser"), "{}", of_bob.text());
}
