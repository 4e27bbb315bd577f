//! The pages of the administration: who gets in, and what it takes to change something.

mod bare;
mod client_form;
mod clients;
mod done;
mod events;
mod frame;
mod keys;
mod language;
mod long_lists;
mod named;
mod people;
mod person;
mod possessions;
mod resources;
mod settings;
mod slips;

use axum::http::Method;
use gatelodge::error::Refusal;
use serde_json::{Value, json};

use crate::support::{Browser, Response, Server, unescape};

/// A server with the roles `people`, `clients` and `reader`, each with one scope of the administration,
/// and its first administrator.
pub(crate) async fn server() -> (Server, Browser) {
    let issuer = "http://localhost:7455".parse().unwrap();
    let server = Server::with(issuer, |config| {
        for (role, scope) in
            [("clients", "admin:clients"), ("people", "admin:people"), ("reader", "admin:read")]
        {
            config.roles.insert(role.parse().unwrap(), scope.parse().unwrap());
        }
    });
    let server = server.await;
    let ada = server.first_administrator().await;
    (server, ada)
}

/// A person who has only the role `role`.
pub(crate) async fn with_role(server: &Server, role: &str) -> Browser {
    let browser = server.person("bob").await;
    let roles = json!({ "roles": [role] });
    let given = server.operate(Method::PATCH, "/users/bob", roles).await;
    assert_eq!(given.status, 200, "{}", given.text());
    browser
}

/// The fields of the form of a page as a browser sends them, without the anti-forgery token.
pub(crate) fn fields(page: &Response) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for tag in page.text().split('<').skip(1) {
        let (head, text) = tag.split_once('>').unwrap();
        let attribute = |name: &str| {
            let (_, rest) = head.split_once(&format!(" {name}=\""))?;
            rest.split('"').next().map(unescape)
        };
        let Some(name) = attribute("name").filter(|name| name != "csrf") else { continue };
        let chosen = head.contains("type=\"checkbox\"") || head.contains("type=\"radio\"");
        if head.starts_with("textarea ") {
            fields.push((name, unescape(text.strip_prefix('\n').unwrap_or(text))));
        } else if head.starts_with("input ") && (!chosen || head.ends_with(" checked")) {
            fields.push((name, attribute("value").unwrap_or_default()));
        }
    }
    fields
}

/// Sends the form of a page with these values in place of what stands there.
pub(crate) async fn type_into(
    browser: &mut Browser,
    page: &Response,
    typed: &[(&str, &str)],
) -> Response {
    let mut all = fields(page);
    all.retain(|(name, _)| !typed.iter().any(|(own, _)| own == name));
    let all = all.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> = all.chain(typed.iter().copied()).collect();
    browser.submit(&page.action(), &all).await
}

/// The link that a page displays.
pub(crate) fn link_on(page: &Response) -> String {
    let (_, rest) = page.text().split_once("id=\"copied\">").expect("a link is displayed");
    rest.split('<').next().unwrap().to_owned()
}

/// What an operation lists or shows.
pub(crate) async fn stored(server: &Server, path: &str) -> Value {
    server.operate(Method::GET, path, json!({})).await.json()
}

/// The address of the page of a person.
pub(crate) async fn page_of(server: &Server, username: &str) -> String {
    page_of_id(&stored(server, &format!("/users/{username}")).await["id"])
}

/// The address of the page of the person who has this id.
pub(crate) fn page_of_id(id: &Value) -> String {
    format!("/gate/admin/people/{}", id.as_str().unwrap())
}

/// Who did the only event of this kind about a person.
pub(crate) async fn actor(server: &Server, kind: &str, person: &str) -> Value {
    let events = stored(server, &format!("/events?kind={kind}")).await["events"].clone();
    // Of somebody who is gone, an event has the name that they had.
    let is_about = |event: &&Value| event["username"] == person || event["name"] == person;
    let mut about = events.as_array().unwrap().iter().filter(is_about);
    let event = about.next().expect("there is such an event");
    assert!(about.next().is_none(), "{events}");
    event["actor"]["username"].clone()
}

/// Asserts that a form was refused for this reason, and stands there again with it.
#[track_caller]
pub(crate) fn refused_above(page: &Response, refusal: Refusal) {
    assert_eq!(page.refusal(), Some(refusal), "{} {}", page.status, page.text());
    assert_eq!(page.status, refusal.code().status(), "{}", page.text());
    assert!(page.text().contains("role=\"alert\""), "{}", page.text());
}
