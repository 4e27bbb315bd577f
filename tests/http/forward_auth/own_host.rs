//! What is ours on an application's host: one path, and cookies that reach no other.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};

use super::{NOTES, Visit, WIKI, forwarded, installed};
use crate::support::Server;

/// The issuer itself is not to be had under an application's name.
#[tokio::test]
async fn an_applications_host_leads_to_its_own_path_alone() {
    let (server, _ada) = installed().await;
    let mut visit = Visit::default();

    for path in ["/", "/gate/login", "/oauth/token", "/auth/verify/", "/_gatelodge", "/assets/x"] {
        let response = visit.open(&server, WIKI, path).await;
        response.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
    }
    let strange = visit.open(&server, "evil.localhost:8080", "/_gatelodge/start").await;
    strange.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
}

/// Elsewhere than on this machine all is https, and a cookie belongs to its host.
#[tokio::test]
async fn on_the_web_the_cookie_is_bound_to_its_host() {
    let server = Server::with("https://id.example".parse().unwrap(), |config| {
        config.apps.insert("app.example".parse().unwrap(), Vec::new());
    });
    let server = server.await;

    let mut visit = Visit::default();
    let response = visit.open(&server, "App.Example:443", "/_gatelodge/start?rd=/x").await;

    let set = response.header("set-cookie");
    assert!(set.starts_with("__Host-gatelodge_start=gl_pb_"), "{set}");
    assert!(set.ends_with("; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax; Secure"), "{set}");
    assert!(response.location().starts_with("https://id.example/gate/apps/start?app=app.example&"));
}

/// On an application's host all other paths are the application's.
#[tokio::test]
async fn a_page_on_an_applications_host_brings_its_style_along() {
    let (server, mut ada) = installed().await;
    server.change_person("ada", |ada| ada.roles.push("clerk".parse().unwrap())).await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, NOTES).await;
    server.change_person("ada", |ada| ada.roles.retain(|role| role.as_str() != "clerk")).await;
    let browser = [&[("accept", "text/html"), ("host", NOTES)], &forwarded(NOTES)[..]].concat();

    let callback = visit.open(&server, NOTES, "/_gatelodge/callback").await;
    let dismissed = visit.verify(&server, &browser).await;

    callback.refused(ErrorCode::InteractionOver, Refusal::AppCodeUnknown);
    dismissed.refused(ErrorCode::AccessDenied, Refusal::AppRoleMissing);
    // What leads on from there is the application itself, and the issuer by its whole address.
    assert!(callback.text().contains("<a class=\"button full\" href=\"/\""));
    assert!(dismissed.text().contains("href=\"http://localhost:7455/gate/account\""));
    for page in [callback, dismissed] {
        let head = page.text().split("</head>").next().unwrap();
        let linked: Vec<_> = head.split("href=\"").skip(1).collect();
        assert!(!linked.is_empty(), "{}", page.text());
        for link in linked.iter().map(|rest| rest.split('"').next().unwrap()) {
            assert!(link.starts_with("/_gatelodge/assets/"), "{link}");
            assert_eq!(visit.open(&server, NOTES, link).await.status, 200, "{link}");
        }
    }
    let ours =
        server.send(Request::get("/x").header("accept", "text/html").body(Body::empty()).unwrap());
    assert!(ours.await.text().contains("href=\"/assets/"));
}

/// RFC 6265 §8.5: "Cookies do not provide isolation by port."
#[tokio::test]
async fn two_applications_on_one_host_have_a_cookie_each() {
    for (issuer, app) in [
        ("https://id.example", "app.example"),
        ("https://id.example", "app.example:8443"),
        ("http://localhost:7455", "app.localhost"),
        ("http://localhost:7455", "app.localhost:8443"),
    ] {
        let server = Server::with(issuer.parse().unwrap(), |config| {
            config.apps.insert(app.parse().unwrap(), Vec::new());
        });
        let server = server.await;

        let started = Visit::default().open(&server, app, "/_gatelodge/start").await;

        let name = started.header("set-cookie").split('=').next().unwrap();
        assert_eq!(name.ends_with("_start_8443"), app.ends_with(":8443"), "{name}");
    }
}
