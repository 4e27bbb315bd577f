//! `/oauth/device_authorization`: RFC 8628 §3.1, and the way from a device to its page.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;

use crate::app::App;
use crate::error::{Error, Internal, Refusal};
use crate::flow::authorize::device::{self, DeviceRequester};
use crate::http::extract::caller::{self, Caller};
use crate::http::extract::{body, peer};
use crate::http::failure::Failure;
use crate::http::pages::templates::see_other;
use crate::oauth::token::device::{DeviceRequest, UserCode};

/// The answer to a device (RFC 8628 §3.2), and where a picture of its code is.
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
    request: Request,
) -> Result<Json<Authorization>, Failure> {
    let caller = Caller::of(&app, &request);
    begin(&app, &caller, request).await.map(Json).map_err(|error| caller.failure(error))
}

async fn begin(app: &Arc<App>, caller: &Caller, request: Request) -> Result<Authorization, Error> {
    let origin = DeviceRequester {
        address: peer::address(app, &request).to_string(),
        user_agent: peer::user_agent(request.headers()),
    };
    let form = body::form(request).await?;
    let proven = caller::proven(app, caller, &form).await?;
    let asked = DeviceRequest::parse(&form)?;
    device::check_capacity(&app.read()?, app.rules())?;

    let issued = app.write(move |tx, cx| device::issue(tx, cx, &proven, &asked, &origin)).await?;
    Ok(Authorization {
        device_code: issued.device_code.expose().to_string(),
        user_code: issued.user_code.expose().to_string(),
        verification_uri: app.rules().issuer.at("/device"),
        verification_uri_complete: complete(app, &issued.user_code),
        qr_code_uri: app
            .rules()
            .issuer
            .at(&format!("/device/qr/{}.svg", *issued.user_code.expose())),
        expires_in: app.rules().config.lifetimes.device_code.as_secs(),
        interval: issued.interval,
    })
}

/// `verification_uri_complete` (RFC 8628 §3.3.1).
fn complete(app: &App, code: &UserCode) -> String {
    format!("{}?user_code={}", app.rules().issuer.at("/device"), *code.expose())
}

/// The page reads the session, so it lies where cookies go; the query comes along.
pub(in crate::http) async fn to_page(request: Request) -> Response {
    match request.uri().query() {
        Some(query) => see_other(&format!("/gate/device?{query}")),
        None => see_other("/gate/device"),
    }
}

/// `verification_uri_complete` as a QR code (RFC 8628 §3.3.1), for devices that show pictures but
/// cannot draw one.
///
/// Every well-formed code is drawn, and none looked up, so that nobody learns here which ones are
/// live.
pub(in crate::http) async fn qr(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
) -> Result<Response, Failure> {
    let code: UserCode = code
        .strip_suffix(".svg")
        .and_then(|code| code.parse().ok())
        .ok_or(Refusal::PageNotFound)
        .map_err(Failure::json)?;
    let drawn = QrCode::new(complete(&app, &code)).map_err(Internal::new).map_err(Failure::json)?;
    let picture = drawn.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")),
    ];
    Ok((fixed, picture).into_response())
}
