//! `gatelodge login`

use std::io::{self, IsTerminal as _};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::cli::output::{Exit, Failure, Output, fields};
use crate::config::{Config, TokenStore};
use crate::oauth_client::token_store::{Session, StoredSignIn, keyring};
use crate::secret::RootSecret;

use super::ServerArgs;
use crate::oauth_client::revoke::revoke;
use crate::oauth_client::sign_in::{self, SignInRequest, SignedIn};
use crate::oauth_client::{OauthClient, Server, register};

/// The default scope.
const SCOPE: &str = "openid profile offline_access";

/// The arguments of `login`.
#[derive(Debug, Args)]
pub(in crate::cli) struct LoginArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// The client to sign in as, a public one; by default the one from before, else one that
    /// registers itself
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Ask for this scope; repeat it for more [default: openid profile offline_access]
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Ask for tokens for this resource (RFC 8707); repeat it for more
    #[arg(long = "resource", value_name = "URI", value_parser = super::resource)]
    resources: Vec<String>,
    /// Sign in on another device, which needs no browser here (RFC 8628)
    #[arg(long)]
    device: bool,
    /// Print the address and wait, and open no browser
    #[arg(long, conflicts_with = "device")]
    no_browser: bool,
    /// Keep the tokens sealed by the keyring, in a file, or by whichever there is: keyring, file
    /// or auto
    #[arg(long, value_name = "WHERE")]
    store: Option<TokenStore>,
}

/// Runs `gatelodge login`.
pub(in crate::cli) async fn run(args: LoginArgs, config: &Config) -> Result<Output, Failure> {
    if !args.device && !args.no_browser && !io::stderr().is_terminal() {
        let message = "nobody is at a terminal here who could sign in: say --no-browser to have \
                       the address on standard error, or --device to sign in somewhere else";
        return Err(Failure::new(Exit::Usage, message));
    }
    let client = super::client_for_sign_in(args.server, config).await?;
    let server = client.discover().await?;
    // A directory that cannot be written is reported before the sign-in.
    drop(client.token_file().lock().await?);
    let (key, note) = sealing(&client, args.store.unwrap_or(config.token_store)).await?;
    let scope = if args.scopes.is_empty() { SCOPE.to_owned() } else { args.scopes.join(" ") };
    let client_id = match args.client {
        Some(id) => id,
        None => register::own(&client, &server).await?,
    };
    let request = SignInRequest { client_id, resources: args.resources, scope };
    let SignedIn { claims, tokens } = if args.device {
        sign_in::by_device(&client, &server, &request).await?
    } else {
        sign_in::by_browser(&client, &server, &request, !args.no_browser).await?
    };
    let SignInRequest { client_id, resources, .. } = request;
    let sealed = key.is_some();
    let session = Session::new(tokens, &claims, resources, client.now());
    let output = output(&client, &session, &client_id, sealed);
    let refreshes = session.refresh_token.is_some();
    keep(&client, &server, StoredSignIn { client_id, key, session: Some(session) }).await?;
    let brief = (!refreshes).then_some("the server gave no refresh token: this lasts for minutes");
    let notes: Vec<&str> = note.as_deref().into_iter().chain(brief).collect();
    Ok(if notes.is_empty() { output } else { output.with_note(notes.join("\n")) })
}

/// The key that seals the token file, if `store` requires one. If `auto` finds no keyring, there is
/// a remark instead of a key.
async fn sealing(
    client: &OauthClient,
    store: TokenStore,
) -> Result<(Option<RootSecret>, Option<String>), Failure> {
    let stored = async {
        if let Some(key) = keyring::look_up(client.issuer()).await? {
            return Ok(key);
        }
        let key = RootSecret::generate(&client.entropy().seed());
        keyring::keep(client.issuer(), &key).await.map(|()| key)
    };
    match store {
        TokenStore::File => Ok((None, None)),
        TokenStore::Keyring => match stored.await {
            Ok(key) => Ok((Some(key), None)),
            Err(why) => Err(Failure::new(Exit::Failed, why)),
        },
        TokenStore::Auto => match stored.await {
            Ok(key) => Ok((Some(key), None)),
            Err(why) => {
                let file = client.token_file().file();
                let note = format!("no keyring ({why}); the tokens are in {}", file.display());
                Ok((None, Some(note)))
            }
        },
    }
}

/// Stores a sign-in, and revokes the tokens of the one that it replaces.
async fn keep(client: &OauthClient, server: &Server, stored: StoredSignIn) -> Result<(), Failure> {
    let locked = client.token_file().lock().await?;
    // A sign-in that cannot be read cannot be revoked.
    let before = locked.read().await.ok().flatten();
    let sealed = stored.key.is_some();
    locked.write(stored)?;
    let Some(StoredSignIn { client_id, key, session }) = before else { return Ok(()) };
    if key.is_some() && !sealed {
        keyring::forget(client.issuer()).await;
    }
    if let Some(session) = session {
        // If this fails, the earlier sign-in ends at its expiry.
        let _ = revoke(client, server, &client_id, &session).await;
    }
    Ok(())
}

#[derive(Serialize)]
struct LoginView<'a> {
    client_id: &'a str,
    issuer: &'a str,
    name: String,
    scope: String,
    /// The protection of the token file: `keyring` if a key in the keyring seals it, else `file`.
    store: &'static str,
    sub: Option<&'a str>,
}

fn output(client: &OauthClient, session: &Session, client_id: &str, sealed: bool) -> Output {
    let stored = if sealed { "keyring" } else { "file" };
    let scope = session.scope.clone().unwrap_or_default();
    let text = fields(&[
        ("issuer", client.issuer().to_string()),
        ("signed in as", session.name()),
        ("client", client_id.to_owned()),
        ("scope", scope.clone()),
        ("kept in", stored.to_owned()),
    ]);
    let view = LoginView {
        client_id,
        issuer: client.issuer().as_str(),
        name: session.name(),
        scope,
        store: stored,
        sub: session.claims.get("sub").and_then(Value::as_str),
    };
    Output::new(text, &view)
}
