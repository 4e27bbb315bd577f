//! A usable access token: the stored one, or a new one, which only the first of several processes
//! requests.

use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::token_store::{AccessToken, Locked, StoredSignIn, TokenPurpose, keyring};
use crate::oauth_client::{Error, ErrorKind};

use super::OauthClient;
use super::discovery::needed;
use super::token::{self, TokenError, Tokens};

/// The access token for the purpose `asked`.
///
/// If the stored one is usable, no lock is taken. Otherwise the file is read again under the lock,
/// since another process may have refreshed it meanwhile.
pub(crate) async fn access(
    client: &OauthClient,
    asked: &TokenPurpose,
) -> Result<AccessToken, Error> {
    let Some(stored) = client.token_file.read().await? else { return Err(client.not_signed_in()) };
    if let Some(access) = found(client, &stored, asked) {
        return Ok(access);
    }
    let locked = client.token_file.lock().await?;
    let Some(stored) = locked.read().await? else { return Err(client.not_signed_in()) };
    if let Some(access) = found(client, &stored, asked) {
        return Ok(access);
    }
    refreshed(client, &locked, stored, asked).await
}

fn found(client: &OauthClient, stored: &StoredSignIn, asked: &TokenPurpose) -> Option<AccessToken> {
    let session = stored.session.as_ref()?;
    session.usable(&session.resolve(asked), client.now()).cloned()
}

async fn refreshed(
    client: &OauthClient,
    locked: &Locked<'_>,
    mut stored: StoredSignIn,
    asked: &TokenPurpose,
) -> Result<AccessToken, Error> {
    let Some(session) = &mut stored.session else { return Err(client.not_signed_in()) };
    let Some(token) = session.refresh_token.clone() else { return Err(expired(client)) };
    let purpose = session.resolve(asked);
    match refresh(client, &stored.client_id, &token, &purpose).await? {
        Ok(tokens) => {
            let (now, access) = (client.now(), purpose.clone());
            session.keep(tokens, purpose, now);
            let access = session.access.iter().find(|own| own.purpose == access).cloned();
            locked.write(stored)?;
            access.ok_or_else(|| expired(client))
        }
        // RFC 6749 §5.2: the refresh token "is invalid, expired, revoked".
        Err(error) if error.is("invalid_grant") => {
            locked.write(StoredSignIn { client_id: stored.client_id, key: None, session: None })?;
            if stored.key.is_some() {
                keyring::forget(&client.issuer).await;
            }
            Err(expired(client))
        }
        // A client that was disabled may be enabled again.
        Err(error) if error.is("invalid_client") => Err(expired(client)),
        Err(error) => Err(error.into()),
    }
}

/// Refreshes (RFC 6749 §6), for one resource if one is named (RFC 8707 §2.2).
async fn refresh(
    client: &OauthClient,
    client_id: &str,
    token: &Opaque,
    purpose: &TokenPurpose,
) -> Result<Result<Tokens, TokenError>, Error> {
    let server = client.discover().await?;
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let mut pairs = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
        ("client_id", client_id),
    ];
    pairs.extend(purpose.resource.as_deref().map(|resource| ("resource", resource)));
    pairs.extend(purpose.scope.as_deref().map(|scope| ("scope", scope)));
    Ok(token::ask(&client.http, endpoint, &pairs).await)
}

fn expired(client: &OauthClient) -> Error {
    let issuer = &client.issuer;
    let message =
        format!("the sign-in to {issuer} is over; begin anew: gatelodge login --issuer {issuer}");
    Error::new(ErrorKind::Refused, message)
}
