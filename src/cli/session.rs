//! `gatelodge session …` and `gatelodge grant …`

use axum::http::Method;
use clap::Subcommand;
use serde_json::Value;

use super::admin_client::{AdminClient, path_of};
use super::output::{Failure, Output, fields, table, word};

const SESSION_HELP: &str = "\
Examples:
  gatelodge session list
  gatelodge session list --user ada
  gatelodge session list --anonymous
  gatelodge session revoke 0190163d-8694-439b-aea5-966c26f8ad91

A revoked session is over, and with it whatever was granted in it, offline access too.
Applications that asked to be told of a logout are told.

What a session tells of its device is what its last requests said, unproven: nothing is decided
by it. A bot is a program that names itself one.";

const GRANT_HELP: &str = "\
Examples:
  gatelodge grant list --user ada
  gatelodge grant revoke 0190163d-8694-439b-aea5-966c26f8ad91

A revoked grant takes its refresh token and every access token with it. The application may
ask the person again.";

/// What can be done with sessions.
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
    /// Sign a browser out, and end every grant that was made in it
    Revoke {
        /// The session, as the list has it
        id: String,
    },
}

/// What can be done with grants.
#[derive(Debug, Subcommand)]
#[command(after_help = GRANT_HELP)]
pub(super) enum GrantVerb {
    /// List what people allowed which client
    List {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// End a grant with every token under it
    Revoke {
        /// The grant, as the list has it
        id: String,
    },
}

/// `gatelodge session …`
pub(super) async fn run(verb: SessionVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        SessionVerb::List { anonymous: true, .. } => {
            const COLUMNS: &[(&str, &str)] = &[
                ("SESSION", "id"),
                ("CLIENT ID", "client_id"),
                ("STATE", "state"),
                ("MERGED INTO", "merged_into"),
                ("ADDRESS", "address"),
                ("CREATED", "created"),
                ("EXPIRES", "expires"),
            ];
            let response = admin.ask(Method::GET, "/api/v1/anonymous-sessions", None).await?;
            Ok(list(response, "sessions", COLUMNS, "No anonymous session is kept."))
        }
        SessionVerb::List { user, anonymous: false } => {
            const COLUMNS: &[(&str, &str)] = &[
                ("SESSION", "id"),
                ("USERNAME", "username"),
                ("SOURCE", "source"),
                ("PROGRAM", "program"),
                ("SYSTEM", "system"),
                ("BOT", "bot"),
                ("LOCALE", "locale"),
                ("ADDRESS", "address"),
                ("CREATED", "created"),
                ("SEEN", "seen"),
                ("EXPIRES", "expires"),
            ];
            let response = admin.ask(Method::GET, &list_path("sessions", user), None).await?;
            Ok(list(response, "sessions", COLUMNS, "Nobody is signed in."))
        }
        SessionVerb::Revoke { id } => {
            let path = path_of("sessions", &id);
            let revoked = admin.ask(Method::DELETE, &path, None).await?;
            let text = fields(&[
                ("revoked", word(&revoked, "id")),
                ("username", word(&revoked, "username")),
            ]);
            Ok(Output::new(text, revoked))
        }
    }
}

/// `gatelodge grant …`
pub(super) async fn run_grant(verb: GrantVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        GrantVerb::List { user } => {
            const COLUMNS: &[(&str, &str)] = &[
                ("GRANT", "id"),
                ("USERNAME", "username"),
                ("CLIENT ID", "client_id"),
                ("SCOPE", "scope"),
                ("RESOURCES", "resources"),
                ("OFFLINE", "offline"),
                ("CREATED", "created"),
                ("EXPIRES", "expires"),
            ];
            let response = admin.ask(Method::GET, &list_path("grants", user), None).await?;
            Ok(list(response, "grants", COLUMNS, "No grant is in force."))
        }
        GrantVerb::Revoke { id } => {
            let path = path_of("grants", &id);
            let revoked = admin.ask(Method::DELETE, &path, None).await?;
            let text = fields(&[
                ("revoked", word(&revoked, "id")),
                ("username", word(&revoked, "username")),
                ("client_id", word(&revoked, "client_id")),
            ]);
            Ok(Output::new(text, revoked))
        }
    }
}

fn list_path(noun: &str, user: Option<String>) -> String {
    let query = user.map(|user| crate::oauth::params::form_encode([("user", user.as_str())]));
    query.map_or_else(|| format!("/api/v1/{noun}"), |query| format!("/api/v1/{noun}?{query}"))
}

fn list(response: Value, name: &str, columns: &[(&str, &str)], none: &str) -> Output {
    let rows = response.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if rows.is_empty() {
        return Output::new("", response).with_note(none);
    }
    Output::new(table(columns, rows), response)
}

#[cfg(test)]
mod tests {
    use axum::extract::{Path, RawQuery};
    use axum::routing::{delete, get};
    use axum::{Json, Router};
    use serde_json::json;

    use super::*;

    fn admin() -> AdminClient {
        let sessions = |RawQuery(query): RawQuery| async move {
            let one = json!({
                "id": "s1", "username": query.unwrap_or_default(), "source": "web",
                "program": "Firefox", "system": null, "bot": false, "locale": "de-CH",
                "address": "192.0.2.1",
            });
            Json(json!({ "sessions": [one] }))
        };
        let merged = async || {
            let one = json!({ "id": "s2", "client_id": "shop", "state": "merged" });
            Json(json!({ "sessions": [one] }))
        };
        let revoked = |Path(id): Path<String>| async move { Json(json!({ "id": id })) };
        AdminClient::InProcess(
            Router::new()
                .route("/api/v1/sessions", get(sessions))
                .route("/api/v1/sessions/{id}", delete(revoked))
                .route("/api/v1/anonymous-sessions", get(merged))
                .route("/api/v1/grants", get(|| async { Json(json!({ "grants": [] })) }))
                .route("/api/v1/grants/{id}", delete(revoked)),
        )
    }

    #[tokio::test]
    async fn sessions_are_listed_of_everybody_or_of_one() {
        let list = async |user: Option<&str>, anonymous| {
            let verb = SessionVerb::List { user: user.map(str::to_owned), anonymous };
            run(verb, &mut admin()).await.unwrap()
        };

        let (all, one) = (list(None, false).await, list(Some("a+b"), false).await);
        let anonymous = list(None, true).await;

        assert!(all.parts().1.starts_with("SESSION  USERNAME"));
        assert!(all.parts().1.contains("web     Firefox          no   de-CH   192.0.2.1"));
        assert_eq!(one.parts().2["sessions"][0]["username"], "user=a%2Bb");
        assert!(anonymous.parts().1.starts_with("SESSION  CLIENT ID  STATE   MERGED INTO"));
    }

    #[tokio::test]
    async fn what_is_revoked_is_told() {
        let session = run(SessionVerb::Revoke { id: "s1".into() }, &mut admin()).await.unwrap();
        let grant = run_grant(GrantVerb::Revoke { id: "g/1".into() }, &mut admin()).await.unwrap();
        let none = run_grant(GrantVerb::List { user: None }, &mut admin()).await.unwrap();

        assert_eq!(session.parts().1, "revoked  s1\n");
        assert_eq!(grant.parts().1, "revoked  g/1\n");
        assert_eq!(none.parts().3, Some("No grant is in force."));
    }
}
