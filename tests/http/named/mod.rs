//! What operators name: by its id, by its name, or by the beginning of its id.

mod lists;
mod many;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::schema::Client;
use serde_json::{Value, json};

use crate::bridge::{access, pat};
use crate::devices::{certificate_until, enroll};
use crate::support::{RelyingParty, Response, Server, register};

async fn get(server: &Server, path: &str) -> Response {
    server.operate(Method::GET, path, json!({})).await
}

async fn delete(server: &Server, path: &str) -> Response {
    server.operate(Method::DELETE, path, json!({})).await
}

/// The first eight characters of the id in `member`.
fn beginning(view: &Value, member: &str) -> String {
    view[member].as_str().unwrap()[..8].to_owned()
}

/// Adds a client of an operator, and returns its id.
async fn client(server: &Server, registration: Value) -> String {
    server.client(registration).await.id
}

#[tokio::test]
async fn a_client_is_found_by_its_name_whatever_the_case_and_the_form() {
    let server = Server::new().await;
    let id = client(&server, json!({ "name": "Caf\u{e9}" })).await;

    for name in ["Caf%C3%A9", "CAF%C3%89", "cafe%CC%81"] {
        assert_eq!(get(&server, &format!("/clients/{name}")).await.json()["client_id"], id);
    }
    let usage = get(&server, "/clients/caf%C3%A9/usage").await;
    assert_eq!(usage.json()["client_id"], id);
    let changed = json!({ "first_party": true });
    let changed = server.operate(Method::PATCH, "/clients/caf%C3%A9", changed).await;
    assert_eq!(changed.json()["first_party"], true);
    let rotated = server.operate(Method::POST, "/clients/caf%C3%A9/secret", json!({})).await;
    assert_eq!(rotated.json()["client_id"], id);
    let removed = delete(&server, "/clients/caf%C3%A9").await.json();
    assert_eq!((&removed["client_id"], &removed["name"]), (&json!(id), &json!("Caf\u{e9}")));
}

#[tokio::test]
async fn a_new_name_is_the_only_one_by_which_a_client_is_found() {
    let server = Server::new().await;
    let id = client(&server, json!({ "name": "Shop" })).await;

    let path = format!("/clients/{id}");
    server.operate(Method::PATCH, &path, json!({ "name": "Store" })).await;

    assert_eq!(get(&server, "/clients/store").await.json()["client_id"], id);
    let old = get(&server, "/clients/shop").await;
    old.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
}

#[tokio::test]
async fn a_stranger_who_registers_a_client_under_a_name_is_never_found_by_it() {
    let server = Server::new().await;
    let metadata = json!({ "client_name": "Shop", "redirect_uris": ["https://evil.example/cb"] });
    let stranger = register(&server, metadata).await.json();

    let alone = delete(&server, "/clients/shop").await;
    let own = client(&server, json!({ "name": "Shop" })).await;
    let found = get(&server, "/clients/shop").await.json();

    alone.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
    assert_eq!(alone.json().get("known"), None);
    assert_eq!(found["client_id"], own);
    let path = format!("/clients/{}", stranger["client_id"].as_str().unwrap());
    assert_eq!(get(&server, &path).await.json()["client_id"], stranger["client_id"]);
}

#[tokio::test]
async fn an_id_goes_before_a_name_and_a_name_before_a_beginning() {
    let server = Server::new().await;
    client(&server, json!({ "name": "first", "client_id": "shop" })).await;
    client(&server, json!({ "name": "shop", "client_id": "shop-two" })).await;
    client(&server, json!({ "name": "shop-t", "client_id": "other" })).await;

    let found = async |named: &str| {
        get(&server, &format!("/clients/{named}")).await.json()["client_id"].take()
    };

    assert_eq!(found("shop").await, "shop");
    assert_eq!(found("shop-t").await, "other");
    let made = client(&server, json!({ "name": "Robot" })).await;
    let made = made.as_str();
    assert_eq!(found(&made[..8]).await, made);
}

/// An id or a URI that somebody chose is named whole: a removal that is sent twice removes one.
#[tokio::test]
async fn a_removal_that_is_repeated_removes_nothing_else() {
    let server = Server::new().await;
    for id in ["cron", "cronjob"] {
        client(&server, json!({ "name": id, "client_id": id })).await;
    }
    for resource in ["https://s.example", "https://s.example/v2"] {
        server.operate(Method::POST, "/resources", json!({ "resource": resource })).await;
    }

    for path in ["/clients/cron", "/resources/https%3A%2F%2Fs.example"] {
        assert_eq!(delete(&server, path).await.status, 200);
        assert_eq!(delete(&server, path).await.status, 404, "{path}");
    }

    assert_eq!(get(&server, "/clients/cronjob").await.status, 200);
    assert_eq!(get(&server, "/resources/https%3A%2F%2Fs.example%2Fv2").await.status, 200);
}

