//! `gatelodge login`, `credential`, `whoami` and `logout`: the command line of the
//! [OAuth client](crate::oauth_client).

mod credential;
mod git;
mod logout;
mod sign_in;
mod whoami;

use std::path::PathBuf;

use axum::http::Method;
use clap::Args;

use super::admin_client::AdminClient;
use super::output::{Exit, Failure};
use crate::admin::issuer::IssuerView;
use crate::config::Config;
use crate::oauth_client::token_store::TokenFile;
use crate::oauth_client::{Issuer, OauthClient};
use crate::tls::Authority;

pub(super) use self::credential::{CredentialArgs, run as credential};
pub(super) use self::logout::run as logout;
pub(super) use self::sign_in::{LoginArgs, run as login};
pub(super) use self::whoami::run as whoami;

/// The default issuer of an installation.
const DEFAULT_ISSUER: &str = "http://localhost:7455";

/// The arguments that select a server.
#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// The server; where none is named, login means the one of this machine, and the others the only
    /// one that is signed in to
    #[arg(long, value_name = "URL")]
    issuer: Option<Issuer>,
    /// Trust the authorities in this PEM file, too; the local CA of --data is trusted anyway
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// Checks a resource. RFC 8707 §2: it is "an absolute URI […] MUST NOT include a fragment
/// component". It stays as it was written, because servers compare it without normalisation.
fn resource(written: &str) -> Result<String, &'static str> {
    match url::Url::parse(written) {
        Ok(url) if url.fragment().is_none() => Ok(written.to_owned()),
        Ok(_) | Err(_) => Err("an absolute URI without fragment is allowed"),
    }
}

/// Makes a client of the named server, else of the configured one, else of the only one with a
/// stored sign-in, else of this machine's.
async fn client(args: ServerArgs, config: &Config) -> Result<OauthClient, Failure> {
    let only = || TokenFile::only_issuer(&config.places.tokens());
    let issuer = args.issuer.or_else(|| configured(config)).or_else(only);
    client_for_sign_in(ServerArgs { issuer, ..args }, config).await
}

/// As [`client`], for a new sign-in: stored sign-ins do not select the server.
async fn client_for_sign_in(args: ServerArgs, config: &Config) -> Result<OauthClient, Failure> {
    let issuer = match args.issuer.or_else(|| configured(config)) {
        Some(issuer) => issuer,
        None => local(config).await?,
    };
    let named = args.ca_file.as_ref().or(config.fetch.ca_file.as_ref());
    // Nobody named the CA of this installation: one that cannot be used holds up nothing.
    let own = Authority::bounded_at(&config.places.data);
    let authorities: Vec<_> = named.cloned().into_iter().chain(own).collect();
    Ok(OauthClient::new(issuer, &authorities, config.places.tokens())?)
}

fn configured(config: &Config) -> Option<Issuer> {
    config.issuer.as_ref().and_then(|issuer| issuer.as_str().parse().ok())
}

/// The issuer of the server that runs on this machine, else [`DEFAULT_ISSUER`].
async fn local(config: &Config) -> Result<Issuer, Failure> {
    let mut issuer = DEFAULT_ISSUER.to_owned();
    if let Some(mut admin) = AdminClient::running(config).await? {
        let view: IssuerView = admin.ask(Method::GET, "/api/v1/issuer").await?;
        view.issuer.as_str().clone_into(&mut issuer);
    }
    issuer.parse().map_err(|why| Failure::new(Exit::Failed, why))
}
