//! Nobody gives, invites, links, issues, changes or ends more than they have: every operation that
//! touches somebody or something, on targets with more and with less of the administration, by
//! administrators with more and with less of it.

use axum::http::Method;
use gatelodge::config::Config;
use gatelodge::error::Refusal;
use gatelodge::flow::person::people;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::bridge::send;
use crate::devices::certificate_until;
use crate::support::{RelyingParty, Response, Server};

/// What targets have of the administration, and the role that gives it to people.
const LEVELS: [(&str, &str); 5] = [
    ("", "user"),
    ("admin:people", "helpdesk"),
    ("admin:clients", "deployer"),
    ("admin:keys admin:read", "keeper"),
    ("admin", "admin"),
];

/// What the administrators have.
const ADMINISTRATORS: [&str; 5] = [
    "admin:people",
    "admin:clients",
    "admin:keys",
    "admin:read admin:people admin:clients admin:keys",
    "admin",
];

/// The operations on people, which need `admin:people`.
const ON_PEOPLE: [&str; 25] = [
    "add",
    "give the role",
    "take the role",
    "change the name",
    "disable",
    "take the e-mail address",
    "remove",
    "recover",
    "recover and end all",
    "revoke the link",
    "revoke the links",
    "invite",
    "revoke the invitation",
    "remove the passkey",
    "revoke the session",
    "revoke the bridge's session",
    "end the bridge",
    "issue a code",
    "issue a bridge token",
    "add a personal token",
    "revoke the personal token",
    "enroll a certificate",
    "revoke the certificate",
    "revoke the grant",
    "end the connection",
];

/// The operations on clients and resources, which need `admin:clients`.
const ON_CLIENTS: [&str; 14] = [
    "add",
    "give the scope",
    "take the scope",
    "change the name",
    "disable",
    "rotate the secret",
    "remove",
    "import",
    "disable the hook client",
    "let it introspect",
    "add a resource",
    "give a resource the scope",
    "take the scope of a resource",
    "remove the resource",
];

/// The operations on tokens, which need `admin:keys`.
const ON_TOKENS: [&str; 8] = [
    "issue for a client",
    "issue for a person",
    "issue for a person by the client",
    "revoke a client's",
    "revoke a person's",
    "revoke a bridge's",
    "revoke a refresh token",
    "revoke a personal token",
];

/// An operation: what is to be sent.
type Operation = (Method, String, Value);

/// A target of a level, and whatever else an operation needs.
struct Scene<'a> {
    server: &'a Server,
    /// A name that nothing else has.
    name: String,
    role: &'a str,
    scope: &'a str,
}

