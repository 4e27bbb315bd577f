//! Forward authentication: people at applications behind nginx, Caddy and Traefik.

mod identity;
mod own_host;
mod proxies;

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use gatelodge::oauth::issuer::Issuer;
use url::Url;

use crate::support::{Browser, Response, Server, address};

pub(crate) const WIKI: &str = "wiki.localhost:8080";
pub(crate) const NOTES: &str = "notes.localhost:8081";

/// An installation with ada, a wiki for everybody and notes for clerks.
pub(crate) async fn installed() -> (Server, Browser) {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.roles.insert("clerk".parse().unwrap(), gatelodge::oauth::scope::Scope::default());
        config.apps.insert(WIKI.parse().unwrap(), Vec::new());
        config.apps.insert(NOTES.parse().unwrap(), vec!["clerk".parse().unwrap()]);
    });
    let server = server.await;
    let ada = server.first_administrator().await;
    (server, ada)
}

/// What a browser keeps for the host of an application.
#[derive(Clone, Default)]
pub(crate) struct Visit {
    cookies: Vec<(String, String)>,
}

impl Visit {
    fn cookie(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Opens a path on an application's host, whose proxy sends it here.
    pub(crate) async fn open(&mut self, server: &Server, host: &str, path: &str) -> Response {
        let request = Request::get(path).header(header::HOST, host);
        let request = request.header(header::COOKIE, self.cookie());
        let response = server.send(request.body(Body::empty()).unwrap()).await;
        for set in response.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(own, _)| own != name);
            let value = rest.split(';').next().unwrap();
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        response
    }

    /// The response to a proxy that asks with `headers`.
    pub(crate) async fn verify(&self, server: &Server, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get("/auth/verify").header(header::COOKIE, self.cookie());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        server.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn nginx(&self, server: &Server, host: &str) -> Response {
        let url = format!("http://{host}/page?a=b");
        self.verify(server, &[("x-original-url", &url)]).await
    }

    /// Begins at an application, and gives the address that brings the code.
    pub(crate) async fn code(&mut self, browser: &mut Browser, host: &str, path: &str) -> Response {
        let server = browser.server.clone();
        let started = self.open(&server, host, path).await;
        browser.visit(started.location()).await
    }

    /// Signs in at an application.
    pub(crate) async fn enter(&mut self, browser: &mut Browser, host: &str) -> Response {
        let server = browser.server.clone();
        let brought = self.code(browser, host, "/_gatelodge/start?rd=%2Fpage%3Fa%3Db").await;
        let callback = brought.location().to_owned();
        self.open(&server, host, after_host(&callback, host)).await
    }
}

fn after_host<'a>(url: &'a str, host: &str) -> &'a str {
    url.strip_prefix(&format!("http://{host}")).unwrap()
}

fn forwarded(host: &str) -> [(&str, &str); 3] {
    [("x-forwarded-method", "GET"), ("x-forwarded-host", host), ("x-forwarded-uri", "/page?a=b")]
}

#[tokio::test]
async fn nginx_is_told_by_the_status_and_where_to_sign_in() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();

    let outside = visit.nginx(&server, WIKI).await;
    let start = outside.header("location").to_owned();
    let brought = visit.code(&mut ada, WIKI, after_host(&start, WIKI)).await;
    let callback = brought.location().to_owned();
    let entered = visit.open(&server, WIKI, after_host(&callback, WIKI)).await;
    let inside = visit.nginx(&server, WIKI).await;

    outside.refused(ErrorCode::LoginRequired, Refusal::AppSessionMissing);
    assert_eq!(start, format!("http://{WIKI}/_gatelodge/start?rd=%2Fpage%3Fa%3Db"));
    assert_eq!(brought.header("referrer-policy"), "no-referrer");
    assert_eq!(entered.location(), format!("http://{WIKI}/page?a=b"));
    assert_eq!(inside.status, 200);
    assert_eq!(inside.header("remote-user"), "ada");
}

#[tokio::test]
async fn caddy_and_traefik_send_the_browser_to_sign_in() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();

    let outside = visit.verify(&server, &forwarded(WIKI)).await;
    visit.enter(&mut ada, WIKI).await;
    let inside = visit.verify(&server, &forwarded(WIKI)).await;

    assert_eq!(outside.status, 302);
    assert_eq!(outside.location(), format!("http://{WIKI}/_gatelodge/start?rd=%2Fpage%3Fa%3Db"));
    assert_eq!(inside.status, 200);
}

/// The application's own cookies reach the proxy's question, too.
#[tokio::test]
async fn a_cookie_of_the_application_may_have_any_bytes() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;
    visit.cookies.push(("user".to_owned(), "Zo\u{eb}".to_owned()));

    let inside = visit.nginx(&server, WIKI).await;

    assert_eq!(inside.status, 200);
}

