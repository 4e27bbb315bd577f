//! A clock that is wrong while the server runs or starts, and is corrected.

mod fake;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant, SystemTime};

use fake::seconds;
use gatelodge::clock::Clock;
use gatelodge::tls::Authority;
use serde_json::{Value, json};

use crate::connection::{client_credentials, get};
use crate::person::Person;
use crate::program::{Home, Server};
use crate::secure::{Client, Got};
use crate::store::rollback::{authorized, refreshed, stop};

const HOUR: Duration = Duration::from_hours(1);
const MONTH: Duration = Duration::from_hours(30 * 24);
const YEAR: Duration = Duration::from_hours(365 * 24);

const SETUP: [&str; 3] = ["--listen", "127.0.0.1:0", "--print-setup"];
const LOCAL: [&str; 4] = ["--tls", "local", "--listen", "127.0.0.1:0"];

/// The detail that `/readyz` gives beside its status, which is 200.
fn ready(server: &Server) -> Value {
    let response = get(server, "/readyz");
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()["detail"].clone()
}

#[test]
fn a_first_start_an_hour_ahead_serves_at_once_when_the_clock_is_corrected() {
    let home = Home::new();
    home.set_clock(seconds(HOUR));
    let server = home.serve_by_clock(&SETUP);
    home.json("client add Reader --id reader --public --redirect http://127.0.0.1/cb");
    let nightly = home.json("client add nightly --id nightly --auth client_secret_post");
    let secret = nightly["client_secret"].as_str().unwrap();
    let mut ada = Person::enrolled(&server);
    let tokens = authorized(&server, &mut ada);

    home.set_clock(0);

    let serves = |server: &Server, ada: &mut Person, tokens: &Value| {
        assert_eq!(ready(server), Value::Null);
        let keys = get(server, "/.well-known/jwks.json");
        assert_eq!(keys.json()["keys"].as_array().unwrap().len(), 3);
        assert_eq!(client_credentials(server, "nightly", secret).status, 200);
        let tokens = refreshed(server, tokens);
        refreshed(server, &authorized(server, ada));
        tokens
    };
    let tokens = serves(&server, &mut ada, &tokens);
    stop(server);
    let server = home.serve_by_clock(&[]);
    serves(&server, &mut ada, &tokens);
}

#[test]
fn sessions_and_refresh_tokens_outlive_a_clock_that_was_a_year_ahead() {
    let home = Home::new();
    home.set_clock(0);
    let server = home.serve_by_clock(&SETUP);
    home.json("client add Reader --id reader --public --redirect http://127.0.0.1/cb");
    let mut ada = Person::enrolled(&server);
    let tokens = authorized(&server, &mut ada);

    home.set_clock(seconds(YEAR));

    home.log_with("the clock jumped from ");
    assert!(ready(&server).as_str().unwrap().starts_with("the clock jumped from "));
    stop(server);
    // A start sweeps at once, if it sweeps.
    let server = home.serve_by_clock(&[]);
    home.log_with("this store was last in use at ");
    assert!(ready(&server).as_str().unwrap().contains("nothing is removed for its age"));
    assert_eq!(get(&server, "/.well-known/jwks.json").status, 200);

    home.set_clock(0);

    let log = home.log_with("the clock is believed again");
    assert_eq!(ready(&server), Value::Null);
    assert!(ada.visit(&server, "/account").body.contains("ada"));
    let next = refreshed(&server, &tokens);
    refreshed(&server, &next);
    let jump = log.lines().find(|line| line.contains("the clock jumped from ")).unwrap();
    let jump: Value = serde_json::from_str(jump).unwrap();
    assert_eq!((&jump["level"], jump["event.id"].as_str().unwrap().len()), (&json!("WARN"), 16));
}

/// What the CLI tells of the CA.
fn ca(home: &Home) -> Value {
    home.json("tls ca")
}

