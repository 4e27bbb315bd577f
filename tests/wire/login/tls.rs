//! Whom the command line believes over TLS.

use std::fs;
use std::io::BufReader;
use std::process::Stdio;

use tokio::runtime::Runtime;

use super::{finish, until};
use crate::program::{Home, Process};

#[expect(dead_code, reason = "this story needs less of it than those of tests/fetch")]
#[path = "../../fetch/origin.rs"]
mod origin;

use origin::{Certificate, Origin};

#[test]
fn a_server_is_asked_over_tls_once_the_ca_file_vouches_for_it() {
    let home = Home::new();
    let runtime = Runtime::new().unwrap();
    let certificate = Certificate::of("localhost");
    fs::write(home.path("ca.pem"), &certificate.ca).unwrap();
    let server = runtime.block_on(Origin::over_tls(certificate));
    let issuer = format!("https://localhost:{}", server.port);
    let ca = home.path("ca.pem").display().to_string();
    let login = ["login", "--no-browser", "--issuer", &issuer];

    let unknown = finish(home.command(&login));
    let asked_by_the_unknown = server.requests().len();
    let known = finish(home.command(&[&login[..], &["--ca-file", &ca]].concat()));

    assert_eq!(unknown.code(), 1);
    assert!(unknown.err.contains("certificate is not trusted"), "{}", unknown.err);
    assert_eq!(asked_by_the_unknown, 0);
    // It was heard, and is no authorization server.
    assert!(known.err.contains("describes itself unclearly"), "{}", known.err);
    let request = server.requests().concat();
    assert!(request.starts_with("GET /.well-known/oauth-authorization-server HTTP/1.1\r\n"));
}

#[test]
fn a_server_of_the_same_data_is_believed_without_a_word() {
    let (home, elsewhere) = (Home::new(), Home::new());
    let server = home.start(&["serve", "--tls", "local", "--listen", "127.0.0.1:0"]);
    let login = ["login", "--no-browser", "--store", "file", "--issuer", server.issuer()];
    let data = home.data().display().to_string();

    let stranger = finish(elsewhere.command(&login));
    let named = [&["--data", &data][..], &login].concat();
    let started = [home.command(&login), elsewhere.command(&named)].map(|mut command| {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = Process(command.spawn().unwrap());
        let mut stderr = BufReader::new(process.0.stderr.take().unwrap());
        until(&mut stderr, "/oauth/authorize?")
    });

    assert!(stranger.err.contains("certificate is not trusted"), "{}", stranger.err);
    for (err, address) in started {
        let address = address.unwrap_or_else(|| panic!("{err}"));
        assert!(address.starts_with(server.issuer()), "{address}");
    }
}

#[test]
fn plain_http_to_another_machine_is_wrong_usage() {
    let home = Home::new();

    let said = finish(home.command(&["whoami", "--issuer", "http://id.example"]));

    assert_eq!(said.code(), 2);
    assert!(said.err.contains("an https URL is allowed"), "{}", said.err);
}
