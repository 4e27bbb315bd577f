//! What the script of a page brings with each request, where a session is a key in the origin's
//! storage: a secret of that storage, and the proofs of keys. Cookies, which browsers send to every
//! port of a host, prove nothing there.

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::body;
use crate::app::App;
use crate::app::session_proof::ProvenKey;
use crate::error::{Error, Refusal};
use crate::flow::authorize::step::PresentedInteraction;
use crate::flow::session::NewSessionKey;
use crate::model::session_proof::ProvenRequest;
use crate::secret::{BrowserSecret, TokenHash};

/// The header with the secret of the browser's storage. No other origin can send it: it is not
/// among the headers that a page may send across origins, and no page is open to them (Fetch
/// §4.9).
const STORAGE: &str = "gatelodge-storage";
/// The header with the proof of the session's key.
const PROOF: &str = "gatelodge-proof";
/// The header with the proof of the key of a session that the request opens.
const NEW_KEY_PROOF: &str = "gatelodge-new-key-proof";

/// A session key that the request proved. Only [`verify`] makes one.
#[derive(Clone, Copy)]
pub(super) struct ProvenSession(ProvenKey);

impl ProvenSession {
    /// The hash of the key, if its session lives.
    pub(super) fn live(self) -> Option<TokenHash> {
        self.0.is_live.then_some(self.0.hash)
    }

    /// The hash of the key, whatever became of its session.
    pub(super) fn key(self) -> TokenHash {
        self.0.hash
    }
}

/// A key for a new session that the request proved. Only [`verify`] makes one.
#[derive(Clone, Copy)]
pub(super) struct ProvenNewKey(NewSessionKey);

impl ProvenNewKey {
    pub(super) fn key(self) -> NewSessionKey {
        self.0
    }
}

/// The secret of the storage, if a script sent the request.
pub(in crate::http) fn storage(headers: &HeaderMap) -> Option<BrowserSecret> {
    headers.get(STORAGE)?.to_str().ok()?.parse().ok()
}

/// Verifies the proofs of a request, and adds what they prove to it.
pub(in crate::http) async fn verify(app: &App, request: Request) -> Result<Request, Error> {
    let proof = header(request.headers(), PROOF)?;
    let new_key_proof = header(request.headers(), NEW_KEY_PROOF)?;
    if proof.is_none() && new_key_proof.is_none() {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    let body = body::bytes(body, body::MAX_JSON).await?;
    let proven = ProvenRequest {
        method: parts.method.as_str(),
        target: parts.uri.path_and_query().map_or("", |target| target.as_str()),
        body: &body,
    };
    let session = match proof {
        Some(proof) => Some(app.prove_session(&proof, &proven)?),
        None => None,
    };
    let new_key = match new_key_proof {
        Some(proof) => Some(NewSessionKey(app.prove_new_session_key(&proof, &proven)?)),
        None => None,
    };
    if let Some(key) = session {
        parts.extensions.insert(ProvenSession(key));
    }
    if let Some(key) = new_key {
        parts.extensions.insert(ProvenNewKey(key));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Refusal::SessionProofMalformed)?;
    Ok(Some(text.to_owned()))
}

/// The rejection of a request for a page that no script sent. It becomes the page whose script
/// sends it again with the proof (`pages/prove.rs`).
#[derive(Clone)]
pub(in crate::http) struct Unproven {
    /// The interaction at which the page stands.
    pub(in crate::http) interaction: Option<PresentedInteraction>,
}

impl IntoResponse for Unproven {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self);
        response
    }
}
