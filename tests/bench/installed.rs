//! An installation as the requests over HTTP find it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gatelodge::app::{App, Sources};
use gatelodge::config::Config;
use gatelodge::error::Error;
use gatelodge::flow::client::operator::{self, NewClient};
use gatelodge::flow::token::family;
use gatelodge::flow::{Context, installation};
use gatelodge::oauth::authorize::claims::ClaimsRequest;
use gatelodge::oauth::client::metadata::ClientMetadata;
use gatelodge::oauth::client::{AuthMethod, SigningAlg};
use gatelodge::oauth::id::ClientId;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::secret::{Entropy, RefreshToken, RootSecret};
use gatelodge::store::schema::{Authentication, Authorization, Grant, Person};
use gatelodge::store::{Store, Tx};
use uuid::Uuid;

/// An installation over `store` with what [`furnish`] gives it.
pub(crate) async fn install(
    config: Config,
    issuer: Issuer,
    store: Store,
    grants: u64,
) -> (Arc<App>, String, Vec<String>) {
    let root = RootSecret::generate(&Entropy::System.seed());
    let app = Arc::new(
        App::new(config, issuer, &root.clone().into(), store, Sources::default()).unwrap(),
    );
    app.write(installation::create).await.unwrap();
    let (secret, tokens) = furnish(&app, grants).await;
    (app, secret, tokens)
}

/// Gives an installation its keys, a client for people, one that asks for itself, and `grants` grants to
/// refresh. Gives the secret of the client that asks for itself, and the refresh tokens.
pub(crate) async fn furnish(app: &Arc<App>, grants: u64) -> (String, Vec<String>) {
    app.make_missing_keys().await.unwrap();
    let added = app.write(move |tx, cx| {
        operator::add(tx, cx, &shop())?;
        let (_, _, secret) = operator::add(tx, cx, &robot())?;
        let tokens = (0..grants)
            .map(|n| Ok(grant(tx, cx, n, "shop", "offline_access openid")?.expose().to_string()));
        let tokens = tokens.collect::<Result<_, Error>>()?;
        Ok((secret.unwrap().expose().to_string(), tokens))
    });
    added.await.unwrap()
}

fn robot() -> NewClient {
    let metadata = ClientMetadata {
        client_name: Some("A robot".parse().unwrap()),
        token_endpoint_auth_method: Some(AuthMethod::ClientSecretPost),
        ..ClientMetadata::default()
    };
    let client_id = Some("robot".parse().unwrap());
    NewClient { client_id, metadata, ..NewClient::default() }
}

fn shop() -> NewClient {
    let metadata = ClientMetadata {
        client_name: Some("The shop".parse().unwrap()),
        id_token_signed_response_alg: SigningAlg::Es256,
        redirect_uris: vec!["https://app.example/cb".parse().unwrap()],
        token_endpoint_auth_method: Some(AuthMethod::None),
        ..ClientMetadata::default()
    };
    let client_id = Some("shop".parse().unwrap());
    NewClient { client_id, metadata, ..NewClient::default() }
}

/// Makes a person and a grant of theirs, both with the number `n`.
pub(crate) fn grant(
    tx: &mut Tx<'_>,
    cx: &Context,
    n: u64,
    client: &str,
    scope: &str,
) -> Result<RefreshToken, Error> {
    let (now, later) = (cx.now, cx.now + Duration::from_hours(24));
    let number = Uuid::from_u128(u128::from(n));
    let client: ClientId = client.parse()?;
    let person = Person {
        claims: BTreeMap::new(),
        tokens_valid_after: None,
        created: now,
        disabled: false,
        display_name: "Ada".parse().unwrap(),
        email: None,
        groups: Vec::new(),
        roles: vec!["user".parse().unwrap()],
        signed_out: None,
        updated: now,
        username: format!("ada{n}").parse().unwrap(),
    };
    let family = family::create(cx);
    let grant = Grant {
        by_operator: false,
        authorization: Authorization {
            authentication: Authentication { amr: vec!["hwk".to_owned()], at: now },
            claims: ClaimsRequest::default(),
            client,
            given: now,
            resources: Vec::new(),
            scope: scope.parse()?,
            session: number.into(),
            user: number.into(),
        },
        created: now,
        ended: None,
        expires: later,
        family: Some(family.clone()),
        offline: true,
    };
    let token = family::newest(cx, number.into(), &family);
    tx.put(&number.into(), person)?;
    tx.put(&number.into(), grant)?;
    Ok(token)
}