#[tokio::test]
async fn of_several_none_is_chosen_and_each_is_named() {
    let server = Server::new().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(client(&server, json!({ "name": "Robot" })).await);
    }
    ids.sort();

    let refused = delete(&server, "/clients/robot").await;

    refused.refused(ErrorCode::Conflict, Refusal::NameAmbiguous);
    let expected = json!([{ "id": ids[0], "name": "Robot" }, { "id": ids[1], "name": "Robot" }]);
    assert_eq!(refused.json()["candidates"], expected);
    for id in ids {
        assert_eq!(get(&server, &format!("/clients/{id}")).await.status, 200);
    }
}

#[tokio::test]
async fn a_beginning_has_four_characters_at_least_and_one_id() {
    let server = Server::new().await;
    // The first digit is one of sixteen, so two of so many begin alike.
    for n in 0..17 {
        client(&server, json!({ "name": format!("client {n}") })).await;
    }
    let listed = get(&server, "/clients").await.json();
    let ids = listed["clients"].as_array().unwrap().iter();
    let mut ids: Vec<String> =
        ids.map(|one| one["client_id"].as_str().unwrap()[..4].into()).collect();
    ids.sort();
    let alike = ids.windows(2).find(|two| two[0] == two[1]).unwrap()[0].clone();

    let both = get(&server, &format!("/clients/{alike}")).await;
    let short = get(&server, "/clients/gl_").await;

    both.refused(ErrorCode::Conflict, Refusal::NameAmbiguous);
    assert!(both.json()["candidates"].as_array().unwrap().len() >= 2);
    short.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
}

#[tokio::test]
async fn whoever_mistypes_a_name_reads_what_there_is() {
    let server = Server::new().await;
    client(&server, json!({ "name": "Shop", "client_id": "web" })).await;
    client(&server, json!({ "name": "Billing" })).await;
    server.person("ada").await;

    let client = get(&server, "/clients/shpo").await;
    let person = get(&server, "/users/adda").await;

    client.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
    assert_eq!(client.json()["known"], json!(["shop", "web", "billing"]));
    person.refused(ErrorCode::NotFound, Refusal::UserNotFound);
    assert_eq!(person.json()["known"], json!(["ada"]));
}

#[tokio::test]
async fn a_person_is_found_by_the_beginning_of_their_id_wherever_one_is_named() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    let bob = get(&server, "/users/BOB").await.json();
    let named = beginning(&bob, "id");
    let path = format!("/users/{named}");

    assert_eq!(get(&server, &path).await.json()["username"], "bob");
    let whole = bob["id"].as_str().unwrap();
    assert_eq!(get(&server, &format!("/users/{whole}")).await.json()["username"], "bob");
    let digits = whole.replace('-', "").to_uppercase();
    assert_eq!(get(&server, &format!("/users/{digits}")).await.json()["username"], "bob");
    for (path, request) in [
        ("/recover", json!({ "username": named })),
        ("/bridge/codes", json!({ "username": named })),
        ("/bridge/tokens", json!({ "username": named })),
        ("/personal-tokens", json!({ "username": named })),
    ] {
        let response = server.operate(Method::POST, path, request).await;
        assert!(response.status.is_success(), "{path}: {}", response.text());
    }
    for listing in ["sessions", "grants", "personal-tokens", "bridge/certificates"] {
        assert_eq!(get(&server, &format!("/{listing}?user={named}")).await.status, 200);
    }
    let tokens = get(&server, &format!("/personal-tokens?user={named}")).await.json();
    assert_eq!(tokens["personal_tokens"][0]["username"], "bob");
    let off = server.operate(Method::PATCH, &path, json!({ "disabled": true })).await;
    assert_eq!(off.json()["username"], "bob");
    let removed = delete(&server, &path).await.json();
    assert_eq!((&removed["username"], &removed["id"]), (&json!("bob"), &bob["id"]));
}