impl Scene<'_> {
    async fn operate(&self, method: Method, path: &str, body: Value) -> Value {
        let response = self.server.operate(method, path, body).await;
        assert!(response.status.is_success(), "{path}: {}", response.text());
        response.json()
    }

    /// A person of the level.
    async fn person(&self) {
        let person = json!({ "username": self.name, "roles": [self.role] });
        self.operate(Method::POST, "/users", person).await;
    }

    /// A client of the level, that acts for itself.
    async fn client(&self) -> Value {
        let client = json!({ "name": self.name, "client_id": self.name, "scope": self.scope });
        self.operate(Method::POST, "/clients", client).await
    }

    /// A client of the level, that acts for people.
    async fn application(&self) {
        let client = json!({
            "name": self.name, "client_id": self.name, "scope": format!("openid {}", self.scope),
            "redirect_uris": ["https://app.example/cb"],
        });
        self.operate(Method::POST, "/clients", client).await;
    }

    /// A token of the person for the shop, by the operator.
    async fn token(&self) -> Value {
        let asked = json!({ "client_id": "shop", "username": self.name, "scope": "openid" });
        self.operate(Method::POST, "/tokens", asked).await
    }

    async fn bridge_token(&self) -> Value {
        let asked = json!({ "username": self.name });
        self.operate(Method::POST, "/bridge/tokens", asked).await
    }

    async fn personal_token(&self) -> Value {
        let asked = json!({ "username": self.name, "name": "laptop" });
        self.operate(Method::POST, "/personal-tokens", asked).await
    }

    async fn on_person(&self, operation: &str) -> Operation {
        let (name, path) = (&self.name, format!("/users/{}", self.name));
        let of_name = json!({ "username": name });
        let none = json!({});
        match operation {
            "add" => {
                let new = json!({ "username": name, "roles": [self.role] });
                (Method::POST, "/users".into(), new)
            }
            "give the role" => {
                self.operate(Method::POST, "/users", of_name).await;
                (Method::PATCH, path, json!({ "add_roles": [self.role] }))
            }
            "take the e-mail address" => {
                self.person().await;
                let user = self.operate(Method::GET, &path, none).await["id"].clone();
                let user = user.as_str().unwrap().parse().unwrap();
                let email = format!("{name}@example.org");
                let typed = email.parse().unwrap();
                let app = &self.server.app;
                let set =
                    app.write(move |tx, cx| people::set_own_email(tx, cx, user, Some(&typed)));
                set.await.unwrap();
                let other = json!({ "username": format!("other-{name}"), "email": email });
                (Method::POST, "/users".into(), other)
            }
            "remove the passkey" | "revoke the session" => {
                let _browser = self.server.person(name).await;
                self.operate(Method::PATCH, &path, json!({ "roles": [self.role] })).await;
                let noun = if operation == "revoke the session" { "sessions" } else { "passkeys" };
                let listed = format!("/{noun}?user={name}");
                let listed = self.operate(Method::GET, &listed, none.clone()).await;
                let id = listed[noun][0]["id"].as_str().unwrap().to_owned();
                (Method::DELETE, format!("/{noun}/{id}"), none)
            }
            _ => {
                self.person().await;
                self.on_whole_person(operation, path).await
            }
        }
    }

    async fn on_whole_person(&self, operation: &str, path: String) -> Operation {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (of_name, none) = (json!({ "username": self.name }), json!({}));
        let invitation = json!({ "uses": 2, "roles": [self.role] });
        match operation {
            "take the role" => {
                // Without a role there would be nobody to take it from twice.
                (Method::PATCH, path, json!({ "roles": ["clerk"] }))
            }
            "change the name" => (Method::PATCH, path, json!({ "display_name": "Somebody" })),
            "disable" => (Method::PATCH, path, json!({ "disabled": true })),
            "remove" => (Method::DELETE, path, none),
            "recover" => (Method::POST, "/recover".into(), of_name),
            "recover and end all" => (Method::POST, "/recover".into(), {
                json!({ "username": self.name, "end_passkeys": true, "end_sessions": true })
            }),
            "revoke the link" => {
                let id = text(&self.operate(Method::POST, "/recover", of_name).await["setup_id"]);
                (Method::DELETE, format!("/links/{id}"), none)
            }
            "revoke the links" => (Method::POST, "/links/revoke".into(), of_name),
            "invite" => (Method::POST, "/invitations".into(), invitation),
            "revoke the invitation" => {
                let id = text(&self.operate(Method::POST, "/invitations", invitation).await["id"]);
                (Method::DELETE, format!("/invitations/{id}"), none)
            }
            "revoke the bridge's session" => {
                let id = text(&self.bridge_token().await["session_id"]);
                (Method::DELETE, format!("/sessions/{id}"), none)
            }
            "end the bridge" => {
                let id = text(&self.bridge_token().await["session_id"]);
                (Method::DELETE, format!("/bridge/devices/{id}"), none)
            }
            "issue a code" => (Method::POST, "/bridge/codes".into(), of_name),
            "issue a bridge token" => (Method::POST, "/bridge/tokens".into(), of_name),
            "add a personal token" => (Method::POST, "/personal-tokens".into(), of_name),
            "revoke the personal token" => {
                let id = text(&self.personal_token().await["id"]);
                (Method::DELETE, format!("/personal-tokens/{id}"), none)
            }
            "enroll a certificate" => (Method::POST, "/bridge/certificates".into(), {
                json!({ "username": self.name, "certificate": certificate_until(2030) })
            }),
            "revoke the certificate" => {
                let new = json!({ "username": self.name, "certificate": certificate_until(2030) });
                let enrolled = self.operate(Method::POST, "/bridge/certificates", new).await;
                let path = format!("/bridge/certificates/{}", text(&enrolled["fingerprint"]));
                (Method::DELETE, path, none)
            }
            "revoke the grant" | "end the connection" => {
                let id = text(&self.token().await["grant"]);
                let path = format!("/connections/{}:shop", self.name);
                let one = operation == "revoke the grant";
                (Method::DELETE, if one { format!("/grants/{id}") } else { path }, none)
            }
            _ => panic!("{operation}"),
        }
    }

    async fn on_client(&self, operation: &str) -> Operation {
        let (name, path, none) = (&self.name, format!("/clients/{}", self.name), json!({}));
        let uri = format!("https://{name}.example");
        let resource = json!({ "resource": uri, "resource_name": name, "scope": self.scope });
        match operation {
            "add" => (Method::POST, "/clients".into(), {
                json!({ "name": name, "client_id": name, "scope": self.scope })
            }),
            "give the scope" => {
                let client = json!({ "name": name, "client_id": name });
                self.operate(Method::POST, "/clients", client).await;
                let scope: Vec<_> = self.scope.split_whitespace().collect();
                (Method::PATCH, path, json!({ "add": { "scope": scope } }))
            }
            "import" => {
                let id = format!("https://{name}.example/client.json");
                let document = json!({
                    "client_id": id, "redirect_uris": [format!("https://{name}.example/cb")],
                });
                let import = json!({ "client_id": id, "document": document });
                self.operate(Method::POST, "/documents", import.clone()).await;
                let path = format!("/clients/{}", id.replace('/', "%2F"));
                self.operate(Method::PATCH, &path, json!({ "scope": self.scope })).await;
                (Method::POST, "/documents".into(), import)
            }
            "disable the hook client" => {
                self.person().await;
                let token = self.bridge_token().await["token"].as_str().unwrap().to_owned();
                let headers = [("x-api-key", token.as_str())];
                let path = "/v1/auth/bridge/oauth-client";
                let made = send(self.server, Method::POST, path, &headers, &none).await.json();
                let path = format!("/clients/{}", made["client_id"].as_str().unwrap());
                (Method::PATCH, path, json!({ "enabled": false }))
            }
            "add a resource" => (Method::POST, "/resources".into(), resource),
            "give a resource the scope" => {
                let plain = json!({ "resource": uri, "resource_name": name });
                self.operate(Method::POST, "/resources", plain).await;
                (Method::PATCH, format!("/resources/{name}"), json!({ "scope": self.scope }))
            }
            "take the scope of a resource" => {
                self.operate(Method::POST, "/resources", resource).await;
                (Method::PATCH, format!("/resources/{name}"), json!({ "scope": "" }))
            }
            "remove the resource" => {
                self.operate(Method::POST, "/resources", resource).await;
                (Method::DELETE, format!("/resources/{name}"), none)
            }
            _ => {
                self.client().await;
                match operation {
                    "take the scope" => (Method::PATCH, path, json!({ "scope": "" })),
                    "change the name" => (Method::PATCH, path, json!({ "name": "Something" })),
                    "disable" => (Method::PATCH, path, json!({ "enabled": false })),
                    "rotate the secret" => (Method::POST, format!("{path}/secret"), none),
                    "remove" => (Method::DELETE, path, none),
                    "let it introspect" => (Method::POST, "/resources".into(), {
                        json!({ "resource": uri, "client_id": name, "introspect": true })
                    }),
                    _ => panic!("{operation}"),
                }
            }
        }
    }

    async fn on_token(&self, operation: &str) -> Operation {
        let name = &self.name;
        let issue = |asked: Value| (Method::POST, "/tokens".to_owned(), asked);
        let revoke =
            |token: &Value| (Method::POST, "/tokens/revoke".to_owned(), json!({ "token": token }));
        match operation {
            "issue for a client" => {
                self.client().await;
                issue(json!({ "client_id": name }))
            }
            "issue for a person" => {
                self.person().await;
                issue(json!({ "client_id": "shop", "username": name, "scope": "openid" }))
            }
            "issue for a person by the client" => {
                self.application().await;
                issue(json!({ "client_id": name, "username": "bob", "scope": "openid" }))
            }
            "revoke a client's" => {
                self.client().await;
                let asked = json!({ "client_id": name });
                revoke(&self.operate(Method::POST, "/tokens", asked).await["access_token"])
            }
            "revoke a person's" => {
                self.person().await;
                revoke(&self.token().await["access_token"])
            }
            "revoke a bridge's" => {
                self.person().await;
                revoke(&self.bridge_token().await["token"])
            }
            "revoke a refresh token" => {
                let mut browser = self.server.person(name).await;
                let role = json!({ "roles": [self.role] });
                self.operate(Method::PATCH, &format!("/users/{name}"), role).await;
                let reader = self.operate(Method::GET, "/clients/reader", json!({})).await;
                let reader = RelyingParty::new(self.server, &reader);
                revoke(&json!(reader.tokens(&mut browser).await.refresh()))
            }
            "revoke a personal token" => {
                self.person().await;
                revoke(&self.personal_token().await["pat"])
            }
            _ => panic!("{operation}"),
        }
    }
}

