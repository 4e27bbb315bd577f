//! The outermost layer: checks the request as a whole, renders and counts a failure, sets the headers of
//! every response, and logs the request.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::about::About;
use super::assets;
use super::extract::{host, peer, probe, section};
use super::facts::{self, Facts};
use super::failure::{Cause, Detail, ErrorFormat, Slip, accepts_html};
use super::pages::error;
use super::pages::templates::Page;
use super::routes::ReadableErrors;
use super::ways::{Around, Ways};
use crate::admin::ErrorView;
use crate::app::{App, Refused};
use crate::error::{Error, ErrorCode, Refusal};
use crate::event::{EventId, RequestLog};
use crate::flow::client::usage::UsageEvent;
use crate::oauth::id::ClientId;
use crate::store::schema::RefusedRequest;

/// The facts about a request that rendering needs, read before the request is handled.
struct Asked {
    /// The folder of the style sheets of its error page.
    assets: &'static str,
    /// Whether it has an `Authorization` header.
    authorization: bool,
    /// Whether its `Host` is the issuer's host.
    by_name: bool,
    /// Whether it is at the host of an application.
    at_application: bool,
    /// Its cookies, if a page may be displayed on the issuer's host.
    cookies: HeaderMap,
    /// Whether it accepts HTML.
    html: bool,
    /// Where it goes.
    uri: Uri,
}

impl Asked {
    fn of(app: &App, request: &Request) -> Self {
        // On an application's host, only paths below `/_gatelodge/` belong to this server.
        let at_application = host::is_for_applications(request.uri().path());
        let html = accepts_html(request.headers());
        // Towards a TLS upstream, a proxy may send the issuer's host instead of an application's.
        let by_name = !at_application && host::is_issuers(&app.rules().issuer, request);
        let cookies = request.headers().get_all(header::COOKIE).iter().filter(|_| html && by_name);
        Self {
            assets: assets::folder(at_application),
            authorization: request.headers().contains_key(header::AUTHORIZATION),
            at_application,
            by_name,
            cookies: cookies.map(|cookie| (header::COOKIE, cookie.clone())).collect(),
            html,
            uri: request.uri().clone(),
        }
    }
}

/// Checks and handles a request, renders its failure, sets its headers, and logs it.
pub(super) async fn render(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = app.clock().reading();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let asked = Asked::of(&app, &request);
    let about = About::accepting(request.headers());
    about.prefer_named(request.uri());
    request.extensions_mut().insert(about.clone());
    let address = peer::address_of(&app, request.extensions(), request.headers());

    let mut response = checked(&app, request, next).await;

    let cause = response.extensions().get::<Cause>().cloned();
    let event = cause.as_ref().map(|_| app.event_id());
    if let Some(refusal) = cause.as_ref().and_then(|cause| cause.0.refusal())
        && let Some(client) = about.client()
    {
        app.count(client, UsageEvent::Refused(refusal));
    }
    if let (Some(Cause(error)), Some(event)) = (&cause, &event) {
        if let Some(format) = response.extensions().get::<ErrorFormat>().copied() {
            let around = Around {
                about: &about,
                at_application: asked.at_application,
                cookies: &asked.cookies,
                event: *event,
                path: asked.uri.path_and_query().map_or("", PathAndQuery::as_str),
            };
            response = formatted(&app, &asked, &around, (error, format), response);
        }
        if let Some(view) = response.extensions_mut().remove::<ErrorView>() {
            response = with_event(response, view, *event);
        }
        if let Ok(value) = HeaderValue::from_str(&event.to_string()) {
            response.headers_mut().insert("gatelodge-event", value);
        }
    }
    complete(&app, &mut response, asked.by_name);
    let ended = app.clock().reading();
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    let refused = cause.as_ref().and_then(|cause| cause.0.refusal()).map(Refusal::name);
    let took = ended.running.saturating_sub(started.running);
    app.request_metrics().record(route, response.status().as_u16(), refused, took);
    let facts = response.extensions().get::<Facts>();
    let is_slip = response.extensions().get::<Slip>().is_some();
    if let (Some(Cause(error)), Some(id)) = (&cause, event.filter(|_| !is_slip)) {
        let of = RefusedBy { about: &about, address, facts, method: &method, route };
        app.record_refused(id, of.event(error, response.status()));
    }
    RequestLog {
        method: method.as_str(),
        route,
        status: response.status().as_u16(),
        took: ended.now.since(started.now),
        client: about.client().map(ClientId::as_str),
        asked: facts.and_then(|facts| facts.asked.as_deref()),
        client_name: facts.and_then(|facts| facts.client_name.as_deref()),
        registered: facts.and_then(|facts| facts.registered.as_deref()),
        refused: event.as_ref().zip(cause.as_ref().map(|cause| &*cause.0)),
    }
    .log();
    response
}

/// Checks the header section and `Host`, and handles the request. Refusals by the checks are rendered and
/// logged like others.
async fn checked(app: &App, request: Request, next: Next) -> Response {
    probe::observe(app, &request);
    let readable = ReadableErrors::of(&request);
    let refused = section::refused(&request);
    let response = match refused.or_else(|| host::refused(app, &app.rules(), &request)) {
        None => next.run(request).await,
        Some(refused) => refused,
    };
    match readable {
        Some(readable) => readable.open(response),
        None => response,
    }
}

/// The error response of an operation of the administration, with the id of its event.
fn with_event(response: Response, view: ErrorView, event: EventId) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = Json(view.with_event(event)).into_response().into_body();
    Response::from_parts(parts, body)
}

/// What is known of a refused request.
struct RefusedBy<'a> {
    about: &'a About,
    address: IpAddr,
    facts: Option<&'a Facts>,
    method: &'a Method,
    route: &'a str,
}

