//! Assertions as libraries made them before RFC 10070, and the clients for which they are taken.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use super::assertions::registered;
use crate::refusals::documents::document;
use crate::support::{
    CHALLENGE, Response, Server, Signer, Site, assert_to, posted, presenting, register,
};

/// An assertion as libraries made it before RFC 10070: for an endpoint, and of no type of its own.
fn older(signer: &Signer, server: &Server, id: &str, endpoint: &str) -> String {
    let aud = json!({ "aud": format!("{}{endpoint}", server.issuer()) });
    signer.typed_assertion("JWT", server, id, &aud)
}

async fn patch(server: &Server, id: &str, patch: Value) -> Response {
    server.operate(Method::PATCH, &format!("/clients/{id}"), patch).await
}

/// RFC 9126 §2 as it was
#[tokio::test]
async fn an_older_library_works_for_the_client_of_which_the_operator_says_so() {
    let (server, signer) = registered().await;
    let registration = json!({
        "name": "Shop", "client_id": "shop", "redirect_uris": ["https://shop.example/cb"],
        "jwks": { "keys": [signer.jwk()] },
    });
    let shop = server.client(registration).await;
    let pushed = async |endpoint: &str| {
        let assertion = older(&signer, &server, "shop", endpoint);
        let request = [("response_type", "code"), ("code_challenge", CHALLENGE)];
        let method = [("code_challenge_method", "S256"), ("redirect_uri", &shop.redirect_uri)];
        let fields = [&presenting(&assertion)[..], &request, &method].concat();
        posted(&server, "/oauth/par", None, &fields).await
    };
    let asserted =
        async |id: &str| assert_to(&server, &older(&signer, &server, id, "/oauth/token")).await;
    let before = asserted("signer").await;

    for id in ["signer", "shop"] {
        let changed = patch(&server, id, json!({ "assertions": "rfc7523" })).await.json();
        assert_eq!(changed["assertions"], "rfc7523");
    }
    signer.register(&server, "twin").await;

    before.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionAudienceOld);
    asserted("signer").await.tokens();
    assert_to(&server, &signer.assertion(&server, "signer", &json!({}))).await.tokens();
    for endpoint in ["/oauth/token", "/oauth/par"] {
        assert_eq!(pushed(endpoint).await.status, 201, "{endpoint}");
    }
    let elsewhere = assert_to(&server, &older(&signer, &server, "signer", "/oauth/par")).await;
    elsewhere.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionAudienceWrong);
    let twin = asserted("twin").await;
    twin.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionAudienceOld);
    patch(&server, "signer", json!({ "assertions": null })).await;
    let again = asserted("signer").await;
    again.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionAudienceOld);
}

/// Nobody who wrote the client reads this server's manual.
#[tokio::test]
async fn the_refusal_of_an_older_assertion_says_how_the_operator_lets_it_in() {
    let (server, signer) = registered().await;
    let untyped = signer.typed_assertion("JWT", &server, "signer", &json!({}));
    assert_to(&server, &older(&signer, &server, "signer", "/oauth/token")).await;
    server.advance(Duration::from_secs(1));
    assert_to(&server, &untyped).await;
    server.app.write_counts().await.unwrap();

    let usage = server.operate(Method::GET, "/clients/signer/usage", json!({})).await.json();

    for (last, name) in ["ClientAssertionUntyped", "ClientAssertionAudienceOld"].iter().enumerate()
    {
        let refusal = &usage["last_refusals"][last];
        let remedy = refusal["remedy"].as_str().unwrap();
        assert_eq!(refusal["refusal"], *name);
        assert!(remedy.contains("gatelodge client set signer --assertions rfc7523"), "{remedy}");
    }
}

#[tokio::test]
async fn a_client_that_registered_or_named_itself_keeps_to_rfc_10070() {
    let site = Site::new().await;
    let private = vec![site.listed()];
    let server =
        Server::with(Issuer::localhost(7455), |config| config.fetch.private = private).await;
    let signer = Signer::new(SigningAlg::Es256);
    let signing = |mut stated: Value| {
        stated["token_endpoint_auth_method"] = "private_key_jwt".into();
        stated["jwks"] = json!({ "keys": [signer.jwk()] });
        stated["assertions"] = "rfc7523".into();
        stated
    };
    let stated = signing(json!({ "redirect_uris": ["https://app.example/cb"] }));
    let own = register(&server, stated).await.json()["client_id"].as_str().unwrap().to_owned();
    let described = signing(document(&site));
    site.serve(&described, "");
    let described = described["client_id"].as_str().unwrap().to_owned();

    for id in [own, described] {
        let response = assert_to(&server, &older(&signer, &server, &id, "/oauth/token")).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionAudienceOld);
        let switched =
            patch(&server, &id.replace('/', "%2F"), json!({ "assertions": "rfc7523" })).await;
        switched.refused(ErrorCode::InvalidRequest, Refusal::AssertionsUnfit);
    }
}
