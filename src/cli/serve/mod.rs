//! `gatelodge serve` and `gatelodge dev`

mod contained;
mod dev;
mod opener;
mod visit;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use tokio::runtime::Builder;

pub(super) use dev::{DEV_EXAMPLES, DevArgs, run_dev};
pub(super) use opener::open_page;

use super::admin_client::AdminClient;
use super::apply::{self, File};
use super::output::{Exit, Failure, Output, printable};
use super::started;
use crate::admin::server::ServerView;
use crate::clock::Clock;
use crate::config::{Config, Flags, Layers};
use crate::serve::Stop;

use contained::contained;
use opener::Opener;

/// The time within which a server that runs says where it is.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Runs `gatelodge serve`; with `opens`, the browser opens its first page.
pub(super) fn run(
    flags: &Flags,
    file: Option<&File>,
    opens: bool,
    env: &BTreeMap<String, String>,
) -> Result<Output, Failure> {
    let layers = Layers::new(flags.clone(), env.clone());
    let config = layers.load_for_server(Clock::System.now())?;
    let opener = opens.then(|| Opener::start(env)).transpose();
    let mut notes = contained(&config, file)?;
    let opener = opener.unwrap_or_else(|why| {
        notes.push(why);
        None
    });
    started(Builder::new_multi_thread())?.block_on(async {
        if let Some(first) = first(&config).await {
            return Err(is_running(&first));
        }
        let asked = config.clone();
        let mut faulty = None;
        let prepare = async |app| {
            for note in &notes {
                tracing::warn!("{note}");
            }
            let Some(file) = file else { return Ok(()) };
            let mut admin = AdminClient::InProcess(crate::admin::router(app));
            let applied = apply::before_listening(file, &mut admin).await;
            applied.map_err(|failure| {
                let stop = Stop::unprepared(failure.exit.code(), &failure.message);
                faulty = Some(failure);
                stop
            })
        };
        let first_page = opener.map(|opener| move |page| opener.open(page));
        let Err(stop) = crate::serve::run(config, layers, prepare, first_page).await else {
            return Ok(Output::nothing());
        };
        // Where nobody reads standard error, the reason is left out.
        if let Some(failure) = faulty.filter(|_| !stop.to_string().is_empty()) {
            return Err(failure);
        }
        let exit = Exit::from_code(stop.exit);
        let failure = Failure::from(stop);
        // A server that was about to start had the store, and could not say so yet.
        let first = if exit == Exit::Unavailable { first(&asked).await } else { None };
        Err(first.map_or(failure, |first| is_running(&first)))
    })
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self::new(Exit::from_code(stop.exit), &stop).with_remedy(stop.remedy)
    }
}

/// The server that has the store of `config`, if one runs and responds.
async fn first(config: &Config) -> Option<ServerView> {
    let asked = async {
        let mut admin = AdminClient::running(config).await.ok()??;
        admin.ask::<ServerView>(Method::GET, "/api/v1/server").await.ok()
    };
    tokio::time::timeout(TIMEOUT, asked).await.ok()?
}

fn is_running(first: &ServerView) -> Failure {
    let ServerView { data, issuer, listen, mtls_listen, pid, schema: _ } = first;
    let addresses = listen.iter().chain(mtls_listen).map(|address| printable(address));
    let addresses = addresses.collect::<Vec<_>>().join(", ");
    let data = printable(data);
    Failure::new(
        Exit::Unavailable,
        format!(
            "a server runs already: {} on {addresses}, process {pid}; another process has the store \
             in {data} open",
            issuer.as_str()
        ),
    )
    .with_remedy(Some(
        "gatelodge paths and gatelodge session list say more about it; gatelodge serve --data DIR \
         --listen ADDR starts another one, with a store of its own",
    ))
}
