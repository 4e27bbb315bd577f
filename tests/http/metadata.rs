//! What the server says of itself; `openid/listed.rs` uses all of it.

use gatelodge::oauth::client::DocumentPolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;
use url::Url;

use crate::support::{RelyingParty, Server};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

#[tokio::test]
async fn both_well_known_addresses_say_the_same() {
    let server = Server::new().await;

    let (openid, oauth) = (server.get(OPENID).await, server.get(OAUTH).await);

    assert_eq!(openid.json(), oauth.json());
    let metadata = openid.json();
    let members =
        metadata.as_object().unwrap().iter().map(|(name, value)| format!("{name} {value}"));
    let mut lines: Vec<_> = members.collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    acr_values_supported ["phr"]
    authorization_endpoint "http://localhost:7455/oauth/authorize"
    authorization_response_iss_parameter_supported true
    backchannel_logout_session_supported true
    backchannel_logout_supported true
    claims_parameter_supported true
    claims_supported ["acr","amr","at_hash","aud","auth_time","azp","email","email_verified","exp","family_name","given_name","groups","iat","iss","locale","name","nonce","picture","preferred_username","roles","sid","sub","updated_at","zoneinfo"]
    client_id_metadata_document_supported true
    code_challenge_methods_supported ["S256"]
    device_authorization_endpoint "http://localhost:7455/oauth/device_authorization"
    end_session_endpoint "http://localhost:7455/oauth/logout"
    grant_types_supported ["authorization_code","client_credentials","urn:ietf:params:oauth:grant-type:device_code","refresh_token"]
    id_token_signing_alg_values_supported ["EdDSA","ES256","RS256"]
    introspection_endpoint "http://localhost:7455/oauth/introspect"
    introspection_endpoint_auth_methods_supported ["client_secret_basic","client_secret_post","private_key_jwt"]
    introspection_endpoint_auth_signing_alg_values_supported ["EdDSA","ES256","RS256"]
    introspection_signing_alg_values_supported ["EdDSA","ES256","RS256"]
    issuer "http://localhost:7455"
    jwks_uri "http://localhost:7455/.well-known/jwks.json"
    prompt_values_supported ["none","login","consent","select_account"]
    pushed_authorization_request_endpoint "http://localhost:7455/oauth/par"
    registration_endpoint "http://localhost:7455/oauth/register"
    request_parameter_supported false
    request_uri_parameter_supported false
    require_pushed_authorization_requests false
    response_modes_supported ["form_post","query"]
    response_types_supported ["code"]
    revocation_endpoint "http://localhost:7455/oauth/revoke"
    revocation_endpoint_auth_methods_supported ["client_secret_basic","client_secret_post","none","private_key_jwt"]
    revocation_endpoint_auth_signing_alg_values_supported ["EdDSA","ES256","RS256"]
    scopes_supported ["email","groups","offline_access","openid","profile","roles"]
    subject_types_supported ["pairwise","public"]
    token_endpoint "http://localhost:7455/oauth/token"
    token_endpoint_auth_methods_supported ["client_secret_basic","client_secret_post","none","private_key_jwt"]
    token_endpoint_auth_signing_alg_values_supported ["EdDSA","ES256","RS256"]
    ui_locales_supported ["en","de"]
    userinfo_endpoint "http://localhost:7455/oauth/userinfo"
    userinfo_signing_alg_values_supported ["EdDSA","ES256","RS256"]
    "#);
}

#[tokio::test]
async fn documents_are_listed_where_they_are_fetched() {
    for (policy, offline, listed) in [
        (DocumentPolicy::Off, false, false),
        (DocumentPolicy::Listed, false, true),
        (DocumentPolicy::Any, false, true),
        (DocumentPolicy::Any, true, false),
    ] {
        let server = Server::with(Issuer::localhost(7455), |config| {
            config.documents.policy = policy;
            config.offline = offline;
        });

        let metadata = server.await.get(OPENID).await.json();

        assert_eq!(
            metadata["client_id_metadata_document_supported"], listed,
            "{policy:?} {offline}"
        );
    }
}

/// RFC 9207 §3: the member and the parameter go together.
#[tokio::test]
async fn an_installation_may_leave_iss_out_of_its_answers() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.policy.iss_parameter = false;
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;

    let brought = shop.authorize(&mut ada, &[]).await.brought();

    assert!(!brought.contains_key("iss"));
    let metadata = server.get(OPENID).await.json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], false);
}

#[tokio::test]
async fn the_key_set_holds_one_public_key_for_each_algorithm() {
    let server = Server::new().await;

    let keys = server.get("/.well-known/jwks.json").await.json();

    let keys = keys["keys"].as_array().unwrap();
    let mut algs: Vec<_> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    algs.sort_unstable();
    assert_eq!(algs, ["ES256", "EdDSA", "RS256"]);
    for key in keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
}

#[tokio::test]
async fn the_challenge_of_userinfo_leads_to_a_resource_that_is_described() {
    let server = Server::new().await;
    let challenge = server.get("/oauth/userinfo").await;

    let value = challenge.header("www-authenticate");
    let url = value.split('"').nth(1).unwrap();
    let described = server.get(Url::parse(url).unwrap().path()).await.json();

    assert_eq!(value, format!("Bearer resource_metadata=\"{url}\""));
    assert_eq!(described["resource"], server.issuer());
    assert_eq!(described["authorization_servers"], json!([server.issuer()]));
}

#[tokio::test]
async fn password_managers_find_the_account() {
    let server = Server::new().await;

    let change = server.get("/.well-known/change-password").await;
    let passkeys = server.get("/.well-known/passkey-endpoints").await.json();

    assert_eq!(change.location(), "/gate/account");
    assert_eq!(passkeys["manage"], "http://localhost:7455/gate/account");
}

#[tokio::test]
async fn health_says_that_the_program_runs_and_readiness_that_the_store_takes_writes() {
    let server = Server::new().await;

    assert_eq!(server.get("/healthz").await.json(), json!({ "status": "ok" }));
    assert_eq!(server.get("/readyz").await.json(), json!({ "status": "ok" }));
}
