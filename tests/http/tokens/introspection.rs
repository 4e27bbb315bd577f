//! Introspection (RFC 7662) and its signed responses (RFC 9701): who learns what of which token.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::keys::JwtKind;
use serde_json::{Value, json};

use crate::support::{
    BEGINNING, Browser, RelyingParty, Response, Server, Tokens, basic, decoded, posted,
};

const INACTIVE: &str = r#"{"active":false}"#;

/// A client that shows that a token is over, and nothing more.
async fn is_active(asker: &RelyingParty, token: &str) -> bool {
    let response = asker.introspect(token).await;
    assert_eq!(response.status, 200);
    let active = response.json()["active"].as_bool().unwrap();
    assert!(active || response.text() == INACTIVE, "{}", response.text());
    active
}

/// The shop, and tokens that depend on ada's session.
async fn dependent() -> (Server, Browser, RelyingParty, Tokens) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid").await;
    (server, ada, shop, tokens)
}

async fn signed(asker: &RelyingParty, token: &str) -> Response {
    let secret = asker.secret.as_deref().unwrap();
    let request = Request::post("/oauth/introspect")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/token-introspection+jwt")
        .header(header::AUTHORIZATION, basic(&asker.id, secret));
    asker.server.send(request.body(Body::from(format!("token={token}"))).unwrap()).await
}

/// RFC 7662 §2.2
#[tokio::test]
async fn an_access_token_is_told_as_it_says_itself() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Shop", "redirect_uris": ["https://shop.example/cb"],
        "scope": "openid profile groups roles",
    });
    let shop = server.client(registration).await;
    server.operate(Method::PATCH, "/users/ada", json!({ "groups": ["staff"] })).await;
    let tokens = shop.tokens_of(&mut ada, "openid profile groups roles").await;

    let response = shop.introspect(&tokens.access).await;

    let mut expected = decoded(&tokens.access).1;
    expected["active"] = true.into();
    expected["token_type"] = "Bearer".into();
    expected["username"] = "ada".into();
    assert_eq!(response.json(), expected);
    assert_eq!(expected["roles"], json!(["admin", "user"]));
    assert_eq!(expected["groups"], json!(["admin", "staff", "user"]));
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(response.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_refresh_token_is_told_by_its_grant() {
    let (_server, _ada, shop, tokens) = dependent().await;

    let response = shop.introspect(tokens.refresh()).await;

    let access = decoded(&tokens.access).1;
    let expected = json!({
        "active": true,
        "scope": "openid",
        "client_id": "shop",
        "exp": BEGINNING.seconds() + 30 * 86_400,
        "sub": access["sub"],
        "aud": "http://localhost:7455",
        "iss": "http://localhost:7455",
        "sid": access["sid"],
        "auth_time": access["auth_time"],
        "acr": "phr",
        "amr": access["amr"],
    });
    assert_eq!(response.json(), expected);
}

#[tokio::test]
async fn a_refresh_token_that_is_good_for_nothing_is_inactive() {
    let (server, shop, _servers, tokens) = of_two_resources().await;
    for resource in ["a.example", "b.example"] {
        assert!(is_active(&shop, tokens.refresh()).await);
        let path = format!("/resources/https%3A%2F%2F{resource}");
        server.operate(Method::DELETE, &path, json!({})).await.json();
    }
    assert!(!is_active(&shop, tokens.refresh()).await);

    let (server, _ada, shop, tokens) = dependent().await;
    let code_alone = json!({ "grant_types": ["authorization_code"] });
    server.operate(Method::PATCH, "/clients/shop", code_alone).await.json();
    assert!(!is_active(&shop, tokens.refresh()).await);
}

/// OpenID Connect Core §5.4: the name belongs to the profile.
#[tokio::test]
async fn a_name_is_told_of_a_token_that_has_the_profile_itself() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid profile").await;
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh()), ("scope", "openid")];
    let narrowed = shop.ask(&fields).await.tokens();

    let username = async |token: &str| shop.introspect(token).await.json()["username"].clone();

    assert_eq!(username(&tokens.access).await, "ada");
    assert_eq!(username(narrowed.refresh()).await, "ada");
    assert_eq!(username(&narrowed.access).await, Value::Null);
}

