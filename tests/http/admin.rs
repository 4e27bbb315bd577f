//! The administration API: every verb, and what operators read where it refuses.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::SigningAlg;
use serde_json::{Value, json};

use crate::support::{RelyingParty, Response, Server, Signer, basic, token};

async fn get(server: &Server, path: &str) -> Value {
    server.operate(Method::GET, path, json!({})).await.json()
}

#[tokio::test]
async fn a_client_gets_the_defaults_of_its_kind_and_its_secret_once() {
    let server = Server::new().await;
    let registration = json!({ "name": "Shop", "client_id": "shop", "redirect_uris": ["https://shop.example/cb"] });

    let response = server.operate(Method::POST, "/clients", registration).await;

    let mut client = response.json();
    let secret = client.as_object_mut().unwrap().remove("client_secret").unwrap();
    client.as_object_mut().unwrap().remove("notes").unwrap();
    assert_eq!(response.status, 201);
    assert!(secret.as_str().unwrap().starts_with("gl_cs_"));
    assert_eq!(
        client,
        json!({
            "client_id": "shop",
            "name": "Shop",
            "client_type": "confidential",
            "redirect_uris": ["https://shop.example/cb"],
            "post_logout_redirect_uris": [],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "email offline_access openid profile",
            "token_endpoint_auth_method": "client_secret_basic",
            "first_party": false,
            "pkce": "required",
            "refresh": "grace",
            "id_token_signed_response_alg": "RS256",
            "application_type": "web",
            "backchannel_logout_session_required": false,
            "anonymous": false,
            "assertions": "rfc10070",
            "claims": "id_token",
            "confirmation_waived": false,
            "groups": [],
        "introspect_any": false,
            "require_pushed_authorization_requests": false,
            "resources": [],
            "subject_type": "public",
            "origin": "operator",
            "enabled": true,
            "created": "2026-01-01T00:00:00Z",
        })
    );
    assert_eq!(get(&server, "/clients/shop").await, client);
    assert_eq!(get(&server, "/clients").await, json!({ "clients": [client] }));
}

#[tokio::test]
async fn clients_without_an_id_get_one() {
    let server = Server::new().await;

    let one = server.client(json!({ "name": "Robot" })).await;
    let two = server.client(json!({ "name": "Robot" })).await;

    assert!(one.id.starts_with("gl_"));
    assert_ne!(one.id, two.id);
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let server = Server::new().await;

    for kind in
        [json!({ "client_type": "public" }), json!({ "token_endpoint_auth_method": "none" })]
    {
        let mut registration =
            json!({ "name": "Reader", "redirect_uris": ["https://r.example/cb"] });
        registration.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
        let client = server.operate(Method::POST, "/clients", registration).await.json();

        assert_eq!(client["client_type"], "public");
        assert_eq!(client["token_endpoint_auth_method"], "none");
        assert!(client.get("client_secret").is_none());
    }
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let server = Server::new().await;
    let uris = json!(["https://x.example/cb"]);

    for settings in [
        json!({ "client_type": "public" }),
        json!({ "client_type": "confidential", "token_endpoint_auth_method": "none", "redirect_uris": uris }),
        json!({ "client_type": "public", "grant_types": ["client_credentials"] }),
        json!({ "grant_types": ["authorization_code"] }),
        json!({ "grant_types": ["refresh_token"] }),
        json!({ "grant_types": ["client_credentials"], "redirect_uris": uris }),
        json!({ "id_token_signed_response_alg": "none" }),
        json!({ "refresh": "sometimes" }),
        json!({ "pkce": "plain" }),
    ] {
        let mut registration = json!({ "name": "Odd" });
        registration.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let response = server.operate(Method::POST, "/clients", registration).await;

        response.refused(ErrorCode::InvalidRequest, Refusal::ClientMetadataContradictory("why"));
    }
    assert_eq!(get(&server, "/clients").await, json!({ "clients": [] }));
}

