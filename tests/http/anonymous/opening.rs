//! `/oauth/session`: who may open a session, and the response.

use std::time::Duration;

use axum::http::{Method, header};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::http::Peer;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use super::{allowed, anonymous_sessions, ask, asking, introspected, open};
use crate::support::{Browser, Response, Server, basic, decoded, register};

const DAY: u64 = 86_400;

async fn ask_from(server: &Server, address: &str, client: &str) -> Response {
    let mut request = asking(&json!({ "client_id": client }));
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    server.send(request).await
}

#[tokio::test]
async fn a_session_comes_with_a_token_of_nobody_and_a_cookie() {
    let server = Server::new().await;
    allowed(&server).await;

    let asked = json!({ "client_id": "reader", "redirect_uri": "http://127.0.0.1:8767/cb" });
    let response = ask(&server, &asked).await;

    assert_head(&response);
    let session = response.json();
    let claims = decoded(session["access_token"].as_str().unwrap()).1;
    let now = claims["iat"].as_u64().unwrap();
    assert_eq!(
        session,
        json!({
            "access_token": session["access_token"], "token_type": "Bearer", "expires_in": 900,
            "scope": "anonymous", "session_id": claims["sid"], "sub": claims["sub"],
            "session_expires_in": DAY, "redirect_uri": "http://127.0.0.1:8767/cb",
        })
    );
    assert_eq!(
        claims,
        json!({
            "iss": server.issuer(), "aud": server.issuer(), "client_id": "reader",
            "sub": session["sub"], "sid": session["session_id"], "scope": "anonymous",
            "iat": now, "nbf": now, "exp": now + 900, "jti": claims["jti"],
        })
    );
    let sub = session["sub"].as_str().unwrap().strip_prefix("anon_").unwrap();
    assert!(sub.len() == 32 && sub.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(introspected(&server, &session["access_token"]).await["sub"], session["sub"]);
}

/// The whole head of a successful response.
#[track_caller]
fn assert_head(response: &Response) {
    assert_eq!(
        response.head(),
        "200\n\
         cache-control: no-store\n\
         content-type: application/json\n\
         pragma: no-cache\n\
         set-cookie: gl7455_anonymous=…; Path=/gate/; Max-Age=86400; HttpOnly; SameSite=Lax\n\
         x-content-type-options: nosniff"
    );
}

#[tokio::test]
async fn whoever_asks_again_is_somebody_else_whatever_they_say_and_bring() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let mut browser = Browser::new(&server);
    let first = open(&mut browser, &reader).await;

    let mut request = asking(&json!({
        "client_id": "reader", "sub": first["sub"], "session_id": first["session_id"],
        "access_token": first["access_token"],
    }));
    request.headers_mut().insert(header::COOKIE, browser.cookies_for("/gate/").parse().unwrap());
    let second = server.send(request).await.json();
    let third = open(&mut browser, &reader).await;

    for (one, other) in [(&first, &second), (&first, &third), (&second, &third)] {
        for name in ["sub", "session_id", "access_token"] {
            assert_ne!(one[name], other[name]);
        }
    }
    assert_eq!(anonymous_sessions(&server).await.len(), 3);
}

/// Unknown, disabled and not allowed look alike.
#[tokio::test]
async fn a_client_that_is_not_allowed_is_answered_like_one_that_is_not_there() {
    let server = Server::new().await;
    allowed(&server).await;
    let native = json!({
        "client_name": "Agent", "redirect_uris": ["http://127.0.0.1/cb"],
        "token_endpoint_auth_method": "none",
    });
    let dynamic = register(&server, native).await.json()["client_id"].clone();

    let unknown = ask(&server, &json!({ "client_id": "nobody" })).await;
    let undecided = ask(&server, &json!({ "client_id": dynamic })).await;
    let set = async |id: &str, patch: Value| {
        let changed = server.operate(Method::PATCH, &format!("/clients/{id}"), patch).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
    };
    set(dynamic.as_str().unwrap(), json!({ "anonymous": true })).await;
    let decided = ask(&server, &json!({ "client_id": dynamic })).await;
    set("reader", json!({ "enabled": false })).await;
    let disabled = ask(&server, &json!({ "client_id": "reader" })).await;
    set("reader", json!({ "enabled": true, "anonymous": false })).await;
    let off = ask(&server, &json!({ "client_id": "reader" })).await;

    unknown.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    undecided.refused(ErrorCode::UnauthorizedClient, Refusal::AnonymousNotAllowed);
    disabled.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    off.refused(ErrorCode::UnauthorizedClient, Refusal::AnonymousNotAllowed);
    assert_eq!(decided.status, 200);
    assert!(off.header("set-cookie").is_empty());
}

