//! Invitations: several people, one link.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::View as _;
use gatelodge::store::schema::{Passkey, Person};
use serde_json::{Value, json};

use super::{invitation, invited_by, newest};
use crate::administration::console;
use crate::support::{Browser, RelyingParty, Server};

fn people(server: &Server) -> (usize, usize) {
    let view = server.app.read().unwrap();
    (view.count::<Person>(100).unwrap(), view.count::<Passkey>(100).unwrap())
}

#[tokio::test]
async fn whoever_comes_by_an_invitation_chooses_their_names_and_has_what_it_gives() {
    let (server, _ada) = Server::with_ada().await;
    let asked = json!({ "uses": 20, "groups": ["staff"], "lifetime": 604_800 });
    let made = invitation(&server, asked).await;
    let mut browser = Browser::new(&server);

    let token = browser.open_link(made["invitation_url"].as_str().unwrap()).await;
    let seen = browser.call("/gate/setup", &json!({ "token": token })).await.json();
    let start = json!({
        "token": token, "username": "bob", "display_name": "Bob B.", "email": "bob@example.org",
    });
    let passkey = browser.started_passkey(&start).await.unwrap();
    let done = browser.finish_setup(&passkey).await;
    let added = newest(&server, "user.added").await;
    invited_by(&server, &made, "eve").await.unwrap();

    let expected = json!({
        "purpose": "invitation", "username": null, "display_name": null, "takes_email": true,
        "signed_in_as": null,
        "takes_names": true,
    });
    assert_eq!(seen, expected);
    assert_eq!(done.json(), json!({ "next": "/gate/account" }));
    let bob = server.operate(Method::GET, "/users/bob", json!({})).await.json();
    assert_eq!((&bob["groups"], &bob["roles"]), (&json!(["staff"]), &json!(["user"])));
    assert_eq!(
        (&bob["display_name"], &bob["email"]),
        (&json!("Bob B."), &json!("bob@example.org"))
    );
    assert_eq!(bob["email_verified"], false);
    assert_eq!(added["facts"]["invitation"], made["id"]);
    assert_eq!(added["actor"]["username"], "bob");
    let path = format!("/invitations/{}", made["id"].as_str().unwrap());
    let viewed = server.operate(Method::GET, &path, json!({})).await.json();
    assert_eq!((&viewed["used"], &viewed["state"]), (&json!(2), &json!("open")));
    assert_eq!(viewed["expires"], "2026-01-08T00:00:00Z");
    assert_eq!(viewed.get("invitation_url"), None);
}

/// What is begun counts for nothing, and what is finished once too often makes nobody.
#[tokio::test]
async fn two_who_come_at_once_share_the_last_use_of_an_invitation() {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 1 })).await;
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    let token = one.open_link(made["invitation_url"].as_str().unwrap()).await;
    two.open_link(made["invitation_url"].as_str().unwrap()).await;
    let first = one.made_passkey(&token, Some("bob")).await;
    let second = two.made_passkey(&token, Some("eve")).await;
    assert_eq!(people(&server), (1, 1));

    let (won, lost) = tokio::join!(one.finish_setup(&first), two.finish_setup(&second));

    assert_eq!(won.status, 200, "{}", won.text());
    lost.refused(ErrorCode::InvitationExhausted, Refusal::InvitationExhausted);
    assert_eq!(people(&server), (2, 2));
}

#[tokio::test]
async fn two_who_choose_one_name_are_told_apart_at_the_end() {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 5 })).await;
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    let token = one.open_link(made["invitation_url"].as_str().unwrap()).await;
    two.open_link(made["invitation_url"].as_str().unwrap()).await;
    let email = "bob@example.org";
    let start = json!({ "token": token, "username": "bob", "email": email });
    let first = one.started_passkey(&start).await.unwrap();
    let second = two.started_passkey(&start).await.unwrap();
    let third = json!({ "token": token, "username": "third", "email": email });
    let mut three = Browser::new(&server);
    three.open_link(made["invitation_url"].as_str().unwrap()).await;
    let third = three.started_passkey(&third).await.unwrap();

    assert_eq!(one.finish_setup(&first).await.status, 200);
    let same_name = two.finish_setup(&second).await;
    let same_address = three.finish_setup(&third).await;

    same_name.refused(ErrorCode::UsernameTaken, Refusal::UsernameTaken);
    same_address.refused(ErrorCode::Conflict, Refusal::EmailTaken);
    assert_eq!(people(&server), (2, 2));
    let path = format!("/invitations/{}", made["id"].as_str().unwrap());
    let viewed = server.operate(Method::GET, &path, json!({})).await.json();
    assert_eq!(viewed["used"], 1);
}

