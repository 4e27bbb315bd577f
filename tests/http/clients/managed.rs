//! What a client may do with its registration (RFC 7592).

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::client::registration;
use gatelodge::http::Peer;
use gatelodge::oauth::client::RegistrationPolicy;
use gatelodge::oauth::client::metadata::ClientMetadata;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::registration::{manage, native};
use crate::support::{RelyingParty, Server, Site, decoded, posted, register};

/// What only the server says of a client (RFC 7592 §2.2).
const SERVERS: [&str; 4] = [
    "client_id_issued_at",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
];

/// The metadata of a client, as the client sends it back.
fn sent_back(client: &Value) -> Value {
    let mut update = client.clone();
    update.as_object_mut().unwrap().retain(|name, _| !SERVERS.contains(&name.as_str()));
    update
}

/// The metadata of a client, without what changes each time.
fn lasting(client: &Value) -> Value {
    let mut lasting = client.clone();
    lasting["registration_access_token"].take();
    lasting
}

#[tokio::test]
async fn a_client_that_sends_back_what_it_reads_changes_nothing() {
    let site = Site::new().await;
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.fetch.private = vec![site.listed()];
    })
    .await;
    let mut ada = server.first_administrator().await;
    site.serve(&json!(["https://a.example/cb", "https://b.example/cb"]), "");
    let stated = json!({
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
        "subject_type": "pairwise",
        "sector_identifier_uri": site.url("/uris.json"),
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let registered = register(&server, stated).await.json();
    let client = RelyingParty::new(&server, &registered);
    let before = client.tokens(&mut ada).await;

    let read = manage(&server, Method::GET, &registered, None).await.json();
    let updated = manage(&server, Method::PUT, &registered, Some(sent_back(&read))).await.json();

    assert_eq!(read["sector_identifier_uri"], site.url("/uris.json"));
    assert_eq!(lasting(&updated), lasting(&read));
    let by_basic = client.refresh(before.refresh()).await.tokens();
    assert_eq!(decoded(&by_basic.access).1["sub"], decoded(&before.access).1["sub"]);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", by_basic.refresh()),
        ("client_id", &client.id),
        ("client_secret", client.secret.as_deref().unwrap()),
    ];
    posted(&server, "/oauth/token", None, &form).await.tokens();
}

/// RFC 7592 §2.2
#[tokio::test]
async fn an_update_names_its_own_secret_and_nothing_that_is_the_servers_to_say() {
    let server = Server::new().await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"] });
    let registered = register(&server, stated).await.json();
    let with = |name: &str, value: Value| {
        let mut update = sent_back(&registered);
        update[name] = value;
        update
    };

    for wrong in SERVERS
        .map(|name| with(name, registered[name].clone()))
        .into_iter()
        .chain([with("client_secret", "gl_cs_x".into()), with("client_secret", 1.into())])
    {
        let response = manage(&server, Method::PUT, &registered, Some(wrong)).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::ClientUpdateMismatched);
    }
    let mut nothing = with("client_secret", Value::Null);
    nothing["registration_client_uri"] = Value::Null;
    assert_eq!(manage(&server, Method::PUT, &registered, Some(nothing)).await.status, 200);
}

#[tokio::test]
async fn an_update_leaves_the_secret_as_it_is() {
    let (server, mut ada) = Server::with_ada().await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"] });
    let registered = register(&server, stated).await.json();
    let mut update = sent_back(&registered);
    update["client_name"] = "Another".into();

    let updated = manage(&server, Method::PUT, &registered, Some(update)).await.json();

    assert_eq!(updated["client_name"], "Another");
    RelyingParty::new(&server, &registered).tokens(&mut ada).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_updates_with_one_token_one_succeeds() {
    let server = Server::new().await;
    let registered = register(&server, native()).await.json();
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let (server, registered) = (server.clone(), registered.clone());
        tasks.spawn(async move {
            let update = sent_back(&registered);
            manage(&server, Method::PUT, &registered, Some(update)).await
        });
    }

    let responses = tasks.join_all().await;

    let (won, lost): (Vec<_>, Vec<_>) =
        responses.iter().partition(|response| response.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 31));
    for response in lost {
        response.refused(ErrorCode::InvalidToken, Refusal::RegistrationAccessTokenWrong);
    }
    assert_eq!(manage(&server, Method::GET, &won[0].json(), None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_an_update_and_a_removal_at_once_one_succeeds() {
    let server = Server::new().await;
    for _ in 0..16 {
        let registered = register(&server, native()).await.json();
        let update = manage(&server, Method::PUT, &registered, Some(sent_back(&registered)));
        let remove = manage(&server, Method::DELETE, &registered, None);

        let (updated, removed) = tokio::join!(update, remove);

        match (updated.status.as_u16(), removed.status.as_u16()) {
            (200, 401) => {
                let read = manage(&server, Method::GET, &updated.json(), None).await;
                assert_eq!(read.status, 200);
            }
            (401, 204) => {}
            both => panic!("{both:?}"),
        }
    }
}

/// RFC 7592 §2.3
#[tokio::test]
async fn with_a_client_its_access_tokens_go() {
    let (server, mut ada) = Server::with_ada().await;
    let registered = register(&server, native()).await.json();
    let client = RelyingParty::new(&server, &registered);
    let tokens = client.tokens(&mut ada).await;

    assert_eq!(manage(&server, Method::DELETE, &registered, None).await.status, 204);

    let refused = client.userinfo(&tokens.access).await;
    refused.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
}

#[tokio::test]
async fn where_nobody_may_register_those_that_did_manage_themselves() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.registration.policy = Some(RegistrationPolicy::Off);
    })
    .await;
    let metadata = ClientMetadata::from_value(&native(), &[]).unwrap();
    let from = [192, 0, 2, 1].into();
    let registered =
        server.app.write(move |tx, cx| registration::register(tx, cx, &metadata, from)).await;
    let registered = registered.ok().unwrap();
    let uri = format!("{}/oauth/register/{}", server.issuer(), registered.id);
    let client = json!({
        "client_id": registered.id.as_str(),
        "registration_access_token": *registered.token.expose(),
        "registration_client_uri": uri,
    });
    let mut update = native();
    update["client_id"] = client["client_id"].clone();

    let updated = manage(&server, Method::PUT, &client, Some(update)).await;
    let removed = manage(&server, Method::DELETE, &updated.json(), None).await;

    assert_eq!((updated.status.as_u16(), removed.status.as_u16()), (200, 204));
}

