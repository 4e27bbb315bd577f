//! `gatelodge export` and `gatelodge import`

mod authelia;
mod dex;
mod export;
mod foreign;
mod keycloak;
mod pocket_id;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::Method;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::admin::apply::{ApplyRequest, ApplyView};
use crate::admin::exchange::{ImportView, InvitedView, MAX_LINES, NoteView};
use crate::error::shell_word;

use super::admin_client::AdminClient;
use super::input;
use super::output::{Exit, Failure, Output, Terminal, fields, printable};
use super::user::LINK_NOTE;
use export::{Target, Written};
use foreign::Converter;
use source::Source;

pub(super) const EXPORT_HELP: &str = "\
Examples:
  gatelodge export house.jsonl
      write everything that another version or machine can take into a new file
  gatelodge export - | ssh other gatelodge import -
      the same, straight into another installation

It is one object of JSON a line: scopes, roles, resources, clients, people, passkeys, recovery codes,
devices, consents, links and invitations. Secrets are in it as hashes. Those that the server made hold
under the same root secret alone (gatelodge paths says where its key lies), and passkeys at the same
host. The file is as private as the store. Sessions, grants, tokens, signing keys and events stay.";

pub(super) const IMPORT_HELP: &str = "\
Examples:
  gatelodge import house.jsonl --dry-run
      say what would come in, and what would not
  gatelodge import house.jsonl --links
      take it, and print a setup link for whoever has no passkey
  gatelodge import --from dex config.yaml
  gatelodge import --from authelia configuration.yml users_database.yml
  gatelodge import --from keycloak realm-export.json
  unzip -p pocket-id-export.zip database.json | gatelodge import --from pocket-id -

All of it is taken, or, if something is wrong with it, nothing. What is here already and equal stays,
and what differs is refused. What cannot come along is listed, with what to do about it: passwords,
and secrets that another server has hashed. People make passkeys here, by setup links.";

/// The time within which a running server must have imported a file, or sent a part of an export.
const TIMEOUT: Duration = Duration::from_mins(10);

/// The arguments of `export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The new file, or - for standard output
    #[arg(default_value = "-")]
    file: String,
}

/// The arguments of `import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file, or - for standard input; of another server there may be several
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Whose files they are, if not those of gatelodge export
    #[arg(long, value_name = "SERVER")]
    from: Option<Server>,
    /// Say what would come in, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print a setup link for whoever has no passkey in the end
    #[arg(long)]
    links: bool,
}

/// A server whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Server {
    /// Its configuration and its database of users
    Authelia,
    /// Its configuration
    Dex,
    /// The export of a realm
    Keycloak,
    /// The database.json of its export
    PocketId,
}

/// What the files have.
pub(super) enum Found {
    /// A document that is applied, and what does not come along.
    Document(Map<String, Value>, Vec<NoteView>),
    /// The lines of an export.
    Lines(Vec<u8>),
}

/// What was exported.
#[derive(Serialize)]
struct ExportView {
    bytes: u64,
    file: String,
    lines: u64,
}

/// Runs `gatelodge export`.
pub(super) async fn export(args: ExportArgs, admin: &mut AdminClient) -> Result<Output, Failure> {
    let ExportArgs { file } = args;
    let (mut target, mut written) = (Target::open(&file)?, Written::default());
    let path = "/api/v1/export";
    admin.download(TIMEOUT, path, |part| target.add(part, &mut written)).await?;
    if !written.is_whole() {
        return Err(Failure::new(Exit::Failed, "the export broke off before its end"));
    }
    let is_file = matches!(target, Target::File { .. });
    target.finish()?;
    if !is_file {
        return Ok(Output::nothing());
    }
    let Written { bytes, lines, .. } = written;
    let rows =
        [("file", printable(&file)), ("lines", lines.to_string()), ("bytes", bytes.to_string())];
    let note =
        "It has what people and clients sign in with, as hashes: keep it as you keep the store.";
    Ok(Output::new(fields(&rows), &ExportView { bytes, file, lines }).with_note(note))
}

/// Reads the files of an import.
pub(super) fn read(args: &ImportArgs) -> Result<Found, Failure> {
    let Some(server) = args.from else {
        let [file] = args.files.as_slice() else {
            let why = "one export is imported at a time; --from names whose several files are";
            return Err(Failure::new(Exit::Usage, why));
        };
        return input::bytes(file, MAX_LINES as u64).map(Found::Lines);
    };
    let mut into = Converter::default();
    for file in &args.files {
        match server {
            Server::Authelia => authelia::convert(&Source::yaml(file)?, &mut into)?,
            Server::Dex => dex::convert(&Source::yaml(file)?, &mut into)?,
            Server::Keycloak => keycloak::convert(&Source::json(file)?, &mut into)?,
            Server::PocketId => pocket_id::convert(&Source::json(file)?, &mut into)?,
        }
    }
    let (document, notes) = into.finish();
    Ok(Found::Document(document, notes))
}

