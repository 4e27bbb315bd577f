//! Client authentication: [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3).

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::admission::{self, ASSERTIONS_OF_CLIENT};
use crate::flow::bridge::device;
use crate::flow::client::owner::owner_may;
use crate::flow::installation::evidence;
use crate::flow::{Context, Rules};
use crate::keys::signed_by;
use crate::model::named_by::NamedBy;
use crate::oauth::client::assertion::ClientAssertion;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::{AuthMethod, ClientSecret, GrantType, PresentedCredentials, Proof};
use crate::oauth::id::ClientId;
use crate::oauth::jwt::Compact;
use crate::oauth::web_uri::WebUri;
use crate::password::Matched;
use crate::secret::{MadeClientSecret, TokenHash};
use crate::store::schema::{Client, ClientProof, LinkedDevice, UsedAssertion};
use crate::store::{Tx, View};

/// Proof that a request comes from a client. It holds for one revision of the client, and for as long
/// as the linked device has the secret that it brought.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    /// The creation time, since a later client of the same name counts its revisions from one
    /// again.
    created: Timestamp,
    /// The linked device whose secret of a hook client was brought, and the hash of that secret.
    device: Option<(String, TokenHash)>,
    /// The hash of the secret that it brought, if that is stored under an earlier root secret.
    anew: Option<TokenHash>,
    id: ClientId,
    revision: u64,
}

impl AuthenticatedClient {
    /// The id of the client.
    pub fn id(&self) -> &ClientId {
        &self.id
    }

    /// The hash of the secret that it brought under the newest root secret, if it is stored under an
    /// earlier one.
    pub fn anew(&self) -> Option<TokenHash> {
        self.anew
    }

    /// The id of the linked device, if the client is a hook client.
    pub fn device(&self) -> Option<&str> {
        self.device.as_ref().map(|(id, _)| id.as_str())
    }

    /// The client's row, if the proof still holds.
    pub fn client(&self, view: &impl View) -> Result<Arc<Client>, Error> {
        let client = view.find_shared::<Client>(&self.id)?.ok_or(Refusal::ClientChanged)?;
        if (client.created, client.revision) != (self.created, self.revision) {
            return Err(Refusal::ClientChanged.into());
        }
        if let Some((id, hook)) = &self.device
            && let device = view.find::<LinkedDevice>(id)?
            && !device.is_some_and(|device| {
                !device.ended && device.hook.is_some_and(|own| own.matches(hook))
            })
        {
            return Err(Refusal::ClientChanged.into());
        }
        Ok(client)
    }

    /// The client's row, if the proof still holds and the client registered `grant_type`.
    pub fn row(&self, view: &impl View, grant_type: GrantType) -> Result<Arc<Client>, Error> {
        let client = self.client(view)?;
        if !client.metadata.has_grant_type(grant_type) {
            return Err(Refusal::GrantTypeNotRegistered.into());
        }
        Ok(client)
    }
}

/// The result of the quick part of an authentication: a proof, or the check that remains.
pub enum AuthenticationStep {
    /// A chosen secret remains to be compared with its hash.
    SecretCheck(SecretCheck),
    /// The client is authenticated.
    Done(AuthenticatedClient),
    /// A signature remains to be verified.
    AssertionCheck(AssertionCheck),
}

/// A client whose chosen secret is not checked yet, since the hash is slow.
pub struct SecretCheck {
    client: AuthenticatedClient,
    phc: String,
}

/// A client whose assertion is not verified yet, since its keys may have to be fetched.
pub struct AssertionCheck {
    client: AuthenticatedClient,
    keys: ClientKeys,
}

/// The location of a client's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKeys {
    /// At its `jwks_uri`, and who named that.
    At(NamedBy, WebUri),
    /// In its metadata.
    ByValue(JwkSet),
}

impl SecretCheck {
    /// The hash of the secret, in PHC form.
    pub fn phc(&self) -> &str {
        &self.phc
    }

    /// The id of the client.
    pub fn id(&self) -> &ClientId {
        &self.client.id
    }

