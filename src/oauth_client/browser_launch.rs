//! Opens a URL in the person's browser, with the system's program.

use std::process::{Command, Stdio};

use url::Url;

/// Opens `url`, if the system has a program for it. A failure is ignored, since the URL is printed
/// too.
pub(crate) fn open(url: &Url) {
    let spawned = Command::new(opener())
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    // Some openers run as long as the browser, so they are not waited for.
    drop(spawned);
}

/// The program that opens a URL.
const fn opener() -> &'static str {
    if cfg!(target_os = "macos") { "open" } else { "xdg-open" }
}
