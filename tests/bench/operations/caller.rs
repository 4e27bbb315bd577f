//! A connection that is kept alive, with the cookies of a browser.

use std::collections::BTreeMap;

use axum::http::{self, Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Response;

/// The host of the issuer, which is behind a proxy: this one.
pub(super) const HOST: &str = "id.example";

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// One that asks, one request after the other.
pub(super) struct Caller {
    sender: SendRequest<Full<Bytes>>,
    /// What went over the wire since this is kept.
    recorded: Option<Vec<Recorded>>,
}

/// A request as it was sent, and its response.
pub(super) struct Recorded {
    pub(super) request: Request<Bytes>,
    pub(super) response: http::Response<Bytes>,
}

/// A request.
pub(super) struct Ask<'a> {
    pub(super) path: &'a str,
    /// The form that is posted; none where the path is only got.
    pub(super) form: Option<String>,
    /// Further headers.
    pub(super) headers: &'a [(&'static str, String)],
    /// Whether the form is JSON.
    pub(super) is_json: bool,
    /// The cookies that are sent, and set.
    pub(super) cookies: Option<&'a mut BTreeMap<String, String>>,
}

impl<'a> Ask<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Self { path, form: None, headers: &[], is_json: false, cookies: None }
    }

    pub(super) fn post(path: &'a str, form: String) -> Self {
        Self { form: Some(form), ..Self::get(path) }
    }
}

impl Caller {
    pub(super) async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, recorded: None }
    }

    /// Keeps what is asked from now on.
    pub(super) fn record(&mut self) {
        self.recorded = Some(Vec::new());
    }

    /// What was asked since then.
    pub(super) fn take_recorded(&mut self) -> Vec<Recorded> {
        self.recorded.take().unwrap_or_default()
    }

    /// Whether a request has a response, of whatever kind: the server may be killed meanwhile.
    pub(super) async fn is_served(&mut self, path: &str, form: String) -> bool {
        let request = Request::post(path).header(header::HOST, HOST);
        let request = request.header(header::CONTENT_TYPE, FORM).body(Full::from(form));
        self.sender.send_request(request.unwrap()).await.is_ok()
    }

    /// Sends a request, which must not be refused.
    pub(super) async fn ask(&mut self, ask: Ask<'_>) -> Response {
        let Ask { path, form, headers, is_json, mut cookies } = ask;
        let mut request = Request::builder().uri(path).header(header::HOST, HOST);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(cookies) = &cookies {
            let pairs: Vec<_> =
                cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        let request = match form {
            None => request.body(Bytes::new()),
            Some(form) => request
                .method(Method::POST)
                .header(header::CONTENT_TYPE, if is_json { JSON } else { FORM })
                .body(Bytes::from(form)),
        };
        let (head, body) = self.send(request.unwrap()).await.into_parts();
        if let Some(cookies) = &mut cookies {
            for set in head.headers.get_all(header::SET_COOKIE) {
                let pair = set.to_str().unwrap().split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').unwrap_or_default();
                if value.is_empty() {
                    cookies.remove(name);
                } else {
                    cookies.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        let location = head.headers.get(header::LOCATION);
        let location = location.map(|location| location.to_str().unwrap().to_owned());
        Response { body, location }
    }

    /// Sends a request as it stands, which must not be refused.
    pub(super) async fn send(&mut self, request: Request<Bytes>) -> http::Response<Bytes> {
        let copy = self.recorded.is_some().then(|| request.clone());
        let path = request.uri().clone();
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request.map(Full::from)).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let refused = head.status.is_client_error() || head.status.is_server_error();
        assert!(!refused, "{path}: {}: {}", head.status, String::from_utf8_lossy(&body));
        let response = http::Response::from_parts(head, body);
        if let (Some(recorded), Some(request)) = (&mut self.recorded, copy) {
            recorded.push(Recorded { request, response: response.clone() });
        }
        response
    }
}
