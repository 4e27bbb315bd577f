//! Linked devices: what belongs to one ends with it, and nothing else does.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{access, code, post, send, whoami};
use crate::devices::enroll;
use crate::support::{Browser, Device, RelyingParty, Response, Server};

const HOOK: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("audience", "hook"), ("plugin_id", "acme/lint")];

/// A device of ada's, and everything that it was given.
struct Linked {
    pat: String,
    session: String,
    token: String,
    hook: Value,
    hook_token: String,
}

impl Linked {
    /// Logs in under `name`, and asks for everything there is.
    async fn new(server: &Server, name: &str, session: &str) -> Self {
        let pat = login(server, Some(name)).await;
        let access = by_pat(server, &pat, session).await.json();
        Self::with(server, pat, &access).await
    }

    async fn with(server: &Server, pat: String, access: &Value) -> Self {
        let token = access["token"].as_str().unwrap().to_owned();
        let hook = hook(server, &token).await.json();
        let hook_token = by_hook(server, &hook).await.tokens().access;
        let session = access["headers"]["x-session-id"].as_str().unwrap().to_owned();
        Self { pat, session, token, hook, hook_token }
    }

    fn id(&self) -> &str {
        &self.pat[8..20]
    }

    async fn assert_live(&self, server: &Server) {
        assert_eq!(by_pat(server, &self.pat, &self.session).await.status, 200);
        self.assert_sessions_live(server).await;
    }

    async fn assert_sessions_live(&self, server: &Server) {
        assert_eq!(whoami(server, &self.token).await.status, 200);
        assert_eq!(by_hook(server, &self.hook).await.status, 200);
        assert_eq!(inspected(server, &self.hook_token).await, true);
    }

    async fn assert_over(&self, server: &Server) {
        let refused = by_pat(server, &self.pat, &self.session).await;
        refused.refused(ErrorCode::InvalidToken, Refusal::PersonalTokenRevoked);
        self.assert_sessions_over(server).await;
    }

    async fn assert_sessions_over(&self, server: &Server) {
        let refused = whoami(server, &self.token).await;
        refused.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
        let refused = by_hook(server, &self.hook).await;
        refused.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
        assert_eq!(inspected(server, &self.hook_token).await, false);
        assert_eq!(inspected(server, &self.token).await, false);
    }
}

