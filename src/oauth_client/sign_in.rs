//! The two ways to sign in: in the browser of this machine, and on another device.

use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::oauth::pkce::CodeVerifier;
use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::{Error, ErrorKind};
use crate::secret::Seed;

use super::callback::Expected;
use super::discovery::{Server, needed};
use super::loopback::LoopbackReceiver;
use super::token::{self, Tokens};
use super::{OauthClient, browser_launch, device};

/// The parameters of a sign-in.
pub(crate) struct SignInRequest {
    pub(crate) client_id: String,
    pub(crate) resources: Vec<String>,
    pub(crate) scope: String,
}

impl SignInRequest {
    fn pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs = vec![("client_id", &*self.client_id), ("scope", &*self.scope)];
        pairs.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        pairs
    }
}

/// The result of a sign-in.
pub(crate) struct SignedIn {
    /// The claims of the ID token; empty if there was none.
    pub(crate) claims: Map<String, Value>,
    pub(crate) tokens: Tokens,
}

/// Signs in through the browser: RFC 6749 §4.1 with PKCE (RFC 7636).
pub(crate) async fn by_browser(
    client: &OauthClient,
    server: &Server,
    request: &SignInRequest,
    open: bool,
) -> Result<SignedIn, Error> {
    let mut url = needed(&server.authorization_endpoint, "authorization endpoint")?.clone();
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let receiver = LoopbackReceiver::bind().await?;
    let redirect_uri = receiver.redirect_uri();
    let seed = client.entropy.seed();
    let verifier = CodeVerifier::from_random(&seed.bytes("code_verifier"));
    let (state, nonce) = (drawn(&seed, "state")?, drawn(&seed, "nonce")?);
    url.query_pairs_mut()
        .extend_pairs(request.pairs())
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("state", state.expose())
        .append_pair("nonce", nonce.expose())
        .append_pair("code_challenge", &verifier.challenge().to_string())
        .append_pair("code_challenge_method", "S256");
    notify(&format!("To sign in to {}, open\n\n  {url}\n", client.issuer));
    if open {
        browser_launch::open(&url);
    }
    let expected = Expected {
        issuer: client.issuer.as_str().to_owned(),
        names_itself: server.authorization_response_iss_parameter_supported,
        state,
    };
    receiver
        .receive(expected, async |code| {
            let mut pairs = vec![
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", &redirect_uri),
                ("client_id", &request.client_id),
                ("code_verifier", verifier.expose()),
            ];
            // RFC 8707 §2.2: one token for one resource.
            if let [only] = request.resources.as_slice() {
                pairs.push(("resource", only));
            }
            let tokens = token::ask(&client.http, endpoint, &pairs).await?;
            let claims = claims(client, request, &tokens, Some(&nonce))?;
            Ok(SignedIn { claims, tokens })
        })
        .await
}

/// Signs in with another device: RFC 8628.
pub(crate) async fn by_device(
    client: &OauthClient,
    server: &Server,
    request: &SignInRequest,
) -> Result<SignedIn, Error> {
    let device_endpoint =
        needed(&server.device_authorization_endpoint, "device authorization endpoint")?;
    let endpoint = needed(&server.token_endpoint, "token endpoint")?;
    let authorization = device::start(&client.http, device_endpoint, &request.pairs()).await?;
    notify(&authorization.prompt());
    let tokens = authorization.wait(&client.http, endpoint, &request.client_id).await?;
    let claims = claims(client, request, &tokens, None)?;
    Ok(SignedIn { claims, tokens })
}

/// The claims of the ID token, if there is one. A token that is not for this sign-in is an error.
fn claims(
    client: &OauthClient,
    request: &SignInRequest,
    tokens: &Tokens,
    nonce: Option<&Opaque>,
) -> Result<Map<String, Value>, Error> {
    let Some(id_token) = &tokens.id_token else { return Ok(Map::new()) };
    let claims = token::claims(id_token, client.issuer.as_str(), &request.client_id, nonce);
    let amiss = || Error::new(ErrorKind::Refused, "the ID token is not about this sign-in");
    claims.ok_or_else(amiss)
}

fn drawn(seed: &Seed, name: &str) -> Result<Opaque, Error> {
    let drawn = Opaque::new(URL_SAFE_NO_PAD.encode(seed.bytes(name)));
    drawn.ok_or_else(|| Error::new(ErrorKind::Failed, "no randomness"))
}

/// Prints a message to the person on standard error.
fn notify(text: &str) {
    // Without standard error, nobody can read the message.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
