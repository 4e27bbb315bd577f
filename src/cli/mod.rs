//! The command line: `gatelodge NOUN VERB`.
//!
//! `args` defines the grammar, each noun has a file, `output` prints the results, and
//! `admin_client` calls the administration API, which alone uses the store. Results go to standard
//! output, everything else to standard error. This room has no rules about clients or people.
//! `login` uses the OAuth client, which knows the server only by its protocol.

mod admin_client;
mod apply;
mod args;
mod backup;
mod bridge;
mod catalogue;
mod client;
mod config;
mod confirm;
mod db;
mod doctor;
mod event;
mod exchange;
mod grant;
mod input;
mod issuer;
mod key;
mod link;
mod login;
mod new_files;
mod output;
mod passkey;
mod program;
mod resource;
mod serve;
mod service;
mod session;
mod tls;
mod token;
mod trust;
mod upgrade;
mod user;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;

use axum::http::Method;
use clap::Parser as _;
use clap::error::ErrorKind;
use rustix::process::Signal;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::server::ServerView;
use crate::config::{Config, Faults, Flags, Layers, Tolerant};

use admin_client::AdminClient;
use args::{Args, Global, ServeArgs, Verb};
use output::{Exit, Failure, Output, Terminal};

/// Runs the command of the process's arguments and environment, and returns the exit code.
pub fn run() -> ExitCode {
    if let Some(opened) = serve::open_page() {
        return opened.unwrap_or_else(|failure| failure.print(false));
    }
    let env = std::env::vars_os().map(|(name, value)| (lossy(&name), lossy(&value))).collect();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            if error.use_stderr() && wants_json() {
                return Failure::of_usage(&error).print(true);
            }
            if error.kind() == ErrorKind::DisplayVersion {
                return program::version().print(wants_json(), None);
            }
            // It has colours at a terminal alone.
            let printed = error.print();
            // An error cannot be reported without standard error.
            if error.use_stderr() {
                return Exit::Usage.into();
            }
            let written = printed.and_then(|()| io::stdout().flush());
            return match output::check_written(written) {
                Ok(()) => Exit::Success.into(),
                Err(failure) => failure.print(false),
            };
        }
    };
    let json = args.global.json;
    match dispatch(args, &env) {
        Ok(response) => response.print(json, Terminal::of_output(&env).as_ref()),
        Err(failure) => failure.print(json),
    }
}

