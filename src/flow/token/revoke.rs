//! Revocation: [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::token::grant;
use crate::flow::token::introspect::PresentedToken;
use crate::keys::VerifiedAccess;
use crate::store::schema::{Refresh, Revoked};
use crate::store::{Tx, View};

/// Revokes a token of the client's own. Any other token stays as it is, and the response is the
/// same.
///
/// RFC 7009 §2.1: the server "verifies whether the token was issued to the client making the
/// revocation request."
///
/// RFC 7009 §2.2: "invalid tokens do not cause an error response since the client cannot handle
/// such an error in a reasonable way."
pub fn revoke(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    presented: &PresentedToken,
) -> Result<(), Error> {
    proven.client(tx)?;
    match presented {
        PresentedToken::Access(token) if token.claims().client_id == proven.id().as_str() => {
            revoke_access(tx, cx, token)
        }
        PresentedToken::Access(_) | PresentedToken::Foreign => Ok(()),
        PresentedToken::Refresh(token) => match tx.find::<Refresh>(&cx.rules.pepper.hash(token))? {
            // §2.1: "If the particular token is a refresh token and the authorization server
            // supports the revocation of access tokens, then the authorization server SHOULD also
            // invalidate all access tokens based on the same authorization grant". A spent token
            // belongs to the same line.
            Some(row) if row.client == *proven.id() => grant::end(tx, cx, row.grant),
            Some(_) | None => Ok(()),
        },
    }
}

/// Revokes whichever token of this server is shown, as its operator wants it.
///
/// # Errors
///
/// [`Refusal::RefreshUnknown`] for a refresh token that is not known here.
pub fn by_operator(tx: &mut Tx<'_>, cx: &Context, presented: &PresentedToken) -> Result<(), Error> {
    match presented {
        PresentedToken::Access(token) => revoke_access(tx, cx, token),
        PresentedToken::Foreign => Err(Refusal::BearerTokenMalformed.into()),
        PresentedToken::Refresh(token) => {
            let row = tx.find::<Refresh>(&cx.rules.pepper.hash(token))?;
            grant::end(tx, cx, row.ok_or(Refusal::RefreshUnknown)?.grant)
        }
    }
}

/// The row lasts as long as the token would have.
fn revoke_access(tx: &mut Tx<'_>, cx: &Context, token: &VerifiedAccess) -> Result<(), Error> {
    let claims = token.claims();
    let expires = Timestamp::from_seconds(claims.exp);
    if cx.now < expires {
        tx.put(&claims.jti, Revoked { expires })?;
    }
    Ok(())
}
