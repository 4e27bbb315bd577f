//! `gatelodge link …`, and the other nouns and verbs that print links.

mod invite;
mod recover;

use axum::http::Method;
use clap::{Args, Subcommand};

use crate::admin::link::{LinkRevocation, LinkView, RevokedLinksView, SetupLinkView};

use super::admin_client::{AdminClient, path_of};
use super::confirm::{Confirmation, ask, counted};
use super::event::actor;
use super::output::{Column, Failure, Output, fields, list, word};

pub(super) use invite::{InviteVerb, run as run_invite};
pub(super) use recover::{RECOVER_HELP, Recover, run as run_recover};

const HELP: &str = "\
Examples:
  gatelodge link list --user ada
  gatelodge link revoke 0190163d
  gatelodge link revoke --all --user ada
  gatelodge link revoke --all

A setup link works once, for as long as lifetimes.setup_token says. A new link for a person ends the
one before, and disabling a person ends theirs. Nobody can see a link again: gatelodge user recover
prints another. Links stay in the list for a week after their time.";

/// The verbs of `link`.
#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(super) enum LinkVerb {
    /// List the setup links, and what became of each
    List {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// Show a setup link, without its secret
    Show {
        /// The link, as the list has it, or the beginning of its id
        id: String,
    },
    /// Revoke a setup link that was not used, or every one
    Revoke(Revoke),
}

/// The arguments of `link revoke`.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The link, as the list has it, or the beginning of its id
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// Every link that could be used
    #[arg(long)]
    all: bool,
    /// With --all: only this person's
    #[arg(long, value_name = "USERNAME", requires = "all")]
    user: Option<String>,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Runs `gatelodge link …`.
pub(super) async fn run(verb: LinkVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        LinkVerb::List { user } => {
            const COLUMNS: &[Column<LinkView>] = &[
                Column::id("LINK", |view| word(&view.id)),
                Column::text("FOR", whom),
                Column::text("PURPOSE", |view| word(&view.purpose)),
                Column::text("STATE", |view| word(&view.state)),
                Column::time("CREATED", |view| word(&view.created)),
                Column::extra("BY", |view| word(&actor(&view.made_by))),
                Column::time("UNTIL", |view| word(&view.expires)),
            ];
            let mut links: Vec<LinkView> = admin.list("/api/v1/links", user.as_deref()).await?;
            links.sort_unstable_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
            Ok(list(links, COLUMNS, "There is no setup link, open or lately over."))
        }
        LinkVerb::Show { id } => {
            let view: LinkView = admin.ask(Method::GET, &path_of("links", &id)).await?;
            let text = fields(&[
                ("link", word(&view.id)),
                ("for", whom(&view)),
                ("purpose", word(&view.purpose)),
                ("state", word(&view.state)),
                ("created", word(&view.created)),
                ("made by", word(&actor(&view.made_by))),
                ("good until", word(&view.expires)),
                ("ended", word(&view.ended)),
            ]);
            Ok(Output::new(text, &view))
        }
        LinkVerb::Revoke(revoke) => match revoke.id {
            Some(id) => {
                let view: LinkView = admin.ask(Method::DELETE, &path_of("links", &id)).await?;
                let rows = [("revoked", word(&view.id)), ("for", whom(&view))];
                Ok(Output::new(fields(&rows), &view))
            }
            None => revoke_all(revoke.user, revoke.confirmation, admin).await,
        },
    }
}

async fn revoke_all(
    username: Option<String>,
    confirmation: Confirmation,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    if confirmation.is_asked() {
        let question = match &username {
            Some(username) => format!("revoke the open setup link of {username}?"),
            None => "revoke every open setup link, whoever it is for?".to_owned(),
        };
        ask(&question, admin).await?;
    }
    let asked = LinkRevocation { username };
    let view: RevokedLinksView = admin.send(Method::POST, "/api/v1/links/revoke", &asked).await?;
    let of = |link: &LinkView| format!("{} for {}\n", word(&link.id), whom(link));
    let links: String = view.links.iter().map(of).collect();
    let text = format!("revoked: {}\n{links}", counted(view.links.len(), "link"));
    Ok(Output::new(text, &view))
}

