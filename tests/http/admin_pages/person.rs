//! The page of a person, and what is done there.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::params::segment_encode;
use serde_json::{Value, json};

use super::{actor, link_on, refused_above, server, stored, with_role};
use crate::devices::{certificate_until, enroll};
use crate::support::{Browser, RelyingParty, Server};

async fn id(server: &Server, username: &str) -> String {
    stored(server, &format!("/users/{username}")).await["id"].as_str().unwrap().to_owned()
}

/// The ids of what a person has, in the listing at `path`.
async fn of(server: &Server, path: &str, noun: &str, member: &str) -> Vec<String> {
    let listed = stored(server, path).await;
    let items = listed[noun].as_array().unwrap().iter();
    items.map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_page_of_a_person_has_everything_that_is_theirs() {
    let (server, mut ada) = server().await;
    let mut grace = server.person("grace").await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens_of(&mut grace, "openid profile").await;
    let change = json!({ "claims": { "desk": "seven" }, "email": "g@example.com" });
    server.operate(Method::PATCH, "/users/grace", change).await;
    let token = json!({ "name": "Laptop", "username": "grace" });
    server.operate(Method::POST, "/personal-tokens", token).await;
    server.operate(Method::POST, "/recover", json!({ "username": "grace" })).await;
    let passkeys = of(&server, "/passkeys?user=grace", "passkeys", "id").await;
    let sessions = of(&server, "/sessions?user=grace", "sessions", "id").await;
    let grants = of(&server, "/connections?user=grace", "connections", "id").await;
    let grants = grants.iter().map(|id| segment_encode(id)).collect();
    let links = stored(&server, "/links?user=grace").await["links"].clone();
    let open: Vec<&Value> =
        links.as_array().unwrap().iter().filter(|link| link["state"] == "open").collect();
    let tokens = of(&server, "/personal-tokens?user=grace", "personal_tokens", "id").await;

    let page = ada.visit("/gate/admin/people/grace").await;

    let text = page.text();
    for part in ["grace", "desk", "seven", "g@example.com", "Shop", "Laptop"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let own = id(&server, "grace").await;
    for (path, ids) in [
        (format!("/gate/admin/people/{own}/passkeys/"), passkeys),
        ("/gate/admin/sessions/".to_owned(), sessions),
        ("/gate/admin/grants/".to_owned(), grants),
        ("/gate/admin/links/".to_owned(), vec![open[0]["id"].as_str().unwrap().to_owned()]),
        (format!("/gate/admin/people/{own}/tokens/"), tokens),
    ] {
        assert_eq!(ids.len(), 1, "{path}");
        assert!(text.contains(&format!("href=\"{path}{}", ids[0])), "{path}: {text}");
    }
}

#[tokio::test]
async fn nobody_has_a_page_who_is_not_there() {
    let (_server, mut ada) = server().await;

    let page = ada.visit("/gate/admin/people/nobody").await;

    page.refused(ErrorCode::NotFound, Refusal::UserNotFound);
}

#[tokio::test]
async fn whoever_is_disabled_gets_no_link_and_the_refusal_is_the_administrators() {
    let (server, mut ada) = server().await;
    let _bob = server.person("bob").await;
    let own = id(&server, "bob").await;
    let recover = format!("/gate/admin/people/{own}/recover");
    ada.visit(&recover).await;
    server.operate(Method::PATCH, "/users/bob", json!({ "disabled": true })).await;

    let page = ada.visit(&format!("/gate/admin/people/{own}")).await;
    let asked = ada.visit(&recover).await;
    let refused = ada.submit(&recover, &[]).await;

    assert!(!page.text().contains(&recover), "{}", page.text());
    assert!(page.text().contains(&format!("{own}/enable")), "{}", page.text());
    assert!(asked.text().contains("Enable bob?"), "{}", asked.text());
    refused_above(&refused, Refusal::UserDisabled);
    assert!(refused.text().contains("The person is disabled"), "{}", refused.text());
    assert!(!refused.text().contains("This account"), "{}", refused.text());
    server.app.write_events().await.unwrap();
    let event = format!("/events/{}", refused.header("gatelodge-event"));
    let event = stored(&server, &event).await;
    let actor = &event["actor"];
    assert_eq!((&actor["kind"], &actor["username"]), (&json!("administrator"), &json!("ada")));
    assert_eq!(event["username"], "bob", "{event}");
    assert!(!event["section"].as_str().unwrap().contains("RFC 6749"), "{event}");
    let links = stored(&server, "/links?user=bob").await["links"].clone();
    assert!(links.as_array().unwrap().iter().all(|link| link["state"] != "open"), "{links}");
}

#[tokio::test]
async fn a_person_is_disabled_and_enabled() {
    let (server, mut ada) = server().await;
    let _grace = server.person("grace").await;
    let own = id(&server, "grace").await;
    let (disable, enable) =
        (format!("/gate/admin/people/{own}/disable"), format!("/gate/admin/people/{own}/enable"));
    let asked = ada.visit(&disable).await;
    assert!(asked.text().contains("Disable grace?"), "{}", asked.text());

    let disabled = ada.submit(&disable, &[]).await;
    let then = stored(&server, "/users/grace").await;
    let sessions = of(&server, "/sessions?user=grace", "sessions", "id").await;
    let page = ada.visit(disabled.location()).await;
    ada.submit(&enable, &[]).await;

    assert_eq!((&then["disabled"], sessions.len()), (&json!(true), 0));
    assert!(page.text().contains("/enable\"") && !page.text().contains("/disable\""));
    assert_eq!(stored(&server, "/users/grace").await["disabled"], false);
    let events = stored(&server, "/events?kind=user.changed").await["events"].clone();
    for event in events.as_array().unwrap() {
        assert_eq!(event["actor"]["username"], "ada");
    }
}

#[tokio::test]
async fn a_person_is_removed_but_not_the_last_administrator() {
    let (server, mut ada) = server().await;
    let _grace = server.person("grace").await;
    ada.visit("/gate/admin/people/grace/remove").await;

    let removed = ada.submit("/gate/admin/people/grace/remove", &[]).await;
    let last = ada.submit("/gate/admin/people/ada/remove", &[]).await;

    assert_eq!(removed.location(), "/gate/admin/people");
    refused_above(&last, Refusal::LastAdministrator);
    assert!(last.text().contains("Remove ada?"), "{}", last.text());
    assert_eq!(of(&server, "/users", "users", "username").await, ["ada"]);
    assert_eq!(actor(&server, "user.removed", "grace").await, "ada");
}

#[tokio::test]
async fn a_recovery_ends_what_is_ticked_and_its_link_lets_the_person_in() {
    let (server, mut ada) = server().await;
    let _lost = server.person("grace").await;
    let path = "/gate/admin/people/grace/recover";
    ada.visit(path).await;

    let ticks = [("end_passkeys", "yes"), ("end_sessions", "yes")];
    let made = ada.submit(path, &ticks).await;
    let passkeys = of(&server, "/passkeys?user=grace", "passkeys", "id").await;
    let sessions = of(&server, "/sessions?user=grace", "sessions", "id").await;

    assert_eq!((passkeys.len(), sessions.len()), (0, 0));
    assert!(made.text().contains("One passkey ended"), "{}", made.text());
    assert!(made.text().contains("One browser session ended"), "{}", made.text());
    assert_eq!(actor(&server, "link.issued", "grace").await, "ada");
    Browser::new(&server).enrol(&link_on(&made), None).await;
    assert_eq!(stored(&server, "/users/grace").await["passkeys"], 1);
}

#[tokio::test]
async fn a_link_ends_nothing_where_nothing_is_ticked() {
    let (server, mut ada) = server().await;
    let _grace = server.person("grace").await;
    let path = "/gate/admin/people/grace/recover";
    ada.visit(path).await;

    let further = ada.submit(path, &[("further", "yes")]).await;
    let contrary = ada.submit(path, &[("further", "yes"), ("end_passkeys", "yes")]).await;

    let links = stored(&server, "/links?user=grace").await["links"].clone();
    let open = links.as_array().unwrap().iter().filter(|link| link["state"] == "open");
    assert_eq!(open.map(|link| &link["purpose"]).collect::<Vec<_>>(), [&json!("further")]);
    assert!(further.text().contains("further passkey"), "{}", further.text());
    assert_eq!(stored(&server, "/users/grace").await["passkeys"], 1);
    assert_eq!(of(&server, "/sessions?user=grace", "sessions", "id").await.len(), 1);
    let ticked = |name: &str| {
        contrary
            .text()
            .contains(&format!("name=\"{name}\" type=\"checkbox\" value=\"yes\" checked"))
    };
    assert_eq!(contrary.status, 400);
    assert!(ticked("end_passkeys") && !ticked("end_sessions"));
    let chosen = "name=\"further\" type=\"radio\" value=\"yes\" checked";
    assert!(contrary.text().contains(chosen), "{}", contrary.text());
}

#[tokio::test]
async fn a_passkey_of_a_person_is_renamed_and_removed() {
    let (server, mut ada) = server().await;
    let _grace = server.person("grace").await;
    let own = id(&server, "grace").await;
    let passkey = of(&server, "/passkeys?user=grace", "passkeys", "id").await.remove(0);
    let path = format!("/gate/admin/people/{own}/passkeys/{passkey}");
    ada.visit(&path).await;

    let unfit = ada.submit(&path, &[("name", &"x".repeat(129))]).await;
    let renamed = ada.submit(&path, &[("name", "Blue key")]).await;
    let names = of(&server, "/passkeys?user=grace", "passkeys", "name").await;
    let asked = ada.visit(&format!("{path}/remove")).await;
    let removed = ada.submit(&format!("{path}/remove"), &[]).await;

    refused_above(&unfit, Refusal::NameMalformed);
    assert!(unfit.text().contains(&"x".repeat(129)), "{}", unfit.text());
    assert_eq!(renamed.location(), format!("/gate/admin/people/{own}"));
    assert_eq!(names, ["Blue key"]);
    assert!(asked.text().contains("Blue key"), "{}", asked.text());
    assert_eq!(removed.location(), format!("/gate/admin/people/{own}"));
    assert_eq!(stored(&server, "/users/grace").await["passkeys"], 0);
    assert_eq!(actor(&server, "passkey.removed", "grace").await, "ada");
}

#[tokio::test]
async fn what_a_device_comes_in_by_is_revoked() {
    let (server, mut ada) = server().await;
    let token = json!({ "name": "Laptop", "username": "ada" });
    server.operate(Method::POST, "/personal-tokens", token).await;
    let tokens = of(&server, "/personal-tokens?user=ada", "personal_tokens", "id").await;
    enroll(&server, &certificate_until(2050)).await;
    let fingerprint =
        of(&server, "/bridge/certificates?user=ada", "certificates", "fingerprint").await.remove(0);
    let token = format!("/gate/admin/people/ada/tokens/{}/revoke", tokens[0]);
    let certificate = format!("/gate/admin/people/ada/certificates/{fingerprint}/revoke");
    ada.visit(&token).await;

    let done = ada.submit(&token, &[]).await;
    let certificate_done = ada.submit(&certificate, &[]).await;

    assert_eq!(done.location(), "/gate/admin/people/ada");
    assert_eq!(certificate_done.location(), "/gate/admin/people/ada");
    let left = of(&server, "/personal-tokens?user=ada", "personal_tokens", "id").await;
    assert_eq!(left.len(), 0);
    let certificates = stored(&server, "/bridge/certificates?user=ada").await;
    assert!(certificates["certificates"][0]["revoked"].is_string(), "{certificates}");
}

#[tokio::test]
async fn a_limited_administrator_touches_nobody_who_has_more() {
    let (server, _ada) = server().await;
    let mut bob = with_role(&server, "people").await;
    let session = of(&server, "/sessions?user=ada", "sessions", "id").await.remove(0);

    let page = bob.visit("/gate/admin/people/ada").await;
    let refused = [
        bob.submit("/gate/admin/people/ada/recover", &[]).await,
        bob.submit("/gate/admin/people/ada/disable", &[]).await,
        bob.submit("/gate/admin/people/ada/remove", &[]).await,
        bob.submit("/gate/admin/people/ada/edit", &[("display_name", "Eve")]).await,
        bob.submit(&format!("/gate/admin/sessions/{session}/end"), &[]).await,
    ];

    assert!(!page.text().contains("/recover\""), "{}", page.text());
    for response in refused {
        response.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
    }
    let ada = stored(&server, "/users/ada").await;
    assert_eq!((&ada["disabled"], &ada["display_name"]), (&json!(false), &json!("ada")));
    assert_eq!(of(&server, "/sessions?user=ada", "sessions", "id").await, [session]);
    assert_eq!(of(&server, "/links?user=ada", "links", "id").await.len(), 0);
}