/// Caddy asks under the name that the browser used.
#[tokio::test]
async fn a_proxy_may_ask_under_the_name_of_the_application() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    let ask = [&[("host", WIKI)], &forwarded(WIKI)[..]].concat();

    let outside = visit.verify(&server, &ask).await;
    visit.enter(&mut ada, WIKI).await;
    let inside = visit.verify(&server, &ask).await;

    assert_eq!((outside.status.as_u16(), inside.status.as_u16()), (302, 200));
    assert_eq!(inside.header("remote-user"), "ada");
}

/// A form that was sent cannot be sent again by a redirect, and what a page fetches for itself would
/// only get a page to sign in at.
#[tokio::test]
async fn what_no_redirect_can_bring_back_is_refused() {
    let (server, _ada) = installed().await;

    for header in [("x-forwarded-method", "POST"), ("sec-fetch-mode", "cors")] {
        let response =
            Visit::default().verify(&server, &[header, ("x-forwarded-host", WIKI)]).await;
        response.refused(ErrorCode::LoginRequired, Refusal::AppSessionMissing);
    }
    let opened = [("sec-fetch-mode", "navigate"), ("x-forwarded-host", WIKI)];
    assert_eq!(Visit::default().verify(&server, &opened).await.status, 302);
}

#[tokio::test]
async fn every_identity_header_is_told_if_only_empty() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;
    let identity = async || {
        let response = visit.nginx(&server, WIKI).await;
        ["remote-user", "remote-name", "remote-email", "remote-groups"].map(|name| {
            let value = response.headers.get(name).unwrap().as_bytes().to_vec();
            String::from_utf8(value).unwrap()
        })
    };

    assert_eq!(identity().await, ["ada", "ada", "", "admin,user"]);
    let change = |ada: &mut gatelodge::store::schema::Person| {
        ada.display_name = "Ada, Gräfin".parse().unwrap();
        ada.email = address("ada@example.com");
        ada.groups = ["wiki-editors", "staff"].map(|group| group.parse().unwrap()).to_vec();
    };
    server.change_person("ada", change).await;
    let groups = "admin,staff,user,wiki-editors";
    assert_eq!(identity().await, ["ada", "Ada, Gräfin", "ada@example.com", groups]);
}

#[tokio::test]
async fn whoever_is_not_signed_in_signs_in_first() {
    let (server, mut ada) = installed().await;
    ada.sign_out().await;
    let mut visit = Visit::default();

    let page = visit.code(&mut ada, WIKI, "/_gatelodge/start?rd=/page").await;
    let next = page.text().split("data-next=\"").nth(1).unwrap().split('"').next().unwrap();
    let next = next.replace("&#38;", "&").replace("&amp;", "&");
    ada.sign_in().await;
    let brought = ada.visit(&next).await;
    let callback = brought.location().to_owned();
    visit.open(&server, WIKI, after_host(&callback, WIKI)).await;

    assert!(page.asks_to_sign_in() && page.text().contains(WIKI));
    assert_eq!(visit.nginx(&server, WIKI).await.status, 200);
}

#[tokio::test]
async fn an_application_lets_in_the_roles_that_it_names() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();

    let refused = visit.code(&mut ada, NOTES, "/_gatelodge/start").await;
    server.change_person("ada", |ada| ada.roles.push("clerk".parse().unwrap())).await;
    visit.enter(&mut ada, NOTES).await;
    let inside = visit.nginx(&server, NOTES).await;
    server.change_person("ada", |ada| ada.roles.retain(|role| role.as_str() != "clerk")).await;
    let dismissed = visit.nginx(&server, NOTES).await;

    refused.refused(ErrorCode::AccessDenied, Refusal::AppRoleMissing);
    assert_eq!(inside.header("remote-groups"), "admin,clerk,user");
    dismissed.refused(ErrorCode::AccessDenied, Refusal::AppRoleMissing);
    assert_eq!(dismissed.status, 403);
}

#[tokio::test]
async fn a_host_that_nobody_registered_is_none() {
    let (server, mut ada) = installed().await;
    let visit = Visit::default();

    for host in ["evil.example", "wiki.localhost", "wiki.localhost:8081", "a/b"] {
        let verified = visit.verify(&server, &forwarded(host)).await;
        verified.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
        let started = ada.visit(&format!("/gate/apps/start?app={host}&state=x&rd=/")).await;
        started.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
    }
    visit.verify(&server, &[]).await.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
    let at_issuer = server.get("/_gatelodge/start").await;
    at_issuer.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_a_minute() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    let mut codes = Vec::new();
    for _ in 0..2 {
        let brought = visit.code(&mut ada, WIKI, "/_gatelodge/start").await;
        codes.push(after_host(brought.location(), WIKI).to_owned());
    }
    let mut again = visit.clone();

    let first = visit.open(&server, WIKI, &codes[0]).await;
    let second = again.clone().open(&server, WIKI, &codes[0]).await;
    server.advance(Duration::from_mins(1));
    let late = again.open(&server, WIKI, &codes[1]).await;

    assert_eq!(first.location(), format!("http://{WIKI}/"));
    second.refused(ErrorCode::InteractionOver, Refusal::AppCodeUnknown);
    late.refused(ErrorCode::InteractionOver, Refusal::AppCodeUnknown);
}

