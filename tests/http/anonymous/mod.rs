//! Anonymous sessions: how they are opened, what they open, and how they are merged.

mod merging;
mod opening;
mod reach;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Response, Server};

/// A public client that may open anonymous sessions.
pub(crate) async fn allowed(server: &Server) -> RelyingParty {
    let registration = json!({
        "name": "Reader",
        "client_id": "reader",
        "client_type": "public",
        "redirect_uris": ["https://reader.example/cb", "http://127.0.0.1/cb"],
        "anonymous": true,
    });
    server.client(registration).await
}

/// What a client sends to have a session opened.
pub(crate) fn asking(body: &Value) -> Request {
    let request = Request::post("/oauth/session").header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

/// The response to a client that asks for a session.
pub(crate) async fn ask(server: &Server, body: &Value) -> Response {
    server.send(asking(body)).await
}

/// A session that is opened in a browser, whose cookie it leaves there.
pub(crate) async fn open(browser: &mut Browser, client: &RelyingParty) -> Value {
    let response = browser.send(asking(&json!({ "client_id": client.id }))).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// The introspection of a token by a monitor that may introspect every one.
async fn introspected(server: &Server, token: &Value) -> Value {
    let monitor = json!({ "name": "Monitor", "introspect_any": true });
    let monitor = server.client(monitor).await;
    monitor.post("/oauth/introspect", &[("token", token.as_str().unwrap())]).await.json()
}

/// The anonymous sessions that the operator sees.
async fn anonymous_sessions(server: &Server) -> Vec<Value> {
    let listed = server.operate(Method::GET, "/anonymous-sessions", json!({})).await.json();
    listed["sessions"].as_array().unwrap().clone()
}

/// A setup link for somebody new.
async fn invitation(server: &Server, username: &str) -> String {
    let link = server.operate(Method::POST, "/users", json!({ "username": username })).await;
    link.json()["setup_url"].as_str().unwrap().to_owned()
}