async fn login(server: &Server, name: Option<&str>) -> String {
    let mut body = json!({ "code": code(server).await });
    if let Some(name) = name {
        body["device_name"] = json!(name);
    }
    let response = post(server, "/v1/auth/bridge/session-pat", &body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["pat"].as_str().unwrap().to_owned()
}

async fn by_pat(server: &Server, pat: &str, session: &str) -> Response {
    let bearer = format!("Bearer {pat}");
    let headers = [("authorization", bearer.as_str()), ("x-session-id", session)];
    send(server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await
}

async fn hook(server: &Server, token: &str) -> Response {
    let path = "/v1/auth/bridge/oauth-client";
    send(server, Method::POST, path, &[("x-api-key", token)], &json!({})).await
}

async fn by_hook(server: &Server, hook: &Value) -> Response {
    let mut registered = hook.clone();
    registered["token_endpoint_auth_method"] = json!("client_secret_post");
    RelyingParty::new(server, &registered).ask(&HOOK).await
}

async fn inspected(server: &Server, token: &str) -> Value {
    let asked = json!({ "token": token });
    server.operate(Method::POST, "/tokens/inspect", asked).await.json()["active"].take()
}

/// The names of ada's personal tokens.
async fn names(server: &Server) -> Vec<Value> {
    let listed =
        server.operate(Method::GET, "/personal-tokens?user=ada&limit=1000", json!({})).await.json();
    listed["personal_tokens"].as_array().unwrap().iter().map(|own| own["name"].clone()).collect()
}

/// The ways to end a device.
const ENDINGS: [&str; 8] = [
    "bridge end TOKEN",
    "bridge end SESSION",
    "bridge revoke-pat",
    "session revoke",
    "token revoke PERSONAL",
    "token revoke BRIDGE",
    "token revoke HOOK",
    "account",
];

async fn end(server: &Server, ada: &mut Browser, device: &Linked, ending: &str) {
    let delete = async |path: String| server.operate(Method::DELETE, &path, json!({})).await;
    let revoke = async |token: &str| {
        server.operate(Method::POST, "/tokens/revoke", json!({ "token": token })).await
    };
    let response = match ending {
        "bridge end TOKEN" => delete(format!("/bridge/devices/{}", device.id())).await,
        "bridge end SESSION" => delete(format!("/bridge/devices/{}", device.session)).await,
        "bridge revoke-pat" => delete(format!("/personal-tokens/{}", device.id())).await,
        "session revoke" => delete(format!("/sessions/{}", device.session)).await,
        "token revoke PERSONAL" => revoke(&device.pat).await,
        "token revoke BRIDGE" => revoke(&device.token).await,
        "token revoke HOOK" => revoke(&device.hook_token).await,
        "account" => ada.submit("/gate/account/devices", &[("device", device.id())]).await,
        other => panic!("{other} is no ending"),
    };
    assert!([200, 303].contains(&response.status.as_u16()), "{ending}: {}", response.text());
}

#[tokio::test]
async fn one_act_ends_all_of_a_device_and_nothing_of_another() {
    for ending in ENDINGS {
        let (server, mut ada) = Server::with_ada().await;
        ada.visit("/account").await;
        let lost = Linked::new(&server, "lost", "lost-1").await;
        let other = Linked::new(&server, "other", "other-1").await;
        let second = by_pat(&server, &lost.pat, "lost-2").await.json();
        lost.assert_live(&server).await;

        end(&server, &mut ada, &lost, ending).await;

        lost.assert_over(&server).await;
        let second = whoami(&server, second["token"].as_str().unwrap()).await;
        second.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
        other.assert_live(&server).await;
        assert_eq!(names(&server).await, ["other"], "{ending}");
        // What has ended stays so, and a new login begins anew.
        let again = server.operate(Method::DELETE, "/bridge/devices/lost-1", json!({})).await;
        again.refused(ErrorCode::NotFound, Refusal::LinkedDeviceNotFound);
        Linked::new(&server, "lost", "lost-3").await.assert_live(&server).await;
        lost.assert_over(&server).await;
    }
}

#[tokio::test]
async fn nobody_ends_the_device_of_another_person() {
    let (server, _ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let device = Linked::new(&server, "laptop", "laptop-1").await;
    bob.visit("/account").await;

    let own = bob.submit("/gate/account/devices", &[("device", device.id())]).await;
    let forged = format!("{}{}", &device.pat[..21], "0".repeat(52));
    let asked = json!({ "token": forged });
    let forged = server.operate(Method::POST, "/tokens/revoke", asked).await;

    own.refused(ErrorCode::NotFound, Refusal::LinkedDeviceNotFound);
    forged.refused(ErrorCode::InvalidToken, Refusal::PersonalTokenUnknown);
    device.assert_live(&server).await;
}

#[tokio::test]
async fn a_login_takes_the_place_of_the_device_of_its_name() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    let asked = json!({ "username": "bob" });
    let bobs = server.operate(Method::POST, "/bridge/codes", asked).await.json()["code"].clone();
    let body = json!({ "code": bobs, "device_name": "laptop" });
    let bobs = post(&server, "/v1/auth/bridge/session-pat", &body).await.json();
    let asked = json!({ "username": "ada", "name": "laptop" });
    let made = server.operate(Method::POST, "/personal-tokens", asked).await.json();
    let first = Linked::new(&server, "laptop", "laptop-1").await;
    let other = Linked::new(&server, "Laptop", "laptop-2").await;

    let second = Linked::new(&server, "laptop", "laptop-1").await;

    first.assert_over(&server).await;
    second.assert_live(&server).await;
    other.assert_live(&server).await;
    // Neither the device of another person nor a token of the operator's making.
    assert_eq!(by_pat(&server, bobs["pat"].as_str().unwrap(), "b").await.status, 200);
    assert_eq!(by_pat(&server, made["pat"].as_str().unwrap(), "o").await.status, 200);
    assert_ne!(second.session, first.session);
}

#[tokio::test]
async fn a_refused_login_takes_nobodys_place() {
    let (server, _ada) = Server::with_ada().await;
    let device = Linked::new(&server, "laptop", "laptop-1").await;
    let spent = code(&server).await;
    post(&server, "/v1/auth/bridge/session", &json!({ "code": spent })).await;

    let body = json!({ "code": spent, "device_name": "laptop" });
    let refused = post(&server, "/v1/auth/bridge/session-pat", &body).await;

    refused.refused(ErrorCode::ExchangeCodeInvalid, Refusal::ExchangeCodeSpent);
    device.assert_live(&server).await;
}

#[tokio::test]
async fn of_devices_without_a_name_twenty_stay_that_were_used_last() {
    let (server, _ada) = Server::with_ada().await;
    let named = login(&server, Some("bridge device-link")).await;
    let mut unnamed = Vec::new();
    for _ in 0..20 {
        unnamed.push(login(&server, None).await);
        server.advance(Duration::from_secs(1));
    }
    // The oldest is in use.
    assert_eq!(by_pat(&server, &unnamed[0], "s-0").await.status, 200);
    assert_eq!(names(&server).await.len(), 21);

    for _ in 0..2 {
        unnamed.push(login(&server, None).await);
    }

    server.advance(Duration::from_mins(1));
    let mut statuses = Vec::new();
    for (n, pat) in unnamed.iter().enumerate() {
        let response = by_pat(&server, pat, &format!("s-{n}")).await;
        statuses.push(response.status.as_u16());
    }
    assert_eq!(statuses, [&[200, 401, 401][..], &[200; 19]].concat());
    assert_eq!(by_pat(&server, &named, "named").await.status, 200);
}

#[tokio::test]
async fn the_hundred_and_first_login_works() {
    let (server, _ada) = Server::with_ada().await;
    let asked = json!({ "username": "ada" });
    let made = server.operate(Method::POST, "/personal-tokens", asked).await.json();
    let mut devices = Vec::new();
    for n in 0..101 {
        devices.push(login(&server, Some(&format!("device {n}"))).await);
        server.advance(Duration::from_secs(1));
    }
    for _ in 0..101 {
        devices.push(login(&server, Some("the same")).await);
    }

    let names = names(&server).await;
    assert_eq!(names.iter().filter(|name| **name == "the same").count(), 1);
    // The operator's is none of them.
    assert_eq!(names.len(), 101);
    for (pat, status) in [(&devices[0], 401), (&devices[1], 401), (&devices[2], 200)] {
        assert_eq!(by_pat(&server, pat, "s").await.status, status);
    }
    assert_eq!(by_pat(&server, devices.last().unwrap(), "t").await.status, 200);
    assert_eq!(by_pat(&server, made["pat"].as_str().unwrap(), "o").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_logins_of_one_name_at_once_one_device_stays() {
    let (server, _ada) = Server::with_ada().await;
    let mut all = JoinSet::new();
    for _ in 0..16 {
        let server = server.clone();
        all.spawn(async move { login(&server, Some("laptop")).await });
    }
    let pats = all.join_all().await;

    let mut live = 0;
    for pat in &pats {
        live += usize::from(by_pat(&server, pat, "s").await.status == 200);
    }

    assert_eq!(live, 1);
    assert_eq!(names(&server).await, ["laptop"]);
}

#[tokio::test]
async fn a_new_secret_of_the_hook_client_ends_that_of_its_device_alone() {
    let (server, _ada) = Server::with_ada().await;
    let (one, other) =
        (Linked::new(&server, "one", "one-1").await, Linked::new(&server, "other", "o-1").await);
    assert_eq!(one.hook["client_id"], other.hook["client_id"]);
    assert_ne!(one.hook["client_secret"], other.hook["client_secret"]);

    let rotated = hook(&server, &one.token).await.json();

    let old = by_hook(&server, &one.hook).await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert_eq!(by_hook(&server, &rotated).await.status, 200);
    other.assert_live(&server).await;
    // A second session of the device has the same secret.
    let second = by_pat(&server, &one.pat, "one-2").await.json();
    let again = hook(&server, second["token"].as_str().unwrap()).await.json();
    let old = by_hook(&server, &rotated).await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert_eq!(by_hook(&server, &again).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_secrets_of_one_device_made_at_once_one_is_good() {
    let (server, _ada) = Server::with_ada().await;
    let device = Linked::new(&server, "laptop", "laptop-1").await;
    let mut all = JoinSet::new();
    for _ in 0..8 {
        let (server, token) = (server.clone(), device.token.clone());
        all.spawn(async move { hook(&server, &token).await.json() });
    }
    let made = all.join_all().await;

    let mut good = 0;
    for hook in &made {
        good += usize::from(by_hook(&server, hook).await.status == 200);
    }

    assert_eq!(good, 1);
}

/// The operator has no secret of a device, and a secret for all would be nobody's to end.
#[tokio::test]
async fn nobody_but_a_device_gets_a_secret_of_the_hook_client() {
    let (server, _ada) = Server::with_ada().await;
    let device = Linked::new(&server, "laptop", "laptop-1").await;
    let id = device.hook["client_id"].as_str().unwrap().replace(':', "%3A");

    let rotated = server.operate(Method::POST, &format!("/clients/{id}/secret"), json!({})).await;
    let chosen = json!({ "client_secret": "a secret of my own choice" });
    let chosen = server.operate(Method::PATCH, &format!("/clients/{id}"), chosen).await;

    for refused in [rotated, chosen] {
        refused.refused(ErrorCode::Conflict, Refusal::HookSecretOfDevices);
    }
    device.assert_live(&server).await;
}

#[tokio::test]
async fn a_session_stays_with_its_device() {
    let (server, _ada) = Server::with_ada().await;
    let one = Linked::new(&server, "one", "shared").await;

    let other = Linked::new(&server, "other", "shared").await;

    assert_eq!(one.session, "shared");
    assert_ne!(other.session, "shared");
    // A code speaks for the person, whose session it continues.
    let continued = access(&server, "shared").await;
    assert_eq!(continued["headers"]["x-session-id"], "shared");
    server.operate(Method::DELETE, "/bridge/devices/shared", json!({})).await;
    one.assert_over(&server).await;
    let continued = whoami(&server, continued["token"].as_str().unwrap()).await;
    continued.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    other.assert_live(&server).await;
}

/// Otherwise whoever ends the one would end the other.
#[tokio::test]
async fn no_session_takes_the_id_of_a_device() {
    let (server, _ada) = Server::with_ada().await;
    let lost = Linked::new(&server, "lost", "lost-1").await;

    let other = Linked::new(&server, "other", lost.id()).await;

    assert_ne!(other.session, lost.id());
    server.operate(Method::DELETE, &format!("/bridge/devices/{}", lost.id()), json!({})).await;
    lost.assert_over(&server).await;
    other.assert_live(&server).await;
}

#[tokio::test]
async fn a_session_that_came_by_a_code_is_a_device_of_its_own() {
    let (server, _ada) = Server::with_ada().await;
    let other = Linked::new(&server, "other", "other-1").await;
    let came = access(&server, "came").await;
    let came = Linked::with(&server, String::new(), &came).await;
    came.assert_sessions_live(&server).await;

    server.operate(Method::DELETE, "/sessions/came", json!({})).await;

    came.assert_sessions_over(&server).await;
    other.assert_live(&server).await;
    // Its hook secret lives no longer than the session.
    let came = access(&server, "came-again").await;
    let came = Linked::with(&server, String::new(), &came).await;
    server.advance(Duration::from_hours(24));
    let refused = by_hook(&server, &came.hook).await;
    refused.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert_eq!(by_hook(&server, &other.hook).await.status, 200);
}

#[tokio::test]
async fn a_device_takes_over_the_session_that_its_code_opened() {
    let (server, _ada) = Server::with_ada().await;
    let came = access(&server, "mine").await;
    let came = Linked::with(&server, String::new(), &came).await;

    let linked = Linked::new(&server, "laptop", "mine").await;

    assert_eq!(linked.session, "mine");
    let old = by_hook(&server, &came.hook).await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    linked.assert_live(&server).await;
    server.operate(Method::DELETE, &format!("/bridge/devices/{}", linked.id()), json!({})).await;
    linked.assert_over(&server).await;
    came.assert_sessions_over(&server).await;
}

#[tokio::test]
async fn a_certificate_its_sessions_and_its_hook_secret_are_one_device() {
    for ending in ["bridge revoke-cert", "session revoke", "bridge end"] {
        let (server, _ada) = Server::with_ada().await;
        let device = Device::new().await;
        enroll(&server, &device.pem).await;
        let other = Linked::new(&server, "other", "other-1").await;
        let fingerprint = device.fingerprint().to_string();
        let named = json!({ "device_cert_fingerprint": fingerprint });
        let access = device.post(&server, "/v1/auth/bridge/mtls", &named).await.json();
        let linked = Linked::with(&server, String::new(), &access).await;
        linked.assert_sessions_live(&server).await;

        let path = match ending {
            "bridge revoke-cert" => format!("/bridge/certificates/{fingerprint}"),
            "session revoke" => format!("/sessions/{}", linked.session),
            _ => format!("/bridge/devices/{}", linked.session),
        };
        assert_eq!(server.operate(Method::DELETE, &path, json!({})).await.status, 200);

        linked.assert_sessions_over(&server).await;
        let refused = device.post(&server, "/v1/auth/bridge/mtls", &named).await;
        refused.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateRevoked);
        let path = "/bridge/certificates";
        let listed = server.operate(Method::GET, path, json!({})).await.json();
        assert_eq!(listed["certificates"][0]["revoked"], "2026-01-01T00:00:00Z", "{ending}");
        other.assert_live(&server).await;
    }
}

/// Its sessions last until the end of their tokens, and nothing else does.
#[tokio::test]
async fn a_hook_secret_lives_no_longer_than_the_personal_token_of_its_device() {
    let (server, _ada) = Server::with_ada().await;
    let device = Linked::new(&server, "laptop", "laptop-1").await;
    server.advance(Duration::from_hours(90 * 24) - Duration::from_secs(1));
    let late = by_pat(&server, &device.pat, "late").await.json();
    assert_eq!(by_hook(&server, &device.hook).await.status, 200);

    server.advance(Duration::from_secs(1));

    let late = late["token"].as_str().unwrap();
    assert_eq!(whoami(&server, late).await.status, 200);
    let refused = by_hook(&server, &device.hook).await;
    refused.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    let refused = hook(&server, late).await;
    refused.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
}

/// A bridge that came by a code has asked for its secret when it logs in with a token.
#[tokio::test]
async fn a_session_that_is_taken_over_brings_its_hook_secret() {
    let (server, _ada) = Server::with_ada().await;
    let came = access(&server, "mine").await;
    let came = Linked::with(&server, String::new(), &came).await;
    let pat = login(&server, Some("laptop")).await;

    let taken = by_pat(&server, &pat, "mine").await.json();

    assert_eq!(taken["headers"]["x-session-id"], "mine");
    assert_eq!(by_hook(&server, &came.hook).await.status, 200);
    server.operate(Method::DELETE, &format!("/bridge/devices/{}", &pat[8..20]), json!({})).await;
    let old = by_hook(&server, &came.hook).await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
}
