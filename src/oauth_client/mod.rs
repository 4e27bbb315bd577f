//! A general OAuth 2.0 client, which `login`, `logout`, `whoami` and `credential` use. It works
//! with this server and with any other that keeps the same RFCs, and depends neither on the command
//! line nor on any room of the server.
//!
//! `discovery` reads the metadata of the issuer, `register` gets a `client_id`, `sign_in` has the
//! two ways to sign in (`loopback` for a browser, `device` for another device), `token` is for the
//! token endpoint, `refresh` is the only module that refreshes, `revoke` ends the grant, and
//! [`token_store`] stores the tokens. Only `http` connects to servers, and only `loopback` listens.
//!
//! # Invariants
//!
//! 1. Tokens are sent only to the issuer that issued them: its metadata names it, and so does each
//!    authorization response (RFC 9207).
//! 2. A refresh token is used once, however many processes ask: the one that refreshes holds the
//!    issuer's lock, and has read the file again under it.
//! 3. Only its owner can read the file from the first byte, and it is replaced whole.
//! 4. If the server has ended a grant, the grant is removed from the file at once.
//!
//! If a refresh is killed after the server's response and before the file is written, the file
//! keeps a spent refresh token. This server accepts it within its replay grace, a minute by
//! default, so the next command works; after that, the person signs in again.

pub(crate) mod browser_launch;
mod callback;
mod connect;
mod device;
mod discovery;
mod error;
mod http;
mod issuer;
mod loopback;
mod opaque;
mod page;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod sign_in;
mod token;
pub(crate) mod token_store;
pub(crate) mod userinfo;

use std::path::PathBuf;

pub(crate) use self::connect::connect;
pub(crate) use self::discovery::Server;
pub(crate) use self::error::{Error, ErrorKind, printable};
pub(crate) use self::issuer::Issuer;

use self::http::Http;
use self::token_store::TokenFile;
use crate::clock::{Clock, Timestamp};
use crate::secret::Entropy;

/// A client of one issuer, with its token file.
pub(crate) struct OauthClient {
    clock: Clock,
    entropy: Entropy,
    http: Http,
    issuer: Issuer,
    token_file: TokenFile,
}

impl OauthClient {
    /// Makes a client of `issuer` that trusts the public authorities and those in the files
    /// `authorities`, and keeps its tokens in `directory`.
    pub(crate) fn new(
        issuer: Issuer,
        authorities: &[PathBuf],
        directory: PathBuf,
    ) -> Result<Self, Error> {
        let token_file = TokenFile::new(directory, issuer.clone());
        let http = Http::new(authorities)?;
        Ok(Self { clock: Clock::System, entropy: Entropy::System, http, issuer, token_file })
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The file that holds the tokens.
    pub(crate) fn token_file(&self) -> &TokenFile {
        &self.token_file
    }

    /// The source of randomness.
    pub(crate) fn entropy(&self) -> &Entropy {
        &self.entropy
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The metadata of the issuer (RFC 8414 §3).
    pub(crate) async fn discover(&self) -> Result<Server, Error> {
        Server::discover(&self.http, &self.issuer).await
    }

    /// The failure of a command that needs a sign-in if there is none.
    pub(crate) fn not_signed_in(&self) -> Error {
        let issuer = &self.issuer;
        let message = format!("nobody is signed in to {issuer}: gatelodge login --issuer {issuer}");
        Error::new(ErrorKind::NotFound, message)
    }
}
