//! `events --follow --syslog`: what arrives at the socket of the system's log.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::connection::get;
use crate::program::{Home, Process};

/// A socket at `path`, as a daemon has it.
fn daemon(path: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// The next message: what stands before the event, and the event.
fn next(socket: &UnixDatagram) -> (String, Value) {
    let mut message = [0; 16 << 10];
    let length = socket.recv(&mut message).unwrap();
    let message = str::from_utf8(&message[..length]).unwrap();
    let (head, event) = message.split_once("]: ").unwrap();
    (head.to_owned(), serde_json::from_str(event).unwrap())
}

#[test]
fn events_arrive_at_the_socket_and_wait_for_a_daemon_that_starts_anew() {
    let home = Home::new();
    let server = home.serve();
    let path = home.path("log.socket");
    let socket = daemon(&path);
    home.json("user add bob");
    let named = format!("--syslog={}", path.display());
    let arguments = ["events", "--follow", "--since", "1h", "--kind", "user.added", &named];
    let mut follow = home.command(&arguments);
    follow.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut follow = Process(follow.spawn().unwrap());
    let mut said = BufReader::new(follow.0.stderr.take().unwrap()).lines();

    let (head, bob) = next(&socket);
    home.json("user add eve");
    let (_, eve) = next(&socket);
    drop(socket);
    fs::remove_file(&path).unwrap();
    home.json("user add zoe");
    let lost = said.next().unwrap().unwrap();
    home.json("user add kim");
    let socket = daemon(&path);
    let names = [next(&socket), next(&socket)].map(|(_, event)| event["name"].clone());

    assert_eq!((&bob["name"], &eve["name"]), (&"bob".into(), &"eve".into()));
    assert_eq!(bob["kind"], "user.added");
    let pid = follow.0.id();
    assert!(head.starts_with("<85>") && head.ends_with(&format!(" gatelodge[{pid}")), "{head}");
    let at = bob["at"].as_str().unwrap();
    assert!(head.contains(&at[11..19]), "{head} {at}");
    assert_eq!(names, ["zoe", "kim"]);
    assert!(lost.contains("takes no messages, and events wait for it"), "{lost}");
    let back = said.next().unwrap().unwrap();
    assert!(back.ends_with("takes messages again"), "{back}");
    drop(server);
}

#[test]
fn a_refused_request_is_of_less_weight_than_an_act() {
    let home = Home::new();
    let server = home.serve();
    let path = home.path("log.socket");
    let socket = daemon(&path);
    get(&server, "/oauth/userinfo");
    let named = format!("--syslog={}", path.display());
    let arguments = ["events", "--follow", "--since", "1h", "--kind", "request.refused", &named];
    let _follow = Process(home.command(&arguments).stdout(Stdio::null()).spawn().unwrap());

    let (head, event) = next(&socket);

    assert!(head.starts_with("<86>"), "{head}");
    assert_eq!(event["refused"]["refusal"], "BearerTokenMissing");
}

#[test]
fn a_socket_that_is_not_there_is_said_at_once() {
    let home = Home::new();
    let _server = home.serve();
    let named = format!("--syslog={}", home.path("nobody").display());

    let failed = home.command(&["events", "--follow", &named]).output().unwrap();
    let alone = home.command(&["events", &named]).output().unwrap();

    let said = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(said.contains("nobody takes no messages: "), "{said}");
    assert_eq!(alone.status.code(), Some(2));
}
