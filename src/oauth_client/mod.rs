//! A general OAuth 2.0 client: `login`, `logout`, `whoami` and `credential` stand on it. It works with
//! this server and with any other that keeps the same RFCs, and knows neither the command line nor
//! any room of the server.
//!
//! `discovery` reads the metadata of the issuer, `register` gets a `client_id` there, `sign_in` has the
//! two ways to sign in (`loopback` for a browser, `device` for another device), `token` asks the token
//! endpoint, `refresh` is the one place that refreshes, `revoke` ends the grant. The tokens lie in
//! [`token_store`]. `http` alone connects to others, `loopback` alone listens.
//!
//! # Invariants
//!
//! 1. Tokens go to the issuer that issued them and nowhere else: its metadata names it, and so does
//!    each authorization response (RFC 9207).
//! 2. A refresh token is used once, however many processes ask: the one that refreshes holds the
//!    issuer's lock, and has read the file again under it.
//! 3. The file is readable by its owner alone from the first byte, and is replaced whole.
//! 4. A grant that the server ended is removed from the file at once.
//!
//! A refresh that is killed after the server's response and before the file is written leaves a spent
//! refresh token behind. This server accepts that for a minute (its replay grace), so that the next
//! command goes on; later the person signs in again.

mod browser_launch;
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

use std::path::{Path, PathBuf};

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
    /// A client of `issuer` that trusts the authorities in the file `ca` beside the public ones, and
    /// keeps its tokens in `directory`.
    pub(crate) fn new(
        issuer: Issuer,
        ca: Option<&Path>,
        directory: PathBuf,
    ) -> Result<Self, Error> {
        let token_file = TokenFile::new(directory, issuer.clone());
        let http = Http::new(ca)?;
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

    /// Where its randomness comes from.
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

    /// The failure of a command that needs a sign-in where there is none.
    pub(crate) fn not_signed_in(&self) -> Error {
        let issuer = &self.issuer;
        let message = format!("nobody is signed in to {issuer}: gatelodge login --issuer {issuer}");
        Error::new(ErrorKind::NotFound, message)
    }
}
