//! Clients that prove themselves by what they sign: RFC 7523 §2.2 and §3, RFC 10070.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::http::Peer;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::params::form_encode;
use gatelodge::store::schema::UsedAssertion;
use gatelodge::store::{View as _, row_key};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{
    RelyingParty, Response, Server, Signer, assert_to, basic, presenting, register, token,
};

const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

pub(super) async fn registered() -> (Server, Signer) {
    let (server, signer) = (Server::new().await, Signer::new(SigningAlg::Es256));
    signer.register(&server, "signer").await;
    (server, signer)
}

/// `assertion` with other parts, under the signature that it had.
fn altered(assertion: &str, header: Option<Value>, payload: Option<Value>) -> String {
    let parts: Vec<_> = assertion.split('.').collect();
    let part = |new: Option<Value>, old: &str| {
        new.map_or_else(|| old.to_owned(), |new| URL_SAFE_NO_PAD.encode(new.to_string()))
    };
    let header = header.map(|mut header| {
        header["typ"] = "client-authentication+jwt".into();
        header
    });
    format!("{}.{}.{}", part(header, parts[0]), part(payload, parts[1]), parts[2])
}

#[tokio::test]
async fn each_algorithm_proves_a_client() {
    let server = Server::new().await;

    for alg in SigningAlg::ALL {
        let signer = Signer::new(*alg);
        signer.register(&server, alg.as_str()).await;

        let response =
            assert_to(&server, &signer.assertion(&server, alg.as_str(), &json!({}))).await;

        response.tokens();
    }
}

#[tokio::test]
async fn a_client_that_signs_signs_people_in() {
    let (server, mut ada) = Server::with_ada().await;
    let signer = Arc::new(Signer::new(SigningAlg::Es256));
    let registration = json!({
        "name": "Shop", "redirect_uris": ["https://shop.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [signer.jwk()] },
    });
    let shop = server.client(registration).await.signing_with(&signer);

    let tokens = shop.tokens(&mut ada).await;

    assert!(shop.secret.is_none());
    shop.refresh(tokens.refresh()).await.tokens();
}

/// RFC 7521 §4.2: the `client_id` is unnecessary, and names the same client where it comes.
#[tokio::test]
async fn the_client_id_beside_an_assertion_is_left_out_or_the_same() {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let [kind, assertion] = presenting(&assertion);

    let same = [CREDENTIALS, ("client_id", "signer"), kind, assertion];
    let other = [CREDENTIALS, ("client_id", "robot"), kind, assertion];

    let other = token(&server, None, &other).await;
    other.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionOfAnother);
    token(&server, None, &same).await.tokens();
}

/// RFC 10070 §4
#[tokio::test]
async fn the_audience_is_the_issuer_and_nothing_else() {
    let (server, signer) = registered().await;
    let issuer = server.issuer();
    let endpoint = format!("{issuer}/oauth/token");

    for aud in [json!(issuer), json!([issuer])] {
        let assertion = signer.assertion(&server, "signer", &json!({ "aud": aud }));
        assert_to(&server, &assertion).await.tokens();
    }
    for aud in [json!(endpoint), json!([endpoint])] {
        let assertion = signer.assertion(&server, "signer", &json!({ "aud": aud }));
        let response = assert_to(&server, &assertion).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionAudienceOld);
    }
    for aud in [
        json!([issuer, endpoint]),
        json!([issuer, "https://other.example"]),
        json!(format!("{issuer}/")),
        json!(format!("{endpoint}/")),
        json!(format!("{issuer}/oauth/introspect")),
        json!(format!("{issuer}/oauth/par")),
        json!("signer"),
        json!([]),
    ] {
        let assertion = signer.assertion(&server, "signer", &json!({ "aud": aud }));
        let response = assert_to(&server, &assertion).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionAudienceWrong);
    }
}

#[tokio::test]
async fn the_algorithm_is_that_of_the_key() {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let kid = signer.jwk()["kid"].clone();
    let with = |alg: &str| altered(&assertion, Some(json!({ "alg": alg, "kid": kid })), None);

    for alg in ["none", "HS256", "ES384"] {
        let response = assert_to(&server, &with(alg)).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionMalformed);
    }
    for alg in ["RS256", "EdDSA"] {
        let response = assert_to(&server, &with(alg)).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionSignatureWrong);
    }
}

#[tokio::test]
async fn another_key_and_changed_claims_prove_nobody() {
    let (server, signer) = registered().await;
    let stranger = Signer::new(SigningAlg::Es256);
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let kid = signer.jwk()["kid"].clone();
    let foreign = stranger.assertion(&server, "signer", &json!({}));
    let now = server.app.clock().now().seconds();
    let claims = json!({
        "iss": "signer", "sub": "signer", "aud": server.issuer(), "exp": now + 60, "jti": "x",
    });

    for forged in [
        foreign.clone(),
        altered(&foreign, Some(json!({ "alg": "ES256", "kid": kid })), None),
        altered(&foreign, Some(json!({ "alg": "ES256" })), None),
        altered(&foreign, Some(json!({ "alg": "ES256", "jwk": stranger.jwk() })), None),
        altered(&assertion, None, Some(claims)),
    ] {
        let response = assert_to(&server, &forged).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionSignatureWrong);
    }
    assert_to(&server, &assertion).await.tokens();
}

