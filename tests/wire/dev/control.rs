//! Who may use the control API, and what it ends.

use serde_json::{Value, json};

use super::{Dev, NOTHING, claims, header};
use crate::connection::ask;

const PATHS: [&str; 4] = ["", "/clock", "/nowhere", "/api/v1/users"];

#[test]
fn without_the_token_of_the_ready_line_nothing_is_answered() {
    let dev = Dev::start(&["--seed", "7"]);
    let other = Dev::start(&["--seed", "7"]);
    let foreign =
        format!("Authorization: Bearer {}", other.server.ready["token"].as_str().unwrap());

    for path in PATHS {
        let path = format!("/gate/dev{path}");
        for headers in [&[][..], &["Authorization: Bearer x"], &[foreign.as_str()]] {
            let refused = dev.send("GET", &path, headers, "");
            assert_eq!(refused.status, 401, "{path} {headers:?}");
            assert_eq!(refused.json()["error"], "invalid_token");
            assert_eq!(header(&refused, "www-authenticate"), Some("Bearer"));
        }
    }
}

/// A page of the web reaches every port of this machine.
#[test]
fn whatever_a_browser_sends_for_a_page_is_refused_even_with_the_token() {
    let dev = Dev::start(&[]);
    let bearer = format!("Authorization: Bearer {}", dev.server.ready["token"].as_str().unwrap());
    let own = format!("Origin: {}", dev.server.issuer());

    for of_page in [
        "Origin: https://evil.example",
        "Origin: null",
        own.as_str(),
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Site: none",
    ] {
        for path in PATHS {
            let path = format!("/gate/dev{path}");
            let refused = dev.send("GET", &path, &[&bearer, of_page], "");
            assert_eq!(refused.status, 403, "{path} {of_page}");
            assert_eq!(refused.json()["error"], "forbidden");
        }
    }
    // The `fetch` of Node.js sends this one, and a browser never alone.
    assert_eq!(dev.send("GET", "/gate/dev", &[&bearer, "Sec-Fetch-Mode: cors"], "").status, 200);
    let asked = ["Origin: https://evil.example", "Access-Control-Request-Method: POST"];
    let preflight = dev.send("OPTIONS", "/gate/dev/clock", &asked, "");
    assert_eq!(preflight.status, 403);
    let allowed = header(&preflight, "access-control-allow-origin");
    assert_eq!(allowed, None, "{}", preflight.head);
}

/// DNS rebinding: to such a page this server is its own origin.
#[test]
fn under_a_strangers_name_it_is_not_there_even_with_the_token() {
    let dev = Dev::start(&[]);
    let token = dev.server.ready["token"].as_str().unwrap();
    let port = dev.server.issuer().rsplit_once(':').unwrap().1;

    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1", "localhost:1"] {
        let head = format!(
            "GET /gate/dev/clock HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}"
        );
        let refused = ask(&dev.server, &head, "");
        assert_eq!(
            (refused.status, refused.json()["error"].as_str()),
            (421, Some("misdirected_request"))
        );
    }
    for host in [format!("127.0.0.1:{port}"), format!("LOCALHOST:{port}")] {
        let head = format!(
            "GET /gate/dev/clock HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}"
        );
        assert_eq!(ask(&dev.server, &head, "").status, 200, "{host}");
    }
}

#[test]
fn what_there_is_not_is_said_in_the_form_of_the_administration() {
    let dev = Dev::start(&[]);

    let nothing = dev.control("GET", "/nowhere", &NOTHING);
    let method = dev.control("PUT", "/clock", &NOTHING);
    let malformed = dev.control("POST", "/faults", &json!([]));
    let administration = dev.control("GET", "/api/v1/users/nobody", &NOTHING);

    for (response, status, error) in [
        (nothing, 404, "not_found"),
        (method, 405, "method_not_allowed"),
        (malformed, 400, "invalid_request"),
        (administration, 404, "not_found"),
    ] {
        assert_eq!((response.status, response.json()["error"].as_str()), (status, Some(error)));
        assert!(response.json()["error_description"].is_string());
    }
    let whole = dev.ok("GET", "", NOTHING);
    assert!(whole["operations"].as_array().unwrap().len() > 10, "{whole}");
}

/// The ids of the grants in force.
fn grants(dev: &Dev) -> Vec<Value> {
    let grants = dev.ok("GET", "/api/v1/grants", NOTHING)["grants"].clone();
    grants.as_array().unwrap().iter().map(|grant| grant["id"].clone()).collect()
}

