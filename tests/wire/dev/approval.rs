//! Approval without a page.

use serde_json::{Value, json};

use super::{CALLBACK, Dev, NOTHING, callback, claims, header};
use crate::connection::ask;

#[test]
fn a_code_comes_at_once_with_every_consent_and_the_tokens_are_those_of_the_person() {
    let dev = Dev::with_shop(&[]);

    let response = dev.authorize(&[]);

    assert_eq!(response.status, 303);
    assert_eq!(callback(&response, "state").as_deref(), Some("s-0"));
    assert_eq!(callback(&response, "iss").as_deref(), Some(dev.server.issuer()));
    let tokens = dev.redeem(&callback(&response, "code").unwrap()).json();
    let id_token = claims(&tokens["id_token"]);
    assert_eq!(id_token["nonce"], "n-0");
    let userinfo = dev.userinfo(&tokens).json();
    assert_eq!(userinfo["sub"], id_token["sub"]);
    assert_eq!(userinfo["email"], "ada@example.test");
    assert_eq!(tokens["scope"], "email offline_access openid profile");
    assert_eq!(dev.refresh(&tokens).status, 200);
}

#[test]
fn a_login_hint_names_somebody_else_who_is_made_if_there_is_nobody() {
    let dev = Dev::with_shop(&[]);
    dev.ok("POST", "/api/v1/users", json!({ "username": "carol", "email": "c@id.example" }));
    let whose = |hint: &str| {
        let tokens = dev.redeem(&dev.code(&[("login_hint", hint)])).json();
        dev.userinfo(&tokens).json()["preferred_username"].clone()
    };

    assert_eq!(whose("bob"), "bob");
    assert_eq!(whose("bob@example.test"), "bob");
    assert_eq!(whose("c@id.example"), "carol");
    assert_eq!(whose("no such name"), "ada");
    let people = dev.ok("GET", "/api/v1/users", NOTHING);
    assert_eq!(people["users"].as_array().unwrap().len(), 3);
}

#[test]
fn the_session_of_a_person_stays_one_and_a_silent_request_finds_its_consent() {
    let dev = Dev::with_shop(&[]);
    let sid = |more: &[(&str, &str)]| {
        claims(&dev.redeem(&dev.code(more)).json()["id_token"])["sid"].clone()
    };

    let first = sid(&[]);

    assert_eq!(sid(&[("prompt", "login")]), first);
    assert!(first.is_string());
    let sessions = dev.ok("GET", "/api/v1/sessions", NOTHING);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1, "{sessions}");
}