#[tokio::test]
async fn a_removed_client_is_gone() {
    let server = Server::new().await;
    RelyingParty::robot(&server).await;

    let removed = server.operate(Method::DELETE, "/clients/robot", json!({})).await;
    let again = server.operate(Method::DELETE, "/clients/robot", json!({})).await;

    assert_eq!(removed.json(), json!({ "client_id": "robot", "grants_ended": 0, "name": "Robot" }));
    again.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
    assert_eq!(get(&server, "/clients").await, json!({ "clients": [] }));
}

#[tokio::test]
async fn a_person_is_added_with_a_link_that_lasts_fifteen_minutes() {
    let server = Server::new().await;
    let person =
        json!({ "username": "Bob", "email": "bob@example.org", "roles": ["user", "admin"] });

    let response = server.operate(Method::POST, "/users", person).await;

    let mut added = response.json();
    let members = added.as_object_mut().unwrap();
    let url = members.remove("setup_url").unwrap();
    assert_eq!(members.remove("setup_expires").unwrap(), "2026-01-01T00:15:00Z");
    assert_eq!(members.remove("setup_id").unwrap().as_str().unwrap().len(), 36);
    assert_eq!(members["id"].as_str().unwrap().len(), 36);
    assert_eq!(response.status, 201);
    assert!(url.as_str().unwrap().starts_with("http://localhost:7455/setup#gl_st_"));
    assert_eq!(added["display_name"], "Bob");
    assert_eq!(added["roles"], json!(["user", "admin"]));
    assert_eq!((&added["passkeys"], &added["disabled"]), (&json!(0), &json!(false)));
    assert_eq!(get(&server, "/users").await, json!({ "users": [added] }));
}

#[tokio::test]
async fn recovery_names_the_person_and_revokes_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    server.advance(Duration::from_hours(1));

    let link = server.operate(Method::POST, "/recover", json!({ "username": "Ada" })).await.json();

    assert_eq!(link["username"], "ada");
    assert_eq!(link["setup_expires"], "2026-01-01T01:15:00Z");
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn a_change_of_the_issuer_tells_whose_passkeys_it_would_orphan() {
    let (server, _ada) = Server::with_ada().await;
    let change = |confirm: bool| json!({ "issuer": "https://id.example", "confirm": confirm });

    let preview = server.operate(Method::PUT, "/issuer", change(false)).await.json();
    let before = get(&server, "/issuer").await;
    let done = server.operate(Method::PUT, "/issuer", change(true)).await.json();
    let after = get(&server, "/issuer").await;

    assert_eq!(
        preview,
        json!({
            "issuer": "https://id.example",
            "previous": "http://localhost:7455",
            "orphaned": [{ "username": "ada", "passkey": "Passkey" }],
            "changed": false,
        })
    );
    assert_eq!(before, json!({ "issuer": "http://localhost:7455" }));
    assert_eq!(done["changed"], true);
    assert_eq!(after, json!({ "issuer": "https://id.example" }));
}

#[tokio::test]
async fn a_change_of_the_port_orphans_nothing() {
    let (server, _ada) = Server::with_ada().await;
    let change = json!({ "issuer": "http://localhost:8080" });

    let changed = server.operate(Method::PUT, "/issuer", change).await.json();

    assert_eq!(changed["orphaned"], json!([]));
}

#[tokio::test]
async fn a_misspelt_member_is_refused_rather_than_ignored() {
    let server = Server::new().await;

    let misspelt = "{\"name\":\"X\",\"redirect_uri\":\"https://x.example\"}".to_owned();
    let response = server.operate_raw(Method::POST, "/clients", misspelt).await;
    response.refused(
        ErrorCode::InvalidRequest,
        Refusal::MemberMalformed("a member", "it is none that an operator sets of a client"),
    );
    for (method, path, body) in [
        (Method::POST, "/users", "{\"username\":\"x\",\"role\":\"admin\"}"),
        (Method::POST, "/recover", "{\"user\":\"x\"}"),
        (Method::PUT, "/issuer", "{\"issuer\":\"https://x.example\",\"force\":true}"),
        (Method::POST, "/users", "{"),
        (Method::POST, "/clients", ""),
    ] {
        let response = server.operate_raw(method, path, body.to_owned()).await;

        response.refused(ErrorCode::InvalidRequest, Refusal::BodyMalformed);
    }
}

