//! Setup links and invitations: who is let in by them, how each ends, and what operators see.

mod ends;
mod invitations;
mod makers;
mod recovery;
mod sign_up;

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Browser, Response, Server};

/// What making a setup link responded.
pub(crate) async fn made(server: &Server, path: &str, body: Value) -> Value {
    let response = server.operate(Method::POST, path, body).await;
    assert!(response.status.is_success(), "{}", response.text());
    response.json()
}

/// A new invitation.
pub(crate) async fn invitation(server: &Server, asked: Value) -> Value {
    made(server, "/invitations", asked).await
}

/// Somebody who comes by an invitation under a name: their browser, or what they were refused.
pub(crate) async fn invited_by(
    server: &Server,
    made: &Value,
    username: &str,
) -> Result<Browser, Box<Response>> {
    let mut browser = Browser::new(server);
    let token = browser.open_link(made["invitation_url"].as_str().unwrap()).await;
    let start = json!({ "token": token, "username": username });
    let made = browser.started_passkey(&start).await?;
    let finished = browser.finish_setup(&made).await;
    if finished.status == 200 { Ok(browser) } else { Err(Box::new(finished)) }
}

/// What a link says of itself when a page opens it.
async fn look(server: &Server, made: &Value) -> Response {
    let mut browser = Browser::new(server);
    let token = browser.open_link(made["setup_url"].as_str().unwrap()).await;
    browser.call("/gate/setup", &json!({ "token": token })).await
}

/// The links that are listed, as purpose and state, the oldest first.
async fn listed(server: &Server, query: &str) -> Vec<(String, String)> {
    let response = server.operate(Method::GET, &format!("/links{query}"), json!({})).await.json();
    let mut links = response["links"].as_array().unwrap().clone();
    links.sort_by_key(|link| link["created"].as_str().unwrap().to_owned());
    let text = |link: &Value, name: &str| link[name].as_str().unwrap().to_owned();
    links.iter().map(|link| (text(link, "purpose"), text(link, "state"))).collect()
}

/// The newest event of a kind.
async fn newest(server: &Server, kind: &str) -> Value {
    let path = format!("/events?kind={kind}&limit=1");
    server.operate(Method::GET, &path, json!({})).await.json()["events"][0].clone()
}
