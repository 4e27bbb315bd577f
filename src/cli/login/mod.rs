//! The other side of the server: `gatelodge login`, `credential`, `whoami` and `logout`, which work
//! with this server and with any other that keeps to the same RFCs.
//!
//! `server` finds out what the issuer offers, `register` gives us a `client_id` there, `ways` are the
//! two to sign in (`browser`, `device`), `token` is what both bring, and `seed` the one place that
//! refreshes. What comes of it lies in [`kept`](super::kept). `http` is the only one here that
//! speaks to a network, `browser` the only one that listens.
//!
//! # What holds
//!
//! 1. Tokens go to the issuer that they came from and nowhere else: its metadata has to name it, and
//!    each answer to a sign-in, too (RFC 9207).
//! 2. A refresh token is used once, however many processes ask: whoever refreshes holds the issuer's
//!    lock and has read the file again under it.
//! 3. What is kept is readable by its person alone from the first byte, and is replaced whole.
//! 4. A grant that the server ended is forgotten at once.
//!
//! A refresh that is killed after the server's answer and before the file is written leaves a spent
//! refresh token behind. This server forgives that for a minute, so that the next command goes on;
//! later the person signs in again.

mod browser_launch;
mod callback;
mod connect;
mod credential;
mod device;
mod git;
mod http;
mod logout;
mod loopback;
mod page;
mod refresh;
mod register;
mod server;
mod sign_in;
mod signing_in;
mod token;
mod whoami;

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::secret::Entropy;

use self::http::Http;
use self::server::Server;
use super::admin_client::AdminClient;
use super::output::{Exit, Failure};
use super::token_store::Place;

pub(super) use self::credential::{CredentialArgs, run as credential};
pub(super) use self::logout::run as logout;
pub(super) use self::server::Issuer;
pub(super) use self::signing_in::{LoginArgs, run as login};
pub(super) use self::token::Tokens;
pub(super) use self::whoami::run as whoami;

/// The issuer of an installation that nobody configured.
const USUAL: &str = "http://localhost:7455";

/// Which server is meant.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// The server; where none is named, login means the one of this machine, and the others the only
    /// one that is signed in to
    #[arg(long, value_name = "URL")]
    issuer: Option<Issuer>,
    /// Trust the authorities in this PEM file, too
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// A resource as RFC 8707 §2 has it: "an absolute URI […] MUST NOT include a fragment component". It
/// stays as it was written, since servers compare it so.
fn resource(written: &str) -> Result<String, &'static str> {
    match url::Url::parse(written) {
        Ok(url) if url.fragment().is_none() => Ok(written.to_owned()),
        Ok(_) | Err(_) => Err("an absolute URI without fragment is allowed"),
    }
}

/// What each of these commands works with.
struct Cx {
    clock: Clock,
    entropy: Entropy,
    http: Http,
    issuer: Issuer,
    place: Place,
}

impl Cx {
    /// For the server that is named, else configured, else the only one that somebody is signed in
    /// to, else the one that runs here.
    async fn new(args: ServerArgs, config: &Config) -> Result<Self, Failure> {
        let only = || Place::only_issuer(&config.places.tokens());
        let issuer = args.issuer.or_else(|| configured(config)).or_else(only);
        Self::beginning(ServerArgs { issuer, ..args }, config).await
    }

    /// As [`Cx::new`], for a command that begins something: what somebody was signed in to before
    /// does not count.
    async fn beginning(args: ServerArgs, config: &Config) -> Result<Self, Failure> {
        let issuer = match args.issuer.or_else(|| configured(config)) {
            Some(issuer) => issuer,
            None => local(config).await?,
        };
        let ca = args.ca_file.as_ref().or(config.fetch.ca_file.as_ref());
        let place = Place::new(config.places.tokens(), issuer.clone());
        let http = Http::new(ca.map(PathBuf::as_path))?;
        Ok(Self { clock: Clock::System, entropy: Entropy::System, http, issuer, place })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn discover(&self) -> Result<Server, Failure> {
        Server::discover(&self.http, &self.issuer).await
    }

    /// Why there is nothing to answer with.
    fn not_signed_in(&self) -> Failure {
        let issuer = &self.issuer;
        let message = format!("nobody is signed in to {issuer}: gatelodge login --issuer {issuer}");
        Failure::new(Exit::NotFound, message)
    }
}

fn configured(config: &Config) -> Option<Issuer> {
    config.issuer.as_ref().and_then(|issuer| issuer.as_str().parse().ok())
}

/// What the server that runs here calls itself, else the issuer that it would have.
async fn local(config: &Config) -> Result<Issuer, Failure> {
    let mut issuer = USUAL.to_owned();
    if let Some(mut admin) = AdminClient::running(config).await? {
        let told = admin.ask(axum::http::Method::GET, "/api/v1/issuer", None).await?;
        if let Some(told) = told.get("issuer").and_then(Value::as_str) {
            told.clone_into(&mut issuer);
        }
    }
    issuer.parse().map_err(|why| Failure::new(Exit::Failed, why))
}
