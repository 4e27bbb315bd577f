//! Samples of clients.

use gatelodge::oauth::client::{AuthMethod, ClientType, PkcePolicy, RefreshPolicy, SigningAlg};
use gatelodge::oauth::id::ClientId;
use gatelodge::oauth::scope::Scope;
use gatelodge::store::schema::{Client, ClientProof};

use super::{
    AUTH_METHODS, GRANT_TYPES, PKCE_POLICIES, REFRESH_POLICIES, SIGNING_ALGS, at, hash, read,
    scope, shop, uris,
};

pub(super) fn clients() -> Vec<(ClientId, Client)> {
    let full = Client {
        auth_method: AuthMethod::ClientSecretBasic,
        client_type: ClientType::Confidential,
        created: at(0),
        enabled: true,
        first_party: false,
        grant_types: GRANT_TYPES.to_vec(),
        id_token_alg: SigningAlg::Rs256,
        name: read("The Shop"),
        pkce: PkcePolicy::Required,
        post_logout_redirect_uris: uris(),
        redirect_uris: uris(),
        refresh: RefreshPolicy::Grace,
        revision: 300,
        scope: scope(),
        secret: Some(ClientProof::Made(hash(3))),
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
    let least = Client {
        client_type: ClientType::Public,
        enabled: false,
        first_party: true,
        grant_types: vec![],
        post_logout_redirect_uris: vec![],
        redirect_uris: vec![],
        scope: Scope::default(),
        secret: None,
        ..full
    };
    rows.push((read("least"), least));
    rows
}
