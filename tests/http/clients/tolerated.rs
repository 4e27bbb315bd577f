//! What registration forgives, since it does no harm, and how it says what it does not forgive.

use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::support::{RelyingParty, Response, Server, register};

/// What a library sends that fills in every member it knows.
fn padded() -> Value {
    json!({
        "client_name": "",
        "redirect_uris": ["https://app.example/cb", ""],
        "scope": "",
        "grant_types": [],
        "response_types": [],
        "contacts": [""],
        "jwks_uri": "",
        "logo_uri": "",
        "client_uri": " ",
        "post_logout_redirect_uris": [],
        "token_endpoint_auth_method": "",
        "subject_type": "",
        "id_token_signed_response_alg": "",
        "default_max_age": "",
        "software_statement": "",
        "frontchannel_logout_uri": "",
    })
}

/// RFC 7591 §2: a member without a value is as one that is omitted.
#[tokio::test]
async fn an_empty_member_is_an_absent_one() {
    let server = Server::new().await;
    let bare = json!({ "redirect_uris": ["https://app.example/cb"] });

    let padded = register(&server, padded()).await;
    let bare = register(&server, bare).await;

    assert_eq!(padded.status, 201, "{}", padded.text());
    let described = |response: &Response| {
        let mut members = response.json();
        for own in ["client_id", "client_secret", "registration_access_token"] {
            members.as_object_mut().unwrap().remove(own);
        }
        members.as_object_mut().unwrap().remove("registration_client_uri");
        members
    };
    assert_eq!(described(&padded), described(&bare));
    assert_eq!(padded.json()["scope"], "email offline_access openid profile");
}

#[tokio::test]
async fn a_client_gets_the_scope_that_the_answer_names() {
    let (server, mut ada) = Server::with_ada().await;

    for (scope, registered) in [
        ("", "email offline_access openid profile"),
        ("unheard-of", "email offline_access openid profile"),
        ("openid profile", "offline_access openid profile"),
        ("profile", "offline_access profile"),
    ] {
        let stated = json!({
            "redirect_uris": ["https://app.example/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": scope,
        });
        let registration = register(&server, stated).await.json();
        let client = RelyingParty::new(&server, &registration);

        let mut brought = client.authorize(&mut ada, &[("scope", "")]).await.brought();
        let code = brought.remove("code").unwrap_or_else(|| panic!("{scope}: {brought:?}"));

        assert_eq!(registration["scope"], registered, "{scope}");
        assert_eq!(client.redeem(&code).await.tokens().scope, registered, "{scope}");
    }
}

#[tokio::test]
async fn a_client_that_registered_no_openid_may_ask_for_it() {
    let (server, mut ada) = Server::with_ada().await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"], "scope": "profile" });
    let client = RelyingParty::new(&server, &register(&server, stated).await.json());

    let tokens = client.tokens_of(&mut ada, "openid profile").await;

    assert_eq!(tokens.scope, "openid profile");
    assert!(tokens.id.is_some());
    let silent = [("scope", "email"), ("prompt", "none")];
    let email = client.authorize(&mut ada, &silent).await;
    assert_eq!(email.brought()["error"], "invalid_scope");
}

#[tokio::test]
async fn a_client_whose_scope_an_operator_decided_gets_that_alone() {
    let (server, mut ada) = Server::with_ada().await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"], "scope": "profile" });
    let client = RelyingParty::new(&server, &register(&server, stated).await.json());
    server
        .change_client(&client.id, |client| {
            client.decisions_mut().scope = Some("profile".parse().unwrap());
        })
        .await;

    let tokens = client.tokens_of(&mut ada, "openid profile").await;

    assert_eq!((tokens.scope.as_str(), tokens.id), ("profile", None));
}

/// RFC 7591 §3.2.1: the answer has "all registered metadata".
#[tokio::test]
async fn plain_http_on_a_private_network_is_left_out_beside_others() {
    let server = Server::new().await;
    let with = async |uris: Value| register(&server, json!({ "redirect_uris": uris })).await;

    for private in [
        "http://192.168.1.20:8123/auth/callback",
        "http://10.0.0.7/cb",
        "http://[fd00::7]/cb",
        "http://homeassistant.local:8123/cb",
        "http://homeassistant:8123/cb",
    ] {
        let response = with(json!([private, "https://app.example/cb"])).await;
        assert_eq!(response.status, 201, "{private}: {}", response.text());
        assert_eq!(response.json()["redirect_uris"], json!(["https://app.example/cb"]));

        let alone = with(json!([private])).await;
        let why = Refusal::RedirectUriPrivate.fixed_reason();
        alone.refused(ErrorCode::InvalidRedirectUri, Refusal::RedirectUrisUnfit(why));
    }
    let public = with(json!(["http://app.example/cb", "https://app.example/cb"])).await;
    let why = Refusal::RedirectUriNotHttps.fixed_reason();
    public.refused(ErrorCode::InvalidRedirectUri, Refusal::RedirectUrisUnfit(why));
}

#[tokio::test]
async fn the_answer_names_the_member_that_is_refused() {
    let server = Server::new().await;
    let uris = json!(["https://app.example/cb"]);

    for (member, value) in [
        ("redirect_uris", json!(["urn:ietf:wg:oauth:2.0:oob"])),
        ("redirect_uris", json!(["https://app.example/cb#x"])),
        ("redirect_uris", json!("https://app.example/cb")),
        ("post_logout_redirect_uris", json!(["javascript:x"])),
        ("grant_types", json!(["password"])),
        ("response_types", json!(["token"])),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("jwks", json!({ "keys": [{ "kty": "oct" }] })),
        ("jwks_uri", json!("http://app.example/keys")),
        ("backchannel_logout_uri", json!("http://app.example/logout")),
        ("sector_identifier_uri", json!("ftp://app.example/")),
        ("initiate_login_uri", json!("x")),
        ("client_name", json!("x".repeat(200))),
        ("contacts", json!([7])),
        ("scope", json!("a\"b")),
        ("default_max_age", json!("soon")),
        ("id_token_signed_response_alg", json!("HS256")),
        ("software_id", json!(7)),
        ("software_statement", json!("x")),
    ] {
        let mut metadata = json!({ "redirect_uris": uris });
        metadata[member] = value;
        let response = register(&server, metadata).await;

        assert_eq!(response.status, 400, "{member}");
        let description = response.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.contains(member), "{member}: {description}");
        // The log line has the same reason.
        assert!(response.refusal().unwrap().reason().contains(member), "{member}");
    }
    let oob = register(&server, json!({ "redirect_uris": ["urn:ietf:wg:oauth:2.0:oob"] })).await;
    let description = oob.json()["error_description"].as_str().unwrap().to_owned();
    assert!(description.contains("urn:ietf:wg:oauth:2.0:oob"), "{description}");
}

/// RFC 7592 §2.2: an update may bring back what the answer had, and nothing in the rest.
#[tokio::test]
async fn an_update_may_have_empty_members() {
    let server = Server::new().await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"] });
    let registered = register(&server, stated).await.json();
    let mut update = padded();
    update["client_id"] = registered["client_id"].clone();
    update["client_secret"] = "".into();
    update["registration_access_token"] = "".into();

    let updated =
        super::registration::manage(&server, axum::http::Method::PUT, &registered, Some(update));

    let updated = updated.await;
    assert_eq!(updated.status, 200, "{}", updated.text());
}
