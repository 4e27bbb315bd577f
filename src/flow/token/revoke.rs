//! Revocation: [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::bridge::{access as bridge, device};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::events::{self, Act};
use crate::flow::session::anonymous;
use crate::flow::token::introspect::PresentedToken;
use crate::flow::token::{family, grant};
use crate::flow::{Context, rights};
use crate::keys::VerifiedAccess;
use crate::oauth::claims::grant_of;
use crate::oauth::id::AnonymousSub;
use crate::store::schema::{Grant, Revoked};
use crate::store::{Tx, View as _};

/// Revokes a token that was issued to the client. Any other token stays, with the same response.
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
            revoke_access(tx, cx, token)?;
            let act = Act::new(Kind::TokenRevoked).by_client(proven.id());
            events::record(tx, cx, act.fact("jti", &token.claims().jti)).map(drop)
        }
        PresentedToken::Access(_) | PresentedToken::Foreign => Ok(()),
        PresentedToken::Refresh(token) => match family::find(tx, cx, token)? {
            // §2.1: "If the particular token is a refresh token and the authorization server
            // supports the revocation of access tokens, then the authorization server SHOULD also
            // invalidate all access tokens based on the same authorization grant". A spent token
            // belongs to the same grant.
            Some(known) if known.grant.authorization.client == *proven.id() => {
                grant::end(tx, cx, known.id)?;
                let act = Act::new(Kind::TokenRevoked).by_client(proven.id());
                let act = act.person(known.grant.authorization.user).fact("grant", known.id);
                events::record(tx, cx, act).map(drop)
            }
            Some(_) | None => Ok(()),
        },
    }
}

/// Revokes a token of this server at the request of the operator. That of a bridge or a hook client
/// ends its linked device, which could get another.
///
/// # Errors
///
/// [`Refusal::RefreshUnknown`] for an unknown refresh token, and [`Refusal::BearerTokenMalformed`]
/// for a token that this server did not issue.
pub fn by_operator(tx: &mut Tx<'_>, cx: &Context, presented: &PresentedToken) -> Result<(), Error> {
    let act = match presented {
        PresentedToken::Access(token) => {
            rights::check_token(tx, cx, token)?;
            match bridge::device_of_token(tx, token.claims())? {
                Some(device) => device::revoke(tx, cx, &device)?,
                None => revoke_access(tx, cx, token)?,
            }
            Act::new(Kind::TokenRevoked).fact("jti", &token.claims().jti)
        }
        PresentedToken::Foreign => return Err(Refusal::BearerTokenMalformed.into()),
        PresentedToken::Refresh(token) => {
            let known = family::find(tx, cx, token)?.ok_or(Refusal::RefreshUnknown)?;
            let authorization = &known.grant.authorization;
            rights::check_grant(tx, cx, authorization.user, &authorization.scope)?;
            grant::end(tx, cx, known.id)?;
            let act = Act::new(Kind::TokenRevoked).client(&authorization.client);
            act.person(authorization.user).fact("grant", known.id)
        }
    };
    events::record(tx, cx, act).map(drop)
}

/// Stores the revocation until the expiry of the token. The token of an anonymous session ends its
/// session instead: that row is in a pool, while anybody could have any number of revocations
/// stored. A token that an operator issued ends its grant, which has no other.
fn revoke_access(tx: &mut Tx<'_>, cx: &Context, token: &VerifiedAccess) -> Result<(), Error> {
    let claims = token.claims();
    let grant = grant_of(&claims.jti);
    if grant.is_none() && AnonymousSub::is_in(&claims.sub) {
        return Ok(anonymous::end_of_token(tx, cx, claims)?);
    }
    if let Some(id) = grant
        && tx.find::<Grant>(&id)?.is_some_and(|grant| grant.by_operator)
    {
        return grant::end(tx, cx, id);
    }
    if cx.now < Timestamp::from_seconds(claims.exp) {
        tx.put(&claims.jti, Revoked { expires: claims.revocable_until() })?;
    }
    Ok(())
}
