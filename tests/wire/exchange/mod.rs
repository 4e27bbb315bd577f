//! `export` and `import`: from one home into another, and the files of other servers.

mod foreign;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::connection::client_credentials;
use crate::person::Person;
use crate::program::Home;

/// Runs a command, whatever becomes of it.
fn run(home: &Home, arguments: &[&str]) -> (i32, String, String) {
    said(home.command(arguments).output().unwrap())
}

fn said(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The lines between the first and the last.
fn inner(file: &Path) -> Vec<String> {
    let lines: Vec<_> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    lines[1..lines.len() - 1].to_vec()
}

#[test]
fn a_running_server_and_a_resting_store_export_alike_and_another_home_takes_it() {
    let home = Home::new();
    let server = home.serve_with_setup();
    Person::enrolled(&server);
    let secret = home.json("client add robot --id robot")["client_secret"].clone();
    let (running, resting) = (home.path("running.jsonl"), home.path("resting.jsonl"));

    let view = home.json(&format!("export {}", name(&running)));
    server.terminate();
    assert!(server.end().success());
    home.json(&format!("export {}", name(&resting)));

    let lines = fs::read_to_string(&running).unwrap();
    assert_eq!(view["lines"], lines.lines().count());
    assert_eq!(view["bytes"], lines.len());
    assert_eq!(inner(&running), inner(&resting));
    assert_eq!(fs::metadata(&running).unwrap().permissions().mode() & 0o777, 0o600);
    // Another home with the same root secret.
    let other = Home::new();
    drop(other.serve());
    let key = "gatelodge.key";
    fs::remove_dir_all(other.data()).unwrap();
    fs::create_dir(other.data()).unwrap();
    fs::set_permissions(other.data(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::copy(home.data().join(key), other.data().join(key)).unwrap();
    let server = other.serve();
    let (code, out, err) = run(&other, &["import", name(&running), "--dry-run"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("new: 1 client, 1 passkey, 1 person\nunchanged: 0\n"), "{out}");
    assert!(err.contains("Nothing was written"), "{err}");
    assert!(!home.json("user list")["users"].as_array().unwrap().is_empty());
    assert!(other.json("user list")["users"].as_array().unwrap().is_empty());
    other.json(&format!("import {}", name(&running)));
    assert_eq!(client_credentials(&server, "robot", secret.as_str().unwrap()).status, 200);
    let again = other.json(&format!("import {}", name(&running)));
    assert_eq!((&again["added"], &again["unchanged"]), (&serde_json::json!({}), &3.into()));
}

#[test]
fn an_export_goes_through_a_pipe_and_a_cut_one_is_refused() {
    let (home, other) = (Home::new(), Home::new());
    for own in [&home, &other] {
        let server = own.serve();
        server.terminate();
        assert!(server.end().success());
    }
    home.json("user add ada");

    let mut export = home.command(&["export"]).stdout(Stdio::piped()).spawn().unwrap();
    let piped = export.stdout.take().unwrap();
    let import =
        other.command(&["import", "-", "--links", "--json"]).stdin(piped).output().unwrap();
    assert!(export.wait().unwrap().success());
    let (code, out, err) = said(import);
    assert_eq!(code, 0, "{err}");
    let view: Value = serde_json::from_str(&out).unwrap();
    let link = view["links"][0]["setup_url"].as_str().unwrap();
    let server = other.serve();
    Person::by_link(&server, link, None);

    let (_, whole, _) = run(&home, &["export"]);
    let cut = home.path("cut.jsonl");
    fs::write(&cut, &whole[..whole.len() - 40]).unwrap();
    let (code, out, err) = run(&other, &["import", name(&cut)]);
    assert_eq!((code, out.as_str()), (4, ""), "{err}");
    assert!(err.contains("the file cannot be imported, and nothing of it was"), "{err}");
    assert!(err.contains("line 4: this is no JSON"), "{err}");
    let (code, _, err) = run(&other, &["import", "a", "b"]);
    assert_eq!(code, 2);
    assert!(err.contains("one export is imported at a time"), "{err}");
}
