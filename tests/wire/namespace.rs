//! The program on another machine, as far as a namespace of Linux is one.

use std::process::{Command, Stdio};

use crate::program::Home;

/// The program with `arguments`, in a namespace of `kind` in which `set_up` ran; `None` where the
/// system allows none, or has no tools for it.
pub(crate) fn command(
    home: &Home,
    kind: &str,
    set_up: &str,
    arguments: &[&str],
) -> Option<Command> {
    let namespace = |script: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", kind, "sh", "-c", script]).stdin(Stdio::null());
        unshare.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        unshare.env("HOME", home.path("")).env("GATELODGE_DATA", home.data());
        unshare
    };
    if !namespace(set_up).output().is_ok_and(|output| output.status.success()) {
        eprintln!("no namespace here in which `{set_up}` works, so nothing was tried");
        return None;
    }
    let mut command = namespace(&format!("{set_up} && exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_gatelodge")).args(arguments);
    Some(command)
}

/// The variable by which a story knows that it is in its namespace.
const INSIDE: &str = "GATELODGE_STORY_INSIDE";

/// Runs the story of this name, which calls this first, in a namespace of `kinds` in which `set_up` ran.
/// Returns whether this process is in it, and the story goes on here.
pub(crate) fn is_inside(kinds: &[&str], set_up: &str, story: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let namespace = |script: &str| {
        let mut unshare = Command::new("unshare");
        unshare.arg("--map-root-user").args(kinds).args(["sh", "-ec", script]);
        unshare.stdin(Stdio::null());
        unshare
    };
    if !namespace(set_up).output().is_ok_and(|output| output.status.success()) {
        eprintln!("no namespace here in which `{set_up}` works, so nothing was tried");
        return false;
    }
    let mut command = namespace(&format!("{set_up}\nexec \"$0\" \"$@\""));
    command.arg(std::env::current_exe().unwrap()).args(["--exact", story, "--nocapture"]);
    let output = command.env(INSIDE, "1").output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    println!("{said}");
    false
}
