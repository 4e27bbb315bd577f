//! A document of clients, people, groups, scopes, roles and resources, applied as a whole.

mod definitions;
mod groups;
mod prune;

use std::sync::atomic::Ordering;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::apply::{self, Chosen, ClientEntry, Manifest};
use gatelodge::model::email::PersonEmail;
use serde_json::{Value, json};

use crate::support::{Response, Server};

/// Sends a document, with `options` beside it.
async fn send(server: &Server, document: &Value, options: Value) -> Response {
    let mut request = options;
    request["document"] = document.clone();
    server.operate(Method::POST, "/apply", request).await
}

/// The changes that a document makes, a line each.
async fn applied(server: &Server, document: &Value) -> Vec<String> {
    changes(&send(server, document, json!({})).await)
}

async fn pruned(server: &Server, document: &Value) -> Vec<String> {
    changes(&send(server, document, json!({ "prune": true })).await)
}

#[track_caller]
fn changes(response: &Response) -> Vec<String> {
    assert_eq!(response.status, 200, "{}", response.text());
    let view = response.json();
    let line = |change: &Value| {
        let word = |member: &str| change[member].as_str().unwrap().to_owned();
        let members = change["members"].as_array().into_iter().flatten();
        let members = members.map(|own| {
            format!(" {}: {} -> {}", own["member"].as_str().unwrap(), own["before"], own["after"])
        });
        let members: String = members.collect();
        format!("{} {} {}{members}", word("change"), word("noun"), word("name"))
    };
    view["changes"].as_array().unwrap().iter().map(line).collect()
}

async fn get(server: &Server, path: &str) -> Value {
    server.operate(Method::GET, path, json!({})).await.json()
}

/// Everything that a document can have.
fn whole() -> Value {
    json!({
        "clients": {
            "shop": {
                "name": "Laden \u{e9}",
                "redirect_uris": ["https://shop.example/cb"],
                "scopes": ["openid", "orders:read", "stock:read"],
                "client_secret": "a-secret-of-their-own",
                "groups": ["staff"],
                "first_party": true,
            },
            "editor": {
                "client_type": "public",
                "redirect_uris": ["http://127.0.0.1/cb"],
                "enabled": false,
            },
        },
        "groups": { "staff": { "members": ["ada", "bob"] } },
        "resources": {
            "https://api.example": {
                "name": "API", "scopes": ["stock:read"], "typ": "jwt", "client": "shop", "open": false,
            },
        },
        "roles": { "clerk": { "scopes": ["openid", "orders:read"] } },
        "scopes": { "orders:read": { "description": "See your orders", "open": true } },
        "users": {
            "ada": {
                "display_name": "Ada", "email": "ada@example.com", "email_verified": true,
                "roles": ["user", "clerk"], "groups": ["ops"], "claims": { "department": "Engines" },
            },
            "bob": { "disabled": true },
        },
    })
}