    /// The authenticated client, if the secret matched this hash.
    pub fn proven(&self, matched: Option<&Matched>) -> Result<AuthenticatedClient, Refusal> {
        let met = matched.is_some_and(|matched| matched.phc() == self.phc);
        if met { Ok(self.client.clone()) } else { Err(Refusal::ClientSecretWrong) }
    }
}

impl AssertionCheck {
    /// The client that is being checked.
    pub fn id(&self) -> &ClientId {
        &self.client.id
    }

    /// The keys that can verify the assertion.
    pub fn keys(&self) -> &ClientKeys {
        &self.keys
    }

    /// The verified assertion, which remains to be spent, if one of `keys` signed it.
    ///
    /// RFC 7523 §3: "The authorization server MUST reject JWTs with an invalid signature or MAC."
    pub fn verified(
        &self,
        rules: &Rules,
        keys: &JwkSet,
        assertion: &ClientAssertion,
    ) -> Result<VerifiedAssertion, Refusal> {
        let token = Compact::parse(assertion.token());
        let token = token.map_err(|_| Refusal::ClientAssertionMalformed)?;
        if keys.demands_kid() && assertion.kid().is_none() {
            return Err(Refusal::ClientAssertionKeyUnnamed);
        }
        let mut candidates = keys.candidates(assertion.alg(), assertion.kid());
        if *assertion.client_id() != self.client.id || !candidates.any(|key| signed_by(key, &token))
        {
            return Err(Refusal::ClientAssertionSignatureWrong);
        }
        let used = rules.pepper.mark("client assertion", assertion.jti().as_bytes());
        Ok(VerifiedAssertion { client: self.client.clone(), expires: assertion.expires()?, used })
    }
}

/// The most of its used assertions that are read: those, and some that the sweep has not removed yet.
const MAX_READ: usize = 64;

/// Proof that a client signed an assertion. The assertion may have been used before.
pub struct VerifiedAssertion {
    client: AuthenticatedClient,
    expires: Timestamp,
    used: TokenHash,
}

/// Spends an assertion, which authenticates its client once.
///
/// RFC 7523 §3: "The authorization server MAY ensure that JWTs are not replayed by maintaining the
/// set of used 'jti' values".
pub fn spend_assertion(
    tx: &mut Tx<'_>,
    cx: &Context,
    verified: &VerifiedAssertion,
) -> Result<AuthenticatedClient, Error> {
    let client = verified.client.client(tx)?;
    // A used assertion is forgotten after its expiry.
    if evidence::is_assertion_over(tx, cx, verified.expires)? {
        return Err(Refusal::ClientAssertionExpired.into());
    }
    let key = (verified.client.id.clone(), verified.used);
    if tx.find::<UsedAssertion>(&key)?.is_some() {
        return Err(Refusal::ClientAssertionReplayed.into());
    }
    let holding = client.strangers_holding();
    if holding.is_some() {
        check_room(tx, cx, &key.0)?;
    }
    admission::store(tx, cx, &key, UsedAssertion { expires: verified.expires, holding })?;
    Ok(verified.client.clone())
}

/// Refuses another assertion of a client that registered or named itself and that nobody uses yet,
/// until one of those that are stored expires. Whoever makes clients makes their assertions too.
fn check_room(view: &impl View, cx: &Context, id: &ClientId) -> Result<(), Error> {
    let used = view.list_under::<UsedAssertion, _>(id, MAX_READ)?;
    let left = used.iter().map(|(_, row)| row.expires.since(cx.now));
    let left: Vec<Duration> = left.filter(|left| !left.is_zero()).collect();
    if left.len() < ASSERTIONS_OF_CLIENT && used.len() < MAX_READ {
        return Ok(());
    }
    Err(Error::Paused(left.into_iter().min().unwrap_or_default()))
}

