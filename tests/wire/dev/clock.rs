//! The time of the server.

use serde_json::{Value, json};

use super::{Dev, NOTHING, claims};

const NOON: &str = "2030-01-01T12:00:00Z";

#[test]
fn a_clock_stands_and_is_advanced_and_tokens_live_by_it() {
    let dev = Dev::with_shop(&["--clock", NOON]);
    let tokens = dev.tokens();
    assert_eq!(claims(&tokens["id_token"])["iat"], 1_893_499_200);
    assert_eq!(dev.userinfo(&tokens).status, 200);

    let moved = dev.ok("POST", "/clock", json!({ "advance": "1h" }));

    assert_eq!((&moved["now"], &moved["runs"]), (&json!("2030-01-01T13:00:00Z"), &json!(false)));
    assert_eq!(dev.userinfo(&tokens).status, 401);
    assert_eq!(dev.refresh(&tokens).status, 200);
    dev.ok("POST", "/clock", json!({ "set": "2031-01-01T00:00:00Z" }));
    let refused = dev.refresh(&tokens);
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
    assert_eq!(dev.ok("GET", "/clock", NOTHING)["in_doubt"], Value::Null);
}

/// The rotation of keys by the schedule happens in the response, as do all things that time brings.
#[test]
fn what_time_brings_has_happened_when_the_clock_says_so() {
    let dev = Dev::with_shop(&["--clock", NOON]);
    let keys = || {
        let keys = dev.send("GET", "/.well-known/jwks.json", &[], "").json();
        keys["keys"].as_array().unwrap().len()
    };
    let before = keys();

    dev.ok("POST", "/clock", json!({ "advance": "365d" }));

    assert!(keys() > before);
}

#[test]
fn a_clock_that_is_set_back_is_in_doubt_as_in_production() {
    let dev = Dev::with_shop(&["--clock", NOON]);

    let back = dev.ok("POST", "/clock", json!({ "set": "2029-01-01T12:00:00Z" }));

    assert_eq!(back["now"], "2029-01-01T12:00:00Z");
    assert!(back["in_doubt"].is_string(), "{back}");
}

#[test]
fn a_clock_that_runs_is_right_at_first_and_can_be_stopped() {
    let dev = Dev::start(&[]);
    assert_eq!(dev.ok("GET", "/clock", NOTHING)["runs"], true);

    let stopped = dev.ok("POST", "/clock", json!({ "run": false }));

    assert_eq!(dev.ok("GET", "/clock", NOTHING)["now_ms"], stopped["now_ms"]);
    assert_eq!(dev.ok("POST", "/clock", json!({ "run": true }))["runs"], true);
}

#[test]
fn a_change_that_is_none_is_refused_at_its_member() {
    let dev = Dev::start(&[]);
    for (body, at) in [
        (json!({ "advance": "an hour" }), json!("advance")),
        (json!({ "advance": "9999999999d" }), json!("advance")),
        (json!({ "set": "tomorrow" }), json!("set")),
        (json!({ "set": "9999-12-31T23:59:59Z" }), json!("set")),
        (json!({}), json!("advance")),
        (json!({ "to": "2030-01-01T12:00:00Z" }), Value::Null),
    ] {
        let refused = dev.control("POST", "/clock", &body);

        assert_eq!((refused.status, &refused.json()["at"]), (400, &at), "{body}: {}", refused.body);
        assert_eq!(refused.json()["error"], "invalid_request");
    }
}