impl RefusedBy<'_> {
    /// The event of its refusal by `error`.
    fn event(&self, error: &Error, status: StatusCode) -> Refused {
        let choices = error.choices().cloned().unwrap_or_default();
        let mut facts = self.about.asked();
        let asked = self.facts.and_then(|facts| facts.asked_on_page.as_ref());
        if let Some((facts::Asked::Host, host)) = asked {
            facts.push(("host".to_owned(), host.clone()));
        }
        let person = choices.person.and_then(|id| id.parse().ok());
        let refusal = error.refusal();
        Refused {
            actor: self.about.administrator().cloned(),
            address: self.address,
            client: self.about.client().cloned(),
            facts,
            person: person.or_else(|| self.about.person()),
            request: RefusedRequest {
                expected: choices.expected,
                method: self.method.to_string(),
                reason: error.to_string(),
                received: choices.received,
                refusal: refusal.map(|refusal| refusal.name().to_owned()),
                route: self.route.to_owned(),
                status: status.as_u16(),
            },
        }
    }
}

/// The response that renders a failure, with the headers of `under`, which the inner layers set.
fn formatted(
    app: &App,
    asked: &Asked,
    around: &Around<'_>,
    (error, format): (&Error, ErrorFormat),
    under: Response,
) -> Response {
    let (language, event) = (around.about.language(), around.event);
    let code = error.code();
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let html = match format {
        ErrorFormat::Page => true,
        ErrorFormat::Negotiated => asked.html,
        ErrorFormat::Bearer { .. }
        | ErrorFormat::Client
        | ErrorFormat::Json
        | ErrorFormat::Script => false,
    };
    let mut response = if html {
        let facts = under.extensions().get::<Facts>().cloned().unwrap_or_default();
        let page = Page { assets: asked.assets, ..Page::anonymous(app, language) };
        error::show(page, (status, error), &Ways::of(app, error, around), (&event, &facts))
    } else {
        // RFC 6749 §5.2 keeps `error_description` to ASCII. Programs read English.
        let sentence = match format {
            ErrorFormat::Negotiated | ErrorFormat::Script => language.texts().description(error),
            ErrorFormat::Bearer { .. }
            | ErrorFormat::Client
            | ErrorFormat::Json
            | ErrorFormat::Page => error.sentence().into_owned(),
        };
        let event = event.to_string();
        let mut body = BTreeMap::from([
            ("error", code.as_str()),
            ("error_description", &*sentence),
            ("event_id", &event),
        ]);
        if let Some(Detail(detail)) = under.extensions().get() {
            body.insert("detail", detail);
        }
        (status, Json(body)).into_response()
    };
    let challenge = match format {
        // RFC 6749 §5.2: "If the client attempted to authenticate via the 'Authorization' request
        // header field, the authorization server MUST […] include the 'WWW-Authenticate' response
        // header field matching the authentication scheme used by the client."
        ErrorFormat::Client if status == StatusCode::UNAUTHORIZED && asked.authorization => {
            Some("Basic realm=\"gatelodge\", charset=\"UTF-8\"".to_owned())
        }
        // RFC 6750 §3.1 defines token errors only for these statuses.
        ErrorFormat::Bearer { tried } if matches!(status.as_u16(), 400 | 401 | 403) => {
            Some(bearer(app, error, tried))
        }
        ErrorFormat::Bearer { .. }
        | ErrorFormat::Client
        | ErrorFormat::Json
        | ErrorFormat::Negotiated
        | ErrorFormat::Page
        | ErrorFormat::Script => None,
    };
    if let Some(value) = challenge.and_then(|challenge| HeaderValue::from_str(&challenge).ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    // RFC 9110 §15.5.14 and §15.5.9: the rest of the body is not read.
    if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (parts, _) = under.into_parts();
    response.headers_mut().extend(parts.headers);
    response.extensions_mut().extend(parts.extensions);
    response
}

/// The `Bearer` challenge. `tried`: the request carried a token.
///
/// RFC 6750 §3.1: "If the request lacks any authentication information […], the resource server
/// SHOULD NOT include an error code or other error information."
pub(super) fn bearer(app: &App, error: &Error, tried: bool) -> String {
    let metadata = app.rules().issuer.at("/.well-known/oauth-protected-resource");
    let challenge = format!("Bearer resource_metadata=\"{metadata}\"");
    if !tried {
        return challenge;
    }
    let (code, description) = (error.code(), error.sentence());
    // RFC 6750 §3.1: it "MAY include the 'scope' attribute with the scope necessary".
    let scope = match error.refusal() {
        Some(
            Refusal::AdministrationExceeded(scope)
            | Refusal::BearerTokenWithoutAdministration(scope),
        ) => format!(", scope=\"{scope}\""),
        _ if code == ErrorCode::InsufficientScope => ", scope=\"openid\"".to_owned(),
        _ => String::new(),
    };
    let error = code.as_str();
    format!("{challenge}, error=\"{error}\", error_description=\"{description}\"{scope}")
}

/// Sets the headers of every response. `by_name`: the request's `Host` is the issuer's host.
fn complete(app: &App, response: &mut Response, by_name: bool) {
    let issuer = &app.rules().issuer;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // RFC 6749 §5.1: "The authorization server MUST include the HTTP 'Cache-Control' response
    // header field with a value of 'no-store' in any response containing tokens, credentials, or
    // other sensitive information, as well as the 'Pragma' response header field with a value of
    // 'no-cache'."
    let cache = headers.entry(header::CACHE_CONTROL);
    if *cache.or_insert(HeaderValue::from_static("no-store")) == "no-store" {
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    }
    // The header applies to all ports of a host. Under localhost, another name of this server, it
    // would apply to every other server of the machine.
    if by_name && issuer.is_https() && !issuer.is_loopback() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}