#[tokio::test]
async fn a_code_for_another_host_is_refused_and_not_spent() {
    let (server, mut ada) = installed().await;
    server.change_person("ada", |ada| ada.roles.push("clerk".parse().unwrap())).await;
    let mut visit = Visit::default();
    let brought = visit.code(&mut ada, WIKI, "/_gatelodge/start").await;
    let callback = after_host(brought.location(), WIKI).to_owned();
    // A cookie of that name and value may well be planted on another host.
    let mut planted = visit.clone();
    for (name, _) in &mut planted.cookies {
        *name = name.replace("8080", "8081");
    }

    let elsewhere = planted.open(&server, NOTES, &callback).await;
    let home = visit.open(&server, WIKI, &callback).await;

    elsewhere.refused(ErrorCode::InteractionOver, Refusal::AppCodeUnknown);
    assert_eq!(home.location(), format!("http://{WIKI}/"));
}

/// Login CSRF: nobody is signed in as somebody else by an address that was sent to them.
#[tokio::test]
async fn a_code_belongs_to_the_browser_that_began() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    let brought = visit.code(&mut ada, WIKI, "/_gatelodge/start").await;
    let callback = after_host(brought.location(), WIKI).to_owned();
    let mut started_too = Visit::default();
    started_too.open(&server, WIKI, "/_gatelodge/start").await;

    for mut other in [Visit::default(), started_too] {
        let response = other.open(&server, WIKI, &callback).await;

        response.refused(ErrorCode::InteractionOver, Refusal::AppCodeOfAnotherBrowser);
        assert_eq!(other.nginx(&server, WIKI).await.status, 401);
    }
    assert!(visit.open(&server, WIKI, &callback).await.status.is_redirection());
}

#[tokio::test]
async fn two_tabs_may_begin_at_once() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    let one = visit.code(&mut ada, WIKI, "/_gatelodge/start?rd=/one").await;
    let two = visit.code(&mut ada, WIKI, "/_gatelodge/start?rd=/two").await;

    let one = visit.open(&server, WIKI, after_host(one.location(), WIKI)).await;
    let two = visit.open(&server, WIKI, after_host(two.location(), WIKI)).await;

    assert_eq!(one.location(), format!("http://{WIKI}/one"));
    assert_eq!(two.location(), format!("http://{WIKI}/two"));
}

#[tokio::test]
async fn the_cookie_of_an_application_opens_no_other() {
    let (server, mut ada) = installed().await;
    server.change_person("ada", |ada| ada.roles.push("clerk".parse().unwrap())).await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;
    for (name, _) in &mut visit.cookies {
        *name = name.replace("8080", "8081");
    }

    let response = visit.nginx(&server, NOTES).await;

    response.refused(ErrorCode::LoginRequired, Refusal::AppSessionMissing);
}

/// Each proxy overwrites its own headers, and hands on those of the others from outside.
#[tokio::test]
async fn nobody_enters_by_naming_an_application_that_lets_them_in() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;
    let url = |host: &str| format!("http://{host}/");
    let (wiki, notes) = (url(WIKI), url(NOTES));

    for headers in [
        [("x-original-url", notes.as_str()), ("x-forwarded-host", WIKI)],
        [("x-original-url", wiki.as_str()), ("x-forwarded-host", NOTES)],
        [("x-forwarded-host", WIKI), ("x-forwarded-host", NOTES)],
        [("x-original-url", &wiki), ("x-original-url", &notes)],
    ] {
        let response = visit.verify(&server, &headers).await;
        response.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
    }
}

#[tokio::test]
async fn only_a_proxy_of_ours_is_believed() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.apps.insert(WIKI.parse().unwrap(), Vec::new());
        config.behind_proxy.push("10.0.0.1".parse().unwrap());
    });
    let server = server.await;
    let from = |address: &str| {
        let mut request = Request::get("/auth/verify").header("x-forwarded-host", WIKI);
        let peer: IpAddr = address.parse().unwrap();
        request.extensions_mut().unwrap().insert(Peer(peer));
        request.body(Body::empty()).unwrap()
    };

    let stranger = server.send(from("192.0.2.9")).await;
    let local = server.send(from("::ffff:127.0.0.1")).await;
    let named = server.send(from("10.0.0.1")).await;

    stranger.refused(ErrorCode::AccessDenied, Refusal::AppProxyUnknown);
    assert_eq!((local.status.as_u16(), named.status.as_u16()), (302, 302));
}

