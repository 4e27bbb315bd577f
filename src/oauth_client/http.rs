//! One request and its answer: the HTTP client of the command line.
//!
//! No redirect is followed: what is sent here are tokens. There is a limit on the time and on the
//! length of whatever comes.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::header::{HeaderValue, InvalidHeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::timeout;
use url::{Position, Url};

use crate::fetch::{FetchError, Stream, Tls};
use crate::oauth::params::form_encode;
use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::{Error, ErrorKind};

use super::connect::connect;

/// How long one request may take in all.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most bytes of a head and of a body.
const MAX_HEAD: usize = 16 << 10;
const MAX_BODY: usize = 256 << 10;

/// The client. Making one touches no network.
pub(crate) struct Http {
    tls: Tls,
}

/// What a server answered.
pub(crate) struct RequestLog {
    pub(crate) status: u16,
    /// Its JSON; null where it is none.
    pub(crate) body: Value,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct NoResponse {
    authority: String,
    why: FetchError,
}

impl Http {
    /// Trusts the authorities that browsers trust, and those of the file `ca`.
    pub(crate) fn new(ca: Option<&Path>) -> Result<Self, Error> {
        let amiss = |path: &Path, error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Usage, format!("{}: {error}", path.display()))
        };
        let pem = ca.map(|path| std::fs::read(path).map_err(|error| amiss(path, &error)));
        let tls = Tls::new(pem.transpose()?.as_deref());
        let tls = tls.map_err(|error| amiss(ca.unwrap_or(Path::new("TLS")), &error))?;
        Ok(Self { tls })
    }

    /// Asks for a JSON document, and proves itself by `bearer` where there is one.
    pub(crate) async fn get(
        &self,
        url: &Url,
        bearer: Option<&Opaque>,
    ) -> Result<RequestLog, NoResponse> {
        let mut request = Request::get(&url[Position::BeforePath..Position::AfterQuery]);
        if let Some(token) = bearer {
            let value = authorization(token).map_err(|_| broken(url))?;
            request = request.header(AUTHORIZATION, value);
        }
        self.send(url, request.body(Full::default()).map_err(|_| broken(url))?).await
    }

    /// Posts a form.
    pub(crate) async fn post_form(
        &self,
        url: &Url,
        pairs: &[(&str, &str)],
    ) -> Result<RequestLog, NoResponse> {
        let form = form_encode(pairs.iter().copied());
        self.post(url, "application/x-www-form-urlencoded", form).await
    }

    /// Posts a JSON document.
    pub(crate) async fn post_json(
        &self,
        url: &Url,
        body: &Value,
    ) -> Result<RequestLog, NoResponse> {
        self.post(url, "application/json", body.to_string()).await
    }

    async fn post(
        &self,
        url: &Url,
        content_type: &'static str,
        body: String,
    ) -> Result<RequestLog, NoResponse> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&url[Position::BeforePath..Position::AfterQuery])
            .header(CONTENT_TYPE, content_type)
            .body(Full::from(body));
        self.send(url, request.map_err(|_| broken(url))?).await
    }

    async fn send(
        &self,
        url: &Url,
        mut request: Request<Full<Bytes>>,
    ) -> Result<RequestLog, NoResponse> {
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        let host = HeaderValue::try_from(authority).map_err(|_| broken(url))?;
        let headers = request.headers_mut();
        headers.insert(HOST, host);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let user_agent = HeaderValue::from_static(concat!("gatelodge/", env!("CARGO_PKG_VERSION")));
        headers.insert(USER_AGENT, user_agent);
        let exchange = async {
            let stream = connect(&self.tls, url).await?;
            converse(stream, request).await
        };
        let response = timeout(TIMEOUT, exchange).await.unwrap_or(Err(FetchError::Deadline));
        response.map_err(|why| NoResponse { authority: authority.to_owned(), why })
    }
}

/// `Authorization: Bearer …` (RFC 6750 §2.1), which nobody prints.
fn authorization(token: &Opaque) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn broken(url: &Url) -> NoResponse {
    let authority = url[Position::BeforeHost..Position::AfterPort].to_owned();
    NoResponse { authority, why: FetchError::Broken }
}

async fn converse(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<RequestLog, FetchError> {
    let mut builder = http1::Builder::new();
    let shaken = builder.max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|_| FetchError::Broken)?;
    // Its failure reaches the exchange through the request that it breaks.
    let driven = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|_| FetchError::Broken)?;
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirected);
    }
    let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
    let body = body.map_err(|_| FetchError::BodyTooLarge)?.to_bytes();
    driven.abort();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(RequestLog { status: status.as_u16(), body })
}

impl From<NoResponse> for Error {
    fn from(NoResponse { authority, why }: NoResponse) -> Self {
        if why == FetchError::UrlNotHttps {
            let message = format!("{authority}: plain HTTP is for this machine alone; use https");
            return Self::new(ErrorKind::Usage, message);
        }
        let silent = [FetchError::ConnectionRefused, FetchError::Deadline, FetchError::HostUnknown];
        let exit = if silent.contains(&why) { ErrorKind::Nobody } else { ErrorKind::Failed };
        Self::new(exit, format!("{authority}: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers once, in these words; with what it was asked.
    async fn answering(text: &'static str) -> (Url, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/a?b", listener.local_addr().unwrap().port());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        (url.parse().unwrap(), asked)
    }

    #[tokio::test]
    async fn an_answer_is_its_status_and_its_json() {
        let (url, asked) = answering("HTTP/1.1 400 No\r\nContent-Length: 7\r\n\r\n{\"a\":1}").await;
        let http = Http::new(None).unwrap();

        let response = http.post_form(&url, &[("k", "v w")]).await.unwrap();

        assert_eq!((response.status, &response.body["a"]), (400, &Value::from(1)));
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /a?b HTTP/1.1\r\n") && asked.ends_with("k=v%20w"));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed_and_a_flood_is_not_read() {
        let http = Http::new(None).unwrap();
        let (url, _) = answering("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n").await;
        let redirected = http.get(&url, None).await.err().unwrap();
        let (url, _) = answering("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\nx").await;
        let flooded = http.get(&url, None).await.err().unwrap();

        assert_eq!(redirected.why, FetchError::Redirected);
        assert_eq!(flooded.why, FetchError::BodyTooLarge);
    }

    #[tokio::test]
    async fn plain_http_goes_to_this_machine_alone() {
        let http = Http::new(None).unwrap();

        for elsewhere in ["http://192.0.2.1/", "http://localhost.example/", "ftp://localhost/"] {
            let refused = http.get(&elsewhere.parse().unwrap(), None).await.err().unwrap();

            assert_eq!(refused.why, FetchError::UrlNotHttps, "{elsewhere}");
        }
    }
}
