//! Each verb of somebody who is signed in, as they read it and as a program does.

use serde_json::{Value, json};

use super::{Desk, Said, finish};

/// Asserts that a verb fails with 3, in text and in JSON, because nobody is signed in.
#[track_caller]
fn assert_nobody(text: &Said, json: &Said) {
    assert_eq!((text.code(), json.code()), (3, 3), "{}", text.err);
    assert!(text.out.is_empty() && json.out.is_empty());
    assert!(text.err.starts_with("gatelodge: nobody is signed in to http://"), "{}", text.err);
    let failure: Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!((&failure["error"], &failure["exit"]), (&json!("not_found"), &json!(3)));
    let description = failure["error_description"].as_str().unwrap();
    assert!(description.contains("gatelodge login --issuer"), "{description}");
}

#[test]
fn every_verb_of_a_sign_in_has_a_text_and_a_json() {
    let mut desk = Desk::new();
    let issuer = desk.server.issuer().to_owned();
    let first = |said: &Said| said.out.lines().next().unwrap_or_default().to_owned();

    let command = desk.command("login --no-browser --store file");
    let login = desk.login_by(command, "allow");
    let login_json = desk.login("").json();
    let whoami = desk.run("whoami");
    let whoami_json = desk.run("whoami --json").json();
    let credential = desk.run("credential");
    let credential_json = desk.run("credential --json").json();
    let logout = desk.run("logout");
    let nobody =
        ["credential", "whoami"].map(|verb| (desk.run(verb), desk.run(&format!("{verb} --json"))));
    desk.login("").json();
    let logout_json = desk.run("logout --json").json();

    assert_eq!(first(&login), format!("issuer        {issuer}"));
    assert_eq!((&login_json["issuer"], &login_json["name"]), (&json!(issuer), &json!("ada")));
    assert_eq!(first(&whoami), format!("issuer    {issuer}"));
    assert_eq!(whoami_json["preferred_username"], "ada");
    assert!(first(&credential).starts_with("eyJ"), "{}", credential.out);
    assert_eq!(credential_json["token_type"], "Bearer");
    // It has nothing to give, and says on standard error what it did.
    assert_eq!((logout.code(), logout.out.as_str()), (0, ""));
    assert_eq!(logout.err.trim(), format!("signed out of {issuer}"));
    assert_eq!(logout_json, json!({ "forgotten": true, "issuer": issuer, "revoked": true }));
    for (text, json) in &nobody {
        assert_nobody(text, json);
    }
}

#[test]
fn without_the_server_a_sign_in_fails_and_what_was_stored_is_printed() {
    let desk = Desk::signed_in("");
    let Desk { home, server, .. } = desk;
    server.kill();
    let run = |line: &str| finish(home.command(&line.split(' ').collect::<Vec<_>>()));

    let [text, json] = ["login --device", "login --device --json"].map(run);
    let [whoami, credential, logout] = ["whoami", "credential", "logout"].map(run);

    assert_eq!((text.code(), json.code()), (5, 5), "{}", text.err);
    assert!(text.err.contains("no address of the host accepts connections"), "{}", text.err);
    let failure: Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!((&failure["error"], &failure["exit"]), (&json!("unavailable"), &json!(5)));
    assert!(whoami.code() == 0 && whoami.out.starts_with("issuer"), "{}", whoami.err);
    assert!(credential.code() == 0 && credential.out.starts_with("eyJ"), "{}", credential.err);
    assert!(logout.code() == 0 && logout.err.contains("forgotten here"), "{}", logout.err);
}
