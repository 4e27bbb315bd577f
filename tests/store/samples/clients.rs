//! Samples of clients.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatelodge::clock::Timestamp;
use gatelodge::model::look::picture::PictureKind;
use gatelodge::oauth::client::decisions::OperatorDecisions;
use gatelodge::oauth::client::jwks::JwkSet;
use gatelodge::oauth::client::metadata::ClientMetadata;
use gatelodge::oauth::client::{
    ApplicationType, AssertionProfile, AuthMethod, ClaimsPlace, PkcePolicy, RefreshPolicy,
    SigningAlg, SubjectType,
};
use gatelodge::oauth::id::ClientId;
use gatelodge::oauth::resource::TokenType;
use gatelodge::oauth::scope::Scope;
use gatelodge::secret::TokenHash;
use gatelodge::store::Pool;
use gatelodge::store::schema::{
    Attempts, Client, ClientLogo, ClientProof, FetchedDocument, Origin, Protected, RefusedRequests,
    Taken, Usage, UsedAssertion,
};

use super::{
    ASSERTION_PROFILES, AUTH_METHODS, CLAIMS_PLACES, GRANT_TYPES, PKCE_POLICIES, REFRESH_POLICIES,
    SIGNING_ALGS, at, hash, holding, id, persons, read, scope, shop, text, uris,
};

pub(super) fn clients() -> Vec<(ClientId, Client)> {
    let (decisions, metadata) = (decisions(), metadata());
    let full = Client {
        created: at(0),
        decisions: decisions.clone().into(),
        enabled: true,
        metadata: metadata.clone().into(),
        origin: Origin::Operator,
        owner: Some(id(5)),
        proof: Some(ClientProof::Made(hash(3))),
        revision: 300,
    };
    let stating = |metadata: ClientMetadata| Client { metadata: metadata.into(), ..full.clone() };
    let deciding =
        |decisions: OperatorDecisions| Client { decisions: decisions.into(), ..full.clone() };
    let mut rows = vec![(shop(), full.clone())];
    for method in AUTH_METHODS {
        let token_endpoint_auth_method = Some(method);
        let metadata = ClientMetadata { token_endpoint_auth_method, ..metadata.clone() };
        rows.push((read(method.as_str()), stating(metadata)));
    }
    for id_token_signed_response_alg in SIGNING_ALGS {
        let metadata = ClientMetadata { id_token_signed_response_alg, ..metadata.clone() };
        rows.push((read(id_token_signed_response_alg.as_str()), stating(metadata)));
    }
    for refresh in REFRESH_POLICIES {
        let decisions = OperatorDecisions { refresh, ..decisions.clone() };
        rows.push((read(refresh.as_str()), deciding(decisions)));
    }
    for assertions in ASSERTION_PROFILES {
        let decisions = OperatorDecisions { assertions, ..decisions.clone() };
        rows.push((read(assertions.as_str()), deciding(decisions)));
    }
    for claims in CLAIMS_PLACES {
        let decisions = OperatorDecisions { claims, ..decisions.clone() };
        rows.push((read(claims.as_str()), deciding(decisions)));
    }
    for pkce in PKCE_POLICIES {
        let decisions = OperatorDecisions { pkce: Some(pkce), ..decisions.clone() };
        rows.push((read(pkce.as_str()), deciding(decisions)));
    }
    let chosen = ClientProof::Chosen(text("$argon2id$v=19$m=19456,t=2,p=1$AA$AA"));
    rows.push((read("chosen"), Client { proof: Some(chosen), ..full.clone() }));
    rows.push((read("devices"), Client { proof: Some(ClientProof::Devices), ..full.clone() }));
    let fetched = FetchedDocument { holding: holding(), stale: at(1), unused: at(2) };
    let dynamic = Origin::Dynamic {
        fingerprint: hash(4),
        holding: persons(),
        registration: hash(5),
        unused: at(3),
    };
    for (name, origin) in [
        ("document", Origin::Document { fetched: Some(fetched) }),
        ("imported", Origin::Document { fetched: None }),
        ("hook", Origin::Hook),
        ("dynamic", dynamic),
    ] {
        rows.push((read(name), Client { origin, ..full.clone() }));
    }
    let least = Client {
        decisions: Arc::default(),
        enabled: false,
        metadata: Arc::default(),
        owner: None,
        proof: None,
        ..full
    };
    rows.push((read("least"), least));
    rows
}

