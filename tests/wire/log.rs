//! Outputs that take nothing: a full disk, a pipe that nobody reads or whose reader has gone. The
//! server goes on, and says afterwards what is missing; a command says that its output is not whole.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, PipeReader, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::connection::{ask, client_credentials, connect, get, log, token_head};
use crate::program::{Home, Process, Server};

/// More requests than have room for their lines in memory and in a pipe.
const MANY: usize = 12_000;

fn serve(home: &Home, log: impl Into<Stdio>) -> Server {
    let first = !home.data().join("gatelodge.redb").exists();
    let listen: &[&str] = if first { &["--listen", "127.0.0.1:0"] } else { &[] };
    let mut command = home.command(&[&["serve"], listen].concat());
    command.env("GATELODGE_LOG", "debug");
    Server::logging_to(log, command, &home.path("log"))
}

/// What a server does that works, with requests that write among them.
#[track_caller]
fn assert_works(home: &Home, server: &Server) {
    let client = home.json("client add nightly --auth client_secret_post");
    let text = |member: &str| client[member].as_str().unwrap().to_owned();
    for _ in 0..5 {
        assert_eq!(get(server, "/readyz").status, 200);
        let token = client_credentials(server, &text("client_id"), &text("client_secret"));
        assert_eq!(token.status, 200);
        assert_eq!(client_credentials(server, "nobody", "wrong").status, 401);
    }
}

#[test]
fn a_log_that_takes_nothing_stops_nothing() {
    let home = Home::new();
    File::create(home.path("log")).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (reader, dead) = io::pipe().unwrap();
    drop(reader);

    for log in [Stdio::from(full), Stdio::from(dead)] {
        let server = serve(&home, log);

        assert_works(&home, &server);

        server.terminate();
        assert_eq!(server.end().code(), Some(0));
    }
}

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_what_was_dropped_is_told_once() {
    let home = Home::new();
    File::create(home.path("log")).unwrap();
    let (reader, log) = io::pipe().unwrap();
    let server = serve(&home, log);

    assert_eq!(many(&server), MANY);
    assert_works(&home, &server);

    let mut lines = lines(reader);
    let dropped = lines.find(|line| line.get("lines").is_some()).unwrap();
    // By then there is room again.
    assert_works(&home, &server);
    server.terminate();
    let rest = thread::spawn(|| lines.collect::<Vec<_>>());
    assert_eq!(server.end().code(), Some(0));
    let rest = rest.join().unwrap();
    assert!(rest.iter().all(|line| line.get("lines").is_none()));
    let last = rest.last().unwrap()["message"].as_str().unwrap();
    assert!(last.starts_with("stopping"), "{last}");
    assert_eq!(dropped["level"], "WARN");
    assert!(dropped["lines"].as_u64().unwrap() > 0);
}

/// Sends many requests one after the other, and gives how many were answered.
fn many(server: &Server) -> usize {
    let stream = connect(server);
    let host = server.issuer().strip_prefix("http://").unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n");
    let whole =
        format!("{}{request}Connection: close\r\n\r\n", format!("{request}\r\n").repeat(MANY - 1));
    let mut to = stream.try_clone().unwrap();
    let writing = thread::spawn(move || to.write_all(whole.as_bytes()).unwrap());
    let read = io::read_to_string(stream).unwrap();
    writing.join().unwrap();
    read.matches("HTTP/1.1 200 OK").count()
}

/// The lines of a log of JSON, each of which is whole.
fn lines(log: PipeReader) -> impl Iterator<Item = Value> + Send {
    let lines = BufReader::new(log).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

#[test]
fn a_reader_who_never_reads_does_not_hold_up_the_end() {
    let home = Home::new();
    File::create(home.path("log")).unwrap();
    let (_reader, mut log) = io::pipe().unwrap();
    fill(&mut log);
    let server = serve(&home, log);
    assert_works(&home, &server);

    server.terminate();

    assert_eq!(server.end().code(), Some(0));
}

/// Fills a pipe to its last byte.
fn fill(pipe: &mut io::PipeWriter) {
    pipe.write_all(&[b'x'; 65_536]).unwrap();
}

#[test]
fn standard_output_that_takes_nothing_stops_nothing() {
    let home = Home::new();
    home.serve().kill();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (reader, dead) = io::pipe().unwrap();
    drop(reader);
    let (_reader, mut unread) = io::pipe().unwrap();
    fill(&mut unread);

    for output in [Stdio::from(full), Stdio::from(dead), Stdio::from(unread)] {
        let mut server = home.command(&["serve"]);
        server.stdout(output).stderr(File::create(home.path("log")).unwrap());
        let mut server = Process(server.spawn().unwrap());

        until_it_serves(&home);

        terminate(&server);
        assert_eq!(server.0.wait().unwrap().code(), Some(0));
    }
}

/// Waits for the socket of a server that says nothing.
fn until_it_serves(home: &Home) {
    let socket = home.data().join("gatelodge.sock");
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        thread::yield_now();
    }
    home.json("user list");
}