/// What a client that trusts the CA of `home` gets, once the server's certificate is valid.
#[expect(clippy::disallowed_methods, reason = "the built program has clocks of its own")]
fn served(home: &Home, server: &Server) -> Got {
    let address = server.ready["listen"][0].as_str().unwrap();
    let started = Instant::now();
    loop {
        let client = Client::new(ca(home)["certificate"].as_str().unwrap(), None);
        match client.get(address, "localhost", "/readyz") {
            Ok(got) => return got,
            Err(error) => assert!(started.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_ca_of_1970_is_made_anew_when_the_clock_is_corrected() {
    let home = Home::new();
    #[expect(clippy::disallowed_methods, reason = "the built program has a clock of its own")]
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    home.set_clock(3600 - seconds(since_1970));
    let server = home.serve_by_clock(&LOCAL);
    let first = ca(&home);
    assert!(first["not_before"].as_str().unwrap().starts_with("1970-"), "{first}");

    home.set_clock(0);

    let log = home.log_with("its certificate was made anew, which has to be trusted anew");
    assert!(log.contains("`gatelodge tls trust`"));
    assert_eq!(served(&home, &server).response.status, 200);
    let second = ca(&home);
    assert!(!second["not_before"].as_str().unwrap().starts_with("1970-"), "{second}");
    stop(server);
    let server = home.serve_by_clock(&LOCAL[..2]);
    assert_eq!(served(&home, &server).response.status, 200);
    assert_eq!(ca(&home), second);
}

#[test]
fn a_ca_of_a_month_ahead_is_told_and_the_servers_certificate_is_issued_anew() {
    let home = Home::new();
    home.set_clock(seconds(MONTH));
    let server = home.serve_by_clock(&LOCAL);
    let first = ca(&home);

    home.set_clock(0);

    let log = home.log_with("the local CA is not valid by this clock");
    assert!(log.contains("if the clock has run steadily for an hour"));
    let got = served(&home, &server).response;
    assert_eq!(got.status, 200);
    assert!(got.json()["detail"].as_str().unwrap().starts_with("the clock jumped from "));
    assert_eq!(ca(&home), first, "it may be the clock that is wrong");
}

#[test]
fn a_ca_of_some_hours_ahead_is_made_anew_when_the_clock_is_corrected() {
    let home = Home::new();
    home.set_clock(seconds(HOUR * 12));
    let server = home.serve_by_clock(&LOCAL);
    let first = ca(&home);

    home.set_clock(0);

    home.log_with("its certificate was made anew, which has to be trusted anew");
    assert_eq!(served(&home, &server).response.status, 200);
    assert_ne!(ca(&home), first);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the built program has a clock of its own")]
fn a_ca_that_ends_soon_is_renewed_by_its_key() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    fs::set_permissions(home.data(), Permissions::from_mode(0o700)).unwrap();
    let before = Authority::at(&home.data(), &[], Clock::System.now()).unwrap();
    let key = fs::read(Authority::key_path(&home.data())).unwrap();

    home.set_clock(seconds(YEAR * 9));
    let _server = home.serve_by_clock(&LOCAL);

    let log = home.log_with("the certificate of the local CA was renewed");
    let until = before.certificate().not_after.rfc3339();
    assert!(log.contains(&format!("does so until {until}, and needs the new one then")), "{log}");
    let renewed = ca(&home);
    assert_ne!(renewed["certificate"], before.pem());
    assert!(renewed["not_after"].as_str() > Some(&until), "{renewed}");
    assert_eq!(fs::read(Authority::key_path(&home.data())).unwrap(), key);
    // The event is written with the next batch.
    let started = Instant::now();
    let events = || home.json("events --kind certificate.authority_renewed")["events"].clone();
    while events().as_array().unwrap().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(20), "no event");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_ca_that_cannot_be_renewed_serves_on() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    fs::set_permissions(home.data(), Permissions::from_mode(0o700)).unwrap();
    let before = Authority::at(&home.data(), &[], Clock::System.now()).unwrap();
    // Its draft cannot be written.
    fs::create_dir(home.data().join("gatelodge-ca.pem.new")).unwrap();

    home.set_clock(seconds(YEAR * 9));
    let server = home.serve_by_clock(&LOCAL);

    assert_eq!(ca(&home)["certificate"], before.pem());
    let log = home.log_with("the certificate of the local CA cannot be renewed");
    for _ in 0..3 {
        ca(&home);
    }
    stop(server);
    let lines = fs::read_to_string(home.path("log")).unwrap();
    assert_eq!(lines.matches("cannot be renewed").count(), 1, "{log}");
}
