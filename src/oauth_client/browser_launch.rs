//! Opens a URL in the person's browser, with the system's program.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use url::Url;

/// Opens `url`, if the system has a program for it. A failure is ignored, since the URL is printed
/// too.
pub(crate) fn open(url: &Url) {
    let spawned = command(url.as_str()).spawn();
    // Some openers run as long as the browser, so they are not waited for.
    drop(spawned);
}

/// The command that opens `address`, which others can read in the list of processes.
pub(crate) fn command(address: &str) -> Command {
    let mut command = silent(if cfg!(target_os = "macos") { "open" } else { "xdg-open" });
    command.arg(address).stdin(Stdio::null());
    command
}

/// A command of macOS that opens an address which stands in no list of processes: its standard input is
/// what [`script`] makes of it.
pub(crate) fn scripted() -> Command {
    let mut command = silent("osascript");
    command.arg("-").stdin(Stdio::piped());
    command
}

/// What [`scripted`] reads.
pub(crate) fn script(address: &str) -> io::Result<String> {
    if address.contains(['"', '\\']) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a URL has no quotes"));
    }
    Ok(format!("open location \"{address}\"\n"))
}

/// A command in a group of its own: a browser that it starts goes on when somebody ends this program at
/// the terminal.
fn silent(program: &str) -> Command {
    let mut command = Command::new(program);
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_one_command() {
        let command = script("http://localhost:7455/setup#gl_st_x").unwrap();

        assert_eq!(command, "open location \"http://localhost:7455/setup#gl_st_x\"\n");
        assert!(script("http://localhost/\" & \"x").is_err());
    }
}