#[tokio::test]
async fn grants_and_sessions_are_found_by_the_beginning_of_their_ids_while_they_live() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;
    let grant = get(&server, "/grants").await.json()["grants"][0].take();
    let session = get(&server, "/sessions").await.json()["sessions"][0].take();
    let (grants, sessions) = (
        format!("/grants/{}", beginning(&grant, "id")),
        format!("/sessions/{}", beginning(&session, "id")),
    );

    assert_eq!(get(&server, &grants).await.json(), grant);
    assert_eq!(get(&server, &sessions).await.json(), session);
    assert_eq!(delete(&server, &grants).await.json()["username"], "ada");
    let again = delete(&server, &grants).await;
    assert_eq!(delete(&server, &sessions).await.json()["id"], session["id"]);
    let over = delete(&server, &sessions).await;

    again.refused(ErrorCode::NotFound, Refusal::GrantNotFound);
    over.refused(ErrorCode::NotFound, Refusal::SessionNotFound);
}

#[tokio::test]
async fn a_device_is_found_by_its_name_its_id_or_its_session() {
    let (server, _ada) = Server::with_ada().await;
    let token = pat(&server).await;
    access(&server, "desk-session").await;

    let by_name = get(&server, "/bridge/devices/LAPTOP").await.json();
    let by_id = get(&server, &format!("/bridge/devices/{}", &token[8..14])).await.json();
    let by_session = get(&server, "/bridge/devices/desk-").await.json();
    let personal = get(&server, "/personal-tokens/laptop").await.json();
    let ended = delete(&server, "/personal-tokens/laptop").await.json();
    let again = delete(&server, "/personal-tokens/laptop").await;
    let session = delete(&server, "/bridge/devices/desk-").await.json();

    assert_eq!(by_name["id"], token[8..20]);
    assert_eq!(by_id, by_name);
    assert_ne!(by_session["id"], by_name["id"]);
    assert_eq!((&personal["id"], &ended["name"]), (&by_name["id"], &json!("laptop")));
    again.refused(ErrorCode::NotFound, Refusal::PersonalTokenNotFound);
    assert_eq!(session["id"], by_session["id"]);
}

#[tokio::test]
async fn devices_of_two_people_under_one_name_are_told_apart_by_their_ids() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    for username in ["ada", "bob"] {
        let asked = json!({ "username": username, "name": "Desk" });
        server.operate(Method::POST, "/personal-tokens", asked).await;
    }

    let refused = delete(&server, "/bridge/devices/desk").await;

    refused.refused(ErrorCode::Conflict, Refusal::NameAmbiguous);
    let candidates = refused.json()["candidates"].take();
    let mut names: Vec<_> =
        candidates.as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(names, ["Desk of ada", "Desk of bob"]);
}

#[tokio::test]
async fn a_resource_is_found_by_its_name_and_its_server_by_the_name_of_a_client() {
    let server = Server::new().await;
    let id = client(&server, json!({ "name": "Gateway" })).await;
    let resource = json!({ "resource": "https://api.example/mcp", "client_id": "gateway" });

    let added = server.operate(Method::POST, "/resources", resource).await.json();

    assert_eq!(added["client_id"], id);
    for named in ["api.example%2Fmcp", "https%3A%2F%2FAPI.example%2Fmcp"] {
        let found = get(&server, &format!("/resources/{named}")).await.json();
        assert_eq!(found["resource"], "https://api.example/mcp", "{named}");
    }
    let path = "/resources/api.example%2Fmcp";
    let named = server.operate(Method::PATCH, path, json!({ "resource_name": "Orders" })).await;
    assert_eq!(named.json()["resource_name"], "Orders");
    let unknown = get(&server, path).await;
    unknown.refused(ErrorCode::NotFound, Refusal::ResourceNotFound);
    assert_eq!(unknown.json()["known"], json!(["https://api.example/mcp", "orders"]));
    let removed = delete(&server, "/resources/orders").await.json();
    assert_eq!(removed["resource"], "https://api.example/mcp");
}

