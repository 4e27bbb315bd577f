//! The programs of others that judge a page, pinned in `tests/browser/node/` and installed below
//! `target/` where they are not there yet.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

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

/// The validator: one for all stories, since its start takes longer than a hundred pages.
static VALIDATOR: LazyLock<Mutex<Validator>> = LazyLock::new(|| Mutex::new(Validator::start()));

/// A program that reads pages and says what is wrong with them. It ends with its input.
struct Validator {
    pages: ChildStdin,
    faults: BufReader<ChildStdout>,
    /// It is never waited for: it ends with the stories.
    _program: Child,
}

impl Validator {
    fn start() -> Self {
        let mut program = Command::new("node")
            .arg(TOOLS.join("validate.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pages = program.stdin.take().unwrap();
        let faults = BufReader::new(program.stdout.take().unwrap());
        Self { pages, faults, _program: program }
    }

    /// The sentences of the HTML standard that `html` breaks.
    fn faults(&mut self, html: &str) -> String {
        serde_json::to_writer(&mut self.pages, html).unwrap();
        self.pages.write_all(b"\n").unwrap();
        let mut line = String::new();
        self.faults.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// Asserts that `html` is valid.
pub(crate) fn validate(name: &str, html: &str) {
    let faults = VALIDATOR.lock().unwrap_or_else(PoisonError::into_inner).faults(html);
    assert!(faults.is_empty(), "{name} is no valid HTML:\n{faults}");
}
