//! An installation as the requests over HTTP find it.

use std::sync::Arc;
use std::time::Duration;

use gatelodge::app::{App, Sources};
use gatelodge::config::Config;
use gatelodge::error::Error;
use gatelodge::flow::client::operator::{self, NewClient};
use gatelodge::flow::{Context, installation};
use gatelodge::oauth::authorize::claims::ClaimsRequest;
use gatelodge::oauth::client::metadata::ClientMetadata;
use gatelodge::oauth::client::{AuthMethod, SigningAlg};
use gatelodge::oauth::id::ClientId;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::secret::{Entropy, RefreshToken, RootSecret};
use gatelodge::store::schema::{Authentication, Authorization, Grant, Person, Refresh};
use gatelodge::store::{Store, Tx};
use uuid::Uuid;

/// The refresh token that the `n`th caller begins with.
pub(crate) fn token(n: u64) -> RefreshToken {
    Entropy::seeded(n).seed().token()
}

/// An installation with its keys, a client that asks for itself, and for each caller a grant to
/// refresh. Gives the client's secret too.
pub(crate) async fn install(
    config: Config,
    issuer: Issuer,
    store: Store,
    grants: u64,
) -> (Arc<App>, String) {
    let root = RootSecret::generate(&Entropy::System.seed());
    let app = Arc::new(App::new(config, issuer, &root, store, Sources::default()).unwrap());
    app.write(installation::create).await.unwrap();
    app.make_missing_keys().await.unwrap();
    let added = app.write(move |tx, cx| {
        operator::add(tx, cx, &shop())?;
        let (_, _, secret) = operator::add(tx, cx, &robot())?;
        for n in 0..grants {
            grant(tx, cx, n)?;
        }
        Ok(secret.unwrap().expose().to_string())
    });
    let secret = added.await.unwrap();
    (app, secret)
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

fn grant(tx: &mut Tx<'_>, cx: &Context, n: u64) -> Result<(), Error> {
    let (now, later) = (cx.now, cx.now + Duration::from_hours(24));
    let number = Uuid::from_u128(u128::from(n));
    let client: ClientId = "shop".parse().unwrap();
    let person = Person {
        tokens_valid_after: None,
        created: now,
        disabled: false,
        display_name: "Ada".parse().unwrap(),
        email: None,
        roles: vec!["user".parse().unwrap()],
        updated: now,
        username: format!("ada{n}").parse().unwrap(),
    };
    let grant = Grant {
        authorization: Authorization {
            authentication: Authentication { amr: vec!["hwk".to_owned()], at: now },
            claims: ClaimsRequest::default(),
            client: client.clone(),
            given: now,
            resources: Vec::new(),
            scope: "offline_access openid".parse().unwrap(),
            session: number.into(),
            user: number.into(),
        },
        created: now,
        ended: None,
        expires: later,
        offline: true,
    };
    let refresh = Refresh {
        client,
        expires: later,
        grant: number.into(),
        retained_until: later,
        spent: None,
    };
    tx.put(&number.into(), person)?;
    tx.put(&number.into(), grant)?;
    tx.put(&cx.rules.pepper.hash(&token(n)), refresh)?;
    Ok(())
}
