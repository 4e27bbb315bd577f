//! What a token answer says, before it is signed.

use std::time::Duration;

use crate::error::Refusal;
use crate::flow::token::grant::LiveGrant;
use crate::flow::{Context, Rules};
use crate::model::anonymous::SCOPE;
use crate::oauth::claims::{AccessClaims, IdClaims, PHISHING_RESISTANT, Profile, jti};
use crate::oauth::client::{SigningAlg, SubjectType};
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::RefreshToken;
use crate::store::schema::{AnonymousSession, Client};

/// A token answer (RFC 6749 §5.1), to be signed after the commit.
pub struct Issued {
    /// What the access token says.
    pub access: AccessClaims,
    /// How long it lasts, in seconds.
    pub expires_in: u64,
    /// What the ID token says, and what it is signed with.
    pub id_token: Option<(SigningAlg, IdClaims)>,
    /// The refresh token, if there is one.
    pub refresh_token: Option<RefreshToken>,
    /// What was granted.
    pub scope: Scope,
}

/// The answer for a grant, with an access token of `scope`.
pub fn for_grant(
    cx: &Context,
    live: &LiveGrant,
    resources: &[Resource],
    scope: Scope,
    nonce: Option<String>,
    refresh_token: Option<RefreshToken>,
) -> Issued {
    let (grant, client) = (live.grant(), live.client());
    let lifetimes = &cx.rules.config.lifetimes;
    let lasting = access_token_lifetime(cx, client).min(grant.expires.since(cx.now));
    let sub = subject(&cx.rules, client, grant.user);
    let iss = cx.rules.issuer.to_string();
    let sid = grant.session.to_string();
    let auth_time = grant.authentication.at.seconds();
    let roles = if scope.has("profile") { live.person().roles.as_slice() } else { &[] };
    let access = AccessClaims {
        sub: sub.clone(),
        jti: jti(Some(live.id()), cx.seed.bytes("jti")),
        scope: scope.clone(),
        sid: Some(sid.clone()),
        auth_time: Some(auth_time),
        acr: Some(PHISHING_RESISTANT.to_owned()),
        amr: grant.authentication.amr.clone(),
        roles: roles.iter().map(ToString::to_string).collect(),
        ..client_claims(cx, &grant.client, resources, lasting)
    };
    let id_token = scope.has("openid").then(|| {
        let claims = IdClaims {
            iss,
            sub,
            aud: grant.client.to_string(),
            azp: grant.client.to_string(),
            exp: (cx.now + lifetimes.id_token).seconds(),
            iat: cx.now.seconds(),
            // OpenID Connect Core §12.2: "its value MUST represent the time of the original
            // authentication - not the time that the new ID token is issued".
            auth_time,
            nonce,
            acr: PHISHING_RESISTANT.to_owned(),
            amr: grant.authentication.amr.clone(),
            sid,
            at_hash: None,
            profile: profile(&cx.rules, live, &scope, &grant.claims.id_token),
        };
        (client.id_token_alg, claims)
    });
    Issued { access, expires_in: lasting.as_secs(), id_token, refresh_token, scope }
}

/// The answer for a client itself (RFC 6749 §4.4.3): no refresh token, and nobody's grant.
pub fn for_client(
    cx: &Context,
    id: &ClientId,
    client: &Client,
    resources: &[Resource],
    scope: Scope,
) -> Issued {
    let lasting = access_token_lifetime(cx, client);
    let access = AccessClaims { scope: scope.clone(), ..client_claims(cx, id, resources, lasting) };
    Issued { access, expires_in: lasting.as_secs(), id_token: None, refresh_token: None, scope }
}

/// The answer for an anonymous session: its token says who asked, and nothing of anybody.
pub fn for_anonymous(
    cx: &Context,
    client: &Client,
    id: SessionId,
    session: &AnonymousSession,
) -> Result<Issued, Refusal> {
    let lasting = access_token_lifetime(cx, client).min(session.expires.since(cx.now));
    let scope: Scope = SCOPE.parse()?;
    let access = AccessClaims {
        sub: session.sub.to_string(),
        scope: scope.clone(),
        sid: Some(id.to_string()),
        ..client_claims(cx, &session.client, &[], lasting)
    };
    let expires_in = lasting.as_secs();
    Ok(Issued { access, expires_in, id_token: None, refresh_token: None, scope })
}

fn access_token_lifetime(cx: &Context, client: &Client) -> Duration {
    let own = client.access_token_lifetime.map(|seconds| Duration::from_secs(seconds.into()));
    own.unwrap_or(cx.rules.config.lifetimes.access_token)
}

/// What a person is called towards a client (OpenID Connect Core §8).
pub fn subject(rules: &Rules, client: &Client, user: UserId) -> String {
    match (client.subject_type, &client.sector) {
        (SubjectType::Pairwise, Some(sector)) => rules.pepper.pairwise(sector, user.uuid()),
        (SubjectType::Pairwise, None) | (SubjectType::Public, _) => user.to_string(),
    }
}

/// What every access token says; the client stands for the subject (RFC 9068 §5) until a person
/// takes its place.
fn client_claims(
    cx: &Context,
    client: &ClientId,
    resources: &[Resource],
    lasting: Duration,
) -> AccessClaims {
    let issuer = || vec![cx.rules.issuer.to_string()];
    let named: Vec<String> = resources.iter().map(ToString::to_string).collect();
    AccessClaims {
        iss: cx.rules.issuer.to_string(),
        sub: client.to_string(),
        aud: if named.is_empty() { issuer() } else { named }.into(),
        exp: (cx.now + lasting).seconds(),
        iat: cx.now.seconds(),
        nbf: cx.now.seconds(),
        jti: jti(None, cx.seed.bytes("jti")),
        client_id: client.to_string(),
        scope: Scope::default(),
        sid: None,
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        roles: Vec::new(),
        plugin_id: None,
    }
}

/// The claims that `scope` asks for (OpenID Connect Core §5.4), and those that were asked for by
/// name (§5.5) as far as client and person may have them today.
pub fn profile(rules: &Rules, live: &LiveGrant, scope: &Scope, named: &[String]) -> Profile {
    let person = live.person();
    let allowed = rules.config.allowed(&person.roles).intersect(&live.client().scope);
    let tells = |claim: &str, holds: &str| {
        scope.has(holds) || allowed.has(holds) && named.iter().any(|name| name == claim)
    };
    let email = person.email.as_ref();
    Profile {
        name: tells("name", "profile").then(|| person.display_name.to_string()),
        preferred_username: tells("preferred_username", "profile")
            .then(|| person.username.to_string()),
        updated_at: tells("updated_at", "profile").then(|| person.updated.seconds()),
        email: email.filter(|_| tells("email", "email")).map(ToString::to_string),
        // An operator typed it; nobody proved it.
        email_verified: email.filter(|_| tells("email_verified", "email")).map(|_| false),
    }
}
