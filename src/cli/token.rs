//! `gatelodge token …`

use std::io::Read as _;

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, fields, word};

const INSPECT_HELP: &str = "\
Examples:
  gatelodge token inspect eyJ…
  pbpaste | gatelodge token inspect -

It tells what the token says and whether it is in force; where it is not, why. The command
ends with 4 for a token that is not.";

/// The longest token that is read.
const MAX_TOKEN: u64 = 16 * 1024;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum TokenVerb {
    /// Explain a token, valid or not
    #[command(after_help = INSPECT_HELP)]
    Inspect(Named),
    /// End an access token, or the whole grant of a refresh token
    Revoke(Named),
}

/// A token on the command line.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The token; - reads it from standard input, where no process list shows it
    token: String,
}

/// `gatelodge token …`
pub(super) async fn run(verb: TokenVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        TokenVerb::Inspect(named) => {
            let asked = named.body()?;
            let output = admin.ask(Method::POST, "/api/v1/tokens/inspect", Some(asked)).await?;
            Ok(explained(output))
        }
        TokenVerb::Revoke(named) => {
            let asked = named.body()?;
            let output = admin.ask(Method::POST, "/api/v1/tokens/revoke", Some(asked)).await?;
            Ok(Output::new("", output).with_note("The token is revoked."))
        }
    }
}

impl Named {
    fn body(self) -> Result<Value, Failure> {
        let token = if self.token == "-" { piped()? } else { self.token };
        Ok(json!({ "token": token.trim() }))
    }
}

fn piped() -> Result<String, Failure> {
    let mut token = String::new();
    let read = std::io::stdin().lock().take(MAX_TOKEN).read_to_string(&mut token);
    read.map_err(|error| Failure::new(Exit::Usage, format!("standard input: {error}")))?;
    Ok(token)
}

fn explained(output: Value) -> Output {
    let mut rows: Vec<_> =
        ["kind", "active", "reason"].map(|name| (name, word(&output, name))).into();
    if let Some(claims) = output.get("claims") {
        let names = claims.as_object().into_iter().flat_map(|claims| claims.keys());
        rows.extend(names.map(|name| (name.as_str(), word(claims, name))));
    }
    let text = fields(&rows);
    let active = output.get("active") == Some(&Value::Bool(true));
    Output::new(text, output).ending(if active { Exit::Done } else { Exit::Refused })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_explained_claim_by_claim() {
        let claims = json!({ "aud": ["a", "b"], "exp": 1, "sub": "ada" });
        let output = json!({ "kind": "access_token", "active": false, "reason": "it has expired",
            "claims": claims });

        let response = explained(output);

        let (exit, text, _, _) = response.parts();
        assert_eq!(exit, Exit::Refused);
        assert_eq!(
            text,
            "kind    access_token\nactive  no\nreason  it has expired\naud     a b\nexp     1\nsub     ada\n"
        );
    }
}
