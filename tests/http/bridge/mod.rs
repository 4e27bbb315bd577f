//! The bridge's contract, row by row: what succeeds, and what is refused.

mod access;
mod hook;
mod link;
mod linked;
mod mtls;
mod profile;
mod servers;
mod tokens;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use serde_json::{Value, json};

use crate::support::{Response, Server};

/// Sends JSON as a bridge would, with `headers` beside it.
pub(crate) async fn send(
    server: &Server,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header(header::CONTENT_TYPE, "application/json");
    server.send(request.body(Body::from(body.to_string())).unwrap()).await
}

pub(crate) async fn post(server: &Server, path: &str, body: &Value) -> Response {
    send(server, Method::POST, path, &[], body).await
}

/// A code for ada, made by the operator.
pub(crate) async fn code(server: &Server) -> String {
    let asked = json!({ "username": "ada" });
    let made = server.operate(Method::POST, "/bridge/codes", asked).await;
    made.json()["code"].as_str().unwrap().to_owned()
}

/// Access for ada, under a session that she asks for.
pub(crate) async fn access(server: &Server, session: &str) -> Value {
    let body = json!({ "code": code(server).await });
    let headers = [("x-session-id", session)];
    let response = send(server, Method::POST, "/v1/auth/bridge/session", &headers, &body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// A personal access token for ada.
pub(crate) async fn pat(server: &Server) -> String {
    let body = json!({ "code": code(server).await, "device_name": "laptop" });
    let response = post(server, "/v1/auth/bridge/session-pat", &body).await;
    response.json()["pat"].as_str().unwrap().to_owned()
}

/// What a token opens.
pub(crate) async fn whoami(server: &Server, token: &str) -> Response {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    send(server, Method::GET, "/v1/bridge/whoami", &headers, &json!({})).await
}
