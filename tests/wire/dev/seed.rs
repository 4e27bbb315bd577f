//! The same in each run.

use serde_json::{Value, json};

use super::{Dev, NOTHING, claims};

const NOON: &str = "2030-01-01T12:00:00Z";

/// What a server gives for the same requests, while `polls` other requests are beside them.
fn given(seed: Option<&str>, polls: usize) -> Value {
    let seed = seed.map(|seed| vec!["--seed", seed]).unwrap_or_default();
    let port = {
        // The issuer is in the tokens.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port().to_string()
    };
    let port = PORT.get_or_init(|| port);
    let dev = Dev::with_shop(&[&["--clock", NOON, "--port", port.as_str()], &*seed].concat());
    let keys = dev.send("GET", "/.well-known/jwks.json", &[], "").json();
    for _ in 0..polls {
        assert_eq!(dev.send("GET", "/readyz", &[], "").status, 200);
    }
    let code = dev.code(&[]);
    let tokens = dev.redeem(&code).json();
    for _ in 0..polls {
        assert_eq!(dev.send("GET", "/healthz", &[], "").status, 200);
    }
    let refreshed = dev.refresh(&tokens).json();
    let user = dev.ok("GET", "/api/v1/users/ada", NOTHING);
    let token = dev.server.ready["token"].clone();
    json!({
        "keys": keys, "code": code, "tokens": tokens, "refreshed": refreshed, "user": user["id"],
        "control": token,
    })
}

static PORT: std::sync::OnceLock<String> = std::sync::OnceLock::new();

#[test]
fn a_seed_gives_the_same_keys_ids_codes_and_tokens_whatever_happens_beside_them() {
    let one = given(Some("a text"), 0);
    let again = given(Some("a text"), 5);
    let other = given(Some("7"), 0);
    let (drawn, drawn_again) = (given(None, 0), given(None, 0));

    for member in ["keys", "code", "tokens", "refreshed", "user"] {
        assert_eq!(one[member], again[member], "{member}");
        assert_ne!(one[member], other[member], "{member}");
        assert_ne!(drawn[member], drawn_again[member], "{member}");
    }
    // A page may guess a seed, and not this.
    assert_ne!(one["control"], again["control"]);
    let id_token = claims(&one["tokens"]["id_token"]);
    assert_eq!((&id_token["sub"], &id_token["nonce"]), (&one["user"], &json!("n-0")));
}

/// A key that takes a second to make delays no start, and every run has it.
#[test]
fn the_rsa_key_is_the_same_with_any_seed_and_without_one() {
    let rsa = |keys: &Value| {
        let keys = keys["keys"].as_array().unwrap().clone();
        keys.into_iter().find(|key| key["kty"] == "RSA").unwrap()
    };
    let of = |arguments: &[&str]| {
        rsa(&Dev::start(arguments).send("GET", "/.well-known/jwks.json", &[], "").json())
    };

    assert_eq!(of(&[]), of(&["--seed", "7"]));
}

#[test]
fn a_reset_gives_the_same_again() {
    let dev = Dev::with_shop(&["--seed", "7", "--clock", NOON]);
    let code = dev.code(&[]);
    let tokens = dev.redeem(&code).json();
    let second = dev.code(&[]);
    dev.ok("POST", "/clock", json!({ "advance": "30d" }));

    dev.ok("POST", "/reset", NOTHING);

    assert_eq!(dev.ok("GET", "/clock", NOTHING)["now"], NOON);
    assert_eq!(dev.refresh(&tokens).status, 400, "nothing of before is left");
    dev.ok("POST", "/reset", NOTHING);
    assert_eq!(dev.code(&[]), code);
    assert_eq!(dev.redeem(&code).json(), tokens);
    assert_eq!(dev.code(&[]), second);
}
