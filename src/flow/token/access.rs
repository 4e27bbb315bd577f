//! The check whether an access token that this server signed is in force. Every endpoint that
//! accepts or introspects one uses it.

use crate::error::{Error, Refusal};
use crate::flow::bridge::access::LiveBridge;
use crate::flow::client::owner::owner_may;
use crate::flow::installation::evidence;
use crate::flow::token::grant;
use crate::flow::token::grant::LiveGrant;
use crate::flow::{Context, Present, bridge, session};
use crate::keys::VerifiedAccess;
use crate::model::actor::{Acting, Actor};
use crate::oauth::claims::{device_of, grant_of};
use crate::oauth::id::{AnonymousSub, ClientId};
use crate::store::View;
use crate::store::schema::{Client, Revoked};

/// Proof that an access token is in force: it has neither expired nor been revoked, and what it
/// depends on is still live.
pub enum LiveAccess {
    /// The token of an anonymous session.
    Anonymous,
    /// The token of a person's bridge.
    Bridge(Box<LiveBridge>),
    /// The token of a client itself (RFC 6749 §4.4), a hook client's included.
    Client,
    /// The token of a person's grant.
    Grant(Box<LiveGrant>),
}

/// The administrator that a token is of, and their scopes of the administration.
/// These are the scopes of the token that its client may still have, and its person may still grant,
/// so that whoever is no administrator any more has none at once. They may be none at all.
///
/// # Errors
///
/// Those of [`live`], and [`Refusal::BearerTokenForAnotherAudience`], also for a token that no client
/// and no person got for the administration.
pub fn administrator(
    view: &impl View,
    cx: &Context,
    token: &VerifiedAccess,
) -> Result<Acting, Error> {
    let claims = token.claims();
    if !claims.aud.has(cx.rules.issuer.as_str()) {
        return Err(Refusal::BearerTokenForAnotherAudience.into());
    }
    let (client, person, present) = match live(view, cx, token)? {
        LiveAccess::Anonymous | LiveAccess::Bridge(_) => {
            return Err(Refusal::BearerTokenForAnotherAudience.into());
        }
        LiveAccess::Client => {
            let id = claims.client_id.parse().map_err(|_| Refusal::BearerTokenMalformed)?;
            let client = view.find::<Client>(&id)?;
            let scope = client.map(|client| client.scope().clone()).unwrap_or_default();
            (id, None, scope)
        }
        LiveAccess::Grant(live) => {
            let allowed = cx.rules.config.allowed(&live.person().roles);
            let authorization = live.authorization();
            let present = allowed.intersect(live.client().scope());
            (authorization.client.clone(), Some(authorization.user), present)
        }
    };
    let scope = claims.scope.intersect(&present).of_administration();
    let actor = Actor::Administrator { client: Some(client), person };
    Ok(Acting { actor, address: cx.acting.address, scope })
}

/// Checks that a token is in force, and returns what it depends on.
///
/// # Errors
///
/// [`Refusal::BearerTokenExpired`], [`Refusal::BearerTokenRevoked`],
/// [`Refusal::BearerTokenMalformed`] or [`Refusal::BearerTokenOfEndedGrant`].
pub fn live(view: &impl View, cx: &Present, token: &VerifiedAccess) -> Result<LiveAccess, Error> {
    let (now, claims) = (cx.now.seconds(), token.claims());
    // RFC 7662 §4: "the authorization server MUST determine whether or not the token has expired",
    // "whether or not a token's valid period has started yet" and "whether or not such a revocation
    // has taken place"; RFC 7519 §4.1.4 and §4.1.5.
    if now >= claims.exp || now < claims.nbf {
        return Err(Refusal::BearerTokenExpired.into());
    }
    if view.find_shared::<Revoked>(&claims.jti)?.is_some() {
        return Err(Refusal::BearerTokenRevoked.into());
    }
    // The clock went back, and a revocation may be forgotten.
    if evidence::is_removed(view, claims.revocable_until())? {
        return Err(Refusal::BearerTokenExpired.into());
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
    let client = view.find_shared::<Client>(&id)?;
    // The client may be a later one of the same name, which does not own tokens from before it.
    let same =
        |client: &Client| client.enabled && client.created.seconds() <= claims.issued_by_latest();
    let present = match &client {
        Some(client) => owner_may(view, client)?,
        None => false,
    };
    if !present || !client.as_deref().is_some_and(same) {
        return Err(Refusal::BearerTokenOfEndedGrant.into());
    }
    if let Some(device) = device_of(&claims.jti)
        && bridge::device::live(view, cx.now, &device.to_owned())?.is_none()
    {
        return Err(Refusal::BearerTokenOfEndedGrant.into());
    }
    Ok(LiveAccess::Client)
}
