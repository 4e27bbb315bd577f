//! Starts that are refused: the sentence, the exit code, and that nothing is half made.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::namespace;
use crate::program::Home;

/// Asserts that `serve` with `arguments` ends with `code` and says every one of `parts`.
#[track_caller]
fn refuses(home: &Home, arguments: &[&str], code: i32, parts: &[&str]) {
    says(&mut home.command(&[&["serve"], arguments].concat()), code, parts);
}

/// Asserts that `serve` ends with `code` and says every one of `parts`.
#[track_caller]
fn says(serve: &mut Command, code: i32, parts: &[&str]) {
    let output = serve.output().unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "nothing is ready");
    assert!(said.starts_with("gatelodge: "), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

/// A home whose store was made by a server that has ended.
fn used() -> Home {
    let home = Home::new();
    let server = home.serve();
    server.terminate();
    assert!(server.end().success());
    home
}

/// Every byte of every file in `directory`.
fn bytes(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut found: Vec<_> = files
        .map(|file| (file.path().display().to_string(), fs::read(file.path()).unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn a_second_server_says_at_once_where_the_first_one_is() {
    let home = Home::new();
    let server = home.serve();

    let (data, pid) = (home.data().display().to_string(), server.process.0.id().to_string());
    let parts = [&*data, server.issuer(), &pid, "a server runs already", "--data DIR"];
    refuses(&home, &["--listen", "127.0.0.1:0"], 5, &parts);

    assert_eq!(crate::connection::get(&server, "/healthz").status, 200);
}

#[test]
fn a_taken_port_ends_a_first_start_before_anything_is_made() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();

    refuses(&home, &["--listen", &address], 1, &[&address, "taken by another program", "--listen"]);

    assert!(!home.data().exists());
}

#[test]
fn a_taken_port_ends_a_later_start_too() {
    let home = Home::new();
    let server = home.serve();
    let port = server.issuer().rsplit_once(':').unwrap().1.to_owned();
    server.kill();
    let _taken = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();

    refuses(&home, &[], 1, &[&port, "taken by another program"]);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let home = Home::new();
    fs::write(home.path("file"), "").unwrap();
    let below_a_file = home.path("file").join("data").display().to_string();

    for directory in [below_a_file.as_str(), "/proc/gatelodge"] {
        let arguments = ["--listen", "127.0.0.1:0", "--data", directory];
        refuses(&home, &arguments, 1, &["cannot use", directory]);
    }
}

/// As on macOS, which has no `/proc`.
#[test]
fn a_path_that_is_too_long_for_a_socket_is_refused_before_anything_is_made() {
    let home = Home::new();
    let data = home.path(&"long-".repeat(30));
    let arguments = ["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let no_proc = "mount -t tmpfs none /proc";
    let Some(mut serve) = namespace::command(&home, "--mount", no_proc, &arguments) else { return };

    says(&mut serve, 2, &["gatelodge.sock has", "this system allows 107", "--data"]);

    assert!(!data.exists());
}

#[test]
fn a_name_that_is_too_long_for_the_system_is_refused_with_a_remedy() {
    let home = Home::new();
    let data = home.path(&"d".repeat(300)).display().to_string();

    refuses(&home, &["--data", &data], 1, &["File name too long", "shorter names (--data)"]);
    says(
        &mut home.command(&["--data", &data, "user", "list"]),
        5,
        &["File name too long", "shorter names (--data)"],
    );
}

#[test]
fn a_wrong_key_is_refused_and_the_store_keeps_its_own() {
    let (home, other) = (used(), used());
    let clients = home.json("client list");
    let key = home.data().join("gatelodge.key");
    let own = fs::read(&key).unwrap();
    let strange = fs::read(other.data().join("gatelodge.key")).unwrap();
    fs::write(&key, &strange).unwrap();

    refuses(&home, &[], 5, &["root secret is not the one", "gatelodge.redb"]);

    assert_eq!(fs::read(&key).unwrap(), strange);
    fs::write(&key, own).unwrap();
    assert_eq!(home.json("client list"), clients);
    home.serve();
}

#[test]
fn a_missing_key_is_refused_and_none_is_made() {
    let home = used();
    fs::remove_file(home.data().join("gatelodge.key")).unwrap();
    let before = bytes(&home.data());

    refuses(&home, &[], 5, &["gatelodge.key is missing", "GATELODGE_ROOT_SECRET_FILE"]);

    assert!(bytes(&home.data()) == before, "something was written");
}

#[test]
fn a_key_file_that_holds_no_key_is_refused() {
    let home = used();
    for nonsense in ["", "short", "\u{0}\u{1}\u{2}"] {
        fs::write(home.data().join("gatelodge.key"), nonsense).unwrap();
        let before = bytes(&home.data());

        refuses(&home, &[], 5, &["the key file", "gatelodge.key is not one"]);

        assert!(bytes(&home.data()) == before, "something was written");
    }
}

#[test]
fn a_key_file_that_holds_no_key_stops_a_first_start_too() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    let key = home.data().join("gatelodge.key");
    fs::write(&key, "short").unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();

    refuses(&home, &["--listen", "127.0.0.1:0"], 5, &["gatelodge.key is not one"]);

    assert!(!home.data().join("gatelodge.redb").exists());
}

#[test]
fn a_key_file_that_others_may_read_is_refused_with_what_to_do() {
    let home = used();
    let key = home.data().join("gatelodge.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();

    refuses(&home, &[], 1, &["others may read this file (mode 0644)", "chmod 600"]);
}

#[test]
fn a_directory_of_others_is_neither_used_nor_closed() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    fs::write(home.data().join("thesis.tex"), "").unwrap();
    fs::set_permissions(home.data(), Permissions::from_mode(0o755)).unwrap();

    refuses(
        &home,
        &["--listen", "127.0.0.1:0"],
        1,
        &["files that are not Gatelodge's", "chmod 700"],
    );

    let mode = fs::metadata(home.data()).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, fs::read_dir(home.data()).unwrap().count()), (0o755, 1));
}

#[test]
fn an_unknown_key_names_the_nearest_and_all_faults_are_told_at_once() {
    let home = Home::new();
    let config = home.path("gatelodge.toml");
    fs::write(&config, "isuer = \"http://localhost:1\"\n[lifetimes]\nacess_token = \"5m\"\n")
        .unwrap();
    let config = config.display().to_string();

    let parts = [&config, "isuer", "nearest is issuer", "nearest is lifetimes.access_token"];
    refuses(&home, &["--config", &config], 2, &parts);

    assert!(!home.data().exists());
}

#[test]
fn a_configuration_file_that_is_named_and_not_there_is_a_fault() {
    let home = Home::new();

    refuses(&home, &["--config", "/nowhere.toml"], 2, &["/nowhere.toml", "cannot be read"]);
}

#[test]
fn the_frozen_issuer_is_not_changed_by_a_flag() {
    let home = used();
    let issuer = home.json("issuer show");

    let other = "http://localhost:7";
    refuses(&home, &["--issuer", other], 2, &["not http://localhost:7", "gatelodge issuer change"]);

    assert_eq!(home.json("issuer show"), issuer);
}

#[test]
fn plain_http_is_kept_on_loopback() {
    let home = Home::new();

    let https = ["--issuer", "https://id.example", "--listen", "127.0.0.1:0"];
    refuses(&home, &https, 2, &["https://id.example is https", "--behind-proxy"]);
    refuses(&home, &["--listen", "0.0.0.0:0"], 2, &["0.0.0.0:0 is open to other machines"]);
    let both = ["--issuer", "https://id.example", "--listen", "[::]:0"];
    refuses(&home, &both, 2, &["--issuer: issuer: ", "--listen: listen: [::]:0"]);

    assert!(!home.data().exists());
}

#[test]
fn an_issuer_that_nobody_would_reach_is_refused() {
    let home = Home::new();

    let arguments = ["--issuer", "http://localhost:7", "--listen", "127.0.0.1:0"];
    refuses(&home, &arguments, 2, &["names port 7", "no listener has it"]);

    assert!(!home.data().exists());
}

#[test]
fn an_application_on_the_issuers_host_is_refused_whether_or_not_the_issuer_is_named() {
    let elsewhere = Home::new();
    let config = elsewhere.path("gatelodge.toml");
    let apps = "[apps.\"id.localhost:8080\"]\n[apps.\"wiki.localhost:80\"]\n";
    fs::write(&config, "issuer = \"http://id.localhost:7455\"\n".to_owned() + apps).unwrap();
    let config = config.display().to_string();
    let parts = ["id.localhost:8080", "host of the issuer", "write wiki.localhost"];
    refuses(&elsewhere, &["--config", &config, "--listen", "127.0.0.1:0"], 2, &parts);
    assert!(!elsewhere.data().exists());

    let home = used();
    fs::write(&config, "[apps.\"wiki.localhost:80\"]\n").unwrap();
    refuses(&home, &["--config", &config], 2, &["wiki.localhost:80", "write wiki.localhost"]);
}
