//! `gatelodge credential`

use clap::{Args, ValueEnum};
use serde::Serialize;
use url::Url;

use crate::cli::input::standard_input;
use crate::cli::output::{Failure, Output};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::oauth_client::token_store::{AccessToken, TokenPurpose};

use super::ServerArgs;
use super::git::{self, GitRequest};
use crate::oauth_client::{OauthClient, refresh};

/// The most bytes that are read from standard input for a git request.
const MAX_INPUT: u64 = 64 * 1024;

/// The arguments of `credential`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CredentialArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// The resource that the token is for (RFC 8707); by default the one that was signed in for
    #[arg(long, value_name = "URI", value_parser = super::resource)]
    resource: Option<String>,
    /// A narrower scope than was signed in for; repeat it for more
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Raw)]
    format: Format,
    /// What is asked: a token, or to keep or to forget one, as credential helpers are called
    #[arg(value_enum, default_value_t = Action::Get)]
    action: Action,
}

/// The output format of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For the hook of an agent: {"headers":{"Authorization":"Bearer …"},"expires_at":…}
    #[value(name = "agent")]
    Hook,
    /// As git asks its credential helpers
    Git,
    /// A line for a header: Authorization: Bearer …
    Header,
    /// With what is known of it
    Json,
    /// The token alone
    Raw,
}

/// The action of a credential helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Print a token
    Get,
    /// Keep what worked; there is nothing to keep
    Store,
    /// Forget a token that did not work, so that the next one is new
    Erase,
}

/// Runs `gatelodge credential`.
pub(in crate::cli) async fn run(args: CredentialArgs, config: &Config) -> Result<Output, Failure> {
    let CredentialArgs { server, resource, scopes, format, action } = args;
    let described = match format {
        Format::Git => Some(GitRequest::read(&standard_input(MAX_INPUT)?)),
        Format::Hook | Format::Header | Format::Json | Format::Raw => None,
    };
    if action == Action::Store {
        return Ok(Output::nothing());
    }
    let client = super::client(server, config).await?;
    let asked = TokenPurpose::new(resource, &scopes);
    if let Some(described) = &described
        && !described.is_at(&home(&client, &asked).await?)
    {
        return Ok(Output::nothing());
    }
    match action {
        Action::Get => Ok(printed(&refresh::access(&client, &asked).await?, format)),
        Action::Erase => {
            let password = described.and_then(|described| described.password);
            erase(&client, &asked, password.as_deref().map(String::as_str)).await?;
            Ok(Output::nothing())
        }
        Action::Store => Ok(Output::nothing()),
    }
}

/// The URL for which the token is: the requested resource, else that of the sign-in, else the
/// issuer.
async fn home(client: &OauthClient, asked: &TokenPurpose) -> Result<Url, Failure> {
    let stored = client.token_file().read().await?;
    let session = stored.as_ref().and_then(|stored| stored.session.as_ref());
    let resolve = session.map_or_else(|| asked.clone(), |session| session.resolve(asked));
    let resource = resolve.resource.and_then(|resource| Url::parse(&resource).ok());
    Ok(resource.unwrap_or_else(|| client.issuer().url().clone()))
}

/// Forgets the stored token for the purpose `asked`. If `named` is a token, forgets only that one,
/// because a newer one may have replaced it.
async fn erase(
    client: &OauthClient,
    asked: &TokenPurpose,
    named: Option<&str>,
) -> Result<(), Failure> {
    if client.token_file().read().await?.is_none() {
        return Ok(());
    }
    let locked = client.token_file().lock().await?;
    let Some(mut stored) = locked.read().await? else { return Ok(()) };
    if let Some(session) = &mut stored.session {
        let purpose = session.resolve(asked);
        session.forget(&purpose, named);
    }
    Ok(locked.write(stored)?)
}

/// An access token.
#[derive(Serialize)]
struct CredentialView<'a> {
    access_token: &'a str,
    expires_at: &'a str,
    resource: Option<&'a str>,
    scope: Option<&'a str>,
    token_type: &'static str,
}

/// An access token in the format of an agent's credential hook.
#[derive(Serialize)]
struct HookView<'a> {
    expires_at: &'a str,
    headers: HookHeaders<'a>,
}

#[derive(Serialize)]
struct HookHeaders<'a> {
    #[serde(rename = "Authorization")]
    authorization: &'a str,
}

fn printed(access: &AccessToken, format: Format) -> Output {
    let token = access.token.expose();
    let header = format!("Bearer {token}");
    let expires = Timestamp::from_seconds(access.expires_at).rfc3339();
    let view = CredentialView {
        access_token: token,
        expires_at: &expires,
        resource: access.purpose.resource.as_deref(),
        scope: access.scope.as_deref(),
        token_type: "Bearer",
    };
    match format {
        Format::Hook => {
            let headers = HookHeaders { authorization: &header };
            Output::json_line(&HookView { expires_at: &expires, headers })
        }
        Format::Git => Output::new(git::format(access), &view),
        Format::Header => Output::new(format!("Authorization: {header}"), &view),
        Format::Json => Output::json(&view),
        Format::Raw => Output::new(token, &view),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::oauth_client::token_store::Session;

    #[test]
    fn each_format_says_the_token_in_its_way() {
        let tokens = json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 900 });
        let tokens = serde_json::from_value(tokens).unwrap();
        let now = Timestamp::from_seconds(100);
        let session = Session::new(tokens, &Map::new(), Vec::new(), now);

        for (format, expected) in [
            (Format::Git, "username=oauth2\npassword=t\npassword_expiry_utc=1000\n"),
            (Format::Header, "Authorization: Bearer t"),
            (Format::Raw, "t"),
        ] {
            assert_eq!(printed(&session.access[0], format).parts().1, expected, "{format:?}");
        }
        let output = printed(&session.access[0], Format::Json);
        assert_eq!(output.parts().2["token_type"], "Bearer");
        let hook = printed(&session.access[0], Format::Hook);
        let hook: Value = serde_json::from_str(hook.parts().1).unwrap();
        let headers = json!({ "Authorization": "Bearer t" });
        assert_eq!(hook, json!({ "headers": headers, "expires_at": "1970-01-01T00:16:40Z" }));
    }
}
