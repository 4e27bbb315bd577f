//! The server: listeners, background tasks, greeting and graceful stop.
//!
//! Nothing waits for standard output or standard error once it serves.
//!
//! Ports are bound before anything is written, so that a start that cannot succeed leaves no files.

mod accept;
mod connections;
mod descriptors;
mod doors;
mod greeting;
mod holder;
mod json_line;
mod lines;
mod listen;
mod log;
mod loopback;
mod manager;
mod paced;
mod secure;
mod standing;
mod tasks;

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::app::{Addresses, App, Found, OpenError};
use crate::clock::Clock;
use crate::config::{Config, Layers, TlsMode};
use crate::error::Error;
use crate::event::DroppedLines;
use crate::oauth::issuer::Issuer;

pub(crate) use greeting::print;
pub(crate) use listen::{Signals, listening};
pub(crate) use loopback::{Loopback, Serving};

use descriptors::Bounds;
use doors::Doors;
use log::Log;
use secure::Secure;

/// The reason why the server stopped or did not start.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The exit code.
    pub exit: u8,
    /// What can be done about it, where the sentence does not say it.
    pub remedy: Option<String>,
    why: String,
}

impl Stop {
    fn failed(why: impl Into<String>) -> Self {
        Self { exit: 1, remedy: None, why: why.into() }
    }

    /// What has to be done before the server listens failed.
    pub(crate) fn unprepared(exit: u8, why: impl Into<String>) -> Self {
        Self { exit, remedy: None, why: why.into() }
    }

    fn wrong(why: impl Into<String>) -> Self {
        Self { exit: 2, remedy: None, why: why.into() }
    }

    fn with_remedy(self, remedy: &str) -> Self {
        Self { remedy: Some(remedy.to_owned()), ..self }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        let remedy = error.remedy().map(str::to_owned);
        Self { exit: error.exit(), remedy, why: error.to_string() }
    }
}

/// The addresses at which a server of `issuer` would listen, at which this process listens for a
/// moment.
///
/// # Errors
///
/// What a start would end with.
pub(crate) fn try_listening(
    config: &Config,
    issuer: Option<&Issuer>,
) -> Result<Vec<SocketAddr>, Stop> {
    listen::try_out(config, issuer)
}

/// Goes through a first start of `config` up to where something is written, and listens for a moment.
///
/// # Errors
///
/// What the start would end with.
pub(crate) fn try_first_start(config: &Config) -> Result<(), Stop> {
    listen::check_socket(&config.places)?;
    Bounds::raised()?;
    Ports::open(config, config.issuer.clone()).map(drop)
}

/// The most connections of a server that this process would start, where the system allows few.
///
/// # Errors
///
/// What a start would end with.
pub(crate) fn foreseen_connections() -> Result<Option<usize>, Stop> {
    Bounds::foreseen()
}

/// Serves the installation of `config`, which it creates if there is none, until a signal. `prepare`
/// runs before it listens; `first_page` takes the URL of the page that a person opens first, once it is
/// served: a setup link if there is nobody.
pub(crate) async fn run(
    config: Config,
    layers: Layers,
    prepare: impl AsyncFnOnce(Arc<App>) -> Result<(), Stop>,
    first_page: Option<impl FnOnce(String)>,
) -> Result<(), Stop> {
    logged(&config.clone(), async |dropped| {
        serve(config, layers, dropped, prepare, first_page).await
    })
    .await
}

/// Does `work` while the log of this process is written as `config` says.
pub(crate) async fn logged(
    config: &Config,
    work: impl AsyncFnOnce(DroppedLines) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let log = Log::start(config)?;
    let stopped = work(log.dropped()).await;
    if log.finish() {
        return stopped;
    }
    // Nobody reads standard error, and whoever wrote the reason there would wait for it.
    stopped.map_err(|stop| Stop { why: String::new(), ..stop })
}

/// Starts the background tasks of `app`.
pub(crate) fn background(app: &Arc<App>) -> JoinHandle<()> {
    tasks::start(Arc::clone(app))
}

/// Does now what a background task does each minute: makes due keys, and removes what has expired.
///
/// # Errors
///
/// Those of the store.
pub(crate) async fn tidy(app: &Arc<App>) -> Result<(), Error> {
    tasks::tidy_whole(app).await
}

/// The ports of a server, checked against its issuer.
struct Ports {
    for_devices: Vec<TcpListener>,
    issuer: Issuer,
    listeners: Vec<TcpListener>,
}

