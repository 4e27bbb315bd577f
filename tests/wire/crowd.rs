//! Many connections at once, and peers that are slow: they are closed, and everybody else is
//! served meanwhile.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use crate::connection::{connect, get, log, token_head};
use crate::program::{Home, Server};

/// A server that may have so many file descriptors.
fn serve_with_descriptors(home: &Home, descriptors: u32) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("ulimit -n {descriptors} && exec \"$0\" serve --listen 127.0.0.1:0");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_gatelodge")]);
    shell.env_clear().env("HOME", home.path("")).env("GATELODGE_DATA", home.data());
    shell.env("GATELODGE_LOG", "debug").stdin(Stdio::null());
    shell
}

/// Raises the limit of descriptors of this process, for so many connections.
fn need_descriptors(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(count), ..limit }).unwrap();
    }
}

/// A request, on a connection that stays.
fn request(server: &Server) -> String {
    let host = server.issuer().strip_prefix("http://").unwrap();
    format!("GET /.well-known/openid-configuration HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

#[test]
fn a_newcomer_is_served_however_many_connections_its_address_has() {
    need_descriptors(4096);
    let home = Home::new();
    let server = home.serve();

    let mut idle: Vec<_> = (0..1100).map(|_| connect(&server)).collect();

    assert_eq!(get(&server, "/healthz").status, 200);
    // The oldest went for it, and for those that came after the 1,024th.
    for stale in &mut idle[..77] {
        assert!(!matches!(stale.read(&mut [0]), Ok(1..)), "nothing was asked");
    }
    let newest = idle.last_mut().unwrap();
    newest.write_all(request(&server).as_bytes()).unwrap();
    assert_eq!(newest.read(&mut [0]).unwrap(), 1);
}

/// A request whose body never ends is none: whoever holds connections by it pushes out nobody.
#[test]
fn a_connection_that_was_served_outlives_a_crowd_of_unfinished_bodies() {
    need_descriptors(4096);
    let home = Home::new();
    let server = home.serve();
    let mut served = connect(&server);
    let answers = |stream: &mut TcpStream| {
        stream.write_all(request(&server).as_bytes()).unwrap();
        stream.read(&mut [0; 1 << 16]).unwrap_or_default() > 0
    };
    assert!(answers(&mut served));

    let head = token_head(&server);
    let unfinished = format!("{head}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    let crowd: Vec<_> = (0..1100)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(unfinished.as_bytes()).unwrap();
            stream.read_exact(&mut [0; "HTTP/1.1 100 Continue\r\n\r\n".len()]).unwrap();
            stream
        })
        .collect();

    assert!(answers(&mut served));
    drop(crowd);
}

/// A connection for which there is no room in the backlog would be tried again after a second.
#[test]
#[cfg(target_os = "linux")]
fn a_burst_of_connections_waits_until_it_is_accepted() {
    need_descriptors(4096);
    let home = Home::new();
    let server = home.serve();
    let address = server.ready["listen"][0].as_str().unwrap().parse().unwrap();
    let process = Pid::from_child(&server.process.0);
    kill_process(process, Signal::STOP).unwrap();

    let burst: Vec<_> = (0..500)
        .map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(900)))
        .collect();
    kill_process(process, Signal::CONT).unwrap();

    assert!(burst.iter().all(Result::is_ok));
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn the_administration_socket_responds_while_the_ports_are_full() {
    let home = Home::new();
    let server = Server::start(serve_with_descriptors(&home, 64), &home.path("log"));

    let crowd: Vec<_> = (0..300).map(|_| connect(&server)).collect();
    let added = home.json("client add shop --id shop");
    let listed = home.json("client list");

    assert_eq!(added["client_id"], "shop");
    assert!(listed.to_string().contains("\"shop\""), "{listed}");
    assert_eq!(get(&server, "/readyz").status, 200);
    drop(crowd);
    let log = log(&home, &server);
    assert!(!log.contains("a connection was not accepted"), "{log}");
}

#[test]
fn too_few_descriptors_are_told_before_anything_is_made() {
    let home = Home::new();

    let output = serve_with_descriptors(&home, 40).output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ulimit -n") && said.contains("64 are the fewest"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert!(!home.data().exists());
}

/// Its requests are no longer read, and after a while it is closed.
#[test]
fn a_peer_that_never_reads_is_closed() {
    let home = Home::new();
    let server = home.serve();
    let request = request(&server).repeat(100);
    let mut stream = connect(&server);
    stream.set_write_timeout(Some(Duration::from_secs(25))).unwrap();

    let failed = (0..10_000).find_map(|_| stream.write_all(request.as_bytes()).err());

    let kind = failed.unwrap().kind();
    // WouldBlock would be the timeout of this write.
    assert!(
        matches!(kind, std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe),
        "{kind}"
    );
    assert_eq!(get(&server, "/healthz").status, 200);
}
