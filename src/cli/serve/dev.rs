//! `gatelodge dev`

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, thread};

use clap::Args;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::cli::apply;
use crate::cli::output::{self, Exit, Failure, Output};
use crate::cli::started;
use crate::clock::Timestamp;
use crate::config::{Flags, Layers};
use crate::dev::{BANNER, Plan, Server};
use crate::event::DroppedLines;
use crate::model::person::Username;
use crate::private_file;
use crate::serve::{Signals, Stop};

pub(in crate::cli) const DEV_EXAMPLES: &str = "\
Examples:
  gatelodge dev
      a server at a free port, with nothing on disk; its first line says everything in JSON
  gatelodge dev --seed 7 --auto-approve ada --apply house.toml --ready-file ready.json
      the same keys, ids and codes in each run, and no page: ada approves everything
  gatelodge dev --port 7455 --auto-approve ada --open-clients
      for a client that nobody registers first

It is the code of gatelodge serve over memory, on loopback alone, and NOT FOR PRODUCTION: one of its
keys is known to everybody. It reads no configuration but that of --config, and of the environment
GATELODGE_LOG alone. The control API at control, with the token of the first line, moves the clock,
makes requests fail or hang, ends things, lists the requests, and starts anew: GET it to see.";

/// The variable that counts here, too.
const LOG: &str = "GATELODGE_LOG";

/// A place where nothing is: what would be beside the store is in memory.
const NOWHERE: &str = "/nonexistent/gatelodge-dev";

/// The flags of `dev`.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct DevArgs {
    /// Listen at this port of 127.0.0.1 and ::1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Write the first line into this file, too, once the server is ready; it is removed at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Make the same keys, ids, codes and tokens in each run for the same requests
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,
    /// Let the clock stand at this time, such as 2030-01-01T00:00:00Z, until it is moved
    #[arg(long, value_name = "TIME", value_parser = time)]
    clock: Option<Timestamp>,
    /// Approve each authorization and device at once, without a page, as this person, or as whom
    /// login_hint names; who is not there is made, with the address NAME@example.test
    #[arg(long, value_name = "USER", value_parser = username)]
    auto_approve: Option<Username>,
    /// Make a client of each client_id that is not known, with the redirect URI of its request, if that
    /// stays on this machine
    #[arg(long)]
    open_clients: bool,
    /// Apply this file first: gatelodge apply --help says more
    #[arg(long, value_name = "FILE")]
    apply: Option<String>,
    /// End when standard input ends, as it does with the program that started this one
    #[arg(long)]
    with_parent: bool,
}

fn time(written: &str) -> Result<Timestamp, &'static str> {
    let time = Timestamp::from_rfc3339(written);
    time.ok_or("a time in UTC is expected, such as 2030-01-01T00:00:00Z")
}

fn username(written: &str) -> Result<Username, String> {
    written.parse().map_err(|refusal: crate::error::Refusal| refusal.sentence().into_owned())
}

/// Runs `gatelodge dev`.
pub(in crate::cli) fn run_dev(
    args: DevArgs,
    flags: &Flags,
    env: &BTreeMap<String, String>,
) -> Result<Output, Failure> {
    if flags.data.is_some() {
        let why = "gatelodge dev has everything in memory, and takes no --data";
        return Err(Failure::new(Exit::Usage, why));
    }
    let file = args.apply.as_ref().map(|file| apply::read(file, env)).transpose()?;
    let (plan, unused) = plan(&args, flags, env)?;
    let document = file.map(|file| Arc::new(file.document));
    let plan = Plan { apply: document, ..plan };
    let config = plan.config.clone();
    // What cannot be written there has no other place.
    let _ = io::stderr().write_all(BANNER.as_bytes());
    for key in unused {
        output::remark(&format!("{key} of the configuration means nothing to gatelodge dev"));
    }
    started(Builder::new_multi_thread())?.block_on(async {
        let served =
            crate::serve::logged(&config, async |dropped| serve(args, plan, dropped).await);
        let Err(stop) = served.await else { return Ok(Output::nothing()) };
        Err(Failure::new(Exit::from_code(stop.exit), &stop).with_remedy(stop.remedy))
    })
}

/// What the flags and the configuration ask for, and the settings that mean nothing here.
fn plan(
    args: &DevArgs,
    flags: &Flags,
    env: &BTreeMap<String, String>,
) -> Result<(Plan, Vec<String>), Failure> {
    let counts = |name: &str| name == LOG || flags.config.is_some() && name == "HOME";
    let env = env.iter().filter(|(name, _)| counts(name));
    let env = env.map(|(name, value)| (name.clone(), value.clone())).collect();
    let flags =
        Flags { config: flags.config.clone(), data: Some(NOWHERE.into()), ..Flags::default() };
    let config = Layers::new(flags, env).load()?;
    let (plan, unused) =
        Plan::of(config).map_err(|stop| Failure::new(Exit::from_code(stop.exit), &stop))?;
    let plan = Plan {
        approves: args.auto_approve.clone(),
        clock: args.clock,
        open_clients: args.open_clients,
        port: args.port,
        seed: args.seed.clone(),
        ..plan
    };
    Ok((plan, unused))
}

async fn serve(args: DevArgs, plan: Plan, dropped: DroppedLines) -> Result<(), Stop> {
    let failed = |why: String| Stop::unprepared(1, why);
    // Whoever waits for the file takes that of an earlier run for no ready server.
    let file = args.ready_file.as_deref().map(ReadyFile::at).transpose()?;
    let mut stop = Signals::new()?;
    let server = Server::start(plan, dropped).await?;
    let line = server.ready().line();
    if let Some(file) = &file {
        file.write(&line)?;
    }
    crate::serve::print(line)
        .map_err(|error| failed(format!("the first line cannot be printed: {error}")))?;
    let parent = parent(args.with_parent);
    tokio::select! {
        () = stop.wait() => {}
        _ = parent => tracing::info!("standard input has ended"),
    }
    server.close(stop.wait()).await;
    Ok(())
}

/// Is done when standard input has ended, if that is waited for.
async fn parent(waits: bool) {
    let (sender, receiver) = oneshot::channel::<()>();
    if waits {
        // A read of standard input ends only with it, so no thread of the runtime may wait for it.
        let reading = thread::Builder::new().name("parent".to_owned());
        let spawned = reading.spawn(move || {
            let mut input = io::stdin().lock();
            let mut some = [0; 512];
            while input.read(&mut some).is_ok_and(|length| length > 0) {}
            drop(sender);
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "nobody waits for the end of standard input");
            std::future::pending::<()>().await;
        }
        let _ = receiver.await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// The ready file, which is removed on drop.
struct ReadyFile<'a>(&'a Path);

impl<'a> ReadyFile<'a> {
    /// Removes what an earlier run left there.
    fn at(path: &'a Path) -> Result<Self, Stop> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(path, &error)),
            Ok(()) | Err(_) => Ok(Self(path)),
        }
    }

    /// Writes it as a whole, for this user alone: it has the token.
    fn write(&self, line: &str) -> Result<(), Stop> {
        // A bare name has no directory that could be synced.
        let path = std::path::absolute(self.0).map_err(|error| unusable(self.0, &error))?;
        private_file::replace(&path, line.as_bytes()).map_err(|error| unusable(self.0, &error))
    }
}

impl Drop for ReadyFile<'_> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(self.0);
    }
}

fn unusable(path: &Path, error: &io::Error) -> Stop {
    Stop::unprepared(1, format!("the ready file {} cannot be written: {error}", path.display()))
}
