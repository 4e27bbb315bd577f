//! `gatelodge token …`

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::admin::token::issue::{IssuedTokenView, TokenIssueRequest};
use crate::admin::token::{InspectionView, RevocationView, TokenKind, TokenRequest};

use super::admin_client::AdminClient;
use super::confirm::{Confirmation, ask};
use super::input::standard_input;
use super::output::{Exit, Failure, Output, fields, relative, word};
use crate::clock::{Clock, Timestamp};

const INSPECT_HELP: &str = "\
Examples:
  gatelodge token inspect eyJ…
  pbpaste | gatelodge token inspect -

It tells what the token says and whether it is in force; where it is not, why. The command
ends with 4 for a token that is not.";

const ISSUE_HELP: &str = "\
Examples:
  gatelodge token issue --client billing --ttl 5m
      for a client that acts for itself, to try what it would do
  gatelodge token issue --user ada --client shop --scope 'openid profile'
      for a person, and a client that people sign in to
  curl -H \"Authorization: Bearer $(gatelodge token issue --user ada --client shop)\" \\
      http://localhost:7455/oauth/userinfo

The token goes to standard output, and what it is good for to standard error. It has no more than the
roles of the person and the scopes of the client allow, and says nothing of a sign-in. It ends with its
time, with the client or the person, by token revoke, and that of a person with its grant: it stands in
grant list and on the person's account page. Each is a line in the log.";

/// The most bytes that are read from standard input for a token.
const MAX_TOKEN: u64 = 16 * 1024;

/// The verbs of `token`.
#[derive(Debug, Subcommand)]
pub(super) enum TokenVerb {
    /// Explain a token, valid or not
    #[command(after_help = INSPECT_HELP)]
    Inspect(Named),
    /// Make an access token for a person or a client, without a sign-in
    #[command(after_help = ISSUE_HELP)]
    Issue(Issue),
    /// End an access token, the whole grant of a refresh token, or the device of a bridge's token
    Revoke {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// The argument that names a token.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The token; - reads it from standard input, where no process list shows it
    token: String,
}

/// The arguments of `token issue`.
#[derive(Debug, Args)]
pub(super) struct Issue {
    /// The client that the token is for
    #[arg(long, value_name = "CLIENT_ID")]
    client: String,
    /// The person for whom the client acts; without one, it acts for itself
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// A resource that is to take the token; repeat it for more. Without one, those that the scope
    /// brings, or this server
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// A scope; repeat it for more. Without one, all that client and person may have there
    #[arg(long)]
    scope: Vec<String>,
    /// How long it lasts, such as 90s, 15m or 24h, which is the most; without it, as long as the
    /// client's other tokens
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    ttl: Option<u64>,
}

/// Reads a duration: a whole number of seconds, or with the unit `s`, `m`, `h` or `d`.
pub(super) fn seconds(written: &str) -> Result<u64, String> {
    let (number, size) = match written.split_at_checked(written.len().saturating_sub(1)) {
        Some((number, "s")) => (number, 1),
        Some((number, "m")) => (number, 60),
        Some((number, "h")) => (number, 3_600),
        Some((number, "d")) => (number, 86_400),
        Some(_) | None => (written, 1),
    };
    let number = number.parse::<u64>().ok().and_then(|number| number.checked_mul(size));
    number.ok_or_else(|| "a duration is a number of seconds, or such as 15m or 24h".to_owned())
}

/// Runs `gatelodge token …`.
pub(super) async fn run(verb: TokenVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        TokenVerb::Inspect(named) => {
            let request = named.request()?;
            let view = admin.send(Method::POST, "/api/v1/tokens/inspect", &request).await?;
            Ok(explained(&view, Clock::System.now()))
        }
        TokenVerb::Issue(issue) => {
            let request = issue.request();
            let issued = admin.send(Method::POST, "/api/v1/tokens", &request).await?;
            Ok(issued_token(&issued, request.scope.as_deref()))
        }
        TokenVerb::Revoke { named, confirmation } => {
            let request = named.request()?;
            if confirmation.is_asked() {
                let token: InspectionView =
                    admin.send(Method::POST, "/api/v1/tokens/inspect", &request).await?;
                ask(&question(&token), admin).await?;
            }
            let revoked: RevocationView =
                admin.send(Method::POST, "/api/v1/tokens/revoke", &request).await?;
            let rows = [
                ("revoked", word(&revoked.kind)),
                ("client_id", word(&revoked.client_id)),
                ("sub", word(&revoked.sub)),
            ];
            Ok(Output::new(fields(&rows), &revoked).with_note("The token is revoked."))
        }
    }
}

impl Issue {
    fn request(self) -> TokenIssueRequest {
        TokenIssueRequest {
            client_id: self.client,
            resources: self.resource,
            scope: (!self.scope.is_empty()).then(|| self.scope.join(" ")),
            ttl: self.ttl,
            username: self.user,
        }
    }
}

