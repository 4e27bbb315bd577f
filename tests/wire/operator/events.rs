//! Events as an operator reads them, and what `explain` says of a request.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::printed;
use crate::connection::get;
use crate::program::Home;

fn listed(home: &Home, arguments: &str) -> Vec<Value> {
    let listed = home.json(format!("events {arguments}").trim_end());
    listed["events"].as_array().unwrap().clone()
}

#[test]
fn events_are_listed_with_a_server_and_without() {
    let home = Home::new();
    let mut server = home.serve();
    home.json("user add ada");
    home.json("client add shop --id shop --redirect https://shop.example/cb");
    let refused =
        get(&server, "/oauth/authorize?client_id=shop&redirect_uri=https%3A%2F%2Fx.example");
    assert_eq!(refused.status, 400);
    server.terminate();
    assert!(server.process.0.wait().unwrap().success());

    // The refused request was written at the stop.
    let (text, _) = printed(&home, "events");
    let events = listed(&home, "");

    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("AT") && lines[0].contains("KIND"), "{text}");
    assert!(
        text.contains("user.added") && text.contains("RedirectUriUnregistered: shop"),
        "{text}"
    );
    let kinds: Vec<&str> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    for kind in ["user.added", "client.added", "request.refused"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let of_ada = listed(&home, "--user ada");
    assert!(of_ada.iter().all(|event| event["username"] == "ada"), "{of_ada:?}");
    let server = home.serve();
    assert_eq!(listed(&home, "--since 1h"), events);
    assert_eq!(listed(&home, "--limit 1").len(), 1);
    assert_eq!(listed(&home, "--until 1h").len(), 0);
    drop(server);
}

#[test]
fn the_operator_at_the_socket_is_named_by_their_user() {
    let home = Home::new();
    let _server = home.serve();
    home.json("user add ada");

    let added = listed(&home, "--kind user.added").remove(0);

    let own = Command::new("id").arg("-u").output().unwrap();
    let own: u32 = String::from_utf8(own.stdout).unwrap().trim().parse().unwrap();
    assert_eq!(added["actor"]["kind"], "operator");
    assert_eq!(added["actor"]["uid"], own);
}

#[test]
fn a_wrong_filter_is_told_with_what_there_is() {
    let home = Home::new();
    let _server = home.serve();
    for (arguments, code, part) in [
        (&["events", "--kind", "user.aded"][..], 4, "there is: user.added"),
        (&["events", "--refusal", "CodeReplay"], 4, "there is: CodeReplayed"),
        (&["events", "--client", "nobody"], 3, "there is no client"),
        (&["events", "--user", "nobody"], 3, "there is no person"),
        (&["events", "--since", "yesterday"], 2, "15m"),
        (&["events", "--limit", "0"], 2, "1..=100000"),
        (&["explain", "12"], 4, "16 hexadecimal digits"),
        (&["explain", "0123456789abcdef"], 3, "there is no event"),
    ] {
        let output = home.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    }
}

#[test]
fn a_follower_reads_each_event_once_as_it_happens() {
    let home = Home::new();
    let server = home.serve();
    home.json("user add before");
    let mut follower =
        home.command(&["events", "--follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let (printed, printing) = mpsc::channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| printed.send(line)));
    let read = |line: String| -> Value { serde_json::from_str(&line).unwrap() };
    let next = || read(printing.recv().unwrap());

    // The follower has begun once it prints something.
    let first = loop {
        get(&server, "/nothing");
        if let Ok(line) = printing.recv_timeout(Duration::from_millis(100)) {
            break read(line);
        }
    };
    home.json("user add ada");
    let mut seen = vec![first];
    while seen.last().unwrap()["kind"] != "user.added" {
        seen.push(next());
    }
    follower.kill().unwrap();
    follower.wait().unwrap();

    let added = seen.last().unwrap();
    assert_eq!(added["name"], "ada");
    let mut ids: Vec<&str> = seen.iter().map(|event| event["id"].as_str().unwrap()).collect();
    let number = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), number, "each is printed once");
    assert!(!seen.iter().any(|event| event["name"] == "before"), "what was before is not printed");
}

#[test]
fn a_refused_request_is_explained_and_its_command_lets_it_pass() {
    let home = Home::new();
    let server = home.serve();
    home.json("client add shop --id shop --redirect https://shop.example/cb");
    let request = "/oauth/authorize?client_id=shop&response_type=code&scope=openid&state=s\
         &code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &redirect_uri=https%3A%2F%2Fshop.example%2Fother%3Fa%3D1%26b%3D2";
    let refused = get(&server, request);
    assert_eq!(refused.status, 400);
    let id = refused.head.lines().find_map(|line| line.strip_prefix("gatelodge-event: ")).unwrap();

    let (text, _) = printed(&home, &format!("explain {id}"));
    let explained = home.json(&format!("explain {id}"));

    for part in ["RedirectUriUnregistered", "https://shop.example/cb", "RFC 6749", "command"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let command = explained["command"].as_str().unwrap();
    assert!(command.contains("'https://shop.example/other?a=1&b=2'"), "{command}");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_gatelodge")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env("PATH", path).env("GATELODGE_DATA", home.data());
    assert!(shell.status().unwrap().success(), "{command}");
    assert_eq!(get(&server, request).status, 303);
}