#[tokio::test]
async fn an_unknown_scope_or_role_is_refused_with_those_that_there_are() {
    let server = Server::new().await;
    let resource = json!({ "resource": "https://api.example", "scope": "orders:read" });
    server.operate(Method::POST, "/resources", resource).await;

    let scope = json!({ "name": "Robot", "scope": "order:read" });
    let scope = server.operate(Method::POST, "/clients", scope).await;
    let role = json!({ "username": "bob", "roles": ["amdin"] });
    let role = server.operate(Method::POST, "/users", role).await;
    let malformed = json!({ "username": "bob", "roles": ["no role"] });
    let malformed = server.operate(Method::POST, "/users", malformed).await;

    scope.refused(ErrorCode::InvalidRequest, Refusal::ScopeUnknown);
    assert_eq!(scope.json()["known"][0], "orders:read");
    assert!(scope.json()["known"].as_array().unwrap().contains(&json!("openid")));
    role.refused(ErrorCode::InvalidRequest, Refusal::RoleUnknown);
    assert_eq!(role.json()["known"], json!(["admin", "user"]));
    malformed.refused(ErrorCode::InvalidRequest, Refusal::RoleUnknown);
    assert_eq!(malformed.json()["known"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_revoked_token_is_named_by_its_kind_its_client_and_its_person() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let personal = pat(&server).await;
    let user = get(&server, "/users/ada").await.json()["id"].take();
    let revoke = async |token: &str| {
        server.operate(Method::POST, "/tokens/revoke", json!({ "token": token })).await.json()
    };

    for (token, kind, client) in [
        (tokens.refresh(), "refresh_token", json!(shop.id)),
        (&personal, "personal_token", Value::Null),
    ] {
        let expected =
            json!({ "client_id": client, "kind": kind, "revoked": true, "sub": user.clone() });
        assert_eq!(revoke(token).await, expected);
    }
    let asked = json!({ "token": personal });
    let over = server.operate(Method::POST, "/tokens/inspect", asked).await.json();
    assert_eq!((&over["kind"], &over["active"]), (&json!("personal_token"), &json!(false)));
    assert_eq!(over["refusal"], "PersonalTokenRevoked");
}

#[tokio::test]
async fn a_resource_of_a_client_is_found_by_its_name() {
    let server = Server::new().await;
    let orders = json!({ "resource": "https://api.example", "resource_name": "Orders" });
    server.operate(Method::POST, "/resources", orders).await;
    let robot = |resource: &str| json!({ "name": "Robot", "resources": [resource] });

    let added = server.operate(Method::POST, "/clients", robot("orders")).await.json();
    let unknown = server.operate(Method::POST, "/clients", robot("order")).await;
    let patch = json!({ "remove": { "resources": ["ORDERS"] } });
    let fewer = server.operate(Method::PATCH, "/clients/robot", patch).await.json();

    assert_eq!(added["resources"], json!(["https://api.example"]));
    unknown.refused(ErrorCode::NotFound, Refusal::ResourceNotFound);
    assert_eq!(unknown.json()["known"][0], "orders");
    assert_eq!(fewer["resources"], json!([]));
}

#[tokio::test]
async fn a_device_proves_itself_by_its_whole_fingerprint_alone() {
    let (server, _ada) = Server::with_ada().await;
    let enrolled = enroll(&server, &certificate_until(2030)).await.json();
    let fingerprint = enrolled["fingerprint"].as_str().unwrap();
    let path = |named: &str| format!("/bridge/certificates/{named}");
    let person = |named: &str| format!("{}/person", path(named));

    let found = get(&server, &path("laptop")).await.json();
    let short = get(&server, &path(&fingerprint[..8])).await.json();
    let whole = get(&server, &person(fingerprint)).await;
    let revoked = delete(&server, &path("LAPTOP")).await.json();

    assert_eq!((&found["fingerprint"], &found), (&json!(fingerprint), &short));
    assert_eq!(whole.json()["username"], "ada");
    assert_eq!((&revoked["username"], &revoked["name"]), (&json!("ada"), &json!("laptop")));
    for named in [&fingerprint[..63], &fingerprint[..8], "laptop"] {
        let refused = get(&server, &person(named)).await;
        refused.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateUnknown);
    }
}

/// A consent outlives its client, and is listed by the id that the client had.
#[tokio::test]
async fn the_connection_with_a_client_that_is_gone_is_ended_by_its_id() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;
    let gone = server.app.write(|tx, _| Ok(tx.remove::<Client>(&"shop".parse().unwrap())?)).await;
    assert!(gone.ok().unwrap().is_some());
    // Another one has the id of the first for its name.
    client(&server, json!({ "name": "shop", "client_id": "other" })).await;
    let listed = get(&server, "/connections").await.json();
    assert_eq!(listed["connections"][0]["client_id"], "shop", "{listed}");

    let ended = delete(&server, "/connections/ada:shop").await;

    assert_eq!(ended.status, 200, "{}", ended.text());
    let listed = get(&server, "/connections").await.json();
    assert_eq!(listed["connections"], json!([]));
}
