//! How it starts, where, and how it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{Dev, NOTHING};
use crate::program::{Home, Server};

#[test]
fn the_first_line_says_everything_that_a_test_needs_and_nothing_lies_on_the_disk() {
    let dev = Dev::start(&[]);

    let ready = dev.server.ready.clone();
    let port = dev.server.issuer().strip_prefix("http://localhost:").unwrap().to_owned();
    assert_eq!(ready["control"], format!("http://127.0.0.1:{port}/gate/dev"));
    assert_eq!(ready["listen"][0], format!("127.0.0.1:{port}"));
    assert_eq!(ready["pid"], dev.server.process.0.id());
    for (member, value) in [
        ("ready", json!(true)),
        ("development", json!(true)),
        ("auto_approve", Value::Null),
        ("open_clients", json!(false)),
        ("seed", Value::Null),
    ] {
        assert_eq!(ready[member], value, "{member}");
    }
    assert!(ready["token"].as_str().unwrap().len() > 64);
    assert_eq!(dev.send("GET", "/readyz", &[], "").status, 200);
    let keys = dev.send("GET", "/.well-known/jwks.json", &[], "").json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 3, "no key is still to be made");
    assert_eq!(dev.ok("GET", "/clock", NOTHING)["runs"], true);
    let log = dev.home.log_with("NOT FOR PRODUCTION");
    assert!(log.starts_with("gatelodge dev: NOT FOR PRODUCTION"), "{log}");
    let lying: Vec<_> = fs::read_dir(dev.home.path("")).unwrap().map(|own| own.unwrap()).collect();
    assert_eq!(lying.len(), 1, "the log alone: {lying:?}");
}

#[test]
fn the_ready_file_is_the_first_line_for_its_owner_alone_and_goes_with_the_server() {
    let home = Home::new();
    let file = home.path("ready.json");
    fs::write(&file, "of an earlier run").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();

    let server = home.start(&["dev", "--ready-file", file.to_str().unwrap()]);

    let written: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(written, server.ready);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.terminate();
    assert!(server.end().success());
    assert!(!file.exists());
}

#[test]
fn a_server_ends_with_the_program_that_started_it() {
    let home = Home::new();
    let mut command = home.command(&["dev", "--with-parent"]);
    command.stdin(Stdio::piped());
    let mut server = Server::start(command, &home.path("log"));
    let input = server.process.0.stdin.take().unwrap();
    assert!(server.process.0.try_wait().unwrap().is_none());

    drop(input);

    assert!(server.end().success());
}

/// What a command says, and its exit code.
fn refused(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let output = home.command(arguments).output().unwrap();
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_listens_on_this_machine_alone_whatever_is_asked_for() {
    let home = Home::new();
    let flag = refused(&home, &["dev", "--listen", "0.0.0.0:7455"]);
    assert_eq!(flag.0, Some(2), "{}", flag.1);

    for (text, part) in [
        ("listen = [\"0.0.0.0:7455\"]\n[tls]\nmode = \"local\"", "reachable from other machines"),
        ("[tls]\nmode = \"local\"", "plain HTTP"),
        ("behind_proxy = [\"127.0.0.1\"]\nissuer = \"https://id.example\"", "behind no proxy"),
    ] {
        let file = home.path("gatelodge.toml");
        fs::write(&file, text).unwrap();
        let (code, said) = refused(&home, &["dev", "--config", file.to_str().unwrap()]);
        assert_eq!(code, Some(2), "{text}: {said}");
        assert!(said.contains(part), "{text}: {said}");
    }
    let (code, said) = refused(&home, &["dev", "--data", home.data().to_str().unwrap()]);
    assert_eq!((code, said.contains("everything in memory")), (Some(2), true), "{said}");
}

/// Nothing of it is a setting of a server that others use.
#[test]
fn a_server_for_production_can_do_nothing_of_it() {
    let home = Home::new();
    for flag in ["--auto-approve=ada", "--open-clients", "--seed=7", "--clock=2030-01-01T00:00:00Z"]
    {
        let (code, said) = refused(&home, &["serve", flag]);
        assert_eq!(code, Some(2), "{flag}: {said}");
        assert!(said.contains("unexpected argument"), "{flag}: {said}");
    }
    for key in ["auto_approve = \"ada\"", "[dev]\nauto_approve = \"ada\"", "seed = 7"] {
        let file = home.path("gatelodge.toml");
        fs::write(&file, key).unwrap();
        let (code, said) = refused(&home, &["serve", "--config", file.to_str().unwrap()]);
        assert_eq!(code, Some(2), "{key}: {said}");
    }

    let server = home.serve();

    let control = crate::connection::get(&server, "/gate/dev/clock");
    assert_eq!(control.status, 404, "{}", control.body);
}

#[test]
fn neither_the_usual_configuration_nor_the_environment_counts() {
    let home = Home::new();
    fs::create_dir_all(home.path(".config/gatelodge")).unwrap();
    fs::write(home.path(".config/gatelodge/gatelodge.toml"), "nonsense").unwrap();
    let mut command = home.command(&["dev"]);
    command.env("GATELODGE_ISSUER", "https://id.example").env("GATELODGE_LISTEN", "0.0.0.0:1");

    let server = Server::start(command, &home.path("log"));

    assert!(server.issuer().starts_with("http://localhost:"));
}

#[test]
fn a_configuration_that_is_named_counts_and_what_means_nothing_here_is_said() {
    let home = Home::new();
    let file = home.path("gatelodge.toml");
    let text = "issuer = \"http://localhost:7455\"\n[lifetimes]\naccess_token = \"7m\"\n";
    fs::write(&file, text).unwrap();

    let server = home.start(&["dev", "--config", file.to_str().unwrap()]);

    assert_ne!(server.issuer(), "http://localhost:7455");
    home.log_with("issuer of the configuration means nothing");
    let dev = Dev { home, server };
    let config = dev.ok("GET", "/api/v1/config", NOTHING);
    assert!(config.to_string().contains("7m"), "{config}");
}

#[test]
fn a_port_that_is_taken_and_a_file_that_is_faulty_are_refused_with_a_sentence() {
    let dev = Dev::start(&[]);
    let port = dev.server.issuer().rsplit_once(':').unwrap().1;
    let (code, said) = refused(&dev.home, &["dev", "--port", port]);
    assert_eq!((code, said.contains("is taken")), (Some(1), true), "{said}");
    assert!(said.contains("--port") && !said.contains("--listen"), "{said}");

    let file = dev.home.path("house.toml");
    fs::write(&file, "[clients.shop]\nredirect_uris = [\"http://shop.example/cb\"]\n").unwrap();
    let (code, said) = refused(&dev.home, &["dev", "--apply", file.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("clients.shop"), "{said}");
}
