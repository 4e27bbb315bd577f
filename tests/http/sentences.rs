//! What a client's developer reads: one sentence a cause, which names the parameter or member.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::support::{RelyingParty, Response, Server, register};

/// The `error_description` of a response, in its body or in the redirect to the client.
#[track_caller]
fn description(response: &Response) -> String {
    match response.redirect_url() {
        Some(url) => {
            let mut pairs = url.query_pairs();
            pairs.find(|(name, _)| name == "error_description").unwrap().1.into_owned()
        }
        None => response.json()["error_description"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn an_authorization_request_is_told_which_parameter_is_wrong() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    for (changes, sentence) in [
        (
            [("code_challenge", ""), ("nonce", "")],
            "code_challenge is missing: PKCE with S256 is required",
        ),
        (
            [("code_challenge", "short"), ("nonce", "n")],
            "code_challenge is not the 43 characters of a base64url SHA-256",
        ),
        (
            [("prompt", "maybe"), ("nonce", "n")],
            "prompt has a value other than none, login, consent, select_account and create",
        ),
        (
            [("scope", "email,openid,profile\""), ("nonce", "n")],
            "scope is no list of scope names, separated by single spaces",
        ),
        ([("max_age", "soon"), ("nonce", "n")], "max_age is no number of seconds"),
    ] {
        let response = ada.visit(&shop.request(&changes)).await;
        assert_eq!(description(&response), sentence);
        assert_eq!(description(&shop.push_raw(&changes).await), sentence);
    }
}

#[tokio::test]
async fn a_token_request_is_told_which_parameter_is_wrong() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let wrong = async |ada: &mut _, name: &str, value: &str| {
        let code = shop.code(ada).await;
        let mut fields = shop.redemption(&code);
        fields.retain(|(own, _)| *own != name);
        fields.push((name, value));
        description(&shop.ask(&fields).await)
    };

    let verifier = wrong(&mut ada, "code_verifier", &"x".repeat(43)).await;
    let redirect = wrong(&mut ada, "redirect_uri", "https://shop.example/other").await;
    let missing = description(&shop.ask(&[("code", "x")]).await);
    let twice = description(
        &shop.ask(&[("code", "x"), ("code", "y"), ("grant_type", "authorization_code")]).await,
    );
    let json = server
        .send(
            axum::extract::Request::post("/oauth/token")
                .header("content-type", "application/json")
                .body("{}".into())
                .unwrap(),
        )
        .await;

    assert_eq!(verifier, "code_verifier does not match code_challenge");
    assert_eq!(redirect, "redirect_uri is not that of the authorization request");
    assert_eq!(missing, "grant_type is missing");
    assert_eq!(twice, "code came more than once");
    assert_eq!(description(&json), "the body is not sent as application/x-www-form-urlencoded");
}

#[tokio::test]
async fn a_registration_is_told_which_member_is_wrong() {
    let server = Server::new().await;
    let refused = async |member: &str, value: Value| {
        let mut metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
        metadata[member] = value;
        description(&register(&server, metadata).await)
    };

    assert_eq!(
        refused("jwks_uri", json!("http://app.example/keys")).await,
        "jwks_uri of the client metadata: an address is https, or http on loopback, in canonical \
         form without user name and fragment"
    );
    assert_eq!(
        refused("redirect_uris", json!(["https://app.example/*"])).await,
        "redirect_uris: a redirect URI has a wildcard"
    );
    assert_eq!(
        refused("token_endpoint_auth_method", json!("tls_client_auth")).await,
        "token_endpoint_auth_method is not supported: none of the values that are known here: \
         client_secret_basic client_secret_post none private_key_jwt"
    );
    assert_eq!(
        refused("contacts", json!("me")).await,
        "contacts of the client metadata: a list is expected"
    );
}

/// An operator finds what a client was refused, and what to do about it.
#[tokio::test]
async fn the_last_refusals_of_a_client_come_with_a_remedy() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let without = shop.request(&[("code_challenge", "")]);
    ada.visit(&without).await.refused(ErrorCode::InvalidRequest, Refusal::CodeChallengeMissing);
    server.advance(std::time::Duration::from_secs(5));
    ada.visit(&shop.request(&[("state", "a"), ("prompt", "maybe")])).await;
    server.app.write_counts().await.unwrap();

    let usage = server.operate(Method::GET, "/clients/shop/usage", json!({})).await.json();

    let last = usage["last_refusals"].as_array().unwrap();
    let of = |member: &str| last.iter().map(|refusal| refusal[member].clone()).collect::<Vec<_>>();
    assert_eq!(of("refusal"), ["PromptUnknown", "CodeChallengeMissing"]);
    assert_eq!(of("reason")[1], "code_challenge is missing: PKCE with S256 is required");
    assert_eq!(
        of("remedy")[1],
        "switch PKCE on in the client; for one that cannot: gatelodge client set shop --pkce nonce, or \
         --pkce optional if it sends no nonce either"
    );
    assert_eq!(of("section")[1], "RFC 7636 §4.4.1");
}

/// The causes that a stranger must not tell apart.
#[tokio::test]
async fn a_code_that_is_unknown_foreign_or_used_is_told_alike() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let code = shop.code(&mut ada).await;
    shop.redeem(&code).await.tokens();

    let used = shop.redeem(&code).await;
    let unknown = shop.redeem("gl_ac_none").await;

    used.refused(ErrorCode::InvalidGrant, Refusal::CodeReplayed);
    unknown.refused(ErrorCode::InvalidGrant, Refusal::CodeUnknown);
    assert_eq!(used.without_event(), unknown.without_event());
}
