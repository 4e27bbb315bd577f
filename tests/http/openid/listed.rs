//! Whatever the metadata lists, used once (RFC 8414 §2, OpenID Connect Discovery §3).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::keys::JwtKind;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Map, Value, json};

use crate::refusals::documents::document;
use crate::support::{
    Browser, Receiver, RelyingParty, Server, Signer, Site, Tokens, address, basic, decoded,
    register,
};

const EVERYTHING: &str = "openid profile email groups offline_access roles";

#[tokio::test]
async fn everything_that_is_listed_works() {
    let server = Server::new().await;
    let metadata = server.get("/.well-known/openid-configuration").await.json();

    for (member, listed) in metadata.as_object().unwrap() {
        match member.as_str() {
            "acr_values_supported" => acr_values(listed).await,
            "authorization_endpoint" => stands(listed, "/oauth/authorize", authorization()).await,
            "authorization_response_iss_parameter_supported" => iss_parameter(listed).await,
            "backchannel_logout_session_supported" | "backchannel_logout_supported" => {
                backchannel_logout(listed).await;
            }
            "claims_parameter_supported" => claims_parameter(listed).await,
            "claims_supported" => claims(listed).await,
            "client_id_metadata_document_supported" => documents(listed).await,
            "code_challenge_methods_supported" => code_challenge_methods(listed).await,
            "device_authorization_endpoint" => {
                stands(listed, "/oauth/device_authorization", device()).await;
            }
            "end_session_endpoint" => stands(listed, "/oauth/logout", logout()).await,
            "grant_types_supported" => grant_types(listed).await,
            "id_token_signing_alg_values_supported" => id_token_algs(listed).await,
            "introspection_endpoint" => stands(listed, "/oauth/introspect", introspection()).await,
            "introspection_endpoint_auth_methods_supported" => {
                auth_methods(listed, "/oauth/introspect").await;
            }
            "introspection_endpoint_auth_signing_alg_values_supported" => {
                auth_algs(listed, "/oauth/introspect").await;
            }
            "introspection_signing_alg_values_supported" => introspection_algs(listed).await,
            "issuer" => assert_eq!(listed, server.issuer()),
            "jwks_uri" => stands(listed, "/.well-known/jwks.json", jwks()).await,
            "prompt_values_supported" => prompts(listed).await,
            "pushed_authorization_request_endpoint" => stands(listed, "/oauth/par", par()).await,
            "registration_endpoint" => stands(listed, "/oauth/register", registration()).await,
            "request_parameter_supported" => request_parameter(listed).await,
            "request_uri_parameter_supported" => request_uri_parameter(listed).await,
            "require_pushed_authorization_requests" => {
                // The plain request of `authorization` would not be taken.
                assert_eq!(listed, &json!(false));
            }
            "response_modes_supported" => response_modes(listed).await,
            "response_types_supported" => response_types(listed).await,
            "revocation_endpoint" => stands(listed, "/oauth/revoke", revocation()).await,
            "revocation_endpoint_auth_methods_supported" => {
                auth_methods(listed, "/oauth/revoke").await;
            }
            "revocation_endpoint_auth_signing_alg_values_supported" => {
                auth_algs(listed, "/oauth/revoke").await;
            }
            "scopes_supported" => scopes(listed).await,
            "subject_types_supported" => subject_types(listed).await,
            "token_endpoint" => stands(listed, "/oauth/token", authorization()).await,
            "token_endpoint_auth_methods_supported" => auth_methods(listed, "/oauth/token").await,
            "token_endpoint_auth_signing_alg_values_supported" => {
                auth_algs(listed, "/oauth/token").await;
            }
            "ui_locales_supported" => ui_locales(listed).await,
            "userinfo_endpoint" => stands(listed, "/oauth/userinfo", userinfo()).await,
            "userinfo_signing_alg_values_supported" => userinfo_algs(listed).await,
            unknown => panic!("{unknown} is listed, and nothing here uses it"),
        }
    }
}

/// Every text of a list.
fn each(listed: &Value) -> impl Iterator<Item = &str> {
    listed.as_array().unwrap().iter().map(|value| value.as_str().unwrap())
}

/// An endpoint is listed under the path at which `used` uses it.
async fn stands(listed: &Value, path: &str, used: impl Future<Output = ()>) {
    assert_eq!(listed, &json!(format!("http://localhost:7455{path}")));
    used.await;
}

