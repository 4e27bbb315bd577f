//! Userinfo: [OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo).

use serde::Serialize;

use crate::error::{Error, Refusal};
use crate::flow::access::LiveAccess;
use crate::flow::{Context, access, issue};
use crate::oauth::claims::{AccessClaims, Profile};
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
    if !claims.aud.has(cx.rules.issuer.as_str()) {
        return Err(Refusal::BearerTokenForAnotherAudience.into());
    }
    let live = access::live(view, cx, claims)?;
    if !claims.scope.has("openid") {
        return Err(Refusal::BearerTokenWithoutOpenid.into());
    }
    let LiveAccess::Grant(live) = live else {
        return Err(Refusal::BearerTokenOfEndedGrant.into());
    };
    let profile = issue::profile(live.person(), &claims.scope);
    let sub = issue::subject(&cx.rules, live.client(), live.grant().user);
    Ok(Userinfo { sub, profile })
}
