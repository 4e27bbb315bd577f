//! Opening an address in the person's browser, by the program that each system has for it.

use std::process::{Command, Stdio};

use url::Url;

/// Opens `url`, if there is something to open it with; the address is printed anyway.
pub(crate) fn open(url: &Url) {
    let (program, arguments) = opener();
    let spawned = Command::new(program)
        .args(arguments)
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // Some openers stay as long as the browser does; nobody waits for them.
    drop(spawned);
}

/// On Windows without `cmd`, to which `&` in an address would be the next command.
const fn opener() -> (&'static str, &'static [&'static str]) {
    if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    }
}
