//! A session that is a key in the origin's storage: what cookies, which every port of the host
//! receives, are worth beside it.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::config::Config;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::params::form_encode;
use serde_json::json;

use crate::routes::ROUTES;
use crate::support::{Browser, RelyingParty, Response, Server, SessionKey};

const ACCOUNT: &str = "/gate/account";

/// What must not be in a response to somebody who has cookies alone.
fn assert_tells_nothing(response: &Response, request: &str) {
    let text = String::from_utf8_lossy(&response.body);
    for secret in
        ["wilhelmina", "\"access_token\":", "\"code\":\"", "sp-live-", "code=", "gl_ac_", "gl_ss_"]
    {
        assert!(!text.contains(secret), "{request}: {secret} in {text}");
    }
    assert_eq!(response.csrf().unwrap_or_default(), "", "{request}");
    let location = response.headers.get("location").map_or("", |value| value.to_str().unwrap());
    assert!(!location.contains("code="), "{request}: {location}");
}

/// A program on another port that has every cookie of somebody who is signed in, and knows every
/// page that they have open.
#[tokio::test]
async fn cookies_alone_open_nothing_whatever_the_route() {
    let server = Server::with("http://localhost:7455".parse().unwrap(), |config: &mut Config| {
        config.apps.insert("wiki.example".parse().unwrap(), Vec::new());
    })
    .await;
    let mut person = server.person("wilhelmina").await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut person).await;
    let at = |page: Response| page.location().to_owned();
    let device = RelyingParty::tv(&server).await.device().await;
    let mut interactions = Vec::new();
    for start in [
        shop.request(&[]),
        shop.request(&[("prompt", "none")]),
        shop.request(&[("prompt", "consent")]),
        "/oauth/logout".to_owned(),
    ] {
        let request = Request::get(start).body(Body::empty()).unwrap();
        interactions.push(at(person.send(request).await));
    }
    let request = Request::get("/bridge/device-link").body(Body::empty()).unwrap();
    let link = at(person.send(request).await);
    let user_code = device["user_code"].as_str().unwrap();
    let cookies = person.cookies_for(ACCOUNT);
    assert!(cookies.contains("gl7455_i_"), "{cookies}");

    for (route, ..) in ROUTES {
        let paths = match *route {
            "/gate/interaction/{id}" => interactions.clone(),
            "/gate/link/{id}" => vec![link.clone()],
            "/gate/device" => vec![format!("/gate/device?user_code={user_code}")],
            "/gate/apps/start" => vec!["/gate/apps/start?app=wiki.example&state=s&rd=/".to_owned()],
            route => vec![route.split('{').next().unwrap().to_owned()],
        };
        let form = form_encode([("decision", "allow"), ("user_code", user_code), ("csrf", "")]);
        let bodies =
            [("application/x-www-form-urlencoded", form), ("application/json", "{}".to_owned())];
        for path in &paths {
            for method in [Method::GET, Method::HEAD, Method::POST] {
                for (content_type, body) in &bodies {
                    let request = Request::builder()
                        .method(&method)
                        .uri(path)
                        .header("accept", "text/html")
                        .header("content-type", *content_type)
                        .header("cookie", &cookies)
                        .header("sec-fetch-site", "same-origin");
                    let response = server.send(request.body(Body::from(body.clone())).unwrap());
                    assert_tells_nothing(&response.await, &format!("{method} {path}"));
                }
            }
        }
    }
    // Nothing of it was spent: the person goes on.
    let page = person.visit(&interactions[2]).await;
    assert!(person.decide(&page, "allow").await.brought().contains_key("code"));
}

/// Nor does a secret of a storage that the thief makes up, or a key of their own.
#[tokio::test]
async fn a_key_of_ones_own_is_no_session_of_another() {
    let (server, ada) = Server::with_ada().await;
    let mut thief = Browser::new(&server);
    thief.keep_from(&ada);
    thief.storage = crate::support::storage_secret();
    thief.key = Some(SessionKey::new());

    assert!(thief.visit("/account").await.asks_to_sign_in());
}

