//! `gatelodge logout`

use serde::Serialize;

use crate::cli::output::{Failure, Output};
use crate::config::Config;
use crate::oauth_client::token_store::{StoredSignIn, keyring};

use super::ServerArgs;
use crate::oauth_client::revoke::revoke;

#[derive(Serialize)]
struct LogoutView<'a> {
    /// Whether a sign-in was removed from this machine.
    forgotten: bool,
    issuer: &'a str,
    /// Whether the server ended its grant.
    revoked: bool,
}

/// Runs `gatelodge logout`: ends the grant at the server, and removes the tokens from this machine
/// even if the server cannot end it. The `client_id` stays for the next sign-in.
pub(in crate::cli) async fn run(args: ServerArgs, config: &Config) -> Result<Output, Failure> {
    let client = super::client(args, config).await?;
    let issuer = client.issuer().as_str();
    let nobody = || {
        let view = LogoutView { forgotten: false, issuer, revoked: false };
        Ok(Output::new("", &view).with_note(format!("nobody was signed in to {issuer}")))
    };
    let Some(client_id) = client.token_file().client_id() else { return nobody() };
    let locked = client.token_file().lock().await?;
    let revoked = match locked.read().await {
        Ok(Some(StoredSignIn { session: Some(session), .. })) => match client.discover().await {
            Ok(server) => revoke(&client, &server, &client_id, &session).await,
            Err(failure) => Err(failure),
        },
        Ok(Some(_) | None) => return nobody(),
        // The file cannot be read, for example because the keyring lost its key. It is replaced.
        Err(failure) => Err(failure),
    };
    locked.write(StoredSignIn { client_id, key: None, session: None })?;
    keyring::forget(client.issuer()).await;
    let view = LogoutView { forgotten: true, issuer, revoked: revoked.is_ok() };
    let note = match revoked {
        Ok(()) => format!("signed out of {issuer}"),
        Err(failure) => format!(
            "forgotten here, but {issuer} did not hear of it ({}); its refresh token ends by \
             itself, or in the account page there",
            failure.message
        ),
    };
    Ok(Output::new("", &view).with_note(note))
}