#[tokio::test]
async fn a_document_is_applied_as_a_whole_and_the_second_time_changes_nothing() {
    let server = Server::new().await;

    let first = applied(&server, &whole()).await;
    let second = applied(&server, &whole()).await;

    assert_eq!(
        first,
        [
            "added client editor",
            "added client shop",
            "added resource https://api.example",
            "added role clerk",
            "added scope orders:read",
            "added user ada",
            "added user bob",
        ]
    );
    assert_eq!(second, [""; 0]);
    let shop = get(&server, "/clients/shop").await;
    assert_eq!(shop["name"], "Laden \u{e9}");
    assert_eq!(shop["scope"], "openid orders:read stock:read");
    assert_eq!((&shop["groups"], &shop["first_party"]), (&json!(["staff"]), &json!(true)));
    let editor = get(&server, "/clients/editor").await;
    assert_eq!((&editor["name"], &editor["enabled"]), (&json!("editor"), &json!(false)));
    let ada = get(&server, "/users/ada").await;
    assert_eq!(ada["groups"], json!(["ops", "staff"]));
    assert_eq!((&ada["roles"], &ada["email_verified"]), (&json!(["user", "clerk"]), &json!(true)));
    assert_eq!(ada["claims"], json!({ "department": "Engines" }));
    let bob = get(&server, "/users/bob").await;
    assert_eq!((&bob["groups"], &bob["disabled"]), (&json!(["staff"]), &json!(true)));
    let api = get(&server, "/resources/https%3A%2F%2Fapi.example").await;
    assert_eq!((&api["client_id"], &api["typ"]), (&json!("shop"), &json!("jwt")));
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let (server, disk) = Server::with_counted_syncs().await;
    applied(&server, &whole()).await;
    let before = disk.syncs.load(Ordering::SeqCst);

    applied(&server, &whole()).await;

    assert_eq!(disk.syncs.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn what_is_named_is_set_and_what_is_left_out_stays() {
    let server = Server::new().await;
    applied(&server, &whole()).await;
    let document = json!({
        "clients": { "shop": { "name": "Shop", "scopes": ["openid"], "groups": [] } },
        "resources": { "https://api.example/": { "open": true, "accepts_bridge": true } },
        "scopes": { "orders:read": { "open": false } },
        "users": { "ada": { "email": "", "claims": {}, "roles": ["user"] } },
    });

    let changed = applied(&server, &document).await;

    assert_eq!(
        changed,
        [
            "changed client shop groups: [\"staff\"] -> [] name: \"Laden \u{e9}\" -> \"Shop\" \
             scopes: [\"openid\",\"orders:read\",\"stock:read\"] -> [\"openid\"]",
            "changed resource https://api.example accepts_bridge: false -> true open: false -> true",
            "changed scope orders:read open: true -> false",
            "changed user ada claims: {\"department\":\"Engines\"} -> {} email: \"ada@example.com\" \
             -> null email_verified: true -> null roles: [\"user\",\"clerk\"] -> [\"user\"]",
        ]
    );
    let shop = get(&server, "/clients/shop").await;
    assert_eq!(
        (&shop["first_party"], &shop["redirect_uris"]),
        (&json!(true), &json!(["https://shop.example/cb"]))
    );
    assert_eq!(get(&server, "/users/ada").await["groups"], json!(["ops", "staff"]));
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let server = Server::new().await;

    let tried = send(&server, &whole(), json!({ "dry_run": true })).await;

    assert_eq!(tried.json()["dry_run"], json!(true));
    let without_links = tried.json()["changes"].as_array().unwrap().clone();
    assert!(without_links.iter().all(|change| change.get("setup_url").is_none()));
    assert_eq!(get(&server, "/clients").await["clients"], json!([]));
    assert_eq!(get(&server, "/users").await["users"], json!([]));
    assert_eq!(changes(&tried), applied(&server, &whole()).await);
}

#[tokio::test]
async fn each_new_person_has_an_id_and_a_link_of_their_own() {
    let server = Server::new().await;
    let document = json!({ "users": { "ada": {}, "bob": {} } });

    let response = send(&server, &document, json!({})).await.json();

    let links: Vec<_> = response["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["setup_url"].clone())
        .collect();
    assert!(links[0].is_string() && links[1].is_string() && links[0] != links[1], "{links:?}");
    let (ada, bob) = (get(&server, "/users/ada").await, get(&server, "/users/bob").await);
    assert_ne!(ada["id"], bob["id"]);
    let mut browser = crate::support::Browser::new(&server);
    browser.enrol(links[1].as_str().unwrap(), None).await;
    assert_eq!(get(&server, "/users/bob").await["passkeys"], 1);
}

#[tokio::test]
async fn a_secret_is_compared_and_never_returned() {
    let server = Server::new().await;
    let with = |secret: &str| json!({ "clients": { "nightly": { "client_secret": secret } } });
    applied(&server, &with("the-first-secret")).await;

    let same = applied(&server, &with("the-first-secret")).await;
    let other = send(&server, &with("the-second-secret"), json!({})).await;

    assert_eq!(same, [""; 0]);
    assert_eq!(changes(&other), ["changed client nightly secret: null -> null"]);
    assert!(!other.text().contains("argon2") && !other.text().contains("second"));
    let token = async |secret: &str| {
        let nightly = json!({ "client_id": "nightly", "client_secret": secret });
        let fields = [("grant_type", "client_credentials")];
        crate::support::RelyingParty::new(&server, &nightly).ask(&fields).await.status
    };
    assert_eq!(token("the-second-secret").await, 200);
    assert_eq!(token("the-first-secret").await, 401);
}

#[tokio::test]
async fn a_secret_that_the_server_made_is_named_as_unseen() {
    let server = Server::new().await;
    let document = json!({
        "clients": { "nightly": {} },
        "resources": { "https://api.example": { "introspect": true } },
    });

    let response = send(&server, &document, json!({})).await.json();

    assert_eq!(response["changes"][0]["unseen_secret"], "nightly");
    let api = get(&server, "/resources/https%3A%2F%2Fapi.example").await;
    assert_eq!(response["changes"][1]["unseen_secret"], api["client_id"]);
    assert!(!response.to_string().contains("gl_cs_"));
}

#[tokio::test]
async fn a_fault_has_its_place_and_writes_nothing() {
    let server = Server::new().await;
    for (document, place, refusal) in [
        (json!({ "client": {} }), "client", Refusal::MemberUnknown),
        (json!({ "users": { "ada": { "role": [] } } }), "users.ada.role", Refusal::MemberUnknown),
        (
            json!({ "users": { "ada": { "roles": ["user", "amdin"] } } }),
            "users.ada.roles[1]",
            Refusal::RoleUnknown,
        ),
        (json!({ "users": { "a da": {} } }), "users.\"a da\"", Refusal::UsernameMalformed),
        (
            json!({ "users": { "ada": { "groups": ["a", "b,c"] } } }),
            "users.ada.groups[1]",
            Refusal::GroupMalformed,
        ),
        (
            json!({ "users": { "ada": { "email": "nobody" } } }),
            "users.ada.email",
            Refusal::EmailMalformed,
        ),
        (
            json!({ "users": { "ada": { "claims": { "sub": "x" } } } }),
            "users.ada.claims.sub",
            Refusal::ClaimReserved,
        ),
        (
            json!({ "users": { "ada": { "email_verified": true } } }),
            "users.ada.email_verified",
            Refusal::EmailMissing,
        ),
        (
            json!({ "groups": { "staff": { "members": ["eve"] } } }),
            "groups.staff.members[0]",
            Refusal::UserNotFound,
        ),
        (
            json!({ "clients": { "shop": { "redirect_uris": ["https://a.example/", "http://b.example/"] } } }),
            "clients.shop.redirect_uris[1]",
            Refusal::RedirectUriNotHttps,
        ),
        (
            json!({ "clients": { "shop": { "scopes": ["openid", "ordres"] } } }),
            "clients.shop.scopes[1]",
            Refusal::ScopeUnknown,
        ),
        (
            json!({ "clients": { "shop": { "pkce": "never" } } }),
            "clients.shop.pkce",
            Refusal::MemberMalformed(
                "pkce",
                "none of the values that are known here: nonce optional required",
            ),
        ),
        (
            json!({ "clients": { "shop": { "access_token_lifetime": 1 } } }),
            "clients.shop.access_token_lifetime",
            Refusal::AccessTokenLifetimeUnfit,
        ),
        (
            json!({ "clients": { "bridge:x": {} } }),
            "clients.\"bridge:x\"",
            Refusal::ClientIdReserved,
        ),
        (
            json!({ "resources": { "https://api.example": { "client": "shpo" } } }),
            "resources.\"https://api.example\".client",
            Refusal::ClientNotFound,
        ),
        (
            json!({ "roles": { "clerk": { "scopes": ["openid", "orders"] } } }),
            "roles.clerk.scopes[1]",
            Refusal::ScopeUnknown,
        ),
        (
            json!({ "scopes": { "admin:x": { "open": true } } }),
            "scopes.\"admin:x\".open",
            Refusal::ScopeReserved,
        ),
    ] {
        let mut document = document;
        document["users"]["zoe"] = json!({});

        let response = send(&server, &document, json!({})).await;

        let body = response.json();
        assert_eq!(body["at"], place, "{body}");
        let description = body["error_description"].as_str().unwrap();
        assert!(description == refusal.reason() || place.ends_with("pkce"), "{body}");
        assert_eq!(get(&server, "/users").await["users"], json!([]), "{place}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_refused_with_what_there_is() {
    let server = Server::new().await;
    applied(&server, &json!({ "users": { "ada": {} } })).await;
    let known = async |document: Value| {
        send(&server, &document, json!({})).await.json()["known"][0].clone()
    };

    let section = known(json!({ "client": {} })).await;
    let member = known(json!({ "clients": { "shop": { "redirect_uri": [] } } })).await;
    let person = known(json!({ "groups": { "staff": { "members": ["aad"] } } })).await;
    let role = known(json!({ "users": { "ada": { "roles": ["amdin"] } } })).await;

    assert_eq!(
        [section, member, person, role],
        ["clients", "redirect_uris", "ada", "admin"].map(Value::from)
    );
}

#[tokio::test]
async fn addresses_and_the_administration_change_hands_in_one_document() {
    let (server, _ada) = Server::with_ada().await;
    applied(&server, &json!({ "users": { "ada": { "email": "ops@example.com" }, "bob": {} } }))
        .await;
    let document = json!({ "users": {
        "ada": { "email": "ada@example.com", "roles": ["user"] },
        "bob": { "email": "ops@example.com", "roles": ["admin"] },
    } });

    let changed = applied(&server, &document).await;

    assert_eq!(changed.len(), 2, "{changed:?}");
    assert_eq!(get(&server, "/users/bob").await["email"], "ops@example.com");
    assert_eq!(get(&server, "/users/ada").await["email"], "ada@example.com");
    let back = json!({ "users": { "bob": { "roles": ["user"] } } });
    let refused = send(&server, &back, json!({})).await;
    refused.refused(ErrorCode::Conflict, Refusal::LastAdministrator);
    assert_eq!(refused.json()["at"], "users.bob");
}

/// Between the comparison of a secret and the transaction somebody may give the client another one.
#[tokio::test]
async fn a_secret_that_changed_after_it_was_compared_is_left_alone() {
    let server = Server::new().await;
    applied(&server, &json!({ "clients": { "nightly": { "client_secret": "one" } } })).await;
    for chosen in [
        Chosen::Same("$argon2id$other".to_owned()),
        Chosen::Another("$argon2id$new".to_owned(), Some("$argon2id$other".to_owned())),
    ] {
        let mut manifest = Manifest::default();
        let entry = ClientEntry { secret: Some(chosen), ..ClientEntry::default() };
        manifest.clients.insert("nightly".parse().unwrap(), entry);

        let refused = server.app.write(move |tx, cx| apply::run(tx, cx, &manifest, false)).await;

        assert_eq!(refused.err().unwrap().refusal(), Some(Refusal::ClientChanged));
    }
}

#[tokio::test]
async fn a_resource_gets_other_credentials_and_leaves_none_behind() {
    let server = Server::new().await;
    let uri = "https://api.example";
    applied(&server, &json!({ "resources": { uri: { "introspect": true } } })).await;
    let own = get(&server, "/resources/https%3A%2F%2Fapi.example").await["client_id"].clone();
    let document = json!({ "clients": { "shop": {} }, "resources": { uri: { "client": "shop" } } });

    let changed = applied(&server, &document).await;

    let line = format!("changed resource https://api.example client: {own} -> \"shop\"");
    assert_eq!(changed, ["added client shop", &line]);
    let clients = get(&server, "/clients").await["clients"].clone();
    assert_eq!(clients.as_array().unwrap().len(), 1, "{clients}");
    let public = json!({
        "clients": { "reader": { "client_type": "public", "redirect_uris": ["http://127.0.0.1/"] } },
        "resources": { uri: { "client": "reader" } },
    });
    let refused = send(&server, &public, json!({})).await;
    assert_eq!(refused.json()["at"], "resources.\"https://api.example\".client");
}

#[tokio::test]
async fn whoever_only_typed_an_address_loses_it_and_is_told_of() {
    let server = Server::new().await;
    applied(&server, &json!({ "users": { "ada": {}, "eve": {} } })).await;
    server
        .change_person("eve", |person| {
            person.email = Some(PersonEmail::by_person("ada@example.com".parse().unwrap()));
        })
        .await;
    let document = json!({ "users": { "ada": { "email": "ada@example.com" } } });

    let changed = applied(&server, &document).await;

    assert_eq!(
        changed,
        [
            "changed user ada email: null -> \"ada@example.com\" email_verified: null -> \"by \
             policy\"",
            "changed user eve email: \"ada@example.com\" -> null email_verified: \"by nobody\" -> null",
        ]
    );
}
