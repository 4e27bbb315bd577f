//! Token revocation: [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).

use super::discovery::{Server, needed};
use super::token_store::Session;
use super::{Error, OauthClient, token};

/// Revokes the refresh token, and with it the whole grant (RFC 7009 §2.1); if there is none, the
/// access tokens.
pub(crate) async fn revoke(
    client: &OauthClient,
    server: &Server,
    client_id: &str,
    session: &Session,
) -> Result<(), Error> {
    let endpoint = needed(&server.revocation_endpoint, "revocation endpoint")?;
    let tokens = match &session.refresh_token {
        Some(token) => vec![("refresh_token", token)],
        None => session.access.iter().map(|access| ("access_token", &access.token)).collect(),
    };
    for (kind, token) in tokens {
        let pairs =
            [("token", token.expose()), ("token_type_hint", kind), ("client_id", client_id)];
        let response = client.http.post_form(endpoint, &pairs).await?;
        // §2.2: "invalid tokens do not cause an error response".
        if response.status != 200 {
            return Err(token::refusal(&response).into());
        }
    }
    Ok(())
}
