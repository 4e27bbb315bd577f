//! Client authentication: [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3). This
//! module does what takes time, between the transitions: it fetches documents and keys, and
//! verifies chosen secrets.

use std::net::IpAddr;
use std::sync::Arc;

use super::App;
use crate::error::{Error, Internal, Refusal};
use crate::flow::client::authentication::{
    self, AssertionCheck, AuthenticatedClient, AuthenticationStep, ClientKeys, SecretCheck,
    VerifiedAssertion,
};
use crate::flow::throttle::{self, Guessed, Source};
use crate::model::network::Network;
use crate::oauth::client::assertion::ClientAssertion;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{ClientSecret, PresentedCredentials, Proof};
use crate::oauth::id::ClientId;

/// What a network proves with an assertion: a client, under this label.
const CLIENT_ASSERTION: &str = "client assertion";

/// An attempt of a client to authenticate.
pub struct Attempt {
    /// The credentials of the request.
    pub credentials: PresentedCredentials,
    /// The path of the endpoint, which an assertion may name as its audience.
    pub endpoint: String,
    /// The address of the sender.
    pub from: IpAddr,
}

/// An attempt that failed.
#[derive(Debug)]
pub struct Rejected {
    /// The client that the credentials name, if it exists. It is not authenticated.
    pub client: Option<ClientId>,
    /// The reason.
    pub error: Error,
}

impl<E: Into<Error>> From<E> for Rejected {
    fn from(error: E) -> Self {
        Self { client: None, error: error.into() }
    }
}

/// Authenticates the client of `attempt`.
pub async fn authenticate(
    app: &Arc<App>,
    attempt: Attempt,
) -> Result<AuthenticatedClient, Rejected> {
    let Attempt { credentials, endpoint, from } = attempt;
    app.ensure_current_to_authenticate(&credentials.client_id, from).await?;
    let (rules, now) = (&app.rules(), app.clock().now());
    let step = authentication::prove(&app.read()?, rules, now, &credentials, &endpoint);
    let PresentedCredentials { client_id, proof } = credentials;
    let authenticated = match step {
        Err(error @ (Error::Refused(Refusal::ClientUnknown) | Error::Internal(_))) => {
            return Err(error.into());
        }
        Err(error) => Err(error),
        Ok(step) => finish(app, step, proof, from).await,
    };
    authenticated.map_err(|error| Rejected { client: Some(client_id), error })
}

async fn finish(
    app: &Arc<App>,
    step: AuthenticationStep,
    proof: Proof,
    from: IpAddr,
) -> Result<AuthenticatedClient, Error> {
    // What seldom happens is boxed, since its state is large.
    match (step, proof) {
        (AuthenticationStep::Done(client), _) => {
            app.note_used_secret(&client);
            Ok(client)
        }
        (AuthenticationStep::SecretCheck(check), Proof::Basic(secret) | Proof::Post(secret)) => {
            Box::pin(by_chosen_secret(app, from, check, secret)).await
        }
        (AuthenticationStep::AssertionCheck(check), Proof::Assertion(assertion)) => {
            Box::pin(by_assertion(app, from, check, assertion)).await
        }
        (AuthenticationStep::SecretCheck(_) | AuthenticationStep::AssertionCheck(_), _) => {
            Err(Internal::new("a proof was taken for one of another kind").into())
        }
    }
}

async fn by_chosen_secret(
    app: &Arc<App>,
    from: IpAddr,
    check: SecretCheck,
    secret: ClientSecret,
) -> Result<AuthenticatedClient, Error> {
    let network = Network::of(from);
    if let Some(proven) = remembered(app, network, &check, &secret)? {
        return Ok(proven);
    }
    // In a task of its own the guess is counted even if the peer closes the connection.
    let app = Arc::clone(app);
    let guess = tokio::spawn(async move { guess(&app, network, check, &secret).await });
    guess.await.map_err(Internal::new)?
}

/// The client, if its secret was verified before: that does not wait behind the guesses of others.
/// While a network waits for its wrong guesses, only what it has proven itself passes.
fn remembered(
    app: &App,
    network: Network,
    check: &SecretCheck,
    secret: &ClientSecret,
) -> Result<Option<AuthenticatedClient>, Error> {
    let (passwords, secret) = (app.passwords(), secret.expose());
    let Some(matched) = passwords.remembered(check.phc(), secret) else { return Ok(None) };
    if !passwords.was_proven_by(network, check.phc(), secret) {
        let source = Source::Network(network);
        throttle::check(&app.read()?, &app.present(), Guessed::ClientSecret, &source)?;
        passwords.remember(network, check.phc(), secret);
    }
    Ok(Some(check.proven(Some(&matched))?))
}

