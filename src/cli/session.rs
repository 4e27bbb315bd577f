//! `gatelodge session …`

use axum::http::Method;
use clap::Subcommand;

use crate::admin::session::{SessionKind, SessionView};

use super::admin_client::{AdminClient, path_of};
use super::confirm::{Confirmation, ask};
use super::output::{Column, Failure, Output, fields, list, word};

const SESSION_HELP: &str = "\
Examples:
  gatelodge session list
  gatelodge session list --user ada
  gatelodge session list --anonymous
  gatelodge session revoke 0190163d-8694-439b-aea5-966c26f8ad91
  gatelodge session revoke 0190163d

A revoked session is over, and with it whatever was granted in it, offline access too.
Applications that asked to be told of a logout are told. With the session of a bridge its whole
device ends, which could open another by its personal access token or certificate.

What a session tells of its device is what its last requests said, unproven: nothing is decided
by it. A bot is a program that names itself one.";

/// The verbs of `session`.
#[derive(Debug, Subcommand)]
#[command(after_help = SESSION_HELP)]
pub(super) enum SessionVerb {
    /// List who is signed in
    List {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
        /// The anonymous ones of the last 30 days, and what became of them
        #[arg(long, conflicts_with = "user")]
        anonymous: bool,
    },
    /// Sign a browser out, and end every grant that was made in it; or end the device of a bridge
    Revoke {
        /// The session, as the list has it, or the beginning of its id
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Runs `gatelodge session …`.
pub(super) async fn run(verb: SessionVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        SessionVerb::List { anonymous: true, .. } => {
            const COLUMNS: &[Column<SessionView>] = &[
                Column::id("SESSION", |view| word(&view.id)),
                Column::id("CLIENT ID", client_id),
                Column::text("STATE", |view| match &view.kind {
                    SessionKind::Anonymous { state, .. } => word(state),
                    SessionKind::Browser { .. } | SessionKind::Bridge { .. } => String::new(),
                }),
                Column::extra("MERGED INTO", |view| match &view.kind {
                    SessionKind::Anonymous { merged_into, .. } => word(merged_into),
                    SessionKind::Browser { .. } | SessionKind::Bridge { .. } => String::new(),
                }),
                Column::extra("ADDRESS", |view| word(&view.device.address)),
                Column::time("CREATED", |view| word(&view.created)),
                Column::time("EXPIRES", |view| word(&view.expires)),
            ];
            let sessions = listed("/api/v1/anonymous-sessions", None, admin).await?;
            Ok(list(sessions, COLUMNS, "No anonymous session is kept."))
        }
        SessionVerb::List { user, anonymous: false } => {
            const COLUMNS: &[Column<SessionView>] = &[
                Column::id("SESSION", |view| word(&view.id)),
                Column::text("USERNAME", username),
                Column::text("SOURCE", |view| word(&view.source)),
                Column::text("PROGRAM", |view| word(&view.device.program)),
                Column::extra("SYSTEM", |view| word(&view.device.system)),
                Column::extra("BOT", |view| word(&view.device.bot)),
                Column::extra("LOCALE", |view| word(&view.device.locale)),
                Column::extra("ADDRESS", |view| word(&view.device.address)),
                Column::time("CREATED", |view| word(&view.created)),
                Column::time("SEEN", seen),
                Column::time("EXPIRES", |view| word(&view.expires)),
            ];
            let sessions = listed("/api/v1/sessions", user.as_deref(), admin).await?;
            Ok(list(sessions, COLUMNS, "Nobody is signed in."))
        }
        SessionVerb::Revoke { mut id, confirmation } => {
            if confirmation.is_asked() {
                let session: SessionView =
                    admin.ask(Method::GET, &path_of("sessions", &id)).await?;
                ask(&question(&session), admin).await?;
                id = session.id;
            }
            let path = path_of("sessions", &id);
            let revoked: SessionView = admin.ask(Method::DELETE, &path).await?;
            let text = fields(&[
                ("revoked", word(&revoked.id)),
                ("username", username(&revoked)),
                ("client_id", client_id(&revoked)),
            ]);
            Ok(Output::new(text, &revoked))
        }
    }
}

/// The question before the end of a session.
fn question(session: &SessionView) -> String {
    let SessionView { id, kind, .. } = session;
    match kind {
        SessionKind::Anonymous { client_id, .. } => {
            format!("end the anonymous session {id} of client {client_id}?")
        }
        SessionKind::Bridge { username, .. } => {
            format!("end the session {id} of {username}, with its whole device?")
        }
        SessionKind::Browser { username, .. } => {
            format!("end the session {id} of {username}, with every grant that was made in it?")
        }
    }
}

/// The sessions at `path`, by kind and then oldest first.
async fn listed(
    path: &str,
    user: Option<&str>,
    admin: &mut AdminClient,
) -> Result<Vec<SessionView>, Failure> {
    let mut sessions: Vec<SessionView> = admin.list(path, user).await?;
    let kind = |view: &SessionView| match view.kind {
        SessionKind::Browser { .. } => 0,
        SessionKind::Bridge { .. } => 1,
        SessionKind::Anonymous { .. } => 2,
    };
    sessions
        .sort_unstable_by(|a, b| (kind(a), &a.created, &a.id).cmp(&(kind(b), &b.created, &b.id)));
    Ok(sessions)
}

fn client_id(view: &SessionView) -> String {
    match &view.kind {
        SessionKind::Anonymous { client_id, .. } | SessionKind::Bridge { client_id, .. } => {
            word(client_id)
        }
        SessionKind::Browser { .. } => String::new(),
    }
}

fn seen(view: &SessionView) -> String {
    match &view.kind {
        SessionKind::Bridge { seen, .. } | SessionKind::Browser { seen, .. } => word(seen),
        SessionKind::Anonymous { .. } => String::new(),
    }
}

fn username(view: &SessionView) -> String {
    match &view.kind {
        SessionKind::Bridge { username, .. } | SessionKind::Browser { username, .. } => {
            word(username)
        }
        SessionKind::Anonymous { .. } => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::bridge::{BridgeTokenRequest, BridgeTokenView};

    /// A server with a bridge session of each of two people. Returns the session id of a+b.
    async fn admin() -> (AdminClient, String) {
        let mut admin = AdminClient::memory_with_ada().await;
        admin.add("a+b").await;
        let mut last = String::new();
        for username in ["ada", "a+b"] {
            let request = BridgeTokenRequest {
                client_id: None,
                source: None,
                ttl: None,
                username: username.into(),
            };
            let token: BridgeTokenView =
                admin.send(Method::POST, "/api/v1/bridge/tokens", &request).await.unwrap();
            last = token.session_id;
        }
        (admin, last)
    }

    #[tokio::test]
    async fn sessions_are_listed_of_everybody_or_of_one() {
        let (mut admin, id) = admin().await;
        let mut list = async |user: Option<&str>, anonymous| {
            let verb = SessionVerb::List { user: user.map(str::to_owned), anonymous };
            run(verb, &mut admin).await.unwrap()
        };

        let (all, one) = (list(None, false).await, list(Some("a+b"), false).await);
        let anonymous = list(None, true).await;

        let (_, text, json, _) = all.parts();
        assert!(text.lines().next().unwrap().starts_with("SESSION "), "{text}");
        assert!(text.contains("a+b       bridge "), "{text}");
        assert_eq!(json["sessions"].as_array().unwrap().len(), 2);
        let (_, _, json, _) = one.parts();
        assert_eq!(json["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(json["sessions"][0]["id"], id);
        assert_eq!(anonymous.parts().3, Some("No anonymous session is kept."));
    }

    #[tokio::test]
    async fn a_revoked_session_is_named() {
        let (mut admin, id) = admin().await;

        let revoke = || SessionVerb::Revoke {
            confirmation: Confirmation::default(),
            id: id[.."gls-".len() + 8].to_owned(),
        };

        let revoked = run(revoke(), &mut admin).await.unwrap();
        let again = run(revoke(), &mut admin).await;

        let text = format!("revoked    {id}\nusername   a+b\nclient_id  sp_bridge\n");
        assert_eq!(revoked.parts().1, text);
        assert!(again.is_err());
    }
}
