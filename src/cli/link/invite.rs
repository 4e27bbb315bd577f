//! `gatelodge invite …`

use axum::http::Method;
use clap::{Args, Subcommand};

use crate::admin::link::invitation::{
    InvitationRequest, InvitationView, NewInvitationView, RevokedInvitationsView,
};
use crate::cli::admin_client::{AdminClient, path_of};
use crate::cli::confirm::{Confirmation, ask, counted};
use crate::cli::event::actor;
use crate::cli::output::{Column, Failure, Output, fields, list, word};
use crate::cli::token::seconds;

const HELP: &str = "\
Examples:
  gatelodge invite add --uses 20 --until 7d --group staff
  gatelodge invite list
  gatelodge invite revoke 0190163d
  gatelodge invite revoke --all

Whoever opens the link of an invitation chooses a username and makes a passkey: an account with the
roles and groups that the invitation says. It is counted when the passkey is made. A revoked
invitation makes no further account, and whoever came by it stays. An invitation lapses when whoever
made it is disabled or removed, or may not give its roles any more.";

/// The verbs of `invite`.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(in crate::cli) enum InviteVerb {
    /// Print a link by which several people make their accounts
    Add(Add),
    /// List the invitations, and how many came by each
    List,
    /// Show an invitation, without its secret
    Show {
        /// The invitation, as the list has it, or the beginning of its id
        id: String,
    },
    /// Revoke an invitation, or every one
    Revoke {
        /// The invitation, as the list has it, or the beginning of its id
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// Every invitation that could be used
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// The arguments of `invite add`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// How many people may come by it
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    uses: u32,
    /// How long it is open, such as 90m, 24h or 7d; a week without it
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    until: Option<u64>,
    /// A role of whoever comes by it; repeat it for more. Without one they are users
    #[arg(long)]
    role: Vec<String>,
    /// A group of whoever comes by it; repeat it for more
    #[arg(long)]
    group: Vec<String>,
}

const NOTE: &str = "Whoever has this link can make an account until it is used up, so send it only to those it is \
     for. It is printed this once; gatelodge invite revoke ends it.";

/// Runs `gatelodge invite …`.
pub(in crate::cli) async fn run(
    verb: InviteVerb,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    match verb {
        InviteVerb::Add(Add { uses, until, role, group }) => {
            let asked = InvitationRequest { groups: group, lifetime: until, roles: role, uses };
            let view: NewInvitationView =
                admin.send(Method::POST, "/api/v1/invitations", &asked).await?;
            let mut rows = vec![("invitation", word(&view.invitation_url))];
            rows.extend(described(&view.invitation));
            let output = Output::new(fields(&rows), &view).with_note(NOTE);
            Ok(output.with_qr_code(&view.invitation_url))
        }
        InviteVerb::List => {
            const COLUMNS: &[Column<InvitationView>] = &[
                Column::id("INVITATION", |view| word(&view.id)),
                Column::text("USED", used),
                Column::text("STATE", |view| word(&view.state)),
                Column::text("ROLES", |view| word(&view.roles)),
                Column::text("GROUPS", |view| word(&view.groups)),
                Column::time("CREATED", |view| word(&view.created)),
                Column::extra("BY", |view| word(&actor(&view.made_by))),
                Column::time("UNTIL", |view| word(&view.expires)),
            ];
            let mut all: Vec<InvitationView> = admin.list("/api/v1/invitations", None).await?;
            // Those that can be used come first.
            let order =
                |own: &InvitationView| (own.state != "open", own.created.clone(), own.id.clone());
            all.sort_unstable_by_key(order);
            Ok(list(all, COLUMNS, "There is no invitation, open or lately over."))
        }
        InviteVerb::Show { id } => {
            let view: InvitationView = admin.ask(Method::GET, &path_of("invitations", &id)).await?;
            Ok(Output::new(fields(&described(&view)), &view))
        }
        InviteVerb::Revoke { id: None, confirmation, .. } => revoke_all(confirmation, admin).await,
        InviteVerb::Revoke { id: Some(mut id), confirmation, .. } => {
            if confirmation.is_asked() {
                let view: InvitationView =
                    admin.ask(Method::GET, &path_of("invitations", &id)).await?;
                let question = format!(
                    "revoke the invitation {}, by which {} people have come?",
                    view.id,
                    used(&view)
                );
                ask(&question, admin).await?;
                id = view.id;
            }
            let view: InvitationView =
                admin.ask(Method::DELETE, &path_of("invitations", &id)).await?;
            let rows = [("revoked", word(&view.id)), ("used", used(&view))];
            Ok(Output::new(fields(&rows), &view))
        }
    }
}

async fn revoke_all(
    confirmation: Confirmation,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    if confirmation.is_asked() {
        ask("revoke every open invitation?", admin).await?;
    }
    let path = "/api/v1/invitations/revoke";
    let view: RevokedInvitationsView = admin.ask(Method::POST, path).await?;
    let of = |own: &InvitationView| format!("{}, {} used\n", word(&own.id), used(own));
    let each: String = view.invitations.iter().map(of).collect();
    let text = format!("revoked: {}\n{each}", counted(view.invitations.len(), "invitation"));
    Ok(Output::new(text, &view))
}

fn used(view: &InvitationView) -> String {
    format!("{} of {}", view.used, view.uses)
}

fn described(view: &InvitationView) -> Vec<(&'static str, String)> {
    vec![
        ("id", word(&view.id)),
        ("used", used(view)),
        ("state", word(&view.state)),
        ("roles", word(&view.roles)),
        ("groups", word(&view.groups)),
        ("created", word(&view.created)),
        ("made by", word(&actor(&view.made_by))),
        ("good until", word(&view.expires)),
        ("revoked at", word(&view.revoked)),
    ]
}
