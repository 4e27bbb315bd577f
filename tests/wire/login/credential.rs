//! What `gatelodge credential` prints.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Desk;

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn one_token_is_printed_in_every_format() {
    let desk = Desk::signed_in("");

    let raw = desk.token("");
    let header = desk.token("--format header");
    let whole = desk.run("credential --format json").json();
    let also = desk.run("credential --json").json();
    let formatted = desk.run("credential --format agent").json();

    assert_eq!(claims(&raw)["aud"], desk.server.issuer());
    assert_eq!(header, format!("Authorization: Bearer {raw}"));
    assert_eq!(whole, also);
    assert_eq!((&whole["access_token"], &whole["token_type"]), (&json!(raw), &json!("Bearer")));
    assert_eq!(formatted["headers"]["Authorization"], format!("Bearer {raw}"));
    assert_eq!(formatted["expires_at"], whole["expires_at"]);
    assert!(whole["expires_at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn git_gets_a_password_for_its_host_and_nothing_for_others() {
    let desk = Desk::signed_in("");
    let host = desk.server.issuer().strip_prefix("http://").unwrap();
    let own = format!("protocol=http\nhost={host}\n\n");

    let output = desk.piped("credential --format git get", &own);
    let foreign = desk.piped("credential --format git get", "protocol=http\nhost=evil.example\n\n");
    let stored = desk.piped("credential --format git store", &own);

    let token = desk.token("");
    assert!(
        output.out.starts_with(&format!("username=oauth2\npassword={token}\npassword_expiry_utc=")),
        "{}",
        output.out
    );
    for silent in [foreign, stored] {
        assert_eq!((silent.code(), silent.out.as_str(), silent.err.as_str()), (0, "", ""));
    }
}

#[test]
fn a_password_that_git_found_wrong_is_forgotten_and_no_other() {
    let desk = Desk::signed_in("");
    let host = desk.server.issuer().strip_prefix("http://").unwrap();
    let first = desk.token("");
    let erase = |password: &str| {
        let text = format!("protocol=http\nhost={host}\nusername=oauth2\npassword={password}\n\n");
        assert_eq!(desk.piped("credential --format git erase", &text).code(), 0);
        desk.token("")
    };

    let after_another = erase("another");
    let after_its_own = erase(&first);

    assert_eq!(after_another, first);
    assert_ne!(after_its_own, first);
}

/// RFC 8707 §2.2
#[test]
fn each_resource_has_its_own_token_and_only_what_was_granted_one() {
    let (one, two) = ("http://127.0.0.1:9/one", "http://127.0.0.1:9/two");
    let desk = Desk::signed_in(&format!("--resource {one} --resource {two}"));

    let first = desk.token(&format!("--resource {one}"));
    let second = desk.token(&format!("--resource {two} --scope profile --scope openid"));
    let asked = desk.token_requests();
    let again = desk.token(&format!("--resource {two} --scope openid --scope profile"));
    let refused = desk.run("credential --resource http://127.0.0.1:9/three");

    let issuer = desk.server.issuer();
    assert_eq!(claims(&first)["aud"], json!([one, issuer]));
    assert_eq!(claims(&second)["aud"], json!([two, issuer]));
    assert_eq!(claims(&second)["scope"], "openid profile");
    assert_eq!((second, asked + 1), (again, desk.token_requests()));
    assert_eq!(refused.code(), 4, "{}", refused.err);
    assert!(refused.err.contains("invalid_target"), "{}", refused.err);
    desk.token(&format!("--resource {one}"));
}

#[test]
fn the_one_resource_that_was_signed_in_for_is_meant_where_none_is_named() {
    let resource = "http://127.0.0.1:9/mcp";
    let desk = Desk::signed_in(&format!("--resource {resource}"));

    let token = desk.token("");

    assert_eq!(claims(&token)["aud"], json!([resource, desk.server.issuer()]));
    assert_eq!(token, desk.token(&format!("--resource {resource}")));
}

#[test]
fn git_gets_a_password_for_the_one_resource_and_not_for_the_server() {
    let desk = Desk::signed_in("--resource http://127.0.0.1:9/mcp");
    let server = desk.server.issuer().replace("http://", "");

    let own = "protocol=http\nhost=127.0.0.1:9\n\n";
    let own = desk.piped("credential --format git get", own);
    let foreign = format!("protocol=http\nhost={server}\n\n");
    let foreign = desk.piped("credential --format git get", &foreign);

    assert!(own.out.contains("password="), "{}", own.err);
    assert_eq!(foreign.out, "");
}

#[test]
fn whoever_is_not_signed_in_is_told_how() {
    let desk = Desk::new();

    let said = desk.run("credential");

    assert_eq!(said.code(), 3);
    assert!(said.out.is_empty() && said.err.contains("gatelodge login --issuer"), "{}", said.err);
    assert!(!desk.token_directory().exists());
}

/// RFC 6749 §5.2
#[test]
fn a_sign_in_that_the_server_ended_is_forgotten_at_once() {
    let desk = Desk::signed_in("");
    let grants = desk.run("grant list --json").json();
    let grant = grants.as_array().into_iter().flatten().chain([&grants["grants"][0]]);
    let id = grant.filter_map(|grant| grant["id"].as_str()).next().unwrap();
    desk.run(&format!("grant revoke {id} --json")).json();

    let ended = desk.run("credential --scope openid");
    let after = desk.run("credential");

    assert_eq!(ended.code(), 4);
    assert!(ended.err.contains("begin anew: gatelodge login"), "{}", ended.err);
    assert!(!std::fs::read_to_string(desk.file()).unwrap().contains("token"));
    assert_eq!(after.code(), 3);
}
