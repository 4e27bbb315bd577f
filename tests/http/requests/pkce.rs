//! Who has to send a PKCE challenge, and what may stand in its place: RFC 9700 §2.1 and §2.1.1.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::PkcePolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::refusals::documents::document;
use crate::support::{CHALLENGE, RelyingParty, Response, Server, Site, VERIFIER, register};

/// Parameters that are left out, beside the challenge.
const NO_CHALLENGE: [(&str, &str); 2] = [("code_challenge", ""), ("code_challenge_method", "")];
const NO_NONCE: (&str, &str) = ("nonce", "");
const NO_STATE: (&str, &str) = ("state", "");

/// A confidential client of which the operator says `pkce`.
async fn client(server: &Server, id: &str, pkce: Option<&str>) -> RelyingParty {
    let uri = format!("https://{id}.example/cb");
    let registration = json!({ "name": id, "client_id": id, "redirect_uris": [uri], "pkce": pkce });
    server.client(registration).await
}

/// Requests with less and less that protects their code: a challenge, a nonce, a state, nothing.
fn weaker_and_weaker() -> [Vec<(&'static str, &'static str)>; 4] {
    let without = |more: &[_]| [&NO_CHALLENGE[..], more].concat();
    [Vec::new(), without(&[]), without(&[NO_NONCE]), without(&[NO_NONCE, NO_STATE])]
}

async fn patch(server: &Server, id: &str, patch: Value) -> Response {
    server.operate(Method::PATCH, &format!("/clients/{id}"), patch).await
}

#[tokio::test]
async fn the_operators_word_about_a_client_goes_before_the_policy() {
    for policy in [PkcePolicy::Required, PkcePolicy::Nonce] {
        let server =
            Server::with(Issuer::localhost(7455), |config| config.policy.pkce = policy).await;
        for own in [None, Some("required"), Some("nonce"), Some("optional")] {
            let shop = client(&server, own.unwrap_or("silent"), own).await;
            let accepted = match own.unwrap_or(policy.as_str()) {
                "required" => 1,
                "nonce" => 2,
                _ => 3,
            };
            let refusal = if own == Some("optional") {
                Refusal::StateMissing
            } else {
                Refusal::CodeChallengeMissing
            };

            for (step, changes) in weaker_and_weaker().iter().enumerate() {
                let response = server.get(&shop.request(changes)).await;
                let pushed = shop.push_raw(changes).await;

                if step < accepted {
                    let here = response.location().starts_with("/gate/interaction/");
                    assert!(here && pushed.status == 201, "{policy:?} {own:?} {changes:?}");
                } else {
                    response.refused(ErrorCode::InvalidRequest, refusal);
                    pushed.refused(ErrorCode::InvalidRequest, refusal);
                }
            }
        }
    }
}

/// Without `openid` there is no ID token, in which a nonce would come back.
#[tokio::test]
async fn a_nonce_without_openid_protects_nothing() {
    let server = Server::new().await;
    let wiki = client(&server, "wiki", Some("optional")).await;
    let changes = [&NO_CHALLENGE[..], &[NO_STATE, ("scope", "email")]].concat();

    let response = server.get(&wiki.request(&changes)).await;

    response.refused(ErrorCode::InvalidRequest, Refusal::StateMissing);
}

#[tokio::test]
async fn where_pkce_is_optional_a_challenge_that_came_is_enforced_all_the_same() {
    let (server, mut ada) = Server::with_ada().await;
    let wiki = client(&server, "wiki", Some("optional")).await;
    let without = [&NO_CHALLENGE[..], &[NO_NONCE]].concat();
    let redeem = async |code: &str, verifier: &str| {
        let mut form = wiki.redemption(code);
        form.retain(|(name, _)| *name != "code_verifier");
        form.push(("code_verifier", verifier));
        wiki.ask(&form).await
    };

    let bare = wiki.authorize(&mut ada, &without).await.brought().remove("code").unwrap();
    let unexpected = redeem(&bare, VERIFIER).await;
    let bare = redeem(&bare, "").await;
    let bound = wiki.code(&mut ada).await;
    let missing = redeem(&bound, "").await;
    let wrong = redeem(&bound, CHALLENGE).await;
    let right = redeem(&bound, VERIFIER).await;

    unexpected.refused(ErrorCode::InvalidGrant, Refusal::CodeVerifierUnexpected);
    bare.tokens();
    missing.refused(ErrorCode::InvalidGrant, Refusal::CodeVerifierMissing);
    wrong.refused(ErrorCode::InvalidGrant, Refusal::CodeVerifierWrong);
    right.tokens();
}

#[tokio::test]
async fn only_a_confidential_client_of_the_operators_may_go_without() {
    let site = Site::new().await;
    let private = vec![site.listed()];
    let server =
        Server::with(Issuer::localhost(7455), |config| config.fetch.private = private).await;
    RelyingParty::spa(&server).await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"], "pkce": "optional" });
    let own = RelyingParty::new(&server, &register(&server, stated).await.json());
    let mut described = document(&site);
    described["pkce"] = "optional".into();
    site.serve(&described, "");
    let described = RelyingParty::new(&server, &described);
    let changes = [&NO_CHALLENGE[..], &[NO_NONCE]].concat();

    for stranger in [&own, &described] {
        let response = server.get(&stranger.request(&changes)).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::CodeChallengeMissing);
    }
    let escaped = described.id.replace('/', "%2F");
    for id in ["reader", &own.id, &escaped] {
        let refused = patch(&server, id, json!({ "pkce": "optional" })).await;
        refused.refused(ErrorCode::InvalidRequest, Refusal::PkceOptionalUnfit);
        assert!(refused.json()["remedy"].as_str().unwrap().contains("--pkce default"));
    }
}

#[tokio::test]
async fn a_client_that_may_go_without_is_not_made_public_before_that_is_taken_back() {
    let server = Server::new().await;
    let wiki = client(&server, "wiki", Some("optional")).await;
    let public = json!({ "client_type": "public", "token_endpoint_auth_method": "none" });
    let changes = [&NO_CHALLENGE[..], &[NO_NONCE]].concat();

    let refused = patch(&server, "wiki", public.clone()).await;
    let optional = server.operate(Method::GET, "/clients/wiki", json!({})).await.json();
    let taken_back = patch(&server, "wiki", json!({ "pkce": null })).await.json();
    let published = patch(&server, "wiki", public).await.json();

    refused.refused(ErrorCode::InvalidRequest, Refusal::PkceOptionalUnfit);
    assert_eq!((&optional["pkce"], &taken_back["pkce"]), (&json!("optional"), &json!("required")));
    assert_eq!(published["client_type"], "public");
    let response = server.get(&wiki.request(&changes)).await;
    response.refused(ErrorCode::InvalidRequest, Refusal::CodeChallengeMissing);
}

/// What a client reads of this server has nothing to do with what one other client may do.
#[tokio::test]
async fn metadata_does_not_tell_who_may_go_without() {
    let server = Server::new().await;
    let before = server.get("/.well-known/openid-configuration").await.json();

    client(&server, "wiki", Some("optional")).await;

    assert_eq!(server.get("/.well-known/openid-configuration").await.json(), before);
    assert_eq!(before["code_challenge_methods_supported"], json!(["S256"]));
}