fn decisions() -> OperatorDecisions {
    OperatorDecisions {
        access_token_lifetime: Some(300),
        anonymous: true,
        assertions: AssertionProfile::Rfc10070,
        claims: ClaimsPlace::IdToken,
        confirmation_waived: true,
        first_party: true,
        groups: vec!["staff".parse().unwrap()],
        introspect_any: true,
        pkce: Some(PkcePolicy::Required),
        refresh: RefreshPolicy::Grace,
        resources: vec![read("https://api.example")],
        scope: Some(scope()),
        sector: Some(read("app.example")),
    }
}

fn metadata() -> ClientMetadata {
    ClientMetadata {
        application_type: ApplicationType::Native,
        backchannel_logout_session_required: true,
        backchannel_logout_uri: Some(read("https://app.example/logout")),
        client_name: Some(read("The Shop")),
        client_uri: Some(read("https://app.example/")),
        contacts: Some(vec![read("ops@app.example")]),
        default_max_age: Some(60),
        grant_types: Some(GRANT_TYPES.to_vec()),
        id_token_signed_response_alg: SigningAlg::Rs256,
        initiate_login_uri: None,
        introspection_signed_response_alg: Some(SigningAlg::Es256),
        jwks: Some(jwks()),
        jwks_uri: Some(read("https://app.example/jwks.json")),
        logo_uri: Some(read("https://app.example/logo.svg")),
        policy_uri: Some(read("https://app.example/policy")),
        post_logout_redirect_uris: uris(),
        redirect_uris: uris(),
        require_pushed_authorization_requests: true,
        scope: Some(scope()),
        sector_identifier_uri: Some(read("https://app.example/sector.json")),
        software_id: Some(read("4NRB1-0XZABZI9E6-5SM3R")),
        software_statement: Some(text("e30.e30.AAAA")),
        software_version: Some(read("2.1")),
        subject_type: SubjectType::Pairwise,
        token_endpoint_auth_method: Some(AuthMethod::ClientSecretBasic),
        tos_uri: Some(read("https://app.example/terms")),
        userinfo_signed_response_alg: Some(SigningAlg::EdDsa),
    }
}

fn jwks() -> JwkSet {
    let set = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    JwkSet::parse(set).unwrap()
}

pub(super) fn resources() -> Vec<(String, Protected)> {
    let full = Protected {
        accepts_bridge: true,
        created: at(1),
        name: read("Orders"),
        resource: read("https://API.example"),
        scope: scope(),
        server: Some(shop()),
        open: true,
        typ: TokenType::Jwt,
    };
    let least = Protected {
        accepts_bridge: false,
        server: None,
        open: false,
        scope: Scope::default(),
        typ: TokenType::AtJwt,
        ..full.clone()
    };
    vec![(text("https://api.example/"), full), (text("https://api.example/least"), least)]
}

pub(super) fn attempts() -> Vec<(TokenHash, Attempts)> {
    vec![(hash(11), Attempts { count: 12, holding: holding(), last: at(1) })]
}

/// Every kind, although none is SVG: the words are positional.
pub(super) fn logos() -> Vec<(ClientId, ClientLogo)> {
    let kinds = [PictureKind::Jpeg, PictureKind::Png, PictureKind::Svg, PictureKind::WebP];
    let row = |(kind, client): (PictureKind, AuthMethod)| {
        let content = (0..=255).collect();
        let logo = ClientLogo { content, kind, version: "0123456789abcdef".to_owned() };
        (read(client.as_str()), logo)
    };
    kinds.into_iter().zip(AUTH_METHODS).map(row).collect()
}

pub(super) fn used_assertions() -> Vec<((ClientId, TokenHash), UsedAssertion)> {
    let (of_strangers, own) = (Some(holding()), None);
    let row = |holding| UsedAssertion { expires: at(600), holding };
    vec![((shop(), hash(12)), row(own)), ((shop(), hash(13)), row(of_strangers))]
}

pub(super) fn usage() -> Vec<((ClientId, Timestamp), Usage)> {
    let counts = |names: &[(&str, u64)]| {
        names.iter().map(|(name, count)| (text(name), *count)).collect::<BTreeMap<_, _>>()
    };
    let refused = |count, reason: &str| RefusedRequests {
        count,
        last: at(count % 3600),
        reason: reason.to_owned(),
    };
    let full = Usage {
        issued: counts(&[("authorization_code", 1), ("refresh_token", 300)]),
        others: 2,
        refused: [("RefreshReplayed", refused(1, "used")), ("other", refused(u64::MAX, ""))]
            .map(|(name, refused)| (name.to_owned(), refused))
            .into(),
        withheld: 200,
    };
    vec![((shop(), at(0)), full), ((shop(), at(3600)), Usage::default())]
}

pub(super) fn taken() -> Vec<(Pool, Taken)> {
    Pool::ALL.into_iter().zip(1..).map(|(pool, rows)| (pool, Taken { last: at(1), rows })).collect()
}