#[test]
fn a_code_a_grant_a_session_and_a_token_expire_or_are_revoked_by_their_value() {
    let dev = Dev::with_shop(&[]);
    let refused = |response: crate::connection::Response| {
        assert_eq!((response.status, &response.json()["error"]), (400, &json!("invalid_grant")));
    };
    for how in ["/expire", "/revoke"] {
        let code = dev.code(&[]);
        dev.ok("POST", how, json!({ "code": code }));
        refused(dev.redeem(&code));

        let tokens = dev.tokens();
        dev.ok("POST", how, json!({ "token": tokens["refresh_token"] }));
        refused(dev.refresh(&tokens));
        assert_eq!(dev.userinfo(&tokens).status, 401, "{how}");

        let before = grants(&dev);
        let tokens = dev.tokens();
        let grant = grants(&dev).into_iter().find(|id| !before.contains(id));
        dev.ok("POST", how, json!({ "grant": grant.unwrap() }));
        refused(dev.refresh(&tokens));

        let sid = claims(&dev.tokens()["id_token"])["sid"].clone();
        dev.ok("POST", how, json!({ "session": sid }));
        let sessions = dev.ok("GET", "/api/v1/sessions", NOTHING);
        assert_eq!(sessions["sessions"], json!([]), "{how}");
    }
    let tokens = dev.tokens();
    dev.ok("POST", "/revoke", json!({ "token": tokens["access_token"] }));
    assert_eq!(dev.userinfo(&tokens).status, 401);
    assert_eq!(dev.refresh(&tokens).status, 200, "the grant goes on");
    let bounded = dev.control("POST", "/expire", &json!({ "token": tokens["access_token"] }));
    assert_eq!((bounded.status, &bounded.json()["error"]), (409, &json!("conflict")));
    assert!(bounded.json()["remedy"].as_str().unwrap().contains("advance the clock"));
}

#[test]
fn a_device_code_expires_or_is_denied_by_its_value() {
    let dev = Dev::with_shop(&[]);
    dev.ok("PUT", "/approval", json!({ "user": null }));

    for (how, error) in [("/expire", "expired_token"), ("/revoke", "access_denied")] {
        let form = [("client_id", "shop"), ("scope", "openid")];
        let device = dev.post("/oauth/device_authorization", &form).json();
        dev.ok("POST", how, json!({ "device_code": device["device_code"] }));
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", "shop"),
            ("device_code", device["device_code"].as_str().unwrap()),
        ];
        assert_eq!(dev.post("/oauth/token", &form).json()["error"], error);
    }
}

#[test]
fn what_is_to_end_is_named_once_and_known() {
    let dev = Dev::with_shop(&[]);
    let unknown = "gl_ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    for (body, status) in [
        (json!({}), 400),
        (json!({ "code": unknown, "grant": "x" }), 400),
        (json!({ "code": "gl_ac_short" }), 400),
        (json!({ "session": "x" }), 400),
        (json!({ "cookie": "x" }), 400),
        (json!({ "code": unknown }), 404),
        (json!({ "grant": "00000000-0000-4000-8000-000000000000" }), 404),
        (json!({ "session": "00000000-0000-4000-8000-000000000000" }), 404),
    ] {
        for how in ["/expire", "/revoke"] {
            let response = dev.control("POST", how, &body);
            assert_eq!(response.status, status, "{how} {body}: {}", response.body);
            assert!(response.json()["error"].is_string(), "{how} {body}: {}", response.body);
        }
    }
}

#[test]
fn keys_are_rotated_and_everything_else_administered_as_in_production() {
    let dev = Dev::with_shop(&["--seed", "7"]);
    let before = dev.tokens();

    let rotated = dev.ok("POST", "/api/v1/keys/rotate", json!({ "now": true, "revoke": true }));

    assert_eq!(rotated["rotated"].as_array().unwrap().len(), 3);
    assert_eq!(dev.userinfo(&before).status, 401);
    assert_eq!(dev.userinfo(&dev.tokens()).status, 200);
    dev.ok("POST", "/api/v1/users", json!({ "username": "bob" }));
    let link = dev.ok("POST", "/api/v1/recover", json!({ "username": "bob" }));
    assert!(link["setup_url"].as_str().unwrap().starts_with(dev.server.issuer()));
}
