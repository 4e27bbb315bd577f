//! What an operator does with keys and tokens, and what a program that watches the server reads.

mod events;
mod syslog;
mod webhook;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use serde_json::json;

use crate::connection::{ask, client_credentials, connect, get, log};
use crate::program::Home;

fn printed(home: &Home, arguments: &str) -> (String, String) {
    let output = home.command(&arguments.split(' ').collect::<Vec<_>>()).output().unwrap();
    assert!(output.status.success(), "{arguments}: {output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn keys_are_rotated_and_revoked_with_a_server_and_without() {
    let home = Home::new();
    let server = home.serve();
    let nightly = home.json("client add nightly --id nightly");
    let secret = nightly["client_secret"].as_str().unwrap().to_owned();
    let token = client_credentials(&server, "nightly", &secret).json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    assert_eq!(home.json(&format!("token inspect {token}"))["active"], json!(true));

    let rotated = home.json("key rotate --algorithm ES256 --now --revoke");

    let published = get(&server, "/.well-known/jwks.json").json();
    let published = published["keys"].as_array().unwrap().clone();
    assert!(published.iter().any(|key| key["kid"] == rotated["rotated"][0]["kid"]));
    assert!(!published.iter().any(|key| key["kid"] == rotated["rotated"][0]["revoked"][0]));
    let inspected = home.command(&["token", "inspect", &token]).output().unwrap();
    assert_eq!(inspected.status.code(), Some(4), "{inspected:?}");
    assert!(log(&home, &server).contains("an operator revoked signing keys"));
    server.kill();

    let (table, remark) = printed(&home, "key rotate");
    assert_eq!(table.lines().count(), 1 + 3, "{table}");
    assert!(remark.starts_with("Until then"), "{remark}");
    let resting = home.json("key list");
    let server = home.serve();
    assert_eq!(home.json("key list"), resting, "what is stored is what is served");
    assert_eq!(get(&server, "/.well-known/jwks.json").json()["keys"].as_array().unwrap().len(), 6);
}

#[test]
fn a_token_is_issued_alone_on_standard_output_and_works() {
    let home = Home::new();
    let first = home.serve();
    home.json("client add nightly --id nightly");
    first.kill();
    let (resting, _) = printed(&home, "token issue --client nightly --ttl 90s");
    let server = home.serve();

    let (token, described) = printed(&home, "token issue --client nightly");

    for token in [&resting, &token] {
        let inspected = home.json(&format!("token inspect {}", token.trim()));
        assert_eq!(inspected["active"], json!(true), "{inspected}");
    }
    assert!(described.contains(server.issuer()), "{described}");
    let log = log(&home, &server);
    assert!(log.contains("an operator issued an access token"), "{log}");
    assert!(!log.contains(token.trim().rsplit('.').next().unwrap()), "no line holds a token");
}

#[test]
fn connections_are_counted_and_the_socket_has_the_metrics_too() {
    let home = Home::new();
    let server = home.serve();
    let open = |text: &str| -> u64 {
        let value = text.lines().find_map(|line| line.strip_prefix("gatelodge_connections "));
        value.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    };
    let _waiting = connect(&server);

    let by_port = get(&server, "/metrics").body;
    let mut socket = UnixStream::connect(home.data().join("gatelodge.sock")).unwrap();
    socket
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut by_socket = String::new();
    socket.read_to_string(&mut by_socket).unwrap();

    assert_eq!(open(&by_port), 2, "the one that waits, and the one that asks");
    assert!(by_socket.contains("gatelodge_request_duration_seconds_count{route=\"/metrics\""));
    assert!(open(&by_socket) >= 1, "{by_socket}");
}

#[test]
fn a_limited_administrator_works_at_the_port_and_is_bounded_there_alone() {
    let home = Home::new();
    let server = home.serve();
    let helper = home.json("client add helper --id helper --scope admin:people");
    let secret = helper["client_secret"].as_str().unwrap();
    let token = client_credentials(&server, "helper", secret).json()["access_token"].clone();
    let host = server.issuer().strip_prefix("http://").unwrap();
    let add = |person: &str| {
        let token = token.as_str().unwrap();
        let head = "POST /api/v1/users HTTP/1.1";
        let head = format!("{head}\r\nHost: {host}\r\nAuthorization: Bearer {token}");
        ask(&server, &head, person)
    };

    let bob = add(r#"{"username":"bob"}"#);
    let eve = add(r#"{"username":"eve","roles":["admin"]}"#);

    assert!(bob.head.starts_with("HTTP/1.1 201"), "{}", bob.head);
    assert!(eve.head.starts_with("HTTP/1.1 403"), "{}", eve.head);
    assert!(eve.head.contains("scope=\"admin\""), "{}", eve.head);
    assert!(eve.json()["remedy"].as_str().unwrap().contains("command line"), "{}", eve.body);
    let log = log(&home, &server);
    assert!(log.contains("AdministrationExceeded") && log.contains("\"helper\""), "{log}");
    // The operator at the socket has every right.
    home.json("user add eve --role admin");
    assert_eq!(home.json("user list")["users"].as_array().unwrap().len(), 2);
}
