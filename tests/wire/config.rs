//! The configuration of a server that runs: what is in force, how it is read again, and what a fault in
//! it stops.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::connection::get;
use crate::program::{Home, Server};

/// What a PNG image begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

const ORDERS: &str = "[scopes.orders]\ndescription = \"See your orders\"\nopen = true\n";

/// The file that a start reads unless another one is named.
fn file(home: &Home) -> PathBuf {
    home.path(".config/gatelodge/gatelodge.toml")
}

/// Writes the file as careful editors do: beside it, and then over it.
fn write(home: &Home, text: &str) {
    let file = file(home);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file.with_extension("new"), text).unwrap();
    fs::rename(file.with_extension("new"), file).unwrap();
}

fn call(home: &Home, line: &str) -> Output {
    home.command(&line.split(' ').collect::<Vec<_>>()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn scopes(server: &Server) -> String {
    let metadata = get(server, "/.well-known/oauth-authorization-server").json();
    metadata["scopes_supported"].to_string()
}

fn value(home: &Home, key: &str) -> (Value, Value) {
    let view = home.json(&format!("config show {key}"));
    let own = &view["settings"][0];
    (own["value"].clone(), own["source"].clone())
}

#[test]
fn a_command_puts_into_force_what_the_file_says_now_and_names_what_waits() {
    let home = Home::new();
    write(&home, "");
    let server = home.serve();
    let before = scopes(&server);
    let source = file(&home).display().to_string();
    write(&home, &format!("log = \"error\"\npolicy.pkce = \"nonce\"\n{ORDERS}"));

    let reloaded = home.json("config reload");

    // The server may have noticed the file by itself.
    assert_eq!(reloaded["waiting"], json!([]), "the variable goes before the file");
    assert!(!before.contains("orders"), "{before}");
    assert!(scopes(&server).contains("orders"));
    assert_eq!(value(&home, "policy.pkce"), (json!("nonce"), json!(source)));
    assert_eq!(value(&home, "issuer"), (json!(server.issuer()), json!("store")));
    write(&home, "offline = true\n");
    assert_eq!(home.json("config reload")["waiting"], json!(["offline"]));
    assert!(!scopes(&server).contains("orders"));
    assert_eq!(value(&home, "offline"), (json!(false), json!("default")));
    let text = String::from_utf8(call(&home, "config show offline").stdout).unwrap();
    assert_eq!(text, "offline = false  (default; a new value waits for a restart)\n");
    let log = home.log_with("waits for a restart");
    assert!(log.contains("the configuration was read again"), "{log}");
    drop(server);
    assert_eq!(value(&home, "offline"), (json!(true), json!(source)));
}

#[test]
fn a_server_reads_a_file_that_changes_or_comes_by_itself() {
    let home = Home::new();
    let server = home.serve();

    write(&home, ORDERS);

    home.log_with("scopes.orders.description, scopes.orders.open");
    assert!(scopes(&server).contains("orders"));
}

#[test]
fn a_signal_asks_for_a_reload_and_ends_nothing() {
    let home = Home::new();
    // The time of the file is that of the one before, so that nothing else notices it.
    write(&home, "policy.pkce = \"required\"\n");
    let server = home.serve();
    let before = fs::metadata(file(&home)).unwrap().modified().unwrap();
    fs::write(file(&home), "policy.pkce = \"nonce\"   \n").unwrap();
    fs::File::options().write(true).open(file(&home)).unwrap().set_modified(before).unwrap();

    let pid = server.process.0.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());

    home.log_with("\"changed\":\"policy.pkce\"");
    assert_eq!(value(&home, "policy.pkce").0, "nonce");
}

#[test]
fn a_faulty_file_changes_nothing_and_is_told_wherever_somebody_looks() {
    let home = Home::new();
    write(&home, ORDERS);
    let server = home.serve();
    write(&home, &format!("isuer = \"x\"\n{}", ORDERS.replace("true", "\"yes\"")));

    let refused = call(&home, "config reload");

    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(4), "{text}");
    for part in
        ["isuer: there is no such key; the nearest is issuer", "true or false", "stays in force"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(scopes(&server).contains("orders"));
    let ready = get(&server, "/readyz");
    let detail = ready.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(ready.status, 200);
    assert!(detail.contains("the one before is in force") && detail.contains("isuer"), "{detail}");
    let view = home.json("config show");
    assert_eq!(view["faults"][0]["key"], "isuer");
    assert!(said(&call(&home, "config show")).contains("not taken: "));
    home.log_with("the configuration has faults");
    // Commands go on with the server that runs, and say it.
    let listed = call(&home, "user list");
    assert!(listed.status.success());
    assert!(said(&listed).contains("isuer: there is no such key"));
    write(&home, "");
    home.json("config reload");
    assert_eq!(get(&server, "/readyz").json(), json!({ "status": "ok" }));
}

#[test]
fn a_fault_in_the_file_stops_a_start_and_no_command_that_can_do_without() {
    let home = Home::new();
    let server = home.serve();
    server.kill();
    write(&home, "isuer = \"x\"\n");

    for (line, code) in [
        ("serve", 2),
        ("config check", 2),
        // It would work on the store with a configuration that nobody has read whole.
        ("user list", 2),
        ("paths", 0),
        ("config schema", 0),
        // Nobody is signed in.
        ("whoami", 3),
        ("credential", 3),
        ("logout", 0),
    ] {
        let output = call(&home, line);
        assert_eq!(output.status.code(), Some(code), "{line}: {}", said(&output));
        let text = [said(&output), String::from_utf8(output.stdout).unwrap()].concat();
        assert_eq!(
            text.contains("isuer: there is no such key"),
            line != "config schema",
            "{line}: {text}"
        );
    }
    // Which store is meant is not known.
    fs::write(file(&home), "data = [").unwrap();
    let mut command = home.command(&["user", "list"]);
    let output = command.env_remove("GATELODGE_DATA").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

/// Each fault has its sentence, and a server with one does not start.
#[test]
fn a_look_that_is_wrong_is_a_fault_that_says_what_is_allowed() {
    let home = Home::new();
    let look = "[look]\naccent = \"green\"\nname = \"\"\nlogo = \"house.txt\"\n";
    write(&home, look);
    fs::write(file(&home).with_file_name("house.txt"), "a house").unwrap();

    let checked = call(&home, "config check");
    let started = call(&home, "serve");
    write(&home, "[look]\naccent = \"#8a1c4a\"\nname = \"House of Ada\"\nlogo = \"house.png\"\n");
    fs::write(file(&home).with_file_name("house.png"), PNG).unwrap();

    for output in [&checked, &started] {
        assert_eq!(output.status.code(), Some(2), "{}", said(output));
    }
    let faults = [said(&checked), String::from_utf8(checked.stdout).unwrap()].concat();
    for fault in [
        "look.accent: found \"green\"; a colour is allowed, such as #1d5c45",
        "look.name: found \"\"; a text on one line is allowed",
        "house.txt: it is none of PNG, WebP, JPEG and SVG",
    ] {
        assert!(faults.contains(fault), "{fault}: {faults}");
    }
    let server = home.serve();
    let page = get(&server, "/gate/login");
    assert!(page.body.contains("House of Ada") && page.body.contains("/logo\""), "{}", page.body);
}

#[test]
fn a_client_gets_a_logo_from_a_file_and_loses_it() {
    let home = Home::new();
    let _server = home.serve();
    home.json("client add shop --id shop");
    let (png, text) = (home.path("shop.png"), home.path("shop.txt"));
    fs::write(&png, PNG).unwrap();
    fs::write(&text, "a shop").unwrap();

    let set = call(&home, &format!("client set shop --logo {}", png.display()));
    let displayed = call(&home, "client show shop");
    let refused = call(&home, &format!("client set shop --logo {}", text.display()));
    let missing = call(&home, "client set shop --logo nothing.png");
    let removed = home.json("client set shop --no-logo");

    assert!(set.status.success(), "{}", said(&set));
    let displayed = String::from_utf8(displayed.stdout).unwrap();
    assert!(displayed.contains(&format!("PNG, {} bytes", PNG.len())), "{displayed}");
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(said(&refused).contains("a PNG, WebP or JPEG image of at most 16 KiB"));
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
    assert!(said(&missing).contains("cannot read nothing.png"), "{}", said(&missing));
    assert_eq!(removed.get("logo"), None);
}

/// Kubernetes makes a dozen for a service of that name.
#[test]
fn variables_that_nobody_knows_are_warned_of() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("GATELODGE_SERVICE_HOST", "10.0.0.1").env("GATELODGE_PORT_7455_TCP", "tcp://");

    let _server = Server::start(command, &home.path("log"));

    let log = home.log_with("GATELODGE_PORT_7455_TCP");
    assert!(log.contains("GATELODGE_SERVICE_HOST: service_host: there is no such key"), "{log}");
}

/// Every key of `table` has its place in the schema.
fn assert_described(schema: &Value, table: &toml::Table, at: &str) {
    for (name, value) in table {
        let own = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
        let key = format!("{at}{name}");
        assert!(own.is_object(), "{key} is not in the schema");
        match value {
            toml::Value::Table(below) => assert_described(own, below, &format!("{key}.")),
            other => {
                let described = own["type"] != "object";
                assert!(described, "{key} = {other} is a table in the schema");
            }
        }
    }
}

#[test]
fn the_schema_describes_what_the_manual_shows() {
    let home = Home::new();
    let schema: Value = serde_json::from_slice(&call(&home, "config schema").stdout).unwrap();

    let mut keys = 0;
    for (language, block) in crate::manual::pieces() {
        if language.as_deref() == Some("toml") && !crate::manual::is_applied(&block) {
            let table: toml::Table = block.parse().unwrap();
            keys += table.len();
            assert_described(&schema, &table, "");
        }
    }

    assert!(keys > 10, "{keys}");
    let open = &schema["properties"]["scopes"]["additionalProperties"]["properties"]["open"];
    assert_eq!(open["type"], "boolean");
}

#[test]
fn a_pipe_in_place_of_the_file_holds_up_nothing() {
    let home = Home::new();
    write(&home, ORDERS);
    let server = home.serve();

    fs::remove_file(file(&home)).unwrap();
    assert!(Command::new("mkfifo").arg(file(&home)).status().unwrap().success());

    let log = home.log_with("a file is expected here, and this is none");
    assert!(log.contains("the one before stays in force"), "{log}");
    assert!(scopes(&server).contains("orders"));
    assert!(get(&server, "/readyz").json()["detail"].is_string());
    server.terminate();
    assert!(server.end().success());
}

#[test]
fn a_file_without_an_end_is_no_configuration() {
    let home = Home::new();

    let check = call(&home, "config check --config /dev/zero");

    let text = String::from_utf8(check.stdout).unwrap();
    assert_eq!(check.status.code(), Some(2), "{text}");
    assert!(text.contains("it has more than 1 MiB"), "{text}");
}

/// One fault, with its place.
#[test]
fn a_token_file_that_is_gone_is_one_fault() {
    let home = Home::new();
    write(&home, "[registration]\npolicy = \"token\"\ntoken_file = \"gone\"\n");

    let check = call(&home, "config check");

    let text = String::from_utf8(check.stdout).unwrap();
    assert_eq!((check.status.code(), text.lines().count()), (Some(2), 1), "{text}");
    assert!(text.contains("registration.token") && text.contains("gone"), "{text}");
}