impl Ports {
    /// Opens the ports of a server whose issuer is named, or is that of a first start.
    fn open(config: &Config, named: Option<Issuer>) -> Result<Self, Stop> {
        let listeners = listen::bind(config, named.as_ref())?;
        let issuer = match named {
            Some(issuer) => issuer,
            None if config.tls.mode == TlsMode::Off => {
                Issuer::localhost(listen::first_port(&listeners)?)
            }
            None => Issuer::secure_localhost(listen::first_port(&listeners)?),
        };
        listen::check(config, &issuer, &listeners)?;
        secure::check(config, &issuer, Clock::System.now())?;
        let for_devices = listen::bind_for_devices(config)?;
        Ok(Self { for_devices, issuer, listeners })
    }
}

async fn serve(
    config: Config,
    layers: Layers,
    dropped: DroppedLines,
    prepare: impl AsyncFnOnce(Arc<App>) -> Result<(), Stop>,
    first_page: Option<impl FnOnce(String)>,
) -> Result<(), Stop> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    listen::check_socket(&config.places)?;
    let bounds = Bounds::raised()?;
    let found = Found::at(&config).await?;
    let frozen = match &found {
        Found::Installation(installation, ..) => Some(installation.issuer.clone()),
        Found::Nothing => None,
    };
    if let (Some(frozen), Some(asked)) = (&frozen, &config.issuer)
        && frozen != asked
    {
        return Err(Stop::wrong(format!(
            "this installation's issuer is {frozen}, not {asked}; `gatelodge issuer change \
             {asked}` tells what a change means"
        )));
    }
    let named = frozen.or_else(|| config.issuer.clone());
    let Ports { for_devices, issuer, listeners } = Ports::open(&config, named)?;

    let app = match found {
        Found::Installation(_, roots, store) => App::open(config, issuer, &roots, store)
            .await
            .map_err(|error| Stop::failed(error.to_string()))?,
        Found::Nothing => App::create(config, issuer).await?,
    };
    let addresses = Addresses {
        few_connections: bounds.few(),
        listen: greeting::addresses(&listeners),
        mtls_listen: greeting::addresses(&for_devices),
    };
    let app = app.with_dropped_lines(dropped).with_addresses(addresses);
    let app = Arc::new(app.with_layers(layers));
    prepare(Arc::clone(&app)).await?;
    let contradictions = app.contradictions().map_err(|error| Stop::failed(error.to_string()))?;
    if !contradictions.is_empty() {
        return Err(Stop::wrong(contradictions.join("\n")));
    }
    let secure = Secure::new(&app)?;
    let socket = accept::socket(&app)?;
    let tasks = tasks::start(Arc::clone(&app));
    let renewal = secure.as_ref().map(|secure| tokio::spawn(secure.renew_always(Arc::clone(&app))));
    let mut stop = Signals::new()?;
    let reload =
        listen::hangup()?.map(|hangup| tokio::spawn(tasks::reload_at(hangup, Arc::clone(&app))));
    let page = greeting::say(&app, &listeners, &for_devices, first_page.is_some()).await?;

    let mut doors = Doors::new(bounds, &app);
    let pages = secure.as_ref().map(|secure| secure.pages.clone());
    let devices = secure.as_ref().map(|secure| secure.devices.clone());
    let ports = listeners.into_iter().map(|listener| (listener, pages.clone()));
    let ports = ports.chain(for_devices.into_iter().map(|listener| (listener, devices.clone())));
    for (listener, tls) in ports {
        let router = crate::http::router(Arc::clone(&app));
        doors.open_port(listener, accept::Endpoint { router, tls });
    }
    if let Some(socket) = socket {
        doors.open_socket(socket, crate::admin::router(Arc::clone(&app)));
    }

    let alive = manager::ready(&app);
    if let Some(open) = first_page {
        open(page);
    }
    tokio::select! {
        () = stop.wait() => {}
        () = manager::idle(&app, app.rules().config.exit_when_idle) => {}
    }
    manager::stopping();
    doors.close(stop.wait()).await;
    // The tasks are aborted last, since requests of a first start may wait for the keys that they
    // make.
    tasks.abort();
    for task in [renewal, reload, alive].into_iter().flatten() {
        task.abort();
    }
    tasks::write_last(&app).await;
    accept::remove_socket(&app);
    Ok(())
}
