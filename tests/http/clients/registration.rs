//! Clients that register themselves: RFC 7591, and RFC 7592 for what comes after.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::http::Peer;
use gatelodge::oauth::client::RegistrationPolicy;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::View;
use gatelodge::store::schema::Grant;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::{RelyingParty, Response, Server, Signer, Site, basic, register, token};

/// What a program on the person's machine registers.
pub(super) fn native() -> Value {
    json!({
        "client_name": "Agent",
        "redirect_uris": ["http://127.0.0.1:40001/callback"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    })
}

/// A request about one registration, with its token.
pub(super) async fn manage(
    server: &Server,
    method: Method,
    of: &Value,
    body: Option<Value>,
) -> Response {
    let path = of["registration_client_uri"].as_str().unwrap();
    let path = path.strip_prefix(server.issuer()).unwrap();
    let bearer = format!("Bearer {}", of["registration_access_token"].as_str().unwrap());
    let request = Request::builder().method(method).uri(path).header("authorization", bearer);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
    server.send(request.body(body).unwrap()).await
}

/// RFC 7591 §3.1, §3.2.1
#[tokio::test]
async fn the_specifications_example_is_answered_with_everything_that_was_registered() {
    let server = Server::new().await;

    let response = register(
        &server,
        json!({
            "redirect_uris": [
                "https://client.example.org/callback",
                "https://client.example.org/callback2"
            ],
            "client_name": "My Example Client",
            "client_name#ja-Jpan-JP": "クライアント名",
            "token_endpoint_auth_method": "client_secret_basic",
            "logo_uri": "https://client.example.org/logo.png",
            "jwks_uri": "https://client.example.org/my_public_keys.jwks",
            "example_extension_parameter": "example_value"
        }),
    )
    .await;

    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(response.header("access-control-allow-origin"), "*");
    let client = response.json();
    for drawn in ["client_id", "client_secret", "registration_access_token"] {
        assert!(client[drawn].as_str().unwrap().starts_with("gl_"), "{drawn}");
    }
    let own =
        format!("{}/oauth/register/{}", server.issuer(), client["client_id"].as_str().unwrap());
    assert_eq!(client["registration_client_uri"], own);
    assert_eq!(client["client_id_issued_at"], 1_767_225_600);
    assert_eq!(client["client_secret_expires_at"], 0);
    assert_eq!(client["client_name"], "My Example Client");
    assert_eq!(client["grant_types"], json!(["authorization_code"]));
    assert_eq!(client["response_types"], json!(["code"]));
    assert_eq!(client["scope"], "email offline_access openid profile");
    assert_eq!(client["redirect_uris"].as_array().unwrap().len(), 2);
    assert_eq!(client["jwks_uri"], "https://client.example.org/my_public_keys.jwks");
    assert_eq!(client["example_extension_parameter"], Value::Null);
}

#[tokio::test]
async fn a_program_registers_and_a_person_signs_in_to_it() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = register(&server, native()).await.json();
    let mut client = RelyingParty::new(&server, &registration);
    client.redirect_uri = "http://127.0.0.1:52345/callback".to_owned();

    let tokens = client.tokens(&mut ada).await;

    assert_eq!(registration["client_secret"], Value::Null);
    assert_eq!(tokens.scope, "offline_access openid");
    client.refresh(tokens.refresh()).await.tokens();
}

#[tokio::test]
async fn a_client_that_named_no_method_proves_itself_by_either() {
    let (server, mut ada) = Server::with_ada().await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"] });
    let client = RelyingParty::new(&server, &register(&server, stated).await.json());
    let secret = client.secret.clone().unwrap();

    let by_basic = client.tokens(&mut ada).await;
    let code = client.code(&mut ada).await;
    let mut fields = client.redemption(&code);
    fields.extend([("client_id", client.id.as_str()), ("client_secret", &secret)]);
    let by_post = token(&server, None, &fields).await;

    assert!(by_basic.refresh.is_none());
    assert_eq!(by_post.status, 200, "{}", by_post.text());
    let wrong = token(&server, Some(&basic(&client.id, "wrong")), &fields[..4]).await;
    wrong.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
}

