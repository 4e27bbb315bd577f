//! What the tokens say.

use std::time::Duration;

use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use crate::support::{BEGINNING, RelyingParty, Server, address, decoded};

/// RFC 9068 §2
#[tokio::test]
async fn an_access_token_is_a_jwt_of_its_own_type() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let tokens = shop.tokens(&mut ada).await;

    let (header, mut claims) = decoded(&tokens.access);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let now = BEGINNING.seconds();
    let id = decoded(tokens.id()).1;
    let (grant, random) = claims["jti"].as_str().unwrap().split_once('.').unwrap();
    assert_eq!((grant.len(), random.len()), (36, 22));
    claims["jti"].take();
    assert_eq!(
        claims,
        json!({
            "iss": "http://localhost:7455",
            "sub": id["sub"],
            "aud": "http://localhost:7455",
            "exp": now + 900,
            "iat": now,
            "nbf": now,
            "jti": null,
            "client_id": "shop",
            "scope": "offline_access openid",
            "sid": id["sid"],
            "auth_time": now,
            "acr": "phr",
            "amr": ["swk", "user"],
        })
    );
}

/// OpenID Connect Core §2
#[tokio::test]
async fn an_id_token_says_who_signed_in_how_and_for_whom() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let tokens = shop.tokens(&mut ada).await;

    let (header, mut claims) = decoded(tokens.id());
    assert_eq!((&header["typ"], &header["alg"]), (&json!("JWT"), &json!("RS256")));
    let now = BEGINNING.seconds();
    for drawn in ["sub", "sid", "at_hash"] {
        assert!(claims[drawn].take().is_string(), "{drawn}");
    }
    assert_eq!(
        claims,
        json!({
            "iss": "http://localhost:7455",
            "sub": null,
            "aud": "shop",
            "azp": "shop",
            "exp": now + 900,
            "iat": now,
            "auth_time": now,
            "nonce": "n-1",
            "acr": "phr",
            "amr": ["swk", "user"],
            "sid": null,
            "at_hash": null,
        })
    );
}

#[tokio::test]
async fn scopes_decide_what_is_told_of_a_person() {
    let server = Server::new().await;
    let mut bob = server.person("bob").await;
    server.change_person("bob", |bob| bob.email = address("bob@example.org")).await;
    let shop = RelyingParty::web(&server).await;

    let tokens = shop.tokens_of(&mut bob, "openid profile email").await;

    let id = decoded(tokens.id()).1;
    let userinfo = shop.userinfo(&tokens.access).await.json();
    let expected = json!({
        "sub": id["sub"],
        "name": "bob",
        "preferred_username": "bob",
        "updated_at": BEGINNING.seconds(),
        "email": "bob@example.org",
        "email_verified": false,
    });
    assert_eq!(userinfo, expected);
    assert_eq!(id["email"], "bob@example.org");
    assert_eq!(decoded(&tokens.access).1.get("roles"), None);
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let tokens = shop.tokens_of(&mut ada, "email").await;

    assert_eq!((tokens.id, tokens.scope.as_str()), (None, "email"));
}

#[tokio::test]
async fn an_access_token_lasts_as_long_as_the_configuration_says() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.lifetimes.access_token = Duration::from_mins(2);
    });
    let server = server.await;
    let robot = RelyingParty::robot(&server).await;

    let response = robot.ask(&[("grant_type", "client_credentials")]).await;

    assert_eq!(response.json()["expires_in"], 120);
    let claims = decoded(&response.tokens().access).1;
    assert_eq!(claims["exp"], BEGINNING.seconds() + 120);
}

#[tokio::test]
async fn a_clients_own_access_token_lifetime_counts_without_a_refresh_token() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Shop",
        "client_id": "shop",
        "redirect_uris": ["https://shop.example/cb"],
        "grant_types": ["authorization_code"],
        "access_token_lifetime": 7200,
    });
    let shop = server.client(registration).await;
    let response = shop.redeem(&shop.code(&mut ada).await).await;
    assert_eq!(response.json()["expires_in"], 7200);
    let tokens = response.tokens();
    assert_eq!(tokens.refresh, None);

    server.advance(Duration::from_secs(7199)); // the configuration says 900

    assert_eq!(shop.introspect(&tokens.access).await.json()["active"], true);
    assert_eq!(shop.userinfo(&tokens.access).await.status, 200);
    server.advance(Duration::from_secs(1));
    assert_eq!(shop.introspect(&tokens.access).await.json()["active"], false);
}

/// RFC 9068 §2.2: the client stands for the subject; there is no person, session or sign-in.
#[tokio::test]
async fn a_client_that_acts_for_itself_is_its_own_subject() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;

    let tokens = robot.ask(&[("grant_type", "client_credentials")]).await.tokens();

    let claims = decoded(&tokens.access).1;
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("robot"), &json!("robot")));
    assert!(claims.get("sid").is_none() && claims.get("auth_time").is_none());
    assert_eq!((tokens.refresh, tokens.id, tokens.scope.as_str()), (None, None, ""));
}
