//! What a running server has given up, as the kernel tells it.

use std::fs;
use std::net::TcpListener;

use crate::connection::get;
use crate::program::{Home, Server};

impl Server {
    /// A line of what the kernel says of the process.
    fn standing(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim_start_matches(':').trim().to_owned()
    }
}

/// A server with further arguments, and what its log says of containment.
fn serve(home: &Home, arguments: &[&str]) -> (Server, Vec<String>) {
    let command = home.command(&[&["serve", "--listen", "127.0.0.1:0"][..], arguments].concat());
    let server = Server::start(command, &home.path("log"));
    let log = fs::read_to_string(home.path("log")).unwrap();
    let said = |line: &&str| line.contains("contained") || line.contains("sandbox");
    let lines = log.lines().filter(said).map(str::to_owned).collect();
    (server, lines)
}

#[test]
fn a_server_gives_up_what_it_does_not_need_and_serves() {
    let home = Home::new();

    let (server, said) = serve(&home, &[]);

    assert_eq!(server.standing("NoNewPrivs"), "1");
    assert_eq!(server.standing("Seccomp"), "2");
    // A kernel without landlock is told of; this says nothing more than that.
    assert!(said.iter().all(|line| line.contains("landlock")), "{said:?}");
    assert_eq!(get(&server, "/readyz").status, 200);
    assert_eq!(get(&server, "/").status, 303);
    assert_eq!(home.json("client add shop")["client"]["client_name"], "shop");
}

#[test]
fn a_server_that_is_told_to_keeps_everything_and_says_so() {
    let home = Home::new();

    let (server, said) = serve(&home, &["--no-sandbox"]);

    assert_eq!(server.standing("Seccomp"), "0");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("keeps what it does not need"), "{said:?}");
}

/// A back-channel logout goes to a port that was registered before the start, and to one that was
/// registered since it does not.
#[test]
fn an_offline_server_goes_to_the_ports_that_it_knew_at_its_start() {
    let home = Home::new();
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [early, late] = listeners.each_ref().map(|one| one.local_addr().unwrap().port());
    let add = |id: &str, port: u16| {
        home.json(&format!(
            "client add {id} --id {id} --redirect http://127.0.0.1:1/cb \
             --backchannel-logout http://127.0.0.1:{port}/out"
        ))
    };
    drop(serve(&home, &[]));
    add("early", early);
    let (server, said) = serve(&home, &["--offline"]);
    if !said.is_empty() {
        // A kernel without it.
        return;
    }
    assert_eq!(server.standing("Seccomp"), "2");

    add("late", late);
    let found = home.json("doctor");

    let of = |port: u16| {
        let findings = found["findings"].as_array().unwrap();
        let part = format!("127.0.0.1:{port}");
        findings
            .iter()
            .map(|one| one.to_string())
            .filter(|one| one.contains(&part))
            .collect::<String>()
    };
    assert!(of(late).contains("gave up connections to ports"), "{found}");
    assert!(!of(early).contains("gave up connections"), "{found}");
}
