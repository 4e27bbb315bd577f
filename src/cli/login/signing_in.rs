//! `gatelodge login`

use std::io::{self, IsTerminal as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::{Map, json};

use crate::cli::answer::{Answer, Exit, Failure, fields};
use crate::cli::kept::{Kept, Opaque, Session, keyring};
use crate::config::{Config, TokenStore};
use crate::oauth::pkce::CodeVerifier;
use crate::secret::{Fresh, RootSecret};

use super::browser::Receiver;
use super::callback::Expected;
use super::server::{Server, needed};
use super::token::{self, Tokens};
use super::{Cx, ServerArgs, device, logout, opening, register};

/// What is asked for where nobody says.
const SCOPE: &str = "openid profile offline_access";

/// What `login` understands.
#[derive(Debug, Args)]
pub(in crate::cli) struct LoginArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// The client to sign in as; by default the one from before, else one that registers itself
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

/// What is asked of the server.
struct Wish {
    client_id: String,
    resources: Vec<String>,
    scope: String,
}

impl Wish {
    fn pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs = vec![("client_id", &*self.client_id), ("scope", &*self.scope)];
        pairs.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        pairs
    }
}

/// `gatelodge login`
pub(in crate::cli) async fn run(args: LoginArgs, config: &Config) -> Result<Answer, Failure> {
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
    let (tokens, claims) = if args.device {
        by_device(&cx, &server, &wish).await?
    } else {
        by_browser(&cx, &server, &wish, !args.no_browser).await?
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
        let key = RootSecret::generate(&cx.entropy.fresh());
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

/// RFC 6749 §4.1 with the PKCE of RFC 7636.
async fn by_browser(
    cx: &Cx,
    server: &Server,
    wish: &Wish,
    open: bool,
) -> Result<(Tokens, Map<String, serde_json::Value>), Failure> {
    let mut url = needed(&server.authorization_endpoint, "authorization endpoint")?.clone();
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let receiver = Receiver::bind().await?;
    let redirect_uri = receiver.redirect_uri();
    let fresh = cx.entropy.fresh();
    let verifier = CodeVerifier::from_random(&fresh.bytes("code_verifier"));
    let (state, nonce) = (drawn(&fresh, "state")?, drawn(&fresh, "nonce")?);
    url.query_pairs_mut()
        .extend_pairs(wish.pairs())
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("state", state.expose())
        .append_pair("nonce", nonce.expose())
        .append_pair("code_challenge", &verifier.challenge().to_string())
        .append_pair("code_challenge_method", "S256");
    tell(&format!("To sign in to {}, open\n\n  {url}\n", cx.issuer));
    if open {
        opening::open(&url);
    }
    let expected = Expected {
        issuer: cx.issuer.as_str().to_owned(),
        names_itself: server.authorization_response_iss_parameter_supported,
        state,
    };
    receiver
        .receive(expected, async |code| {
            let mut pairs = vec![
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", &redirect_uri),
                ("client_id", &wish.client_id),
                ("code_verifier", verifier.expose()),
            ];
            // RFC 8707 §2.2: one token for one resource.
            if let [only] = wish.resources.as_slice() {
                pairs.push(("resource", only));
            }
            let tokens = token::ask(&cx.http, endpoint, &pairs).await?;
            let claims = claims(cx, wish, &tokens, Some(&nonce))?;
            Ok((tokens, claims))
        })
        .await
}

async fn by_device(
    cx: &Cx,
    server: &Server,
    wish: &Wish,
) -> Result<(Tokens, Map<String, serde_json::Value>), Failure> {
    let begin = needed(&server.device_authorization_endpoint, "device authorization endpoint")?;
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let authorization = device::begin(&cx.http, begin, &wish.pairs()).await?;
    tell(&authorization.told());
    let tokens = authorization.wait(&cx.http, endpoint, &wish.client_id).await?;
    let claims = claims(cx, wish, &tokens, None)?;
    Ok((tokens, claims))
}

/// What the ID token says, if one came; one that is about something else ends the sign-in.
fn claims(
    cx: &Cx,
    wish: &Wish,
    tokens: &Tokens,
    nonce: Option<&Opaque>,
) -> Result<Map<String, serde_json::Value>, Failure> {
    let Some(id_token) = &tokens.id_token else { return Ok(Map::new()) };
    let claims = token::claims(id_token, cx.issuer.as_str(), &wish.client_id, nonce);
    let amiss = || Failure::new(Exit::Refused, "the ID token is not about this sign-in");
    claims.ok_or_else(amiss)
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

fn drawn(fresh: &Fresh, name: &str) -> Result<Opaque, Failure> {
    let drawn = Opaque::new(URL_SAFE_NO_PAD.encode(fresh.bytes(name)));
    drawn.ok_or_else(|| Failure::new(Exit::Failed, "no randomness"))
}

fn told(cx: &Cx, session: &Session, client_id: &str, sealed: bool) -> Answer {
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
    Answer::new(text, json)
}

/// Says it to the person, while the command goes on.
fn tell(text: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
