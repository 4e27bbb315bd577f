//! `gatelodge bridge …`

mod certificate;

use axum::http::Method;
use clap::{Args, Subcommand};

use crate::admin::bridge::{
    BridgeTokenRequest, BridgeTokenView, BridgeView, CodeRequest, CodeView, DeviceView,
    HostPreferenceView,
};
use crate::admin::personal_token::{NewPersonalTokenView, PersonalTokenRequest, PersonalTokenView};

use super::admin_client::{AdminClient, path_of};
use super::confirm::{Confirmation, ask};
use super::output::{Column, Failure, Output, fields, list, printable, word};

use certificate::CertificateVerb;

const CODE_HELP: &str = "\
Example:
  gatelodge bridge issue-code ada

Whoever has the code becomes that person for the bridge. It works once, within ten minutes.";

const TOKEN_HELP: &str = "\
Examples:
  gatelodge bridge issue-token ada
  gatelodge bridge issue-token ada --client ci --source pipeline --ttl 600

The token has a session of its own: gatelodge session list shows it, and revoking it ends the token.";

const END_HELP: &str = "\
Examples:
  gatelodge bridge end 0123456789ab
      the device with the personal access token of that id
  gatelodge bridge end desk-1
      the device that has the session of that id, or that name

One act ends all of a device: its personal access token or certificate, its sessions, and its
secret of the hook client. Other devices of its person stay.";

