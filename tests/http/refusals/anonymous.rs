//! What is refused of anonymous sessions.

use serde_json::json;

use crate::anonymous::{allowed, ask};
use crate::support::{RelyingParty, Response, Server};

pub(super) async fn metadata_that_is_a_list() -> Response {
    let server = Server::new().await;
    allowed(&server).await;
    ask(&server, &json!({ "client_id": "reader", "metadata": [] })).await
}

pub(super) async fn a_client_that_was_not_allowed_it() -> Response {
    let server = Server::new().await;
    RelyingParty::spa(&server).await;
    ask(&server, &json!({ "client_id": "reader" })).await
}
