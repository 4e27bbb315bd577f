//! The programs of others that judge a page, pinned in `tests/browser/node/` and installed below
//! `target/` where they are not there yet.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::window::Window;

/// Where they are installed.
static TOOLS: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fetched = Command::new(root.join("tests/browser/fetch")).output().unwrap();
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    root.join("target/browser")
});

/// The script of axe-core, as a page takes it in.
static AXE: LazyLock<String> =
    LazyLock::new(|| fs::read_to_string(TOOLS.join("node_modules/axe-core/axe.min.js")).unwrap());

/// Brings axe-core into the page, if it is not there yet.
pub(crate) async fn bring_axe(window: &Window) {
    if window.ask("typeof axe === 'object'").await != Some(true) {
        window.page.evaluate_expression(AXE.as_str()).await.unwrap();
    }
}

/// Asserts that `html` is valid.
pub(crate) fn validate(name: &str, html: &str) {
    let mut validator = Command::new("node")
        .arg(TOOLS.join("validate.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    validator.stdin.take().unwrap().write_all(html.as_bytes()).unwrap();

    let output = validator.wait_with_output().unwrap();
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{name} is no valid HTML:\n{}{}",
        said(&output.stdout),
        said(&output.stderr)
    );
}