/// The person's browser opens the page first. Whoever catches its cookie could otherwise finish the
/// request with an account of their own, and sign the person in to that at the client.
#[tokio::test]
async fn an_interaction_belongs_to_the_storage_that_opened_it() {
    let (server, ada) = Server::with_ada().await;
    let mut victim = Browser::new(&server);
    let shop = RelyingParty::web(&server).await;
    let page = victim.visit(&shop.request(&[])).await;
    assert!(page.asks_to_sign_in());
    let mut thief = server.person("eve").await;
    let path = page.text().split("data-next=\"").nth(1).unwrap().split('"').next().unwrap();
    thief.visit("/account").await;
    let (key, storage) = (thief.key.clone(), thief.storage.clone());
    thief.keep_from(&victim);
    (thief.key, thief.storage) = (key, storage);

    let stolen = thief.visit(path).await;

    stolen.refused(ErrorCode::InteractionOver, Refusal::InteractionOfAnotherBrowser);
    victim.authenticator = ada.authenticator.clone();
    victim.sign_in().await;
    assert!(victim.visit(path).await.asks_for_consent());
}

/// Somebody with an account of their own presses the button of a page that another browser opened:
/// with the secret of their own storage, with something that is none, and with nothing.
#[tokio::test]
async fn nobody_decides_at_a_page_that_another_storage_opened() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mut pages = Vec::new();
    for start in [shop.request(&[]), "/oauth/logout".to_owned(), "/bridge/device-link".to_owned()] {
        let page = ada.visit(&start).await;
        let path = page.text().split("action=\"").nth(1).unwrap().split('"').next().unwrap();
        pages.push((path.to_owned(), page));
    }
    let mut thief = server.person("eve").await;
    thief.visit("/account").await;
    let (key, own) = (thief.key.clone(), thief.storage.clone());
    thief.keep_from(&ada);
    thief.key = key;

    for storage in [own.as_str(), "none", ""] {
        thief.storage = storage.to_owned();
        for (path, _) in &pages {
            for decision in ["allow", "deny"] {
                let response = thief.submit(path, &[("decision", decision)]).await;
                assert_eq!(
                    response.refusal().map(|refusal| refusal.code().status() / 100),
                    Some(4)
                );
                assert!(!response.headers.contains_key("location"), "{path} {storage}");
            }
        }
    }

    for (_, page) in &pages {
        let decided = ada.decide(page, "deny").await;
        assert!(decided.refusal().is_none_or(|refusal| refusal == Refusal::PersonDeclined));
    }
}

/// The same person signs in anew in another tab, and presses the button of a page from before.
#[tokio::test]
async fn a_page_from_before_another_sign_in_says_that_it_is_out_of_date() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    let old = ada.csrf.clone();
    ada.visit("/login").await;
    ada.sign_in().await;
    ada.csrf = old;

    let stale = ada.decide(&page, "allow").await;

    stale.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
    assert!(stale.text().contains("This page is out of date"), "{}", stale.text());
    let path = page.text().split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = ada.visit(path).await;
    assert!(ada.decide(&page, "allow").await.brought().contains_key("code"));
}