#[tokio::test]
async fn other_verbs_and_addresses_are_refused_in_the_same_words() {
    let server = Server::new().await;

    let verb = server.operate(Method::PATCH, "/clients", json!({})).await;
    let address = server.operate(Method::GET, "/nowhere", json!({})).await;
    let large = server.operate(Method::POST, "/clients", json!("x".repeat(65 * 1024))).await;

    verb.refused(ErrorCode::MethodNotAllowed, Refusal::MethodNotAllowed);
    address.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    large.refused(ErrorCode::PayloadTooLarge, Refusal::BodyTooLarge);
}

#[tokio::test]
async fn a_client_id_with_reserved_characters_is_found_by_its_path() {
    let server = Server::new().await;
    server.client(json!({ "name": "Odd", "client_id": "a b/c?d" })).await;

    let view = get(&server, "/clients/a%20b%2Fc%3Fd").await;
    let removed = server.operate(Method::DELETE, "/clients/a%20b%2Fc%3Fd", json!({})).await;

    assert_eq!(view["client_id"], "a b/c?d");
    assert_eq!(removed.status, 200);
}

async fn patch(server: &Server, id: &str, patch: Value) -> Response {
    server.operate(Method::PATCH, &format!("/clients/{id}"), patch).await
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let server = Server::new().await;
    RelyingParty::web(&server).await;
    let before = get(&server, "/clients/shop").await;
    let changes = json!({
        "name": "Shop & Co", "first_party": true, "access_token_lifetime": 60,
        "redirect_uris": ["https://shop.example/new"], "subject_type": "pairwise",
        "sector": "shop.example",
    });

    let changed = patch(&server, "shop", changes.clone()).await.json();

    let mut expected = before.clone();
    expected.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    assert_eq!(changed, expected);
    let back = json!({
        "name": "Shop", "first_party": null, "access_token_lifetime": null,
        "redirect_uris": ["https://shop.example/cb"], "subject_type": null, "sector": null,
    });
    assert_eq!(patch(&server, "shop", back).await.json(), before);
    assert_eq!(get(&server, "/clients/shop").await, before);
}

/// A client without a scope is not given one by a change of something else.
#[tokio::test]
async fn a_patch_keeps_an_empty_scope_and_both_ways_of_a_secret() {
    let server = Server::new().await;
    let registration = json!({
        "name": "Bare", "client_id": "bare", "scope": "",
        "redirect_uris": ["https://bare.example/cb"],
    });
    let bare = server.client(registration).await;

    let changed = patch(&server, "bare", json!({ "name": "Barer" })).await.json();

    assert_eq!(changed["scope"], "");
    let secret = bare.secret.unwrap();
    let refreshing = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let in_header = token(&server, Some(&basic("bare", &secret)), &refreshing).await;
    let in_body = [("client_id", "bare"), ("client_secret", secret.as_str())];
    let in_body = token(&server, None, &[&refreshing[..], &in_body].concat()).await;
    for response in [in_header, in_body] {
        response.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
    }
}

