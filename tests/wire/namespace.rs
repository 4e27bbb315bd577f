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
