//! The pages of the administration: who gets in, and what it takes to change something.

mod events;
mod frame;
mod keys;

use crate::support::{Browser, Server};

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
