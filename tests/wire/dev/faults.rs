//! Requests that fail or hang because a test asked for it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Dev, NOTHING, at_token, callback};

#[test]
fn the_next_requests_fail_with_a_status_or_an_error_and_then_all_is_well() {
    let dev = Dev::with_shop(&[]);
    dev.ok("POST", "/faults", at_token(json!({ "times": 2, "status": 503 })));
    dev.ok("POST", "/faults", at_token(json!({ "error": "invalid_grant" })));
    let code = dev.code(&[]);

    let statuses = [(); 2].map(|()| dev.redeem(&code).status);
    let error = dev.redeem(&code);

    assert_eq!(statuses, [503, 503]);
    assert_eq!((error.status, &error.json()["error"]), (400, &json!("invalid_grant")));
    assert_eq!(dev.redeem(&code).status, 200, "none of them reached the server");
    assert_eq!(dev.ok("GET", "/faults", NOTHING)["items"], json!([]));
}

#[test]
fn an_error_at_authorization_goes_to_the_client_as_in_production() {
    let dev = Dev::with_shop(&[]);
    for error in ["access_denied", "temporarily_unavailable", "login_required", "server_error"] {
        let fault =
            json!({ "path": "/oauth/authorize", "error": error, "error_description": "why" });
        dev.ok("POST", "/faults", fault);

        let response = dev.authorize(&[]);

        assert_eq!(callback(&response, "error").as_deref(), Some(error), "{}", response.head);
        assert_eq!(callback(&response, "error_description").as_deref(), Some("why"));
        assert_eq!(callback(&response, "state").as_deref(), Some("s-0"));
        assert_eq!(callback(&response, "iss").as_deref(), Some(dev.server.issuer()));
    }
    // A callback that is not the client's gets nothing.
    dev.ok("POST", "/faults", json!({ "path": "/oauth/authorize", "error": "access_denied" }));
    let astray = dev.authorize(&[("redirect_uri", "http://127.0.0.1:3000/other")]);
    assert!(!astray.head.contains("3000/other"), "{}", astray.head);
}

#[test]
fn a_request_hangs_until_it_is_released_and_then_goes_on() {
    let dev = Dev::with_shop(&[]);
    let code = dev.code(&[]);
    let fault = dev.ok("POST", "/faults", at_token(json!({ "hang": true })));
    let (done, waiting) = mpsc::channel();

    thread::scope(|scope| {
        scope.spawn(|| done.send(dev.redeem(&code)).unwrap());
        let hanging = || dev.ok("GET", "/faults", NOTHING)["items"][0]["hanging"].clone();
        while hanging() != json!(1) {
            assert!(waiting.try_recv().is_err());
            thread::yield_now();
        }
        let too_soon = waiting.recv_timeout(Duration::from_millis(200));
        assert!(too_soon.is_err(), "it did not wait");
        let received = dev.ok("GET", "/requests?path=/oauth/token", NOTHING);
        assert_eq!(received["items"][0]["status"], json!(null));

        dev.ok("DELETE", &format!("/faults/{}", fault["id"]), NOTHING);

        assert_eq!(waiting.recv().unwrap().status, 200);
    });
    assert_eq!(dev.control("DELETE", "/faults/1", &NOTHING).status, 404);
}

#[test]
fn a_server_that_is_asked_to_stop_lets_go_what_hangs() {
    let dev = Dev::with_shop(&[]);
    dev.ok("POST", "/faults", json!({ "path": "/healthz", "hang": true }));

    thread::scope(|scope| {
        let hanging = scope.spawn(|| dev.send("GET", "/healthz", &[], "").status);
        while dev.ok("GET", "/faults", NOTHING)["items"][0]["hanging"] != json!(1) {
            thread::yield_now();
        }
        dev.server.terminate();
        assert_eq!(hanging.join().unwrap(), 200);
    });
    assert!(dev.server.end().success());
}

#[test]
fn a_delay_delays_and_nothing_more_and_a_method_is_its_own() {
    let dev = Dev::with_shop(&[]);
    let fault = json!({ "path": "/oauth/userinfo", "method": "POST", "delay_ms": 1, "times": 3 });
    dev.ok("POST", "/faults", fault);
    let tokens = dev.tokens();

    assert_eq!(dev.userinfo(&tokens).status, 200);
    assert_eq!(dev.ok("GET", "/faults", NOTHING)["items"][0]["left"], 3, "GET is not POST");
    assert_eq!(dev.post("/oauth/userinfo", &[]).status, 401);
    assert_eq!(dev.ok("GET", "/faults", NOTHING)["items"][0]["left"], 2);
    dev.ok("DELETE", "/faults", NOTHING);
    assert_eq!(dev.ok("GET", "/faults", NOTHING)["items"], json!([]));
}

#[test]
fn a_fault_that_there_cannot_be_is_refused_at_its_member() {
    let dev = Dev::start(&[]);
    for (fault, at) in [
        (json!({ "path": "oauth/token", "status": 503 }), "path"),
        (json!({ "path": "/gate/dev/faults", "status": 503 }), "path"),
        (json!({ "path": "/oauth/token", "status": 99 }), "status"),
        (json!({ "path": "/oauth/token" }), "status"),
        (json!({ "path": "/oauth/token", "status": 503, "times": 0 }), "times"),
        (json!({ "path": "/oauth/token", "status": 503, "method": "a b" }), "method"),
        (json!({ "path": "/oauth/token", "error": "two\nlines" }), "error"),
        (
            json!({ "path": "/oauth/token", "error": "x", "error_description": "ä" }),
            "error_description",
        ),
        (json!({ "path": "/oauth/token", "delay_ms": 600_001 }), "delay_ms"),
    ] {
        let refused = dev.control("POST", "/faults", &fault);
        assert_eq!((refused.status, &refused.json()["at"]), (400, &json!(at)), "{fault}");
    }
}
