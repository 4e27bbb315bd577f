//! Whole responses: what is on every response, and what is on some alone.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};

use crate::support::{Browser, Log, RelyingParty, Response, Server};

async fn as_person(server: &Server, path: &str) -> Response {
    let request = Request::get(path).header("accept", "text/html,*/*;q=0.8");
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_page_allows_itself_nothing_but_its_own_files() {
    let server = Server::new().await;

    let page = server.get("/gate/login").await;

    insta::assert_snapshot!(page.head(), @r"
    200
    cache-control: no-store
    content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'
    content-type: text/html; charset=utf-8
    gatelodge-challenge: …
    pragma: no-cache
    referrer-policy: same-origin
    x-content-type-options: nosniff
    ");
}

#[tokio::test]
async fn a_page_that_changes_an_account_stands_alone() {
    let (_server, mut ada) = Server::with_ada().await;

    let account = ada.visit("/account").await;
    let setup = ada.visit("/setup").await;

    for page in [account, setup] {
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    }
}

#[tokio::test]
async fn no_page_has_anything_inline() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let consent = ada.visit(&shop.request(&[])).await;
    let device = RelyingParty::tv(&server).await.device().await;
    let waiting = ada.open_device(&device).await;
    let pages = [
        ada.visit("/device").await,
        ada.submit("/gate/device", &[("user_code", "BBBB-BBBB")]).await,
        ada.decide_on_device(&waiting, "allow").await,
        waiting,
        Browser::new(&server).visit("/login").await,
        ada.visit("/setup").await,
        ada.visit("/account").await,
        ada.visit("/oauth/logout").await,
        ada.visit("/gate/logged-out").await,
        as_person(&server, "/nowhere").await,
        ada.decide(&consent, "allow").await,
        consent,
    ];

    for page in pages {
        let html = page.text();
        assert!(page.header("content-type").starts_with("text/html"));
        for inline in ["<style", "style=\"", "onclick", "onload", "javascript:", "<script>"] {
            assert!(!html.contains(inline), "{inline} in {html}");
        }
    }
}

#[tokio::test]
async fn the_way_to_the_pages_sets_the_cookie_of_one_interaction() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let response = server.get(&shop.request(&[])).await;

    assert!(response.location().starts_with("/gate/interaction/"));
    let head = response.head().replace(response.location(), "/gate/interaction/ID");
    insta::assert_snapshot!(head, @r"
    303
    cache-control: no-store
    location: /gate/interaction/ID
    pragma: no-cache
    set-cookie: gl7455_i_=…; Path=/gate/; Max-Age=1800; HttpOnly; SameSite=Lax
    x-content-type-options: nosniff
    ");
}

#[tokio::test]
async fn the_way_home_tells_no_referrer_and_takes_the_cookie_along() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;

    let response = ada.visit(&shop.request(&[])).await;

    let head = response.head().replace(&response.brought()["code"], "CODE");
    insta::assert_snapshot!(head, @r"
    303
    cache-control: no-store
    gatelodge-challenge: …
    location: https://shop.example/cb?code=CODE&state=s-1&iss=http%3A%2F%2Flocalhost%3A7455
    pragma: no-cache
    referrer-policy: no-referrer
    set-cookie: gl7455_i_=…; Path=/gate/; Max-Age=0; HttpOnly; SameSite=Lax
    set-cookie: gl7455_outcomes=…; Path=/gate/; Max-Age=86400; HttpOnly; SameSite=Lax
    x-content-type-options: nosniff
    ");
}

/// Chromium applies `form-action` to every hop after a form's POST.
#[tokio::test]
async fn a_yes_is_answered_with_a_page_that_goes_on_by_itself() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;

    let response = ada.decide(&page, "allow").await;

    assert_eq!(response.status, 200);
    assert_eq!(response.header("referrer-policy"), "no-referrer");
    let redirect_url = response.redirect_url().unwrap().to_string().replace('&', "&#38;");
    assert!(response.text().contains(&format!("href=\"{redirect_url}\"")));
}