fn terminate(process: &Process) {
    let pid = process.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
}

#[test]
fn a_command_whose_output_cannot_be_written_fails_with_a_sentence() {
    let home = Home::new();
    home.serve().kill();
    home.json("user add ada");

    for command in ["user list", "user list --json", "--help", "completions bash", "version"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let arguments: Vec<_> = command.split(' ').collect();
        let output = home.command(&arguments).stdout(full).output().unwrap();

        let said = String::from_utf8(output.stderr).unwrap();
        let why = "the answer cannot be written: No space left on device (os error 28)";
        let expected = if command.ends_with("--json") {
            format!("{{\"error\":\"failed\",\"error_description\":\"{why}\",\"exit\":1}}\n")
        } else {
            format!("gatelodge: {why}\n")
        };
        assert_eq!(said, expected, "{command}");
        assert_eq!(output.status.code(), Some(1), "{command}");
    }
}

#[test]
fn a_command_whose_reader_has_gone_succeeds_in_silence() {
    let home = Home::new();
    home.serve().kill();
    home.json("user add ada");

    for command in ["user list", "user list --json", "--help", "completions bash", "version"] {
        let (reader, dead) = io::pipe().unwrap();
        drop(reader);
        let arguments: Vec<_> = command.split(' ').collect();
        let output = home.command(&arguments).stdout(dead).output().unwrap();

        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{command}");
        assert_eq!(output.status.code(), Some(0), "{command}");
    }
}

#[test]
fn a_command_that_cannot_say_why_it_fails_still_fails() {
    let home = Home::new();
    let (reader, dead) = io::pipe().unwrap();
    drop(reader);
    let full = File::options().write(true).open("/dev/full").unwrap();

    for (to, arguments, code) in
        [(Stdio::from(full), &["user", "list"][..], 5), (Stdio::from(dead), &["no-such-verb"], 2)]
    {
        let status = home.command(arguments).stderr(to).status().unwrap();

        assert_eq!(status.code(), Some(code));
    }
}

#[test]
fn a_proxy_that_names_nobody_is_told_of_once() {
    let home = Home::new();
    let server = home.start(&["serve", "--listen", "127.0.0.1:0", "--behind-proxy", "127.0.0.1"]);

    for _ in 0..3 {
        assert_eq!(client_credentials(&server, "nobody", "wrong").status, 401);
    }

    let log = log(&home, &server);
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("X-Forwarded-For")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("127.0.0.1"));
}

/// The client reads no more than that the token is not active.
#[test]
fn an_active_token_that_a_client_may_not_know_about_is_a_line_with_a_remedy() {
    let home = Home::new();
    let server = home.serve();
    let secrets = ["robot", "api"].map(|id| {
        let client = home.json(&format!("client add {id} --id {id}"));
        client["client_secret"].as_str().unwrap().to_owned()
    });
    let token = client_credentials(&server, "robot", &secrets[0]).json()["access_token"].clone();
    let token = token.as_str().unwrap();
    let head = token_head(&server).replace("/oauth/token", "/oauth/introspect");

    let form = format!("token={token}&client_id=api&client_secret={}", secrets[1]);
    let response = ask(&server, &head, &form);

    assert_eq!(response.body, r#"{"active":false}"#);
    let log = log(&home, &server);
    let line = log.lines().find(|line| line.contains("may not know about it"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("gatelodge client set api --introspect-any"), "{line}");
    assert!(!log.contains(token));
}