#[tokio::test]
async fn an_assertion_is_good_once_for_each_client() {
    let (server, signer) = registered().await;
    signer.register(&server, "twin").await;
    let assertion = signer.assertion(&server, "signer", &json!({ "jti": "one" }));
    let twin = signer.assertion(&server, "twin", &json!({ "jti": "one" }));

    assert_to(&server, &assertion).await.tokens();
    let again = assert_to(&server, &assertion).await;
    let with_its_jti = signer.assertion(&server, "signer", &json!({ "jti": "one", "exp": null }));

    again.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionReplayed);
    assert_to(&server, &twin).await.tokens();
    let response = assert_to(&server, &with_its_jti).await;
    response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionMalformed);
}

/// It is spent by what it proves, whether or not the request comes to anything.
#[tokio::test]
async fn an_assertion_is_spent_by_a_request_that_fails() {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let [kind, field] = presenting(&assertion);

    let failed = token(&server, None, &[("grant_type", "password"), kind, field]).await;
    let again = assert_to(&server, &assertion).await;

    failed.refused(ErrorCode::UnsupportedGrantType, Refusal::GrantTypeUnsupported);
    again.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionReplayed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_assertion_one_succeeds() {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let mut tasks = JoinSet::new();

    for _ in 0..32 {
        let (server, assertion) = (server.clone(), assertion.clone());
        tasks.spawn(async move { assert_to(&server, &assertion).await });
    }

    let (won, lost): (Vec<_>, Vec<_>) =
        tasks.join_all().await.into_iter().partition(|response| response.status == 200);
    assert_eq!(won.len(), 1);
    for response in lost {
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionReplayed);
    }
}

#[tokio::test]
async fn a_used_assertion_is_remembered_until_it_has_expired_and_no_longer() {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    assert_to(&server, &assertion).await.tokens();
    let stored = || server.app.read().unwrap().count::<UsedAssertion>(10).unwrap();

    server.advance(Duration::from_secs(59));
    server.app.write(|tx, cx| sweep::run(tx, cx).map(|_| ())).await.unwrap();
    assert_eq!(stored(), 1);
    let again = assert_to(&server, &assertion).await;
    again.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionReplayed);

    server.advance(Duration::from_secs(1));
    server.app.write(|tx, cx| sweep::run(tx, cx).map(|_| ())).await.unwrap();
    assert_eq!(stored(), 0);
    let late = assert_to(&server, &assertion).await;
    late.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionExpired);
}

/// Authlib and others make assertions for an hour.
#[tokio::test]
async fn an_assertion_for_an_hour_is_remembered_for_an_hour() {
    let (server, signer) = registered().await;
    let exp = server.app.clock().now().seconds() + 60 * 60;
    let assertion = signer.assertion(&server, "signer", &json!({ "exp": exp }));
    assert_to(&server, &assertion).await.tokens();

    server.advance(Duration::from_secs(60 * 60 - 1));
    server.app.write(|tx, cx| sweep::run(tx, cx).map(|_| ())).await.unwrap();
    let again = assert_to(&server, &assertion).await;
    server.advance(Duration::from_secs(1));
    let late = assert_to(&server, &assertion).await;

    again.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionReplayed);
    late.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionExpired);
}

async fn asserted_from(server: &Server, address: &str, assertion: &str) -> Response {
    let [kind, assertion] = presenting(assertion);
    let form = form_encode([("grant_type", "client_credentials"), kind, assertion]);
    let mut request = Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    server.send(request).await
}

/// Nobody guesses a signature, but each costs a verification by a key that the client chose.
#[tokio::test]
async fn wrong_signatures_slow_down_their_own_network() {
    let (server, signer) = registered().await;
    let stranger = Signer::new(SigningAlg::Es256);
    let right = || signer.assertion(&server, "signer", &json!({}));
    asserted_from(&server, "192.0.2.2", &right()).await.tokens();

    for address in ["192.0.2.1", "192.0.2.2", "127.0.0.1"] {
        for _ in 0..60 {
            let wrong = stranger.assertion(&server, "signer", &json!({}));
            let wrong = asserted_from(&server, address, &wrong).await;
            wrong.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionSignatureWrong);
        }
    }

    let slowed = asserted_from(&server, "192.0.2.1", &right()).await;
    slowed.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(slowed.header("retry-after"), "1");
    // The second network proved the client before, the third never tried, and loopback is everybody.
    for address in ["192.0.2.2", "192.0.2.3", "127.0.0.1"] {
        asserted_from(&server, address, &right()).await.tokens();
    }
}