#[tokio::test]
async fn a_request_without_a_peer_is_not_from_this_machine() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.apps.insert(WIKI.parse().unwrap(), Vec::new());
        config.behind_proxy.push("0.0.0.0".parse().unwrap());
    });
    let server = server.await;
    let request = Request::get("/auth/verify").header("x-forwarded-host", WIKI);

    let response = server.send_over_no_listener(request.body(Body::empty()).unwrap()).await;

    response.refused(ErrorCode::AccessDenied, Refusal::AppProxyUnknown);
}

#[tokio::test]
async fn a_return_leads_nowhere_but_to_the_application() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();

    for rd in [
        "https://evil.example/",
        "//evil.example/",
        "/%5Cevil.example/",
        "@evil.example/",
        ".evil.example/",
        "javascript:alert(1)",
        "/x%0d%0aset-cookie:%20a=b",
        "/_gatelodge/sign-out",
        "",
    ] {
        let brought = visit.code(&mut ada, WIKI, &format!("/_gatelodge/start?rd={rd}")).await;
        let callback = after_host(brought.location(), WIKI).to_owned();
        let entered = visit.open(&server, WIKI, &callback).await;

        assert_eq!(entered.location(), format!("http://{WIKI}/"), "{rd}");
    }
    let headers = [("x-forwarded-host", WIKI), ("x-forwarded-uri", "//evil.example/")];
    let sent = Visit::default().verify(&server, &headers).await;
    assert_eq!(Url::parse(sent.location()).unwrap().host_str(), Some("wiki.localhost"));
}

#[tokio::test]
async fn an_application_is_over_with_the_sign_in_at_once() {
    for ending in ["sign-out", "person disabled", "session expired"] {
        let (server, mut ada) = installed().await;
        let mut visit = Visit::default();
        visit.enter(&mut ada, WIKI).await;
        assert_eq!(visit.nginx(&server, WIKI).await.status, 200);

        match ending {
            "sign-out" => ada.sign_out().await,
            "person disabled" => server.change_person("ada", |ada| ada.disabled = true).await,
            _ => server.advance(Duration::from_hours(7 * 24)),
        }

        let response = visit.nginx(&server, WIKI).await;
        response.refused(ErrorCode::LoginRequired, Refusal::AppSessionMissing);
    }
}

/// The use of an application counts as use of the session.
#[tokio::test]
async fn a_sign_in_does_not_idle_while_an_application_is_used() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;

    for _ in 0..3 {
        server.advance(Duration::from_hours(5 * 24));
        assert_eq!(visit.nginx(&server, WIKI).await.status, 200);
    }
    server.advance(Duration::from_hours(15 * 24));

    assert_eq!(visit.nginx(&server, WIKI).await.status, 401);
}

#[tokio::test]
async fn signing_out_of_an_application_ends_its_session_alone() {
    let (server, mut ada) = installed().await;
    let (mut visit, mut phone) = (Visit::default(), Visit::default());
    visit.enter(&mut ada, WIKI).await;
    phone.enter(&mut ada, WIKI).await;
    let copy = visit.clone();

    let response = visit.open(&server, WIKI, "/_gatelodge/sign-out").await;

    assert_eq!(response.location(), format!("{}/oauth/logout", server.issuer()));
    assert_eq!(visit.nginx(&server, WIKI).await.status, 401);
    assert_eq!(copy.nginx(&server, WIKI).await.status, 401);
    assert_eq!(phone.nginx(&server, WIKI).await.status, 200);
    let forged = Request::get("/_gatelodge/sign-out")
        .header(header::HOST, WIKI)
        .header("sec-fetch-site", "cross-site");
    let forged = server.send(forged.body(Body::empty()).unwrap()).await;
    forged.refused(ErrorCode::Forbidden, Refusal::LogoutCrossSite);
    assert!(forged.text().contains("Another site asked to sign you out of this application."));
}

#[tokio::test]
async fn whoever_only_looks_spends_no_code() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    let brought = visit.code(&mut ada, WIKI, "/_gatelodge/start").await;
    let callback = after_host(brought.location(), WIKI).to_owned();

    let request = Request::builder().method(Method::HEAD).uri(&callback);
    let request = request.header(header::HOST, WIKI).header(header::COOKIE, visit.cookie());
    let response = server.send(request.body(Body::empty()).unwrap()).await;

    assert_eq!((response.status.as_u16(), response.header("set-cookie")), (303, ""));
    assert!(visit.open(&server, WIKI, &callback).await.status.is_redirection());
}
