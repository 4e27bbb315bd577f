//! Token responses, before they are signed.

use std::cell::LazyCell;
use std::time::Duration;

use uuid::Uuid;

use crate::error::Refusal;
use crate::flow::installation::evidence;
use crate::flow::resource::TokenTarget;
use crate::flow::token::grant::LiveGrant;
use crate::flow::{Context, Rules};
use crate::keys::BlockKey;
use crate::model::anonymous::SCOPE;
use crate::oauth::claims::{AccessClaims, Audience, IdClaims, PHISHING_RESISTANT, Profile, jti};
use crate::oauth::client::{ClaimsPlace, SigningAlg, SubjectType};
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::Scope;
use crate::secret::RefreshToken;
use crate::store::schema::{AnonymousSession, Client};

/// A token response (RFC 6749 §5.1), to be signed after the commit.
pub struct Issued {
    /// The claims of the access token.
    pub access: AccessClaims,
    /// The lifetime of the access token, in seconds.
    pub expires_in: u64,
    /// The claims of the ID token, and its algorithm.
    pub id_token: Option<(SigningAlg, IdClaims)>,
    /// The refresh token, if there is one.
    pub refresh_token: Option<RefreshToken>,
    /// The granted scope.
    pub scope: Scope,
    /// The type of the access token.
    pub typ: TokenType,
}

/// The response for a grant, with an access token for `target`.
pub fn for_grant(
    cx: &Context,
    live: &LiveGrant,
    target: TokenTarget,
    nonce: Option<String>,
    refresh_token: Option<RefreshToken>,
) -> Issued {
    let (authorization, client) = (live.authorization(), live.client());
    let TokenTarget { resources, scope, typ } = target;
    let lifetimes = &cx.rules.config.lifetimes;
    let lifetime = cx.rules.access_token_lifetime(client).min(live.grant().expires.since(cx.now));
    let sub = subject(&cx.rules, client, authorization.user);
    let iss = cx.rules.issuer.to_string();
    let sid = sid(&cx.rules, client, authorization.session).to_string();
    let auth_time = authorization.authentication.at.seconds();
    let person = profile(&cx.rules, live, &scope, &[]);
    let access = AccessClaims {
        sub: sub.clone(),
        jti: jti(Some(live.id()), cx.seed.bytes("jti")),
        scope: scope.clone(),
        sid: Some(sid.clone()),
        auth_time: Some(auth_time),
        acr: Some(PHISHING_RESISTANT.to_owned()),
        amr: authorization.authentication.amr.clone(),
        groups: person.groups.unwrap_or_default(),
        roles: person.roles.unwrap_or_default(),
        aud: audience(&cx.rules, &resources, scope.has("openid")),
        ..client_claims(cx, &authorization.client, &[], lifetime)
    };
    let by_scope = match client.decisions.claims {
        ClaimsPlace::IdToken => &scope,
        ClaimsPlace::Userinfo => &Scope::EMPTY,
    };
    let id_token = scope.has("openid").then(|| {
        let claims = IdClaims {
            iss,
            sub,
            aud: authorization.client.to_string(),
            azp: authorization.client.to_string(),
            exp: (cx.now + lifetimes.id_token).seconds(),
            iat: cx.now.seconds(),
            // OpenID Connect Core §12.2: "its value MUST represent the time of the original
            // authentication - not the time that the new ID token is issued".
            auth_time,
            nonce,
            acr: PHISHING_RESISTANT.to_owned(),
            amr: authorization.authentication.amr.clone(),
            sid,
            at_hash: None,
            profile: profile(&cx.rules, live, by_scope, &authorization.claims.id_token),
        };
        (client.metadata.id_token_signed_response_alg, claims)
    });
    Issued { access, expires_in: lifetime.as_secs(), id_token, refresh_token, scope, typ }
}

/// The response for a grant of an operator: an access token that lasts as long as the grant. It says
/// nothing of a sign-in, since there was none.
pub fn for_operator(cx: &Context, live: &LiveGrant, target: TokenTarget) -> Issued {
    let authorization = live.authorization();
    let TokenTarget { resources, scope, typ } = target;
    let lifetime = live.grant().expires.since(cx.now);
    let person = profile(&cx.rules, live, &scope, &[]);
    let access = AccessClaims {
        sub: subject(&cx.rules, live.client(), authorization.user),
        jti: jti(Some(live.id()), cx.seed.bytes("jti")),
        scope: scope.clone(),
        groups: person.groups.unwrap_or_default(),
        roles: person.roles.unwrap_or_default(),
        aud: audience(&cx.rules, &resources, scope.has("openid")),
        ..client_claims(cx, &authorization.client, &[], lifetime)
    };
    let expires_in = lifetime.as_secs();
    Issued { access, expires_in, id_token: None, refresh_token: None, scope, typ }
}

/// The response for a client itself (RFC 6749 §4.4.3): no refresh token and no grant.
pub fn for_client(cx: &Context, id: &ClientId, target: TokenTarget, lifetime: Duration) -> Issued {
    let TokenTarget { resources, scope, typ } = target;
    let access =
        AccessClaims { scope: scope.clone(), ..client_claims(cx, id, &resources, lifetime) };
    let expires_in = lifetime.as_secs();
    Issued { access, expires_in, id_token: None, refresh_token: None, scope, typ }
}

