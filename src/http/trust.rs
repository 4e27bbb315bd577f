//! `/trust`: the certificate of the local CA, and how each system trusts it. Without a sign-in, since
//! no passkey works before.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::about::About;
use super::admin_pages::drawing::Drawing;
use super::failure::{JsonFailure, PageFailure};
use super::pages::templates::{self, Page};
use super::texts::{Day, Filled, Texts, TrustTexts};
use crate::app::App;
use crate::config::TlsMode;
use crate::error::{Error, Internal, Refusal};
use crate::tls::Authority;

/// The address of the certificate. Its end is the name of the file in which a browser keeps it.
const FILE: &str = "/trust/gatelodge-ca.crt";

#[derive(Template)]
#[template(path = "trust.html", config = "assets/askama.toml")]
pub(in crate::http) struct TrustPage {
    pub(in crate::http) page: Page,
    /// The address of the page with the fingerprint, as a QR code.
    pub(in crate::http) drawing: Drawing,
    /// The address of the certificate.
    pub(in crate::http) file: &'static str,
    /// The SHA-256 fingerprint, in hex, in rows.
    pub(in crate::http) fingerprint: Vec<String>,
    /// The name of the CA in lists of certificates.
    pub(in crate::http) name: String,
    /// The end of the certificate's validity.
    pub(in crate::http) not_after: Day,
    /// The first half of the fingerprint as words, in rows.
    pub(in crate::http) spoken: Vec<String>,
    /// The steps of each system, the visitor's open.
    pub(in crate::http) systems: Vec<Steps>,
}

/// How a system trusts the CA.
pub(in crate::http) struct Steps {
    pub(in crate::http) about: Filled<'static>,
    /// The commands that do it, each with the systems that have it where that is not said.
    pub(in crate::http) commands: Vec<(&'static str, String)>,
    pub(in crate::http) open: bool,
    pub(in crate::http) title: &'static str,
}

/// A family of systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Android,
    Ios,
    Linux,
    Macos,
    Windows,
}

impl System {
    /// The system that a `User-Agent` names. An iPad may call itself a Mac.
    fn of(user_agent: &str) -> Option<Self> {
        let named = |names: &[&str]| names.iter().any(|name| user_agent.contains(name));
        if named(&["iPhone", "iPad", "iPod"]) {
            Some(Self::Ios)
        } else if named(&["Android"]) {
            Some(Self::Android)
        } else if named(&["Windows"]) {
            Some(Self::Windows)
        } else if named(&["Macintosh", "Mac OS X"]) {
            Some(Self::Macos)
        } else if named(&["Linux", "X11"]) {
            Some(Self::Linux)
        } else {
            None
        }
    }
}

