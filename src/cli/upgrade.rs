//! `gatelodge upgrade`.

use axum::http::Method;
use clap::Args;
use serde::Serialize;

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, fields};
use crate::admin::server::ServerView;
use crate::app::OpenError;
use crate::app::store_file::{self, SCHEMA, Standing, Upgraded};
use crate::config::Config;

pub(super) const HELP: &str = "\
Examples:
  gatelodge upgrade --check
      says whether the store is of an older version; nothing is changed
  gatelodge upgrade
      upgrades it; gatelodge serve does so too

The store before the upgrade stays beside the new one, under a name with its schema. Where something goes
wrong, the old one is in its place, and to go back to the older version later, put it there again: what
happened since is lost then. There has to be room for up to three more files of its size.";

/// The arguments of `upgrade`.
#[derive(Debug, Args)]
pub(super) struct UpgradeArgs {
    /// Only say what would be done
    #[arg(long)]
    check: bool,
}

#[derive(Serialize)]
struct UpgradeView {
    /// Where the store before the upgrade is.
    before: Option<String>,
    /// The schema of the store.
    from: u32,
    /// Whether it was upgraded.
    upgraded: bool,
    /// The schema of this program.
    to: u32,
}

/// Runs `gatelodge upgrade`.
pub(super) async fn run(args: &UpgradeArgs, config: &Config) -> Result<Output, Failure> {
    let places = &config.places;
    if let Some(mut admin) = AdminClient::running(config).await? {
        let server: ServerView = admin.ask(Method::GET, "/api/v1/server").await?;
        return Ok(of_server(server.schema));
    }
    if args.check {
        return Ok(match store_file::standing(places).map_err(|error| failure(&error))? {
            Standing::Older(from) => described(from, None),
            Standing::Empty | Standing::This => described(SCHEMA, None),
        });
    }
    Ok(match store_file::upgrade(places).map_err(|error| failure(&error))? {
        Some(Upgraded { aside, from, .. }) => described(from, Some(aside.display().to_string())),
        None => described(SCHEMA, None),
    })
}

/// What is to be said while a server runs, which has the store of its own version.
fn of_server(schema: u32) -> Output {
    if schema == SCHEMA {
        return described(SCHEMA, None);
    }
    described(schema, None)
        .with_note("a server of another version runs: stop it, and start this one")
}

fn described(from: u32, before: Option<String>) -> Output {
    let view = UpgradeView { upgraded: before.is_some(), before, from, to: SCHEMA };
    let sentence = match (from, &view.before) {
        (SCHEMA, _) => format!("the store has schema {SCHEMA}: there is nothing to upgrade"),
        (_, None) => format!(
            "the store has the older schema {from}; this version makes it anew with schema {SCHEMA} \
             when it opens it, and keeps the old one beside it"
        ),
        (_, Some(before)) => fields(&[
            ("upgraded", format!("from schema {from} to {SCHEMA}")),
            ("the store before", before.clone()),
        ]),
    };
    Output::new(sentence, &view)
}

fn failure(error: &OpenError) -> Failure {
    Failure::new(Exit::from_code(error.exit()), error).with_remedy(error.remedy())
}
