//! `gatelodge logout`

use serde_json::json;

use crate::cli::output::{Failure, Output};
use crate::config::Config;
use crate::oauth_client::token_store::{StoredSignIn, keyring};

use super::ServerArgs;
use crate::oauth_client::revoke::revoke;

/// `gatelodge logout`: ends the grant at the server, then forgets it; forgets it also where the
/// server does not hear of it. The `client_id` stays, for the next sign-in.
pub(in crate::cli) async fn run(args: ServerArgs, config: &Config) -> Result<Output, Failure> {
    let client = super::client(args, config).await?;
    let issuer = client.issuer().as_str();
    let nobody = || {
        let json = json!({ "issuer": issuer, "forgotten": false, "revoked": false });
        Ok(Output::new("", json).with_note(format!("nobody was signed in to {issuer}")))
    };
    let Some(client_id) = client.token_file().client_id() else { return nobody() };
    let locked = client.token_file().lock().await?;
    let revoked = match locked.read().await {
        Ok(Some(StoredSignIn { session: Some(session), .. })) => match client.discover().await {
            Ok(server) => revoke(&client, &server, &client_id, &session).await,
            Err(failure) => Err(failure),
        },
        Ok(Some(_) | None) => return nobody(),
        // Sealed by a key that is gone: it opens to nobody.
        Err(failure) => Err(failure),
    };
    locked.write(StoredSignIn { client_id, key: None, session: None })?;
    keyring::forget(client.issuer()).await;
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
