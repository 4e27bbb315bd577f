//! What is added to a list and taken away from it.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{client, get};
use crate::support::{Response, Server, register};

async fn change(server: &Server, path: &str, patch: Value) -> Response {
    server.operate(Method::PATCH, path, patch).await
}

#[tokio::test]
async fn a_persons_roles_and_groups_are_added_and_taken_away_one_by_one() {
    let server = Server::new().await;
    let bob = json!({ "username": "bob", "groups": ["staff", "ops"] });
    server.operate(Method::POST, "/users", bob).await;

    let patch = json!({
        "add_roles": ["admin", "user"], "add_groups": ["engines"], "remove_groups": ["ops"],
    });
    let changed = change(&server, "/users/bob", patch).await.json();
    let fewer = change(&server, "/users/bob", json!({ "remove_roles": ["user"] })).await.json();

    assert_eq!(changed["roles"], json!(["user", "admin"]));
    assert_eq!(changed["groups"], json!(["staff", "engines"]));
    assert_eq!((&fewer["roles"], &fewer["groups"]), (&json!(["admin"]), &changed["groups"]));
}

#[tokio::test]
async fn two_operators_who_add_at_once_lose_nothing() {
    let server = Server::new().await;
    server.person("bob").await;
    let id = client(&server, json!({ "name": "Robot" })).await;
    let path = format!("/clients/{id}");
    let add = async |path: &str, patch: Value| change(&server, path, patch).await;

    let group = |name: &str| json!({ "add_groups": [name] });
    let resource = |uri: &str| json!({ "add": { "resources": [uri] } });
    tokio::join!(
        add("/users/bob", group("a")),
        add("/users/bob", group("b")),
        add(&path, resource("https://a.example/")),
        add(&path, resource("https://b.example/")),
    );

    let sorted = |mut list: Value| {
        list.as_array_mut().unwrap().sort_by_key(Value::to_string);
        list
    };
    let bob = get(&server, "/users/bob").await.json();
    let robot = get(&server, &path).await.json();
    assert_eq!(sorted(bob["groups"].clone()), json!(["a", "b"]));
    let both = json!(["https://a.example/", "https://b.example/"]);
    assert_eq!(sorted(robot["resources"].clone()), both);
}

#[tokio::test]
async fn what_is_not_there_is_not_taken_away_in_silence() {
    let server = Server::new().await;
    let bob = json!({ "username": "bob", "roles": ["user", "admin"], "groups": ["staff"] });
    server.operate(Method::POST, "/users", bob).await;

    let role = change(&server, "/users/bob", json!({ "remove_roles": ["amdin"] })).await;
    let group = change(&server, "/users/bob", json!({ "remove_groups": ["staf"] })).await;
    let unknown = change(&server, "/users/bob", json!({ "add_roles": ["wizard"] })).await;

    role.refused(ErrorCode::Conflict, Refusal::NotListed("roles"));
    assert_eq!(role.json()["known"], json!(["admin", "user"]));
    group.refused(ErrorCode::Conflict, Refusal::NotListed("groups"));
    assert_eq!(group.json()["known"], json!(["staff"]));
    unknown.refused(ErrorCode::InvalidRequest, Refusal::RoleUnknown);
    assert_eq!(get(&server, "/users/bob").await.json()["roles"], json!(["user", "admin"]));
}

#[tokio::test]
async fn the_last_administrator_cannot_be_taken_away_by_their_role() {
    let (server, _ada) = Server::with_ada().await;

    let refused = change(&server, "/users/ada", json!({ "remove_roles": ["admin"] })).await;

    refused.refused(ErrorCode::Conflict, Refusal::LastAdministrator);
}

#[tokio::test]
async fn a_clients_lists_grow_and_shrink_and_keep_the_rest() {
    let server = Server::new().await;
    let shop = json!({
        "name": "Shop", "redirect_uris": ["https://a.example/cb"], "scope": "openid email",
        "resources": ["https://API.example"],
    });
    client(&server, shop).await;

    let patch = json!({
        "add": { "redirect_uris": ["https://b.example/cb"], "scope": ["profile"] },
        "remove": { "scope": ["email"], "resources": ["https://api.example/"] },
        "first_party": true,
    });
    let changed = change(&server, "/clients/shop", patch).await.json();
    let patch = json!({ "remove": { "redirect_uris": ["https://a.example/cb"] } });
    let fewer = change(&server, "/clients/shop", patch).await.json();

    let both = json!(["https://a.example/cb", "https://b.example/cb"]);
    assert_eq!(changed["redirect_uris"], both);
    assert_eq!(
        (&changed["scope"], &changed["first_party"]),
        (&json!("openid profile"), &json!(true))
    );
    assert_eq!(changed["resources"], json!([]));
    assert_eq!(fewer["redirect_uris"], json!(["https://b.example/cb"]));
    assert_eq!(fewer["scope"], changed["scope"]);
}

#[tokio::test]
async fn additions_to_a_client_keep_the_rules_of_its_lists() {
    let server = Server::new().await;
    let shop = json!({ "name": "Shop", "redirect_uris": ["https://a.example/cb"] });
    client(&server, shop).await;
    let metadata = json!({ "redirect_uris": ["https://c.example/cb"] });
    let stranger = register(&server, metadata).await.json();
    let stranger = format!("/clients/{}", stranger["client_id"].as_str().unwrap());

    for (path, patch, code, refusal) in [
        (
            "/clients/shop",
            json!({ "add": { "redirect_uris": ["https://a.example/*"] } }),
            ErrorCode::InvalidRequest,
            Refusal::RedirectUriWildcard,
        ),
        (
            "/clients/shop",
            json!({ "add": { "scope": ["payments"] } }),
            ErrorCode::InvalidRequest,
            Refusal::ScopeUnknown,
        ),
        (
            "/clients/shop",
            json!({ "remove": { "scope": ["payments"] } }),
            ErrorCode::Conflict,
            Refusal::NotListed("scope"),
        ),
        (
            "/clients/shop",
            json!({ "add": { "name": ["x"] } }),
            ErrorCode::InvalidRequest,
            Refusal::MemberMalformed("add", "an object of the lists of a client is expected"),
        ),
        (
            &stranger,
            json!({ "add": { "redirect_uris": ["https://d.example/cb"] } }),
            ErrorCode::InvalidRequest,
            Refusal::ClientDescribesItself,
        ),
    ] {
        change(&server, path, patch).await.refused(code, refusal);
    }
    let scope = change(&server, &stranger, json!({ "remove": { "scope": ["email"] } })).await;
    assert!(!scope.json()["scope"].as_str().unwrap().contains("email"), "{}", scope.text());
}
