//! What applications learn of a person: groups, roles, a vouched e-mail address, and claims that an
//! operator gave them.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Server, decoded};

async fn set(server: &Server, username: &str, patch: Value) {
    let path = format!("/users/{username}");
    let response = server.operate(Method::PATCH, &path, patch).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

/// A client of an operator's that may ask for `scope`.
async fn app(server: &Server, scope: &str, more: Value) -> RelyingParty {
    let mut registration = json!({
        "name": "App", "redirect_uris": ["https://app.example/cb"], "scope": scope,
    });
    registration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.client(registration).await
}

/// What the ID token, userinfo and the access token say after a request with `changes`.
async fn learned(app: &RelyingParty, ada: &mut Browser, changes: &[(&str, &str)]) -> [Value; 3] {
    let code = app.authorize(ada, changes).await.brought().remove("code").unwrap();
    let tokens = app.redeem(&code).await.tokens();
    let userinfo = app.userinfo(&tokens.access).await.json();
    [decoded(tokens.id()).1, userinfo, decoded(&tokens.access).1]
}

/// Types an address on the account page.
async fn types(person: &mut Browser, address: &str) {
    person.visit("/account").await;
    let stored = person
        .submit("/gate/account/profile", &[("display_name", "ada"), ("email", address)])
        .await;
    assert_eq!(stored.location(), "/gate/account");
}

/// The Kubernetes authenticator reads `--oidc-groups-claim` of the ID token, an array of texts; Argo
/// CD asks for the scope `groups` and reads the ID token or userinfo; Grafana maps `groups` of either.
#[tokio::test]
async fn groups_and_roles_are_told_in_one_claim_wherever_programs_look() {
    let (server, mut ada) = Server::with_ada().await;
    set(&server, "ada", json!({ "groups": ["system:masters", "staff"] })).await;
    let app = app(&server, "openid profile email groups", json!({})).await;

    let asked = [("scope", "openid profile email groups")];
    let everywhere = learned(&app, &mut ada, &asked).await;
    let nowhere = learned(&app, &mut ada, &[("scope", "openid profile")]).await;

    for claims in everywhere {
        assert_eq!(claims["groups"], json!(["admin", "staff", "system:masters", "user"]));
        assert_eq!(claims.get("roles"), None);
    }
    for claims in nowhere {
        assert_eq!((claims.get("groups"), claims.get("roles")), (None, None));
    }
}

#[tokio::test]
async fn roles_have_a_scope_of_their_own() {
    let (server, mut ada) = Server::with_ada().await;
    set(&server, "ada", json!({ "groups": ["staff"] })).await;
    let app = app(&server, "openid roles", json!({})).await;

    for claims in learned(&app, &mut ada, &[("scope", "openid roles")]).await {
        assert_eq!((&claims["roles"], claims.get("groups")), (&json!(["admin", "user"]), None));
    }
}

/// Everybody may tell of their groups, and a client has to be an operator's to ask.
#[tokio::test]
async fn every_person_grants_groups_and_only_a_registered_client_asks_for_them() {
    let server = Server::new().await;
    let mut bob = server.person("bob").await;
    let app = app(&server, "openid groups", json!({})).await;
    let itself = json!({
        "client_name": "Itself", "redirect_uris": ["https://itself.example/cb"],
        "token_endpoint_auth_method": "none", "scope": "openid groups",
    });
    let registered = crate::support::register(&server, itself).await.json();
    let itself = RelyingParty::new(&server, &registered);

    let granted = app.tokens_of(&mut bob, "openid groups").await;
    let dropped = itself.tokens_of(&mut bob, "openid groups").await;

    assert_eq!(decoded(granted.id()).1["groups"], json!(["user"]));
    assert_eq!((&*granted.scope, &*dropped.scope), ("groups openid", "openid"));
}

/// OpenID Connect Core §5.5
#[tokio::test]
async fn each_of_them_may_be_asked_for_by_name() {
    let (server, mut ada) = Server::with_ada().await;
    let claims = json!({ "given_name": "Ada" });
    set(&server, "ada", json!({ "groups": ["staff"], "email": "a@id.example", "claims": claims }))
        .await;
    let app = app(&server, "openid profile email groups roles", json!({})).await;
    let names = ["groups", "roles", "email_verified", "given_name"];
    let named: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();

    for place in ["id_token", "userinfo"] {
        let claims = json!({ place: named }).to_string();
        let asked = [("scope", "openid"), ("claims", claims.as_str())];
        let [id, userinfo, access] = learned(&app, &mut ada, &asked).await;

        let (here, there) = if place == "userinfo" { (&userinfo, &id) } else { (&id, &userinfo) };
        assert_eq!(here["groups"], json!(["admin", "staff", "user"]));
        assert_eq!(here["roles"], json!(["admin", "user"]));
        assert_eq!((&here["email_verified"], here.get("email")), (&json!(false), None));
        assert_eq!((&here["given_name"], here.get("name")), (&json!("Ada"), None));
        for name in names {
            assert_eq!((there.get(name), access.get(name)), (None, None), "{name}");
        }
    }
}

#[tokio::test]
async fn an_operator_vouches_for_an_address_until_it_changes() {
    let (server, mut ada) = Server::with_ada().await;
    let app = app(&server, "openid email", json!({})).await;
    let verified = async |ada: &mut Browser| {
        let [id, userinfo, _] = learned(&app, ada, &[("scope", "openid email")]).await;
        assert_eq!(id["email_verified"], userinfo["email_verified"]);
        id["email_verified"].clone()
    };

    set(&server, "ada", json!({ "email": "ada@id.example" })).await;
    let entered = verified(&mut ada).await;
    set(&server, "ada", json!({ "email_verified": true })).await;
    let vouched = verified(&mut ada).await;
    set(&server, "ada", json!({ "email": "ada@id.example" })).await;
    let again = verified(&mut ada).await;
    set(&server, "ada", json!({ "email": "lovelace@id.example" })).await;
    let changed = verified(&mut ada).await;
    set(&server, "ada", json!({ "email": "l@id.example", "email_verified": true })).await;
    let at_once = verified(&mut ada).await;

    assert_eq!([entered, vouched, again, changed, at_once], [false, true, true, false, true]);
}

/// It is about addresses that an operator entered: anybody could type one.
#[tokio::test]
async fn the_policy_vouches_for_what_operators_entered_and_not_for_what_people_typed() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.policy.email_verified = true;
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let app = app(&server, "openid email", json!({})).await;
    let verified = async |ada: &mut Browser| {
        let [id, ..] = learned(&app, ada, &[("scope", "openid email")]).await;
        id["email_verified"].clone()
    };

    types(&mut ada, "ada@id.example").await;
    let typed = verified(&mut ada).await;
    set(&server, "ada", json!({ "email": "ada@id.example", "email_verified": true })).await;
    let vouched = verified(&mut ada).await;
    types(&mut ada, "ada@id.example").await;
    let same = verified(&mut ada).await;
    types(&mut ada, "other@id.example").await;
    let changed = verified(&mut ada).await;
    set(&server, "ada", json!({ "email": "other@id.example" })).await;
    let entered = verified(&mut ada).await;
    set(&server, "ada", json!({ "email_verified": false })).await;
    let denied = verified(&mut ada).await;
    set(&server, "ada", json!({ "email_verified": null })).await;
    let by_policy = verified(&mut ada).await;

    assert_eq!([typed, vouched, same, changed], [false, true, true, false]);
    assert_eq!([entered, denied, by_policy], [true, false, true]);
}

