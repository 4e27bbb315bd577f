//! Every kind of failure, as a program reads it with `--json`: one object on standard error, and
//! nothing on standard output.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output};
use std::thread;

use serde_json::Value;

use crate::program::Home;

/// The members that a failure may have beside `error`, `error_description` and `exit`.
const BESIDE: [&str; 4] = ["candidates", "faults", "known", "remedy"];

/// The failure that a command printed.
#[track_caller]
fn failure(output: &Output, code: i32) -> Value {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(said.lines().count(), 1, "{said}");
    let failure: Value = serde_json::from_str(&said).unwrap();
    for (name, value) in failure.as_object().unwrap() {
        match name.as_str() {
            "error" => assert!(!value.as_str().unwrap().contains(' '), "{said}"),
            "error_description" => assert!(!value.as_str().unwrap().is_empty(), "{said}"),
            "exit" => assert_eq!(value, code, "{said}"),
            "remedy" => assert!(value.is_string(), "{said}"),
            other => {
                assert!(BESIDE.contains(&other), "{said}");
                assert!(!value.as_array().unwrap().is_empty(), "{said}");
            }
        }
    }
    for name in ["error", "error_description", "exit"] {
        assert!(failure.get(name).is_some(), "{said}");
    }
    failure
}

/// Asserts that a command fails with `code` and `error`, and with what stands beside them.
#[track_caller]
fn fails(mut command: Command, code: i32, error: &str, beside: &[&str]) -> Value {
    let failure = failure(&command.output().unwrap(), code);
    assert_eq!(failure["error"], error, "{failure}");
    let found = BESIDE.into_iter().filter(|name| failure.get(name).is_some());
    assert_eq!(found.collect::<Vec<_>>(), beside, "{failure}");
    failure
}

fn command(home: &Home, line: &str) -> Command {
    let arguments: Vec<&str> = line.split(' ').chain(["--json"]).collect();
    home.command(&arguments)
}

/// Listens where a server does, and responds with these bytes.
fn pretender(home: &Home, response: &'static str) {
    fs::create_dir_all(home.data()).unwrap();
    let socket = UnixListener::bind(home.data().join("gatelodge.sock")).unwrap();
    thread::spawn(move || {
        for stream in socket.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut line = String::new();
            while stream.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            stream.get_mut().write_all(response.as_bytes()).unwrap();
        }
    });
}

#[test]
fn wrong_usage_and_a_faulty_configuration_are_2() {
    let home = Home::new();

    for line in ["nonsense", "client", "client add", "client add a --grant magic", "paths --force"]
    {
        fails(command(&home, line), 2, "invalid_usage", &["remedy"]);
    }
    fails(home.command(&["client", "show", "", "--json"]), 5, "unavailable", &[]);
    let mut faulty = command(&home, "user list");
    faulty.env("GATELODGE_LISTEN", "nowhere");
    let faults = fails(faulty, 2, "invalid_configuration", &["faults"]);
    assert_eq!(faults["faults"][0]["source"], "GATELODGE_LISTEN");
    let mut needed = command(&home, "whoami");
    needed.env("GATELODGE_ISSUER", "nonsense");
    let needed = fails(needed, 2, "invalid_usage", &["faults"]);
    assert!(needed["error_description"].as_str().unwrap().contains("config check"), "{needed}");
    let mut serve = command(&home, "serve");
    serve.env("GATELODGE_LISTEN", "nowhere");
    fails(serve, 2, "invalid_configuration", &["faults"]);
}

#[test]
fn refusals_have_the_code_of_the_server_and_what_was_meant() {
    let home = Home::new();
    let _server = home.serve();
    for id in ["shop-1", "shop-2"] {
        home.json(&format!("client add Shop --id {id} --redirect https://shop.example/cb"));
    }

    fails(command(&home, "client show stranger"), 3, "not_found", &["known", "remedy"]);
    fails(command(&home, "user add a,b"), 4, "invalid_request", &["remedy"]);
    let several =
        fails(command(&home, "client show shop"), 4, "conflict", &["candidates", "remedy"]);
    assert_eq!(several["candidates"][0]["id"], "shop-1");
    let role = fails(
        command(&home, "user add bob --role amdin"),
        4,
        "invalid_request",
        &["known", "remedy"],
    );
    assert!(role["known"].as_array().unwrap().contains(&"admin".into()), "{role}");
    fails(home.command(&["client", "show", "", "--json"]), 2, "invalid_usage", &[]);
    // What another configuration than the server's is faulty in stands beside the refusal.
    let mut faulty = command(&home, "client show stranger");
    faulty.env("GATELODGE_LISTEN", "nowhere");
    fails(faulty, 3, "not_found", &["faults", "known", "remedy"]);
    let mut reload = command(&home, "config reload");
    reload.env("GATELODGE_LISTEN", "nowhere");
    assert_eq!(reload.output().unwrap().status.code(), Some(0), "the server's own is sound");
}

#[test]
fn no_server_no_store_and_no_sign_in_have_codes_of_their_own() {
    let home = Home::new();

    fails(command(&home, "user list"), 5, "unavailable", &[]);
    fails(command(&home, "config reload"), 5, "unavailable", &[]);
    fails(command(&home, "whoami --issuer http://localhost:1"), 3, "not_found", &[]);
    fails(command(&home, "credential --issuer http://localhost:1"), 3, "not_found", &[]);
    let silent =
        fails(command(&home, "login --issuer http://localhost:1 --device"), 5, "unavailable", &[]);
    assert!(silent["error_description"].as_str().unwrap().contains("localhost:1"), "{silent}");
    let server = home.serve();
    let second = fails(command(&home, "serve"), 5, "unavailable", &["remedy"]);
    assert!(second["error_description"].as_str().unwrap().contains(server.issuer()), "{second}");
}

#[test]
fn a_start_that_fails_is_a_failure_like_others() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();

    let output = command(&home, &format!("serve --listen {address}")).output().unwrap();

    let failure = failure(&output, 1);
    assert_eq!(failure["error"], "failed");
    assert!(failure["remedy"].as_str().unwrap().contains("--listen"), "{failure}");
}

#[test]
fn a_server_that_fails_or_breaks_off_is_1() {
    let (broken, failing) = (Home::new(), Home::new());
    pretender(&broken, "");
    pretender(
        &failing,
        "HTTP/1.1 500 X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: \
         67\r\n\r\n{\"error\":\"server_error\",\"error_description\":\"unexpected condition\"}  ",
    );

    let broke = fails(command(&broken, "user list"), 1, "failed", &[]);
    let failed = fails(command(&failing, "user list"), 1, "server_error", &[]);

    assert!(broke["error_description"].as_str().unwrap().contains("broke off"), "{broke}");
    assert_eq!(failed["error_description"], "unexpected condition");
}

/// The answer of a command whose output nobody can have.
#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_1() {
    let home = Home::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();

    let mut version = command(&home, "version");
    version.stdout(full());
    let failure = fails(version, 1, "failed", &[]);

    assert!(failure["error_description"].as_str().unwrap().contains("cannot be written"));
}

/// It is an answer, which says what would be done.
#[test]
fn what_awaits_a_confirmation_is_an_answer_with_4() {
    let home = Home::new();
    home.serve().kill();

    let output = command(&home, "issuer change http://localhost:1").output().unwrap();

    let view: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &view["changed"]), (Some(4), &false.into()));
}