/// RFC 6749 §4.4: nobody's session or name stands behind it.
#[tokio::test]
async fn a_token_of_the_client_itself_lives_as_its_client_does() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let admin = server.client(json!({ "name": "Monitor", "introspect_any": true })).await;
    let credentials = [("grant_type", "client_credentials")];
    let tokens = robot.ask(&credentials).await.tokens();

    let introspection = robot.introspect(&tokens.access).await.json();

    assert_eq!(
        (&introspection["sub"], &introspection["client_id"]),
        (&json!("robot"), &json!("robot"))
    );
    assert!(introspection.get("username").is_none() && introspection.get("sid").is_none());
    server.advance(Duration::from_secs(1));
    server.change_client("robot", |robot| robot.enabled = false).await;
    assert!(!is_active(&admin, &tokens.access).await);
    server.operate(Method::DELETE, "/clients/robot", json!({})).await;
    assert!(!is_active(&admin, &tokens.access).await);
    let later = RelyingParty::robot(&server).await;
    assert!(!is_active(&later, &tokens.access).await);
    assert!(is_active(&later, &later.ask(&credentials).await.tokens().access).await);
}

/// RFC 7662 §2.1: the hint orders the search and decides nothing.
#[tokio::test]
async fn no_hint_hides_a_token() {
    let (_server, _ada, shop, tokens) = dependent().await;

    for token in [&tokens.access, tokens.refresh()] {
        for hint in ["access_token", "refresh_token", "saml2_token"] {
            let fields = [("token", token), ("token_type_hint", hint)];
            assert_eq!(shop.post("/oauth/introspect", &fields).await.json()["active"], true);
        }
    }
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_inactive_and_no_error() {
    let (_server, mut ada, shop, tokens) = dependent().await;
    let code = shop.code(&mut ada).await;
    let (head, _) = tokens.access.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", "A".repeat(86));
    let unknown = format!("gl_rt_{}", "A".repeat(76));

    let long = "x".repeat(16 * 1024);
    for token in ["abc", "a.b.c", "\u{1f511}", &code, &forged, &unknown, tokens.id(), &long] {
        assert!(!is_active(&shop, token).await, "{token}");
    }
}

#[tokio::test]
async fn a_client_is_told_of_its_own_tokens_alone() {
    let (server, _ada, shop, tokens) = dependent().await;
    let other = server
        .client(json!({ "name": "Other", "redirect_uris": ["https://other.example/cb"] }))
        .await;
    let monitor = server.client(json!({ "name": "Monitor", "introspect_any": true })).await;

    for token in [&tokens.access, tokens.refresh()] {
        assert!(is_active(&shop, token).await);
        assert!(!is_active(&other, token).await);
        assert!(is_active(&monitor, token).await);
    }
}

/// RFC 9700 §2.3: a resource server knows the tokens that are meant for it.
#[tokio::test]
async fn a_resource_server_is_told_of_tokens_addressed_to_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mut servers = Vec::new();
    for resource in ["https://a.example", "https://b.example"] {
        let registration = json!({ "resource": resource, "introspect": true });
        let registered = server.operate(Method::POST, "/resources", registration).await.json();
        servers.push(RelyingParty::new(&server, &registered));
    }
    let asked = [("resource", "https://a.example")];
    let code = shop.authorize(&mut ada, &asked).await.brought().remove("code").unwrap();
    let tokens = shop.redeem(&code).await.tokens();

    let introspection = servers[0].introspect(&tokens.access).await.json();
    assert_eq!(introspection["aud"], json!(["https://a.example", server.issuer()]));
    assert!(!is_active(&servers[1], &tokens.access).await);
    assert!(!is_active(&servers[0], tokens.refresh()).await);
    assert!(is_active(&shop, &tokens.access).await);
}

/// A resource server, and the tokens of somebody who allowed the shop two resources.
async fn of_two_resources() -> (Server, RelyingParty, [RelyingParty; 2], Tokens) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let serving = async |resource: &str| {
        let registration = json!({ "resource": resource, "introspect": true });
        let registered = server.operate(Method::POST, "/resources", registration).await.json();
        RelyingParty::new(&server, &registered)
    };
    let servers = [serving("https://a.example").await, serving("https://b.example").await];
    let asked = shop.request(&[("resource", "https://a.example")]);
    let page = ada.visit(&format!("{asked}&resource=https%3A%2F%2Fb.example")).await;
    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
    let tokens = shop.redeem(&code).await.tokens();
    (server, shop, servers, tokens)
}

