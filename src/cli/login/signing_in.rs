//! `gatelodge login`

use std::io::{self, IsTerminal as _};

use clap::Args;
use serde_json::json;

use crate::cli::output::{Exit, Failure, Output, fields};
use crate::cli::token_store::{Kept, Session, keyring};
use crate::config::{Config, TokenStore};
use crate::secret::RootSecret;

use super::server::Server;
use super::sign_in::{self, Brought, Wish};
use super::{Cx, ServerArgs, logout, register};

/// What is asked for where nobody says.
const SCOPE: &str = "openid profile offline_access";

/// What `login` understands.
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

/// `gatelodge login`
pub(in crate::cli) async fn run(args: LoginArgs, config: &Config) -> Result<Output, Failure> {
    if !args.device && !args.no_browser && !io::stderr().is_terminal() {
        let message = "nobody is at a terminal here who could sign in: say --no-browser to have \
                       the address on standard error, or --device to sign in somewhere else";
        return Err(Failure::new(Exit::Usage, message));
    }
    let cx = Cx::beginning(args.server, config).await?;
    let server = cx.discover().await?;
    // A place that cannot be written to is told before anybody signs in.
    drop(cx.place.lock().await?);
    let (key, note) = sealing(&cx, args.store.unwrap_or(config.token_store)).await?;
    let scope = if args.scopes.is_empty() { SCOPE.to_owned() } else { args.scopes.join(" ") };
    let client_id = match args.client {
        Some(id) => id,
        None => register::own(&cx, &server).await?,
    };
    let wish = Wish { client_id, resources: args.resources, scope };
    let Brought { claims, tokens } = if args.device {
        sign_in::by_device(&cx, &server, &wish).await?
    } else {
        sign_in::by_browser(&cx, &server, &wish, !args.no_browser).await?
    };
    let Wish { client_id, resources, .. } = wish;
    let sealed = key.is_some();
    let session = Session::new(tokens, &claims, resources, cx.now());
    let answer = told(&cx, &session, &client_id, sealed);
    let refreshes = session.refresh_token.is_some();
    keep(&cx, &server, Kept { client_id, key, session: Some(session) }).await?;
    let brief = (!refreshes).then_some("the server gave no refresh token: this lasts for minutes");
    let notes: Vec<&str> = note.as_deref().into_iter().chain(brief).collect();
    Ok(if notes.is_empty() { answer } else { answer.with_note(notes.join("\n")) })
}

/// The key to seal under, as `store` wants it, and a remark where there is none after all.
async fn sealing(
    cx: &Cx,
    store: TokenStore,
) -> Result<(Option<RootSecret>, Option<String>), Failure> {
    let kept = async {
        if let Some(key) = keyring::look_up(&cx.issuer).await? {
            return Ok(key);
        }
        let key = RootSecret::generate(&cx.entropy.seed());
        keyring::keep(&cx.issuer, &key).await.map(|()| key)
    };
    match store {
        TokenStore::File => Ok((None, None)),
        TokenStore::Keyring => match kept.await {
            Ok(key) => Ok((Some(key), None)),
            Err(why) => Err(Failure::new(Exit::Failed, why)),
        },
        TokenStore::Auto => match kept.await {
            Ok(key) => Ok((Some(key), None)),
            Err(why) => {
                let file = cx.place.file();
                let note = format!("no keyring ({why}); the tokens are in {}", file.display());
                Ok((None, Some(note)))
            }
        },
    }
}

/// Replaces what was kept before, whose tokens nobody will use any more.
async fn keep(cx: &Cx, server: &Server, kept: Kept) -> Result<(), Failure> {
    let locked = cx.place.lock().await?;
    // What cannot be read any more cannot be revoked either.
    let before = locked.read().await.ok().flatten();
    let sealed = kept.key.is_some();
    locked.write(kept)?;
    let Some(Kept { client_id, key, session }) = before else { return Ok(()) };
    if key.is_some() && !sealed {
        keyring::forget(&cx.issuer).await;
    }
    if let Some(session) = session {
        // It ends by itself where the server does not hear of it.
        let _ = logout::revoke(cx, server, &client_id, &session).await;
    }
    Ok(())
}

fn told(cx: &Cx, session: &Session, client_id: &str, sealed: bool) -> Output {
    let kept = if sealed { "keyring" } else { "file" };
    let scope = session.scope.clone().unwrap_or_default();
    let text = fields(&[
        ("issuer", cx.issuer.to_string()),
        ("signed in as", session.name()),
        ("client", client_id.to_owned()),
        ("scope", scope.clone()),
        ("kept in", kept.to_owned()),
    ]);
    let json = json!({
        "issuer": cx.issuer.as_str(),
        "sub": session.claims.get("sub"),
        "name": session.name(),
        "client_id": client_id,
        "scope": scope,
        "store": kept,
    });
    Output::new(text, json)
}
