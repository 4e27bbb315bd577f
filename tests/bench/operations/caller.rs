//! A connection that is kept alive, with the cookies of a browser.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Response, Sizes};

/// The host of the issuer, which is behind a proxy: this one.
pub(super) const HOST: &str = "id.example";

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// One that asks, one request after the other.
pub(super) struct Caller {
    sender: SendRequest<Body>,
    /// What went over the wire since the operation began.
    sizes: Vec<Sizes>,
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
        Self { sender, sizes: Vec::new() }
    }

    pub(super) fn sizes(&self) -> Vec<Sizes> {
        self.sizes.clone()
    }

    pub(super) fn forget_sizes(&mut self) {
        self.sizes.clear();
    }

    /// Whether a request has a response, of whatever kind: the server may be killed meanwhile.
    pub(super) async fn is_served(&mut self, path: &str, form: String) -> bool {
        let request = Request::post(path).header(header::HOST, HOST);
        let request = request.header(header::CONTENT_TYPE, FORM).body(Body::from(form));
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
        let sent = form.as_ref().map_or(0, String::len);
        let request = match form {
            None => request.body(Body::empty()),
            Some(form) => request
                .method(Method::POST)
                .header(header::CONTENT_TYPE, if is_json { JSON } else { FORM })
                .body(Body::from(form)),
        };
        self.sender.ready().await.unwrap();
        let response = self.sender.send_request(request.unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let refused = head.status.is_client_error() || head.status.is_server_error();
        assert!(!refused, "{path}: {}: {}", head.status, String::from_utf8_lossy(&body));
        let length = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            name.as_str().len() + value.len() + 4
        };
        let response_head = head.headers.iter().map(length).sum();
        self.sizes.push(Sizes { request: sent, response_head, response: body.len() });
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
}
