//! Userinfo: [OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo).

use serde::Serialize;

use crate::error::{Error, Refusal};
use crate::flow::Present;
use crate::flow::token::access::LiveAccess;
use crate::flow::token::{access, issue};
use crate::keys::VerifiedAccess;
use crate::oauth::claims::Profile;
use crate::oauth::client::SigningAlg;
use crate::store::View;

/// The response of the userinfo endpoint (§5.3.2).
#[derive(Debug, Serialize)]
pub struct Userinfo {
    /// The issuer and the audience, if the response is signed.
    #[serde(flatten)]
    pub envelope: Option<Envelope>,
    /// The `sub` of the person.
    pub sub: String,
    /// The claims that the scopes request.
    #[serde(flatten)]
    pub profile: Profile,
}

/// The claims of a signed response about itself: its issuer and its audience.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the names are those of RFC 7519 §4.1")]
pub struct Envelope {
    pub iss: String,
    pub aud: String,
}

/// The userinfo response for a verified access token, and the algorithm of its signature
/// (`userinfo_signed_response_alg`), if the client registered one.
pub fn read(
    view: &impl View,
    cx: &Present,
    token: &VerifiedAccess,
) -> Result<(Userinfo, Option<SigningAlg>), Error> {
    let claims = token.claims();
    if !claims.aud.has(cx.rules.issuer.as_str()) {
        return Err(Refusal::BearerTokenForAnotherAudience.into());
    }
    let live = access::live(view, cx, token)?;
    if !claims.scope.has("openid") {
        return Err(Refusal::BearerTokenWithoutOpenid.into());
    }
    let LiveAccess::Grant(live) = live else {
        return Err(Refusal::BearerTokenOfEndedGrant.into());
    };
    let named = &live.authorization().claims.userinfo;
    let profile = issue::profile(&cx.rules, &live, &claims.scope, named);
    // §5.3.2: "The sub (subject) Claim MUST always be returned in the UserInfo Response."
    let sub = issue::subject(&cx.rules, live.client(), live.authorization().user);
    let alg = live.client().metadata.userinfo_signed_response_alg;
    let envelope = alg.map(|_| Envelope {
        iss: cx.rules.issuer.to_string(),
        aud: live.authorization().client.to_string(),
    });
    Ok((Userinfo { envelope, sub, profile }, alg))
}
