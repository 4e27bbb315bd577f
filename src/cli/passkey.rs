//! `gatelodge passkey …`

use axum::http::Method;
use clap::Subcommand;

use crate::admin::passkey::{PasskeyPatch, PasskeyView, RemovedPasskeyView};

use super::admin_client::{AdminClient, path_of};
use super::confirm::{Confirmation, ask};
use super::output::{Column, Failure, Output, fields, list, word};

const HELP: &str = "\
Examples:
  gatelodge passkey list --user ada
  gatelodge passkey rename 0190163d \"Ada's laptop\"
  gatelodge passkey remove 0190163d

Whoever signs in with a removed passkey is told that it was removed, and their browser may forget
it. Sessions that it opened go on: gatelodge session revoke ends one. A person without passkeys
needs a link: gatelodge user recover.";

/// The verbs of `passkey`.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(super) enum PasskeyVerb {
    /// List the passkeys
    List {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// Show a passkey
    Show {
        /// The passkey: its id, the beginning of the id, or its name
        id: String,
    },
    /// Give a passkey another name
    Rename {
        /// The passkey: its id, the beginning of the id, or its name
        id: String,
        /// The name, which no other passkey of its owner has
        name: String,
    },
    /// Remove a passkey, which opens nothing from then on
    Remove {
        /// The passkey: its id, the beginning of the id, or its name
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Runs `gatelodge passkey …`.
pub(super) async fn run(verb: PasskeyVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        PasskeyVerb::List { user } => {
            const COLUMNS: &[Column<PasskeyView>] = &[
                Column::id("PASSKEY", |view| word(&view.id)),
                Column::text("USERNAME", |view| word(&view.username)),
                Column::text("NAME", |view| word(&view.name)),
                Column::extra("PRODUCT", |view| word(&view.product)),
                Column::text("SYNCED", |view| word(&view.synced)),
                Column::extra("TRANSPORTS", |view| word(&view.transports)),
                Column::time("CREATED", |view| word(&view.created)),
                Column::time("USED", |view| word(&view.used)),
            ];
            let mut passkeys: Vec<PasskeyView> =
                admin.list("/api/v1/passkeys", user.as_deref()).await?;
            passkeys.sort_unstable_by(|a, b| {
                (&a.username, &a.created, &a.id).cmp(&(&b.username, &b.created, &b.id))
            });
            Ok(list(passkeys, COLUMNS, "Nobody has a passkey."))
        }
        PasskeyVerb::Show { id } => {
            let view: PasskeyView = admin.ask(Method::GET, &path_of("passkeys", &id)).await?;
            Ok(Output::new(described(&view), &view))
        }
        PasskeyVerb::Rename { id, name } => {
            let path = path_of("passkeys", &id);
            let view: PasskeyView =
                admin.send(Method::PATCH, &path, &PasskeyPatch { name }).await?;
            Ok(Output::new(described(&view), &view))
        }
        PasskeyVerb::Remove { mut id, confirmation } => {
            if confirmation.is_asked() {
                let view: PasskeyView = admin.ask(Method::GET, &path_of("passkeys", &id)).await?;
                let question = format!(
                    "remove the passkey {} of {}, which then opens nothing?",
                    view.name,
                    word(&view.username)
                );
                ask(&question, admin).await?;
                id = view.id;
            }
            let path = path_of("passkeys", &id);
            let removed: RemovedPasskeyView = admin.ask(Method::DELETE, &path).await?;
            let PasskeyView { id, name, username, .. } = &removed.passkey;
            let rows = [
                ("removed", word(id)),
                ("name", word(name)),
                ("username", word(username)),
                ("left", word(&removed.left)),
            ];
            let output = Output::new(fields(&rows), &removed);
            Ok(match (removed.left, username) {
                (0, Some(username)) => output.with_note(format!(
                    "{username} has no passkey now: gatelodge user recover {username}"
                )),
                (_, _) => output,
            })
        }
    }
}

fn described(view: &PasskeyView) -> String {
    fields(&[
        ("passkey", word(&view.id)),
        ("username", word(&view.username)),
        ("name", word(&view.name)),
        ("product", word(&view.product)),
        ("aaguid", word(&view.aaguid)),
        ("synced", word(&view.synced)),
        ("syncable", word(&view.syncable)),
        ("transports", word(&view.transports)),
        ("created", word(&view.created)),
        ("used", word(&view.used)),
    ])
}
