//! Links and invitations of an administrator or a client that is disabled or removed.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{invitation, invited_by, look, made};
use crate::administration::console;
use crate::support::{BEGINNING, Browser, RelyingParty, Server};

/// What Grace made by the console: a person with a setup link, and an invitation.
struct Doors {
    _console: RelyingParty,
    invitation: Value,
    link: Value,
    server: Server,
}

impl Doors {
    async fn new() -> Self {
        let (server, _ada) = Server::with_ada().await;
        let console = console(&server).await;
        let mut grace = server.person("grace").await;
        let roles = json!({ "roles": ["admin", "user"] });
        assert_eq!(server.operate(Method::PATCH, "/users/grace", roles).await.status, 200);
        let token = console.tokens_of(&mut grace, "admin:people").await.access;
        let asked = json!({ "uses": 9 });
        let invitation =
            server.administer(&token, Method::POST, "/invitations", asked).await.json();
        let eve = json!({ "username": "eve" });
        let link = server.administer(&token, Method::POST, "/users", eve).await.json();
        assert_eq!(look(&server, &link).await.status, 200);
        Self { _console: console, invitation, link, server }
    }

    async fn change(&self, path: &str, method: Method, change: Value) {
        let changed = self.server.operate(method, path, change).await;
        assert!(changed.status.is_success(), "{}", changed.text());
    }

    async fn assert_ended(&self, case: &str) {
        let own = format!("/invitations/{}", self.invitation["id"].as_str().unwrap());
        let listed = self.server.operate(Method::GET, &own, json!({})).await.json();
        assert_eq!(listed["state"], "revoked", "{case}");
        let invited = invited_by(&self.server, &self.invitation, "bob").await.err().unwrap();
        invited.refused(ErrorCode::InvitationRevoked, Refusal::InvitationRevoked);
        let linked = look(&self.server, &self.link).await;
        linked.refused(ErrorCode::SetupLinkRevoked, Refusal::SetupTokenRevoked);
        for (kind, fact, id) in [
            ("invitation.revoked", "invitation", &self.invitation["id"]),
            ("link.revoked", "link", &self.link["setup_id"]),
        ] {
            let path = format!("/events?kind={kind}");
            let events = self.server.operate(Method::GET, &path, json!({})).await.json();
            let events = events["events"].as_array().unwrap().clone();
            assert_eq!(events.len(), 1, "{case}: {events:?}");
            assert_eq!(&events[0]["facts"][fact], id, "{case}");
        }
    }
}

/// In the same moment by the clock, so that nothing is judged by times.
#[tokio::test]
async fn what_somebody_made_who_was_switched_off_stays_ended_when_they_are_on_again() {
    for (path, off, on) in [
        ("/users/grace", json!({ "disabled": true }), json!({ "disabled": false })),
        ("/clients/console", json!({ "enabled": false }), json!({ "enabled": true })),
    ] {
        let doors = Doors::new().await;

        doors.change(path, Method::PATCH, off).await;
        doors.assert_ended(path).await;
        doors.change(path, Method::PATCH, on).await;

        doors.assert_ended(path).await;
    }
}

#[tokio::test]
async fn what_somebody_made_ends_with_their_removal() {
    for path in ["/users/grace", "/clients/console"] {
        let doors = Doors::new().await;

        doors.change(path, Method::DELETE, json!({})).await;

        doors.assert_ended(path).await;
    }
}

/// By a clock that is ahead all of it has expired, and would open again with the correction.
#[tokio::test]
async fn what_somebody_made_ends_under_a_wrong_clock_too() {
    for (path, off, on) in [
        ("/users/grace", json!({ "disabled": true }), json!({ "disabled": false })),
        ("/clients/console", json!({ "enabled": false }), json!({ "enabled": true })),
    ] {
        let doors = Doors::new().await;
        let set = |now| {
            doors.server.app.clock().set(now);
            doors.server.app.clock_jump();
        };

        set(BEGINNING + Duration::from_hours(365 * 24));
        doors.change(path, Method::PATCH, off).await;
        set(BEGINNING + Duration::from_mins(1));
        doors.change(path, Method::PATCH, on).await;

        let linked = look(&doors.server, &doors.link).await;
        linked.refused(ErrorCode::SetupLinkRevoked, Refusal::SetupTokenRevoked);
        let invited = invited_by(&doors.server, &doors.invitation, "bob").await.err().unwrap();
        invited.refused(ErrorCode::InvitationRevoked, Refusal::InvitationRevoked);
    }
}

#[tokio::test]
async fn a_ceremony_that_was_begun_ends_with_whoever_made_the_invitation() {
    let doors = Doors::new().await;
    let mut late = Browser::new(&doors.server);
    let token = late.open_link(doors.invitation["invitation_url"].as_str().unwrap()).await;
    let passkey = late.made_passkey(&token, Some("late")).await;

    doors.change("/clients/console", Method::PATCH, json!({ "enabled": false })).await;
    doors.change("/clients/console", Method::PATCH, json!({ "enabled": true })).await;

    let finished = late.finish_setup(&passkey).await;
    finished.refused(ErrorCode::InvitationRevoked, Refusal::InvitationRevoked);
}

#[tokio::test]
async fn what_others_made_stays_open() {
    let doors = Doors::new().await;
    let invited = invitation(&doors.server, json!({ "uses": 2 })).await;
    let link = made(&doors.server, "/users", json!({ "username": "dora" })).await;

    doors.change("/users/grace", Method::PATCH, json!({ "disabled": true })).await;
    doors.change("/clients/console", Method::DELETE, json!({})).await;

    assert_eq!(look(&doors.server, &link).await.status, 200);
    invited_by(&doors.server, &invited, "bob").await.unwrap();
}
