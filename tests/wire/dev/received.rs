//! The requests that were received.

use serde_json::json;

use super::{Dev, NOTHING};

#[test]
fn every_request_is_listed_with_its_parameters_and_what_became_of_it() {
    let dev = Dev::with_shop(&[]);
    dev.tokens();
    dev.redeem("gl_ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    dev.ok("POST", "/faults", json!({ "path": "/oauth/userinfo", "status": 500 }));
    dev.send("GET", "/oauth/userinfo", &["Authorization: Bearer x"], "");

    let listed = dev.ok("GET", "/requests", NOTHING);

    let items = listed["items"].as_array().unwrap();
    let brief: Vec<_> = items
        .iter()
        .map(|item| {
            (item["method"].as_str().unwrap(), item["path"].as_str().unwrap(), &item["status"])
        })
        .collect();
    let expected = [
        ("GET", "/oauth/authorize", &json!(303)),
        ("POST", "/oauth/token", &json!(200)),
        ("POST", "/oauth/token", &json!(400)),
        ("GET", "/oauth/userinfo", &json!(500)),
    ];
    assert_eq!(brief, expected);
    assert_eq!(items[0]["query"]["state"], json!(["s-0"]));
    assert_eq!(items[1]["form"]["client_id"], json!(["shop"]));
    assert_eq!(items[2]["error"], "invalid_grant");
    let event = items[2]["event_id"].as_str().unwrap();
    let explained = dev.ok("GET", &format!("/api/v1/events/{event}"), NOTHING);
    assert!(explained.to_string().contains("CodeUnknown"), "{explained}");
    assert_eq!((&items[3]["fault"], &items[3]["authorization"]), (&json!(1), &json!("Bearer")));
    let after = dev.ok("GET", "/requests?after=2&path=/oauth/token", NOTHING);
    assert_eq!(after["items"].as_array().unwrap().len(), 1);
    assert_eq!(dev.control("GET", "/requests?since=1", &NOTHING).status, 400);
    dev.ok("DELETE", "/requests", NOTHING);
    assert_eq!(dev.ok("GET", "/requests", NOTHING)["items"], json!([]));
}

#[test]
fn no_secret_of_a_request_is_in_the_list_or_in_the_log() {
    let dev = Dev::with_shop(&[]);
    let code = dev.code(&[]);
    let tokens = dev.redeem(&code).json();
    dev.refresh(&tokens);
    dev.userinfo(&tokens);

    let listed = dev.ok("GET", "/requests", NOTHING).to_string();

    let log = dev.home.log_with("/oauth/userinfo");
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let control = dev.server.ready["token"].as_str().unwrap().to_owned();
    let secrets =
        [code, text("access_token"), text("refresh_token"), super::VERIFIER.to_owned(), control];
    for secret in secrets {
        assert!(!listed.contains(&secret), "{secret} in {listed}");
        assert!(!log.contains(&secret), "{secret} in {log}");
    }
    assert!(listed.contains("(secret)"), "{listed}");
}
