//! What the administration says of the store: how large it is, and how it grew.

use std::time::Duration;

use axum::http::Method;
use gatelodge::flow::installation::sweep;
use gatelodge::store::View as _;
use gatelodge::store::schema::{Person, Sizes};
use serde_json::{Value, json};

use crate::support::Server;

const DAY: Duration = Duration::from_hours(24);

async fn add(server: &Server, username: &str) {
    server.operate(Method::POST, "/users", json!({ "username": username })).await;
}

/// What the store says of a table.
async fn table(server: &Server, name: &str) -> Value {
    let store = server.operate(Method::GET, "/store", json!({})).await.json();
    let tables = store["tables"].as_array().unwrap();
    tables.iter().find(|table| table["table"] == name).cloned().unwrap_or_default()
}

#[tokio::test]
async fn each_table_says_what_it_grew_by_and_no_more_days_are_stored_than_that_takes() {
    let server = Server::new().await;
    add(&server, "ada").await;
    server.client(json!({ "name": "Shop", "client_id": "shop" })).await;
    let before = table(&server, "people").await;
    server.app.write_sizes_if_due().await.unwrap();
    add(&server, "bob").await;
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;
    server.app.write_sizes_if_due().await.unwrap();
    let same_day = table(&server, "people").await;
    server.advance(DAY + Duration::from_hours(1));
    let (people, clients) = (table(&server, "people").await, table(&server, "clients").await);

    for day in 0..40 {
        server.app.write_sizes_if_due().await.unwrap();
        server.advance(DAY);
        add(&server, &format!("person{day}")).await;
        while server.app.write(sweep::run).await.unwrap().more {}
    }
    let later = table(&server, "people").await;
    let stored = server.app.read().unwrap().list::<Sizes>(usize::MAX).unwrap().len();

    assert_eq!((&before["day"], &before["month"]), (&Value::Null, &Value::Null));
    let first = "2026-01-01T00:00:00Z";
    let growth = |rows, view: &Value| (view["rows"] == rows).then(|| view["since"].clone());
    assert_eq!(growth(1, &same_day["day"]), Some(first.into()), "{same_day}");
    assert_eq!(growth(1, &people["day"]), Some(first.into()), "{people}");
    // Both people are of one size.
    assert_eq!(people["day"]["bytes"].as_u64().map(|half| half * 2), people["bytes"].as_u64());
    assert_eq!(people["month"], Value::Null);
    assert_eq!((&clients["rows"], growth(-1, &clients["day"])), (&json!(0), Some(first.into())));
    assert_eq!(growth(1, &later["day"]), Some("2026-02-10T01:00:00Z".into()), "{later}");
    assert_eq!(growth(30, &later["month"]), Some("2026-01-12T01:00:00Z".into()), "{later}");
    assert!((31..=36).contains(&stored), "{stored}");
}

/// The check at the end of every story can fail.
#[tokio::test]
#[should_panic(expected = "the story leaves a store that is not whole")]
async fn a_story_that_leaves_rows_of_nobody_behind_fails() {
    let (server, _browser) = Server::with_ada().await;
    let forgotten = server.app.write(|tx, _| {
        for (id, _) in tx.list::<Person>(1)? {
            tx.remove::<Person>(&id)?;
        }
        Ok(())
    });
    forgotten.await.unwrap();
}
