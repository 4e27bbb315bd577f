//! Access tokens that an operator issues: what they open, and what ends them.

use std::time::Duration;

use axum::http::Method;
use gatelodge::config::ScopeEntry;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::token::grant;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::support::{Log, RelyingParty, Response, Server, decoded};

async fn order(server: &Server, order: Value) -> Response {
    server.operate(Method::POST, "/tokens", order).await
}

async fn issued(server: &Server, asked: Value) -> Value {
    let response = order(server, asked).await;
    assert_eq!(response.status, 201, "{}", response.text());
    response.json()
}

/// A token of ada for the shop, with everything that she and the shop may have.
async fn of_ada(server: &Server) -> String {
    let asked = json!({ "client_id": "shop", "username": "ada" });
    issued(server, asked).await["access_token"].as_str().unwrap().to_owned()
}

async fn grants(server: &Server) -> Vec<Value> {
    let listed = server.operate(Method::GET, "/grants?user=ada", json!({})).await.json();
    listed["grants"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_token_for_a_person_is_theirs_everywhere_and_says_nothing_of_a_sign_in() {
    let (server, _ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let log = Log::keep();
    let asked = json!({
        "client_id": "shop", "username": "ada", "scope": "openid profile offline_access", "ttl": 300,
    });

    let view = issued(&server, asked).await;

    let token = view["access_token"].as_str().unwrap();
    let claims = decoded(token).1;
    assert_eq!((&view["expires_in"], &view["audience"]), (&json!(300), &json!([server.issuer()])));
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(server.issuer()), &view["scope"]));
    assert_eq!(claims["scope"], "openid profile", "nothing is refreshed");
    for absent in ["sid", "auth_time", "acr", "amr"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
    let userinfo = shop.userinfo(token).await.json();
    assert_eq!(userinfo["preferred_username"], "ada");
    assert_eq!(userinfo["sub"], claims["sub"]);
    let introspected = shop.introspect(token).await.json();
    assert_eq!((&introspected["active"], &introspected["username"]), (&json!(true), &json!("ada")));
    let [grant] = grants(&server).await.try_into().unwrap();
    assert_eq!((&grant["id"], &grant["by_operator"]), (&view["grant"], &json!(true)));
    assert_eq!((&grant["session"], &grant["expires"]), (&Value::Null, &view["expires"]));
    let [line] = log.with("an operator issued an access token").try_into().unwrap();
    for fact in ["shop", claims["sub"].as_str().unwrap(), server.issuer(), "300"] {
        assert!(line.contains(fact), "{fact}: {line}");
    }
    assert!(log.with(token.rsplit_once('.').unwrap().1).is_empty());
}

#[tokio::test]
async fn a_token_of_a_person_ends_with_whatever_it_depends_on() {
    for end in
        ["time", "grant", "token", "client's token", "person", "client", "disabled", "account"]
    {
        let (server, mut ada) = Server::with_ada().await;
        let shop = RelyingParty::web(&server).await;
        let asker = server.client(json!({ "name": "Asker", "client_id": "asker" })).await;
        let any = json!({ "introspect_any": true });
        server.operate(Method::PATCH, "/clients/asker", any).await;
        let token = of_ada(&server).await;
        assert_eq!(asker.introspect(&token).await.json()["active"], true);
        // Somebody else has to be able to administer the server.
        let bob = json!({ "username": "bob", "roles": ["admin"] });
        server.operate(Method::POST, "/users", bob).await;

        let ended = match end {
            "time" => {
                server.advance(Duration::from_mins(15));
                shop.introspect(&token).await
            }
            "grant" => {
                let path = format!("/grants/{}", grants(&server).await[0]["id"].as_str().unwrap());
                server.operate(Method::DELETE, &path, json!({})).await
            }
            "token" => {
                let token = json!({ "token": token });
                server.operate(Method::POST, "/tokens/revoke", token).await
            }
            "client's token" => shop.revoke(&token).await,
            "person" => {
                let off = json!({ "disabled": true });
                server.operate(Method::PATCH, "/users/ada", off).await;
                let on = json!({ "disabled": false });
                server.operate(Method::PATCH, "/users/ada", on).await
            }
            "client" => server.operate(Method::DELETE, "/clients/shop", json!({})).await,
            "disabled" => {
                let off = json!({ "enabled": false });
                server.operate(Method::PATCH, "/clients/shop", off).await
            }
            _ => ada.submit("/gate/account/apps", &[("client_id", "shop")]).await,
        };

        assert!(ended.status.as_u16() < 400, "{end}: {}", ended.text());
        assert_eq!(asker.introspect(&token).await.json()["active"], false, "{end}");
        assert!(grants(&server).await.is_empty(), "{end}: nothing is listed that has no token");
    }
}

#[tokio::test]
async fn a_session_that_ends_leaves_it_and_no_session_lists_it() {
    let (server, _ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let token = of_ada(&server).await;

    let listed = async || {
        let listed = server.operate(Method::GET, "/sessions?user=ada", json!({})).await.json();
        listed["sessions"].as_array().unwrap().clone()
    };
    let sessions = listed().await;
    assert_eq!(sessions.len(), 1, "that of her browser");
    let path = format!("/sessions/{}", sessions[0]["id"].as_str().unwrap());
    server.operate(Method::DELETE, &path, json!({})).await;

    assert!(listed().await.is_empty());
    assert_eq!(shop.introspect(&token).await.json()["active"], true);
}

/// The rules are those of an authorization: the roles of the person and the scopes of the client.
#[tokio::test]
async fn a_token_never_has_more_than_person_and_client_may_have() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        let entry = ScopeEntry { open: false, description: "Change prices".to_owned() };
        config.scopes.insert("prices".parse().unwrap(), entry.clone());
        config.scopes.insert("stock".parse().unwrap(), entry);
        config.roles.insert("admin".parse().unwrap(), config.scope());
    })
    .await;
    let _ada = server.first_administrator().await;
    let _bob = server.person("bob").await;
    let uris = ["https://shop.example/cb"];
    let shop = json!({ "name": "Shop", "client_id": "shop", "redirect_uris": uris, "scope": "openid prices" });
    server.client(shop).await;
    let asked = |username: &str, scope: Option<&str>| json!({ "client_id": "shop", "username": username, "scope": scope });

    let whole = issued(&server, asked("ada", None)).await;
    let of_bob = issued(&server, asked("bob", None)).await;
    let narrowed = issued(&server, asked("bob", Some("openid prices"))).await;
    let nothing = order(&server, asked("bob", Some("prices"))).await;
    let foreign = order(&server, asked("ada", Some("stock"))).await;

    assert_eq!(whole["scope"], "openid prices");
    assert_eq!((&of_bob["scope"], &narrowed["scope"]), (&json!("openid"), &json!("openid")));
    for refused in [nothing, foreign] {
        refused.refused(ErrorCode::InvalidScope, Refusal::ScopeNotAllowed);
    }
}

