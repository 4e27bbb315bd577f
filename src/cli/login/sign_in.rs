//! The two ways to sign in: through the browser of this machine, and on another device.

use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::cli::output::{Exit, Failure};
use crate::cli::token_store::Opaque;
use crate::oauth::pkce::CodeVerifier;
use crate::secret::Seed;

use super::callback::Expected;
use super::loopback::Receiver;
use super::server::{Server, needed};
use super::token::{self, Tokens};
use super::{Cx, browser_launch, device};

/// What is asked of the server.
pub(super) struct Wish {
    pub(super) client_id: String,
    pub(super) resources: Vec<String>,
    pub(super) scope: String,
}

impl Wish {
    fn pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs = vec![("client_id", &*self.client_id), ("scope", &*self.scope)];
        pairs.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        pairs
    }
}

/// What a sign-in brought.
pub(super) struct Brought {
    /// Those of the ID token; none where none came.
    pub(super) claims: Map<String, Value>,
    pub(super) tokens: Tokens,
}

/// RFC 6749 §4.1 with the PKCE of RFC 7636.
pub(super) async fn by_browser(
    cx: &Cx,
    server: &Server,
    wish: &Wish,
    open: bool,
) -> Result<Brought, Failure> {
    let mut url = needed(&server.authorization_endpoint, "authorization endpoint")?.clone();
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let receiver = Receiver::bind().await?;
    let redirect_uri = receiver.redirect_uri();
    let seed = cx.entropy.seed();
    let verifier = CodeVerifier::from_random(&seed.bytes("code_verifier"));
    let (state, nonce) = (drawn(&seed, "state")?, drawn(&seed, "nonce")?);
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
        browser_launch::open(&url);
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
            Ok(Brought { claims, tokens })
        })
        .await
}

/// RFC 8628.
pub(super) async fn by_device(cx: &Cx, server: &Server, wish: &Wish) -> Result<Brought, Failure> {
    let begin = needed(&server.device_authorization_endpoint, "device authorization endpoint")?;
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let authorization = device::begin(&cx.http, begin, &wish.pairs()).await?;
    tell(&authorization.told());
    let tokens = authorization.wait(&cx.http, endpoint, &wish.client_id).await?;
    let claims = claims(cx, wish, &tokens, None)?;
    Ok(Brought { claims, tokens })
}

/// What the ID token says, if one came; one that is about something else ends the sign-in.
fn claims(
    cx: &Cx,
    wish: &Wish,
    tokens: &Tokens,
    nonce: Option<&Opaque>,
) -> Result<Map<String, Value>, Failure> {
    let Some(id_token) = &tokens.id_token else { return Ok(Map::new()) };
    let claims = token::claims(id_token, cx.issuer.as_str(), &wish.client_id, nonce);
    let amiss = || Failure::new(Exit::Refused, "the ID token is not about this sign-in");
    claims.ok_or_else(amiss)
}

fn drawn(seed: &Seed, name: &str) -> Result<Opaque, Failure> {
    let drawn = Opaque::new(URL_SAFE_NO_PAD.encode(seed.bytes(name)));
    drawn.ok_or_else(|| Failure::new(Exit::Failed, "no randomness"))
}

/// Says it to the person, while the command goes on.
fn tell(text: &str) {
    // Without standard error there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