/// RFC 6749 §5.1
#[tokio::test]
async fn a_token_answer_is_kept_by_nobody() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;

    let response = robot.ask(&[("grant_type", "client_credentials")]).await;

    insta::assert_snapshot!(response.head(), @r"
    200
    access-control-allow-origin: *
    access-control-expose-headers: www-authenticate, retry-after, gatelodge-event
    cache-control: no-store
    content-type: application/json
    pragma: no-cache
    x-content-type-options: nosniff
    ");
}

#[tokio::test]
async fn a_refused_client_reads_a_challenge_and_an_event() {
    let server = Server::new().await;
    let mut robot = RelyingParty::robot(&server).await;
    robot.secret = Some("wrong".to_owned());

    let response = robot.ask(&[("grant_type", "client_credentials")]).await;

    let text = format!("{}\n\n{}", response.head(), response.text());
    insta::assert_snapshot!(text.replace(response.header("gatelodge-event"), "EVENT"), @r#"
    401
    access-control-allow-origin: *
    access-control-expose-headers: www-authenticate, retry-after, gatelodge-event
    cache-control: no-store
    content-type: application/json
    gatelodge-event: EVENT
    pragma: no-cache
    www-authenticate: Basic realm="gatelodge", charset="UTF-8"
    x-content-type-options: nosniff

    {"error":"invalid_client","error_description":"the client is unknown, or its client_secret is wrong","event_id":"EVENT"}
    "#);
}

/// RFC 6750 §3
#[tokio::test]
async fn a_wrong_token_is_told_why_and_a_missing_one_only_where_to_ask() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let wrong = shop.userinfo("abc").await;
    let missing = server.get("/oauth/userinfo").await;

    insta::assert_snapshot!(wrong.header("www-authenticate"), @r#"Bearer resource_metadata="http://localhost:7455/.well-known/oauth-protected-resource", error="invalid_token", error_description="the access token is no JWT of this server""#);
    insta::assert_snapshot!(missing.header("www-authenticate"), @r#"Bearer resource_metadata="http://localhost:7455/.well-known/oauth-protected-resource""#);
}

#[tokio::test]
async fn only_what_rarely_changes_may_be_kept() {
    let (server, mut ada) = Server::with_ada().await;
    let cached = |response: &Response| response.header("cache-control").to_owned();

    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json"] {
        assert_eq!(cached(&server.get(path).await), "public, max-age=3600", "{path}");
    }
    let style = server.asset("style.css").await;
    assert_eq!(cached(&server.get(&style).await), "public, max-age=31536000, immutable");
    for path in [
        "/account",
        "/login",
        "/nowhere",
        "/assets/0/style.css",
        "/healthz",
        "/oauth/userinfo",
        "/",
    ] {
        assert_eq!(cached(&ada.visit(path).await), "no-store", "{path}");
    }
}

/// Only what a browser may keep for good has the address of this version.
#[tokio::test]
async fn a_file_has_an_address_of_its_version_alone() {
    let server = Server::new().await;

    let file = server.get(&server.asset("login.js").await).await;

    assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8");
    assert!(file.text().contains("from \"./passkey.js\""));
    for path in ["/assets/login.js", "/assets/0000000000000000/login.js"] {
        server.get(path).await.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    }
}

#[tokio::test]
async fn a_file_is_compressed_for_browsers_that_take_it() {
    let server = Server::new().await;
    let path = server.asset("style.css").await;
    let plain = server.get(&path).await;
    for (accepted, encoding) in [
        ("gzip, deflate, br", "gzip"),
        ("br;q=1, GZIP;q=0.1", "gzip"),
        ("gzip;q=0, br", ""),
        ("br", ""),
    ] {
        let request = Request::get(&path).header("accept-encoding", accepted);
        let response = server.send(request.body(Body::empty()).unwrap()).await;

        assert_eq!(response.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(response.header("vary"), "accept-encoding");
        assert_eq!(response.header("content-type"), "text/css; charset=utf-8");
        if encoding.is_empty() {
            assert_eq!(response.body, plain.body);
        } else {
            assert!(response.body.starts_with(&[0x1f, 0x8b]), "the beginning of RFC 1952 §2.3.1");
            assert!(response.body.len() * 2 < plain.body.len());
        }
    }
}

#[tokio::test]
async fn people_read_pages_and_programs_read_json() {
    let server = Server::new().await;

    let page = as_person(&server, "/nowhere").await;
    let json = server.get("/nowhere").await;

    for response in [&page, &json] {
        response.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    }
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(json.header("content-type"), "application/json");
}

/// Strict transport would catch every other port of localhost, whatever runs there.
#[tokio::test]
async fn an_https_issuer_insists_on_tls_and_binds_its_cookies_to_its_host() {
    let public = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let local = Server::with("https://localhost:7455".parse().unwrap(), |_| {}).await;

    let page = public.get("/gate/login").await;
    let at_home = RelyingParty::web(&local).await.request(&[]);
    let at_home = local.get(&at_home).await;

    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
    assert_eq!(at_home.header("strict-transport-security"), "");
    let cookie = |response: &Response| {
        response.head().lines().find(|line| line.starts_with("set-cookie")).unwrap().to_owned()
    };
    insta::assert_snapshot!(cookie(&page), @"set-cookie: __Host-gl_browser=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure");
    insta::assert_snapshot!(cookie(&at_home), @"set-cookie: gl7455_i_=…; Path=/gate/; Max-Age=1800; HttpOnly; SameSite=Lax; Secure");
}

#[tokio::test]
async fn signing_out_clears_the_session_cookie() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    ada.visit("/account").await;

    let response = ada.submit("/gate/logout", &[]).await;

    let cookie = "__Host-gl_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure";
    assert_eq!(response.header("set-cookie"), cookie);
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let server = Server::new().await;

    let style = server.asset("style.css").await;
    for path in ["/.well-known/openid-configuration", "/gate/login", &*style] {
        let head = Request::builder().method(Method::HEAD).uri(path).body(Body::empty()).unwrap();
        let (head, get) = (server.send(head).await, server.get(path).await);

        assert_eq!(head.head(), get.head(), "{path}");
        assert!(head.body.is_empty());
    }
}

/// There are no keys here: the response says that the fault is ours, and nothing more.
#[tokio::test]
async fn a_fault_of_ours_says_nothing_but_its_event() {
    let server = Server::without_keys().await;
    let robot = RelyingParty::robot(&server).await;
    tokio::time::pause();

    let response = robot.ask(&[("grant_type", "client_credentials")]).await;
    let ready = server.get("/readyz").await;

    for response in [response, ready] {
        assert_eq!((response.status.as_u16(), response.header("gatelodge-event").len()), (500, 16));
        let error = response.json();
        assert_eq!(error["error"], "server_error");
        assert_eq!(error["error_description"], "The server met an unexpected condition.");
        assert_eq!(error.as_object().unwrap().len(), 3);
        assert_eq!(error["event_id"], response.header("gatelodge-event"));
    }
}

/// A page brings them along, and what somebody looks for stands above them.
#[tokio::test]
async fn assets_and_probes_are_in_the_log_where_they_fail() {
    let server = Server::new().await;
    let script = server.asset("login.js").await;
    let log = Log::keep();

    for path in [&*script, "/healthz", "/readyz", "/metrics", "/login", "/assets/0/none"] {
        server.get(path).await;
    }

    assert_eq!(log.with("/healthz").len() + log.with("/readyz").len(), 0);
    assert_eq!(log.with("route=\"/login\"").len(), 1);
    let assets = log.with("/assets/{version}/{name}");
    assert_eq!(assets.len(), 1);
    assert!(assets[0].contains("PageNotFound"), "{assets:?}");
}
