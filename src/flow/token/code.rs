//! The authorization code grant: [RFC 6749
//! §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3), [RFC 9700
//! §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1).

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::installation::evidence;
use crate::flow::token::grant::{self, Replay};
use crate::flow::token::issue::{self, Issued};
use crate::flow::{Context, resource};
use crate::oauth::client::GrantType;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::token::CodeRequest;
use crate::store::schema::Code;
use crate::store::{Tx, View};

/// The outcome of a redemption.
pub enum Redeemed {
    /// A replay (RFC 6749 §4.1.2). Its grant is ended, which must be written.
    Replayed(Replay),
    /// A grant was created.
    Tokens(Box<Issued>),
}

/// Spends a code, and creates the grant and its first refresh token.
///
/// The client is authenticated before the code is looked up. A code of another client, a wrong
/// verifier or a wrong redirect URI is refused without spending the code.
pub fn redeem(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    request: &CodeRequest,
) -> Result<Redeemed, Error> {
    let client = proven.row(tx, GrantType::AuthorizationCode)?;
    let hash = cx.rules.pepper.hash(&request.code);
    let mut code = tx.find::<Code>(&hash)?.ok_or(Refusal::CodeUnknown)?;
    // The code may belong to an earlier client of the same name.
    if code.authorization.client != *proven.id() || code.authorization.given < client.created {
        return Err(Refusal::CodeClientDiffers.into());
    }
    if let Some(spent) = code.spent {
        // RFC 6749 §4.1.2: "the authorization server MUST deny the request and SHOULD revoke
        // (when possible) all tokens previously issued based on that authorization code".
        return Ok(Redeemed::Replayed(grant::end_replayed(tx, cx, spent, Kind::CodeReplayed)?));
    }
    if evidence::is_over(tx, cx, code.expires)? {
        return Err(Refusal::CodeExpired.into());
    }
    if code.redirect_uri.is_some() && code.redirect_uri != request.redirect_uri {
        return Err(Refusal::RedirectUriDiffers.into());
    }
    check_verifier(&code, request.code_verifier.as_ref())?;
    let authorization = code.authorization.clone();
    let (granted, scope) = (&authorization.resources, &authorization.scope);
    let targets = resource::remaining(tx, &cx.rules, &client, granted, scope)?;
    let target = targets.share(&cx.rules, scope, &request.resources)?;

    let nonce = code.nonce.take();
    let (live, refresh_token) = grant::create(tx, cx, client, authorization, Refusal::CodeEnded)?;
    code.spent = Some(live.id());
    code.retained_until = live.grant().expires.max(code.expires.by_evidence());
    tx.put(&hash, code)?;
    let issued = issue::for_grant(cx, &live, target, nonce, refresh_token);
    Ok(Redeemed::Tokens(Box::new(issued)))
}

/// Checks the PKCE verifier. RFC 9700 §2.1.1: a challenge is enforced at the token endpoint, and "a
/// token request containing a code_verifier parameter is accepted only if a code_challenge
/// parameter was present in the authorization request".
fn check_verifier(code: &Code, verifier: Option<&CodeVerifier>) -> Result<(), Refusal> {
    match (&code.code_challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Refusal::CodeVerifierUnexpected),
        (Some(_), None) => Err(Refusal::CodeVerifierMissing),
        (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::CodeVerifierWrong),
    }
}