#[tokio::test]
async fn no_two_people_have_one_address_in_any_form() {
    let server = Server::new().await;
    let add = async |username: &str, email: &str| {
        let person = json!({ "username": username, "email": email });
        server.operate(Method::POST, "/users", person).await
    };
    assert_eq!(add("ada", "\u{e4}da@b\u{fc}cher.example").await.status, 201);
    assert_eq!(add("bob", "bob@id.example").await.status, 201);

    for form in [
        "\u{e4}da@b\u{fc}cher.example",
        "\u{c4}DA@B\u{dc}CHER.example",
        "a\u{308}da@bu\u{308}cher.example",
        "\u{e4}da@xn--bcher-kva.example",
    ] {
        let refused = add("eve", form).await;
        refused.refused(ErrorCode::Conflict, Refusal::EmailTaken);
        let bobs = server.operate(Method::PATCH, "/users/bob", json!({ "email": form })).await;
        bobs.refused(ErrorCode::Conflict, Refusal::EmailTaken);
    }
    set(&server, "ada", json!({ "email": "\u{c4}da@b\u{fc}cher.example" })).await;
    set(&server, "ada", json!({ "email": null })).await;
    assert_eq!(add("eve", "\u{e4}da@b\u{fc}cher.example").await.status, 201);
    server.operate(Method::DELETE, "/users/eve", json!({})).await;
    assert_eq!(add("dan", "\u{e4}da@b\u{fc}cher.example").await.status, 201);
}

