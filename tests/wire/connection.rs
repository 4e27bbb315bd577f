//! One connection to a server, byte for byte.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::program::{Home, Server};

/// Longer than any time limit of the server.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What came back until the server closed.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A connection to the first listener of `server`.
pub(crate) fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.ready["listen"][0].as_str().unwrap()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
}

/// Reads the response on `stream`.
pub(crate) fn read(mut stream: TcpStream) -> Response {
    let mut whole = String::new();
    stream.read_to_string(&mut whole).unwrap();
    parse(&whole)
}

/// The response whose bytes are `whole`.
fn parse(whole: &str) -> Response {
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Response { status, head: head.to_owned(), body: body.to_owned() }
}

/// Sends one request whose header is `head`, without its end, and reads the response.
pub(crate) fn ask(server: &Server, head: &str, body: &str) -> Response {
    let mut stream = connect(server);
    let length = body.len();
    let whole = format!("{head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(whole.as_bytes()).unwrap();
    read(stream)
}

/// `GET path`, under the issuer's own name.
pub(crate) fn get(server: &Server, path: &str) -> Response {
    let host = server.issuer().strip_prefix("http://").unwrap();
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: {host}"), "")
}

/// The log of all requests so far.
pub(crate) fn log(home: &Home, server: &Server) -> String {
    let last = get(server, "/nowhere");
    let (_, event) = last.head.split_once("gatelodge-event: ").unwrap();
    home.log_with(event.lines().next().unwrap())
}

/// The header of a POST to the token endpoint.
pub(crate) fn token_head(server: &Server) -> String {
    let host = server.issuer().strip_prefix("http://").unwrap();
    let form = "application/x-www-form-urlencoded";
    format!("POST /oauth/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: {form}")
}

/// RFC 6749 §4.4.2, with the secret in the body.
pub(crate) fn client_credentials(server: &Server, id: &str, secret: &str) -> Response {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    ask(server, &token_head(server), &form)
}

/// DNS rebinding: a stranger's name leads to this machine.
#[test]
fn a_strangers_host_name_is_not_answered() {
    let home = Home::new();
    let server = home.serve();

    let refused = ask(&server, "GET /.well-known/jwks.json HTTP/1.1\r\nHost: evil.example", "");

    assert_eq!(refused.status, 421);
    assert_eq!(refused.json()["error"], "misdirected_request");
    assert!(!refused.body.contains("keys"));
}

/// RFC 9112 §3.2, and probes of HTTP/1.0, which know no `Host`.
#[test]
fn a_request_without_a_host_is_malformed_and_a_probe_needs_none() {
    let home = Home::new();
    let server = home.serve();

    let refused = ask(&server, "GET /.well-known/jwks.json HTTP/1.1", "");
    let probe = ask(&server, "GET /healthz HTTP/1.0", "");

    assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_request")));
    assert_eq!(probe.status, 200);
}

#[test]
fn a_page_at_an_address_is_sent_to_the_issuers_name_and_the_api_is_answered() {
    let home = Home::new();
    let server = home.serve();
    let address = server.ready["listen"][0].as_str().unwrap();

    let page = ask(&server, &format!("GET /gate/login HTTP/1.1\r\nHost: {address}"), "");
    let api = ask(&server, &format!("GET /.well-known/jwks.json HTTP/1.1\r\nHost: {address}"), "");

    let location = format!("location: {}/gate/login", server.issuer());
    assert_eq!(page.status, 303);
    assert!(page.head.contains(&location), "{}", page.head);
    assert_eq!(api.status, 200);
}

/// RFC 9110 §15.5.14
#[test]
fn a_connection_ends_with_a_body_that_is_too_large() {
    let home = Home::new();
    let server = home.serve();
    let mut stream = connect(&server);

    let head = format!("{}\r\nContent-Length: 100000\r\n\r\n", token_head(&server));
    stream.write_all(&[head.as_bytes(), &[b'a'; 40_000]].concat()).unwrap();
    let refused = read(stream);

    assert_eq!(refused.status, 413);
    assert!(refused.head.contains("\r\nconnection: close"), "{}", refused.head);
}

/// A header has ten seconds to arrive.
#[test]
fn a_header_that_never_ends_is_not_waited_for() {
    let home = Home::new();
    let server = home.serve();
    let mut stream = connect(&server);

    stream.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
    let mut response = Vec::new();
    // An error here is the read's own timeout, three times the server's.
    stream.set_read_timeout(Some(Duration::from_secs(14))).unwrap();
    stream.read_to_end(&mut response).unwrap();

    assert!(!response.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&response));
}

/// The response to a request whose header section has so many bytes, for a page.
fn with_section(server: &Server, length: usize) -> Response {
    let host = server.issuer().strip_prefix("http://").unwrap();
    let head = format!("GET /gate/login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nCookie: ");
    let padding = "a".repeat(length - head.len() - "\r\n\r\n".len());
    let mut stream = connect(server);
    // The server may close before it has read all, which resets the connection.
    let _ = stream.write_all(format!("{head}{padding}\r\n\r\n").as_bytes());
    let (mut whole, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte).is_ok_and(|length| length > 0) {
        whole.extend(byte);
    }
    parse(&String::from_utf8(whole).unwrap())
}

/// RFC 6585 §5
#[test]
fn a_header_section_has_at_most_32_kib() {
    let home = Home::new();
    let server = home.serve();

    assert_eq!(with_section(&server, 31 * 1024).status, 200);
    let refused = with_section(&server, 33 * 1024);
    assert_eq!(refused.status, 431);
    assert_eq!(refused.json()["error"], "request_header_fields_too_large");
    // Larger than the buffer: refused before there is a request, without a body.
    let refused = with_section(&server, 400 * 1024);
    assert_eq!((refused.status, refused.body.as_str()), (431, ""));
}

/// A port of this machine at which nobody listens now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