/// The document of a file of `gatelodge apply`, with the secrets that it names.
///
/// # Errors
///
/// What is wrong with the file.
pub(crate) fn document(
    file: &str,
    env: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, String> {
    apply::read(file, env).map(|file| file.document).map_err(|failure| failure.message)
}

fn dispatch(args: Args, env: &BTreeMap<String, String>) -> Result<Output, Failure> {
    let Args { global, open, verb } = args;
    let verb = verb.unwrap_or_else(|| Verb::Serve(ServeArgs::default()));
    if open && !matches!(verb, Verb::Serve(_)) {
        let why = "--open is for a server that starts: gatelodge --open, or gatelodge serve --open";
        return Err(Failure::new(Exit::Usage, why));
    }
    let flags = flags(&global);
    match verb {
        Verb::Api => Ok(program::api()),
        Verb::Apply(args) => {
            let file = apply::read(&args.file, env)?;
            with_admin(&flags, env, async |admin| apply::run(args, file, admin).await)
        }
        Verb::Backup(args) => {
            let json = global.json;
            with_config(&flags, env, async |config| backup::run(args, json, config).await)
        }
        Verb::Bridge(verb) => with_admin(&flags, env, async |admin| bridge::run(verb, admin).await),
        Verb::Catalogue(verb) => {
            with_admin(&flags, env, async |admin| catalogue::run(verb, admin).await)
        }
        Verb::Client(verb) => with_admin(&flags, env, async |admin| client::run(verb, admin).await),
        Verb::Credential(args) => {
            with_config(&flags, env, async |config| login::credential(args, config).await)
        }
        Verb::Login(args) => {
            with_config(&flags, env, async |config| login::login(args, config).await)
        }
        Verb::Logout(args) => {
            with_config(&flags, env, async |config| login::logout(args, config).await)
        }
        Verb::Whoami(args) => {
            with_config(&flags, env, async |config| login::whoami(args, config).await)
        }
        Verb::Connection(verb) => {
            with_admin(&flags, env, async |admin| grant::run_connection(verb, admin).await)
        }
        Verb::Completions { shell } => Ok(program::completions(shell)),
        Verb::Config(verb) => config::run(&verb, &Layers::new(flags, env.clone())),
        Verb::Db(verb) => with_config(&flags, env, async |config| db::run(verb, config).await),
        Verb::Dev(args) => serve::run_dev(args, &flags, env),
        Verb::Doctor(args) => doctor::run(&args, &Layers::new(flags, env.clone())),
        Verb::Events(args) => {
            let json = global.json;
            with_admin(&flags, env, async |admin| event::events(args, json, admin).await)
        }
        Verb::Explain(args) => {
            with_admin(&flags, env, async |admin| event::explain(args, admin).await)
        }
        Verb::Export(args) => {
            with_admin(&flags, env, async |admin| exchange::export(args, admin).await)
        }
        Verb::Import(args) => {
            let found = exchange::read(&args)?;
            with_admin(&flags, env, async |admin| exchange::import(args, found, admin).await)
        }
        Verb::Grant(verb) => with_admin(&flags, env, async |admin| grant::run(verb, admin).await),
        Verb::Invite(verb) => {
            with_admin(&flags, env, async |admin| link::run_invite(verb, admin).await)
        }
        Verb::Issuer(verb) => with_admin(&flags, env, async |admin| issuer::run(verb, admin).await),
        Verb::Key(verb) => with_admin(&flags, env, async |admin| key::run(verb, admin).await),
        Verb::Link(verb) => with_admin(&flags, env, async |admin| link::run(verb, admin).await),
        Verb::Passkey(verb) => {
            with_admin(&flags, env, async |admin| passkey::run(verb, admin).await)
        }
        Verb::Paths => {
            let Tolerant { config, faults, .. } = tolerant(&flags, env)?;
            beside(Ok(program::paths(&config.places)), faults.as_ref())
        }
        Verb::Resource(verb) => {
            with_admin(&flags, env, async |admin| resource::run(verb, admin).await)
        }
        Verb::Restore(args) => {
            with_config(&flags, env, async |config| backup::restore(args, config).await)
        }
        Verb::Serve(args) => {
            let file = args.apply.as_ref().map(|file| apply::read(file, env)).transpose()?;
            let opens = open || args.open;
            serve::run(&args.over(flags), file.as_ref(), opens, env)
        }
        Verb::Session(verb) => {
            with_admin(&flags, env, async |admin| session::run(verb, admin).await)
        }
        Verb::Tls(verb) => with_admin(&flags, env, async |admin| tls::run(verb, admin).await),
        Verb::Token(verb) => with_admin(&flags, env, async |admin| token::run(verb, admin).await),
        Verb::Upgrade(args) => {
            with_config(&flags, env, async |config| upgrade::run(&args, config).await)
        }
        Verb::User(verb) => with_admin(&flags, env, async |admin| user::run(verb, admin).await),
        Verb::Service(verb) => {
            let Tolerant { config, faults, .. } = tolerant(&flags, env)?;
            let issuer = started(Builder::new_current_thread())?.block_on(async {
                let mut admin = AdminClient::open(config.clone()).await.ok()?;
                let server: ServerView = admin.ask(Method::GET, "/api/v1/server").await.ok()?;
                Some(server.issuer)
            });
            beside(service::run(verb, &flags, &config, env, issuer.as_ref()), faults.as_ref())
        }
        Verb::Version => Ok(program::version()),
        Verb::Healthcheck => with_config(&flags, env, program::healthcheck),
        Verb::Manual { page } => program::manual(page.as_deref()),
        Verb::ManPages { directory } => program::man_pages(&directory),
    }
}

/// Whether the command line, which could not be read, has `--json` on it.
fn wants_json() -> bool {
    std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// Reads the configuration for a command that needs little of it, and says what is faulty.
fn tolerant(flags: &Flags, env: &BTreeMap<String, String>) -> Result<Tolerant, Failure> {
    let tolerant = Layers::new(flags.clone(), env.clone()).load_tolerantly()?;
    if let Some(faults) = tolerant.faults.as_ref().filter(|_| !wants_json()) {
        remark_on(faults);
    }
    Ok(tolerant)
}

fn remark_on(faults: &Faults) {
    output::remark(&format!(
        "the configuration has faults, and a server would not start with it:\n{faults}"
    ));
}

/// Says in JSON what is faulty of the configuration: beside a failure, which is alone on standard
/// error, and otherwise in a remark as ever.
fn beside(outcome: Result<Output, Failure>, faults: Option<&Faults>) -> Result<Output, Failure> {
    match (outcome, faults) {
        (Ok(output), Some(faults)) => {
            if wants_json() {
                remark_on(faults);
            }
            Ok(output)
        }
        (Err(failure), Some(faults)) => Err(failure.with_faults(faults)),
        (outcome, None) => outcome,
    }
}

fn with_config(
    flags: &Flags,
    env: &BTreeMap<String, String>,
    verb: impl AsyncFnOnce(&Config) -> Result<Output, Failure>,
) -> Result<Output, Failure> {
    let Tolerant { config, faults, .. } = tolerant(flags, env)?;
    // They decide at which server somebody is signed in, and where the tokens lie.
    let needed = |faults: &Faults| {
        faults.iter().any(|fault| ["issuer", "token_store"].contains(&&*fault.key))
    };
    let outcome = if faults.as_ref().is_some_and(needed) {
        let why = "this command needs what is faulty; gatelodge config check says everything";
        Err(Failure::new(Exit::Usage, why))
    } else {
        block_on(Box::pin(verb(&config)))
    };
    beside(outcome, faults.as_ref())
}

fn with_admin(
    flags: &Flags,
    env: &BTreeMap<String, String>,
    verb: impl AsyncFnOnce(&mut AdminClient) -> Result<Output, Failure>,
) -> Result<Output, Failure> {
    let tolerant = Layers::new(flags.clone(), env.clone()).load_tolerantly()?;
    block_on(Box::pin(async {
        let (mut admin, faults) = opened(tolerant).await?;
        beside(verb(&mut admin).await, faults.as_ref())
    }))
}

/// The client of the administration, and what is faulty of the configuration.
async fn opened(tolerant: Tolerant) -> Result<(AdminClient, Option<Faults>), Failure> {
    let Tolerant { config, data_is_known, faults } = tolerant;
    let Some(faults) = faults else { return Ok((AdminClient::open(config).await?, None)) };
    // A running server has a configuration of its own; a store without one needs a sound one.
    match AdminClient::running(&config).await? {
        Some(admin) if data_is_known => {
            if !wants_json() {
                remark_on(&faults);
            }
            Ok((admin, Some(faults)))
        }
        Some(_) | None => Err(faults.into()),
    }
}

/// Runs what waits, on this thread. It is in a box, or the program has the runtime once for each verb.
fn block_on(
    verb: Pin<Box<dyn Future<Output = Result<Output, Failure>> + '_>>,
) -> Result<Output, Failure> {
    started(Builder::new_current_thread())?.block_on(verb)
}

fn started(mut builder: Builder) -> Result<Runtime, Failure> {
    let runtime = builder.enable_all().build().and_then(|runtime| {
        let entered = runtime.enter();
        // With somebody who hears of it, a write beyond the limit on the length of files is an error, as
        // on a full disk, and does not end the process. It stays so for good.
        drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
        drop(entered);
        Ok(runtime)
    });
    runtime.map_err(|error| Failure::new(Exit::Failed, format!("no threads to run on: {error}")))
}

fn flags(global: &Global) -> Flags {
    // A relative path is resolved against the working directory, so that it is printed absolute.
    let absolute = |path: &PathBuf| match path.strip_prefix("~") {
        Ok(_) => path.clone(),
        Err(_) => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
    };
    let named =
        |path: &Option<PathBuf>| path.as_ref().filter(|p| **p != Path::new("")).map(absolute);
    Flags { config: named(&global.config), data: named(&global.data), ..Flags::default() }
}

fn lossy(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}
