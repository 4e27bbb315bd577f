//! Software statements (RFC 7591 §2.3): what somebody whom the operator trusts attests of a client.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use super::registration::{manage, native};
use crate::support::{Server, Signer, register};

/// An installation that trusts what `publisher` signs.
async fn trusting(publisher: &Signer) -> Server {
    let keys = tempfile::NamedTempFile::new().unwrap();
    let listed = json!({ "keys": [publisher.jwk()] });
    std::fs::write(keys.path(), listed.to_string()).unwrap();
    Server::with(Issuer::localhost(7455), |config| {
        config.registration.software_statement_keys = Some(keys.path().to_owned());
    })
    .await
}

/// A registration with a statement that `publisher` signed, its claims changed.
fn stating(server: &Server, publisher: &Signer, changes: &Value) -> Value {
    let mut claims = json!({ "client_name": "Signed" });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let mut stated = native();
    stated["software_statement"] = publisher.assertion(server, "publisher", &claims).into();
    stated
}

#[tokio::test]
async fn what_a_statement_says_goes_before_what_the_client_says() {
    let publisher = Signer::new(SigningAlg::Es256);
    let server = trusting(&publisher).await;
    let stated = stating(&server, &publisher, &json!({}));

    let response = register(&server, stated.clone()).await;
    server.advance(Duration::from_hours(2));
    let late = register(&server, stated).await;

    assert_eq!(response.json()["client_name"], "Signed", "{}", response.text());
    late.refused(ErrorCode::InvalidSoftwareStatement, Refusal::SoftwareStatementMalformed);
}

/// RFC 7591 §3.2.1
#[tokio::test]
async fn a_statement_is_told_as_it_was_made_wherever_a_registration_is() {
    let publisher = Signer::new(SigningAlg::Es256);
    let server = trusting(&publisher).await;
    let stated = stating(&server, &publisher, &json!({ "exp": null }));

    let registered = register(&server, stated.clone()).await.json();
    let read = manage(&server, Method::GET, &registered, None).await.json();
    let mut update = stated.clone();
    update["client_id"] = registered["client_id"].clone();
    let updated = manage(&server, Method::PUT, &registered, Some(update)).await.json();

    for client in [registered, read, updated] {
        assert_eq!(client["software_statement"], stated["software_statement"]);
    }
}

#[tokio::test]
async fn a_statement_is_signed_by_a_listed_key_and_names_who_attests_it_and_counts_now() {
    let publisher = Signer::new(SigningAlg::Es256);
    let server = trusting(&publisher).await;
    let stranger = Signer::new(SigningAlg::Es256);

    let strange = register(&server, stating(&server, &stranger, &json!({}))).await;

    let unapproved = Refusal::SoftwareStatementUnapproved;
    strange.refused(ErrorCode::UnapprovedSoftwareStatement, unapproved);
    let now = server.app.clock().now().seconds();
    for changes in [
        json!({ "iss": null }),
        json!({ "iss": 1 }),
        json!({ "nbf": now + 1 }),
        json!({ "exp": now }),
        json!({ "exp": "never" }),
    ] {
        let wrong = register(&server, stating(&server, &publisher, &changes)).await;
        let malformed = Refusal::SoftwareStatementMalformed;
        wrong.refused(ErrorCode::InvalidSoftwareStatement, malformed);
    }
}
