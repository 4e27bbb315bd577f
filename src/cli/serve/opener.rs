//! `--open`: the person's browser opens the first page of the server.
//!
//! A contained server starts no program. So a child, this program again, is started before, and reads on its
//! standard input which page to open, one and once. A setup link is a secret, and stands in no command
//! line: the browser opens an address that leads this user to it.

use std::collections::BTreeMap;
use std::future::pending;
use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::visit::Visit;
use crate::cli::output::{Exit, Failure, Output};
use crate::cli::started;
use crate::oauth_client::browser_launch;

/// The command of the child, which is none for people: no help and no completion names it.
const COMMAND: &str = "open-page";

/// The time that the browser has to come.
const TIMEOUT: Duration = Duration::from_mins(5);

/// How the variables of the configuration begin.
const SETTINGS: &str = "GATELODGE_";

/// What a service manager gives to what it starts.
const OF_MANAGERS: [&str; 2] = ["LISTEN_FDS", "NOTIFY_SOCKET"];

/// Where a display is, or what stands for one.
const DISPLAYS: [&str; 3] = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"];

/// The child, which waits for the page. It ends with this process, or with this value.
pub(super) struct Opener {
    child: Child,
}

impl Opener {
    /// Starts it: before this process gives up programs.
    ///
    /// # Errors
    ///
    /// A sentence that says why nothing will be opened.
    pub(super) fn start(env: &BTreeMap<String, String>) -> Result<Self, String> {
        let is_set = |name: &&str| env.get(*name).is_some_and(|value| !value.is_empty());
        if OF_MANAGERS.iter().any(is_set) {
            return Err(unopened("a service manager runs this server (--open)"));
        }
        if !cfg!(target_os = "macos") && !DISPLAYS.iter().any(is_set) {
            return Err(unopened("there is no display (DISPLAY, WAYLAND_DISPLAY)"));
        }
        let child = std::env::current_exe().and_then(|program| {
            let mut command = Command::new(program);
            command.arg(COMMAND).stderr(Stdio::null());
            // The settings may have secrets, which are nothing to a browser.
            for name in env.keys().filter(|name| name.starts_with(SETTINGS)) {
                command.env_remove(name);
            }
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
        });
        child.map(|child| Self { child }).map_err(|error| unopened(&error.to_string()))
    }

    /// Hands over `page`, and does not wait. What becomes of it is in the log, if it fails.
    pub(super) fn open(self, page: String) {
        let Self { mut child } = self;
        let watching = thread::Builder::new().name("opener".to_owned()).spawn(move || {
            let mut said = String::new();
            let handed = (|| {
                // It stays open: its end is that of the server.
                if let Some(input) = &mut child.stdin {
                    writeln!(input, "{page}")?;
                }
                if let Some(output) = &mut child.stdout {
                    output.read_to_string(&mut said)?;
                }
                child.wait()
            })();
            match handed {
                Ok(status) if status.success() && said.is_empty() => {}
                Ok(status) if status.success() => tracing::warn!("{}", said.trim_end()),
                Ok(status) => tracing::warn!("{}", unopened(&status.to_string())),
                Err(error) => tracing::warn!("{}", unopened(&error.to_string())),
            }
        });
        if let Err(error) = watching {
            tracing::warn!("{}", unopened(&error.to_string()));
        }
    }
}

fn unopened(why: &str) -> String {
    format!(
        "no browser was opened: {why}; the server goes on, and gatelodge user recover prints a link"
    )
}

/// Runs this process as the child, if it is one.
pub(in crate::cli) fn open_page() -> Option<Result<ExitCode, Failure>> {
    let is_child = std::env::args_os().skip(1).eq([COMMAND]);
    is_child.then(|| read_and_open().map(|said| said.print(false, None)))
}

/// Reads the page, and opens it. Says why not, if it was not opened.
fn read_and_open() -> Result<Output, Failure> {
    let mut page = String::new();
    let read = io::stdin().read_line(&mut page);
    read.map_err(|error| Failure::new(Exit::Failed, format!("no page was named: {error}")))?;
    let page = page.trim_end();
    if page.is_empty() {
        // The server did not start.
        return Ok(Output::nothing());
    }
    if !["http://", "https://"].iter().any(|scheme| page.starts_with(scheme)) {
        return Err(Failure::new(Exit::Usage, "what is opened is a page of a server"));
    }
    let (ends, ended) = oneshot::channel::<()>();
    // A runtime would wait for whoever reads.
    let reading = thread::Builder::new().spawn(move || {
        // An end and a failure are the same: nobody is there any more.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(ends);
    });
    reading.map_err(|error| Failure::new(Exit::Failed, format!("no threads: {error}")))?;
    let opened = started(Builder::new_current_thread())?.block_on(async {
        tokio::select! {
            opened = open(page) => opened,
            // The server has ended.
            _ = ended => Ok(()),
        }
    });
    Ok(opened.map_or_else(|why| Output::text(unopened(&why)), |()| Output::nothing()))
}

/// Opens `page`. Returns when the browser has what it needs.
async fn open(page: &str) -> Result<(), String> {
    let is_secret = page.contains('#');
    if !is_secret {
        return run(browser_launch::command(page), "").await;
    }
    if cfg!(target_os = "macos") {
        let script = browser_launch::script(page).map_err(|error| error.to_string())?;
        return run(browser_launch::scripted(), &script).await;
    }
    let visit = Visit::bind().await.map_err(|error| error.to_string())?;
    let command = browser_launch::command(&visit.address());
    let failed = async {
        match run(command, "").await {
            Ok(()) => pending().await,
            Err(why) => why,
        }
    };
    tokio::select! {
        () = visit.lead_to(page.to_owned()) => Ok(()),
        why = failed => Err(why),
        () = tokio::time::sleep(TIMEOUT) => Err("none came within five minutes".to_owned()),
    }
}

/// Runs `command` to its end, with this on its standard input.
async fn run(command: Command, input: &str) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: io::Error| format!("{name}: {error}");
    let mut child = tokio::process::Command::from(command).spawn().map_err(failed)?;
    if let Some(mut standard_input) = child.stdin.take() {
        standard_input.write_all(input.as_bytes()).await.map_err(failed)?;
    }
    let status: ExitStatus = child.wait().await.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
}
