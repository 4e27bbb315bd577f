//! `gatelodge whoami`

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::output::{Failure, Output, fields, printable};
use crate::config::Config;

use super::ServerArgs;
use crate::oauth_client::OauthClient;
use crate::oauth_client::userinfo::{self, UserinfoError};

/// Runs `gatelodge whoami`: prints the claims of userinfo. If userinfo is unavailable, prints the
/// stored claims of the sign-in, with a remark.
pub(in crate::cli) async fn run(args: ServerArgs, config: &Config) -> Result<Output, Failure> {
    let client = super::client(args, config).await?;
    let stored = client.token_file().read().await?;
    let Some(session) = stored.and_then(|stored| stored.session) else {
        return Err(client.not_signed_in().into());
    };
    match userinfo::fetch(&client, &session).await {
        Ok(claims) => Ok(output(&client, &claims, "userinfo")),
        Err(UserinfoError::SignInExpired(error)) => Err(error.into()),
        Err(UserinfoError::Unavailable(why)) if session.claims.is_empty() => Err(why.into()),
        Err(UserinfoError::Unavailable(why)) => {
            let note = format!(
                "the server tells nothing now ({}); this is what it said at sign-in",
                why.message
            );
            Ok(output(&client, &session.claims, "id_token").with_note(note))
        }
    }
}

#[derive(Serialize)]
struct WhoamiView<'a> {
    /// The claims about the person.
    #[serde(flatten)]
    claims: &'a Map<String, Value>,
    issuer: &'a str,
    /// The source of the claims: `userinfo` or `id_token`.
    source: &'a str,
}

fn output(client: &OauthClient, claims: &Map<String, Value>, source: &str) -> Output {
    let word =
        |name: &str| claims.get(name).and_then(Value::as_str).map(printable).unwrap_or_default();
    let text = fields(&[
        ("issuer", client.issuer().to_string()),
        ("username", word("preferred_username")),
        ("name", word("name")),
        ("email", word("email")),
        ("sub", word("sub")),
    ]);
    Output::new(text, &WhoamiView { claims, issuer: client.issuer().as_str(), source })
}