impl Steps {
    /// The steps of every system for the CA `name`, those of `own` open.
    fn all(t: &'static TrustTexts, name: &str, own: Option<System>) -> Vec<Self> {
        let open = |system| own == Some(system);
        let certutil =
            format!("certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n '{name}' -i gatelodge-ca.crt");
        let steps = |title, about, open, commands: &[(&'static str, &str)]| Self {
            about,
            commands: commands.iter().map(|(on, line)| (*on, (*line).to_owned())).collect(),
            open,
            title,
        };
        vec![
            steps("Android", t.android(), open(System::Android), &[]),
            steps("iPhone, iPad", t.ios(), open(System::Ios), &[]),
            steps(
                "macOS",
                t.macos(),
                open(System::Macos),
                &[(
                    "",
                    "sudo security add-trusted-cert -d -r trustRoot -k \
                     /Library/Keychains/System.keychain gatelodge-ca.crt",
                )],
            ),
            steps(
                "Windows",
                t.windows(),
                open(System::Windows),
                &[("", "certutil -addstore Root gatelodge-ca.crt")],
            ),
            steps(
                "Linux",
                t.linux(),
                open(System::Linux),
                &[
                    (
                        "Debian, Ubuntu",
                        "sudo install -m 644 gatelodge-ca.crt /usr/local/share/ca-certificates/ && \
                         sudo update-ca-certificates",
                    ),
                    (
                        "Fedora, Red Hat",
                        "sudo install -m 644 gatelodge-ca.crt /etc/pki/ca-trust/source/anchors/ && \
                         sudo update-ca-trust extract",
                    ),
                    ("Arch", "sudo trust anchor gatelodge-ca.crt"),
                ],
            ),
            steps(
                "Chrome, Chromium (Linux)",
                t.chromium(),
                open(System::Linux),
                &[("", &certutil)],
            ),
            steps("Firefox", t.firefox(), false, &[]),
            steps(
                "Java",
                t.java(),
                false,
                &[(
                    "",
                    "sudo keytool -importcert -noprompt -cacerts -storepass changeit -alias \
                     gatelodge -file gatelodge-ca.crt",
                )],
            ),
        ]
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    about: About,
    headers: HeaderMap,
) -> Result<Response, PageFailure> {
    let authority = authority(&app)?;
    let certificate = authority.certificate();
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let address = authority.page(&app.rules().issuer.at("/trust"));
    let drawing = Drawing::qr_code(&address);
    let fingerprint = certificate.fingerprint.to_string().to_uppercase().into_bytes();
    let pairs: Vec<_> = fingerprint.chunks(2).map(String::from_utf8_lossy).collect();
    // It leads to itself no more.
    let page = Page { to_trust: false, ..Page::anonymous(&app, about.language()) };
    let name = authority.name();
    Ok(templates::show(&TrustPage {
        drawing: drawing.ok_or_else(|| Internal::new("the address is too long for a QR code"))?,
        file: FILE,
        fingerprint: pairs.chunks(8).map(|row| row.join(" ")).collect(),
        systems: Steps::all(&page.t.trust, &name, user_agent.and_then(System::of)),
        page,
        name,
        not_after: templates::day(certificate.not_after),
        spoken: certificate.fingerprint.spoken().chunks(4).map(|row| row.join(" ")).collect(),
    }))
}

/// The certificate in PEM (RFC 7468 §5), which every system reads, by the type for which browsers
/// offer to install it.
pub(super) async fn certificate(State(app): State<Arc<App>>) -> Result<Response, JsonFailure> {
    let media_type = HeaderValue::from_static("application/x-x509-ca-cert");
    Ok(([(header::CONTENT_TYPE, media_type)], authority(&app)?.pem().to_owned()).into_response())
}

fn authority(app: &App) -> Result<Arc<Authority>, Error> {
    let authority = match app.existing_authority() {
        Err(error) if app.rules().config.tls.mode != TlsMode::Local => {
            // Nothing that is served has its certificate, and whoever opens the page cannot mend it.
            tracing::debug!(%error, "the local CA cannot be used");
            None
        }
        authority => authority.map_err(Internal::new)?,
    };
    Ok(authority.ok_or(Refusal::LocalAuthorityAbsent)?)
}

#[cfg(test)]
impl TrustPage {
    /// A page with every text that it can have.
    pub(in crate::http) fn example(page: Page) -> Self {
        Self {
            drawing: Drawing::qr_code("1").unwrap(),
            file: FILE,
            fingerprint: vec!["00".to_owned()],
            systems: Steps::all(&page.t.trust, "0", Some(System::Linux)),
            page,
            name: "0".to_owned(),
            not_after: Day("2026-01-01".to_owned()),
            spoken: vec!["0".to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_names_its_system() {
        for (user_agent, system) in [
            ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140", Some(System::Linux)),
            ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/140", Some(System::Android)),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/140", Some(System::Windows)),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari", Some(System::Macos)),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", Some(System::Ios)),
            ("curl/8.5.0", None),
        ] {
            assert_eq!(System::of(user_agent), system, "{user_agent}");
        }
    }
}