/// Runs `gatelodge import`.
pub(super) async fn import(
    args: ImportArgs,
    found: Found,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    let ImportArgs { dry_run, links, .. } = args;
    let view: ImportView = match found {
        Found::Lines(lines) => {
            let path = format!("/api/v1/import?dry_run={dry_run}&links={links}");
            admin.upload(TIMEOUT, &path, lines).await?
        }
        Found::Document(document, notes) => {
            let count = |section: &str| document.get(section)?.as_object().map(Map::len);
            let all = ["clients", "users"].into_iter().filter_map(count).sum();
            let disabled = disabled_in(&document);
            let request = ApplyRequest { document, dry_run, import: true, prune: false };
            let applied =
                admin.send_within(TIMEOUT, Method::POST, "/api/v1/apply", &request).await?;
            of_applied(applied, all, &disabled, links, notes)
        }
    };
    Ok(output(&view))
}

/// The people of a document who are disabled.
fn disabled_in(document: &Map<String, Value>) -> BTreeSet<String> {
    let users = document.get("users").and_then(Value::as_object).into_iter().flatten();
    let disabled = users.filter(|(_, members)| members.get("disabled") == Some(&Value::Bool(true)));
    disabled.map(|(username, _)| username.clone()).collect()
}

/// The same view of a document of `all` objects that was applied.
fn of_applied(
    applied: ApplyView,
    all: usize,
    disabled: &BTreeSet<String>,
    with_links: bool,
    mut notes: Vec<NoteView>,
) -> ImportView {
    let mut added = BTreeMap::new();
    let (mut links, mut without_passkey) = (Vec::new(), Vec::new());
    let unchanged = all.saturating_sub(applied.changes.len());
    for change in applied.changes {
        let kind = if change.noun == "user" { "person".to_owned() } else { change.noun.clone() };
        *added.entry(kind).or_insert(0) += 1;
        match change.link {
            // A link for somebody who is disabled is over.
            _ if disabled.contains(&change.name) => {}
            Some(link) if with_links => links.push(InvitedView { link, username: change.name }),
            _ if change.noun == "user" => without_passkey.push(change.name),
            _ => {}
        }
        if let Some(id) = change.unseen_secret.filter(|_| !applied.dry_run) {
            let about = format!("client {id}");
            if !notes
                .iter()
                .any(|note| note.about == about && note.sentence.contains("rotate-secret"))
            {
                let sentence = format!(
                    "nobody has seen its secret: gatelodge client rotate-secret {} prints one",
                    shell_word(&id)
                );
                notes.push(NoteView { about, sentence });
            }
        }
    }
    ImportView { added, dry_run: applied.dry_run, links, notes, unchanged, without_passkey }
}

fn output(view: &ImportView) -> Output {
    let counted: Vec<_> = view
        .added
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.replace('_', " ")))
        .collect();
    let mut text = match counted.as_slice() {
        [] => "new: nothing\n".to_owned(),
        counted => format!("new: {}\n", counted.join(", ")),
    };
    text.push_str(&format!("unchanged: {}\n", view.unchanged));
    for NoteView { about, sentence } in &view.notes {
        text.push_str(&format!("! {}: {}\n", printable(about), printable(sentence)));
    }
    let mut remarks = Vec::new();
    if view.dry_run {
        remarks.push("Nothing was written, as --dry-run says.".to_owned());
    }
    if !view.without_passkey.is_empty() {
        let names: Vec<_> = view.without_passkey.iter().map(|name| printable(name)).collect();
        remarks.push(format!(
            "Without a passkey: {}. gatelodge user recover NAME prints a setup link; --links prints all.",
            names.join(", ")
        ));
    }
    if !view.links.is_empty() {
        remarks.push(LINK_NOTE.to_owned());
    }
    let blocks: Vec<_> = view.links.iter().map(block).collect();
    let whole: String = blocks.iter().map(|(text, _)| text.as_str()).collect();
    let output = Output::new(format!("{text}{whole}"), view);
    let output = if blocks.is_empty() {
        output
    } else {
        let with_code =
            |terminal: &Terminal, (text, url): (String, String)| text + &terminal.qr_code(&url);
        output.with_terminal_text(move |terminal| {
            let blocks: String =
                blocks.into_iter().map(|block| with_code(terminal, block)).collect();
            (text + &blocks, None)
        })
    };
    if remarks.is_empty() { output } else { output.with_note(remarks.join("\n")) }
}

/// The lines about a setup link, and its URL.
fn block(invited: &InvitedView) -> (String, String) {
    let InvitedView { link, username } = invited;
    let text = format!(
        "{}\n    setup link  {}\n    good until  {}\n",
        printable(username),
        printable(&link.setup_url),
        printable(&link.setup_expires)
    );
    (text, link.setup_url.clone())
}
