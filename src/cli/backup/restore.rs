//! `gatelodge restore`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

use clap::Args;
use serde::Serialize;

use super::passphrase::OpeningArgs;
use crate::app::backup::{
    Asked, Ending, KeyStanding, Report, RestoreError, key_standing, plain, recognised, restore,
    verify,
};
use crate::cli::confirm::{Confirmation, ask_here};
use crate::cli::output::{Exit, Failure, Output, fields, printable};
use crate::config::Config;

pub(in crate::cli) const HELP: &str = "\
Examples:
  gatelodge restore gatelodge.backup
      into a data directory without a store; the key file of the backup lies there already
  gatelodge restore gatelodge.backup --check
      says whether it is whole, and what it is a backup of; nothing is changed
  gatelodge restore gatelodge.backup --replace
      over a store, which is moved aside; stop the server before
  gatelodge restore keep.backup.age --identity key.txt

Whoever was signed in when the backup was made still is. With --replace, what ended since then stays
ended, as far as the store that is there tells: removed people, passkeys, clients, sessions and grants.
Groups, roles, names and settings are those of the backup. What was made after it is gone, and whoever
has a token of that signs in anew.";

/// The arguments of `restore`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// The backup, or - for standard input
    #[arg(value_name = "FILE|-")]
    file: String,
    /// Only say whether it is whole
    #[arg(long, conflicts_with_all = ["replace", "end_all"])]
    check: bool,
    #[command(flatten)]
    confirmation: Confirmation,
    /// End every session, grant, token and link: for a store that cannot tell what ended
    #[arg(long)]
    end_all: bool,
    #[command(flatten)]
    opening: OpeningArgs,
    /// Restore it over the store that is there, which is moved aside
    #[arg(long)]
    replace: bool,
}

#[derive(Serialize)]
struct CheckView {
    created: String,
    issuer: String,
    /// Whether the root secrets that are here open it.
    key_fits: bool,
    rows: u64,
    schema: u32,
    version: String,
    with_key: bool,
}

#[derive(Serialize)]
struct RestoreView {
    aside: Option<String>,
    /// How many rows that were removed since the backup are back, by table: what operators set.
    back: BTreeMap<&'static str, u64>,
    created: String,
    /// How many rows of the backup ended after it, by table.
    ended: BTreeMap<&'static str, u64>,
    /// Those that have a name: the table, and the name.
    ended_names: Vec<(&'static str, String)>,
    /// The people who have roles again that they no longer had.
    roles_again: Vec<(String, String)>,
    rows: u64,
    /// Why the store before could not tell what ended.
    silent: Option<String>,
    wrote_key: bool,
}

/// Runs `gatelodge restore`.
pub(in crate::cli) async fn run(args: RestoreArgs, config: &Config) -> Result<Output, Failure> {
    let RestoreArgs { file, check, confirmation, end_all, opening, replace } = args;
    let unread =
        |error: io::Error| Failure::new(Exit::Usage, format!("cannot read {file}: {error}"));
    let (closed, input) = recognised(input(&file)?).map_err(unread)?;
    let opening = opening.read(closed)?;
    let input = plain(closed, input, opening.as_ref()).map_err(|error| failure(&error.into()))?;
    if check {
        return checked(input, config).map_err(|error| failure(&error));
    }
    if replace && confirmation.is_asked() {
        let store = config.places.store();
        let question = format!("replace the store {} by the backup?", store.display());
        if !ask_here(&question).await? {
            return Err(Failure::new(Exit::Refused, "nothing is done"));
        }
    }
    let ending = if end_all { Ending::All } else { Ending::Known };
    let asked = Asked { ending, replaces: replace };
    let report = restore(config.clone(), input, asked).await.map_err(|error| failure(&error))?;
    Ok(described(report, end_all))
}

fn input(file: &str) -> Result<Box<dyn BufRead>, Failure> {
    if file == "-" {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    match File::open(file) {
        Ok(open) => Ok(Box::new(BufReader::with_capacity(64 * 1024, open))),
        Err(error) => Err(Failure::new(Exit::Usage, format!("cannot read {file}: {error}"))),
    }
}

fn checked(input: Box<dyn BufRead>, config: &Config) -> Result<Output, RestoreError> {
    let (header, rows) = verify(input)?;
    let key = key_standing(config, &header);
    let view = CheckView {
        created: header.created,
        issuer: header.issuer,
        key_fits: key == KeyStanding::Own,
        rows,
        schema: header.schema,
        version: header.version,
        with_key: header.root_secrets.is_some(),
    };
    let lines = [
        ("the backup", "is whole".to_owned()),
        ("of", view.created.clone()),
        ("issuer", printable(&view.issuer)),
        ("rows", view.rows.to_string()),
        ("version", printable(&view.version)),
        ("root secret", if view.with_key { "in it" } else { "not in it" }.to_owned()),
        ("root secret here", described_key(key).to_owned()),
    ];
    Ok(Output::new(fields(&lines), &view))
}

fn described_key(key: KeyStanding) -> &'static str {
    match key {
        KeyStanding::Missing => "there is none that can be read",
        KeyStanding::Other => "is not all that it needs",
        KeyStanding::Own => "opens it",
    }
}

fn described(report: Report, end_all: bool) -> Output {
    let Report { aside, created, silent, restored, wrote_key } = report;
    let aside = aside.map(|path| path.display().to_string());
    let mut lines = vec![("restored", created.clone()), ("rows", restored.rows.to_string())];
    if let Some(aside) = &aside {
        lines.push(("the store before", aside.clone()));
    }
    if wrote_key {
        lines.push(("root secret", "written to the key file".to_owned()));
    }
    let ended = restored.ended.iter().map(|(table, rows)| ("ended", format!("{rows} {table}")));
    lines.extend(ended);
    let named = restored.named.iter().map(|(table, name)| ("ended", format!("{table}: {name}")));
    lines.extend(named);
    let back = restored.back.iter().map(|(table, rows)| ("back again", format!("{rows} {table}")));
    lines.extend(back);
    let roles = restored.roles.iter();
    lines
        .extend(roles.map(|(name, roles)| ("back again", format!("the roles of {name}: {roles}"))));
    let view = RestoreView {
        aside,
        back: restored.back,
        created,
        ended: restored.ended,
        ended_names: restored.named,
        roles_again: restored.roles,
        rows: restored.rows,
        silent,
        wrote_key,
    };
    let output = Output::new(fields(&lines), &view);
    match &view.silent {
        Some(why) => output.with_note(undone(why, end_all)),
        None => output,
    }
}

/// What a store that could not tell what ended means.
fn undone(why: &str, end_all: bool) -> String {
    let (undone, more) = if end_all {
        ("removals", "")
    } else {
        (
            "removals and revocations",
            ", or restore once more with --replace --end-all, which ends every session, grant, token \
             and link",
        )
    };
    format!(
        "the store before does not tell what ended ({why}): {undone} since the backup are undone; look \
         at gatelodge passkey list and gatelodge user list for what had been removed{more}"
    )
}

fn failure(error: &RestoreError) -> Failure {
    Failure::new(Exit::from_code(error.exit()), error).with_remedy(error.remedy())
}