#[tokio::test]
async fn a_ceremony_of_an_invitation_is_for_that_one() {
    let (server, _ada) = Server::with_ada().await;
    let mut browser = Browser::new(&server);
    let one = invitation(&server, json!({ "uses": 5 })).await;
    let other = invitation(&server, json!({ "uses": 5, "groups": ["ops"] })).await;
    let token = browser.open_link(one["invitation_url"].as_str().unwrap()).await;
    let mut passkey = browser.made_passkey(&token, Some("bob")).await;

    passkey["token"] = other["invitation_url"].as_str().unwrap().split_once('#').unwrap().1.into();
    let response = browser.finish_setup(&passkey).await;

    response.refused(ErrorCode::SetupLinkMismatched, Refusal::SetupTokenMismatched);
    assert_eq!(people(&server), (1, 1));
}

#[tokio::test]
async fn an_invitation_that_was_revoked_ends_what_was_begun_and_keeps_who_came() {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 5 })).await;
    let mut bob = invited_by(&server, &made, "bob").await.ok().unwrap();
    let mut late = Browser::new(&server);
    let token = late.open_link(made["invitation_url"].as_str().unwrap()).await;
    let passkey = late.made_passkey(&token, Some("late")).await;
    let path = format!("/invitations/{}", made["id"].as_str().unwrap());

    let revoked = server.operate(Method::DELETE, &path, json!({})).await.json();

    assert_eq!((&revoked["state"], &revoked["used"]), (&json!("revoked"), &json!(1)));
    let response = late.finish_setup(&passkey).await;
    response.refused(ErrorCode::InvitationRevoked, Refusal::InvitationRevoked);
    bob.sign_in().await;
    let event = newest(&server, "invitation.revoked").await;
    assert_eq!(event["facts"]["invitation"], made["id"]);
}

#[tokio::test]
async fn an_invitation_says_what_it_may_not_be() {
    let (server, _ada) = Server::with_ada().await;
    for (asked, member) in [
        (json!({ "uses": 0 }), "uses"),
        (json!({ "uses": 10_001 }), "uses"),
        (json!({ "uses": 1, "lifetime": 59 }), "lifetime"),
        (json!({ "uses": 1, "lifetime": 366 * 86_400 + 1 }), "lifetime"),
    ] {
        let refused = server.operate(Method::POST, "/invitations", asked.clone()).await.json();
        assert_eq!(refused["error"], "invalid_request", "{asked}");
        let described = refused["error_description"].as_str().unwrap();
        assert!(described.starts_with(&format!("{member}: ")), "{asked}: {described}");
    }
    let unknown = json!({ "uses": 1, "roles": ["emperor"] });
    let unknown = server.operate(Method::POST, "/invitations", unknown).await;
    unknown.refused(ErrorCode::InvalidRequest, Refusal::RoleUnknown);
}

/// The first account is an administrator's, by their own link.
#[tokio::test]
async fn an_invitation_waits_for_the_first_administrator_and_leaves_their_link() {
    let server = Server::new().await;
    let link = super::made(&server, "/recover", json!({})).await;
    let made = invitation(&server, json!({ "uses": 5 })).await;

    let early = invited_by(&server, &made, "bob").await.err().unwrap();
    let mut ada = Browser::new(&server);
    ada.enrol(link["setup_url"].as_str().unwrap(), Some("ada")).await;
    invited_by(&server, &made, "bob").await.unwrap();

    early.refused(ErrorCode::SignUpClosed, Refusal::InvitationEarly);
    let ada = server.operate(Method::GET, "/users/ada", json!({})).await.json();
    assert!(ada["roles"].as_array().unwrap().contains(&json!("admin")), "{ada}");
    assert_eq!(people(&server), (2, 2));
}

/// An invitation that a person made at the administration, and what it is now.
async fn by_grace(server: &Server) -> (RelyingParty, Value) {
    let console = console(server).await;
    let mut grace = server.person("grace").await;
    let roles = json!({ "roles": ["admin", "user"] });
    assert_eq!(server.operate(Method::PATCH, "/users/grace", roles).await.status, 200);
    let token = console.tokens_of(&mut grace, "admin:people").await.access;
    let asked = json!({ "uses": 9 });
    let made = server.administer(&token, Method::POST, "/invitations", asked).await.json();
    assert_eq!(made["state"], "open", "{made}");
    (console, made)
}

