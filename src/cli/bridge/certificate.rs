//! `gatelodge bridge enroll-cert`, `certs` and `revoke-cert`: the certificates of devices.

use std::fs;
use std::path::{Path, PathBuf};

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use serde::Serialize;

use crate::admin::certificate::{DeviceCertificateView, EnrolledCertificateView, Enrollment};
use crate::cli::admin_client::{AdminClient, path_of};
use crate::cli::confirm::{Confirmation, ask};
use crate::cli::new_files::{self, NewFiles};
use crate::cli::output::{Column, Exit, Failure, Output, fields, list, word};

const ENROLL_HELP: &str = "\
Examples:
  gatelodge bridge enroll-cert ada --name laptop --out laptop.pem --key laptop.key
      a certificate of the local CA, for a device that has none
  gatelodge bridge enroll-cert ada --name laptop --cert laptop.pem
      one that the device has, in PEM or DER, whoever issued it

The device proves it where the server listens with --mtls-listen. Who issued a certificate means
nothing there: whoever holds the key of a registered one is that person, until it expires or is
revoked.";

/// The verbs of `bridge` for the certificates of devices.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CertificateVerb {
    /// Let a device prove by a certificate that it acts for a person
    #[command(after_help = ENROLL_HELP)]
    EnrollCert {
        /// The person
        #[arg(value_name = "USERNAME")]
        user: String,
        /// What the device is called
        #[arg(long)]
        name: Option<String>,
        /// The certificate to register
        #[arg(long, value_name = "FILE", conflicts_with = "out", required_unless_present = "out")]
        cert: Option<PathBuf>,
        /// Where a new certificate goes: a new file
        #[arg(long, value_name = "FILE", requires = "key")]
        out: Option<PathBuf>,
        /// Where its key goes: a new file
        #[arg(long, value_name = "FILE", requires = "out")]
        key: Option<PathBuf>,
    },
    /// List the certificates of devices
    Certs {
        /// Only this person's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// End a certificate with its device, for good
    RevokeCert {
        /// The certificate: its fingerprint as the list has it, the beginning of it, or the name of
        /// its device
        fingerprint: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Runs the verbs for the certificates of devices.
pub(super) async fn run(verb: CertificateVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    const PATH: &str = "/api/v1/bridge/certificates";
    match verb {
        CertificateVerb::EnrollCert { user, name, cert, out, key } => {
            let enrollment = Enrollment { certificate: None, name, request: None, username: user };
            let (registered, files) = match (cert, out.zip(key)) {
                (Some(path), _) => {
                    let enrollment = Enrollment { certificate: Some(pem(&path)?), ..enrollment };
                    let enrolled: EnrolledCertificateView =
                        admin.send(Method::POST, PATH, &enrollment).await?;
                    (enrolled.registered, None)
                }
                (None, Some((out, key))) => {
                    let (files, made) = (NewFiles::claim(&out, &key)?, new_files::key()?);
                    let request = Some(made.request.clone());
                    let enrollment = Enrollment { request, ..enrollment };
                    let enrolled: EnrolledCertificateView =
                        admin.send(Method::POST, PATH, &enrollment).await?;
                    files.fill(enrolled.certificate.as_deref().unwrap_or_default(), &made)?;
                    (enrolled.registered, Some(CertificateFiles::new(&out, &key)))
                }
                (None, None) => {
                    return Err(Failure::new(Exit::Usage, "name --cert, or --out and --key"));
                }
            };
            Ok(output(&DeviceCertificate { files, registered }))
        }
        CertificateVerb::Certs { user } => {
            const COLUMNS: &[Column<DeviceCertificateView>] = &[
                Column::id("FINGERPRINT", |view| word(&view.fingerprint)),
                Column::text("USERNAME", |view| word(&view.username)),
                Column::text("NAME", |view| word(&view.name)),
                Column::time("USED", |view| word(&view.used)),
                Column::time("EXPIRES", |view| word(&view.expires)),
                Column::time("REVOKED", |view| word(&view.revoked)),
            ];
            let mut all: Vec<DeviceCertificateView> = admin.list(PATH, user.as_deref()).await?;
            all.sort_unstable_by(|a, b| {
                (&a.created, &a.fingerprint).cmp(&(&b.created, &b.fingerprint))
            });
            Ok(list(all, COLUMNS, "No device has a certificate."))
        }
        CertificateVerb::RevokeCert { mut fingerprint, confirmation } => {
            if confirmation.is_asked() {
                let path = path_of("bridge/certificates", &fingerprint);
                let found: DeviceCertificateView = admin.ask(Method::GET, &path).await?;
                let (name, person) = (&found.name, word(&found.username));
                let question = format!(
                    "revoke certificate {} ({name}) of {person} for good, with its device?",
                    found.fingerprint
                );
                ask(&question, admin).await?;
                fingerprint = found.fingerprint;
            }
            let path = path_of("bridge/certificates", &fingerprint);
            let registered = admin.ask(Method::DELETE, &path).await?;
            Ok(output(&DeviceCertificate { files: None, registered }))
        }
    }
}

/// A registered certificate, with its files if it is a new one.
#[derive(Serialize)]
struct DeviceCertificate {
    #[serde(flatten)]
    files: Option<CertificateFiles>,
    #[serde(flatten)]
    registered: DeviceCertificateView,
}

#[derive(Serialize)]
struct CertificateFiles {
    certificate_file: String,
    key_file: String,
}

impl CertificateFiles {
    fn new(certificate: &Path, key: &Path) -> Self {
        Self {
            certificate_file: certificate.display().to_string(),
            key_file: key.display().to_string(),
        }
    }
}

fn output(view: &DeviceCertificate) -> Output {
    let DeviceCertificate { files, registered } = view;
    let text = fields(&[
        ("fingerprint", word(&registered.fingerprint)),
        ("username", word(&registered.username)),
        ("name", word(&registered.name)),
        ("certificate", word(&files.as_ref().map(|files| &files.certificate_file))),
        ("key", word(&files.as_ref().map(|files| &files.key_file))),
        ("expires", word(&registered.expires)),
        ("revoked", word(&registered.revoked)),
    ]);
    Output::new(text, view)
}

/// Reads the first certificate of a PEM file, or the one of a DER file, and returns it in PEM. A
/// private key in the file is not sent.
fn pem(path: &Path) -> Result<String, Failure> {
    const PEM_HEADER: &str = "-----BEGIN CERTIFICATE-----";
    const PEM_FOOTER: &str = "-----END CERTIFICATE-----";
    let bytes = fs::read(path).map_err(|error| {
        Failure::new(Exit::Failed, format!("{} cannot be read: {error}", path.display()))
    })?;
    let text = std::str::from_utf8(&bytes).ok();
    let inner = text.and_then(|text| text.split_once(PEM_HEADER)?.1.split_once(PEM_FOOTER));
    Ok(match inner {
        Some((inner, _)) => format!("{PEM_HEADER}{inner}{PEM_FOOTER}\n"),
        None => format!("{PEM_HEADER}\n{}\n{PEM_FOOTER}\n", STANDARD.encode(bytes)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_certificate_of_a_file_goes_to_the_server() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("device");
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n";

        for contents in [
            format!("{key}{certificate}{certificate}"),
            format!("{certificate}{key}"),
            "\u{0}\u{0}\u{0}".to_owned(),
        ] {
            fs::write(&path, contents).unwrap();
            assert_eq!(pem(&path).unwrap(), certificate);
        }
        assert_eq!(pem(&path.join("below")).unwrap_err().exit, Exit::Failed);
    }
}
