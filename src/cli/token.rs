//! `gatelodge token …`

use std::io::Read as _;

use axum::http::Method;
use clap::{Args, Subcommand};

use crate::admin::token::{InspectionView, RevocationView, TokenRequest};

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, fields, word};

const INSPECT_HELP: &str = "\
Examples:
  gatelodge token inspect eyJ…
  pbpaste | gatelodge token inspect -

It tells what the token says and whether it is in force; where it is not, why. The command
ends with 4 for a token that is not.";

/// The most bytes that are read from standard input for a token.
const MAX_TOKEN: u64 = 16 * 1024;

/// The verbs of `token`.
#[derive(Debug, Subcommand)]
pub(super) enum TokenVerb {
    /// Explain a token, valid or not
    #[command(after_help = INSPECT_HELP)]
    Inspect(Named),
    /// End an access token, the whole grant of a refresh token, or the device of a bridge's token
    Revoke(Named),
}

/// The argument that names a token.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// The token; - reads it from standard input, where no process list shows it
    token: String,
}

/// Runs `gatelodge token …`.
pub(super) async fn run(verb: TokenVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        TokenVerb::Inspect(named) => {
            let request = named.request()?;
            Ok(explained(&admin.send(Method::POST, "/api/v1/tokens/inspect", &request).await?))
        }
        TokenVerb::Revoke(named) => {
            let request = named.request()?;
            let revoked: RevocationView =
                admin.send(Method::POST, "/api/v1/tokens/revoke", &request).await?;
            Ok(Output::new("", &revoked).with_note("The token is revoked."))
        }
    }
}

impl Named {
    fn request(self) -> Result<TokenRequest, Failure> {
        let token = if self.token == "-" { piped()? } else { self.token };
        Ok(TokenRequest { token: token.trim().to_owned() })
    }
}

fn piped() -> Result<String, Failure> {
    let mut token = String::new();
    let read = std::io::stdin().lock().take(MAX_TOKEN).read_to_string(&mut token);
    read.map_err(|error| Failure::new(Exit::Usage, format!("standard input: {error}")))?;
    Ok(token)
}

fn explained(view: &InspectionView) -> Output {
    let mut rows = vec![
        ("kind", word(&view.kind)),
        ("active", word(&view.active)),
        ("reason", word(&view.reason)),
    ];
    let claims = view.claims.as_object().into_iter().flatten();
    rows.extend(claims.map(|(name, value)| (name.as_str(), word(value))));
    let exit = if view.active { Exit::Success } else { Exit::Refused };
    Output::new(fields(&rows), view).with_exit(exit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::admin::token::TokenKind;

    #[test]
    fn a_token_is_explained_claim_by_claim() {
        let claims = json!({ "aud": ["a", "b"], "exp": 1, "sub": "ada" });
        let view = InspectionView {
            active: false,
            claims,
            kind: TokenKind::AccessToken,
            reason: Some("it has expired".into()),
            refusal: None,
        };

        let response = explained(&view);

        let (exit, text, _, _) = response.parts();
        assert_eq!(exit, Exit::Refused);
        assert_eq!(
            text,
            "kind    access_token\nactive  no\nreason  it has expired\naud     a b\nexp     1\nsub     ada\n"
        );
    }
}