#[tokio::test]
async fn a_token_names_its_resources_and_none_that_nobody_registered() {
    let (server, _ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let resource = json!({ "resource": "https://API.example", "scope": "orders:read", "typ": "jwt", "open": true });
    server.operate(Method::POST, "/resources", resource).await;
    let asked = |resource: &str, scope: &str| json!({ "client_id": "shop", "username": "ada", "resources": [resource], "scope": scope });

    let named = issued(&server, asked("https://api.example/", "orders:read")).await;
    let unknown = order(&server, asked("https://other.example", "openid")).await;
    // A person may grant this one, each time.
    let loopback = order(&server, asked("http://localhost:3000/mcp", "mcp:tools")).await;

    let (header, claims) = decoded(named["access_token"].as_str().unwrap());
    assert_eq!((&header["typ"], &claims["aud"]), (&json!("JWT"), &json!("https://API.example")));
    assert_eq!(named["audience"], json!(["https://API.example"]));
    let userinfo = shop.userinfo(named["access_token"].as_str().unwrap()).await;
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenForAnotherAudience);
    for refused in [unknown, loopback] {
        refused.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
    }
}

#[tokio::test]
async fn a_client_itself_gets_what_it_would_get_by_its_own_request() {
    let server = Server::new().await;
    let resource = json!({ "resource": "https://api.example", "scope": "orders:read" });
    server.operate(Method::POST, "/resources", resource).await;
    let nightly =
        json!({ "name": "Nightly", "client_id": "nightly", "scope": "orders:read email" });
    let nightly = server.client(nightly).await;

    let view = issued(&server, json!({ "client_id": "nightly" })).await;
    let own = nightly.ask(&[("grant_type", "client_credentials")]).await.tokens();
    let about_people = json!({ "client_id": "nightly", "scope": "email" });
    let about_people = order(&server, about_people).await;

    let token = view["access_token"].as_str().unwrap();
    let (by_operator, by_itself) = (decoded(token).1, decoded(&own.access).1);
    for claim in ["sub", "aud", "scope", "client_id", "exp"] {
        assert_eq!(by_operator[claim], by_itself[claim], "{claim}");
    }
    assert_eq!((&view["grant"], &view["username"]), (&Value::Null, &Value::Null));
    about_people.refused(ErrorCode::InvalidScope, Refusal::ScopeNotForItself);
    assert_eq!(nightly.introspect(token).await.json()["active"], true);
    server.operate(Method::POST, "/tokens/revoke", json!({ "token": token })).await;
    assert_eq!(nightly.introspect(token).await.json()["active"], false);
    assert_eq!(nightly.introspect(&own.access).await.json()["active"], true);
}

