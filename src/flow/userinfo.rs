//! Userinfo: [OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo).

use serde::Serialize;

use crate::error::{Error, Refusal};
use crate::flow::{Context, grant, issue};
use crate::oauth::claims::{AccessClaims, Profile, grant_of};
use crate::store::View;

/// The answer of the userinfo endpoint (§5.3.2).
#[derive(Debug, Serialize)]
pub struct Userinfo {
    /// Who it is.
    pub sub: String,
    /// What the scopes ask for.
    #[serde(flatten)]
    pub profile: Profile,
}

/// What a verified access token may learn of its person.
pub fn read(view: &impl View, cx: &Context, claims: &AccessClaims) -> Result<Userinfo, Error> {
    if cx.now.seconds() >= claims.exp {
        return Err(Refusal::BearerTokenExpired.into());
    }
    if !claims.aud.has(cx.rules.issuer.as_str()) {
        return Err(Refusal::BearerTokenForAnotherAudience.into());
    }
    if !claims.scope.has("openid") {
        return Err(Refusal::BearerTokenWithoutOpenid.into());
    }
    let grant = grant_of(&claims.jti).ok_or(Refusal::BearerTokenOfEndedGrant)?;
    let live = grant::live(view, cx, grant)?.ok_or(Refusal::BearerTokenOfEndedGrant)?;
    let profile = issue::profile(live.person(), &claims.scope);
    let sub = issue::subject(&cx.rules, live.client(), live.grant().user);
    Ok(Userinfo { sub, profile })
}
