//! What an import refuses: all of it, with the line and the member.

use axum::http::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{exported, faults, imported, of_kind, send};
use crate::support::Server;

/// The lines with the last one made anew, as whoever edits a file would do.
fn ended(mut lines: Vec<String>) -> Vec<String> {
    lines.pop();
    let all: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    let sum: String = Sha256::digest(all).iter().map(|byte| format!("{byte:02x}")).collect();
    lines.push(json!({ "kind": "end", "lines": lines.len(), "sha256": sum }).to_string());
    lines
}

/// The lines with a member of the first line of a kind changed.
fn changed(lines: &[String], kind: &str, member: &str, value: Value) -> Vec<String> {
    let at = lines.iter().position(|line| line.starts_with(&format!("{{\"kind\":\"{kind}\"")));
    let mut lines = lines.to_vec();
    let line = &mut lines[at.unwrap()];
    let mut object: Value = serde_json::from_str(line).unwrap();
    object[member] = value;
    *line = object.to_string();
    ended(lines)
}

async fn people() -> (Server, Vec<String>) {
    let server = Server::new().await;
    let ada = json!({ "username": "ada", "email": "ada@example.org" });
    server.operate(Method::POST, "/users", ada).await;
    server.client(json!({ "name": "Shop", "client_id": "shop", "redirect_uris": ["https://shop.example/cb"] })).await;
    let lines = exported(&server).await;
    (server, lines)
}

#[tokio::test]
async fn a_line_that_is_wrong_is_told_with_its_number_and_member_and_nothing_is_written() {
    let (_, lines) = people().await;
    let other = Server::new().await;
    let fault = async |kind: &str, member: &str, value: Value| {
        faults(&other, &changed(&lines, kind, member, value)).await.remove(0)
    };

    let expected = [
        ("client", "created", json!("yesterday"), "line 2, created: \"yesterday\" is no time"),
        ("client", "more", json!(1), "line 2, more: there is no such member"),
        ("client", "enabled", json!("yes"), "line 2, enabled: invalid type: string \"yes\""),
        ("client", "origin", json!("heaven"), "line 2, origin: unknown variant `heaven`"),
        ("client", "secret", json!("hunter2"), "line 2, secret: it is no form of a secret"),
        (
            "client",
            "metadata",
            json!({ "redirect_uris": ["nowhere"] }),
            "line 2, metadata.redirect_uris: a redirect URI",
        ),
        (
            "client",
            "metadata",
            json!({ "color": "red" }),
            "line 2, metadata.color: there is no such member",
        ),
        (
            "client",
            "secret",
            json!({ "chosen": "secret" }),
            "line 2, secret: this is no Argon2id hash",
        ),
        (
            "client",
            "owner",
            json!("00000000-0000-4000-8000-000000000001"),
            "line 2, owner: this person is neither",
        ),
        ("person", "roles", json!(["king"]), "line 3, roles: there is no role king here"),
        ("person", "username", json!("a b"), "line 3, username: \"a b\" has not the form"),
        (
            "setup_link",
            "user",
            json!("00000000-0000-4000-8000-000000000001"),
            "line 4, user: this person is neither",
        ),
        (
            "setup_link",
            "made_by",
            json!({ "client": null, "person": "00000000-0000-4000-8000-000000000001" }),
            "line 4, made_by: this person is neither",
        ),
    ];
    for (kind, member, value, sentence) in expected {
        let found = fault(kind, member, value).await;
        assert!(found.starts_with(sentence), "{found}");
    }
    let cut = faults(&other, &lines[..lines.len() - 1]).await;
    assert_eq!(cut, ["line 4: the file was cut: its last line is not of the kind end"]);
    assert_eq!(exported(&other).await.len(), 2);
}

#[tokio::test]
async fn a_rule_that_a_client_breaks_is_told_with_its_line() {
    let (_, lines) = people().await;
    let other = Server::new().await;
    let client = &of_kind(&lines, "client")[0];
    let mut metadata = client["metadata"].clone();
    metadata["scope"] = json!("openid orders:read");

    let refused = send(&other, &changed(&lines, "client", "metadata", metadata), "").await;

    assert_eq!((refused.status.as_u16(), &refused.json()["at"]), (400, &json!("line 2")));
    assert_eq!(exported(&other).await.len(), 2);
}

#[tokio::test]
async fn what_is_there_and_differs_is_refused_with_a_way_on() {
    let (server, lines) = people().await;
    let other = Server::under_another_root("http://localhost:7455").await;
    let ada = json!({ "username": "Ada" });
    other.operate(Method::POST, "/users", ada).await;

    let renamed =
        faults(&server, &changed(&lines, "person", "display_name", json!("Countess"))).await;
    let another = faults(&other, &lines).await;
    other.operate(Method::DELETE, "/users/ada", json!({})).await;
    let bob = json!({ "username": "bob", "email": "ADA@example.org" });
    other.operate(Method::POST, "/users", bob).await;
    let taken = faults(&other, &lines).await;

    assert!(
        renamed[0].starts_with("line 3, display_name: it is here already, and differs"),
        "{renamed:?}"
    );
    assert!(
        another[0].contains("line 3, username: somebody else has this name here"),
        "{another:?}"
    );
    assert!(taken[0].contains("gatelodge user set bob --email= takes it away"), "{taken:?}");
}

#[tokio::test]
async fn a_document_of_another_server_is_added_and_pruned_by_no_file() {
    let server = Server::new().await;
    let apply = async |request: Value| server.operate(Method::POST, "/apply", request).await;
    let document = json!({
        "users": { "ada": { "groups": ["staff"] } },
        "clients": { "shop": { "name": "Shop", "redirect_uris": ["https://shop.example/cb"] } },
    });

    let added = apply(json!({ "document": document, "import": true })).await.json();
    let again = apply(json!({ "document": document, "import": true })).await.json();
    let pruned = apply(json!({ "document": {}, "prune": true })).await.json();

    assert_eq!(added["changes"].as_array().unwrap().len(), 2);
    assert_eq!((&again["changes"], &pruned["changes"]), (&json!([]), &json!([])));
    let users = server.operate(Method::GET, "/users", json!({})).await.json();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_may_administer_by_an_import_is_listed() {
    let server = Server::new().await;
    let document = json!({ "roles": { "chief": { "scopes": ["admin:people"] } } });
    server.operate(Method::POST, "/apply", json!({ "document": document })).await;
    let ada = json!({ "username": "ada", "roles": ["admin"] });
    server.operate(Method::POST, "/users", ada).await;
    let invitation = json!({ "uses": 3, "roles": ["admin"] });
    server.operate(Method::POST, "/invitations", invitation).await;
    server.client(json!({ "name": "Robot", "client_id": "robot", "scope": "admin:read" })).await;
    let lines = exported(&server).await;

    let notes = imported(&Server::new().await, &lines, "?dry_run=true").await["notes"].clone();

    let about =
        |note: &Value| note["about"].as_str().unwrap().split(' ').next().unwrap().to_owned();
    let rights = notes.as_array().unwrap().iter();
    let rights = rights.filter(|note| {
        let sentence = note["sentence"].as_str().unwrap();
        sentence.contains("may administer") || sentence.contains("more than others")
    });
    let mut rights: Vec<String> = rights.map(about).collect();
    rights.sort();
    assert_eq!(rights, ["client", "invitation", "role", "user"], "{notes:#}");
}
