//! `gatelodge bridge …`

mod certificate;

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::admin_client::{AdminClient, path_of};
use super::output::{Failure, Output, fields, table, word};

use certificate::CertificateVerb;

const CODE_HELP: &str = "\
Example:
  gatelodge bridge issue-code ada

Whoever has the code becomes that person for the bridge. It works once, within two minutes.";

const TOKEN_HELP: &str = "\
Examples:
  gatelodge bridge issue-token ada
  gatelodge bridge issue-token ada --client ci --source pipeline --ttl 600

The token has a session of its own: gatelodge session list shows it, and revoking it ends the token.";

/// What can be done with bridges.
#[derive(Debug, Subcommand)]
pub(super) enum BridgeVerb {
    #[command(flatten)]
    Certificate(CertificateVerb),
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
    /// Revoke a personal access token
    RevokePat {
        /// The token, as the list has it: its 12 characters that are no secret
        id: String,
    },
}

/// A token as the command line describes one.
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

/// A personal access token as the command line describes one.
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

/// `gatelodge bridge …`
pub(super) async fn run(verb: BridgeVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        BridgeVerb::Certificate(verb) => certificate::run(verb, admin).await,
        BridgeVerb::IssueCode { username } => {
            let asked = json!({ "username": username });
            let output = admin.ask(Method::POST, "/api/v1/bridge/codes", Some(asked)).await?;
            let text = word(&output, "code");
            let note = format!("Good once, until {}.", word(&output, "expires"));
            Ok(Output::new(text, output).with_note(note))
        }
        BridgeVerb::IssueToken(issue) => {
            let asked = members(&[
                ("username", Some(issue.username.into())),
                ("client_id", issue.client.map(Value::from)),
                ("source", issue.source.map(Value::from)),
                ("ttl", issue.ttl.map(Value::from)),
            ]);
            let output = admin.ask(Method::POST, "/api/v1/bridge/tokens", Some(asked)).await?;
            let text = word(&output, "token");
            let (ttl, session) = (word(&output, "ttl"), word(&output, "session_id"));
            Ok(Output::new(text, output)
                .with_note(format!("Good for {ttl} s, in session {session}.")))
        }
        BridgeVerb::List => {
            let output = admin.ask(Method::GET, "/api/v1/bridge", None).await?;
            Ok(list(output))
        }
        BridgeVerb::IssuePat(issue) => {
            let asked = members(&[
                ("username", Some(issue.username.into())),
                ("name", issue.name.map(Value::from)),
                ("lifetime", issue.days.map(|days| Value::from(days * 86_400))),
            ]);
            let output = admin.ask(Method::POST, "/api/v1/personal-tokens", Some(asked)).await?;
            let text = word(&output, "pat");
            Ok(Output::new(text, output).with_note("Keep it now: it is not shown again."))
        }
        BridgeVerb::Pats { user } => {
            let query = user.map(|user| crate::oauth::params::form_encode([("user", &*user)]));
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            let path = format!("/api/v1/personal-tokens{query}");
            Ok(pats(admin.ask(Method::GET, &path, None).await?))
        }
        BridgeVerb::RevokePat { id } => {
            let output = admin.ask(Method::DELETE, &path_of("personal-tokens", &id), None).await?;
            let rows = [("revoked", word(&output, "id")), ("username", word(&output, "username"))];
            Ok(Output::new(fields(&rows), output))
        }
    }
}

/// What was given and nothing else: the server has its own defaults.
fn members(given: &[(&str, Option<Value>)]) -> Value {
    let given = given.iter().filter_map(|(name, value)| {
        value.as_ref().map(|value| ((*name).to_owned(), value.clone()))
    });
    Value::Object(given.collect::<Map<_, _>>())
}

fn list(output: Value) -> Output {
    let rows = output.get("bridges").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if rows.is_empty() {
        return Output::new("", output).with_note("No bridge was heard of within a month.");
    }
    let text = table(
        &[
            ("USERNAME", "username"),
            ("HOST", "hostname"),
            ("VERSION", "bridge_version"),
            ("SYSTEM", "os"),
            ("ACTIVE", "active"),
            ("FIRST SEEN", "first_seen"),
            ("LAST SEEN", "last_seen"),
            ("FORWARDED", "forwarded_total"),
            ("TOKENS IN", "tokens_in_total"),
            ("TOKENS OUT", "tokens_out_total"),
        ],
        rows,
    );
    Output::new(text, output)
}

fn pats(output: Value) -> Output {
    let rows = output.get("personal_tokens").and_then(Value::as_array);
    let rows = rows.map_or(&[][..], Vec::as_slice);
    if rows.is_empty() {
        return Output::new("", output).with_note("There is no personal access token.");
    }
    let text = table(
        &[
            ("TOKEN", "id"),
            ("USERNAME", "username"),
            ("NAME", "name"),
            ("CREATED", "created"),
            ("USED", "used"),
            ("EXPIRES", "expires"),
        ],
        rows,
    );
    Output::new(text, output)
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use axum::{Json, Router};

    use super::*;

    fn admin() -> AdminClient {
        let echo =
            |Json(asked): Json<Value>| async move { Json(json!({ "token": asked.to_string() })) };
        let none = get(|| async { Json(json!({ "bridges": [] })) });
        AdminClient::InProcess(
            Router::new().route("/api/v1/bridge", none).route("/api/v1/bridge/tokens", post(echo)),
        )
    }

    #[tokio::test]
    async fn only_what_was_said_is_sent() {
        let issue =
            IssueToken { username: "ada".into(), client: None, source: None, ttl: Some(60) };

        let response = run(BridgeVerb::IssueToken(issue), &mut admin()).await.unwrap();

        let asked: Value = serde_json::from_str(response.parts().1).unwrap();
        assert_eq!(asked, json!({ "username": "ada", "ttl": 60 }));
    }

    #[tokio::test]
    async fn nobody_there_is_said_in_words() {
        let response = run(BridgeVerb::List, &mut admin()).await.unwrap();

        assert_eq!(response.parts().1, "");
        assert!(response.parts().3.unwrap().starts_with("No bridge"));
    }
}
