//! Opening an address in the person's browser, by the program that each system has for it.

use std::process::{Command, Stdio};

use url::Url;

/// Opens `url`, if there is something to open it with; the address is printed anyway.
pub(crate) fn open(url: &Url) {
    let spawned = Command::new(opener())
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // Some openers stay as long as the browser does; nobody waits for them.
    drop(spawned);
}

/// The program that opens an address in the person's browser.
const fn opener() -> &'static str {
    if cfg!(target_os = "macos") { "open" } else { "xdg-open" }
}