/// The verbs of `bridge`.
#[derive(Debug, Subcommand)]
pub(super) enum BridgeVerb {
    #[command(flatten)]
    Certificate(CertificateVerb),
    /// End a linked device, with everything that it was given
    #[command(after_help = END_HELP)]
    End {
        /// The device: the id of its token or of one of its sessions, as the lists have them, its
        /// name, or the beginning of such an id
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Print a code by which a bridge becomes a person's
    #[command(after_help = CODE_HELP)]
    IssueCode {
        /// Whose
        username: String,
    },
    /// Print a bridge token for a person
    #[command(after_help = TOKEN_HELP)]
    IssueToken(IssueToken),
    /// List the bridges that were heard of within a month; those of the last two minutes are active
    List,
    /// Print a personal access token for a person
    IssuePat(IssuePat),
    /// List the personal access tokens
    Pats {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// Revoke a personal access token, which ends its device
    RevokePat {
        /// The token, as the list has it: its 12 characters that are no secret, or the first of them,
        /// or the name of its device
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// The arguments of `bridge issue-token`.
#[derive(Debug, Args)]
pub(super) struct IssueToken {
    /// Whose
    username: String,
    /// The client that it names (default: `sp_bridge`)
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// What brought it about (default: bridge)
    #[arg(long, value_name = "WORD")]
    source: Option<String>,
    /// How long it lasts, in seconds (default: 3600)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    ttl: Option<u64>,
}

/// The arguments of `bridge issue-pat`.
#[derive(Debug, Args)]
pub(super) struct IssuePat {
    /// Whose
    username: String,
    /// What it is called
    #[arg(long)]
    name: Option<String>,
    /// How many days it lasts (default: 90)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3650))]
    days: Option<u64>,
}

/// Runs `gatelodge bridge …`.
pub(super) async fn run(verb: BridgeVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        BridgeVerb::Certificate(verb) => certificate::run(verb, admin).await,
        BridgeVerb::End { mut id, confirmation } => {
            if confirmation.is_asked() {
                let device: DeviceView =
                    admin.ask(Method::GET, &path_of("bridge/devices", &id)).await?;
                let (name, person) = (&device.name, word(&device.username));
                let question = format!(
                    "end device {} ({name}) of {person}, with everything that it was given?",
                    device.id
                );
                ask(&question, admin).await?;
                id = device.id;
            }
            let ended: DeviceView =
                admin.ask(Method::DELETE, &path_of("bridge/devices", &id)).await?;
            let rows = [
                ("ended", word(&ended.id)),
                ("name", word(&ended.name)),
                ("username", word(&ended.username)),
            ];
            Ok(Output::new(fields(&rows), &ended))
        }
        BridgeVerb::IssueCode { username } => {
            let request = CodeRequest { username };
            let made: CodeView = admin.send(Method::POST, "/api/v1/bridge/codes", &request).await?;
            let note = format!("Good once, until {}.", printable(&made.expires));
            Ok(Output::new(printable(&made.code), &made).with_note(note))
        }
        BridgeVerb::IssueToken(issue) => {
            let request = BridgeTokenRequest {
                client_id: issue.client,
                source: issue.source,
                ttl: issue.ttl,
                username: issue.username,
            };
            let issued: BridgeTokenView =
                admin.send(Method::POST, "/api/v1/bridge/tokens", &request).await?;
            let session = printable(&issued.session_id);
            let note = format!("Good for {} s, in session {session}.", issued.ttl);
            Ok(Output::new(printable(&issued.token), &issued).with_note(note))
        }
        BridgeVerb::List => {
            const COLUMNS: &[Column<BridgeView>] = &[
                Column::id("SESSION", |view| word(&view.session_id)),
                Column::text("USERNAME", |view| word(&view.username)),
                Column::text("HOST", |view| word(&view.hostname)),
                Column::extra("VERSION", |view| word(&view.bridge_version)),
                Column::extra("SYSTEM", |view| word(&view.os)),
                Column::text("ACTIVE", |view| word(&view.active)),
                Column::extra_time("FIRST SEEN", |view| word(&view.first_seen)),
                Column::time("LAST SEEN", |view| word(&view.last_seen)),
                Column::extra("FORWARDED", |view| word(&view.forwarded_total)),
                Column::extra("TOKENS IN", |view| word(&view.tokens_in_total)),
                Column::extra("TOKENS OUT", |view| word(&view.tokens_out_total)),
                Column::extra("HOSTS", |view| preferences(&view.hosts)),
            ];
            let mut bridges: Vec<BridgeView> = admin.list("/api/v1/bridge", None).await?;
            bridges.sort_unstable_by(|a, b| {
                (&b.last_seen, &a.session_id).cmp(&(&a.last_seen, &b.session_id))
            });
            Ok(list(bridges, COLUMNS, "No bridge was heard of within a month."))
        }
        BridgeVerb::IssuePat(issue) => {
            let request = PersonalTokenRequest {
                lifetime: issue.days.map(|days| days * 86_400),
                name: issue.name,
                username: issue.username,
            };
            let made: NewPersonalTokenView = admin.send(Method::POST, PATS, &request).await?;
            let note = "Keep it now: it is not shown again.";
            Ok(Output::new(printable(&made.pat), &made).with_note(note))
        }
        BridgeVerb::Pats { user } => {
            const COLUMNS: &[Column<PersonalTokenView>] = &[
                Column::id("TOKEN", |view| word(&view.id)),
                Column::text("USERNAME", |view| word(&view.username)),
                Column::text("NAME", |view| word(&view.name)),
                Column::time("CREATED", |view| word(&view.created)),
                Column::time("USED", |view| word(&view.used)),
                Column::time("EXPIRES", |view| word(&view.expires)),
            ];
            let mut tokens: Vec<PersonalTokenView> = admin.list(PATS, user.as_deref()).await?;
            tokens.sort_unstable_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
            Ok(list(tokens, COLUMNS, "There is no personal access token."))
        }
        BridgeVerb::RevokePat { mut id, confirmation } => {
            if confirmation.is_asked() {
                let token: PersonalTokenView =
                    admin.ask(Method::GET, &path_of("personal-tokens", &id)).await?;
                let (name, person) = (&token.name, word(&token.username));
                let question =
                    format!("revoke token {} ({name}) of {person}, with its device?", token.id);
                ask(&question, admin).await?;
                id = token.id;
            }
            let revoked: PersonalTokenView =
                admin.ask(Method::DELETE, &path_of("personal-tokens", &id)).await?;
            let rows = [
                ("revoked", word(&revoked.id)),
                ("name", word(&revoked.name)),
                ("username", word(&revoked.username)),
            ];
            Ok(Output::new(fields(&rows), &revoked))
        }
    }
}

const PATS: &str = "/api/v1/personal-tokens";

/// What a person prefers about hosts, such as `cowork off, claude-code for claude openai`.
fn preferences(hosts: &[HostPreferenceView]) -> String {
    let of = |host: &HostPreferenceView| {
        let mut text = word(&host.host_id);
        match host.enabled {
            Some(true) => text.push_str(" on"),
            Some(false) => text.push_str(" off"),
            None => {}
        }
        if let Some(protocols) = &host.model_protocols {
            text.push_str(&format!(" for {}", word(protocols)));
        }
        text
    };
    hosts.iter().map(of).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(id: &str) -> BridgeVerb {
        BridgeVerb::End { id: id.to_owned(), confirmation: Confirmation::default() }
    }

    fn revoke_pat(id: &str) -> BridgeVerb {
        BridgeVerb::RevokePat { id: id.to_owned(), confirmation: Confirmation::default() }
    }

    #[tokio::test]
    async fn a_token_has_the_settings_that_are_named_and_the_usual_others() {
        let issue =
            IssueToken { username: "ada".into(), client: None, source: None, ttl: Some(60) };

        let issued = run(BridgeVerb::IssueToken(issue), &mut AdminClient::memory_with_ada().await)
            .await
            .unwrap();

        let (_, text, json, note) = issued.parts();
        assert_eq!(
            (text, &json["client_id"]),
            (json["token"].as_str().unwrap(), &"sp_bridge".into())
        );
        assert_eq!((&json["source"], &json["ttl"]), (&"bridge".into(), &60.into()));
        assert!(note.unwrap().starts_with("Good for 60 s, in session gls-"), "{note:?}");
    }

    #[tokio::test]
    async fn a_personal_token_is_listed_until_it_is_revoked() {
        let mut admin = AdminClient::memory_with_ada().await;
        let issue = IssuePat { username: "ada".into(), name: Some("desk".into()), days: Some(1) };

        let made = run(BridgeVerb::IssuePat(issue), &mut admin).await.unwrap();
        let id = made.parts().2["id"].as_str().unwrap().to_owned();
        let listed = run(BridgeVerb::Pats { user: Some("ada".into()) }, &mut admin).await.unwrap();
        let revoked = run(revoke_pat(&id[..6]), &mut admin).await.unwrap();
        let after = run(BridgeVerb::Pats { user: None }, &mut admin).await.unwrap();

        assert!(
            listed.parts().1.contains(&format!("{id}  ada       desk ")),
            "{}",
            listed.parts().1
        );
        assert_eq!(revoked.parts().1, format!("revoked   {id}\nname      desk\nusername  ada\n"));
        assert_eq!(after.parts().3, Some("There is no personal access token."));
    }

    #[tokio::test]
    async fn a_device_is_ended_by_its_name_and_named() {
        let mut admin = AdminClient::memory_with_ada().await;
        let issue = IssuePat { username: "ada".into(), name: Some("desk".into()), days: None };
        let made = run(BridgeVerb::IssuePat(issue), &mut admin).await.unwrap();
        let id = made.parts().2["id"].as_str().unwrap().to_owned();

        let ended = run(end("desk"), &mut admin).await.unwrap();
        let again = run(end("desk"), &mut admin).await;

        assert_eq!(ended.parts().1, format!("ended     {id}\nname      desk\nusername  ada\n"));
        assert_eq!(again.err().map(|failure| failure.exit), Some(crate::cli::Exit::NotFound));
        let left = run(BridgeVerb::Pats { user: None }, &mut admin).await.unwrap();
        assert_eq!(left.parts().3, Some("There is no personal access token."));
    }

    #[test]
    fn preferences_are_read_in_one_cell() {
        let host = |host: &str, enabled, protocols: Option<&[&str]>| HostPreferenceView {
            enabled,
            host_id: host.to_owned(),
            model_protocols: protocols.map(|all| all.iter().copied().map(str::to_owned).collect()),
        };

        let read = preferences(&[
            host("codex", Some(false), None),
            host("claude-code", None, Some(&["claude", "openai"])),
            host("hermes", Some(true), None),
        ]);

        assert_eq!(read, "codex off, claude-code for claude openai, hermes on");
    }

    #[tokio::test]
    async fn an_empty_listing_is_a_remark() {
        let none = run(BridgeVerb::List, &mut AdminClient::memory().await).await.unwrap();

        assert_eq!(none.parts().1, "");
        assert!(none.parts().3.unwrap().starts_with("No bridge"));
    }
}