#[tokio::test]
async fn a_patch_that_makes_no_sense_changes_nothing() {
    let server = Server::new().await;
    RelyingParty::web(&server).await;
    let before = get(&server, "/clients/shop").await;

    let unknown =
        Refusal::MemberMalformed("a member", "it is none that an operator sets of a client");
    for (changes, code, refusal) in [
        (json!({ "nmae": "x" }), ErrorCode::InvalidRequest, unknown),
        (json!({ "client_id": "other" }), ErrorCode::InvalidRequest, unknown),
        (json!({ "created": "now" }), ErrorCode::InvalidRequest, unknown),
        (
            json!({ "enabled": "yes" }),
            ErrorCode::InvalidRequest,
            Refusal::MemberMalformed("enabled", "true or false is expected"),
        ),
        (
            json!({ "name": null }),
            ErrorCode::InvalidRequest,
            Refusal::MemberMalformed("name", "a client needs one"),
        ),
        (json!([]), ErrorCode::InvalidRequest, Refusal::BodyMalformed),
        (json!({ "name": "" }), ErrorCode::InvalidRequest, Refusal::NameMalformed),
        (json!({ "client_secret": 1 }), ErrorCode::InvalidRequest, Refusal::ClientSecretUnfit),
        (
            json!({ "redirect_uris": [] }),
            ErrorCode::InvalidRequest,
            Refusal::ClientMetadataContradictory("why"),
        ),
        (
            json!({ "token_endpoint_auth_method": "none" }),
            ErrorCode::InvalidRequest,
            Refusal::ClientMetadataContradictory("why"),
        ),
    ] {
        patch(&server, "shop", changes).await.refused(code, refusal);
    }
    assert_eq!(get(&server, "/clients/shop").await, before);
    let stranger = patch(&server, "stranger", json!({ "name": "x" })).await;
    stranger.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
}

#[tokio::test]
async fn a_new_secret_ends_the_old_one_at_once() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let credentials = [("grant_type", "client_credentials")];

    let client = server.operate(Method::POST, "/clients/robot/secret", json!({})).await.json();

    let old = robot.ask(&credentials).await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    RelyingParty::new(&server, &client).ask(&credentials).await.tokens();
    assert!(get(&server, "/clients/robot").await.get("client_secret").is_none());
    RelyingParty::spa(&server).await;
    let public = server.operate(Method::POST, "/clients/reader/secret", json!({})).await;
    public.refused(ErrorCode::InvalidRequest, Refusal::ClientMetadataContradictory("why"));
    let stranger = server.operate(Method::POST, "/clients/stranger/secret", json!({})).await;
    stranger.refused(ErrorCode::NotFound, Refusal::ClientNotFound);
}

#[tokio::test]
async fn a_client_goes_from_a_secret_to_a_key_and_back() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let signer = std::sync::Arc::new(Signer::new(SigningAlg::EdDsa));
    let credentials = [("grant_type", "client_credentials")];

    let key = json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [signer.jwk()] },
    });
    let to_key = patch(&server, "robot", key).await.json();
    assert!(to_key.get("client_secret").is_none());
    let by_secret = robot.ask(&credentials).await;
    by_secret.refused(ErrorCode::InvalidClient, Refusal::AuthMethodNotRegistered);
    robot.signing_with(&signer).ask(&credentials).await.tokens();

    let secret = json!({ "token_endpoint_auth_method": "client_secret_basic", "jwks": null });
    let to_secret = patch(&server, "robot", secret).await.json();
    RelyingParty::new(&server, &to_secret).ask(&credentials).await.tokens();
}

#[tokio::test]
async fn a_client_that_is_switched_off_gets_nothing_until_it_is_on_again() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;

    assert_eq!(patch(&server, "shop", json!({ "enabled": false })).await.json()["enabled"], false);
    let refreshed = shop.refresh(tokens.refresh()).await;
    let userinfo = shop.userinfo(&tokens.access).await;
    patch(&server, "shop", json!({ "enabled": true })).await.json();

    refreshed.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    shop.refresh(tokens.refresh()).await.tokens();
}

/// The configuration may know less than it did when the client was registered.
#[tokio::test]
async fn a_patch_validates_only_what_follows_from_what_it_names() {
    let server = Server::new().await;
    RelyingParty::robot(&server).await;
    server
        .change_client("robot", |client| {
            client.metadata_mut().scope = Some("gone".parse().unwrap());
        })
        .await;

    let renamed = patch(&server, "robot", json!({ "name": "Droid" })).await;
    let off = patch(&server, "robot", json!({ "enabled": false })).await;
    let scope = patch(&server, "robot", json!({ "scope": "gone" })).await;

    assert_eq!(renamed.json()["name"], "Droid");
    assert_eq!(off.json()["enabled"], false);
    scope.refused(ErrorCode::InvalidRequest, Refusal::ScopeUnknown);
}