#[tokio::test]
async fn what_is_kept_is_what_is_told() {
    let server = Server::new().await;
    let stated = json!({
        "redirect_uris": [
            "mine://cb", "cursor://anysphere.cursor/cb", "http://localhost/cb", "https://a.example/cb",
        ],
        "grant_types": ["authorization_code", "implicit", "client_credentials", "refresh_token"],
        "scope": "openid admin hook:deploy unheard-of",
        "tos_uri": "javascript:alert(1)",
    });

    let client = register(&server, stated).await.json();

    let stored = ["cursor://anysphere.cursor/cb", "http://localhost/cb", "https://a.example/cb"];
    assert_eq!(client["redirect_uris"], json!(stored));
    assert_eq!(client["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(client["scope"], "offline_access openid");
    assert_eq!(client["client_name"], "cursor:");
    assert_eq!(client["tos_uri"], Value::Null);
}

/// RFC 7592 §2.1
#[tokio::test]
async fn a_client_reads_its_registration() {
    let server = Server::new().await;
    let registered = register(&server, native()).await.json();

    let read = manage(&server, Method::GET, &registered, None).await;

    assert_eq!((read.status.as_u16(), read.json()), (200, registered));
}

/// RFC 7592 §2.2
#[tokio::test]
async fn an_update_replaces_the_whole_and_turns_the_token_over() {
    let server = Server::new().await;
    let stated = json!({ "redirect_uris": ["https://a.example/cb"], "client_name": "A" });
    let registered = register(&server, stated).await.json();
    let update = json!({
        "client_id": registered["client_id"],
        "client_secret": registered["client_secret"],
        "redirect_uris": ["https://b.example/cb"],
    });

    let updated = manage(&server, Method::PUT, &registered, Some(update.clone())).await;

    assert_eq!(updated.status, 200, "{}", updated.text());
    let updated = updated.json();
    assert_eq!(updated["redirect_uris"], json!(["https://b.example/cb"]));
    assert_eq!(updated["client_name"], "b.example");
    assert_eq!(updated["client_secret"], Value::Null);
    let before = manage(&server, Method::GET, &registered, None).await;
    before.refused(ErrorCode::InvalidToken, Refusal::RegistrationAccessTokenWrong);
    assert!(before.header("www-authenticate").starts_with("Bearer "));
    assert_eq!(manage(&server, Method::GET, &updated, None).await.json(), updated);

    let mut public = update;
    public["token_endpoint_auth_method"] = "none".into();
    let public = manage(&server, Method::PUT, &updated, Some(public)).await.json();
    let back =
        json!({ "client_id": public["client_id"], "redirect_uris": ["https://b.example/cb"] });
    let back = manage(&server, Method::PUT, &public, Some(back)).await.json();
    assert!(back["client_secret"].is_string());
    assert_ne!(back["client_secret"], registered["client_secret"]);
}

/// RFC 7592 §2.3
#[tokio::test]
async fn a_client_removes_itself_and_what_it_holds() {
    let (server, mut ada) = Server::with_ada().await;
    let registered = register(&server, native()).await.json();
    let client = RelyingParty::new(&server, &registered);
    let tokens = client.tokens(&mut ada).await;

    let removed = manage(&server, Method::DELETE, &registered, None).await;

    assert_eq!((removed.status.as_u16(), removed.text()), (204, ""));
    let refreshed = client.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    let again = manage(&server, Method::GET, &registered, None).await;
    again.refused(ErrorCode::InvalidToken, Refusal::RegistrationAccessTokenWrong);
}

#[tokio::test]
async fn a_client_that_somebody_else_registered_cannot_be_managed() {
    let server = Server::new().await;
    let mine = register(&server, native()).await.json();
    let mut theirs = register(&server, native()).await.json();
    theirs["registration_access_token"] = mine["registration_access_token"].clone();

    let read = manage(&server, Method::GET, &theirs, None).await;

    read.refused(ErrorCode::InvalidToken, Refusal::RegistrationAccessTokenWrong);
}

#[tokio::test]
async fn the_endpoint_is_listed_where_it_is_open() {
    let remote = || "https://id.example".parse::<Issuer>().unwrap();
    let listed = async |server: &Server| {
        server.get("/.well-known/oauth-authorization-server").await.json()["registration_endpoint"]
            .clone()
    };

    let local = Server::new().await;
    let closed = Server::with(remote(), |_| {}).await;
    let token = Server::with(remote(), |config| {
        config.registration.policy = Some(RegistrationPolicy::Token);
        config.registration.token = Some(Zeroizing::new("let-me-in".to_owned()));
    })
    .await;

    assert_eq!(listed(&local).await, "http://localhost:7455/oauth/register");
    assert_eq!(listed(&closed).await, Value::Null);
    register(&closed, native()).await.refused(ErrorCode::AccessDenied, Refusal::RegistrationOff);
    assert_eq!(listed(&token).await, "https://id.example/oauth/register");
    let unproven = register(&token, native()).await;
    unproven.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
    let request = Request::post("/oauth/register")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, "Bearer let-me-in");
    let proven = token.send(request.body(Body::from(native().to_string())).unwrap()).await;
    assert_eq!(proven.status, 201, "{}", proven.text());
}

#[tokio::test]
async fn a_program_that_registers_at_each_start_leaves_one_client_behind() {
    let server = Server::new().await;
    let clients = async || {
        let listed = server.operate(Method::GET, "/clients", json!({})).await.json();
        listed["clients"].as_array().unwrap().len()
    };
    let at = |port: u16| {
        let mut stated = native();
        stated["redirect_uris"] = json!([format!("http://127.0.0.1:{port}/callback")]);
        stated
    };

    for port in [1001, 1002, 1003] {
        register(&server, at(port)).await;
    }
    let soon = clients().await;
    server.advance(Duration::from_hours(2));
    register(&server, at(1004)).await;

    assert_eq!((soon, clients().await), (3, 1));
}

#[tokio::test]
async fn an_abandoned_client_takes_its_ended_grants_along() {
    let (server, mut ada) = Server::with_ada().await;
    let registered = register(&server, native()).await.json();
    let client = RelyingParty::new(&server, &registered);
    let tokens = client.tokens(&mut ada).await;
    client.post("/oauth/revoke", &[("token", tokens.refresh())]).await;
    let grants = || server.app.read().unwrap().count::<Grant>(10).unwrap();
    assert_eq!(grants(), 1);

    server.advance(Duration::from_hours(2));
    register(&server, native()).await;
    while server.app.write(sweep::run).await.unwrap().more {}

    assert_eq!(grants(), 0);
}

#[tokio::test]
async fn a_client_that_nobody_uses_is_forgotten_and_one_in_use_is_not() {
    let (server, mut ada) = Server::with_ada().await;
    let idle = register(&server, native()).await.json();
    let used = register(&server, native()).await.json();
    let client = RelyingParty::new(&server, &used);
    let mut tokens = client.tokens(&mut ada).await;

    for _ in 0..2 {
        server.advance(Duration::from_hours(16 * 24));
        tokens = client.refresh(tokens.refresh()).await.tokens();
    }
    server.app.write(|tx, cx| sweep::run(tx, cx).map(drop)).await.unwrap();

    let read = async |of: &Value| manage(&server, Method::GET, of, None).await.status.as_u16();
    assert_eq!((read(&idle).await, read(&used).await), (401, 200));
    server.advance(Duration::from_hours(200 * 24));
    server.app.write(|tx, cx| sweep::run(tx, cx).map(drop)).await.unwrap();
    assert_eq!(read(&used).await, 401);
}

#[tokio::test]
async fn a_key_set_that_could_not_be_read_again_is_refused_and_the_clients_are_still_listed() {
    let server = Server::new().await;
    let mut key = Signer::new(SigningAlg::Es256).jwk();
    key["kid"] = "k".repeat(33_000).into();
    let mut stated = native();
    stated["jwks"] = json!({ "keys": [key] });

    let refused = register(&server, stated).await;

    refused.refused(ErrorCode::InvalidClientMetadata, Refusal::JwksMalformed);
    assert_eq!(server.operate(Method::GET, "/clients", json!({})).await.status, 200);
}

/// OpenID Connect Registration §5
#[tokio::test]
async fn a_sector_identifier_has_to_name_every_redirect_uri() {
    let site = Site::new().await;
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.fetch.private = vec![site.listed()];
    })
    .await;
    let stated = json!({
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
        "subject_type": "pairwise",
        "sector_identifier_uri": site.url("/uris.json"),
    });

    site.serve(&json!(["https://a.example/cb"]), "");
    let lacking = register(&server, stated.clone()).await;
    site.serve(&json!(["https://b.example/cb", "https://a.example/cb"]), "");
    let whole = register(&server, stated).await;

    lacking.refused(ErrorCode::InvalidClientMetadata, Refusal::SectorUnclear);
    assert_eq!((whole.status.as_u16(), &whole.json()["subject_type"]), (201, &json!("pairwise")));
}

#[tokio::test]
async fn registrations_of_a_network_are_bounded_by_the_minute() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.registration.per_minute = 2;
    })
    .await;

    let from = async |address: &str, metadata: Value| {
        let request = Request::post("/oauth/register").header("content-type", "application/json");
        let mut request = request.body(Body::from(metadata.to_string())).unwrap();
        request.extensions_mut().insert(Peer(address.parse().unwrap()));
        server.send(request).await
    };

    // What is no registration is not counted.
    for _ in 0..200 {
        from("192.0.2.1", json!({})).await;
    }
    let within = [from("192.0.2.1", native()).await, from("192.0.2.1", native()).await];
    server.advance(Duration::from_secs(18));
    let beyond = from("192.0.2.1", native()).await;
    let elsewhere = from("192.0.2.2", native()).await;
    let mut local = Vec::new();
    for _ in 0..4 {
        local.push(from("127.0.0.1", native()).await);
    }
    server.advance(Duration::from_secs(42));
    let later = from("192.0.2.1", native()).await;

    assert!(within.iter().chain(&local).all(|response| response.status == 201));
    beyond.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(beyond.header("retry-after"), "42");
    assert_eq!((elsewhere.status.as_u16(), later.status.as_u16()), (201, 201));
}
