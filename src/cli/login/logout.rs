//! `gatelodge logout`

use serde_json::json;

use crate::cli::output::{Failure, Output};
use crate::cli::token_store::{Kept, Session, keyring};
use crate::config::Config;

use super::server::{Server, needed};
use super::{Cx, ServerArgs, token};

/// `gatelodge logout`: ends the grant at the server, then forgets it; forgets it also where the
/// server does not hear of it. The `client_id` stays, for the next sign-in.
pub(in crate::cli) async fn run(args: ServerArgs, config: &Config) -> Result<Output, Failure> {
    let cx = Cx::new(args, config).await?;
    let issuer = cx.issuer.as_str();
    let nobody = || {
        let json = json!({ "issuer": issuer, "forgotten": false, "revoked": false });
        Ok(Output::new("", json).with_note(format!("nobody was signed in to {issuer}")))
    };
    let Some(client_id) = cx.place.client_id() else { return nobody() };
    let locked = cx.place.lock().await?;
    let revoked = match locked.read().await {
        Ok(Some(Kept { session: Some(session), .. })) => match cx.discover().await {
            Ok(server) => revoke(&cx, &server, &client_id, &session).await,
            Err(failure) => Err(failure),
        },
        Ok(Some(_) | None) => return nobody(),
        // Sealed by a key that is gone: it opens to nobody.
        Err(failure) => Err(failure),
    };
    locked.write(Kept { client_id, key: None, session: None })?;
    keyring::forget(&cx.issuer).await;
    let json = json!({ "issuer": issuer, "forgotten": true, "revoked": revoked.is_ok() });
    let note = match revoked {
        Ok(()) => format!("signed out of {issuer}"),
        Err(failure) => format!(
            "forgotten here, but {issuer} did not hear of it ({}); its refresh token ends by \
             itself, or in the account page there",
            failure.message
        ),
    };
    Ok(Output::new("", json).with_note(note))
}

/// Revokes the refresh token, and with it the whole grant (RFC 7009 §2.1); where there is none, the
/// access tokens.
pub(super) async fn revoke(
    cx: &Cx,
    server: &Server,
    client_id: &str,
    session: &Session,
) -> Result<(), Failure> {
    let endpoint = needed(&server.revocation_endpoint, "revocation endpoint")?;
    let tokens = match &session.refresh_token {
        Some(token) => vec![("refresh_token", token)],
        None => session.access.iter().map(|access| ("access_token", &access.token)).collect(),
    };
    for (kind, token) in tokens {
        let pairs =
            [("token", token.expose()), ("token_type_hint", kind), ("client_id", client_id)];
        let answered = cx.http.post_form(endpoint, &pairs).await?;
        // §2.2: "invalid tokens do not cause an error response".
        if answered.status != 200 {
            return Err(token::refusal(&answered).into());
        }
    }
    Ok(())
}
