//! What is refused of a client that proves itself by what it signs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelodge::oauth::client::SigningAlg;
use serde_json::{Value, json};

use crate::support::{Response, Server, Signer, assert_to, presenting, token};

/// An assertion of a registered client, its claims changed.
async fn asserted(changes: Value) -> Response {
    let (server, signer) = registered().await;
    assert_to(&server, &signer.assertion(&server, "signer", &changes)).await
}

async fn registered() -> (Server, Signer) {
    let (server, signer) = (Server::new().await, Signer::new(SigningAlg::Es256));
    signer.register(&server, "signer").await;
    (server, signer)
}

pub(super) async fn for_another_audience() -> Response {
    asserted(json!({ "aud": "https://other.example" })).await
}

pub(super) async fn for_an_endpoint() -> Response {
    asserted(json!({ "aud": "http://localhost:7455/oauth/token" })).await
}

pub(super) async fn without_a_type() -> Response {
    let (server, signer) = registered().await;
    assert_to(&server, &signer.typed_assertion("JWT", &server, "signer", &json!({}))).await
}

pub(super) async fn from_the_future() -> Response {
    asserted(json!({ "nbf": 1_767_225_631 })).await
}

pub(super) async fn after_its_time() -> Response {
    asserted(json!({ "exp": 1_767_225_600 })).await
}

pub(super) async fn for_more_than_an_hour() -> Response {
    asserted(json!({ "exp": 1_767_229_231 })).await
}

pub(super) async fn of_no_form() -> Response {
    asserted(json!({ "jti": null })).await
}

pub(super) async fn beside_another_client_id() -> Response {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let [kind, assertion] = presenting(&assertion);
    let fields = [("client_id", "other"), kind, assertion];
    token(&server, None, &fields).await
}

pub(super) async fn for_the_second_time() -> Response {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    assert_to(&server, &assertion).await.tokens();
    assert_to(&server, &assertion).await
}

pub(super) async fn by_another_key() -> Response {
    let (server, _signer) = registered().await;
    let stranger = Signer::new(SigningAlg::Es256);
    assert_to(&server, &stranger.assertion(&server, "signer", &json!({}))).await
}

/// Five keys, and an assertion that does not say by which of them it was signed.
pub(super) async fn of_a_key_without_a_name() -> Response {
    let server = Server::new().await;
    let signers = [0; 5].map(|_| Signer::new(SigningAlg::Es256));
    let keys = json!({ "keys": signers.each_ref().map(Signer::jwk) });
    server.client(json!({ "name": "Signer", "client_id": "signer", "jwks": keys })).await;
    let assertion = signers[0].assertion(&server, "signer", &json!({}));
    let (_, rest) = assertion.split_once('.').unwrap();
    let header = URL_SAFE_NO_PAD
        .encode(json!({ "alg": "ES256", "typ": "client-authentication+jwt" }).to_string());
    assert_to(&server, &format!("{header}.{rest}")).await
}

pub(super) async fn of_another_type() -> Response {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", saml),
        ("client_assertion", &assertion),
    ];
    token(&server, None, &fields).await
}

pub(super) async fn with_keys_out_of_reach() -> Response {
    let (server, signer) = (Server::new().await, Signer::new(SigningAlg::Es256));
    let uri = "https://127.0.0.1:1/jwks.json";
    server.client(json!({ "name": "Far", "client_id": "far", "jwks_uri": uri })).await;
    assert_to(&server, &signer.assertion(&server, "far", &json!({}))).await
}