#[tokio::test]
async fn a_client_acts_only_in_the_way_that_it_registered() {
    let (server, _ada) = Server::with_ada().await;
    RelyingParty::robot(&server).await;
    RelyingParty::spa(&server).await;

    let robot = order(&server, json!({ "client_id": "robot", "username": "ada" })).await;
    let spa = order(&server, json!({ "client_id": "reader" })).await;
    let nobody = order(&server, json!({ "client_id": "reader", "username": "bob" })).await;
    let none = order(&server, json!({ "client_id": "none" })).await;
    server.operate(Method::PATCH, "/clients/robot", json!({ "enabled": false })).await;
    let off = order(&server, json!({ "client_id": "robot" })).await;
    server.operate(Method::POST, "/users", json!({ "username": "eve", "roles": ["admin"] })).await;
    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": true })).await;
    let disabled = order(&server, json!({ "client_id": "reader", "username": "ada" })).await;

    for refused in [robot, spa] {
        refused.refused(ErrorCode::UnauthorizedClient, Refusal::GrantTypeNotRegistered);
    }
    nobody.refused(ErrorCode::NotFound, Refusal::UserNotFound);
    none.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
    off.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    disabled.refused(ErrorCode::AccessDenied, Refusal::PersonDisabled);
}

#[tokio::test]
async fn a_token_lasts_as_long_as_the_clients_others_or_as_asked_and_a_day_at_most() {
    let (server, _ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server
        .change_client("shop", |shop| shop.decisions_mut().access_token_lifetime = Some(120))
        .await;
    let asked = |ttl: Value| json!({ "client_id": "shop", "username": "ada", "ttl": ttl });

    let own = issued(&server, asked(Value::Null)).await;
    let day = issued(&server, asked(json!(86_400))).await;

    assert_eq!((&own["expires_in"], &day["expires_in"]), (&json!(120), &json!(86_400)));
    for unfit in [0, 86_401, u64::MAX] {
        let refused = order(&server, asked(json!(unfit))).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["error"]),
            (400, &json!("invalid_request"))
        );
    }
    let token = day["access_token"].as_str().unwrap();
    server.advance(Duration::from_secs(86_399));
    assert_eq!(shop.introspect(token).await.json()["active"], true);
    server.advance(Duration::from_secs(1));
    assert_eq!(shop.introspect(token).await.json()["active"], false);
}

/// A clock that went back dates the token by itself, and what comes after a removal by the latest
/// time.
#[tokio::test]
async fn a_token_is_in_force_by_a_clock_that_went_back() {
    let (server, _ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server.app.clock().set(crate::support::BEGINNING - Duration::from_hours(2));

    let token = of_ada(&server).await;

    assert_eq!(shop.introspect(&token).await.json()["active"], true);
    let id = grants(&server).await[0]["id"].as_str().unwrap().parse().unwrap();
    let live = grant::live(&server.app.read().unwrap(), &server.app.context(), id).unwrap();
    assert!(live.unwrap().grant().family.is_none());
}

#[tokio::test]
async fn an_operator_gives_nobody_a_token_of_a_client_for_other_groups() {
    let (server, _ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;
    let token = of_ada(&server).await;

    server.operate(Method::PATCH, "/clients/shop", json!({ "groups": ["staff"] })).await;
    let refused = order(&server, json!({ "client_id": "shop", "username": "ada" })).await;

    refused.refused(ErrorCode::AccessDenied, Refusal::PersonAstray);
    let inspected =
        server.operate(Method::POST, "/tokens/inspect", json!({ "token": token })).await;
    assert_eq!(inspected.json()["active"], false);
}

#[tokio::test]
async fn an_operator_names_client_and_person_as_everywhere() {
    let (server, _ada) = Server::with_ada().await;
    let shop = json!({ "name": "Corner", "client_id": "corner-shop", "redirect_uris": ["https://c.example/cb"] });
    server.client(shop).await;

    let token = issued(&server, json!({ "client_id": "corner", "username": "ADA" })).await;

    assert_eq!((&token["client_id"], &token["username"]), (&json!("corner-shop"), &json!("ada")));
}