/// Ada, and a client whose registration has `members` beside what every one has.
async fn with(members: Value) -> (Server, Browser, RelyingParty) {
    let (server, ada) = Server::with_ada().await;
    let client = client(&server, members).await;
    (server, ada, client)
}

async fn client(server: &Server, members: Value) -> RelyingParty {
    let mut registration = json!({
        "name": "Any", "redirect_uris": ["https://any.example/cb"], "scope": EVERYTHING,
    });
    registration.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    server.client(registration).await
}

async fn signed_in(members: Value) -> (Server, RelyingParty, Tokens) {
    let (server, mut ada, client) = with(members).await;
    let tokens = client.tokens(&mut ada).await;
    (server, client, tokens)
}

async fn authorization() {
    let (_, _, tokens) = signed_in(json!({})).await;
    assert!(tokens.id.is_some());
}

async fn device() {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let device = telly.device().await;
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;
    telly.poll(&device).await.tokens();
}

async fn logout() {
    let (_, mut ada, client) = with(json!({})).await;
    let tokens = client.tokens(&mut ada).await;
    ada.visit(&format!("/oauth/logout?id_token_hint={}", tokens.id())).await;
    assert!(ada.visit("/account").await.asks_to_sign_in());
}

async fn introspection() {
    let (_, client, tokens) = signed_in(json!({})).await;
    assert_eq!(client.introspect(&tokens.access).await.json()["active"], true);
}

async fn revocation() {
    let (_, client, tokens) = signed_in(json!({})).await;
    client.revoke(&tokens.access).await;
    assert_eq!(client.introspect(&tokens.access).await.json()["active"], false);
}

async fn jwks() {
    let (server, _, tokens) = signed_in(json!({})).await;
    let set = server.get("/.well-known/jwks.json").await.json();
    let signed_by = &decoded(tokens.id()).0["kid"];
    assert!(set["keys"].as_array().unwrap().iter().any(|key| key["kid"] == *signed_by));
}

async fn par() {
    let (_, mut ada, client) = with(json!({})).await;
    let pushed = client.push(&[]).await;
    assert!(ada.visit(&pushed).await.asks_for_consent());
}

async fn registration() {
    let server = Server::new().await;
    let metadata = json!({ "redirect_uris": ["https://any.example/cb"] });
    assert_eq!(register(&server, metadata).await.status, 201);
}

async fn userinfo() {
    let (_, client, tokens) = signed_in(json!({})).await;
    let claims = client.userinfo(&tokens.access).await.json();
    assert_eq!(claims["sub"], decoded(tokens.id()).1["sub"]);
}

async fn acr_values(listed: &Value) {
    for acr in each(listed) {
        let (_, mut ada, client) = with(json!({})).await;
        let claims = json!({ "id_token": { "acr": { "essential": true, "value": acr } } });
        let response = client.authorize(&mut ada, &[("claims", &claims.to_string())]).await;
        let tokens = client.redeem(&response.brought()["code"]).await.tokens();
        assert_eq!(decoded(tokens.id()).1["acr"], acr);
    }
}

async fn iss_parameter(listed: &Value) {
    let (server, mut ada, client) = with(json!({})).await;
    let brought = client.authorize(&mut ada, &[]).await.brought();
    assert_eq!((listed, &*brought["iss"]), (&json!(true), server.issuer()));
}

async fn backchannel_logout(listed: &Value) {
    let receiver = Receiver::responding(&[200]).await;
    let private = vec![receiver.listed()];
    let server = Server::with(Issuer::localhost(7455), |config| config.fetch.private = private);
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let members = json!({
        "backchannel_logout_uri": receiver.url(), "backchannel_logout_session_required": true,
    });
    let tokens = client(&server, members).await.tokens(&mut ada).await;
    ada.sign_out().await;
    server.app.deliver_logouts().await.unwrap();
    let claims = decoded(&receiver.logout_tokens()[0]).1;
    assert_eq!((listed, &claims["sid"]), (&json!(true), &decoded(tokens.id()).1["sid"]));
}

