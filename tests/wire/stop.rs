//! How a server ends, and what the next one finds.

use std::io::Write as _;
use std::os::unix::net::UnixListener;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::connection::{client_credentials, connect, get, read, token_head};
use crate::program::{Home, Server};

impl Server {
    /// Asks it to stop, and says nothing of whether it did.
    pub(crate) fn terminate(&self) {
        let pid = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.process.0.wait().unwrap()
    }
}

#[test]
fn a_request_on_its_way_in_is_finished_before_the_server_ends() {
    let home = Home::new();
    let server = home.serve();
    let secret =
        home.json("client add nightly --id nightly --auth client_secret_post")["client_secret"]
            .clone();
    let form = format!(
        "grant_type=client_credentials&client_id=nightly&client_secret={}",
        secret.as_str().unwrap()
    );
    let (first, rest) = form.split_at(20);
    let mut stream = connect(&server);
    let head = format!("{}\r\nContent-Length: {}\r\n\r\n", token_head(&server), form.len());
    stream.write_all(format!("{head}{first}").as_bytes()).unwrap();
    // A response on another connection: by now the first was accepted too.
    assert_eq!(get(&server, "/healthz").status, 200);

    server.terminate();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(server.end()).unwrap());
    let too_soon = end.recv_timeout(Duration::from_millis(500));
    stream.write_all(rest.as_bytes()).unwrap();
    let response = read(stream);

    assert!(too_soon.is_err(), "it did not wait");
    assert_eq!(response.status, 200);
    assert!(response.json()["access_token"].is_string());
    assert_eq!(end.recv().unwrap().code(), Some(0));
    assert!(!home.data().join("gatelodge.sock").exists());
}

#[test]
fn a_server_without_work_ends_at_once_and_takes_its_socket_along() {
    let home = Home::new();
    let server = home.serve();

    server.terminate();

    assert_eq!(server.end().code(), Some(0));
    assert!(!home.data().join("gatelodge.sock").exists());
}

/// What was counted is written every ten seconds, and once more at the end.
#[test]
fn what_was_counted_outlives_a_stop() {
    let home = Home::new();
    let server = home.serve();
    let client = home.json("client add nightly --id nightly --auth client_secret_post");
    let secret = client["client_secret"].as_str().unwrap();
    for _ in 0..3 {
        assert_eq!(client_credentials(&server, "nightly", secret).status, 200);
    }
    assert_eq!(client_credentials(&server, "nightly", "wrong").status, 401);

    server.terminate();

    assert_eq!(server.end().code(), Some(0));
    let usage = home.json("client usage nightly");
    assert_eq!(usage["last_day"]["tokens_issued_by_grant_type"]["client_credentials"], 3);
    assert_eq!(usage["last_week"]["refusals_by_reason"]["ClientSecretWrong"], 1);
    assert_eq!(home.json("client usage")["last_day"]["tokens_issued"], 3);
}

#[test]
fn what_was_answered_outlives_a_kill() {
    let home = Home::new();
    let server = home.serve();
    let client = home.json("client add nightly --id nightly --auth client_secret_post");
    let secret = client["client_secret"].as_str().unwrap();
    let token = client_credentials(&server, "nightly", secret);
    let keys = get(&server, "/.well-known/jwks.json").json();

    server.kill();
    let server = home.serve();

    assert_eq!(token.status, 200);
    assert_eq!(client_credentials(&server, "nightly", secret).status, 200);
    let keys_now = get(&server, "/.well-known/jwks.json").json();
    for key in keys["keys"].as_array().unwrap() {
        assert!(keys_now["keys"].as_array().unwrap().contains(key), "{key}");
    }
}

/// A kill leaves the socket's file behind.
#[test]
fn a_socket_without_a_server_is_replaced() {
    let home = Home::new();
    home.serve().kill();
    let socket = home.data().join("gatelodge.sock");
    assert!(socket.exists());
    let straight = home.json("client list");

    let server = home.serve();

    assert_eq!(home.json("client list"), straight);
    drop(server);
    std::fs::remove_file(&socket).unwrap();
    drop(UnixListener::bind(&socket).unwrap());
    let _server = home.serve();
    assert_eq!(home.json("client list"), straight);
}
