//! Introspection: [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662). It only reads, and
//! asks all of it of the newest commit each time, so a token that has ended is inactive at once.

use std::sync::Arc;

use crate::error::{Error, Refusal};
use crate::flow::bridge::access::is_bridge;
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::token::access::LiveAccess;
use crate::flow::token::family::{self, KnownToken, Place};
use crate::flow::token::grant::LiveGrant;
use crate::flow::token::{access, grant, issue};
use crate::flow::{Present, resource};
use crate::keys::VerifiedAccess;
use crate::oauth::claims::{Audience, PHISHING_RESISTANT};
use crate::oauth::client::{ClientType, GrantType, SigningAlg};
use crate::oauth::id::ClientId;
use crate::oauth::introspection::Introspection;
use crate::oauth::scope::Scope;
use crate::secret::RefreshToken;
use crate::store::View;
use crate::store::schema::{Client, Protected};

/// The token of an introspection or revocation request.
pub enum PresentedToken {
    /// An access token that a published key signed.
    Access(Box<VerifiedAccess>),
    /// A token that this server did not issue.
    Foreign,
    /// A refresh token.
    Refresh(RefreshToken),
}

/// The outcome of an introspection.
pub struct Introspected {
    /// The algorithm for signed responses to the client.
    pub alg: SigningAlg,
    /// The response.
    pub introspection: Introspection,
    /// Whether the token is active, and the client may not know that.
    pub withheld: bool,
}

/// What the asking client may know about a token.
enum Knowledge {
    /// All.
    Active(Box<Introspection>),
    /// That it is not active.
    Inactive,
    /// Nothing, although it is active.
    Withheld,
}

/// Introspects a token for the client `proven`.
///
/// # Errors
///
/// Only refusals of the client itself. RFC 7662 §2.2: "If the introspection call is properly
/// authorized but the token is not active, does not exist on this server, or the protected resource
/// is not allowed to introspect this particular token, then the authorization server MUST return an
/// introspection response with the "active" field set to "false"."
pub fn read(
    view: &impl View,
    cx: &Present,
    proven: &AuthenticatedClient,
    presented: &PresentedToken,
) -> Result<Introspected, Error> {
    let asker = proven.client(view)?;
    // §2.1: "To prevent token scanning attacks, the endpoint MUST also require some form of
    // authorization to access this endpoint". A public client cannot authenticate.
    if asker.metadata.client_type() != ClientType::Confidential {
        return Err(Refusal::ClientNotConfidential.into());
    }
    let knowledge = match presented {
        PresentedToken::Access(token) => of_access(view, cx, proven.id(), &asker, token),
        PresentedToken::Foreign => Ok(Knowledge::Inactive),
        PresentedToken::Refresh(token) => of_refresh(view, cx, proven.id(), &asker, token),
    };
    let (introspection, withheld) = match knowledge {
        Err(Error::Choice(..) | Error::Paused(_) | Error::Refused(_)) | Ok(Knowledge::Inactive) => {
            (Introspection::inactive(), false)
        }
        Err(error @ Error::Internal(_)) => return Err(error),
        Ok(Knowledge::Active(introspection)) => (*introspection, false),
        Ok(Knowledge::Withheld) => (Introspection::inactive(), true),
    };
    let alg = asker.metadata.introspection_signed_response_alg.unwrap_or(SigningAlg::Rs256);
    Ok(Introspected { alg, introspection, withheld })
}

fn of_access(
    view: &impl View,
    cx: &Present,
    id: &ClientId,
    asker: &Client,
    token: &VerifiedAccess,
) -> Result<Knowledge, Error> {
    let claims = token.claims();
    let own = asker.decisions.introspect_any || claims.client_id == id.as_str();
    let addressed = || -> Result<bool, Error> {
        let served = resource::served_by(view, id)?;
        let bridge = is_bridge(claims);
        let accepts =
            |row: &Protected| claims.aud.has(row.resource.as_str()) || bridge && row.accepts_bridge;
        Ok(served.iter().map(Arc::as_ref).any(accepts))
    };
    let live = access::live(view, cx, token)?;
    if !own && !addressed()? {
        return Ok(Knowledge::Withheld);
    }
    let username = match live {
        LiveAccess::Anonymous | LiveAccess::Client => None,
        LiveAccess::Bridge(live) => Some(live.person().username.to_string()),
        LiveAccess::Grant(live) => username(&live, &claims.scope),
    };
    Ok(Knowledge::Active(Box::new(Introspection::of_access(claims, username))))
}

/// Introspects a refresh token. It is only for this server, so no resource server may introspect
/// it.
fn of_refresh(
    view: &impl View,
    cx: &Present,
    id: &ClientId,
    asker: &Client,
    token: &RefreshToken,
) -> Result<Knowledge, Error> {
    let Some(known) = family::find(view, cx, token)? else { return Ok(Knowledge::Inactive) };
    let introspection = of_known(view, cx, &known)?;
    if known.grant.authorization.client != *id && !asker.decisions.introspect_any {
        return Ok(Knowledge::Withheld);
    }
    Ok(Knowledge::Active(Box::new(introspection)))
}

/// The introspection response about a refresh token that is in force.
///
/// # Errors
///
/// The refusal that its use would get.
pub fn refresh(
    view: &impl View,
    cx: &Present,
    token: &RefreshToken,
) -> Result<Introspection, Error> {
    of_known(view, cx, &family::find(view, cx, token)?.ok_or(Refusal::RefreshUnknown)?)
}

fn of_known(view: &impl View, cx: &Present, token: &KnownToken) -> Result<Introspection, Error> {
    match token.place() {
        Place::Ahead => {
            token.check_ahead(view, cx)?;
        }
        Place::Newest => {}
        Place::Spent(_) => return Err(Refusal::RefreshReplayed.into()),
    }
    let expires = token.expires(view, cx)?;
    if cx.now >= expires {
        return Err(Refusal::RefreshExpired.into());
    }
    let live = grant::live(view, cx, token.id)?.ok_or(Refusal::GrantEnded)?;
    let (client, granted) = (live.client(), live.authorization());
    // It is unusable if its client may not refresh, or all its resources are removed.
    if !client.metadata.has_grant_type(GrantType::RefreshToken) {
        return Err(Refusal::GrantTypeNotRegistered.into());
    }
    resource::remaining(view, &cx.rules, client, &granted.resources, &granted.scope)?;
    Ok(Introspection {
        active: true,
        scope: granted.scope.clone(),
        client_id: Some(granted.client.to_string()),
        username: username(&live, &granted.scope),
        exp: Some(expires.seconds()),
        sub: Some(issue::subject(&cx.rules, client, granted.user)),
        aud: Some(Audience::One(cx.rules.issuer.to_string())),
        iss: Some(cx.rules.issuer.to_string()),
        sid: Some(issue::sid(&cx.rules, client, granted.session).to_string()),
        auth_time: Some(granted.authentication.at.seconds()),
        acr: Some(PHISHING_RESISTANT.to_owned()),
        amr: granted.authentication.amr.clone(),
        ..Introspection::default()
    })
}

/// The person's username, if `scope` has `profile`, as at userinfo (OpenID Connect Core §5.4).
fn username(live: &LiveGrant, scope: &Scope) -> Option<String> {
    scope.has("profile").then(|| live.person().username.to_string())
}