/// Otherwise whoever types the address of somebody else keeps them from having it.
#[tokio::test]
async fn an_operator_gives_an_address_to_its_owner_that_somebody_typed() {
    let (server, mut ada) = Server::with_ada().await;
    server.person("bob").await;
    let email = async |username: &str| {
        let person = server.operate(Method::GET, &format!("/users/{username}"), json!({})).await;
        person.json()["email"].take()
    };

    types(&mut ada, "Bob@id.example").await;
    let given = json!({ "email": "bob@id.example" });
    let given = server.operate(Method::PATCH, "/users/bob", given).await.json();
    types(&mut ada, "eve@id.example").await;
    let eve = json!({ "username": "eve", "email": "eve@id.example" });
    let added = server.operate(Method::POST, "/users", eve).await.json();

    assert_eq!(
        (&given["email_taken_from"], &added["email_taken_from"]),
        (&json!("ada"), &json!("ada"))
    );
    assert_eq!(email("ada").await, Value::Null);
    assert_eq!(
        (email("bob").await, email("eve").await),
        (json!("bob@id.example"), json!("eve@id.example"))
    );
    // What an operator gave stays.
    let refused = json!({ "email": "bob@id.example" });
    let refused = server.operate(Method::PATCH, "/users/ada", refused).await;
    refused.refused(ErrorCode::Conflict, Refusal::EmailTaken);
}

/// The person could type another one between the operator's look and the command.
#[tokio::test]
async fn an_operator_names_the_typed_address_that_they_vouch_for() {
    let (server, mut ada) = Server::with_ada().await;
    types(&mut ada, "ada@id.example").await;

    for word in [json!(true), json!(false), Value::Null] {
        let word = json!({ "email_verified": word });
        let refused = server.operate(Method::PATCH, "/users/ada", word).await;
        refused.refused(ErrorCode::InvalidRequest, Refusal::EmailUnnamed);
    }
    let named = json!({ "email": "ada@id.example", "email_verified": true });
    let named = server.operate(Method::PATCH, "/users/ada", named).await.json();

    assert_eq!(named["email_verified"], true);
}

#[tokio::test]
async fn an_operator_gives_a_person_claims_that_come_with_the_profile() {
    let (server, mut ada) = Server::with_ada().await;
    let given = json!({ "given_name": "Ada", "zoneinfo": "Europe/London", "desk": "4b" });
    set(&server, "ada", json!({ "claims": given })).await;
    set(&server, "ada", json!({ "claims": { "desk": null, "locale": "en-GB" } })).await;
    let app = app(&server, "openid profile email", json!({})).await;

    let [id, userinfo, access] = learned(&app, &mut ada, &[("scope", "openid profile")]).await;
    let [without, ..] = learned(&app, &mut ada, &[("scope", "openid email")]).await;

    for claims in [id, userinfo] {
        assert_eq!((&claims["given_name"], &claims["locale"]), (&json!("Ada"), &json!("en-GB")));
        assert_eq!((&claims["zoneinfo"], claims.get("desk")), (&json!("Europe/London"), None));
    }
    assert_eq!((access.get("given_name"), without.get("given_name")), (None, None));
}