#[tokio::test]
async fn the_initial_access_token_cannot_be_guessed_at_will() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.registration.policy = Some(RegistrationPolicy::Token);
        config.registration.token = Some(Zeroizing::new("let-me-in".to_owned()));
    })
    .await;
    let guess = async |address: &str, token: &str| {
        let request = Request::post("/oauth/register")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let mut request = request.body(Body::from(native().to_string())).unwrap();
        request.extensions_mut().insert(Peer(address.parse().unwrap()));
        server.send(request).await
    };
    assert_eq!(guess("192.0.2.2", "let-me-in").await.status, 201);

    for address in ["192.0.2.1", "192.0.2.2", "127.0.0.1"] {
        for _ in 0..60 {
            let wrong = guess(address, "guessed").await;
            wrong.refused(ErrorCode::InvalidToken, Refusal::InitialAccessTokenWrong);
        }
    }
    let beyond = guess("192.0.2.1", "let-me-in").await;
    let proven_before = guess("192.0.2.2", "let-me-in").await;
    let elsewhere = guess("192.0.2.3", "let-me-in").await;
    let local = guess("127.0.0.1", "let-me-in").await;
    server.advance(std::time::Duration::from_mins(1));
    let later = guess("192.0.2.1", "let-me-in").await;

    beyond.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(beyond.header("retry-after"), "1");
    for response in [proven_before, elsewhere, local, later] {
        assert_eq!(response.status, 201);
    }
}

#[tokio::test]
async fn a_registration_has_at_most_64_kib() {
    let server = Server::new().await;
    let padded = |length: usize| {
        let mut stated = native();
        stated["padding"] = "".into();
        stated["padding"] = "x".repeat(length - stated.to_string().len()).into();
        stated
    };

    let largest = register(&server, padded(64 * 1024)).await;
    let larger = register(&server, padded(64 * 1024 + 1)).await;

    assert_eq!(largest.status, 201, "{}", largest.text());
    larger.refused(ErrorCode::PayloadTooLarge, Refusal::BodyTooLarge);
}

/// OpenID Connect Registration §2
#[tokio::test]
async fn an_initiate_login_uri_is_returned_until_an_update_omits_it() {
    let server = Server::new().await;
    let uri = "https://client.example.org/login";
    let mut metadata = native();
    metadata["initiate_login_uri"] = uri.into();

    let registered = register(&server, metadata.clone()).await.json();
    let read = manage(&server, Method::GET, &registered, None).await.json();
    let path = format!("/clients/{}", registered["client_id"].as_str().unwrap());
    let viewed = server.operate(Method::GET, &path, json!({})).await.json();
    let mut update = native();
    update["client_id"] = registered["client_id"].clone();
    let updated = manage(&server, Method::PUT, &registered, Some(update)).await.json();
    metadata["initiate_login_uri"] = "http://client.example.org/login".into();
    let plain = register(&server, metadata).await;

    assert_eq!(registered["initiate_login_uri"], uri);
    assert_eq!(read["initiate_login_uri"], uri);
    assert_eq!(viewed["initiate_login_uri"], uri);
    assert!(updated.get("initiate_login_uri").is_none());
    plain.refused(
        ErrorCode::InvalidClientMetadata,
        Refusal::ClientMetadataMalformed("member", "why"),
    );
    let sentence = plain.json()["error_description"].as_str().unwrap().to_owned();
    assert!(sentence.starts_with("initiate_login_uri "), "{sentence}");
}
