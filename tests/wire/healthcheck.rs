//! `gatelodge healthcheck`, by its exit codes and sentences.

use crate::program::Home;

/// The exit code, and what was said at standard output and standard error.
fn check(home: &Home, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = home.command(&[&["healthcheck"], arguments].concat()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_server_that_is_ready_is_healthy_and_one_that_is_gone_is_not() {
    let home = Home::new();

    let (code, _, said) = check(&home, &[]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("no server runs at") && said.contains("gatelodge serve"), "{said}");

    let server = home.serve();
    let (code, said, _) = check(&home, &[]);
    assert_eq!(code, Some(0));
    assert!(said.starts_with("ready at 127.0.0.1:"), "{said}");
    let (code, said, _) = check(&home, &["--json"]);
    let view: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &view["ready"]), (Some(0), &true.into()));

    server.terminate();
    server.end();
    assert_eq!(check(&home, &[]).0, Some(5));
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_cannot_write_is_not_healthy_and_says_why() {
    let home = Home::new();
    let server = home.serve();
    assert_eq!(check(&home, &[]).0, Some(0));

    server.limit("0");

    let (code, _, said) = check(&home, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the store cannot be written: File too large"), "{said}");
}
