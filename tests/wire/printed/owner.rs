//! A data directory of somebody else: every command says whose it is.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::program::Home;

/// `nobody`, as a rule.
const OTHER: u32 = 65_534;

/// The program as another user than the one that has `home`, and the owner of the data directory
/// that it is to use. Only root can be somebody else; anybody else looks into a directory of root.
fn foreign(home: &Home) -> (Command, String) {
    let is_root = fs::metadata(home.path("")).unwrap().uid() == 0;
    if !is_root {
        let mut command = home.command::<&str>(&[]);
        command.env("GATELODGE_DATA", "/root");
        return (command, "root".to_owned());
    }
    fs::set_permissions(home.path(""), Permissions::from_mode(0o755)).unwrap();
    // The program may lie where nobody else can go, and is run as the file that is open.
    let program = File::open(env!("CARGO_BIN_EXE_gatelodge")).unwrap();
    let mut command = Command::new("/proc/self/fd/0");
    command.stdin(program);
    command.env_clear().env("HOME", "/nonexistent").env("GATELODGE_DATA", home.data());
    command.uid(OTHER).gid(OTHER).current_dir("/");
    (command, "root".to_owned())
}

/// Runs a command as somebody else, and returns its exit code and all it says.
fn call(home: &Home, arguments: &[&str]) -> (i32, String, String) {
    let (mut command, owner) = foreign(home);
    let output = command.args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap(), owner)
}

#[test]
fn a_socket_of_somebody_else_says_whose_it_is_and_what_to_do() {
    let home = Home::new();
    let _server = home.serve();

    for (arguments, code) in [
        (&["user", "list"][..], 5),
        (&["key", "rotate"], 5),
        (&["config", "show"], 5),
        (&["serve"], 1),
    ] {
        let (found, said, owner) = call(&home, arguments);

        assert_eq!(found, code, "{arguments:?}: {said}");
        assert!(said.contains(&format!("belongs to {owner}")), "{said}");
        assert!(said.contains(&format!("sudo -u {owner} gatelodge")), "{said}");
        assert!(said.contains("--data DIR"), "{said}");
    }
}

#[test]
fn doctor_says_whose_the_directory_is() {
    let home = Home::new();
    let _server = home.serve();

    let (code, said, owner) = call(&home, &["doctor"]);

    assert_eq!(code, 1, "{said}");
    let line = said.lines().find(|line| line.contains("data-directory")).unwrap();
    assert!(line.starts_with("problem") && line.contains(&format!("belongs to {owner}")), "{said}");
    let line = said.lines().find(|line| line.contains("  server  ")).unwrap();
    assert!(line.starts_with("problem") && line.contains("denied"), "{said}");
}
