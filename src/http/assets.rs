//! The style sheets, scripts and icons of the pages, embedded in the binary; and the logo and the accent
//! of the operator, from the configuration.
//!
//! Their addresses contain a hash of all of them, so a browser may keep them for good: another
//! version of a file has another address. Modules name each other by relative addresses, which stay
//! below the hash. What the operator gave has a hash of its own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::failure::NegotiatedFailure;
use super::preferences::preferences;
use crate::app::App;
use crate::config::{Look, Sheet};
use crate::error::Refusal;
use crate::model::look::picture::{Picture, PictureKind};
use crate::secret::hex;

#[derive(RustEmbed)]
#[folder = "assets/static/"]
struct Static;

/// The files and their hash. They are read and compressed at the first request for a page.
static FILES: LazyLock<Files> = LazyLock::new(Files::read);

/// The folder of the files, on the issuer's host.
static FOLDER: LazyLock<String> = LazyLock::new(|| format!("/assets/{}", FILES.version));

/// The folder of the files, on the hosts of applications.
static FOLDER_AT_APPLICATIONS: LazyLock<String> =
    LazyLock::new(|| format!("/_gatelodge/assets/{}", FILES.version));

/// The folder in which a page finds the files.
pub(super) fn folder(at_application: bool) -> &'static str {
    if at_application { &FOLDER_AT_APPLICATIONS } else { &FOLDER }
}

/// The names of the files that the operator gives.
const ACCENT: &str = "accent.css";
const LOGO: &str = "logo";

/// The address of the accent, for a page whose files are in `folder`.
pub(super) fn accent(folder: &str, sheet: &Sheet) -> String {
    beside(folder, &sheet.version, ACCENT)
}

/// The address of the logo.
pub(super) fn logo(folder: &str, picture: &Picture) -> String {
    beside(folder, &picture.version, LOGO)
}

/// The address of a file of another version than those in `folder`.
fn beside(folder: &str, version: &str, name: &str) -> String {
    let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
    format!("{above}/{version}/{name}")
}

struct Files {
    by_name: BTreeMap<String, File>,
    /// The beginning of the hash of every name and content.
    version: String,
}

struct File {
    compressed: Vec<u8>,
    content: Cow<'static, [u8]>,
    media_type: &'static str,
}

impl Files {
    fn read() -> Self {
        let (mut by_name, mut hash) = (BTreeMap::new(), Sha256::new());
        let mut names: Vec<_> = Static::iter().collect();
        names.sort_unstable();
        for name in names {
            let (Some(file), Some(media_type)) = (Static::get(&name), media_type(&name)) else {
                continue;
            };
            hash.update(name.as_bytes());
            hash.update(file.metadata.sha256_hash());
            let compressed = compressed(&file.data);
            by_name.insert(name.into(), File { compressed, content: file.data, media_type });
        }
        let version = hex(hash.finalize().get(..8).unwrap_or_default());
        Self { by_name, version }
    }
}

/// The gzip form of a file. Nothing of it is secret, so its length gives nothing away.
fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("a vector takes whatever is written")
}

/// The file `name`, compressed if the browser takes that.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, NegotiatedFailure> {
    if let Some(response) = of_operator(&app.rules().config.look, &version, &name) {
        return Ok(response);
    }
    // What is kept for good must not have an address that another version had.
    let current = version == FILES.version;
    let file = FILES.by_name.get(&name).filter(|_| current).ok_or(Refusal::PageNotFound)?;
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.media_type)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    let accepted = headers.get_all(header::ACCEPT_ENCODING);
    Ok(if preferences(accepted).iter().any(|coding| coding.eq_ignore_ascii_case("gzip")) {
        let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        (fixed, encoding, file.compressed.as_slice()).into_response()
    } else {
        (fixed, file.content.as_ref()).into_response()
    })
}

/// What the operator gives the pages under this name.
fn of_operator(look: &Look, version: &str, name: &str) -> Option<Response> {
    let media_type = media_type(ACCENT)?;
    match name {
        ACCENT => {
            let sheet = look.sheet.as_ref().filter(|sheet| sheet.version == version)?;
            let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            Some(([content_type], sheet.content.clone()).into_response())
        }
        LOGO => {
            let picture = look.picture.as_ref().filter(|picture| picture.version == version)?;
            Some(image(picture.kind, picture.content.clone()))
        }
        _ => None,
    }
}

/// The `Content-Security-Policy` of an image: whatever is in it, nothing runs and nothing is loaded,
/// also where somebody opens it by itself. An SVG may have styles.
const POLICY_OF_IMAGES: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// The response with an image that somebody gave this server.
pub(super) fn image(kind: PictureKind, content: Vec<u8>) -> Response {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_OF_IMAGES)),
        (header::CONTENT_TYPE, HeaderValue::from_static(kind.media_type())),
    ];
    (fixed, content).into_response()
}

fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
