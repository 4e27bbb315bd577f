//! `gatelodge bridge enroll-cert`, `certs` and `revoke-cert`

use std::fs;
use std::path::{Path, PathBuf};

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::admin_client::{AdminClient, path_of};
use crate::cli::new_files::{self, NewFiles};
use crate::cli::output::{Exit, Failure, Output, fields, table, word};

const ENROLL_HELP: &str = "\
Examples:
  gatelodge bridge enroll-cert ada --name laptop --out laptop.pem --key laptop.key
      a certificate of the local CA, for a device that has none
  gatelodge bridge enroll-cert ada --name laptop --cert laptop.pem
      one that the device has, in PEM or DER, whoever issued it

The device proves it where the server listens with --mtls-listen. Who issued a certificate means
nothing there: whoever holds the key of a registered one is that person, until it expires or is
revoked.";

/// What can be done with the certificates of devices.
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
    /// End a certificate, for good
    RevokeCert {
        /// The certificate, as the list has it
        fingerprint: String,
    },
}

/// `gatelodge bridge …`
pub(super) async fn run(verb: CertificateVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    const PATH: &str = "/api/v1/bridge/certificates";
    match verb {
        CertificateVerb::EnrollCert { user, name, cert, out, key } => {
            let (kind, text, new) = match (&cert, out.as_deref().zip(key.as_deref())) {
                (Some(path), _) => ("certificate", pem(path)?, None),
                (None, Some((out, key))) => {
                    let (files, made) = (NewFiles::claim(out, key)?, new_files::key()?);
                    ("request", made.request.clone(), Some((files, made)))
                }
                (None, None) => {
                    return Err(Failure::new(Exit::Usage, "name --cert, or --out and --key"));
                }
            };
            let asked = json!({ "username": user, "name": name, (kind): text });
            let mut enrolled = admin.ask(Method::POST, PATH, Some(asked)).await?;
            if let (Some((files, made)), Value::Object(members)) = (new, &mut enrolled) {
                let issued = members.remove("certificate");
                files.fill(issued.as_ref().and_then(Value::as_str).unwrap_or_default(), &made)?;
                let text = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
                members.insert("certificate_file".to_owned(), json!(text(out)));
                members.insert("key_file".to_owned(), json!(text(key)));
            }
            Ok(Output::new(output(&enrolled), enrolled))
        }
        CertificateVerb::Certs { user } => {
            const COLUMNS: &[(&str, &str)] = &[
                ("FINGERPRINT", "fingerprint"),
                ("USERNAME", "username"),
                ("NAME", "name"),
                ("USED", "used"),
                ("EXPIRES", "expires"),
                ("REVOKED", "revoked"),
            ];
            let query =
                user.map(|user| crate::oauth::params::form_encode([("user", user.as_str())]));
            let path = query.map_or_else(|| PATH.to_owned(), |query| format!("{PATH}?{query}"));
            let response = admin.ask(Method::GET, &path, None).await?;
            let rows = response.get("certificates").and_then(Value::as_array);
            let rows = rows.map_or(&[][..], Vec::as_slice);
            if rows.is_empty() {
                return Ok(Output::new("", response).with_note("No device has a certificate."));
            }
            Ok(Output::new(table(COLUMNS, rows), response))
        }
        CertificateVerb::RevokeCert { fingerprint } => {
            let path = path_of("bridge/certificates", &fingerprint);
            let revoked = admin.ask(Method::DELETE, &path, None).await?;
            Ok(Output::new(output(&revoked), revoked))
        }
    }
}

fn output(certificate: &Value) -> String {
    fields(&[
        ("fingerprint", word(certificate, "fingerprint")),
        ("username", word(certificate, "username")),
        ("name", word(certificate, "name")),
        ("certificate", word(certificate, "certificate_file")),
        ("key", word(certificate, "key_file")),
        ("expires", word(certificate, "expires")),
        ("revoked", word(certificate, "revoked")),
    ])
}

/// The certificate in a file, in PEM. A key that lies beside it stays where it is.
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
