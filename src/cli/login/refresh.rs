//! A fresh access token: the kept one while it lasts, else a new one, got by whoever comes first.

use crate::cli::output::{Exit, Failure};
use crate::cli::token_store::{Access, Kept, Locked, Opaque, Purpose, keyring};

use super::Cx;
use super::server::needed;
use super::token::{self, Tokens, Trouble};

/// The access token for what is `asked`.
///
/// No lock is taken while the kept one is fresh. Else the file is read again under the lock, since
/// everybody who waited for it finds what the first one got.
pub(super) async fn access(cx: &Cx, asked: &Purpose) -> Result<Access, Failure> {
    let Some(kept) = cx.place.read().await? else { return Err(cx.not_signed_in()) };
    if let Some(access) = found(cx, &kept, asked) {
        return Ok(access);
    }
    let locked = cx.place.lock().await?;
    let Some(kept) = locked.read().await? else { return Err(cx.not_signed_in()) };
    if let Some(access) = found(cx, &kept, asked) {
        return Ok(access);
    }
    refreshed(cx, &locked, kept, asked).await
}

fn found(cx: &Cx, kept: &Kept, asked: &Purpose) -> Option<Access> {
    let session = kept.session.as_ref()?;
    session.fresh(&session.meant(asked), cx.now()).cloned()
}

async fn refreshed(
    cx: &Cx,
    locked: &Locked<'_>,
    mut kept: Kept,
    asked: &Purpose,
) -> Result<Access, Failure> {
    let Some(session) = &mut kept.session else { return Err(cx.not_signed_in()) };
    let Some(token) = session.refresh_token.clone() else { return Err(over(cx)) };
    let purpose = session.meant(asked);
    match refresh(cx, &kept.client_id, &token, &purpose).await? {
        Ok(tokens) => {
            let (now, access) = (cx.now(), purpose.clone());
            session.keep(tokens, purpose, now);
            let access = session.access.iter().find(|own| own.purpose == access).cloned();
            locked.write(kept)?;
            access.ok_or_else(|| over(cx))
        }
        // RFC 6749 §5.2: the refresh token "is invalid, expired, revoked".
        Err(trouble) if trouble.is("invalid_grant") => {
            locked.write(Kept { client_id: kept.client_id, key: None, session: None })?;
            if kept.key.is_some() {
                keyring::forget(&cx.issuer).await;
            }
            Err(over(cx))
        }
        // Whoever switched the client off may switch it on again.
        Err(trouble) if trouble.is("invalid_client") => Err(over(cx)),
        Err(trouble) => Err(trouble.into()),
    }
}

/// RFC 6749 §6, for one resource where one is named (RFC 8707 §2.2).
async fn refresh(
    cx: &Cx,
    client_id: &str,
    token: &Opaque,
    purpose: &Purpose,
) -> Result<Result<Tokens, Trouble>, Failure> {
    let server = cx.discover().await?;
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let mut pairs = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
        ("client_id", client_id),
    ];
    pairs.extend(purpose.resource.as_deref().map(|resource| ("resource", resource)));
    pairs.extend(purpose.scope.as_deref().map(|scope| ("scope", scope)));
    Ok(token::ask(&cx.http, endpoint, &pairs).await)
}

fn over(cx: &Cx) -> Failure {
    let issuer = &cx.issuer;
    let message =
        format!("the sign-in to {issuer} is over; begin anew: gatelodge login --issuer {issuer}");
    Failure::new(Exit::Refused, message)
}
