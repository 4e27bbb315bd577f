//! How a request proves its client: [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3),
//! the same at every endpoint that asks for it.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::{HeaderValue, header};

use super::peer;
use crate::app::App;
use crate::error::{Error, Internal, Refusal};
use crate::flow::client::authentication::{
    self, AssertionCheck, AuthenticatedClient, AuthenticationStep, ClientKeys, SecretCheck,
};
use crate::http::failure::{ErrorFormat, Failure};
use crate::oauth::client::assertion::ClientAssertion;
use crate::oauth::client::{ClientSecret, PresentedCredentials, Proof};
use crate::oauth::id::ClientId;
use crate::oauth::params::Params;

/// Whoever asks: what the head of a request tells of them.
pub(in crate::http) struct Caller {
    authorization: Vec<HeaderValue>,
    endpoint: String,
    from: IpAddr,
    /// The client, once it is known to exist, if not yet to be it that asks.
    known: OnceLock<ClientId>,
}

impl Caller {
    /// Who sends `request`.
    pub(in crate::http) fn of(app: &App, request: &Request) -> Self {
        let authorization = request.headers().get_all(header::AUTHORIZATION);
        let authorization = authorization.iter().cloned().collect();
        let endpoint = request.uri().path().to_owned();
        let (from, known) = (peer::address(app, request), OnceLock::new());
        Self { authorization, endpoint, from, known }
    }

    /// Their request, failed.
    pub(in crate::http) fn failure(&self, error: impl Into<Error>) -> Failure {
        let failure = Failure::new(error, self.format());
        match self.known.get() {
            Some(client) => failure.about(client.clone()),
            None => failure,
        }
    }

    /// The one `Authorization` header.
    fn authorization(&self) -> Result<Option<&[u8]>, Refusal> {
        match self.authorization.as_slice() {
            [] => Ok(None),
            [authorization] => Ok(Some(authorization.as_bytes())),
            [_, _, ..] => Err(Refusal::ClientAuthTwice),
        }
    }

    /// The shape in which they read an error.
    ///
    /// RFC 6749 §5.2: "If the client attempted to authenticate via the 'Authorization' request
    /// header field, the authorization server MUST […] include the 'WWW-Authenticate' response
    /// header field matching the authentication scheme used by the client."
    fn format(&self) -> ErrorFormat {
        if self.authorization.is_empty() { ErrorFormat::Json } else { ErrorFormat::Basic }
    }
}

/// The client that a request proves by its head and its form.
pub(in crate::http) async fn proven(
    app: &Arc<App>,
    caller: &Caller,
    form: &Params,
) -> Result<AuthenticatedClient, Error> {
    prove(app, caller, PresentedCredentials::parse(caller.authorization()?, form)?).await
}

/// The client that a request without a form names, and proves by its head.
pub(in crate::http) async fn proven_by_head(
    app: &Arc<App>,
    caller: &Caller,
    named: &ClientId,
) -> Result<AuthenticatedClient, Error> {
    prove(app, caller, PresentedCredentials::by_head(caller.authorization()?, named)?).await
}

async fn prove(
    app: &Arc<App>,
    caller: &Caller,
    presented: PresentedCredentials,
) -> Result<AuthenticatedClient, Error> {
    app.ensure_current_to_authenticate(&presented.client_id, caller.from).await?;
    let proving = authentication::prove(&app.read()?, &app.context(), &presented, &caller.endpoint);
    // A stranger can name what they like: only a client that there is is counted.
    if !matches!(proving, Err(Error::Refused(Refusal::ClientUnknown) | Error::Internal(_))) {
        caller.known.get_or_init(|| presented.client_id.clone());
    }
    match (proving?, presented.proof) {
        (AuthenticationStep::Done(client), _) => Ok(client),
        (AuthenticationStep::SecretCheck(chosen), Proof::Basic(secret) | Proof::Post(secret)) => {
            by_chosen_secret(app, caller.from, chosen, secret).await
        }
        (AuthenticationStep::AssertionCheck(signed), Proof::Assertion(assertion)) => {
            by_assertion(app, caller.from, signed, &assertion).await
        }
        (AuthenticationStep::SecretCheck(_) | AuthenticationStep::AssertionCheck(_), _) => {
            Err(Internal::new("a proof was taken for one of another kind").into())
        }
    }
}

async fn by_chosen_secret(
    app: &Arc<App>,
    from: IpAddr,
    chosen: SecretCheck,
    secret: ClientSecret,
) -> Result<AuthenticatedClient, Error> {
    // Whoever was right before is not held up by what others guess.
    if let Some(matched) = app.passwords().remembered(chosen.phc(), secret.expose()) {
        return Ok(chosen.proven(Some(&matched))?);
    }
    // A task of its own counts the guess also of those who hang up.
    let app = Arc::clone(app);
    let guess = tokio::spawn(async move { guess(&app, from, chosen, &secret).await });
    guess.await.map_err(Internal::new)?
}

/// One guess at a chosen secret, judged and counted in one turn: however many come at once, each
/// sees those before it, and few wait for a hash.
///
/// RFC 6749 §2.3.1: "Since this client authentication method involves a password, the
/// authorization server MUST protect any endpoint utilizing it against brute force attacks."
async fn guess(
    app: &App,
    from: IpAddr,
    chosen: SecretCheck,
    secret: &ClientSecret,
) -> Result<AuthenticatedClient, Error> {
    let (id, secret) = (chosen.id().clone(), secret.expose());
    let turn = app.passwords().turn().await?;
    // It may have been right in the turn before.
    if let Some(matched) = app.passwords().remembered(chosen.phc(), secret) {
        return Ok(chosen.proven(Some(&matched))?);
    }
    authentication::may_guess(&app.read()?, &app.context(), &id, from)?;
    let matched = app.passwords().verify(&turn, chosen.phc(), secret).await?;
    let proven = chosen.proven(matched.as_ref());
    if proven.is_err() {
        app.write(move |tx, cx| authentication::guessed_wrong(tx, cx, &id, from)).await?;
    }
    Ok(proven?)
}

async fn by_assertion(
    app: &App,
    from: IpAddr,
    signed: AssertionCheck,
    assertion: &ClientAssertion,
) -> Result<AuthenticatedClient, Error> {
    let rules = app.rules();
    let verified = match signed.keys() {
        ClientKeys::At(uri) => {
            let keys = app.client_keys(uri, from).await?;
            match signed.verified(rules, &keys, assertion) {
                // A key may have come since.
                Err(refusal) => match app.newer_client_keys(uri, from).await {
                    Some(keys) => signed.verified(rules, &keys, assertion)?,
                    None => return Err(refusal.into()),
                },
                Ok(verified) => verified,
            }
        }
        ClientKeys::Here(keys) => signed.verified(rules, keys, assertion)?,
    };
    app.write(move |tx, cx| authentication::spend_assertion(tx, cx, &verified)).await
}
