//! What a running server has given up, as the kernel tells it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::thread;

use gatelodge::contain::{Bounds, contain};
use rustix::io::Errno;
use rustix::net::sendto;
use rustix::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, socket, socket_with,
};

use crate::connection::get;
use crate::program::{Home, Server};

impl Server {
    /// A line of what the kernel says of the process.
    pub(super) fn standing(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim_start_matches(':').trim().to_owned()
    }
}

#[test]
fn a_server_gives_up_what_it_does_not_need_and_serves() {
    let home = Home::new();

    let server = home.serve();

    assert_eq!(server.standing("NoNewPrivs"), "1");
    assert_eq!(server.standing("Seccomp"), "2");
    assert_eq!(get(&server, "/readyz").status, 200);
    home.json("client add shop");
    // A kernel without landlock is told of, and nothing else is.
    let log = fs::read_to_string(home.path("log")).unwrap();
    let mut said = log.lines().filter(|line| line.contains("contained"));
    assert!(said.all(|line| line.contains("landlock")), "{log}");
}

#[test]
fn a_server_that_is_told_to_keeps_everything_and_says_so() {
    let home = Home::new();

    let server = home.start(&["serve", "--listen", "127.0.0.1:0", "--no-sandbox"]);

    assert_eq!(server.standing("Seccomp"), "0");
    home.log_with("the server keeps what it does not need");
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
             --back-channel-logout http://127.0.0.1:{port}/out"
        ))
    };
    home.serve().kill();
    add("early", early);
    let server = home.start(&["serve", "--offline"]);
    assert_eq!(server.standing("Seccomp"), "2");

    add("late", late);
    let found = home.json("doctor");

    if fs::read_to_string(home.path("log")).unwrap().contains("landlock") {
        // A kernel without it.
        return;
    }

    let of = |port: u16| {
        let findings = found["checks"].as_array().unwrap();
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

/// The clients of a file have their ports at the first start, too.
#[test]
fn an_offline_server_knows_the_ports_of_the_file_that_it_applies() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let file = home.path("house.toml");
    let text = format!(
        "[clients.shop]\nredirect_uris = ['http://127.0.0.1:1/cb']\n\
         backchannel_logout_uri = 'http://127.0.0.1:{port}/out'\n"
    );
    fs::write(&file, text).unwrap();
    let file = file.display().to_string();

    let _server = home.start(&["serve", "--offline", "--listen", "127.0.0.1:0", "--apply", &file]);

    let tries = || home.json("doctor").to_string();
    let found = tries();
    assert!(found.contains("addresses of clients that can be reached: 1"), "{found}");
    assert!(!found.contains("gave up connections"), "{found}");
    if fs::read_to_string(home.path("log")).unwrap().contains("landlock") {
        // A kernel without it.
        return;
    }
    let later = TcpListener::bind("127.0.0.1:0").unwrap();
    let later = later.local_addr().unwrap().port();
    home.json(&format!(
        "client add late --redirect http://127.0.0.1:1/cb \
         --back-channel-logout http://127.0.0.1:{later}/out"
    ));
    let found = tries();
    assert!(found.contains("gave up connections"), "one that was not in the file: {found}");
}

#[test]
fn a_configuration_that_the_sandbox_keeps_away_is_said_to_be() {
    let home = Home::new();
    let file = home.path("gatelodge.toml");
    fs::write(&file, "").unwrap();
    let named = file.display().to_string();
    let _server = home.start(&["serve", "--listen", "127.0.0.1:0", "--config", &named]);
    if fs::read_to_string(home.path("log")).unwrap().contains("landlock") {
        // A kernel without it.
        return;
    }
    fs::write(home.path("new.toml"), "[look]\nname = 'Ada'\n").unwrap();
    fs::rename(home.path("new.toml"), &file).unwrap();

    let output = home.command(&["config", "reload"]).output().unwrap();

    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("the sandbox keeps the server from it: start the server anew"), "{said}");
}

/// TCP has other names, and a connection other ways to begin than `connect`.
#[test]
fn no_way_leads_around_the_ports_of_an_offline_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = listener.local_addr().unwrap();
    let tried = thread::spawn(move || {
        let notes = contain(&Bounds { connect: Some([].into()), ..Bounds::default() });
        let inet = AddressFamily::INET;
        let flags = SocketFlags::empty();
        let multipath =
            socket_with(inet, SocketType::STREAM, flags, Some(ipproto::MPTCP)).map(drop);
        let datagrams = socket(inet, SocketType::DGRAM, None).map(drop);
        let raw = socket(inet, SocketType::RAW, Some(ipproto::ICMP)).map(drop);
        let stream = socket(inet, SocketType::STREAM, Some(ipproto::TCP)).unwrap();
        // MSG_FASTOPEN of tcp(7).
        let fast = SendFlags::from_bits_retain(0x2000_0000);
        let opened = sendto(&stream, b"hi", fast, &other).map(drop);
        (notes, [multipath, datagrams, raw, opened])
    });

    let (notes, tried) = tried.join().unwrap();

    assert!(notes.iter().all(|note| note.contains("landlock")), "{notes:?}");
    assert_eq!(tried, [Err(Errno::PERM); 4]);
}

#[test]
fn a_store_behind_a_link_into_the_home_directory_is_served() {
    let home = Home::new();
    home.serve().kill();
    let (store, far) = (home.data().join("gatelodge.redb"), home.path("far.redb"));
    fs::rename(&store, &far).unwrap();
    symlink(&far, &store).unwrap();

    let server = home.serve();

    home.json("client add shop");
    assert_eq!(get(&server, "/readyz").status, 200);
}
