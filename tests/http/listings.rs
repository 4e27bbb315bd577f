//! Listings of the administration API, page by page.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::anonymous::{allowed, ask};
use crate::support::{RelyingParty, Server};

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

/// The names of a listing that is limited by its query.
async fn named(server: &Server, path: &str, noun: &str, member: &str) -> Vec<String> {
    let listed = server.operate(Method::GET, path, json!({})).await;
    assert_eq!(listed.status, 200, "{path}: {}", listed.text());
    sorted(&[listed.json()[noun].as_array().unwrap().clone()], member)
}

#[tokio::test]
async fn people_clients_and_resources_are_listed_by_the_beginning_of_a_name() {
    let server = Server::new().await;
    for name in ["shop", "Shopping", "sharp", "zoo", "Sho"] {
        server.operate(Method::POST, "/users", json!({ "username": name })).await;
        server.operate(Method::POST, "/clients", json!({ "name": name })).await;
        let resource = format!("https://{}.example", name.to_lowercase());
        let resource = json!({ "resource": resource, "resource_name": name });
        server.operate(Method::POST, "/resources", resource).await;
    }

    for (noun, member) in
        [("users", "username"), ("clients", "name"), ("resources", "resource_name")]
    {
        let found = named(&server, &format!("/{noun}?q=SHO"), noun, member).await;
        assert_eq!(found, ["Sho", "Shopping", "shop"], "{noun}");
        let pages = pages(&server, &format!("/{noun}"), noun, 2).await;
        assert_eq!(pages.concat().len(), 5, "{noun}");
        let first = format!("/{noun}?q=sho&limit=2");
        let first = server.operate(Method::GET, &first, json!({})).await.json();
        let next = first["next"].as_str().unwrap().to_owned();
        let last = named(&server, &format!("/{noun}?q=sho&cursor={next}"), noun, member).await;
        assert_eq!(last, ["Shopping"], "{noun}");
        // The cursor stands for a place, whatever the beginning is: before it, or behind it.
        let before = named(&server, &format!("/{noun}?q=zo&cursor={next}"), noun, member).await;
        assert_eq!(before, ["zoo"], "{noun}");
        let behind = named(&server, &format!("/{noun}?q=sha&cursor={next}"), noun, member).await;
        assert!(behind.is_empty(), "{noun}");
        assert!(named(&server, &format!("/{noun}?q=nobody"), noun, member).await.is_empty());
    }
    let control = server.operate(Method::GET, "/users?q=a%00", json!({})).await;
    control.refused(ErrorCode::InvalidRequest, Refusal::NameMalformed);
}

#[tokio::test]
async fn connections_are_on_one_page_each_and_listed_by_person_and_by_client() {
    let server = Server::new().await;
    let mut people = Vec::new();
    for name in ["ada", "bob", "cleo"] {
        people.push(server.person(name).await);
    }
    let clients = [RelyingParty::web(&server).await, RelyingParty::spa(&server).await];
    for person in &mut people {
        for client in &clients {
            client.tokens_of(person, "openid").await;
        }
    }

    for limit in 1..=7 {
        let pages = pages(&server, "/connections", "connections", limit).await;

        let mut ids = sorted(&pages, "id");
        ids.dedup();
        assert_eq!(ids.len(), 6, "{limit}");
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit), "{limit}");
    }
    for (query, number) in [("user=bob", 2), ("client=shop", 3), ("user=bob&client=shop", 1)] {
        let path = format!("/connections?{query}");
        let listed = server.operate(Method::GET, &path, json!({})).await.json();
        assert_eq!(listed["connections"].as_array().unwrap().len(), number, "{query}");
    }
}

#[tokio::test]
async fn grants_are_listed_by_person_and_by_client() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let (shop, reader) = (RelyingParty::web(&server).await, RelyingParty::spa(&server).await);
    shop.tokens(&mut ada).await;
    shop.tokens(&mut bob).await;
    reader.tokens(&mut ada).await;

    let of = async |query: &str| {
        let listed =
            server.operate(Method::GET, &format!("/grants{query}"), json!({})).await.json();
        let grants = listed["grants"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut found: Vec<_> =
            grants.map(|own| (text(&own["username"]), text(&own["client_id"]))).collect();
        found.sort();
        found
    };

    let pair = |user: &str, client: &str| (user.to_owned(), client.to_owned());
    assert_eq!(of("").await.len(), 3);
    assert_eq!(of("?client=shop").await, [pair("ada", "shop"), pair("bob", "shop")]);
    assert_eq!(of("?user=ada").await, [pair("ada", "reader"), pair("ada", "shop")]);
    assert_eq!(of("?user=ada&client=shop").await, [pair("ada", "shop")]);
}

/// It would list everything.
#[tokio::test]
async fn a_filter_that_is_misspelt_or_empty_or_of_another_listing_is_refused() {
    let server = Server::new().await;

    for path in [
        "/users?user=ada",
        "/grants?usr=ada",
        "/sessions?client=a",
        "/keys?q=a",
        "/users?q=",
        "/keys?limit=",
    ] {
        let refused = server.operate(Method::GET, path, json!({})).await;
        refused.refused(ErrorCode::InvalidRequest, Refusal::FilterMalformed);
    }
}