/// The token for programs; for people, what it is good for, and what it does not have of the scope
/// `asked`.
fn issued_token(view: &IssuedTokenView, asked: Option<&str>) -> Output {
    let missing = asked.unwrap_or_default().split(' ').filter(|token| !view.scope.has(token));
    let missing: Vec<&str> = missing.filter(|token| !token.is_empty()).collect();
    let note = fields(&[
        ("client_id", word(&view.client_id)),
        ("username", word(&view.username)),
        ("audience", word(&view.audience)),
        ("scope", word(&view.scope)),
        ("not granted", word(&missing)),
        ("expires", word(&view.expires)),
        ("grant", word(&view.grant)),
    ]);
    Output::new(view.access_token.as_str(), view).with_note(note)
}

impl Named {
    fn request(self) -> Result<TokenRequest, Failure> {
        let token = match self.token.as_str() {
            "-" => standard_input(MAX_TOKEN)?.trim().to_owned(),
            token => token.trim().to_owned(),
        };
        Ok(TokenRequest { token })
    }
}

/// The question before the revocation of a token.
fn question(token: &InspectionView) -> String {
    let claim = |name: &str| word(&token.claims.get(name));
    let mut question = format!("revoke this {}", word(&token.kind));
    for (before, value) in [(" of client ", claim("client_id")), (" for ", claim("sub"))] {
        if !value.is_empty() {
            question.push_str(before);
            question.push_str(&value);
        }
    }
    question.push_str(match token.kind {
        TokenKind::PersonalToken => ", and end its device?",
        TokenKind::RefreshToken => ", and end its whole grant?",
        TokenKind::AccessToken
        | TokenKind::IdToken
        | TokenKind::LogoutToken
        | TokenKind::Unknown => "?",
    });
    question
}

/// The claims that are times: when, before and after now.
const TIMES: &[(&str, &str, &str)] = &[
    ("auth_time", "signed in", "signed in"),
    ("exp", "expired", "expires"),
    ("iat", "issued", "issued"),
    ("nbf", "valid since", "valid"),
    ("revocable_until", "revocable until", "revocable until"),
    ("updated_at", "updated", "updated"),
];

/// A claim as people read it: a time from now and as it is, such as
/// `expires in 12 minutes (2026-01-01T00:00:00Z)`.
fn claim(name: &str, value: &Value, now: Timestamp) -> String {
    let time = TIMES.iter().find(|(claim, ..)| *claim == name);
    match (time, value.as_u64().map(Timestamp::from_seconds)) {
        (Some((_, past, future)), Some(at)) => {
            let what = if at > now { future } else { past };
            format!("{what} {} ({})", relative(at, now), at.rfc3339())
        }
        _ => word(value),
    }
}

fn explained(view: &InspectionView, now: Timestamp) -> Output {
    let mut rows = vec![
        ("kind", word(&view.kind)),
        ("active", word(&view.active)),
        ("reason", word(&view.reason)),
    ];
    let claims = view.claims.as_object().into_iter().flatten();
    rows.extend(claims.map(|(name, value)| (name.as_str(), claim(name, value, now))));
    let exit = if view.active { Exit::Success } else { Exit::Refused };
    Output::new(fields(&rows), view).with_exit(exit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_duration_is_seconds_or_has_a_unit() {
        for (written, meant) in [
            ("90", Some(90)),
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("24h", Some(86_400)),
            ("1d", Some(86_400)),
            ("", None),
            ("m", None),
            ("1w", None),
            ("-1", None),
            ("1.5h", None),
            ("999999999999999999d", None),
        ] {
            assert_eq!(seconds(written).ok(), meant, "{written}");
        }
    }

    #[tokio::test]
    async fn an_issued_token_is_alone_on_standard_output_and_described_beside_it() {
        let mut admin = AdminClient::memory_with_ada().await;
        let client = json!({ "name": "Nightly", "client_id": "nightly" });
        let _: serde_json::Value =
            admin.send(Method::POST, "/api/v1/clients", &client).await.unwrap();
        let issue = Issue {
            client: "nightly".into(),
            user: None,
            resource: Vec::new(),
            scope: Vec::new(),
            ttl: Some(300),
        };

        let issued = run(TokenVerb::Issue(issue), &mut admin).await.unwrap();

        let (exit, text, json, note) = issued.parts();
        assert_eq!((exit, json["expires_in"].as_u64()), (Exit::Success, Some(300)));
        assert_eq!(json["access_token"], text);
        assert_eq!(text.split('.').count(), 3, "{text}");
        let note = note.unwrap();
        assert!(note.contains("audience   http://localhost:7455\n"), "{note}");
        assert!(!note.contains(text) && !note.contains("username"), "{note}");
    }

    #[test]
    fn a_token_is_explained_claim_by_claim() {
        let claims = json!({ "aud": ["a", "b"], "exp": 1, "iat": 86_521, "sub": "ada" });
        let view = InspectionView {
            active: false,
            claims,
            kind: TokenKind::AccessToken,
            reason: Some("it has expired".into()),
            refusal: None,
        };

        let response = explained(&view, Timestamp::from_seconds(86_401));

        let (exit, text, json, _) = response.parts();
        assert_eq!(exit, Exit::Refused);
        assert_eq!(
            text,
            "kind    access_token\n\
             active  no\n\
             reason  it has expired\n\
             aud     a b\n\
             exp     expired 1 day ago (1970-01-01T00:00:01Z)\n\
             iat     issued in 2 minutes (1970-01-02T00:02:01Z)\n\
             sub     ada\n"
        );
        assert_eq!(json["claims"]["exp"], 1);
    }
}
