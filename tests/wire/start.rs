//! A start that succeeds: what it says, and what lies on disk then.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use crate::connection::{get, log};
use crate::namespace;
use crate::program::{Home, Server};

#[test]
fn a_start_says_one_line_of_json() {
    let home = Home::new();

    let server = home.serve();

    let listen = server.ready["listen"][0].as_str().unwrap();
    let port = listen.strip_prefix("127.0.0.1:").unwrap();
    let expected = json!({
        "ready": true,
        "issuer": format!("http://localhost:{port}"),
        "listen": [listen],
        "pid": server.process.0.id(),
    });
    assert_eq!(server.ready, expected);
}

/// RFC 9700 §2.1.1 recommends PKCE for every client, so an exception is not forgotten.
#[test]
fn a_start_names_the_clients_that_may_go_without_pkce() {
    let home = Home::new();
    let server = home.serve();
    let line = |line: &str| line.contains("neither PKCE challenge nor nonce");
    for name in ["shop", "wiki"] {
        let redirect = format!("--redirect https://{name}.example/cb");
        home.json(&format!("client add {name} --id {name} --pkce optional {redirect}"));
    }
    home.json("client set shop --pkce default");
    let before = log(&home, &server);
    drop(server);

    let server = home.serve();

    let after = log(&home, &server);
    let named = after.lines().find(|text| line(text)).unwrap_or_else(|| panic!("{after}"));
    assert!(!before.lines().any(line), "{before}");
    assert!(named.contains("wiki") && !named.contains("shop"), "{named}");
    let view = home.json("client show wiki");
    assert_eq!(view["pkce"], "optional");
}

/// A journal is no place for a secret.
#[test]
fn the_setup_link_is_told_only_where_it_is_asked_for() {
    let home = Home::new();

    let server = home.serve_with_setup();

    let link = server.ready["setup_url"].as_str().unwrap();
    let token = link.strip_prefix(&format!("{}/setup#gl_st_", server.issuer())).unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(server.ready.as_object().unwrap().len(), 5);
    let log = log(&home, &server);
    assert!(!log.contains("gl_st_"), "{log}");
}

#[test]
fn the_directory_is_its_owners_and_so_is_everything_in_it() {
    let home = Home::new();
    let _server = home.serve();

    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    let entries = fs::read_dir(home.data()).unwrap().map(|entry| entry.unwrap());
    let mut found: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry.path())))
        .collect();
    found.sort();

    assert_eq!(mode(&home.data()), 0o700);
    let own = |name: &str| (name.to_owned(), 0o600);
    assert_eq!(found, ["gatelodge.key", "gatelodge.redb", "gatelodge.sock"].map(own));
}

#[test]
fn a_server_that_says_it_is_ready_is() {
    let home = Home::new();
    let server = home.serve();

    let metadata = get(&server, "/.well-known/openid-configuration").json();

    assert_eq!(metadata["issuer"], server.issuer());
    assert_eq!(get(&server, "/readyz").status, 200);
}

/// The first listener's port became the issuer's; the store remembers.
#[test]
fn the_issuer_of_the_first_start_is_kept() {
    let home = Home::new();
    let first = home.serve();
    let issuer = first.issuer().to_owned();
    drop(first);

    let second = home.serve();

    assert_eq!(second.issuer(), issuer);
    let port = issuer.strip_prefix("http://localhost:").unwrap();
    assert_eq!(second.ready["listen"][0], format!("127.0.0.1:{port}"));
}

/// A socket's name is shorter than a path may be.
#[cfg(target_os = "linux")]
#[test]
fn a_data_directory_may_have_a_long_path_and_every_command_finds_the_server_there() {
    let home = Home::new();
    let data = home.path(&"long-".repeat(30));
    let with_data = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("GATELODGE_DATA", &data);
        command
    };

    let serve = with_data(&["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::start(serve, &home.path("log"));
    let added = with_data(&["client", "add", "shop", "--id", "shop"]).output().unwrap();
    let listed = with_data(&["client", "list"]).output().unwrap();

    assert!(data.join("gatelodge.sock").exists());
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert!(String::from_utf8_lossy(&listed.stdout).contains("shop"));
    server.terminate();
    assert!(server.end().success());
    assert!(!data.join("gatelodge.sock").exists());
}

#[test]
fn a_machine_without_ipv4_or_ipv6_loopback_is_served_at_the_other() {
    let no_ipv4 = "ip address delete 127.0.0.1/8 dev lo";
    let no_ipv6 = "ip address delete ::1/128 dev lo";

    for (removal, listen) in [(no_ipv4, "[::1]:7455"), (no_ipv6, "127.0.0.1:7455")] {
        let home = Home::new();
        let set_up = format!("ip link set lo up && {removal}");
        let Some(serve) = namespace::command(&home, "--net", &set_up, &["serve"]) else { return };

        let server = Server::start(serve, &home.path("log"));

        assert_eq!(server.ready["listen"], json!([listen]));
        home.log_with("this machine has no");
    }
}

#[test]
fn an_environment_is_read_as_flags_are() {
    let home = Home::new();
    let mut command = home.command(&["serve"]);
    command.env("GATELODGE_LISTEN", "127.0.0.1:0");

    let server = Server::start(command, &home.path("log"));

    assert!(server.issuer().starts_with("http://localhost:"));
}
