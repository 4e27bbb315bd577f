//! Groups, which either side may name.

use axum::http::Method;
use serde_json::{Value, json};

use super::{applied, get, pruned};
use crate::support::Server;

async fn groups(server: &Server, username: &str) -> Value {
    get(server, &format!("/users/{username}")).await["groups"].clone()
}

/// People whom an operator added by hand.
async fn by_hand() -> Server {
    let server = Server::new().await;
    for (username, groups) in [("ada", json!(["staff"])), ("bob", json!(["staff", "own"]))] {
        let person = json!({ "username": username, "groups": groups });
        server.operate(Method::POST, "/users", person).await;
    }
    server
}

#[tokio::test]
async fn a_group_has_the_members_that_it_names_and_no_others() {
    let server = by_hand().await;
    let document =
        json!({ "groups": { "staff": { "members": ["ADA"] }, "ops": { "members": ["ada"] } } });

    let changed = applied(&server, &document).await;
    let again = applied(&server, &document).await;

    assert_eq!(
        changed,
        [
            "changed user ada groups: [\"staff\"] -> [\"staff\",\"ops\"]",
            "changed user bob groups: [\"staff\",\"own\"] -> [\"own\"]",
        ]
    );
    assert_eq!(again, [""; 0]);
}

#[tokio::test]
async fn both_sides_add_up() {
    let server = by_hand().await;
    let document = json!({
        "groups": { "ops": { "members": ["ada"] } },
        "users": { "ada": { "groups": ["night"] } },
    });

    applied(&server, &document).await;

    assert_eq!(groups(&server, "ada").await, json!(["night", "ops"]));
}

#[tokio::test]
async fn only_who_was_put_into_a_group_is_taken_out_of_it() {
    let server = by_hand().await;
    let document = json!({
        "groups": { "staff": { "members": ["ada", "bob"] }, "ops": { "members": ["ada", "bob"] } },
    });
    applied(&server, &document).await;
    let own = json!({ "users": { "bob": { "groups": ["own", "ops"] } } });

    let left = pruned(&server, &own).await;

    assert_eq!(
        left,
        [
            "changed user ada groups: [\"staff\",\"ops\"] -> [\"staff\"]",
            "changed user bob groups: [\"staff\",\"own\",\"ops\"] -> [\"own\",\"ops\"]",
        ],
        "bob is named, and ada was staff before"
    );
    assert_eq!(pruned(&server, &json!({})).await, [""; 0], "the marks are gone");
}

#[tokio::test]
async fn who_left_a_group_by_hand_is_not_of_the_document_any_longer() {
    let server = by_hand().await;
    applied(&server, &json!({ "groups": { "ops": { "members": ["ada"] } } })).await;
    let leave = json!({ "remove_groups": ["ops"] });
    server.operate(Method::PATCH, "/users/ada", leave).await;
    applied(&server, &json!({})).await;
    server.operate(Method::PATCH, "/users/ada", json!({ "add_groups": ["ops"] })).await;

    assert_eq!(pruned(&server, &json!({})).await, [""; 0]);
    assert_eq!(groups(&server, "ada").await, json!(["staff", "ops"]));
}
