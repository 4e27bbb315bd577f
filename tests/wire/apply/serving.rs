//! `serve --apply`: the file is applied at each start, before anybody is served.

use std::fs;

use super::{HOUSE, apply, changes, house, rewrite};
use crate::connection::get;
use crate::program::{Home, Server};

fn start(home: &Home, options: &[&str]) -> Server {
    let file = home.path("house/house.toml").display().to_string();
    home.start(&[&["serve", "--apply", &file][..], options].concat())
}

/// The standard error of a start that fails, and its exit code.
fn failed(home: &Home, options: &[&str]) -> (i32, String) {
    let file = home.path("house/house.toml").display().to_string();
    let output =
        home.command(&[&["serve", "--apply", &file][..], options].concat()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_first_start_and_each_later_one_apply_the_file() {
    let home = house(HOUSE);

    let first = start(&home, &["--listen", "127.0.0.1:0"]);
    let known = get(&first, "/.well-known/openid-configuration").body.contains("orders:read");
    let log = home.log_with("applied");
    first.kill();
    rewrite(&home, &HOUSE.replace("Ada Łovelace", "Ada"));
    let _second = start(&home, &[]);

    assert!(known);
    assert_eq!(home.json("user show ada")["display_name"], "Ada");
    for part in ["+ client shop", "gatelodge user recover NAME prints their setup link"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    for secret in ["a-secret-of-their-own", "gl_st_", "ada@example.com"] {
        assert!(!home.log_with("~ user ada").contains(secret), "{secret}");
    }
    assert_eq!(changes(apply(&home, "")), ["nothing to change"]);
}

#[test]
fn it_stands_beside_a_configuration() {
    let home = house("[roles.clerk]\nscopes = [\"orders:read\"]\n");
    let config = home.path("gatelodge.toml");
    fs::write(&config, "[scopes.\"orders:read\"]\n").unwrap();
    let config = config.display().to_string();

    let _server = start(&home, &["--config", &config, "--listen", "127.0.0.1:0"]);

    let view = home.json("config show roles.clerk scopes");
    let settings = view["settings"].as_array().unwrap();
    let source =
        |key: &str| settings.iter().find(|own| own["key"] == key).unwrap()["source"].clone();
    assert_eq!(source("roles.clerk.scopes"), "gatelodge apply");
    assert_eq!(source("scopes.\"orders:read\".open"), "default");
}

#[test]
fn a_fault_stops_the_start_with_its_line() {
    let home = house("[users.ada]\nrole = []\n");

    let form = failed(&home, &["--listen", "127.0.0.1:0"]);
    let untouched = !home.data().exists();
    rewrite(&home, "[users.ada]\nroles = [\"clerk\"]\n");
    let refused = failed(&home, &["--listen", "127.0.0.1:0"]);

    assert!(untouched, "what is no such file stops before anything is made");
    assert_eq!(form.0, 2);
    assert!(form.1.contains("house.toml:2:1: users.ada.role: there is no such key"), "{}", form.1);
    assert_eq!(refused.0, 4);
    let line = "house.toml:2:10: users.ada.roles[0]: the configuration knows no such role";
    assert!(refused.1.contains(line), "{}", refused.1);
    rewrite(&home, "[users.ada]\n");
    let _server = start(&home, &[]);
    assert_eq!(home.json("user show ada")["username"], "ada");
}

#[test]
fn a_start_whose_configuration_contradicts_what_was_applied_says_so() {
    let home = house("[scopes.\"orders:read\"]\nopen = true\n");
    start(&home, &["--listen", "127.0.0.1:0"]).kill();
    let config = home.path("gatelodge.toml");
    fs::write(&config, "[scopes.\"orders:read\"]\nopen = false\n").unwrap();
    let config = config.display().to_string();

    let output = home.command(&["serve", "--config", &config]).output().unwrap();
    rewrite(&home, "");
    let pruned = changes(apply(&home, &format!("--prune --config {config}")));
    let _server = home.start(&["serve", "--config", &config]);

    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("scopes.\"orders:read\": gatelodge apply defined it in another way"),
        "{said}"
    );
    assert_eq!(pruned, ["- scope orders:read"]);
}
