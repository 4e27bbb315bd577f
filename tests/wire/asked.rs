//! What the log says of a request that leads nowhere: what was asked for, and what is registered.

use serde_json::Value;

use crate::connection::get;
use crate::program::{Home, Server};

/// The line of the log about a request for `path`, and its text.
fn line(home: &Home, server: &Server, path: &str) -> (Value, String) {
    let response = get(server, path);
    let (_, event) = response.head.split_once("gatelodge-event: ").unwrap();
    let event = event.lines().next().unwrap();
    let log = home.log_with(event);
    let line = log.lines().find(|line| line.contains(event)).unwrap();
    let whole: Value = serde_json::from_str(line).unwrap();
    (whole, line.to_owned())
}

fn fact<'a>(line: &'a Value, name: &str) -> &'a str {
    let at = [&line[name], &line["fields"][name]];
    at.into_iter().find_map(Value::as_str).unwrap_or_else(|| panic!("no {name} in {line}"))
}

#[test]
fn the_log_has_what_was_asked_for_and_the_nearest_that_is_registered() {
    let home = Home::new();
    let server = home.serve();
    let uris = ["a", "b", "c", "shop"].map(|name| format!("--redirect https://{name}.example/cb"));
    home.json(&format!("client add Shop --id shop {}", uris.join(" ")));
    let asked = "https%3A%2F%2Fada%3Apw%40shop.example%2Fc%0Ab%3Ftoken%3Dx";

    let path = format!("/oauth/authorize?client_id=shop&redirect_uri={asked}");
    let (redirect, text) = line(&home, &server, &path);
    let (unknown, _) = line(&home, &server, "/oauth/authorize?client_id=old%1bshop");

    assert_eq!(fact(&redirect, "asked"), "https://shop.example/c\u{fffd}b?…");
    assert_eq!(fact(&redirect, "client.name"), "Shop");
    let nearest = "https://shop.example/cb https://a.example/cb https://b.example/cb";
    assert_eq!(fact(&redirect, "registered"), nearest);
    assert!(!text.contains("pw") && !text.contains("token=x"), "{text}");
    assert_eq!(fact(&unknown, "refusal"), "ClientIdMalformed");
}

#[test]
fn the_log_has_the_client_that_is_not_registered() {
    let home = Home::new();
    let server = home.serve();

    let (unknown, _) = line(&home, &server, "/oauth/authorize?client_id=old-shop");

    assert_eq!(fact(&unknown, "asked"), "old-shop");
    assert_eq!(fact(&unknown, "refusal"), "ClientUnknownAtAuthorize");
}

#[test]
fn the_log_has_the_host_that_nobody_set_up() {
    let home = Home::new();
    let server = home.serve();
    let host = server.issuer().strip_prefix("http://").unwrap();
    let head = format!("GET /auth/verify HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: wiki.lan");

    let response = crate::connection::ask(&server, &head, "");

    let (_, event) = response.head.split_once("gatelodge-event: ").unwrap();
    let log = home.log_with(event.lines().next().unwrap());
    assert!(log.contains("\"asked\":\"wiki.lan\""), "{log}");
}
