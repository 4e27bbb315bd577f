//! One request and its response over one connection.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap,
    USER_AGENT,
};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use super::connect::Stream;
use super::freshness::freshness_lifetime;
use super::target::Target;
use super::{FetchError, Fetched};

/// The most bytes of a head.
const MAX_HEAD: usize = 16 << 10;

const FORM_TYPE: &str = "application/x-www-form-urlencoded";

const JSON_TYPE: &str = "application/json";

/// Requests a JSON document of at most `limit` bytes.
/// draft-ietf-oauth-client-id-metadata-document-02 §5: a client "MUST treat all other HTTP status
/// codes as an error response" than 200, and "MUST NOT automatically follow HTTP redirects".
pub(super) async fn document(
    stream: Box<dyn Stream>,
    target: &Target,
    limit: usize,
) -> Result<Fetched, FetchError> {
    converse(stream, request(target, None)?, async |response| {
        let status = response.status();
        successful(status)?;
        if status != StatusCode::OK {
            return Err(FetchError::StatusWrong(status.as_u16()));
        }
        if !is_json(response.headers()) {
            return Err(FetchError::ContentTypeWrong);
        }
        if is_encoded(response.headers()) {
            return Err(FetchError::ContentEncoded);
        }
        let freshness_lifetime = freshness_lifetime(response.headers());
        let body = whole(response.into_body(), limit).await?;
        Ok(Fetched { body, freshness_lifetime })
    })
    .await
}

/// A body that is posted.
pub(super) struct Posted {
    content_type: &'static str,
    headers: Vec<(&'static str, String)>,
    text: String,
}

impl Posted {
    /// An encoded form.
    pub(super) const fn form(text: String) -> Self {
        Self { content_type: FORM_TYPE, headers: Vec::new(), text }
    }

    /// JSON, with headers beside the usual ones.
    pub(super) const fn json(text: String, headers: Vec<(&'static str, String)>) -> Self {
        Self { content_type: JSON_TYPE, headers, text }
    }
}

/// Posts a body. That of the response is not read.
pub(super) async fn delivery(
    stream: Box<dyn Stream>,
    target: &Target,
    posted: Posted,
) -> Result<(), FetchError> {
    let request = request(target, Some(posted))?;
    converse(stream, request, async |response| successful(response.status())).await
}

fn request(target: &Target, posted: Option<Posted>) -> Result<Request<Full<Bytes>>, FetchError> {
    let mut builder = Request::builder()
        .uri(target.path())
        .header(HOST, target.authority())
        .header(ACCEPT, JSON_TYPE)
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close")
        .header(USER_AGENT, concat!("gatelodge/", env!("CARGO_PKG_VERSION")));
    let mut body = String::new();
    if let Some(Posted { content_type, headers, text }) = posted {
        builder = builder.method("POST").header(CONTENT_TYPE, content_type);
        builder = headers.into_iter().fold(builder, |all, (name, value)| all.header(name, value));
        body = text;
    }
    builder.body(Full::from(body)).map_err(|_| FetchError::Broken)
}

/// Sends a request over `stream` and passes the response to `read`. Only this future drives the
/// connection, which ends when the future is dropped.
pub(crate) async fn converse<T>(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| FetchError::Broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|_| FetchError::Broken)?;
        read(response).await
    };
    let driven = async {
        // A failure also reaches the exchange, which may still have a response to read.
        let _ = connection.await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        outcome = exchange => outcome,
        never = driven => match never {},
    }
}

fn successful(status: StatusCode) -> Result<(), FetchError> {
    if status.is_success() {
        Ok(())
    } else if status.is_redirection() {
        Err(FetchError::Redirected)
    } else {
        Err(FetchError::StatusWrong(status.as_u16()))
    }
}

/// Whether the one `Content-Type` is `application/json` or ends in `+json` (RFC 6839 §3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let essence = only.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

fn is_encoded(headers: &HeaderMap) -> bool {
    let identity = |coding: &hyper::header::HeaderValue| {
        coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")
    };
    !headers.get_all(CONTENT_ENCODING).iter().all(identity)
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn whole(body: Incoming, limit: usize) -> Result<Vec<u8>, FetchError> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(FetchError::BodyTooLarge);
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(FetchError::BodyTooLarge),
        Err(_) => Err(FetchError::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &hyper::header::HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn json_is_told_by_its_type() {
        for one in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;",
            "application/jwk-set+json",
            "application/client-metadata+JSON ; a=b",
        ] {
            assert!(is_json(&headers(&CONTENT_TYPE, &[one])), "{one}");
        }
        for other in ["", "text/json", "text/html", "application/jsonp", "application/jwt", "json"]
        {
            assert!(!is_json(&headers(&CONTENT_TYPE, &[other])), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
        assert!(!is_json(&headers(&CONTENT_TYPE, &["application/json", "text/html"])));
    }

    #[test]
    fn any_coding_but_identity_is_told() {
        assert!(!is_encoded(&HeaderMap::new()));
        assert!(!is_encoded(&headers(&CONTENT_ENCODING, &["Identity"])));
        assert!(is_encoded(&headers(&CONTENT_ENCODING, &["gzip"])));
        assert!(is_encoded(&headers(&CONTENT_ENCODING, &["identity", "br"])));
        assert!(is_encoded(&headers(&CONTENT_ENCODING, &["identity, gzip"])));
    }
}
