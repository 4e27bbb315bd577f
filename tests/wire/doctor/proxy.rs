//! A proxy in front of the server, and what `doctor` learns of its habits by a request through it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::Examined;
use crate::program::{Home, Server};

const ISSUER: [&str; 4] = ["--issuer", "https://id.example", "--listen", "127.0.0.1:0"];

/// A server of `https://id.example` that believes this proxy.
fn behind(home: &Home, proxy: &str) -> Server {
    home.start(&[&["serve"], &ISSUER[..], &["--behind-proxy", proxy]].concat())
}

/// A proxy in front of `server` that changes the header of each request. Returns its address.
fn proxy(server: &Server, change: fn(&str) -> String) -> String {
    let upstream = server.ready["listen"][0].as_str().unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            relay(stream.unwrap(), &upstream, change);
        }
    });
    format!("http://{address}")
}

fn relay(mut stream: TcpStream, upstream: &str, change: fn(&str) -> String) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "the request broke off");
        head.extend(byte);
    }
    let mut server = TcpStream::connect(upstream).unwrap();
    server.write_all(change(&String::from_utf8(head).unwrap()).as_bytes()).unwrap();
    std::io::copy(&mut server, &mut stream).unwrap();
}

/// As a proxy should: it appends the address of its peer.
fn appending(head: &str) -> String {
    head.replace("192.0.2.77", "192.0.2.77, 198.51.100.1")
}

fn by(home: &Home, url: &str) -> Examined {
    Examined::by(home.command(&["doctor", "--json", "--url", url]))
}

#[test]
fn a_proxy_that_passes_everything_on_is_fine() {
    let home = Home::new();
    let server = behind(&home, "127.0.0.1");

    let examined = by(&home, &proxy(&server, appending));

    examined.has("proxy", "ok", &["id.example", "127.0.0.1"]);
    examined.has("issuer", "ok", &["passkeys are for id.example"]);
    assert_eq!(examined.code, 0, "{:#}", examined.view);
}

#[test]
fn a_proxy_with_a_host_of_its_own_is_told_beside_the_right_one() {
    let home = Home::new();
    let server = behind(&home, "127.0.0.1");
    let rewriting =
        |head: &str| appending(head).replace("host: id.example", "host: gatelodge:7455");

    let examined = by(&home, &proxy(&server, rewriting));

    let parts = ["id.example arrives with Host gatelodge:7455", "proxy_set_header Host $http_host"];
    examined.has("proxy", "problem", &parts);
    assert_eq!(examined.code, 1);
}

#[test]
fn a_proxy_that_does_not_say_who_asks_is_told() {
    let home = Home::new();
    let server = behind(&home, "127.0.0.1");
    let dropping = |head: &str| head.replace("x-forwarded-for: 192.0.2.77\r\n", "");

    let dropped = by(&home, &proxy(&server, dropping));
    let forged = by(&home, &proxy(&server, |head| head.to_owned()));

    let remedy = "$proxy_add_x_forwarded_for";
    dropped.has("proxy", "problem", &["127.0.0.1 sends no X-Forwarded-For", remedy]);
    forged.has("proxy", "problem", &["passes X-Forwarded-For on as it came", remedy]);
}

#[test]
fn a_proxy_that_is_not_named_is_told_with_its_address() {
    let home = Home::new();
    let server = behind(&home, "10.0.0.0/8");

    let examined = by(&home, &proxy(&server, appending));

    let parts = ["proxy at 127.0.0.1 that is not in behind_proxy", "--behind-proxy 127.0.0.1"];
    examined.has("proxy", "problem", &parts);
}

#[test]
fn a_proxy_that_leads_elsewhere_or_nowhere_is_a_warning() {
    let home = Home::new();
    let _server = behind(&home, "127.0.0.1");
    let other = Home::new();
    let elsewhere = other.serve();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let lost = by(&home, &proxy(&elsewhere, appending));
    let nowhere = by(&home, &format!("http://{closed}"));

    lost.has("proxy", "warning", &["answered with 421", "does not arrive at this server"]);
    nowhere.has("proxy", "warning", &["cannot be reached from here", "gatelodge doctor --url URL"]);
    assert_eq!((lost.code, nowhere.code), (0, 0));
}

/// A request without a proxy arrives as it was sent.
#[test]
fn a_place_of_this_machine_may_be_tried_without_a_proxy() {
    let home = Home::new();
    let server = home.serve();

    let examined = by(&home, server.issuer());

    examined.has("proxy", "ok", &["arrives as it was sent"]);
}

/// The local CA is trusted without being asked for.
#[test]
fn a_server_that_speaks_tls_itself_is_reached_by_its_own_ca() {
    let home = Home::new();
    let server = home.start(&["serve", "--tls", "local", "--listen", "127.0.0.1:0"]);

    let mut command = home.command(&["doctor", "--json", "--url", server.issuer()]);
    command.env("GATELODGE_TLS__MODE", "local");
    let examined = Examined::by(command);

    examined.has("proxy", "ok", &["arrives as it was sent"]);
    examined.has("tls", "ok", &["the local CA is valid until"]);
    assert_eq!(examined.code, 0, "{:#}", examined.view);
}