/// Authenticates the client of a request to the path `endpoint`, as far as that is quick. Only the
/// registered method counts.
pub fn prove(
    view: &impl View,
    rules: &Rules,
    now: Timestamp,
    presented: &PresentedCredentials,
    endpoint: &str,
) -> Result<AuthenticationStep, Error> {
    let client = view.find_shared::<Client>(&presented.client_id)?;
    // The hash is computed even if the client is unknown, so that an unknown client takes as long
    // as a wrong secret.
    let (method, hash) = match &presented.proof {
        Proof::Assertion(_) => (AuthMethod::PrivateKeyJwt, None),
        Proof::Basic(secret) => (AuthMethod::ClientSecretBasic, Some(hash(rules, secret))),
        Proof::None => (AuthMethod::None, None),
        Proof::Post(secret) => (AuthMethod::ClientSecretPost, Some(hash(rules, secret))),
    };
    let client = client.ok_or(Refusal::ClientUnknown)?;
    let (either, registered) = (client.metadata.any_secret_method(), client.metadata.auth_method());
    if method == AuthMethod::None && registered != AuthMethod::None {
        return Err(Refusal::ClientAuthMissing.into());
    }
    if registered != method && !(either && method.is_secret()) {
        let refused = Error::from(Refusal::AuthMethodNotRegistered);
        return Err(refused.compared(registered.as_str(), method.as_str()));
    }
    if !client.enabled || !owner_may(view, &client)? {
        return Err(Refusal::ClientDisabled.into());
    }
    let proven = AuthenticatedClient {
        anew: None,
        created: client.created,
        device: None,
        id: presented.client_id.clone(),
        revision: client.revision,
    };
    let named_by = client.named_by();
    match (&presented.proof, &client.proof, hash) {
        (Proof::Assertion(assertion), _, _) => {
            let issuer = &rules.issuer;
            // The endpoints that RFC 9126 §2 made audiences beside the issuer. That of pushed
            // requests is one only there.
            let (token, par) = (issuer.at("/oauth/token"), issuer.at("/oauth/par"));
            let mut endpoints = vec![token.as_str()];
            if endpoint == "/oauth/par" {
                endpoints.push(&par);
            }
            let profile = client.decisions.assertions;
            assertion.judge(profile, issuer.as_str(), &endpoints, now)?;
            let keys = match (&client.metadata.jwks, &client.metadata.jwks_uri) {
                (Some(keys), _) => ClientKeys::ByValue(keys.clone()),
                (None, Some(uri)) => ClientKeys::At(named_by, uri.clone()),
                (None, None) => return Err(Refusal::ClientAssertionSignatureWrong.into()),
            };
            Ok(AuthenticationStep::AssertionCheck(AssertionCheck { client: proven, keys }))
        }
        (Proof::None, _, _) => Ok(AuthenticationStep::Done(proven)),
        (Proof::Basic(_) | Proof::Post(_), Some(ClientProof::Chosen(phc)), _) => {
            Ok(AuthenticationStep::SecretCheck(SecretCheck { client: proven, phc: phc.clone() }))
        }
        (Proof::Basic(_) | Proof::Post(_), Some(ClientProof::Made(stored)), Some(hash))
            if stored.matches(&hash) =>
        {
            let anew = stored.anew(&hash);
            Ok(AuthenticationStep::Done(AuthenticatedClient { anew, ..proven }))
        }
        (Proof::Basic(_) | Proof::Post(_), Some(ClientProof::Devices), Some(hash)) => {
            let found = device::of_hook(view, now, &hash)?;
            let own = found.filter(|(_, device)| client.owner == Some(device.user));
            let (id, device) = own.ok_or(Refusal::ClientSecretWrong)?;
            let anew = device.hook.and_then(|stored| stored.anew(&hash));
            let device = Some((id, hash));
            Ok(AuthenticationStep::Done(AuthenticatedClient { anew, device, ..proven }))
        }
        (Proof::Basic(_) | Proof::Post(_), _, _) => Err(Refusal::ClientSecretWrong.into()),
    }
}

fn hash(rules: &Rules, secret: &ClientSecret) -> TokenHash {
    let secret = secret.expose();
    secret.parse::<MadeClientSecret>().map_or_else(
        |_| rules.pepper.hash_parts("client secret of another form", secret.as_bytes()),
        |made| rules.pepper.hash(&made),
    )
}