#[tokio::test]
async fn an_invitation_opens_nothing_once_its_maker_may_not_invite_any_more() {
    let changes = [
        ("/users/grace", json!({ "roles": ["user"] })),
        ("/clients/console", json!({ "scope": "openid" })),
    ];
    for (path, change) in changes {
        let (server, _ada) = Server::with_ada().await;
        let (_console, made) = by_grace(&server).await;
        server.advance(std::time::Duration::from_secs(1));
        let own = format!("/invitations/{}", made["id"].as_str().unwrap());
        let mut late = Browser::new(&server);
        let token = late.open_link(made["invitation_url"].as_str().unwrap()).await;
        let passkey = late.made_passkey(&token, Some("bob")).await;

        let changed = server.operate(Method::PATCH, path, change.clone()).await;
        assert!(changed.status.is_success(), "{}", changed.text());
        let finished = late.finish_setup(&passkey).await;
        let listed = server.operate(Method::GET, &own, json!({})).await.json();
        let revoked = server.operate(Method::DELETE, &own, json!({})).await.json();

        finished.refused(ErrorCode::InvitationRevoked, Refusal::InvitationLapsed);
        assert_eq!(listed["state"], "lapsed", "{path} {change}");
        assert_eq!(revoked["state"], "revoked", "{path} {change}");
    }
}

#[tokio::test]
async fn an_invitation_opens_again_when_the_role_of_its_maker_is_back() {
    let (server, _ada) = Server::with_ada().await;
    let (_console, made) = by_grace(&server).await;
    let change = |change: Value| server.operate(Method::PATCH, "/users/grace", change);

    change(json!({ "roles": ["user"] })).await;
    let lapsed = invited_by(&server, &made, "bob").await.err().unwrap();
    change(json!({ "roles": ["admin"] })).await;
    let back = invited_by(&server, &made, "bob").await;

    lapsed.refused(ErrorCode::InvitationRevoked, Refusal::InvitationLapsed);
    assert!(back.is_ok());
}

#[tokio::test]
async fn every_invitation_is_revoked_at_once_and_what_is_over_stays() {
    let (server, _ada) = Server::with_ada().await;
    for uses in [1, 2, 3] {
        let made = invitation(&server, json!({ "uses": uses })).await;
        invited_by(&server, &made, &format!("user{uses}")).await.unwrap();
    }

    let revoked = server.operate(Method::POST, "/invitations/revoke", json!({})).await.json();
    let again = server.operate(Method::POST, "/invitations/revoke", json!({})).await.json();

    let uses = |view: &Value| {
        let mut uses: Vec<_> = view["invitations"].as_array().unwrap().clone();
        uses.sort_by_key(|own| own["uses"].as_u64());
        uses.iter().map(|own| (own["uses"].clone(), own["state"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(uses(&revoked), [(json!(2), json!("revoked")), (json!(3), json!("revoked"))]);
    assert!(uses(&again).is_empty());
}

#[tokio::test]
async fn whoever_may_not_revoke_one_of_the_invitations_revokes_none() {
    let (server, _ada) = Server::with_ada().await;
    let robot = server.token_of_robot("admin:people").await;
    invitation(&server, json!({ "uses": 1 })).await;
    let above = invitation(&server, json!({ "uses": 1, "roles": ["admin"] })).await;
    let all = || server.administer(&robot, Method::POST, "/invitations/revoke", json!({}));
    let states = async || {
        let listed = server.operate(Method::GET, "/invitations", json!({})).await.json();
        let states = listed["invitations"].as_array().unwrap().iter();
        states.map(|own| own["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let refused = all().await;
    let before = states().await;
    let path = format!("/invitations/{}", above["id"].as_str().unwrap());
    server.operate(Method::DELETE, &path, json!({})).await;
    let done = all().await;

    refused.refused(ErrorCode::InsufficientScope, Refusal::AdministrationExceeded("admin"));
    assert_eq!(before, ["open", "open"]);
    assert_eq!(done.status, 200);
    assert_eq!(states().await, ["revoked", "revoked"]);
}

/// Whoever has the link could be in many networks, so the link counts, too.
#[tokio::test]
async fn names_are_asked_for_so_often_by_one_invitation_and_by_one_network() {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 5 })).await;
    let other = invitation(&server, json!({ "uses": 5 })).await;
    let token = |made: &Value| {
        made["invitation_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
    };
    let ask = async |address: &str, token: &str, username: &str| {
        let mut browser = Browser::new(&server).at(address);
        browser.visit("/setup").await;
        let start = json!({ "token": token, "username": username });
        browser.call("/gate/webauthn/register/start", &start).await
    };
    let (made, other) = (token(&made), token(&other));

    for _ in 0..60 {
        let taken = ask("203.0.113.7", &made, "ada").await;
        taken.refused(ErrorCode::UsernameTaken, Refusal::UsernameTaken);
    }
    let network = ask("203.0.113.7", &other, "free").await;
    for host in 0..180 {
        assert_eq!(ask(&format!("198.51.{host}.7"), &made, "free").await.status, 200);
    }
    let link = ask("192.0.2.7", &made, "free").await;
    let other_link = ask("192.0.2.7", &other, "free").await;
    server.advance(std::time::Duration::from_mins(1));
    let later = ask("203.0.113.7", &made, "free").await;

    assert_eq!((network.status.as_u16(), link.status.as_u16()), (429, 429));
    assert_eq!((other_link.status.as_u16(), later.status.as_u16()), (200, 200));
}
