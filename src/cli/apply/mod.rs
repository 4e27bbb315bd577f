//! `gatelodge apply -f FILE`

mod file;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use clap::Args;
use serde_json::Value;

use crate::admin::apply::{ApplyRequest, ApplyView, ChangeKind, ChangeView, MemberView};

use super::admin_client::AdminClient;
use super::confirm::{Confirmation, ask};
use super::output::{Failure, Output, Terminal, printable};
use super::user::LINK_NOTE;

pub(super) use file::File;

pub(super) const HELP: &str = "\
Examples:
  gatelodge apply -f house.toml
      do what the file says, and tell what has changed; the second time nothing does
  gatelodge apply -f house.toml --dry-run
      tell it, and change nothing
  gatelodge apply -f house.toml --prune
      also remove what an earlier apply made and the file does not name any more
  gatelodge serve --apply house.toml
      the same at each start of the server, before it listens

The file is TOML, with a table for each thing by its name:
  [scopes.\"orders:read\"]          description, open
  [roles.clerk]                   scopes
  [resources.\"https://api.example\"]
                                  name, scopes, open, typ, client, introspect, accepts_bridge
  [clients.shop]                  name, redirect_uris, scopes, groups, secret_file or secret_env,
                                  jwks_file, and every other setting as client show --json calls it
  [users.ada]                     display_name, email, email_verified, roles, groups, claims, disabled
  [groups.staff]                  members: all of them
What a table leaves out stays as it is, and an empty text takes a setting back. All of the file is
applied, or, if something is wrong with it, nothing. A secret is in a file of its own or in a variable.";

/// The time within which a running server must have applied a file: each secret takes it a while.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The most removals that a question names.
const MAX_NAMED: usize = 10;

/// The arguments of `apply`.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The file, or - for standard input
    #[arg(short, long, value_name = "FILE")]
    pub(super) file: String,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove what an earlier apply made and the file does not name
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Runs `gatelodge apply`.
pub(super) async fn run(
    args: ApplyArgs,
    file: File,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    let ApplyArgs { dry_run, prune, confirmation, .. } = args;
    if prune && !dry_run && confirmation.is_asked() {
        let tried = send(&file, true, true, admin).await?;
        if let Some(question) = question(&tried) {
            ask(&question, admin).await?;
        }
    }
    Ok(output(&send(&file, dry_run, prune, admin).await?))
}

/// Applies a file before the server listens. The log has what changed, without values.
pub(super) async fn before_listening(file: &File, admin: &mut AdminClient) -> Result<(), Failure> {
    let view = send(file, false, false, admin).await?;
    for change in &view.changes {
        let ChangeView { name, noun, .. } = change;
        tracing::info!(change = %heading(change), "applied");
        if change.link.is_some() {
            tracing::info!(name, "gatelodge user recover NAME prints their setup link");
        }
        if let Some(client) = &change.unseen_secret {
            tracing::info!(client, noun, "gatelodge client rotate-secret CLIENT prints a secret");
        }
    }
    Ok(())
}

async fn send(
    file: &File,
    dry_run: bool,
    prune: bool,
    admin: &mut AdminClient,
) -> Result<ApplyView, Failure> {
    let document = file.document.clone();
    let request = ApplyRequest { document, dry_run, import: false, prune };
    let applied = admin.send_within(TIMEOUT, Method::POST, "/api/v1/apply", &request).await;
    applied.map_err(|failure| failure.placed(|at| file.place(at)))
}

/// What is asked before something is removed, if anything is.
fn question(view: &ApplyView) -> Option<String> {
    let removed: Vec<_> =
        view.changes.iter().filter(|change| change.change == ChangeKind::Removed).collect();
    let named = removed.iter().take(MAX_NAMED);
    let mut named: Vec<_> =
        named.map(|change| format!("{} {}", change.noun, change.name)).collect();
    if removed.len() > MAX_NAMED {
        named.push(format!("{} more", removed.len() - MAX_NAMED));
    }
    let all = named.join(", ");
    (!removed.is_empty()).then(|| format!("remove {all}, and everything that is theirs?"))
}

fn output(view: &ApplyView) -> Output {
    let mut text: String = view.changes.iter().map(lines).collect();
    if view.changes.is_empty() {
        text.push_str("nothing to change\n");
    }
    let mut notes = Vec::new();
    if view.dry_run {
        notes.push("Nothing was written, as --dry-run says.".to_owned());
    }
    if view.changes.iter().any(|change| change.link.is_some()) {
        notes.push(LINK_NOTE.to_owned());
    }
    for client in view.changes.iter().filter_map(|change| change.unseen_secret.as_ref()) {
        let client = printable(client);
        notes.push(format!(
            "Nobody has seen the secret of {client}: gatelodge client rotate-secret {client} prints one."
        ));
    }
    let text_of = |change: &ChangeView| {
        let url = change.link.as_ref().map(|link| link.setup_url.clone());
        (lines(change), url)
    };
    let texts: Vec<_> = view.changes.iter().map(text_of).collect();
    let output = if texts.iter().any(|(_, url)| url.is_some()) {
        let with_code = |terminal: &Terminal, (text, url): (String, Option<String>)| {
            text + &url.map_or_else(String::new, |url| terminal.qr_code(&url))
        };
        Output::new(text, view).with_terminal_text(move |terminal| {
            (texts.into_iter().map(|own| with_code(terminal, own)).collect(), None)
        })
    } else {
        Output::new(text, view)
    };
    if notes.is_empty() { output } else { output.with_note(notes.join("\n")) }
}

/// What became of an object, such as `+ client shop`.
fn heading(change: &ChangeView) -> String {
    let sign = match change.change {
        ChangeKind::Added => '+',
        ChangeKind::Changed => '~',
        ChangeKind::Removed => '-',
    };
    format!("{sign} {} {}", change.noun, printable(&change.name))
}

fn lines(change: &ChangeView) -> String {
    let mut text = heading(change);
    let members: Vec<_> = change.members.iter().map(member).collect();
    if !members.is_empty() {
        text.push_str(&format!(": {}", members.join("; ")));
    }
    text.push('\n');
    if let Some(link) = &change.link {
        let (url, until) = (printable(&link.setup_url), printable(&link.setup_expires));
        text.push_str(&format!("    setup link  {url}\n    good until  {until}\n"));
    }
    text
}

fn member(change: &MemberView) -> String {
    let MemberView { after, before, member } = change;
    // A secret has neither.
    if before.is_null() && after.is_null() {
        return format!("{member}: changed");
    }
    printable(&format!("{member}: {} \u{2192} {}", written(before), written(after)))
}

/// A value on one line; one that is not there is `(none)`.
fn written(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(", "),
        Value::Object(members) if members.is_empty() => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    if text.is_empty() { "(none)".to_owned() } else { text }
}

/// Reads the file that `apply` or `serve --apply` names.
pub(super) fn read(file: &str, env: &BTreeMap<String, String>) -> Result<File, Failure> {
    File::read(file, env)
}
