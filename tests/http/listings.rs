//! Listings of the administration API, page by page.

use axum::http::Method;
use serde_json::{Value, json};

use crate::anonymous::{allowed, ask};
use crate::support::Server;

/// Every page of a listing, of at most `limit` results each.
async fn pages(server: &Server, path: &str, noun: &str, limit: usize) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{path}?limit={limit}{cursor}");
        let page = server.operate(Method::GET, &path, json!({})).await.json();
        pages.push(page[noun].as_array().unwrap().clone());
        match page.get("next") {
            Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
            None => return pages,
        }
    }
}

fn sorted(pages: &[Vec<Value>], member: &str) -> Vec<String> {
    let mut all: Vec<_> =
        pages.iter().flatten().map(|item| item[member].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn every_result_is_on_one_page() {
    let server = Server::new().await;
    for username in ["ada", "bob", "cleo", "dan", "eve"] {
        server.operate(Method::POST, "/users", json!({ "username": username })).await;
        server.operate(Method::POST, "/clients", json!({ "name": username })).await;
        let resource = json!({ "resource": format!("https://{username}.example") });
        server.operate(Method::POST, "/resources", resource).await;
    }

    let users = pages(&server, "/users", "users", 2).await;
    let clients = pages(&server, "/clients", "clients", 2).await;
    let resources = pages(&server, "/resources", "resources", 5).await;

    assert_eq!(users.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(sorted(&users, "username"), ["ada", "bob", "cleo", "dan", "eve"]);
    assert_eq!(sorted(&clients, "name"), ["ada", "bob", "cleo", "dan", "eve"]);
    assert_eq!(resources.iter().map(Vec::len).collect::<Vec<_>>(), [5]);
}

#[tokio::test]
async fn sessions_of_every_kind_follow_one_another() {
    let (server, _ada) = Server::with_ada().await;
    for _ in 0..2 {
        server.operate(Method::POST, "/bridge/tokens", json!({ "username": "ada" })).await;
    }
    let client = allowed(&server).await;
    for _ in 0..2 {
        ask(&server, &json!({ "client_id": client.id })).await;
    }

    for limit in 1..=6 {
        let pages = pages(&server, "/sessions", "sessions", limit).await;

        let sources = ["anonymous", "anonymous", "bridge", "bridge", "web"];
        assert_eq!(sorted(&pages, "source"), sources, "{limit}");
        let mut ids = sorted(&pages, "id");
        ids.dedup();
        assert_eq!(ids.len(), 5, "{limit}");
        assert!(pages.iter().all(|page| page.len() <= limit), "{limit}");
    }
    let of_ada = async |query: &str| {
        let path = format!("/sessions?user=ada&{query}");
        let listed = server.operate(Method::GET, &path, json!({})).await.json();
        assert!(listed.get("next").is_none());
        vec![listed["sessions"].as_array().unwrap().clone()]
    };
    let all = of_ada("limit=1000").await;
    assert_eq!(sorted(&all, "source"), ["bridge", "bridge", "web"]);
    assert!(of_ada("cursor=anonymous.").await.concat().is_empty());
}
