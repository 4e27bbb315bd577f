//! The pages of the administration: who gets in, and what it takes to change something.

mod client_form;
mod clients;
mod events;
mod frame;
mod keys;
mod resources;
mod settings;

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
    let roles = serde_json::json!({ "roles": [role] });
    let given = server.operate(axum::http::Method::PATCH, "/users/bob", roles).await;
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