/// RFC 6749 §2.3
#[tokio::test]
async fn a_confidential_client_proves_itself_by_basic_as_at_the_token_endpoint() {
    let server = Server::new().await;
    let registration = json!({ "name": "Shop", "client_id": "shop", "anonymous": true });
    let secret = server.client(registration).await.secret.unwrap();
    let with = async |authorization: &str, named: &str| {
        let mut request = asking(&json!({ "client_id": named, "client_secret": secret }));
        request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
        server.send(request).await
    };

    let proven = with(&basic("shop", &secret), "shop").await;
    let wrong = with(&basic("shop", "gl_cs_x"), "shop").await;
    let another = with(&basic("shop", &secret), "reader").await;
    let none = ask(&server, &json!({ "client_id": "shop", "client_secret": secret })).await;

    assert_eq!(proven.status, 200, "{}", proven.text());
    wrong.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    another.refused(ErrorCode::InvalidRequest, Refusal::ClientAuthTwice);
    none.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
}

#[tokio::test]
async fn a_redirect_uri_is_one_that_the_client_registered_and_nothing_is_redirected() {
    let server = Server::new().await;
    allowed(&server).await;
    let with = async |uri: &str| {
        ask(&server, &json!({ "client_id": "reader", "redirect_uri": uri })).await
    };

    for uri in ["https://reader.example/cb", "http://127.0.0.1:1/cb"] {
        let response = with(uri).await;
        assert_eq!(
            (response.status.as_u16(), &response.json()["redirect_uri"]),
            (200, &json!(uri))
        );
    }
    for uri in ["https://reader.example/cb?x", "https://evil.example/cb"] {
        let response = with(uri).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    }
    let response = with("javascript:alert(1)").await;
    response.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriDangerous);
}

#[tokio::test]
async fn a_token_outlives_neither_its_clients_lifetime_nor_the_session() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.lifetimes.anonymous = Duration::from_mins(10);
    });
    let server = server.await;
    let reader = allowed(&server).await;
    let mut browser = Browser::new(&server);

    let short = open(&mut browser, &reader).await;
    let patch = json!({ "access_token_lifetime": 60 });
    server.operate(Method::PATCH, "/clients/reader", patch).await;
    let shorter = open(&mut browser, &reader).await;

    assert_eq!((&short["expires_in"], &short["session_expires_in"]), (&json!(600), &json!(600)));
    assert_eq!((&shorter["expires_in"], &shorter["session_expires_in"]), (&json!(60), &json!(600)));
    server.advance(Duration::from_secs(599));
    assert_eq!(introspected(&server, &short["access_token"]).await["active"], true);
    server.advance(Duration::from_secs(1));
    assert_eq!(introspected(&server, &short["access_token"]).await["active"], false);
    assert!(browser.cookies_for("/gate/").is_empty());
}

#[tokio::test]
async fn the_operator_sees_a_session_for_thirty_days_and_then_it_is_gone() {
    let server = Server::new().await;
    allowed(&server).await;
    let asked = json!({ "client_id": "reader", "metadata": { "cart": [1, null] } });
    let mut request = asking(&asked);
    request.headers_mut().insert(header::USER_AGENT, "reader/1.0".parse().unwrap());
    let session = server.send(request).await.json();
    let sweep = async || server.app.write(sweep::run).await.unwrap();

    let listed = server.operate(Method::GET, "/sessions", json!({})).await.json();

    assert_eq!(
        listed["sessions"],
        json!([{
            "id": session["session_id"], "source": "anonymous", "sub": session["sub"],
            "client_id": "reader", "state": "live", "merged_into": null, "redirect_uri": null,
            "metadata": { "cart": [1, null] }, "address": "127.0.0.1", "user_agent": "reader/1.0",
            "program": null,
            "system": null,
            "bot": false,
            "locale": null,
            "created": "2026-01-01T00:00:00Z", "expires": "2026-01-02T00:00:00Z",
        }])
    );
    server.advance(Duration::from_secs(DAY));
    sweep().await;
    let later = server.operate(Method::GET, "/sessions", json!({})).await.json();
    assert_eq!(later["sessions"], json!([]));
    assert_eq!(anonymous_sessions(&server).await[0]["state"], "over");
    server.advance(Duration::from_secs(29 * DAY));
    sweep().await;
    assert_eq!(anonymous_sessions(&server).await, [] as [Value; 0]);
}

#[tokio::test]
async fn one_network_is_answered_sixty_times_a_minute() {
    let server = Server::new().await;
    allowed(&server).await;
    for _ in 0..60 {
        assert_eq!(ask_from(&server, "2001:db8::1", "reader").await.status, 200);
    }

    let more = ask_from(&server, "2001:db8::2", "reader").await;
    let elsewhere = ask_from(&server, "2001:db8:0:1::1", "reader").await;
    server.advance(Duration::from_mins(1));
    let later = ask_from(&server, "2001:db8::2", "reader").await;

    more.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(more.header("retry-after"), "60");
    assert_eq!((elsewhere.status.as_u16(), later.status.as_u16()), (200, 200));
}
