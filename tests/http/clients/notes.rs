//! What an operator is told of a client as they register it, before its first request is refused.

use axum::http::Method;
use gatelodge::oauth::client::{PkcePolicy, SigningAlg};
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::support::{Server, Signer};

/// The notes about a client that is registered with `registration`.
async fn notes(server: &Server, registration: Value) -> Vec<String> {
    let response = server.operate(Method::POST, "/clients", registration).await;
    assert_eq!(response.status, 201, "{}", response.text());
    listed(&response.json())
}

fn listed(client: &Value) -> Vec<String> {
    let notes = client["notes"].as_array().cloned().unwrap_or_default();
    notes.iter().map(|note| note["sentence"].as_str().unwrap().to_owned()).collect()
}

/// The note that begins with `subject`.
#[track_caller]
fn about<'a>(notes: &'a [String], subject: &str) -> &'a str {
    let note = notes.iter().find(|note| note.starts_with(&format!("{subject}: ")));
    note.unwrap_or_else(|| panic!("nothing about {subject}: {notes:?}"))
}

fn web(id: &str, more: Value) -> Value {
    let mut registration = json!({
        "name": id, "client_id": id, "redirect_uris": [format!("https://{id}.example/cb")],
        "scope": "openid",
    });
    let Value::Object(more) = more else { panic!("members") };
    registration.as_object_mut().unwrap().extend(more);
    registration
}

#[tokio::test]
async fn what_pkce_asks_of_a_client_is_told_with_what_lets_it_off() {
    for (policy, own, part) in [
        (
            PkcePolicy::Required,
            json!({}),
            "gatelodge client set shop --pkce nonce, or --pkce optional",
        ),
        (PkcePolicy::Nonce, json!({}), "or a nonce beside the scope openid"),
        (PkcePolicy::Nonce, json!({ "pkce": "optional" }), "has to bring a state"),
    ] {
        let server =
            Server::with(Issuer::localhost(7455), |config| config.policy.pkce = policy).await;
        let notes = notes(&server, web("shop", own)).await;

        let note = about(&notes, "PKCE");
        assert!(note.contains(part), "{note}");
        assert_eq!(notes.len(), 1, "{notes:?}");
    }
    let server = Server::new().await;
    let public = notes(&server, web("reader", json!({ "client_type": "public" }))).await;
    assert_eq!(public, ["PKCE: each request has to bring a code_challenge (S256)"]);
    let robot = notes(&server, json!({ "name": "Robot" })).await;
    assert_eq!(robot, [""; 0]);
}

/// Programs that read groups let nobody in who has none of theirs.
#[tokio::test]
async fn groups_that_nobody_is_in_are_told() {
    let (server, _ada) = Server::with_ada().await;
    let groups = json!({ "scope": "openid groups" });

    let without = notes(&server, web("shop", groups.clone())).await;
    server.operate(Method::PATCH, "/users/ada", json!({ "groups": ["staff"] })).await;
    let with = notes(&server, web("wiki", groups)).await;

    let note = about(&without, "groups");
    assert!(note.contains("gatelodge user set NAME --group GROUP"), "{note}");
    assert!(!with.iter().any(|note| note.starts_with("groups")), "{with:?}");
}

/// Many programs know people by their address and nothing else.
#[tokio::test]
async fn a_scope_that_says_nothing_of_somebody_is_told() {
    let (server, _ada) = Server::with_ada().await;
    let email = json!({ "scope": "openid email" });

    let without = notes(&server, web("shop", email.clone())).await;
    let address = json!({ "email": "ada@example.org" });
    server.operate(Method::PATCH, "/users/ada", address).await;
    let unvouched = notes(&server, web("blog", email.clone())).await;
    server.operate(Method::PATCH, "/users/ada", json!({ "email_verified": true })).await;
    let with = notes(&server, web("wiki", email)).await;

    let note = about(&without, "email");
    assert!(note.contains("gatelodge user set ada --email ADDRESS"), "{note}");
    assert!(!note.contains("--email-verified"), "{note}");
    // oauth2-proxy lets in nobody whose address is not verified.
    let note = about(&unvouched, "email");
    assert!(note.contains("gatelodge user set ada --email ADDRESS --email-verified"), "{note}");
    assert!(!with.iter().any(|note| note.starts_with("email")), "{with:?}");
}

#[tokio::test]
async fn a_device_that_may_not_know_its_secret_is_told() {
    let server = Server::new().await;
    let device = json!(["urn:ietf:params:oauth:grant-type:device_code"]);
    let telly = json!({ "name": "Telly", "client_id": "my telly", "grant_types": device });
    let mut public = telly.clone();
    public["client_id"] = "telly".into();
    public["client_type"] = "public".into();

    let confidential = notes(&server, telly).await;
    let public = notes(&server, public).await;

    let note = about(&confidential, "device_code");
    assert!(note.contains("gatelodge client set 'my telly' --auth none"), "{note}");
    assert!(!public.iter().any(|note| note.starts_with("device_code")), "{public:?}");
}

#[tokio::test]
async fn what_an_assertion_says_is_told_with_what_takes_an_older_one() {
    let server = Server::new().await;
    let jwks = json!({ "keys": [Signer::new(SigningAlg::Es256).jwk()] });
    let signer = json!({ "name": "Billing", "client_id": "billing", "jwks": jwks });
    let mut older = signer.clone();
    older["client_id"] = "older".into();
    older["assertions"] = "rfc7523".into();

    let strict = notes(&server, signer).await;
    let older = notes(&server, older).await;

    let note = about(&strict, "private_key_jwt");
    assert!(note.contains("gatelodge client set billing --assertions rfc7523"), "{note}");
    assert_eq!(older, [""; 0]);
}

/// A logout that is never delivered is found out much later.
#[tokio::test]
async fn an_address_that_is_out_of_reach_is_told_as_it_is_named() {
    let offline = Server::with(Issuer::localhost(7455), |config| config.offline = true).await;
    let online = Server::new().await;
    let logout = |uri: &str| json!({ "backchannel_logout_uri": uri });
    let logout_note = async |server: &Server, id: &str, uri: &str| {
        let notes = notes(server, web(id, logout(uri))).await;
        notes.into_iter().find(|note| note.starts_with("backchannel_logout_uri: "))
    };

    let far = logout_note(&offline, "far", "https://shop.example/out").await.unwrap();
    assert!(far.contains("offline"), "{far}");
    assert_eq!(logout_note(&offline, "near", "http://127.0.0.1:3000/out").await, None);
    for (id, uri) in [("public", "https://shop.example/out"), ("private", "https://10.0.0.1/out")] {
        assert_eq!(logout_note(&online, id, uri).await, None, "{id}");
    }
    let nowhere = logout_note(&online, "nowhere", "https://169.254.169.254/out").await.unwrap();
    assert!(nowhere.contains("private or reserved"), "{nowhere}");

    let keys = json!({ "name": "Far", "client_id": "keys", "jwks_uri": "https://a.example/jwks" });
    let keys = notes(&offline, keys).await;
    assert!(about(&keys, "jwks_uri").contains("offline"), "{keys:?}");
    let moved = logout("https://near.example/out");
    let moved = offline.operate(Method::PATCH, "/clients/near", moved).await.json();
    assert!(about(&listed(&moved), "backchannel_logout_uri").contains("offline"));
    let renamed = offline.operate(Method::PATCH, "/clients/near", json!({ "name": "N" })).await;
    assert_eq!(listed(&renamed.json()), [""; 0]);
}
