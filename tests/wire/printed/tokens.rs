//! How a token is explained: times from now, whether it is in force, and why not.

use std::process::Output;

use crate::program::Home;

fn inspect(home: &Home, token: &str) -> (Output, String) {
    let output = home.command(&["token", "inspect", token]).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

/// The value of a line.
fn value<'a>(text: &'a str, label: &str) -> &'a str {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(label));
    line.unwrap_or_else(|| panic!("no {label} in {text}"))[label.len()..].trim()
}

/// Asserts that a time is told from now, and as it is.
#[track_caller]
fn assert_time(text: &str, label: &str, begins: &[&str], ends: &str) {
    let time = value(text, label);
    let (from_now, moment) = time.split_once(" (").unwrap();
    assert!(begins.iter().any(|part| from_now.starts_with(part)), "{time}");
    assert!(from_now.ends_with(ends) || from_now.ends_with("now"), "{time}");
    assert!(moment.starts_with("20") && moment.ends_with("Z)"), "{time}");
}

fn issued(home: &Home, ttl: &str) -> String {
    let line = format!("token issue --client nightly --ttl {ttl}");
    home.json(&line)["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn a_valid_token_expires_in_minutes_and_an_ended_one_says_why() {
    let home = Home::new();
    let _server = home.serve();
    home.json("client add nightly --id nightly");
    let token = issued(&home, "15m");

    let (valid, text) = inspect(&home, &token);
    home.json(&format!("token revoke {token} --yes"));
    let (revoked, revoked_text) = inspect(&home, &token);

    assert_eq!(valid.status.code(), Some(0), "{text}");
    assert_eq!((value(&text, "kind"), value(&text, "active")), ("access_token", "yes"));
    assert_eq!(value(&text, "client_id"), "nightly");
    assert_time(&text, "exp", &["expires in 14 minutes", "expires in 15 minutes"], "minutes");
    assert_time(&text, "iat", &["issued"], "ago");
    assert_eq!(revoked.status.code(), Some(4));
    assert_eq!(value(&revoked_text, "active"), "no");
    assert!(value(&revoked_text, "reason").contains("revoked"), "{revoked_text}");
}

/// The clock of the machine is not waited for: the token is of a second that is over soon.
#[test]
fn an_expired_token_says_since_when() {
    let home = Home::new();
    let _server = home.serve();
    home.json("client add nightly --id nightly");
    let token = issued(&home, "1s");

    let (expired, text) = loop {
        let (output, text) = inspect(&home, &token);
        if output.status.code() == Some(4) {
            break (output, text);
        }
    };

    assert!(expired.stderr.is_empty());
    assert_eq!(value(&text, "active"), "no");
    assert!(value(&text, "reason").contains("expired"), "{text}");
    assert_time(&text, "exp", &["expired"], "ago");
}

#[test]
fn a_token_of_another_server_and_no_token_at_all_are_told_apart() {
    let (home, other) = (Home::new(), Home::new());
    let (_server, _other) = (home.serve(), other.serve());
    other.json("client add nightly --id nightly");
    let foreign = issued(&other, "15m");

    let (of_another, text) = inspect(&home, &foreign);
    let (none, none_text) = inspect(&home, "nonsense");

    assert_eq!(of_another.status.code(), Some(4), "{text}");
    assert_eq!(value(&text, "active"), "no");
    assert!(!value(&text, "reason").is_empty(), "{text}");
    // What it says is displayed, and is no proof of anything.
    assert_time(&text, "exp", &["expires in"], "minutes");
    assert_eq!(none.status.code(), Some(4));
    assert_eq!((value(&none_text, "kind"), value(&none_text, "active")), ("unknown", "no"));
}
