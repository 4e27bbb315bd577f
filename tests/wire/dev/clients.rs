//! Clients that nobody registers.

use super::{CALLBACK, Dev, NOTHING, callback};

const OPEN: [&str; 3] = ["--auto-approve", "ada", "--open-clients"];

#[test]
fn a_client_that_is_not_known_becomes_one_and_the_log_says_it_loudly() {
    let dev = Dev::start(&OPEN);
    assert_eq!(dev.server.ready["open_clients"], true);

    let tokens = dev.tokens();

    assert!(tokens["id_token"].is_string());
    assert_eq!(dev.refresh(&tokens).status, 200);
    dev.home.log_with("a client that nobody registered is known from now on");
    let client = dev.ok("GET", "/api/v1/clients/shop", NOTHING);
    assert_eq!(client["redirect_uris"][0], CALLBACK);
    // From then on it is a client like every other.
    let other = dev.authorize(&[("redirect_uri", "http://127.0.0.1:3000/other")]);
    assert_eq!(other.status, 400);
}

/// Otherwise a page of the web sends the browser here, and has a code.
#[test]
fn no_client_is_made_whose_codes_leave_this_machine() {
    let dev = Dev::start(&OPEN);

    for uri in ["https://evil.com/cb", "https://evil.test.com/cb", "https://id.example.com/cb"] {
        let response = dev.authorize(&[("client_id", "evil"), ("redirect_uri", uri)]);
        assert_eq!(response.status, 400, "{uri}: {}", response.head);
    }
    assert_eq!(dev.control("GET", "/api/v1/clients/evil", &NOTHING).status, 404);
    let reserved = ["https://shop.test/cb", "https://shop.example:8443/cb", "com.example.app:/cb"];
    for (id, uri) in ["one", "two", "three"].into_iter().zip(reserved) {
        let response = dev.authorize(&[("client_id", id), ("redirect_uri", uri)]);
        assert_eq!(response.status, 303, "{uri}: {}", response.body);
        assert!(response.head.contains("code=gl_ac_"), "{uri}: {}", response.head);
    }
}

#[test]
fn a_client_brings_its_secret_first_and_no_other_from_then_on() {
    let dev = Dev::start(&OPEN);
    let credentials = |secret| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "nightly"),
            ("client_secret", secret),
        ];
        dev.post("/oauth/token", &form)
    };
    let redeem = |secret| {
        let code = dev.code(&[]);
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "shop"),
            ("client_secret", secret),
            ("code", &code),
            ("code_verifier", super::VERIFIER),
            ("redirect_uri", CALLBACK),
        ];
        dev.post("/oauth/token", &form)
    };

    let first = credentials("a-secret-of-their-own");
    let wrong = credentials("another-secret-of-mine");

    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!((wrong.status, wrong.json()["error"].as_str()), (401, Some("invalid_client")));
    let (first, wrong) = (redeem("a-secret-of-their-own"), redeem("another-secret-of-mine"));
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(wrong.status, 401, "{}", wrong.body);
}

#[test]
fn without_the_flag_nobody_becomes_a_client() {
    let dev = Dev::start(&["--auto-approve", "ada"]);

    let response = dev.authorize(&[]);

    assert_eq!((response.status, callback(&response, "code")), (400, None));
}
