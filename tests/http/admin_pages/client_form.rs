//! The form that changes a client.

use axum::http::Method;
use gatelodge::error::Refusal;
use serde_json::{Value, json};

use super::{fields, server, type_into};
use crate::support::{RelyingParty, Server, register};

async fn client(server: &Server) -> Value {
    server.operate(Method::GET, "/clients/shop", json!({})).await.json()
}

/// What differs between two views of a client.
fn differences(before: &Value, after: &Value) -> Vec<String> {
    let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
    let mut names: Vec<_> = before.keys().chain(after.keys()).cloned().collect();
    names.sort();
    names.dedup();
    names.retain(|name| before.get(name) != after.get(name));
    names
}

#[tokio::test]
async fn what_nobody_changed_in_the_form_stays_whether_the_form_has_it_or_not() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    let more = json!({
        "contacts": ["ada@example.com"], "refresh": "strict", "default_max_age": 300,
        "tos_uri": "https://shop.example/terms", "introspect_any": true,
        "post_logout_redirect_uris": ["https://shop.example/bye"], "claims": "userinfo",
    });
    server.operate(Method::PATCH, "/clients/shop", more).await;
    let before = client(&server).await;

    let form = ada.visit("/gate/admin/clients/shop/edit").await;
    let nothing = type_into(&mut ada, &form, &[]).await;
    let untouched = client(&server).await;
    let form = ada.visit("/gate/admin/clients/shop/edit").await;
    let changed = type_into(&mut ada, &form, &[("name", "The new shop")]).await;

    assert_eq!(nothing.location(), "/gate/admin/clients/shop");
    assert_eq!(untouched, before);
    assert_eq!(changed.location(), "/gate/admin/clients/shop");
    let after = client(&server).await;
    assert_eq!(differences(&before, &after), ["name"]);
    assert_eq!(after["name"], "The new shop");
}

/// Somebody else changed it while the form stood open.
#[tokio::test]
async fn a_change_of_somebody_else_survives_a_form_that_is_older() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    let form = ada.visit("/gate/admin/clients/shop/edit").await;
    let other = json!({ "name": "Renamed", "groups": ["staff"], "pkce": "nonce" });
    server.operate(Method::PATCH, "/clients/shop", other).await;

    let uris = "https://shop.example/cb\r\nhttps://shop.example/new";
    let changed = type_into(&mut ada, &form, &[("redirect_uris", uris)]).await;

    assert_eq!(changed.location(), "/gate/admin/clients/shop");
    let after = client(&server).await;
    assert_eq!(after["name"], "Renamed");
    assert_eq!((&after["groups"], &after["pkce"]), (&json!(["staff"]), &json!("nonce")));
    let uris = ["https://shop.example/cb", "https://shop.example/new"];
    assert_eq!(after["redirect_uris"], json!(uris));
    let events = server.operate(Method::GET, "/events?kind=client.changed", json!({})).await.json();
    let by_ada = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["actor"]["username"] == "ada");
    assert_eq!(by_ada.unwrap()["facts"]["changed"], "redirect_uris", "{events}");
}

#[tokio::test]
async fn each_field_changes_its_member() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    for (typed, member, value) in [
        (&[("scope", "email"), ("scope", "openid")][..], "scope", json!("email openid")),
        (&[("grant_types", "authorization_code")], "grant_types", json!(["authorization_code"])),
        (&[("groups", "a\r\nb")], "groups", json!(["a", "b"])),
        (&[("groups", "")], "groups", json!([])),
        (&[("pkce", "optional")], "pkce", json!("optional")),
        (&[("pkce", "default")], "pkce", json!("required")),
        (&[("access_token_lifetime", "120")], "access_token_lifetime", json!(120)),
        (&[("access_token_lifetime", "")], "access_token_lifetime", Value::Null),
        (&[("first_party", "yes")], "first_party", json!(true)),
        (
            &[("id_token_signed_response_alg", "EdDSA")],
            "id_token_signed_response_alg",
            json!("EdDSA"),
        ),
        (
            &[("backchannel_logout_uri", "https://shop.example/out")],
            "backchannel_logout_uri",
            json!("https://shop.example/out"),
        ),
        (&[("backchannel_logout_uri", "")], "backchannel_logout_uri", Value::Null),
        (
            &[("token_endpoint_auth_method", "client_secret_post")],
            "token_endpoint_auth_method",
            json!("client_secret_post"),
        ),
        (
            &[("token_endpoint_auth_method", "client_secret")],
            "token_endpoint_auth_method",
            // Where either way is taken, the view names the one that RFC 7591 §2 has as the default.
            json!("client_secret_basic"),
        ),
    ] {
        let before = client(&server).await;
        let form = ada.visit("/gate/admin/clients/shop/edit").await;

        let response = type_into(&mut ada, &form, typed).await;

        assert!(response.status == 303 || response.status == 200, "{typed:?}: {}", response.text());
        let after = client(&server).await;
        assert_eq!(after[member], value, "{typed:?}");
        let others = differences(&before, &after);
        assert!(others.iter().all(|name| name == member), "{typed:?}: {others:?}");
    }
}