/// The response for an anonymous session. Its token names the client and no person.
pub fn for_anonymous(
    cx: &Context,
    client: &Client,
    id: SessionId,
    session: &AnonymousSession,
) -> Result<Issued, Refusal> {
    let lifetime = cx.rules.access_token_lifetime(client).min(session.expires.since(cx.now));
    let scope: Scope = SCOPE.parse()?;
    let access = AccessClaims {
        sub: session.sub.to_string(),
        scope: scope.clone(),
        sid: Some(id.to_string()),
        ..client_claims(cx, &session.client, &[], lifetime)
    };
    let expires_in = lifetime.as_secs();
    let typ = TokenType::AtJwt;
    Ok(Issued { access, expires_in, id_token: None, refresh_token: None, scope, typ })
}

/// The `sub` of a person for a client (OpenID Connect Core §8).
pub fn subject(rules: &Rules, client: &Client, user: UserId) -> String {
    match (client.metadata.subject_type, client.sector()) {
        (SubjectType::Pairwise, Some(sector)) => rules.pepper.pairwise(&sector, user.uuid()),
        (SubjectType::Pairwise, None) | (SubjectType::Public, _) => user.to_string(),
    }
}

/// The `sid` by which `client` knows `session`: one of its sector, if its subjects are pairwise, so
/// that two clients cannot recognise a person by their session (OpenID Connect Core §8.1).
pub fn sid(rules: &Rules, client: &Client, session: SessionId) -> SessionId {
    match pairwise_sids(rules, client) {
        Some(key) => Uuid::from_bytes(key.encrypt(*session.uuid().as_bytes())).into(),
        None => session,
    }
}

/// The session that `client` knows by `sid`, the inverse of [`sid`].
pub fn session_of(rules: &Rules, client: &Client, sid: SessionId) -> SessionId {
    match pairwise_sids(rules, client) {
        Some(key) => Uuid::from_bytes(key.decrypt(*sid.uuid().as_bytes())).into(),
        None => sid,
    }
}

fn pairwise_sids(rules: &Rules, client: &Client) -> Option<BlockKey> {
    let sector = client.sector()?;
    Some(BlockKey::new(rules.pepper.pairwise_sids(&sector)))
}

/// The claims of every access token. `sub` is the client (RFC 9068 §5) unless the caller replaces
/// it by a person.
fn client_claims(
    cx: &Context,
    client: &ClientId,
    resources: &[Resource],
    lifetime: Duration,
) -> AccessClaims {
    AccessClaims {
        iss: cx.rules.issuer.to_string(),
        sub: client.to_string(),
        aud: audience(&cx.rules, resources, false),
        exp: (cx.now + lifetime).seconds(),
        iat: cx.now.seconds(),
        nbf: cx.now.seconds(),
        jti: jti(None, cx.seed.bytes("jti")),
        client_id: client.to_string(),
        scope: Scope::default(),
        sid: None,
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        plugin_id: None,
        revocable_until: evidence::revocable_until(cx, lifetime),
    }
}

/// The `aud` of an access token: its resources, or this server. A token with the scope `openid` is
/// for this server, too, since userinfo has to take it (OpenID Connect Core §5.3.1).
fn audience(rules: &Rules, resources: &[Resource], openid: bool) -> Audience {
    let issuer = rules.issuer.to_string();
    let mut named: Vec<String> = resources.iter().map(ToString::to_string).collect();
    if named.is_empty() || openid && !named.contains(&issuer) {
        named.push(issuer);
    }
    named.into()
}

/// The claims that `scope` requests (OpenID Connect Core §5.4), and those requested by name (§5.5)
/// that client and person may have now.
pub fn profile(rules: &Rules, live: &LiveGrant, scope: &Scope, named: &[String]) -> Profile {
    let person = live.person();
    let allowed =
        LazyCell::new(|| rules.config.allowed(&person.roles).intersect(live.client().scope()));
    let includes = |claim: &str, holds: &str| {
        scope.has(holds) || named.iter().any(|name| name == claim) && allowed.has(holds)
    };
    let email = person.email.as_ref();
    let vouching = rules.config.policy.email_verified;
    let others = person.claims.iter().map(|(name, value)| (name.as_str(), value));
    Profile {
        name: includes("name", "profile").then(|| person.display_name.to_string()),
        preferred_username: includes("preferred_username", "profile")
            .then(|| person.username.to_string()),
        updated_at: includes("updated_at", "profile").then(|| person.updated.seconds()),
        email: email.filter(|_| includes("email", "email")).map(|email| email.address.to_string()),
        email_verified: email
            .filter(|_| includes("email_verified", "email"))
            .map(|email| email.is_verified(vouching)),
        groups: includes("groups", "groups").then(|| person.groups_and_roles()),
        roles: includes("roles", "roles")
            .then(|| person.roles.iter().map(ToString::to_string).collect()),
        others: others
            .filter(|(name, _)| includes(name, "profile"))
            .map(|(name, value)| (name.to_owned(), value.to_string().into()))
            .collect(),
    }
}
