//! `gatelodge connection …`

use axum::http::Method;
use clap::Subcommand;

use crate::admin::connection::ConnectionView;
use crate::cli::admin_client::{AdminClient, path_of};
use crate::cli::confirm::{Confirmation, ask};
use crate::cli::output::{Column, Failure, Output, fields, list, word};

const HELP: &str = "\
Examples:
  gatelodge connection list --user ada
  gatelodge connection end ada:shop

A connection is what a person lets an application do: its grants in force, and the consent that is
remembered. Its end is what the person does by \"Disconnect\" on their account page: every token ends at
once, and the application asks the next time. One of yours (--first-party) never asks.";

/// The verbs of `connection`.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(in crate::cli) enum ConnectionVerb {
    /// List which applications people let in, by a grant or a remembered consent
    List {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// End all that a person let an application do, so that it asks again
    End {
        /// The person, a colon and the application: each by its name or its id
        #[arg(value_name = "USERNAME:CLIENT")]
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Runs `gatelodge connection …`.
pub(in crate::cli) async fn run(
    verb: ConnectionVerb,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    match verb {
        ConnectionVerb::List { user } => {
            const COLUMNS: &[Column<ConnectionView>] = &[
                Column::id("USERNAME", |view| word(&view.username)),
                Column::id("CLIENT ID", |view| word(&view.client_id)),
                Column::text("SCOPE", |view| word(&view.scope)),
                Column::extra("RESOURCES", |view| word(&view.resources)),
                Column::extra("OFFLINE", |view| word(&view.offline)),
                Column::text("REMEMBERED", |view| word(&view.remembered)),
                Column::time("SINCE", |view| word(&view.since)),
                Column::time("USED", |view| word(&view.used)),
            ];
            let mut views: Vec<ConnectionView> =
                admin.list("/api/v1/connections", user.as_deref()).await?;
            let key = |view: &ConnectionView| (view.username.clone(), view.client_id.clone());
            views.sort_by_cached_key(key);
            Ok(list(views, COLUMNS, "Nobody lets any application in."))
        }
        ConnectionVerb::End { mut id, confirmation } => {
            if confirmation.is_asked() {
                let path = path_of("connections", &id);
                let found: ConnectionView = admin.ask(Method::GET, &path).await?;
                let ConnectionView { client_id, client_name, username, .. } = found;
                let question = format!(
                    "end all that {username} let {client_id} ({client_name}) do, with every token?"
                );
                ask(&question, admin).await?;
                id = found.id;
            }
            let path = path_of("connections", &id);
            let ended: ConnectionView = admin.ask(Method::DELETE, &path).await?;
            let text = fields(&[
                ("ended", word(&ended.id)),
                ("username", word(&ended.username)),
                ("client_id", word(&ended.client_id)),
                ("client_name", word(&ended.client_name)),
            ]);
            Ok(Output::new(text, &ended))
        }
    }
}