#[tokio::test]
async fn a_client_that_becomes_confidential_gets_a_secret_which_is_displayed_once() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    let public = json!({ "client_type": "public", "token_endpoint_auth_method": "none" });
    server.operate(Method::PATCH, "/clients/shop", public).await;

    let form = ada.visit("/gate/admin/clients/shop/edit").await;
    let typed = [("token_endpoint_auth_method", "client_secret_basic")];
    let changed = type_into(&mut ada, &form, &typed).await;

    assert_eq!(changed.status, 200, "{}", changed.text());
    assert!(changed.text().contains("Client secret"), "{}", changed.text());
    assert_eq!(client(&server).await["client_type"], "confidential");
}

#[tokio::test]
async fn a_refusal_brings_the_form_back_as_it_was_typed() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    let before = client(&server).await;

    for (typed, refusal) in [
        (("redirect_uris", "http://shop.example/cb"), Refusal::RedirectUriNotHttps),
        (("access_token_lifetime", "1"), Refusal::AccessTokenLifetimeUnfit),
    ] {
        let form = ada.visit("/gate/admin/clients/shop/edit").await;
        let refused = type_into(&mut ada, &form, &[typed, ("groups", "staff")]).await;

        assert_eq!(refused.refusal(), Some(refusal));
        let all = fields(&refused);
        assert!(all.contains(&(typed.0.into(), typed.1.into())), "{all:?}");
        assert!(all.contains(&("groups".into(), "staff".into())), "{all:?}");
        // It still knows what stood there at first, so the next try is as good as this one.
        assert!(all.contains(&("was_groups".into(), String::new())), "{all:?}");
    }
    assert_eq!(client(&server).await, before);
}

#[tokio::test]
async fn a_word_where_seconds_belong_is_refused_by_its_name() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    let form = ada.visit("/gate/admin/clients/shop/edit").await;

    let refused = type_into(&mut ada, &form, &[("access_token_lifetime", "an hour")]).await;

    assert!(refused.status == 400, "{}", refused.text());
    assert!(refused.text().contains("access_token_lifetime"), "{}", refused.text());
    assert!(refused.text().contains("value=\"an hour\""), "{}", refused.text());
}

/// Whoever made the link would decide what stands in it.
#[tokio::test]
async fn a_link_fills_nothing_into_the_form() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    let before = client(&server).await;

    let form = ada.visit("/gate/admin/clients/shop/edit?groups=staff").await;
    let all = fields(&form);
    type_into(&mut ada, &form, &[]).await;

    assert!(all.contains(&("groups".into(), String::new())), "{all:?}");
    assert_eq!(client(&server).await, before);
}

#[tokio::test]
async fn of_a_client_that_describes_itself_only_decisions_are_changed() {
    let (server, mut ada) = server().await;
    let own = json!({ "redirect_uris": ["https://own.example/cb"], "client_name": "Own" });
    let registered = register(&server, own).await.json();
    let id = registered["client_id"].as_str().unwrap();
    let path = format!("/gate/admin/clients/{id}/edit");

    let form = ada.visit(&path).await;
    let changed = type_into(&mut ada, &form, &[("groups", "staff"), ("name", "Mine")]).await;

    let next = changed.location().replace("%5F", "_");
    assert_eq!(next, format!("/gate/admin/clients/{id}"));
    let stored = server.operate(Method::GET, &format!("/clients/{id}"), json!({})).await.json();
    assert_eq!((&stored["groups"], &stored["name"]), (&json!(["staff"]), &json!("Own")));
    // Only an operator's confidential client may go without both.
    assert!(!form.text().contains("value=\"optional\""), "{}", form.text());
}

#[tokio::test]
async fn a_scope_that_only_the_client_has_is_not_lost() {
    let (server, mut ada) = server().await;
    RelyingParty::web(&server).await;
    let resource = json!({ "resource": "https://api.example", "scope": "orders:read" });
    server.operate(Method::POST, "/resources", resource).await;
    let scope = json!({ "scope": "openid orders:read" });
    server.operate(Method::PATCH, "/clients/shop", scope).await;
    server.operate(Method::DELETE, "/resources/api.example", json!({})).await;
    let before = client(&server).await;

    let form = ada.visit("/gate/admin/clients/shop/edit").await;
    type_into(&mut ada, &form, &[("groups", "staff")]).await;

    let after = client(&server).await;
    assert_eq!(after["scope"], before["scope"]);
    assert_eq!(differences(&before, &after), ["groups"]);
}