/// It is no mock that accepts what production refuses.
#[test]
fn what_production_refuses_is_refused() {
    let dev = Dev::with_shop(&[]);

    let unknown = dev.authorize(&[("client_id", "unheard-of")]);
    let astray = dev.authorize(&[("redirect_uri", "http://127.0.0.1:3000/other")]);
    let naked = dev.authorize(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let scope = dev.authorize(&[("scope", "admin")]);

    for page in [unknown, astray] {
        assert_eq!((page.status, header(&page, "location")), (400, None), "{}", page.head);
    }
    assert_eq!(callback(&naked, "error").as_deref(), Some("invalid_request"));
    assert_eq!(callback(&scope, "error").as_deref(), Some("invalid_scope"));
    let code = dev.code(&[]);
    assert_eq!(dev.redeem(&code).status, 200);
    let again = dev.redeem(&code);
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_grant")));
}

/// DNS rebinding, and a request that is no navigation.
#[test]
fn nothing_is_approved_for_a_strangers_name_or_an_image_of_a_page() {
    let dev = Dev::with_shop(&[]);
    let path = "/oauth/authorize?client_id=shop&response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%3A3000%2Fcallback";

    let rebound = ask(&dev.server, &format!("GET {path} HTTP/1.1\r\nHost: evil.example"), "");
    let image =
        dev.send("GET", path, &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"], "");

    assert_eq!(rebound.status, 421);
    assert_ne!(image.status, 303);
    assert!(callback(&image, "code").is_none(), "{}", image.head);
}

#[test]
fn who_approves_can_change_and_without_anybody_the_page_is_displayed() {
    let dev = Dev::with_shop(&[]);

    dev.ok("PUT", "/approval", json!({ "user": null }));
    let page = dev.authorize(&[]);
    dev.ok("PUT", "/approval", json!({ "user": "bob" }));
    let bobs = dev.redeem(&dev.code(&[])).json();

    assert!(header(&page, "location").unwrap().starts_with("/gate/interaction/"), "{}", page.head);
    assert_eq!(dev.userinfo(&bobs).json()["preferred_username"], "bob");
    assert_eq!(dev.ok("GET", "/approval", NOTHING)["user"], "bob");
    let wrong = dev.control("PUT", "/approval", &json!({ "user": "two words" }));
    assert_eq!((wrong.status, &wrong.json()["at"]), (400, &json!("user")));
    dev.ok("POST", "/reset", NOTHING);
    assert_eq!(dev.ok("GET", "/approval", NOTHING)["user"], "ada");
}

#[test]
fn a_person_who_may_not_use_a_client_or_sign_in_gets_nothing() {
    let dev = Dev::with_shop(&[]);
    dev.ok("PATCH", "/api/v1/clients/shop", json!({ "groups": ["staff"] }));
    let outside = dev.authorize(&[]);
    dev.ok("PATCH", "/api/v1/clients/shop", json!({ "groups": [] }));
    dev.ok("PATCH", "/api/v1/users/ada", json!({ "disabled": true }));
    let disabled = dev.authorize(&[]);

    assert_eq!(callback(&outside, "error").as_deref(), Some("access_denied"));
    assert!(callback(&disabled, "code").is_none(), "{}", disabled.head);
}

#[test]
fn a_pushed_request_and_the_response_mode_form_post_are_approved_too() {
    let dev = Dev::with_shop(&[]);
    let pushed = dev.post(
        "/oauth/par",
        &[
            ("client_id", "shop"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", super::CHALLENGE),
            ("code_challenge_method", "S256"),
            ("login_hint", "bob"),
        ],
    );
    let reference = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let query = gatelodge::oauth::params::form_encode([
        ("client_id", "shop"),
        ("request_uri", reference.as_str()),
    ]);

    let opened = dev.send("GET", &format!("/oauth/authorize?{query}"), &[], "");
    let posted = dev.authorize(&[("response_mode", "form_post")]);

    let tokens = dev.redeem(&callback(&opened, "code").unwrap()).json();
    let users = dev.ok("GET", "/api/v1/users/bob", NOTHING);
    assert_eq!(claims(&tokens["id_token"])["sub"], users["id"]);
    assert_eq!(posted.status, 200);
    assert!(posted.body.contains("gl_ac_") && posted.body.contains(CALLBACK), "{}", posted.body);
}

fn device(dev: &Dev) -> Value {
    let started =
        dev.post("/oauth/device_authorization", &[("client_id", "shop"), ("scope", "openid")]);
    assert_eq!(started.status, 200, "{}", started.body);
    started.json()
}

fn poll(dev: &Dev, device: &Value) -> Value {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "shop"),
        ("device_code", device["device_code"].as_str().unwrap()),
    ];
    dev.post("/oauth/token", &form).json()
}

#[test]
fn a_device_is_allowed_at_once_or_by_the_control_api() {
    let dev = Dev::with_shop(&[]);
    let at_once = device(&dev);
    assert!(poll(&dev, &at_once)["access_token"].is_string());

    dev.ok("PUT", "/approval", json!({ "user": null }));
    let (allowed, denied) = (device(&dev), device(&dev));
    assert_eq!(poll(&dev, &allowed)["error"], "authorization_pending");
    let decided = json!({ "user_code": allowed["user_code"], "user": "bob" });
    assert_eq!(dev.ok("POST", "/device", decided.clone())["allowed"], true);
    dev.ok("POST", "/clock", json!({ "advance": 10 }));
    assert!(poll(&dev, &allowed)["access_token"].is_string());
    let deny = json!({ "user_code": denied["user_code"], "user": "bob", "deny": true });
    assert_eq!(dev.ok("POST", "/device", deny)["allowed"], false);
    assert_eq!(poll(&dev, &denied)["error"], "access_denied");

    assert_eq!(dev.control("POST", "/device", &decided).status, 404);
    let nobody = dev.control("POST", "/device", &json!({ "user_code": "ABCD-EFGH" }));
    assert_eq!((nobody.status, &nobody.json()["at"]), (400, &json!("user")));
}
