//! Access tokens: whether one that this server signed is in force. Every endpoint of ours that
//! takes or judges one asks here.

use crate::error::{Error, Refusal};
use crate::flow::bridge::access::LiveBridge;
use crate::flow::client::owner::owner_may;
use crate::flow::token::grant;
use crate::flow::token::grant::LiveGrant;
use crate::flow::{Context, bridge, session};
use crate::keys::VerifiedAccess;
use crate::oauth::claims::grant_of;
use crate::oauth::id::{AnonymousSub, ClientId};
use crate::store::View;
use crate::store::schema::{Client, Revoked};

/// Proof that an access token is in force: neither expired nor revoked, and whatever it hangs on
/// is there still.
pub enum LiveAccess {
    /// It acts for nobody, in an anonymous session.
    Anonymous,
    /// It acts for a person, by their bridge.
    Bridge(Box<LiveBridge>),
    /// It acts for its client (RFC 6749 §4.4).
    Client,
    /// It acts for a person, by their grant.
    Grant(Box<LiveGrant>),
}

/// What the token stands on, if it is in force.
///
/// # Errors
///
/// [`Refusal::BearerTokenExpired`], [`Refusal::BearerTokenRevoked`], or
/// [`Refusal::BearerTokenOfEndedGrant`].
pub fn live(view: &impl View, cx: &Context, token: &VerifiedAccess) -> Result<LiveAccess, Error> {
    let (now, claims) = (cx.now.seconds(), token.claims());
    // RFC 7662 §4: "the authorization server MUST determine whether or not the token has expired",
    // "whether or not a token's valid period has started yet" and "whether or not such a revocation
    // has taken place"; RFC 7519 §4.1.4 and §4.1.5.
    if now >= claims.exp || now < claims.nbf {
        return Err(Refusal::BearerTokenExpired.into());
    }
    if view.find::<Revoked>(&claims.jti)?.is_some() {
        return Err(Refusal::BearerTokenRevoked.into());
    }
    if let Some(grant) = grant_of(&claims.jti) {
        let live = grant::live(view, cx, grant)?.ok_or(Refusal::BearerTokenOfEndedGrant)?;
        return Ok(LiveAccess::Grant(Box::new(live)));
    }
    if AnonymousSub::is_in(&claims.sub) {
        session::anonymous::check(view, cx, claims)?;
        return Ok(LiveAccess::Anonymous);
    }
    if bridge::access::is_bridge(claims) {
        let live = bridge::access::of_token(view, cx, claims)?;
        return Ok(LiveAccess::Bridge(Box::new(live)));
    }
    let id = claims.client_id.parse::<ClientId>().map_err(|_| Refusal::BearerTokenMalformed)?;
    let client = view.find::<Client>(&id)?;
    // A client of the same name may have come since; what was given before it is not its own.
    let same = |client: &Client| client.enabled && client.created.seconds() <= claims.iat;
    let present = match &client {
        Some(client) => owner_may(view, client)?,
        None => false,
    };
    if !present || !client.as_ref().is_some_and(same) {
        return Err(Refusal::BearerTokenOfEndedGrant.into());
    }
    Ok(LiveAccess::Client)
}
