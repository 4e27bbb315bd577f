//! The `client_id` of this command line: [RFC 7591](https://www.rfc-editor.org/rfc/rfc7591).

use serde_json::{Value, json};

use crate::oauth::client::GrantType;
use crate::oauth_client::{Error, ErrorKind};

use super::discovery::Server;
use super::{OauthClient, token};

/// The registered redirect URI. The port of a request may be any (RFC 8252 §7.3).
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// The `client_id` at the server: the stored one if the server still knows it, otherwise a newly
/// registered one.
pub(crate) async fn own(client: &OauthClient, server: &Server) -> Result<String, Error> {
    match client.token_file.client_id() {
        Some(id) if is_known(client, server, &id).await => Ok(id),
        Some(_) | None => register(client, server).await,
    }
}

/// Whether the server still knows a client. It may have removed a registered client that was not
/// used for long, and an authorization request would then end on an error page in the browser.
///
/// A pushed authorization request (RFC 9126 §2.3) of an unknown client gets `invalid_client`. This
/// one has no other effect, since it lacks the other parameters.
async fn is_known(client: &OauthClient, server: &Server, id: &str) -> bool {
    let Some(endpoint) = &server.pushed_authorization_request_endpoint else { return true };
    let pairs = [("client_id", id), ("response_type", "code")];
    match client.http.post_form(endpoint, &pairs).await {
        Ok(response) => !token::refusal(&response).is("invalid_client"),
        Err(_) => true,
    }
}

/// Registers this command line as a public native client (RFC 8252 §8.4).
async fn register(client: &OauthClient, server: &Server) -> Result<String, Error> {
    let Some(endpoint) = &server.registration_endpoint else { return Err(by_hand(client)) };
    let response = client.http.post_json(endpoint, &metadata()).await?;
    let id = response.body.get("client_id").and_then(Value::as_str);
    match (response.status, id) {
        (200 | 201, Some(id)) => Ok(id.to_owned()),
        // RFC 7591 §3: "The client registration endpoint MAY be an OAuth 2.0 protected resource".
        (401 | 403, _) => Err(by_hand(client)),
        (status, _) => Err(Error::refused(status, &response.body)),
    }
}

fn grants() -> [&'static str; 3] {
    [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode]
        .map(GrantType::as_str)
}

/// The client metadata of this command line (RFC 7591 §2).
fn metadata() -> Value {
    json!({
        "application_type": "native",
        "client_name": "Gatelodge command line",
        "grant_types": grants(),
        "redirect_uris": [REDIRECT_URI],
        "response_types": ["code"],
        "software_id": "gatelodge",
        "software_version": env!("CARGO_PKG_VERSION"),
        "token_endpoint_auth_method": "none",
    })
}

/// The error of a server without dynamic registration: how to register a client by hand.
fn by_hand(client: &OauthClient) -> Error {
    let grants: String = grants().map(|grant| format!(" --grant {grant}")).concat();
    let message = format!(
        "{issuer} lets nobody register themselves. Whoever runs it makes a client by\n  gatelodge \
         client add command-line --id command-line --public --redirect {REDIRECT_URI}{grants}\nand then:\n  gatelodge \
         login --issuer {issuer} --client command-line",
        issuer = client.issuer,
    );
    Error::new(ErrorKind::Refused, message)
}
