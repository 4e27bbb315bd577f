//! Passkey ceremonies between their challenge and their response.
//!
//! A ceremony is not stored: the browser gets it, sealed with a keyed hash, beside the challenge, and
//! returns it with the response. So whoever starts ceremonies and never finishes one fills nothing.
//! Only the id of a ceremony that succeeded is stored, until the ceremony expires.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Internal, Refusal};
use crate::flow::Context;
use crate::flow::installation::evidence;
use crate::model::email::Email;
use crate::model::person::Username;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{CeremonyId, SessionId, UserId};
use crate::secret::{Pepper, TokenHash};
use crate::store::schema::{Deadline, UsedCeremony};
use crate::store::{StoreError, Tx, View};

/// The label of the keyed hash.
const LABEL: &str = "ceremony";

/// A ceremony that this server started. It is only made here and read from what this server sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Ceremony {
    /// The hash of the cookie of the browser that started it.
    browser: TokenHash,
    /// A later response is refused.
    expires: Deadline,
    id: CeremonyId,
    purpose: Purpose,
    /// The server's half, as the WebAuthn library wrote it.
    state: Value,
}

/// What a ceremony is for.
#[derive(Clone, Serialize, Deserialize)]
pub enum Purpose {
    /// Sign-in.
    Authenticate,
    /// Registration of a passkey.
    Register {
        /// The right to it.
        right: Right,
        /// The id of the person, who may not exist yet.
        user: UserId,
        /// Their username, which a first administrator chooses.
        username: Username,
        /// Their display name.
        display_name: DisplayName,
        /// The email address that they typed.
        email: Option<Email>,
    },
}

/// The right to register a passkey.
#[derive(Clone, Serialize, Deserialize)]
pub enum Right {
    /// A session in which the person has signed in a moment ago.
    SignIn(SessionId),
    /// None: somebody makes an account by themselves.
    SignUp,
    /// A setup link, an invitation or a recovery code, by its hash. The kinds have hashes apart.
    Token(TokenHash),
}

impl Right {
    /// Whether both are the same right.
    pub fn is_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::SignIn(own), Self::SignIn(other)) => own == other,
            (Self::SignUp, Self::SignUp) => true,
            (Self::Token(own), Self::Token(other)) => own.matches(other),
            (Self::SignIn(_) | Self::SignUp | Self::Token(_), _) => false,
        }
    }
}

impl Ceremony {
    /// Starts a ceremony in the browser with the cookie of hash `browser`.
    pub fn start(cx: &Context, browser: TokenHash, purpose: Purpose, state: Value) -> Self {
        let expires = cx.deadline(cx.rules.config.lifetimes.ceremony);
        Self { browser, expires, id: CeremonyId::from_seed(&cx.seed), purpose, state }
    }

    /// The ceremony as the browser keeps it.
    pub fn seal(&self, pepper: &Pepper) -> Result<String, Internal> {
        let document = serde_json::to_vec(self).map_err(Internal::new)?;
        let seal = pepper.hash_parts(LABEL, &document).to_bytes();
        Ok(URL_SAFE_NO_PAD.encode([seal.as_slice(), &document].concat()))
    }

    /// Reads a ceremony that this server sealed.
    ///
    /// # Errors
    ///
    /// [`Refusal::CeremonyUnknown`] if it did not.
    pub fn open(pepper: &Pepper, sealed: &str) -> Result<Self, Refusal> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
            let (seal, document) = bytes.split_first_chunk()?;
            let genuine = pepper.hash_parts(LABEL, document).matches(&TokenHash::from_bytes(*seal));
            if genuine { serde_json::from_slice(document).ok() } else { None }
        };
        read().ok_or(Refusal::CeremonyUnknown)
    }

    /// What it is for.
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// The server's half.
    pub fn state(&self) -> &Value {
        &self.state
    }

    /// Checks that `browser` started it, and that it can still be finished.
    pub fn check(&self, view: &impl View, cx: &Context, browser: &TokenHash) -> Result<(), Error> {
        if view.find::<UsedCeremony>(&self.id)?.is_some() {
            return Err(Refusal::CeremonyUnknown.into());
        }
        if !self.browser.matches(browser) {
            return Err(Refusal::CeremonyOfAnotherBrowser.into());
        }
        if evidence::is_over(view, cx, self.expires)? {
            return Err(Refusal::CeremonyExpired.into());
        }
        Ok(())
    }

    /// Marks it as used by `user`.
    pub fn spend(&self, tx: &mut Tx<'_>, user: UserId) -> Result<(), StoreError> {
        tx.put(&self.id, UsedCeremony { expires: self.expires, user })
    }
}
