//! What lies on disk, and who can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{Desk, finish};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// `secret-tool`, as far as it is asked here, over one file.
const KEYRING: &str = "#!/bin/sh
case \"$1\" in
store) cat > \"$KEYRING\" ;;
lookup) [ -f \"$KEYRING\" ] && cat \"$KEYRING\" ;;
clear) rm -f \"$KEYRING\" ;;
esac
";

impl Desk {
    /// `command`, where there is a keyring.
    fn with_keyring(&self, mut command: Command) -> Command {
        let tools = self.home.path("tools");
        fs::create_dir_all(&tools).unwrap();
        let tool = tools.join("secret-tool");
        if !tool.exists() {
            fs::write(&tool, KEYRING).unwrap();
            fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
        }
        command.env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
        command.env("KEYRING", self.keyring());
        command
    }

    fn keyring(&self) -> std::path::PathBuf {
        self.home.path("keyring")
    }
}

#[test]
fn what_is_kept_is_its_owners_alone() {
    let desk = Desk::signed_in("");
    desk.token("--scope openid");

    assert_eq!(mode(&desk.token_directory()), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(desk.token_directory()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{path:?}");
        names.push(path.extension().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["json", "lock"]);
    assert_eq!(desk.home.json("paths")["tokens"], desk.token_directory().display().to_string());
}

#[test]
fn with_a_keyring_the_file_tells_nobody_anything() {
    let mut desk = Desk::new();
    let login = desk.with_keyring(desk.command("login --no-browser --json"));

    let session = desk.login_by(login, "allow").json();
    let sealed = fs::read_to_string(desk.file()).unwrap();
    let opened = finish(desk.with_keyring(desk.command("credential --scope openid")));
    let again = fs::read_to_string(desk.file()).unwrap();

    assert_eq!(session["store"], "keyring");
    assert_eq!(opened.code(), 0, "{}", opened.err);
    for file in [&sealed, &again] {
        assert!(file.contains("\"sealed\""), "{file}");
        // What is sealed is random base64, in which a short word turns up by chance.
        for clear in ["\"ada\"", "_token", "gl_rt_", "eyJ0eXAiOiJ", "eyJhbGciOiJ"] {
            assert!(!file.contains(clear), "{file}");
        }
    }
    assert_ne!(sealed, again);
    assert_eq!(fs::read_to_string(desk.keyring()).unwrap().len(), 64);
}

#[test]
fn a_keyring_that_lost_its_key_asks_for_a_new_sign_in_and_logout_takes_the_key_away() {
    let mut desk = Desk::new();
    let login = desk.with_keyring(desk.command("login --no-browser --store keyring --json"));
    desk.login_by(login, "allow").json();
    let key = fs::read(desk.keyring()).unwrap();
    fs::remove_file(desk.keyring()).unwrap();

    let lost = finish(desk.with_keyring(desk.command("credential")));
    fs::write(desk.keyring(), key).unwrap();
    let found = finish(desk.with_keyring(desk.command("credential")));
    let out = finish(desk.with_keyring(desk.command("logout --json")));

    assert_eq!(lost.code(), 1);
    assert!(lost.err.contains("gatelodge login --issuer"), "{}", lost.err);
    assert_eq!(found.code(), 0, "{}", found.err);
    assert_eq!(out.json()["revoked"], true);
    assert!(!desk.keyring().exists());
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_before_anybody_signs_in() {
    let mut desk = Desk::new();
    fs::write(desk.home.path("occupied"), "").unwrap();
    let mut login = desk.command("login --no-browser --store file");
    login.env("XDG_STATE_HOME", desk.home.path("occupied"));

    let said = desk.login_by(login, "allow");

    assert_eq!(said.code(), 1);
    assert!(said.err.contains("cannot use") && !said.err.contains("To sign in"), "{}", said.err);
}

#[test]
fn without_a_keyring_auto_takes_the_file_and_says_so() {
    let mut desk = Desk::new();
    let login = desk.command("login --no-browser --json");

    let said = desk.login_by(login, "allow");

    assert_eq!(said.json()["store"], "file");
    assert!(said.err.contains("no keyring ("), "{}", said.err);
    assert!(said.err.contains(&desk.file().display().to_string()), "{}", said.err);
}

#[test]
fn a_keyring_that_is_wanted_and_missing_is_a_failure_before_anybody_signs_in() {
    let mut desk = Desk::new();
    let mut login = desk.command("login --no-browser");
    login.env("GATELODGE_TOKEN_STORE", "keyring");

    let said = desk.login_by(login, "allow");

    assert_eq!(said.code(), 1, "{}", said.err);
    assert!(
        said.err.contains("secret-tool, which asks the keyring, is not installed"),
        "{}",
        said.err
    );
    let mut wrong = desk.command("whoami");
    wrong.env("GATELODGE_TOKEN_STORE", "cloud");
    assert_eq!(finish(wrong).code(), 2);
}
