//! `gatelodge tls …`

use std::path::{Path, PathBuf};

use axum::http::Method;
use clap::Subcommand;
use serde::Serialize;

use crate::admin::tls::{
    AuthorityView, CertificateRequest, IssuedCertificateView, ServedCertificateView, TlsView,
};

use super::admin_client::AdminClient;
use super::new_files::{self, NewFiles};
use super::output::{Exit, Failure, Output, fields, word};
use super::trust;

const TLS_HELP: &str = "\
Examples:
  gatelodge tls status                          the certificates, when they are renewed, and the page
                                                by which other machines trust the local CA
  gatelodge tls trust                           let this machine trust the local CA
  gatelodge tls ca > gatelodge-ca.pem           for other machines, and programs with a list of
                                                their own
  gatelodge tls issue nas.lan 192.168.1.20 --out nas.pem --key nas.key
                                                a certificate for another service

The CA lies in the data directory, and vouches for names and addresses of private networks,
and for those that this server had when the CA was made.";

/// The verbs of `tls`.
#[derive(Debug, Subcommand)]
#[command(after_help = TLS_HELP)]
pub(super) enum TlsVerb {
    /// Show the server's certificate, and the CA's with its fingerprint as words
    Status,
    /// Print the CA's certificate
    Ca,
    /// Let this machine trust the CA, or say how
    Trust {
        /// Only say how
        #[arg(long)]
        print: bool,
    },
    /// Issue a certificate for a service on this machine or network
    Issue {
        /// The names and addresses by which the service is reached
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// Where the certificate goes: a new file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where the key goes: a new file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// How many days it lasts
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=825))]
        days: u32,
    },
}

/// Runs `gatelodge tls …`.
pub(super) async fn run(verb: TlsVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        TlsVerb::Status => Ok(status(&admin.ask(Method::GET, "/api/v1/tls").await?)),
        TlsVerb::Ca => {
            let ca = ca(admin).await?;
            Ok(Output::new(&*ca.certificate.certificate, &ca))
        }
        TlsVerb::Trust { print } => {
            // None is made to be trusted: it would vouch for nothing that is served.
            let view: TlsView = admin.ask(Method::GET, "/api/v1/tls").await?;
            let nothing = || {
                let why = "this server has no CA of its own: gatelodge serve --tls local";
                Failure::new(Exit::NotFound, why)
            };
            Ok(trust::run(Path::new("/"), &view.ca.ok_or_else(nothing)?, print))
        }
        TlsVerb::Issue { names, out, key, days } => {
            let (files, made) = (NewFiles::claim(&out, &key)?, new_files::key()?);
            let request = CertificateRequest {
                days: Some(days),
                names: names.clone(),
                request: made.request.clone(),
            };
            let issued: IssuedCertificateView =
                admin.send(Method::POST, "/api/v1/tls/certificates", &request).await?;
            files.fill(&issued.certificate, &made)?;
            let view = IssuedFiles {
                certificate_file: out.display().to_string(),
                fingerprint: issued.fingerprint,
                key_file: key.display().to_string(),
                names,
                not_after: issued.not_after,
            };
            let text = fields(&[
                ("names", word(&view.names)),
                ("certificate", word(&view.certificate_file)),
                ("key", word(&view.key_file)),
                ("expires", word(&view.not_after)),
                ("fingerprint", word(&view.fingerprint)),
            ]);
            Ok(Output::new(text, &view))
        }
    }
}

/// The certificates, and the page of the CA with its fingerprint as a QR code.
fn status(view: &TlsView) -> Output {
    let mut rows = vec![("mode", word(&view.mode))];
    if let Some(ServedCertificateView { fingerprint, names, not_after, renews, .. }) =
        &view.certificate
    {
        rows.extend([
            ("certificate", word(fingerprint)),
            ("names", word(names)),
            ("expires", word(not_after)),
        ]);
        rows.extend(renews.as_ref().map(|at| ("renewal", word(at))));
    }
    if let Some(AuthorityView { certificate, path, renews, spoken }) = &view.ca {
        let (first, second) = spoken.split_at(spoken.len() / 2);
        rows.extend([
            ("CA", word(&certificate.fingerprint)),
            ("CA as words", first.join(" ")),
            ("", second.join(" ")),
            ("CA expires", word(&certificate.not_after)),
            ("CA renewal", word(renews)),
            ("CA file", word(path)),
        ]);
    }
    let page = view.trust_uri.as_deref().unwrap_or_default();
    rows.push(("trust it at", page.split('#').next().unwrap_or_default().to_owned()));
    let output = Output::new(fields(&rows), view);
    if page.is_empty() { output } else { output.with_qr_code(page) }
}

/// A new certificate, and the files of it and its key.
#[derive(Serialize)]
struct IssuedFiles {
    certificate_file: String,
    fingerprint: String,
    key_file: String,
    names: Vec<String>,
    not_after: String,
}

async fn ca(admin: &mut AdminClient) -> Result<AuthorityView, Failure> {
    admin.ask(Method::GET, "/api/v1/tls/ca").await
}
