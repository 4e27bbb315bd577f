//! `gatelodge credential`

use std::io::Read as _;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use url::Url;

use crate::cli::output::{Exit, Failure, Output};
use crate::cli::token_store::{Access, Purpose};
use crate::clock::Timestamp;
use crate::config::Config;

use super::git::{self, Described};
use super::{Cx, ServerArgs, refresh};

/// The longest description of a host that is read.
const LONGEST: u64 = 64 * 1024;

/// What `credential` understands.
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
    #[arg(value_enum, default_value_t = Deed::Get)]
    deed: Deed,
}

/// How a token is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For the hook of an agent: {"headers":{"Authorization":"Bearer …"},"expires_at":…}
    Agent,
    /// As git asks its credential helpers
    Git,
    /// A line for a header: Authorization: Bearer …
    Header,
    /// With what is known of it
    Json,
    /// The token alone
    Raw,
}

/// What a credential helper is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Deed {
    /// Print a token
    Get,
    /// Keep what worked; there is nothing to keep
    Store,
    /// Forget a token that did not work, so that the next one is new
    Erase,
}

/// `gatelodge credential`
pub(in crate::cli) async fn run(args: CredentialArgs, config: &Config) -> Result<Output, Failure> {
    let CredentialArgs { server, resource, scopes, format, deed } = args;
    let described = match format {
        Format::Git => Some(Described::read(&piped()?)),
        Format::Agent | Format::Header | Format::Json | Format::Raw => None,
    };
    if deed == Deed::Store {
        return Ok(Output::nothing());
    }
    let cx = Cx::new(server, config).await?;
    let asked = Purpose::new(resource, &scopes);
    if let Some(described) = &described
        && !described.is_at(&home(&cx, &asked).await?)
    {
        return Ok(Output::nothing());
    }
    match deed {
        Deed::Get => Ok(printed(&refresh::access(&cx, &asked).await?, format)),
        Deed::Erase => {
            let password = described.and_then(|described| described.password);
            erase(&cx, &asked, password.as_deref().map(String::as_str)).await?;
            Ok(Output::nothing())
        }
        Deed::Store => Ok(Output::nothing()),
    }
}

/// Whom the token is for: the resource that is asked for or was signed in for, else the server.
async fn home(cx: &Cx, asked: &Purpose) -> Result<Url, Failure> {
    let kept = cx.place.read().await?;
    let session = kept.as_ref().and_then(|kept| kept.session.as_ref());
    let meant = session.map_or_else(|| asked.clone(), |session| session.meant(asked));
    let resource = meant.resource.and_then(|resource| Url::parse(&resource).ok());
    Ok(resource.unwrap_or_else(|| cx.issuer.url().clone()))
}

fn piped() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Failure::new(Exit::Usage, format!("standard input: {error}")))?;
    Ok(text)
}

/// Forgets the token for what is `asked`; where one is named, only that one: meanwhile there may be
/// a newer.
async fn erase(cx: &Cx, asked: &Purpose, named: Option<&str>) -> Result<(), Failure> {
    if cx.place.read().await?.is_none() {
        return Ok(());
    }
    let locked = cx.place.lock().await?;
    let Some(mut kept) = locked.read().await? else { return Ok(()) };
    if let Some(session) = &mut kept.session {
        let purpose = session.meant(asked);
        session.forget(&purpose, named);
    }
    locked.write(kept)
}

fn printed(access: &Access, format: Format) -> Output {
    let token = access.token.expose();
    let header = format!("Bearer {token}");
    let expires = Timestamp::from_seconds(access.expires_at).rfc3339();
    let agent = json!({ "headers": { "Authorization": header }, "expires_at": expires });
    let whole = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_at": expires,
        "resource": access.purpose.resource,
        "scope": access.scope,
    });
    let text = |value: &Value| value.to_string();
    match format {
        Format::Agent => Output::new(text(&agent), agent),
        Format::Git => Output::new(git::answer(access), whole),
        Format::Header => Output::new(format!("Authorization: {header}"), whole),
        Format::Json => Output::new(format!("{whole:#}"), whole),
        Format::Raw => Output::new(token, whole),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::cli::token_store::Session;

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
        let answer = printed(&session.access[0], Format::Json);
        assert_eq!(answer.parts().2["token_type"], "Bearer");
        let agent = printed(&session.access[0], Format::Agent);
        let agent: Value = serde_json::from_str(agent.parts().1).unwrap();
        let headers = json!({ "Authorization": "Bearer t" });
        assert_eq!(agent, json!({ "headers": headers, "expires_at": "1970-01-01T00:16:40Z" }));
    }
}
