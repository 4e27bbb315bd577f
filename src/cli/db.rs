//! `gatelodge db …`: the file of the store.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use axum::http::Method;
use clap::Subcommand;
use serde::Serialize;

use crate::admin::store::{CheckView, FlawView, GrowthView, StoreView, TableView};
use crate::app::OpenError;
use crate::app::store_file::{self, Rewritten};
use crate::config::{Config, Places};

use super::admin_client::AdminClient;
use super::output::{Column, Exit, Failure, Output, fields, tabled, word};

/// The most time that a check by the server may take: it reads every row.
const TIMEOUT: Duration = Duration::from_mins(30);

const HELP: &str = "\
Examples:
  gatelodge db check
      reads every row, every index entry and what rows name of others. While a server runs, it does
      so and serves meanwhile; the pages of the file are checked too while none runs
  gatelodge db stats
      says how large each table is, and what it grew by in about a day and in about 30 days
  gatelodge db compact
      makes the file anew without the space that no row uses; stop the server before
  gatelodge db repair
      makes the file anew of the rows that can be read, with new indices and without rows that name
      what is not there; stop the server before

Nothing but compact and repair changes the file. Both sort its rows in a second one and make the new one beside
it: there has to be room for up to three more of its size. The file before a repair stays, under another name.";

/// The verbs of `db`.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(super) enum DbVerb {
    /// Say whether the store is as it was written
    Check,
    /// Make the file of the store anew, as small as it can be
    Compact,
    /// Make the file of the store anew of what can be read of it
    Repair,
    /// Say how large which table is, and how it grew
    Stats,
}

/// What a table grew by, with its sign.
fn grown(growth: Option<&GrowthView>, of: fn(&GrowthView) -> i64) -> String {
    growth.map_or_else(String::new, |growth| match of(growth) {
        0 => "0".to_owned(),
        number => format!("{number:+}"),
    })
}

/// Runs `db stats`.
async fn stats(admin: &mut AdminClient) -> Result<Output, Failure> {
    const COLUMNS: &[Column<TableView>] = &[
        Column::id("TABLE", |view| word(&view.table)),
        Column::text("ROWS", |view| word(&view.rows)),
        Column::text("BYTES", |view| word(&view.bytes)),
        Column::text("ROWS 1D", |view| grown(view.day.as_ref(), |own| own.rows)),
        Column::text("BYTES 1D", |view| grown(view.day.as_ref(), |own| own.bytes)),
        Column::extra("ROWS 30D", |view| grown(view.month.as_ref(), |own| own.rows)),
        Column::extra("BYTES 30D", |view| grown(view.month.as_ref(), |own| own.bytes)),
        Column::extra("INDEX", |view| if view.index { "yes" } else { "" }.to_owned()),
    ];
    let view: StoreView = admin.ask_within(TIMEOUT, Method::GET, "/api/v1/store").await?;
    let first = view.tables.first();
    let since = |growth: Option<&GrowthView>| growth.map(|growth| growth.since.clone());
    let day = since(first.and_then(|first| first.day.as_ref()));
    let month = since(first.and_then(|first| first.month.as_ref()));
    let note = match (day, month) {
        (None, _) => {
            "How the tables grow is told once a server has run: it writes their sizes down once \
                      a day."
                .to_owned()
        }
        (Some(day), None) => format!("1D is the growth since {day}."),
        (Some(day), Some(month)) => {
            format!("1D is the growth since {day}, and 30D since {month}.")
        }
    };
    Ok(tabled(&view, COLUMNS, &view.tables).with_note(note))
}

/// Runs `gatelodge db …`. Only `stats` needs a store that can be opened.
pub(super) async fn run(verb: DbVerb, config: &Config) -> Result<Output, Failure> {
    let places = &config.places;
    match verb {
        DbVerb::Check => check(AdminClient::running(config).await?, places).await,
        DbVerb::Compact => {
            Ok(described(store_file::compact(places).map_err(|error| failure(&error))?, None))
        }
        DbVerb::Repair => {
            let (rewritten, aside) = store_file::repair(places).map_err(|error| failure(&error))?;
            Ok(described(rewritten, Some(&aside)))
        }
        DbVerb::Stats => stats(&mut AdminClient::open(config.clone()).await?).await,
    }
}

/// Runs `db check`: by the running server, or here.
async fn check(admin: Option<AdminClient>, places: &Places) -> Result<Output, Failure> {
    let view = match admin {
        Some(mut admin) => admin.ask_within(TIMEOUT, Method::GET, "/api/v1/store/check").await?,
        None => CheckView::new(store_file::check(places).map_err(|error| failure(&error))?, true),
    };
    Ok(checked(&view))
}

fn checked(view: &CheckView) -> Output {
    const COLUMNS: &[Column<FlawView>] =
        &[Column::text("WHAT IS WRONG", |view| word(&view.sentence))];
    let CheckView { rows, entries, flaws, more, pages } = view;
    if flaws.is_empty() {
        let pages = if *pages { "every page, " } else { "" };
        return Output::new(
            format!("{pages}{rows} rows and {entries} index entries: all is well"),
            view,
        );
    }
    let mends = match (more, *pages) {
        (0, true) => String::new(),
        (0, false) => "Stop the server to have the pages of the file checked too. ".to_owned(),
        (more, _) => format!("{more} more are not listed. "),
    };
    let remedies: BTreeSet<&str> = flaws.iter().map(|flaw| flaw.remedy.as_str()).collect();
    let remedies: Vec<&str> = remedies.into_iter().collect();
    tabled(view, COLUMNS, flaws).with_exit(Exit::Failed).with_note(format!(
        "{mends}What mends it: {}. A repair needs the server stopped.",
        remedies.join("; ")
    ))
}

/// The result of a rewriting.
#[derive(Serialize)]
struct RewrittenView {
    /// The file before.
    aside: Option<String>,
    bytes: u64,
    bytes_before: u64,
    left_out: CheckView,
    rows: u64,
}

fn described(rewritten: Rewritten, aside: Option<&Path>) -> Output {
    let Rewritten { rows, left_out, bytes: [before, after] } = rewritten;
    let aside = aside.map(|path| path.display().to_string());
    let left_out = CheckView::new(left_out, true);
    let mut lines = vec![
        ("rows", rows.to_string()),
        ("bytes before", before.to_string()),
        ("bytes", after.to_string()),
    ];
    if let Some(aside) = &aside {
        lines.push(("the file before", aside.clone()));
    }
    lines.extend(left_out.flaws.iter().map(|flaw| ("left out", flaw.sentence.clone())));
    if left_out.more > 0 {
        lines.push(("left out", format!("{} more", left_out.more)));
    }
    let (text, is_whole) = (fields(&lines), left_out.flaws.is_empty());
    let view = RewrittenView { aside, bytes: after, bytes_before: before, left_out, rows };
    let output = Output::new(text, &view);
    if is_whole {
        return output;
    }
    let note = "What is left out is in the file before, if anywhere. A backup may have it.";
    output.with_exit(Exit::Failed).with_note(note)
}

fn failure(error: &OpenError) -> Failure {
    let failure = Failure::new(Exit::from_code(error.exit()), error);
    failure.with_remedy(error.remedy())
}
