//! The browser: found, started without a window, shared by the stories that run at one time.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread;

use chromiumoxide::Browser;
use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle};

use crate::program::Process;

/// Whoever holds it last ends it.
static RUNNING: Mutex<Weak<Chromium>> = Mutex::new(Weak::new());

/// The names under which it is installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Nothing that is not asked for goes out to the network or changes between two runs.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en-US",
    "--remote-debugging-port=0",
];

/// A Chromium that runs.
pub(crate) struct Chromium {
    /// The one connection to it: the end of another would take the passkeys of every window along.
    pub(crate) browser: Browser,
    /// Where that connection lives, whichever story comes and goes.
    pub(crate) runtime: Handle,
    process: Process,
    // It goes after the process that writes into it.
    _profile: TempDir,
    stderr: BufReader<ChildStderr>,
}

impl Chromium {
    /// The one that runs, or a new one.
    pub(crate) fn shared() -> Arc<Self> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start(None));
            *running = Arc::downgrade(&started);
            started
        })
    }

    /// The one of a person whose home directory this is, with the authorities that they trust.
    pub(crate) fn at_home(home: &Path) -> Arc<Self> {
        Arc::new(Self::start(Some(home)))
    }

    fn start(home: Option<&Path>) -> Self {
        let profile = TempDir::with_prefix("gatelodge-chromium-").unwrap();
        let mut command = Command::new(found());
        command.args(FLAGS).arg(format!("--user-data-dir={}", profile.path().display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.envs(home.map(|home| ("HOME", home)));
        let mut process = Process(command.spawn().unwrap());
        let mut stderr = BufReader::new(process.0.stderr.take().unwrap());
        let mut said = String::new();
        loop {
            let line_start = said.len();
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "Chromium did not start: {said}");
            if let Some(address) = said[line_start..].trim().strip_prefix("DevTools listening on ")
            {
                let (browser, runtime) = connected(address.to_owned());
                return Self { browser, runtime, process, _profile: profile, stderr };
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.0.kill();
        // Its children, which still write into the profile, hold the other end until they are gone.
        let _ = io::copy(&mut self.stderr, &mut io::sink());
    }
}

/// Connects to `address`, on a thread that serves the connection as long as there is one.
fn connected(address: String) -> (Browser, Handle) {
    let (ready, connected) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (browser, mut handler) = Browser::connect(address).await.unwrap();
            ready.send((browser, Handle::current())).unwrap();
            // What the protocol says beyond what this library knows is nothing to stop for.
            while handler.next().await.is_some() {}
        });
    });
    connected.recv().unwrap()
}

/// The program that `CHROMIUM` names, else the first that is installed.
fn found() -> PathBuf {
    let named = env::var_os("CHROMIUM").filter(|name| !name.is_empty());
    let names = named.into_iter().chain(NAMES.map(OsString::from));
    let directories: Vec<PathBuf> =
        env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let programs = names.flat_map(|name| {
        // A name with a slash in it stands for itself, wherever it is looked for.
        directories.iter().map(move |directory| directory.join(&name)).collect::<Vec<_>>()
    });
    programs.into_iter().find(|program| Path::is_file(program)).expect(
        "the browser tests need Chromium: install it (Debian: apt-get install chromium), or name \
         it in CHROMIUM",
    )
}