/// Checks and counts one guess at a chosen secret in one turn, so that each of several concurrent
/// guesses sees the counts of those before it, and few wait for a hash.
///
/// RFC 6749 §2.3.1: "Since this client authentication method involves a password, the
/// authorization server MUST protect any endpoint utilizing it against brute force attacks."
async fn guess(
    app: &App,
    network: Network,
    check: SecretCheck,
    secret: &ClientSecret,
) -> Result<AuthenticatedClient, Error> {
    let source = Source::Network(network);
    let turn = app.passwords().turn(Some(network)).await?;
    // An earlier turn may have verified it.
    if let Some(proven) = remembered(app, network, &check, secret)? {
        return Ok(proven);
    }
    let guessed = Guessed::ClientSecret;
    throttle::check(&app.read()?, &app.present(), guessed, &source)?;
    let matched = app.passwords().verify(&turn, check.phc(), secret.expose()).await?;
    let proven = check.proven(matched.as_ref());
    if proven.is_ok() {
        app.passwords().remember(network, check.phc(), secret.expose());
    } else {
        app.write(move |tx, cx| throttle::record_failure(tx, cx, guessed, &source)).await?;
    }
    Ok(proven?)
}

/// Verifies an assertion. The client chose its keys, and so what a verification costs: a wrong one
/// counts for the network of `from`, unless that network proved the client before.
async fn by_assertion(
    app: &Arc<App>,
    from: IpAddr,
    check: AssertionCheck,
    assertion: Box<ClientAssertion>,
) -> Result<AuthenticatedClient, Error> {
    let (network, id) = (Network::of(from), check.id().clone());
    let (guessed, source) = (Guessed::ClientAssertion, Source::Network(network));
    if !app.passwords().was_proven_by(network, CLIENT_ASSERTION, id.as_str()) {
        throttle::check(&app.read()?, &app.present(), guessed, &source)?;
    }
    let (check, assertion) = (Arc::new(check), Arc::from(assertion));
    let mut verified = match check.keys() {
        ClientKeys::At(named_by, uri) => {
            let keys = app.client_keys(*named_by, uri, from).await?;
            verify(app, &check, Some(keys), &assertion).await?
        }
        ClientKeys::ByValue(_) => verify(app, &check, None, &assertion).await?,
    };
    // The client may have added a key since.
    if let (Err(_), ClientKeys::At(named_by, uri)) = (&verified, check.keys())
        && let Some(keys) = app.newer_client_keys(*named_by, uri, from).await
    {
        verified = verify(app, &check, Some(keys), &assertion).await?;
    }
    match verified {
        Ok(verified) => {
            let spent = app.write(move |tx, cx| authentication::spend_assertion(tx, cx, &verified));
            let client = spent.await?;
            app.passwords().remember(network, CLIENT_ASSERTION, id.as_str());
            Ok(client)
        }
        Err(refusal) => {
            app.write(move |tx, cx| throttle::record_failure(tx, cx, guessed, &source)).await?;
            Err(refusal.into())
        }
    }
}

/// Verifies an assertion by the `fetched` keys or by those of the client's row, outside the async
/// threads.
async fn verify(
    app: &Arc<App>,
    check: &Arc<AssertionCheck>,
    fetched: Option<Arc<JwkSet>>,
    assertion: &Arc<ClientAssertion>,
) -> Result<Result<VerifiedAssertion, Refusal>, Error> {
    let (app, check, assertion) = (Arc::clone(app), Arc::clone(check), Arc::clone(assertion));
    let verified = tokio::task::spawn_blocking(move || {
        let rules = app.rules();
        match (fetched, check.keys()) {
            (Some(keys), _) => check.verified(&rules, &keys, &assertion),
            (None, ClientKeys::ByValue(keys)) => check.verified(&rules, keys, &assertion),
            (None, ClientKeys::At(..)) => Err(Refusal::ClientKeysUnavailable),
        }
    });
    Ok(verified.await.map_err(Internal::new)?)
}