#[tokio::test]
async fn each_server_of_a_token_for_two_is_told_of_it() {
    let (_server, _shop, servers, tokens) = of_two_resources().await;

    for server in servers {
        let introspection = server.introspect(&tokens.access).await.json();
        let both_and_userinfo =
            json!(["https://a.example", "https://b.example", "http://localhost:7455"]);
        assert_eq!(introspection["aud"], both_and_userinfo);
    }
}

#[tokio::test]
async fn a_server_whose_resource_was_removed_is_told_nothing_and_one_switched_off_is_refused() {
    let (server, shop, [a, b], tokens) = of_two_resources().await;
    // One that is registered as a client keeps its credentials when its resource goes.
    let robot = RelyingParty::robot(&server).await;
    server.operate(Method::DELETE, "/resources/https%3A%2F%2Fa.example", json!({})).await.json();
    let registration = json!({ "resource": "https://a.example", "client_id": robot.id });
    let registered = server.operate(Method::POST, "/resources", registration).await;
    assert_eq!(registered.status, 201, "{}", registered.text());

    assert!(is_active(&robot, &tokens.access).await);
    let gone = a.introspect(&tokens.access).await;
    gone.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    server.operate(Method::DELETE, "/resources/https%3A%2F%2Fa.example", json!({})).await.json();
    assert!(!is_active(&robot, &tokens.access).await);

    let off = json!({ "enabled": false });
    server.operate(Method::PATCH, &format!("/clients/{}", b.id), off).await.json();
    let off = b.introspect(&tokens.access).await;
    off.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    assert!(is_active(&shop, &tokens.access).await);
}

/// OpenID Connect Core §8: two clients could compare their responses.
#[tokio::test]
async fn a_pairwise_name_is_kept_and_not_undone() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Discreet", "redirect_uris": ["https://discreet.example/cb"],
        "subject_type": "pairwise", "sector": "discreet.example",
    });
    let discreet = server.client(registration).await;
    let tokens = discreet.tokens_of(&mut ada, "openid").await;

    for token in [&tokens.access, tokens.refresh()] {
        let introspection = discreet.introspect(token).await.json();

        assert_eq!(introspection["sub"], decoded(tokens.id()).1["sub"]);
        assert!(introspection.get("username").is_none());
    }
}

/// RFC 7662 §2.1
#[tokio::test]
async fn whoever_asks_has_to_prove_themselves() {
    let (server, _ada, shop, tokens) = dependent().await;
    let spa = RelyingParty::spa(&server).await;
    let fields = [("token", tokens.access.as_str())];

    let public = spa.introspect(&tokens.access).await;
    let wrong = basic(&shop.id, "gl_cs_wrong");
    let wrong = posted(&server, "/oauth/introspect", Some(&wrong), &fields).await;
    let nobody = posted(&server, "/oauth/introspect", None, &fields).await;
    let nothing = shop.post("/oauth/introspect", &[]).await;

    public.refused(ErrorCode::InvalidClient, Refusal::ClientNotConfidential);
    wrong.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    nobody.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
    nothing.refused(ErrorCode::InvalidRequest, Refusal::TokenMissing);
}