async fn claims_parameter(listed: &Value) {
    let (_, mut ada, client) = with(json!({})).await;
    let claims = json!({ "id_token": { "name": null } }).to_string();
    let response = client.authorize(&mut ada, &[("claims", &claims)]).await;
    let tokens = client.redeem(&response.brought()["code"]).await.tokens();
    assert_eq!((listed, &decoded(tokens.id()).1["name"]), (&json!(true), &json!("ada")));
}

/// Those that an ID token and userinfo have of a person of whom everything is known, and no others.
async fn claims(listed: &Value) {
    let (server, mut ada, client) = with(json!({})).await;
    server.change_person("ada", |ada| ada.email = address("ada@id.example")).await;
    let given = ["family_name", "given_name", "locale", "picture", "zoneinfo"];
    let given: Map<String, Value> =
        given.iter().map(|name| ((*name).to_owned(), "some".into())).collect();
    server.operate(Method::PATCH, "/users/ada", json!({ "claims": given })).await;
    let tokens = client.tokens_of(&mut ada, EVERYTHING).await;
    let id_token = decoded(tokens.id()).1;
    let userinfo = client.userinfo(&tokens.access).await.json();
    let returned = [&id_token, &userinfo].map(|claims| claims.as_object().unwrap().keys());
    let returned: BTreeSet<&str> = returned.into_iter().flatten().map(String::as_str).collect();
    assert_eq!(each(listed).collect::<BTreeSet<_>>(), returned);
}

async fn documents(listed: &Value) {
    let site = Site::new().await;
    site.serve(&document(&site), "");
    let private = vec![site.listed()];
    let server = Server::with(Issuer::localhost(7455), |config| config.fetch.private = private);
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let client = RelyingParty::new(&server, &document(&site));
    client.tokens(&mut ada).await;
    assert_eq!(listed, &json!(true));
}

async fn code_challenge_methods(listed: &Value) {
    for method in each(listed) {
        let (_, mut ada, client) = with(json!({})).await;
        let response = client.authorize(&mut ada, &[("code_challenge_method", method)]).await;
        client.redeem(&response.brought()["code"]).await.tokens();
    }
}

async fn grant_types(listed: &Value) {
    for grant_type in each(listed) {
        match grant_type {
            "authorization_code" => authorization().await,
            "client_credentials" => {
                let server = Server::new().await;
                let robot = RelyingParty::robot(&server).await;
                robot.ask(&[("grant_type", grant_type)]).await.tokens();
            }
            "refresh_token" => {
                let (_, client, tokens) = signed_in(json!({})).await;
                client.refresh(tokens.refresh()).await.tokens();
            }
            "urn:ietf:params:oauth:grant-type:device_code" => device().await,
            unknown => panic!("{unknown}"),
        }
    }
}

async fn id_token_algs(listed: &Value) {
    for alg in each(listed) {
        let members = json!({ "id_token_signed_response_alg": alg });
        let (server, _, tokens) = signed_in(members).await;
        server.verified(tokens.id(), JwtKind::Id);
        assert_eq!(decoded(tokens.id()).0["alg"], alg);
    }
}

async fn userinfo_algs(listed: &Value) {
    for alg in each(listed) {
        let members = json!({ "userinfo_signed_response_alg": alg });
        let (server, client, tokens) = signed_in(members).await;
        let response = client.userinfo(&tokens.access).await;
        server.verified(response.text(), JwtKind::Id);
        assert_eq!(decoded(response.text()).0["alg"], alg);
    }
}

async fn introspection_algs(listed: &Value) {
    const TYPE: &str = "token-introspection+jwt";
    for alg in each(listed) {
        let members = json!({ "introspection_signed_response_alg": alg });
        let (server, client, tokens) = signed_in(members).await;
        let asked = Request::post("/oauth/introspect")
            .header("accept", format!("application/{TYPE}"))
            .header("authorization", basic(&client.id, client.secret.as_deref().unwrap()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!("token={}", tokens.access)));
        let response = server.send(asked.unwrap()).await;
        server.verified(response.text(), JwtKind::Other);
        assert_eq!(decoded(response.text()).0["alg"], alg);
    }
}

async fn auth_methods(listed: &Value, endpoint: &str) {
    for method in each(listed) {
        if method == "private_key_jwt" {
            auth_algs(&json!(["RS256"]), endpoint).await;
        } else {
            let (_, mut ada, client) = with(json!({ "token_endpoint_auth_method": method })).await;
            proves_itself(&client, &mut ada, endpoint).await;
        }
    }
}

