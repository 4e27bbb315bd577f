//! `gatelodge grant …` and `gatelodge connection …`

mod connection;

use axum::http::Method;
use clap::Subcommand;

use crate::admin::grant::GrantView;

use super::admin_client::{AdminClient, path_of};
use super::confirm::{Confirmation, ask};
use super::output::{Column, Failure, Output, fields, list, word};

pub(super) use connection::{ConnectionVerb, run as run_connection};

const HELP: &str = "\
Examples:
  gatelodge grant list --user ada
  gatelodge grant revoke 0190163d-8694-439b-aea5-966c26f8ad91
  gatelodge grant revoke 0190163d

A revoked grant takes its refresh token and every access token with it. A consent that is remembered
stays, so that the application gets another grant without a question: `gatelodge connection end` ends
that, too.";

/// The verbs of `grant`.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(super) enum GrantVerb {
    /// List what people allowed which client
    List {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// End a grant with every token under it
    Revoke {
        /// The grant, as the list has it, or the beginning of its id
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Runs `gatelodge grant …`.
pub(super) async fn run(verb: GrantVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        GrantVerb::List { user } => {
            const COLUMNS: &[Column<GrantView>] = &[
                Column::id("GRANT", |view| word(&view.id)),
                Column::text("USERNAME", |view| word(&view.username)),
                Column::id("CLIENT ID", |view| word(&view.client_id)),
                Column::text("SCOPE", |view| word(&view.scope)),
                Column::extra("RESOURCES", |view| word(&view.resources)),
                Column::extra("OFFLINE", |view| word(&view.offline)),
                Column::extra("MADE BY", |view| {
                    if view.by_operator { "operator" } else { "person" }.to_owned()
                }),
                Column::time("CREATED", |view| word(&view.created)),
                Column::time("EXPIRES", |view| word(&view.expires)),
            ];
            let mut grants: Vec<GrantView> = admin.list("/api/v1/grants", user.as_deref()).await?;
            grants.sort_unstable_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
            Ok(list(grants, COLUMNS, "No grant is in force."))
        }
        GrantVerb::Revoke { mut id, confirmation } => {
            if confirmation.is_asked() {
                let grant: GrantView = admin.ask(Method::GET, &path_of("grants", &id)).await?;
                let GrantView { client_id, client_name, username, .. } = grant;
                let question = format!(
                    "end what {username} allowed {client_id} ({client_name}) by the grant {}, with \
                     every token under it?",
                    grant.id
                );
                ask(&question, admin).await?;
                id = grant.id;
            }
            let revoked: GrantView = admin.ask(Method::DELETE, &path_of("grants", &id)).await?;
            let text = fields(&[
                ("revoked", word(&revoked.id)),
                ("username", word(&revoked.username)),
                ("client_id", word(&revoked.client_id)),
                ("client_name", word(&revoked.client_name)),
            ]);
            Ok(Output::new(text, &revoked))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Exit;

    #[tokio::test]
    async fn no_grant_is_a_remark_and_an_unknown_one_an_error() {
        let mut admin = AdminClient::memory().await;

        let none = run(GrantVerb::List { user: None }, &mut admin).await.unwrap();
        let unknown = run(
            GrantVerb::Revoke { id: "g/1".into(), confirmation: Confirmation::default() },
            &mut admin,
        )
        .await;

        assert_eq!(none.parts().3, Some("No grant is in force."));
        assert_eq!(unknown.err().map(|failure| failure.exit), Some(Exit::NotFound));
    }
}