#[tokio::test]
async fn a_proof_is_for_one_body() {
    let (server, mut ada) = Server::with_ada().await;
    ada.visit("/account").await;
    let form = form_encode([("csrf", ada.csrf.as_str())]);
    let challenge = server.app.session_challenge();
    let proof = ada.key.as_ref().unwrap().proof(&challenge, "POST", "/gate/logout", b"another");
    let request = Request::post("/gate/logout")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header("gatelodge-storage", &ada.storage)
        .header("gatelodge-proof", proof);

    let response = server.send(request.body(Body::from(form)).unwrap()).await;

    response.refused(ErrorCode::InvalidSessionProof, Refusal::SessionProofMismatched);
    assert_eq!(response.header("www-authenticate"), "Gatelodge-Proof");
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

/// Whoever had the port while the server was down could have the page sign what they liked.
#[tokio::test]
async fn a_proof_for_another_process_is_worth_nothing() {
    let (server, ada) = Server::with_ada().await;
    let challenge = Server::of_another_process().await.app.session_challenge();
    let proof = ada.key.as_ref().unwrap().proof(&challenge, "GET", ACCOUNT, b"");
    let request = Request::get(ACCOUNT)
        .header("gatelodge-storage", &ada.storage)
        .header("gatelodge-proof", proof);

    let response = server.send(request.body(Body::empty()).unwrap()).await;

    response.refused(ErrorCode::InvalidSessionProof, Refusal::SessionProofExpired);
}

#[tokio::test]
async fn a_sign_in_makes_a_new_key_and_the_old_one_is_worth_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let mut thief = Browser::new(&server);
    thief.keep_from(&ada);
    assert!(!thief.visit("/account").await.asks_to_sign_in());

    ada.sign_in().await;

    assert!(thief.visit("/account").await.asks_to_sign_in());
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

/// The page is the same for everyone, and nobody's.
#[tokio::test]
async fn a_page_that_no_script_asked_for_holds_no_data() {
    let (server, mut ada) = Server::with_ada().await;

    let page = server.get(ACCOUNT).await;
    let request = Request::get(ACCOUNT).body(Body::empty()).unwrap();
    let with_cookies = ada.send_unproven(request).await;

    assert_eq!(page.text(), with_cookies.text());
    assert!(page.text().contains("/prove.js"));
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
}

/// `prompt=none` in a frame: only the client of this request may have it there.
#[tokio::test]
async fn a_silent_request_has_a_page_that_displays_nothing_and_its_client_may_frame() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    let request = Request::get(shop.request(&[("prompt", "none")])).body(Body::empty()).unwrap();
    let at = ada.send(request).await.location().to_owned();

    let page = ada.send_unproven(Request::get(&at).body(Body::empty()).unwrap()).await;

    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("; frame-ancestors https://shop.example"), "{policy}");
    let (_, body) = page.text().split_once("<body").unwrap();
    assert_eq!(body, " data-silent></body>\n</html>");
    assert!(ada.visit(&at).await.brought().contains_key("code"));
}

#[tokio::test]
async fn the_page_before_a_form_for_a_client_lets_it_go_there() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let request = shop.request(&[("response_mode", "form_post")]);
    let at = ada.send(Request::get(request).body(Body::empty()).unwrap()).await;
    let at = at.location().to_owned();

    let page = ada.send_unproven(Request::get(at).body(Body::empty()).unwrap()).await;

    assert!(!page.header("content-security-policy").contains("form-action"));
}

/// An operator whose host name has other ports.
#[tokio::test]
async fn a_session_is_a_key_wherever_the_operator_says_so() {
    let own_port = |config: &mut Config| config.policy.session_key = Some(true);
    let server = Server::with("https://id.example".parse().unwrap(), own_port).await;
    let ada = server.first_administrator().await;
    let cookies = ada.cookies_for(ACCOUNT);
    assert!(!cookies.contains("session"), "{cookies}");

    let mut thief = Browser::new(&server);
    thief.keep_from(&ada);
    thief.key = None;
    assert!(thief.visit("/account").await.asks_to_sign_in());

    let as_cookie = |config: &mut Config| config.policy.session_key = Some(false);
    let server = Server::with("http://localhost:7455".parse().unwrap(), as_cookie).await;
    let ada = server.first_administrator().await;
    assert!(ada.cookies_for(ACCOUNT).contains("gl7455_session="));
}

/// A session of the script's own making is refused before anything is read.
#[tokio::test]
async fn a_proof_that_is_none_is_refused_on_every_page() {
    let server = Server::new().await;

    for (method, path) in [("GET", ACCOUNT), ("GET", "/gate/login"), ("POST", "/gate/setup")] {
        let request = Request::builder().method(method).uri(path).header("gatelodge-proof", "x");
        let body = Body::from(json!({}).to_string());
        let response = server.send(request.body(body).unwrap()).await;

        response.refused(ErrorCode::InvalidSessionProof, Refusal::SessionProofMalformed);
    }
}

/// As with a cookie whose session has ended: the person is asked to sign in, and not told off.
#[tokio::test]
async fn a_form_after_the_end_of_the_session_leads_to_the_sign_in() {
    let (server, mut ada) = Server::with_ada().await;
    ada.visit("/account").await;
    server.advance(std::time::Duration::from_secs(7 * 86_400));

    let response = ada.submit("/gate/account/apps", &[("client_id", "shop")]).await;

    assert_eq!(response.location(), "/gate/login");
}
