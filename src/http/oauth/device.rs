//! `/oauth/device_authorization` (RFC 8628 §3.1), and the verification URI that leads to the page.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;

use super::json::Json;
use crate::app::App;
use crate::error::{Internal, Refusal};
use crate::flow::authorize::device::{self, DeviceRequester};
use crate::http::destination::Destination;
use crate::http::extract::caller::AuthenticatedForm;
use crate::http::extract::peer::ClientAddress;
use crate::http::failure::{ClientFailure, JsonFailure};
use crate::http::redirect;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::token::device::{DeviceRequest, UserCode};

/// The response to a device (RFC 8628 §3.2), with the URL of a QR code of
/// `verification_uri_complete`.
#[derive(Serialize)]
pub(in crate::http) struct Authorization {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    qr_code_uri: String,
    expires_in: u64,
    interval: u32,
}

pub(in crate::http) async fn authorize(
    State(app): State<Arc<App>>,
    ClientAddress(address): ClientAddress,
    DeviceInfo { user_agent, .. }: DeviceInfo,
    AuthenticatedForm { client, form }: AuthenticatedForm,
) -> Result<Json<Authorization>, ClientFailure> {
    let request = DeviceRequest::parse(&form)?;
    let requester = DeviceRequester { address, user_agent };
    let issued =
        app.write(move |tx, cx| device::issue(tx, cx, &client, &request, &requester)).await?;
    Ok(Json(Authorization {
        device_code: issued.device_code.expose().to_string(),
        user_code: issued.user_code.expose().to_string(),
        verification_uri: app.rules().issuer.at("/device"),
        verification_uri_complete: complete(&app, &issued.user_code),
        qr_code_uri: app
            .rules()
            .issuer
            .at(&format!("/device/qr/{}.svg", *issued.user_code.expose())),
        expires_in: app.rules().config.lifetimes.device_code.as_secs(),
        interval: issued.interval,
    }))
}

/// `verification_uri_complete` (RFC 8628 §3.3.1).
fn complete(app: &App, code: &UserCode) -> String {
    format!("{}?user_code={}", app.rules().issuer.at("/device"), *code.expose())
}

/// Redirects to the page and keeps the query. The page reads the session cookie, so its path must
/// be below `/gate/`.
pub(in crate::http) async fn to_page(uri: Uri) -> Response {
    redirect::see_other(&Destination::device_page(&uri))
}

/// `verification_uri_complete` as a QR code (RFC 8628 §3.3.1), for devices that can show an image
/// but cannot make one.
///
/// It draws every well-formed code and looks up none, so the response does not reveal which codes
/// exist.
pub(in crate::http) async fn qr(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
) -> Result<Response, JsonFailure> {
    let code = code.strip_suffix(".svg").and_then(|code| code.parse().ok());
    let code: UserCode = code.ok_or(Refusal::PageNotFound)?;
    let drawn = QrCode::new(complete(&app, &code)).map_err(Internal::new)?;
    let picture = drawn.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")),
    ];
    Ok((fixed, picture).into_response())
}