/// Each way in which tokens end shows at the very next introspection.
#[tokio::test]
async fn every_ending_is_told_at_once() {
    for ending in [
        "sign-out",
        "the access token's time",
        "refresh replay",
        "code replay",
        "client disabled",
        "client removed",
        "person disabled",
        "person removed",
        "session expired",
    ] {
        let (server, mut ada) = Server::with_ada().await;
        let shop = RelyingParty::web(&server).await;
        let monitor = server.client(json!({ "name": "Monitor", "introspect_any": true })).await;
        let mut brought = shop.authorize(&mut ada, &[("scope", "openid")]).await.brought();
        let code = brought.remove("code").unwrap();
        let first = shop.redeem(&code).await.tokens();
        let mut tokens = shop.refresh(first.refresh()).await.tokens();
        assert!(is_active(&monitor, &tokens.access).await && is_active(&shop, &first.access).await);
        assert!(is_active(&monitor, tokens.refresh()).await, "{ending}");
        assert!(!is_active(&shop, first.refresh()).await, "spent");

        let mut refresh_too = true;
        match ending {
            "sign-out" => ada.sign_out().await,
            "the access token's time" => {
                server.advance(Duration::from_mins(15));
                refresh_too = false;
            }
            "refresh replay" => {
                server.advance(Duration::from_secs(61));
                assert_eq!(shop.refresh(first.refresh()).await.status, 400);
            }
            "code replay" => assert_eq!(shop.redeem(&code).await.status, 400),
            "client disabled" => server.change_client("shop", |shop| shop.enabled = false).await,
            "client removed" => {
                server.operate(Method::DELETE, "/clients/shop", json!({})).await;
            }
            "person disabled" => server.change_person("ada", |ada| ada.disabled = true).await,
            "person removed" => server.forget_person("ada").await,
            _ => {
                // The session of seven days goes on for another minute; the tokens are new.
                server.advance(Duration::from_hours(7 * 24) - Duration::from_mins(1));
                tokens = shop.refresh(tokens.refresh()).await.tokens();
                assert!(is_active(&monitor, &tokens.access).await);
                server.advance(Duration::from_mins(1));
            }
        }

        for access in [&first.access, &tokens.access] {
            assert!(!is_active(&monitor, access).await, "{ending}");
        }
        assert_eq!(is_active(&monitor, tokens.refresh()).await, !refresh_too, "{ending}");
    }
}

/// RFC 9701 §5
#[tokio::test]
async fn a_signed_answer_is_for_its_asker_and_no_access_token() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let metadata = server.get("/.well-known/oauth-authorization-server").await.json();

    for alg in metadata["introspection_signing_alg_values_supported"].as_array().unwrap() {
        let registration = json!({
            "name": "Monitor", "introspect_any": true, "introspection_signed_response_alg": alg,
        });
        let monitor = server.client(registration).await;
        let response = signed(&monitor, &tokens.access).await;

        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), "application/token-introspection+jwt");
        let (head, claims) = decoded(response.text());
        assert_eq!((&head["alg"], &head["typ"]), (alg, &json!("token-introspection+jwt")));
        let plain = monitor.introspect(&tokens.access).await.json();
        let expected = json!({
            "iss": server.issuer(),
            "aud": monitor.id,
            "iat": BEGINNING.seconds(),
            "token_introspection": plain,
        });
        assert_eq!(claims, expected);
        assert_eq!(server.verified(response.text(), JwtKind::Other), claims);
        shop.userinfo(response.text())
            .await
            .refused(ErrorCode::InvalidToken, Refusal::BearerTokenMalformed);
    }
}

/// RFC 9701 §5: "If the access token is invalid, expired, revoked […], the authorization server
/// MUST set the value of the `active` member in the `token_introspection` claim to `false`."
#[tokio::test]
async fn a_signed_answer_tells_as_little_of_what_is_over() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let (head, claims) = decoded(signed(&shop, "abc").await.text());

    assert_eq!(head["alg"], "RS256");
    assert_eq!(claims["token_introspection"], json!({ "active": false }));
}

/// RFC 7662 §2.2: it reads the same as of a token that is over, so the operator has to be told.
#[tokio::test]
async fn an_active_token_that_is_withheld_is_counted_for_who_asked() {
    let (server, _ada, shop, tokens) = dependent().await;
    let robot = RelyingParty::robot(&server).await;
    let counted = async || {
        server.app.write_counts().await.unwrap();
        let usage = server.operate(Method::GET, "/clients/robot/usage", json!({})).await.json();
        usage["last_day"]["withheld_introspections"].clone()
    };

    for token in [&tokens.access, tokens.refresh(), "none"] {
        assert!(!is_active(&robot, token).await);
    }
    assert!(is_active(&shop, &tokens.access).await);
    let withheld = counted().await;
    shop.revoke(&tokens.access).await;
    assert!(!is_active(&robot, &tokens.access).await);
    let after_its_end = counted().await;
    let any = json!({ "introspect_any": true });
    server.operate(Method::PATCH, "/clients/robot", any).await;
    assert!(is_active(&robot, tokens.refresh()).await);

    assert_eq!([withheld, after_its_end, counted().await], [2, 2, 2]);
}
