//! A store that is replaced by an older copy of itself, as a rolled-back disk replaces it; and the
//! replay of a refresh token, which the log tells.

use std::fs;

use gatelodge::oauth::params::form_encode;
use serde_json::Value;
use url::Url;

use crate::connection::{ask, token_head};
use crate::person::Person;
use crate::program::{Home, Server};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The tokens that a public client gets for `fields`.
fn tokens(server: &Server, fields: &[(&str, &str)]) -> Value {
    let form = form_encode([("client_id", "reader")].iter().chain(fields).copied());
    let response = ask(server, &token_head(server), &form);
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

/// The tokens that a refresh of `tokens_before` yields.
pub(crate) fn refreshed(server: &Server, tokens_before: &Value) -> Value {
    let token = tokens_before["refresh_token"].as_str().unwrap();
    tokens(server, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// Stops a server as an operator does.
pub(crate) fn stop(server: Server) {
    server.terminate();
    assert_eq!(server.end().code(), Some(0));
}

/// The tokens that the client `reader` gets once `person` has allowed them.
pub(crate) fn authorized(server: &Server, person: &mut Person) -> Value {
    let query = form_encode([
        ("response_type", "code"),
        ("client_id", "reader"),
        ("redirect_uri", "http://127.0.0.1/cb"),
        ("scope", "openid offline_access"),
        ("state", "s-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let callback = person.decide(server, &format!("/oauth/authorize?{query}"), "allow");
    let callback = Url::parse(&callback).unwrap();
    let (_, code) = callback.query_pairs().find(|(name, _)| name == "code").unwrap();
    let redirect_uri = ("redirect_uri", "http://127.0.0.1/cb");
    let redemption = [("grant_type", "authorization_code"), ("code", &code), redirect_uri];
    tokens(server, &[&redemption[..], &[("code_verifier", VERIFIER)]].concat())
}

#[test]
fn a_store_that_is_put_back_loses_no_grant_and_the_log_says_so() {
    let home = Home::new();
    let server = home.serve_with_setup();
    home.json("client add Reader --id reader --public --redirect http://127.0.0.1/cb");
    let mut ada = Person::enrolled(&server);
    let first = authorized(&server, &mut ada);
    stop(server);
    let (store, copy) = (home.data().join("gatelodge.redb"), home.path("copy"));
    fs::copy(&store, &copy).unwrap();
    let server = home.serve();
    let second = refreshed(&server, &first);
    let third = refreshed(&server, &second);
    stop(server);

    fs::copy(&copy, &store).unwrap();
    let server = home.serve();
    let fourth = refreshed(&server, &third);
    let fifth = refreshed(&server, &fourth);

    assert_eq!(refreshed(&server, &fourth)["refresh_token"], fifth["refresh_token"]);
    let log = fs::read_to_string(home.path("log")).unwrap();
    let warnings: Vec<_> =
        log.lines().filter(|line| line.contains("newer than the store")).collect();
    let [warning] = &warnings[..] else { panic!("{log}") };
    let warning: Value = serde_json::from_str(warning).unwrap();
    assert_eq!(warning["level"], "WARN");
    assert_eq!((&warning["client.id"], &warning["generations"]), (&"reader".into(), &2.into()));
    assert_eq!(warning["event.id"].as_str().unwrap().len(), 16);
    assert!(!log.contains("gl_rt_"));
}

#[test]
fn a_replay_is_logged_with_its_grant_and_the_number_of_tokens_that_it_ended() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let client = "client add Reader --id reader --public --redirect http://127.0.0.1/cb";
    home.json(&format!("{client} --refresh strict"));
    let mut ada = Person::enrolled(&server);
    let first = authorized(&server, &mut ada);
    let second = refreshed(&server, &first);
    refreshed(&server, &second);
    let grant = home.json("grant list")["grants"][0]["id"].clone();

    for _ in 0..2 {
        let spent = first["refresh_token"].as_str().unwrap();
        let fields =
            [("client_id", "reader"), ("grant_type", "refresh_token"), ("refresh_token", spent)];
        let replay = ask(&server, &token_head(&server), &form_encode(fields));
        assert_eq!((replay.status, &replay.json()["error"]), (400, &"invalid_grant".into()));
    }

    stop(server);
    let log = fs::read_to_string(home.path("log")).unwrap();
    let lines = log.lines().filter(|line| line.contains("returned, and ended its grant"));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, ended) in lines.iter().zip([3, 0]) {
        assert_eq!((&line["level"], &line["client.id"]), (&"WARN".into(), &"reader".into()));
        assert_eq!((&line["grant.id"], &line["refresh_tokens.ended"]), (&grant, &ended.into()));
    }
    assert!(!log.contains("gl_rt_"));
}
