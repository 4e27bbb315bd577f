//! Invitations: several people, one link.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::View as _;
use gatelodge::store::schema::{Passkey, Person};
use serde_json::json;

use super::{invitation, invited_by, newest};
use crate::support::{Browser, Server};

fn people(server: &Server) -> (usize, usize) {
    let view = server.app.read().unwrap();
    (view.count::<Person>(100).unwrap(), view.count::<Passkey>(100).unwrap())
}

#[tokio::test]
async fn whoever_comes_by_an_invitation_chooses_their_names_and_has_what_it_gives() {
    let server = Server::new().await;
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
    let server = Server::new().await;
    let made = invitation(&server, json!({ "uses": 1 })).await;
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    let token = one.open_link(made["invitation_url"].as_str().unwrap()).await;
    two.open_link(made["invitation_url"].as_str().unwrap()).await;
    let first = one.made_passkey(&token, Some("ada")).await;
    let second = two.made_passkey(&token, Some("eve")).await;
    assert_eq!(people(&server), (0, 0));

    let (won, lost) = tokio::join!(one.finish_setup(&first), two.finish_setup(&second));

    assert_eq!(won.status, 200, "{}", won.text());
    lost.refused(ErrorCode::InvitationExhausted, Refusal::InvitationExhausted);
    assert_eq!(people(&server), (1, 1));
}

#[tokio::test]
async fn two_who_choose_one_name_are_told_apart_at_the_end() {
    let server = Server::new().await;
    let made = invitation(&server, json!({ "uses": 5 })).await;
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    let token = one.open_link(made["invitation_url"].as_str().unwrap()).await;
    two.open_link(made["invitation_url"].as_str().unwrap()).await;
    let email = "ada@example.org";
    let start = json!({ "token": token, "username": "ada", "email": email });
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
    assert_eq!(people(&server), (1, 1));
    let path = format!("/invitations/{}", made["id"].as_str().unwrap());
    let viewed = server.operate(Method::GET, &path, json!({})).await.json();
    assert_eq!(viewed["used"], 1);
}

#[tokio::test]
async fn a_ceremony_of_an_invitation_is_for_that_one() {
    let server = Server::new().await;
    let mut browser = Browser::new(&server);
    let one = invitation(&server, json!({ "uses": 5 })).await;
    let other = invitation(&server, json!({ "uses": 5, "groups": ["ops"] })).await;
    let token = browser.open_link(one["invitation_url"].as_str().unwrap()).await;
    let mut passkey = browser.made_passkey(&token, Some("bob")).await;

    passkey["token"] = other["invitation_url"].as_str().unwrap().split_once('#').unwrap().1.into();
    let response = browser.finish_setup(&passkey).await;

    response.refused(ErrorCode::SetupLinkMismatched, Refusal::SetupTokenMismatched);
    assert_eq!(people(&server), (0, 0));
}

#[tokio::test]
async fn an_invitation_that_was_revoked_ends_what_was_begun_and_keeps_who_came() {
    let server = Server::new().await;
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
    let server = Server::new().await;
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