/// Whom a link is for, as one word.
fn whom(view: &LinkView) -> String {
    match (&view.username, view.purpose.as_str()) {
        (Some(username), _) => word(username),
        (None, "first") => "(the first administrator)".to_owned(),
        (None, _) => "(removed)".to_owned(),
    }
}

/// The lines of a link that was just made.
pub(super) fn rows(link: &SetupLinkView) -> [(&'static str, String); 3] {
    [
        ("setup link", word(&link.setup_url)),
        ("link id", word(&link.setup_id)),
        ("good until", word(&link.setup_expires)),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::cli::args::{Args, Verb};
    use crate::cli::output::Exit;

    async fn said(line: &str, admin: &mut AdminClient) -> Result<Output, Failure> {
        let line = ["gatelodge"].into_iter().chain(line.split(' '));
        match Args::try_parse_from(line).unwrap().verb {
            Some(Verb::Invite(verb)) => run_invite(verb, admin).await,
            Some(Verb::Link(verb)) => run(verb, admin).await,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn links_are_listed_seen_and_revoked_one_and_all() {
        let mut admin = AdminClient::memory_with_ada().await;
        admin.add("bob").await;

        let listed = said("link list", &mut admin).await.unwrap();
        let of_bob = said("link list --user bob", &mut admin).await.unwrap();
        let id = of_bob.parts().2["links"][0]["id"].as_str().unwrap().to_owned();
        let one = said(&format!("link show {}", &id[..8]), &mut admin).await.unwrap();
        let revoked = said(&format!("link revoke {id}"), &mut admin).await.unwrap();
        let again = said(&format!("link revoke {id}"), &mut admin).await.err().unwrap();
        let rest = said("link revoke --all --yes", &mut admin).await.unwrap();
        let none = said("link revoke --all --user bob --yes", &mut admin).await.unwrap();

        let (_, text, json, _) = listed.parts();
        assert!(text.starts_with("LINK "), "{text}");
        assert_eq!(json["links"].as_array().unwrap().len(), 2);
        assert_eq!(json["links"][0]["made_by"]["kind"], "operator");
        let json = one.parts().2;
        assert_eq!(
            [&json["id"], &json["username"], &json["purpose"], &json["state"]],
            [&json!(id), &json!("bob"), &json!("new"), &json!("open")]
        );
        assert_eq!(revoked.parts().1, format!("revoked  {id}\nfor      bob\n"));
        assert_eq!(again.exit, Exit::Refused);
        assert!(rest.parts().1.starts_with("revoked: 1 link\n"), "{}", rest.parts().1);
        assert_eq!(none.parts().1, "revoked: 0 links\n");
    }

    #[tokio::test]
    async fn an_invitation_says_for_how_many_and_until_when() {
        let mut admin = AdminClient::memory().await;

        let line = "invite add --uses 20 --until 7d --role user --group staff";
        let added = said(line, &mut admin).await.unwrap();
        let listed = said("invite list", &mut admin).await.unwrap();
        let id = added.parts().2["id"].as_str().unwrap().to_owned();
        let revoked = said(&format!("invite revoke {id} --yes"), &mut admin).await.unwrap();
        let one = said(&format!("invite show {id}"), &mut admin).await.unwrap();
        said("invite add --uses 2 --group staff", &mut admin).await.unwrap();
        let all = said("invite revoke --all --yes", &mut admin).await.unwrap();
        let none = said("invite revoke --all --yes", &mut admin).await.unwrap();
        let long = said("invite add --uses 1 --until 400d", &mut admin).await.err().unwrap();

        let (_, text, json, _) = added.parts();
        assert!(text.starts_with("invitation  http://localhost:7455/setup#gl_in_"), "{text}");
        assert_eq!((&json["uses"], &json["groups"]), (&json!(20), &json!(["staff"])));
        assert!(listed.parts().1.contains("0 of 20"), "{}", listed.parts().1);
        assert_eq!(revoked.parts().2["state"], "revoked");
        assert_eq!(one.parts().2["state"], "revoked");
        let text = all.parts().1;
        assert!(
            text.starts_with("revoked: 1 invitation\n") && text.ends_with(", 0 of 2 used\n"),
            "{text}"
        );
        assert_eq!(none.parts().1, "revoked: 0 invitations\n");
        assert!(long.message.contains("a minute to a year"), "{}", long.message);
    }
}