/// What `had` lacks of `scope`, and how a refusal names it.
fn lacking(had: &str, scope: &str) -> Option<&'static str> {
    let had: Vec<_> = had.split(' ').collect();
    if had.contains(&"admin") {
        return None;
    }
    let mut lacking: Vec<_> = scope.split_whitespace().collect();
    lacking.retain(|own| !had.contains(own));
    match *lacking {
        [] => None,
        ["admin:read"] => Some("admin:read"),
        ["admin:people"] => Some("admin:people"),
        ["admin:clients"] => Some("admin:clients"),
        ["admin:keys"] => Some("admin:keys"),
        _ => Some("admin"),
    }
}

/// An installation with a role for each level, and whom operations need.
async fn server() -> Server {
    let roles = |config: &mut Config| {
        config.roles.insert("clerk".parse().unwrap(), "openid".parse().unwrap());
        for (scope, role) in LEVELS.iter().filter(|(_, role)| !["user", "admin"].contains(role)) {
            let scope = format!("openid {scope}").parse().unwrap();
            config.roles.insert(role.parse().unwrap(), scope);
        }
    };
    let server = Server::with(Issuer::localhost(7455), roles).await;
    for person in [
        json!({ "username": "root", "roles": ["admin"] }),
        json!({ "username": "bob", "roles": ["user"] }),
    ] {
        server.operate(Method::POST, "/users", person).await;
    }
    RelyingParty::web(&server).await;
    RelyingParty::spa(&server).await;
    server
}