async fn auth_algs(listed: &Value, endpoint: &str) {
    for alg in each(listed) {
        let signer = Arc::new(Signer::new(alg.parse().unwrap()));
        let keys = json!({ "keys": [signer.jwk()] });
        let members = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": keys });
        let (_, mut ada, client) = with(members).await;
        proves_itself(&client.signing_with(&signer), &mut ada, endpoint).await;
    }
}

/// Every client comes by its tokens at the token endpoint.
async fn proves_itself(client: &RelyingParty, ada: &mut Browser, endpoint: &str) {
    let tokens = client.tokens(ada).await;
    if endpoint != "/oauth/token" {
        let response = client.post(endpoint, &[("token", &tokens.access)]).await;
        assert_eq!(response.status, 200, "{endpoint} {}", response.text());
    }
}

/// `none` needs a consent that was given; the others get in the way of a code, which still comes.
async fn prompts(listed: &Value) {
    for prompt in each(listed) {
        let (server, mut ada, client) = with(json!({})).await;
        client.code(&mut ada).await;
        server.advance(std::time::Duration::from_secs(1));
        let page = ada.visit(&client.request(&[("prompt", prompt)])).await;
        match prompt {
            "consent" => assert!(page.asks_for_consent()),
            "create" | "login" | "select_account" => assert!(page.asks_to_sign_in()),
            "none" => assert!(page.brought().contains_key("code")),
            unknown => panic!("{unknown}"),
        }
        let response = client.authorize(&mut ada, &[("prompt", prompt)]).await;
        assert!(response.brought().contains_key("code"), "{prompt}");
    }
}

async fn request_parameter(listed: &Value) {
    let (_, mut ada, client) = with(json!({})).await;
    let response = ada.visit(&client.request(&[("request", "a.b.c")])).await;
    response.refused(ErrorCode::RequestNotSupported, Refusal::RequestObjectUnsupported);
    assert_eq!(listed, &json!(false));
}

async fn request_uri_parameter(listed: &Value) {
    let (_, mut ada, client) = with(json!({})).await;
    let elsewhere = ("request_uri", "https://any.example/request");
    let response = ada.visit(&client.request(&[elsewhere])).await;
    response.refused(ErrorCode::RequestUriNotSupported, Refusal::RequestUriUnsupported);
    assert_eq!(listed, &json!(false));
}

async fn response_modes(listed: &Value) {
    for mode in each(listed) {
        let (_, mut ada, client) = with(json!({})).await;
        let response = client.authorize(&mut ada, &[("response_mode", mode)]).await;
        let form = response.text().contains("<form id=\"answer\" method=\"post\"");
        assert_eq!(form, mode == "form_post");
        client.redeem(&response.brought()["code"]).await.tokens();
    }
}

async fn response_types(listed: &Value) {
    for response_type in each(listed) {
        let (_, mut ada, client) = with(json!({})).await;
        let response = client.authorize(&mut ada, &[("response_type", response_type)]).await;
        assert!(response.brought().contains_key(response_type));
    }
}

async fn scopes(listed: &Value) {
    for scope in each(listed) {
        let (_, mut ada, client) = with(json!({})).await;
        assert_eq!(client.tokens_of(&mut ada, scope).await.scope, scope);
    }
}

/// A person has one name everywhere, or another in each sector (OpenID Connect Core §8).
async fn subject_types(listed: &Value) {
    for subject_type in each(listed) {
        let (server, mut ada) = Server::with_ada().await;
        let mut subjects = BTreeSet::new();
        for sector in ["one.example", "two.example"] {
            let pairwise = (subject_type == "pairwise").then_some(sector);
            let members = json!({ "subject_type": subject_type, "sector": pairwise });
            let tokens = client(&server, members).await.tokens(&mut ada).await;
            subjects.insert(decoded(tokens.id()).1["sub"].to_string());
        }
        assert_eq!(subjects.len(), if subject_type == "pairwise" { 2 } else { 1 });
    }
}

async fn ui_locales(listed: &Value) {
    for locale in each(listed) {
        let (server, _, client) = with(json!({})).await;
        let mut nobody = Browser::new(&server);
        let page = nobody.visit(&client.request(&[("ui_locales", locale)])).await;
        assert!(page.text().contains(&format!("<html lang=\"{locale}\">")));
    }
}
