//! An export, and its import into another installation.

mod moved;
mod refused;

use axum::http::Method;
use serde_json::{Value, json};

use crate::refusals::codes;
use crate::support::{Browser, RelyingParty, Response, Server};

/// The lines of an export.
async fn exported(server: &Server) -> Vec<String> {
    let response = server.operate(Method::GET, "/export", json!({})).await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), "application/x-ndjson");
    response.text().lines().map(str::to_owned).collect()
}

async fn send(server: &Server, lines: &[String], query: &str) -> Response {
    let body: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    server.operate_raw(Method::POST, &format!("/import{query}"), body).await
}

/// What an import did.
async fn imported(server: &Server, lines: &[String], query: &str) -> Value {
    let response = send(server, lines, query).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// The sentences of a refused import.
async fn faults(server: &Server, lines: &[String]) -> Vec<String> {
    let response = send(server, lines, "").await;
    assert_eq!(response.status, 400, "{}", response.text());
    serde_json::from_value(response.json()["faults"].clone()).unwrap()
}

/// The lines of a kind, as JSON.
fn of_kind(lines: &[String], kind: &str) -> Vec<Value> {
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

/// A house in which everything is that an export has.
struct House {
    ada: Browser,
    codes: Vec<String>,
    /// The setup link of grace.
    link: String,
    pat: String,
    server: Server,
    shop: RelyingParty,
}

async fn house() -> House {
    let server = Server::new().await;
    let document = json!({
        "scopes": { "orders:read": { "description": "See your orders", "open": true } },
        "roles": { "clerk": { "scopes": ["openid", "orders:read"] } },
        "resources": { "https://api.example": { "name": "API", "scopes": ["stock:read"] } },
    });
    let applied = server.operate(Method::POST, "/apply", json!({ "document": document })).await;
    assert_eq!(applied.status, 200, "{}", applied.text());
    let mut ada = server.first_administrator().await;
    let codes = codes::made(&mut ada).await;
    let shop = RelyingParty::web(&server).await;
    server.operate(Method::PATCH, "/clients/shop", json!({ "logo": LOGO })).await;
    shop.tokens(&mut ada).await;
    let till = json!({ "name": "Till", "client_id": "till", "client_secret": "a-chosen-secret" });
    server.client(till).await;
    let grace = json!({
        "username": "grace", "display_name": "Grace", "email": "grace@example.org",
        "groups": ["staff"], "roles": ["user", "clerk"],
    });
    let grace = server.operate(Method::POST, "/users", grace).await.json();
    let claims = json!({ "claims": { "desk": "4b" }, "email_verified": true });
    server.operate(Method::PATCH, "/users/grace", claims).await;
    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;
    server.operate(Method::PATCH, "/users/bob", json!({ "disabled": true })).await;
    let pat = json!({ "username": "ada", "name": "desk" });
    let pat = server.operate(Method::POST, "/personal-tokens", pat).await.json();
    let invitation = server.operate(Method::POST, "/invitations", json!({ "uses": 3 })).await;
    assert_eq!(invitation.status, 201, "{}", invitation.text());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (link, pat) = (text(&grace["setup_url"]), text(&pat["pat"]));
    House { ada, codes, link, pat, server, shop }
}

/// A PNG of one pixel.
const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test]
async fn an_export_has_what_outlives_a_machine_and_no_secret() {
    let House { codes, link, pat, server, shop, .. } = house().await;

    let lines = exported(&server).await;

    let header = &of_kind(&lines, "header")[0];
    assert_eq!((&header["format"], &header["rp_id"]), (&json!(1), &json!("localhost")));
    assert!(header["left_out"].to_string().contains("signing keys"));
    let count = |kind: &str| of_kind(&lines, kind).len();
    let counts = [
        "scope",
        "role",
        "resource",
        "client",
        "person",
        "passkey",
        "recovery_code",
        "device",
        "consent",
        "setup_link",
        "invitation",
        "applied",
        "end",
    ]
    .map(|kind| (kind, count(kind)));
    let expected = [1, 1, 1, 2, 3, 1, codes.len(), 1, 1, 1, 1, 1, 1];
    assert_eq!(counts.map(|(_, count)| count), expected, "{counts:?}");
    let all = lines.join("\n");
    let secret = shop.secret.unwrap();
    let token = link.split('#').nth(1).unwrap();
    for secret in [secret.as_str(), token, pat.as_str(), &codes[0], "a-chosen-secret"] {
        assert!(!all.contains(secret), "{secret}");
    }
    let events = server.operate(Method::GET, "/events?kind=file.exported", json!({})).await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_an_empty_installation_imports_it_exports_line_by_line() {
    let House { server, .. } = house().await;
    let lines = exported(&server).await;
    let other = Server::new().await;

    let tried = imported(&other, &lines, "?dry_run=true").await;
    let nobody = exported(&other).await;
    let taken = imported(&other, &lines, "").await;
    let again = imported(&other, &lines, "").await;

    assert_eq!((nobody.len(), tried["dry_run"].clone()), (2, json!(true)));
    let administers = "they may administer this server: admin";
    let notes = json!([{ "about": "user ada", "sentence": administers }]);
    assert_eq!((&tried["added"], &taken["notes"]), (&taken["added"], &notes));
    assert_eq!(taken["without_passkey"], json!([]));
    assert_eq!((&again["added"], &again["unchanged"]), (&json!({}), &json!(lines.len() - 2)));
    assert_eq!(exported(&other).await, lines);
}

#[tokio::test]
async fn only_who_may_do_everything_exports_and_imports() {
    let House { server, .. } = house().await;
    let lines = exported(&server).await;
    let other = Server::new().await;
    let robot = other.token_of_robot("admin").await;
    let limited = other
        .client(json!({ "name": "Limited", "scope": "admin:read admin:people admin:clients" }))
        .await;
    let limited = limited.ask(&[("grant_type", "client_credentials")]).await.tokens().access;

    for (method, path) in [(Method::GET, "/export"), (Method::POST, "/import")] {
        assert_eq!(other.administer(&limited, method, path, json!({})).await.status, 403);
    }
    let exported = other.administer(&robot, Method::GET, "/export", json!({})).await;

    assert_eq!(exported.status, 200);
    assert!(exported.text().lines().last().unwrap().starts_with("{\"kind\":\"end\","));
    assert!(!lines.is_empty());
}