#[derive(Clone, Copy)]
enum On {
    People,
    Clients,
    Tokens,
}

/// Tries every one of `operations` on a target of every level by every administrator.
async fn try_all(on: On, needed: &'static str, operations: &[&str]) {
    let server = server().await;
    let (mut tried, mut refused, mut done) = (0, 0, 0);
    for had in ADMINISTRATORS {
        let token = server.token_of_robot(had).await;
        let has_right = had.split(' ').any(|own| own == needed || own == "admin");
        for (scope, role) in LEVELS {
            for operation in operations {
                tried += 1;
                let scene = Scene { server: &server, name: format!("t{tried}"), role, scope };
                let (method, path, body) = match on {
                    On::People => scene.on_person(operation).await,
                    On::Clients => scene.on_client(operation).await,
                    On::Tokens => scene.on_token(operation).await,
                };
                let what = format!("{operation}: {method} {path} of \"{scope}\" by \"{had}\"");

                let response = server.administer(&token, method, &path, body).await;

                let expected = match lacking(had, scope) {
                    _ if !has_right => Some(Refusal::BearerTokenWithoutAdministration(needed)),
                    Some(scope) => Some(Refusal::AdministrationExceeded(scope)),
                    None => None,
                };
                check(&response, expected, &what);
                refused += usize::from(expected.is_some());
                done += usize::from(expected.is_none());
            }
        }
    }
    assert!(refused > operations.len() && done > operations.len(), "{tried}");
}

#[track_caller]
fn check(response: &Response, expected: Option<Refusal>, what: &str) {
    match expected {
        Some(refusal) => {
            let refused = response.check_refused(refusal.code(), refusal);
            assert!(refused.is_ok(), "{what}: {}", refused.unwrap_err());
        }
        None => assert!(response.status.is_success(), "{what}: {}", response.text()),
    }
}

#[tokio::test]
async fn nobody_touches_a_person_who_has_more() {
    try_all(On::People, "admin:people", &ON_PEOPLE).await;
}

#[tokio::test]
async fn nobody_touches_a_client_or_a_resource_that_has_more() {
    try_all(On::Clients, "admin:clients", &ON_CLIENTS).await;
}

#[tokio::test]
async fn nobody_issues_or_revokes_a_token_that_has_more() {
    try_all(On::Tokens, "admin:keys", &ON_TOKENS).await;
}

/// The link would make an administrator of whoever opens it.
#[tokio::test]
async fn the_first_administrator_is_made_by_one_who_may_everything() {
    let server = Server::new().await;
    let people = server.token_of_robot("admin:people").await;
    let all = server.token_of_robot("admin").await;

    let refused = server.administer(&people, Method::POST, "/recover", json!({})).await;
    let link = server.administer(&all, Method::POST, "/recover", json!({})).await;

    let refusal = Refusal::AdministrationExceeded("admin");
    refused.refused(refusal.code(), refusal);
    assert!(link.json()["setup_url"].is_string());
}

/// Nothing was written where it was refused.
#[tokio::test]
async fn a_refused_change_leaves_everything_as_it_was() {
    let (server, mut ada) = Server::with_ada().await;
    let people = server.token_of_robot("admin:people").await;
    let path = "/users/ada";
    let before = server.operate(Method::GET, path, json!({})).await.json();

    for patch in [json!({ "disabled": true }), json!({ "roles": ["user"], "groups": ["x"] })] {
        let refused = server.administer(&people, Method::PATCH, path, patch).await;
        assert_eq!(refused.status, 403, "{}", refused.text());
    }

    assert_eq!(server.operate(Method::GET, path, json!({})).await.json(), before);
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}