#[tokio::test]
async fn a_claim_of_the_protocol_is_not_an_operators_to_give() {
    let (server, _ada) = Server::with_ada().await;
    let give = async |claims: Value| {
        server.operate(Method::PATCH, "/users/ada", json!({ "claims": claims })).await
    };

    for name in ["sub", "iss", "scope", "client_id", "groups", "roles", "email_verified", "AUD"] {
        let refused = give(json!({ name: "x" })).await;
        refused.refused(ErrorCode::InvalidRequest, Refusal::ClaimReserved);
    }
    let many: serde_json::Map<String, Value> =
        (0..33).map(|n| (format!("claim{n}"), "x".into())).collect();
    assert_eq!(give(many.into()).await.status, 400);
    assert_eq!(give(json!({ "desk": "" })).await.status, 400);
}

/// OpenID Connect Core §5.4: they are "returned from the UserInfo Endpoint", and in the ID token where
/// the client asked for them there.
#[tokio::test]
async fn a_client_may_have_the_claims_of_its_scopes_at_userinfo_alone() {
    let (server, mut ada) = Server::with_ada().await;
    set(&server, "ada", json!({ "email": "ada@id.example", "groups": ["staff"] })).await;
    let scope = "openid profile email groups";
    let app = app(&server, scope, json!({ "claims": "userinfo" })).await;
    let by_name = json!({ "id_token": { "email": null } }).to_string();

    let [id, userinfo, access] = learned(&app, &mut ada, &[("scope", scope)]).await;
    let [named, ..] = learned(&app, &mut ada, &[("scope", scope), ("claims", &by_name)]).await;

    for name in ["name", "preferred_username", "email", "email_verified", "groups"] {
        assert_eq!(id.get(name), None, "{name}");
        assert!(userinfo.get(name).is_some(), "{name}");
    }
    assert!(id.get("sub").is_some() && access.get("groups").is_some());
    assert_eq!((&named["email"], named.get("name")), (&json!("ada@id.example"), None));
}

#[tokio::test]
async fn a_client_for_itself_gets_no_scope_about_people() {
    let server = Server::new().await;
    let scope = "openid profile email groups roles offline_access";
    let robot = server.client(json!({ "name": "Robot", "scope": scope })).await;
    let grant = ("grant_type", "client_credentials");

    let by_default = robot.ask(&[grant]).await.tokens();
    let asked = robot.ask(&[grant, ("scope", "groups")]).await;

    assert_eq!(by_default.scope, "");
    asked.refused(ErrorCode::InvalidScope, Refusal::ScopeNotForItself);
}

/// Whatever a token with all of it is sent to takes it, as large as JSON makes it.
#[tokio::test]
async fn tokens_that_carry_all_that_a_person_may_have_serve_everywhere() {
    let (server, mut ada) = Server::with_ada().await;
    let claims: serde_json::Map<_, _> =
        (0..5).map(|n| (format!("claim_{n}"), json!("\"".repeat(596)))).collect();
    set(&server, "ada", json!({ "claims": claims })).await;
    let more = json!({ "claims": { "claim_5": "\"".repeat(100) } });
    let more = server.operate(Method::PATCH, "/users/ada", more).await;
    more.refused(ErrorCode::InvalidRequest, Refusal::PersonTooLarge);
    let home = json!({ "post_logout_redirect_uris": ["https://app.example/bye"] });
    let app = app(&server, "openid profile email groups roles", home).await;

    let tokens = app.tokens_of(&mut ada, "openid profile email groups roles").await;

    assert!(tokens.id().len() > 8 * 1024, "{}", tokens.id().len());
    assert_eq!(app.userinfo(&tokens.access).await.json()["claim_4"], claims["claim_4"]);
    let inspected = json!({ "token": tokens.access });
    let inspected = server.operate(Method::POST, "/tokens/inspect", inspected).await.json();
    assert_eq!(inspected["active"], true);
    let hint = ("id_token_hint", tokens.id());
    let silent = ada.visit(&app.request(&[hint, ("prompt", "none")])).await;
    assert!(silent.brought().contains_key("code"));
    let asked = [hint, ("post_logout_redirect_uri", "https://app.example/bye")];
    let gone = ada.visit(&format!("/oauth/logout?{}", form_encode(asked))).await;
    assert!(gone.location().starts_with("https://app.example/bye"), "{}", gone.location());
}
