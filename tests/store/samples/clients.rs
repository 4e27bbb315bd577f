//! Samples of clients.

use std::collections::BTreeMap;

use gatelodge::clock::Timestamp;
use gatelodge::oauth::client::jwks::JwkSet;
use gatelodge::oauth::client::{
    ApplicationType, AuthMethod, ClientType, PkcePolicy, RefreshPolicy, SigningAlg, SubjectType,
};
use gatelodge::oauth::id::ClientId;
use gatelodge::oauth::scope::Scope;
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{
    Attempts, Client, ClientProof, Links, Origin, Protected, Usage, UsedAssertion,
};

use super::{
    AUTH_METHODS, GRANT_TYPES, PKCE_POLICIES, REFRESH_POLICIES, SIGNING_ALGS, at, hash, id, read,
    scope, shop, text, uris,
};

pub(super) fn clients() -> Vec<(ClientId, Client)> {
    let full = Client {
        access_token_lifetime: Some(300),
        anonymous: true,
        any_secret_method: true,
        application_type: ApplicationType::Web,
        auth_method: AuthMethod::ClientSecretBasic,
        backchannel_logout_session_required: true,
        backchannel_logout_uri: Some(read("https://app.example/logout")),
        client_type: ClientType::Confidential,
        confirmation_waived: true,
        created: at(0),
        default_max_age: Some(60),
        enabled: true,
        first_party: false,
        grant_types: GRANT_TYPES.to_vec(),
        id_token_alg: SigningAlg::Rs256,
        introspect_any: true,
        introspection_alg: Some(SigningAlg::Es256),
        jwks: Some(jwks()),
        jwks_uri: Some(read("https://app.example/jwks.json")),
        links: Links {
            client_uri: Some(read("https://app.example/")),
            contacts: vec![text("ops@app.example")],
            logo_uri: Some(read("https://app.example/logo.svg")),
            policy_uri: Some(read("https://app.example/policy")),
            software_id: Some(text("4NRB1-0XZABZI9E6-5SM3R")),
            software_version: Some(text("2.1")),
            tos_uri: Some(read("https://app.example/terms")),
        },
        name: read("The Shop"),
        origin: Origin::Operator,
        pkce: PkcePolicy::Required,
        post_logout_redirect_uris: uris(),
        redirect_uris: uris(),
        refresh: RefreshPolicy::Grace,
        require_pushed_authorization_requests: true,
        resources: vec![read("https://api.example")],
        revision: 300,
        scope: scope(),
        scope_decided: true,
        secret: Some(ClientProof::Made(hash(3))),
        sector: Some(text("app.example")),
        sector_identifier_uri: Some(read("https://app.example/sector.json")),
        software_statement: Some(text("e30.e30.AAAA")),
        subject_type: SubjectType::Pairwise,
        userinfo_alg: Some(SigningAlg::EdDsa),
    };
    let mut rows = vec![(shop(), full.clone())];
    for auth_method in AUTH_METHODS {
        rows.push((read(auth_method.as_str()), Client { auth_method, ..full.clone() }));
    }
    for id_token_alg in SIGNING_ALGS {
        rows.push((read(id_token_alg.as_str()), Client { id_token_alg, ..full.clone() }));
    }
    for refresh in REFRESH_POLICIES {
        rows.push((read(refresh.as_str()), Client { refresh, ..full.clone() }));
    }
    for pkce in PKCE_POLICIES {
        rows.push((read(pkce.as_str()), Client { pkce, ..full.clone() }));
    }
    let chosen = ClientProof::Chosen(text("$argon2id$v=19$m=19456,t=2,p=1$AA$AA"));
    rows.push((read("chosen"), Client { secret: Some(chosen), ..full.clone() }));
    for (name, origin) in [
        ("document", Origin::Document { stale: Some(at(1)), unused: Some(at(2)) }),
        ("imported", Origin::Document { stale: None, unused: None }),
        ("hook", Origin::Hook { owner: id(5) }),
        ("dynamic", Origin::Dynamic { fingerprint: hash(4), registration: hash(5), unused: at(3) }),
    ] {
        rows.push((read(name), Client { origin, ..full.clone() }));
    }
    let least = Client {
        access_token_lifetime: None,
        anonymous: false,
        any_secret_method: false,
        application_type: ApplicationType::Native,
        backchannel_logout_session_required: false,
        backchannel_logout_uri: None,
        client_type: ClientType::Public,
        confirmation_waived: false,
        default_max_age: None,
        introspect_any: false,
        introspection_alg: None,
        jwks: None,
        jwks_uri: None,
        links: Links::default(),
        require_pushed_authorization_requests: false,
        resources: vec![],
        sector: None,
        sector_identifier_uri: None,
        software_statement: None,
        subject_type: SubjectType::Public,
        userinfo_alg: None,
        enabled: false,
        first_party: true,
        grant_types: vec![],
        post_logout_redirect_uris: vec![],
        redirect_uris: vec![],
        scope: Scope::default(),
        scope_decided: false,
        secret: None,
        ..full
    };
    rows.push((read("least"), least));
    rows
}

fn jwks() -> JwkSet {
    let set = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    JwkSet::parse(set).unwrap()
}

pub(super) fn resources() -> Vec<(String, Protected)> {
    let full = Protected {
        created: at(1),
        name: read("Orders"),
        resource: read("https://API.example"),
        scope: scope(),
        server: Some(shop()),
        open: true,
    };
    let least = Protected { server: None, open: false, scope: Scope::default(), ..full.clone() };
    vec![(text("https://api.example/"), full), (text("https://api.example/least"), least)]
}

pub(super) fn attempts() -> Vec<(TokenHash, Attempts)> {
    vec![(hash(11), Attempts { count: 12, last: at(1) })]
}

pub(super) fn used_assertions() -> Vec<(TokenHash, UsedAssertion)> {
    vec![(hash(12), UsedAssertion { expires: at(600) })]
}

pub(super) fn usage() -> Vec<((ClientId, Timestamp), Usage)> {
    let counts = |names: &[(&str, u64)]| {
        names.iter().map(|(name, count)| (text(name), *count)).collect::<BTreeMap<_, _>>()
    };
    let full = Usage {
        issued: counts(&[("authorization_code", 1), ("refresh_token", 300)]),
        others: 2,
        refused: counts(&[("RefreshReplayed", 1), ("other", u64::MAX)]),
    };
    vec![((shop(), at(0)), full), ((shop(), at(3600)), Usage::default())]
}