/// Anybody can register a client and sign for it as often as they like.
#[tokio::test]
async fn a_client_that_nobody_uses_has_sixteen_assertions_stored() {
    let (server, mut ada) = Server::with_ada().await;
    let signer = Arc::new(Signer::new(SigningAlg::Es256));
    let stated = json!({
        "client_name": "Shop", "redirect_uris": ["https://shop.example/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [signer.jwk()] },
    });
    let registered = register(&server, stated).await.json();
    let shop = RelyingParty::new(&server, &registered).signing_with(&signer);
    for _ in 0..16 {
        shop.push(&[]).await;
    }

    server.advance(Duration::from_secs(13));
    let more = shop.push_raw(&[]).await;
    let stored = server.app.read().unwrap().count::<UsedAssertion>(99).unwrap();
    // A person who uses it lifts the bound, once there is room for the proof of their code.
    server.advance(Duration::from_hours(1));
    server.app.write(|tx, cx| sweep::run(tx, cx).map(|_| ())).await.unwrap();
    let tokens = shop.tokens(&mut ada).await;
    for _ in 0..16 {
        shop.push(&[]).await;
    }

    more.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    // An assertion lives for a minute here.
    assert_eq!((more.header("retry-after"), stored), ("47", 16));
    shop.refresh(tokens.refresh()).await.tokens();
}

#[tokio::test]
async fn rows_that_cannot_be_read_hold_up_no_other_however_many_they_are() {
    let server = Server::new().await;
    server.leaves_flaws();
    let spoilt = server.app.write(|tx, cx| {
        let expires = cx.now + Duration::from_secs(1);
        for n in 0_u32..6 {
            let hash = cx.rules.pepper.hash_parts("spoilt", &n.to_be_bytes());
            let key = ("signer".parse()?, hash);
            tx.put(&key, UsedAssertion { expires, holding: None })?;
            tx.put_raw(row_key::<UsedAssertion>(&key), vec![0xff]);
        }
        let key = ("signer".parse()?, cx.rules.pepper.hash_parts("whole", b""));
        Ok(tx.put(
            &key,
            UsedAssertion { expires: expires + Duration::from_secs(1), holding: None },
        )?)
    });
    spoilt.await.unwrap();
    server.advance(Duration::from_secs(2));

    let mut unreadable = Vec::new();
    for _ in 0..3 {
        unreadable.push(server.app.write(sweep::run).await.unwrap().unreadable.len());
    }

    assert_eq!(unreadable, [5, 1, 0]);
    assert_eq!(server.app.read().unwrap().count::<UsedAssertion>(999).unwrap(), 6);
}

#[tokio::test]
async fn an_assertion_beside_another_proof_is_refused() {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let [kind, assertion] = presenting(&assertion);
    let authorization = basic("signer", "secret");

    let with_header = token(&server, Some(&authorization), &[CREDENTIALS, kind, assertion]).await;
    let with_secret =
        token(&server, None, &[CREDENTIALS, kind, assertion, ("client_secret", "s")]).await;

    with_header.refused(ErrorCode::InvalidRequest, Refusal::ClientAuthTwice);
    with_secret.refused(ErrorCode::InvalidRequest, Refusal::ClientAuthTwice);
}

#[tokio::test]
async fn an_assertion_without_its_type_and_a_type_alone_are_refused() {
    let (server, signer) = registered().await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    let [kind, assertion] = presenting(&assertion);

    for field in [kind, assertion] {
        let response = token(&server, None, &[CREDENTIALS, field]).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionTypeUnsupported);
    }
}

#[tokio::test]
async fn the_registered_method_is_the_only_one() {
    let (server, signer) = registered().await;
    RelyingParty::robot(&server).await;

    let for_a_secret = assert_to(&server, &signer.assertion(&server, "robot", &json!({}))).await;
    let by_a_secret = token(&server, Some(&basic("signer", "s")), &[CREDENTIALS]).await;
    let by_nothing = token(&server, None, &[CREDENTIALS, ("client_id", "signer")]).await;
    let unknown = assert_to(&server, &signer.assertion(&server, "nobody", &json!({}))).await;

    for_a_secret.refused(ErrorCode::InvalidClient, Refusal::AuthMethodNotRegistered);
    by_a_secret.refused(ErrorCode::InvalidClient, Refusal::AuthMethodNotRegistered);
    by_nothing.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
    unknown.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    assert_eq!(by_a_secret.without_event(), for_a_secret.without_event());
}

#[tokio::test]
async fn a_client_that_is_switched_off_or_has_other_keys_is_not_proven() {
    let (server, signer) = registered().await;
    let assertion = || signer.assertion(&server, "signer", &json!({}));

    server.change_client("signer", |client| client.enabled = false).await;
    let off = assert_to(&server, &assertion()).await;
    server.change_client("signer", |client| client.enabled = true).await;
    assert_to(&server, &assertion()).await.tokens();
    let other = json!({ "jwks": { "keys": [Signer::new(SigningAlg::Es256).jwk()] } });
    server.operate(axum::http::Method::PATCH, "/clients/signer", other).await.json();
    let changed = assert_to(&server, &assertion()).await;

    off.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    changed.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionSignatureWrong);
}
