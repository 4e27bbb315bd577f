//! The HTTP client of the command line: one request and its response.
//!
//! It follows no redirects, since requests contain tokens. The time and the length of a response
//! are bounded.

use std::path::PathBuf;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::header::{HeaderValue, InvalidHeaderValue};
use hyper::{Method, Request, Response};
use serde_json::Value;
use tokio::time::timeout;
use url::{Position, Url};

use crate::fetch::{FetchError, Tls, converse, whole};
use crate::oauth::params::form_encode;
use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::{Error, ErrorKind};

use super::connect::connect;

/// The most time of one request in all.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most bytes of a body.
const MAX_BODY: usize = 256 << 10;

/// The HTTP client. Creating one does not use the network.
pub(crate) struct Http {
    tls: Tls,
}

/// The response of a server.
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    /// Its JSON body; null if it is no JSON.
    pub(crate) body: Value,
}

/// The reason why there is no response.
#[derive(Debug)]
pub(crate) struct NoResponse {
    authority: String,
    why: FetchError,
}

impl Http {
    /// Makes a client that trusts the public authorities and those of the files `authorities`.
    pub(crate) fn new(authorities: &[PathBuf]) -> Result<Self, Error> {
        let mut all = Vec::new();
        for path in authorities {
            let amiss = |error: &dyn std::fmt::Display| {
                Error::new(ErrorKind::Usage, format!("{}: {error}", path.display()))
            };
            let pem = std::fs::read(path).map_err(|error| amiss(&error))?;
            // Each file by itself, so that the one that is wrong is named.
            Tls::new(Some(&pem)).map_err(|error| amiss(&error))?;
            all.extend(pem);
            all.push(b'\n');
        }
        let tls = Tls::new((!all.is_empty()).then_some(&all));
        let tls = tls.map_err(|error| Error::new(ErrorKind::Failed, format!("TLS: {error}")))?;
        Ok(Self { tls })
    }

    /// Gets a JSON document, with the access token `bearer` if there is one.
    pub(crate) async fn get(
        &self,
        url: &Url,
        bearer: Option<&Opaque>,
    ) -> Result<HttpResponse, NoResponse> {
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
    ) -> Result<HttpResponse, NoResponse> {
        let form = form_encode(pairs.iter().copied());
        self.post(url, "application/x-www-form-urlencoded", form).await
    }

    /// Posts a JSON document.
    pub(crate) async fn post_json(
        &self,
        url: &Url,
        body: &Value,
    ) -> Result<HttpResponse, NoResponse> {
        self.post(url, "application/json", body.to_string()).await
    }

    async fn post(
        &self,
        url: &Url,
        content_type: &'static str,
        body: String,
    ) -> Result<HttpResponse, NoResponse> {
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
    ) -> Result<HttpResponse, NoResponse> {
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
            converse(stream, request, read).await
        };
        let response = timeout(TIMEOUT, exchange).await.unwrap_or(Err(FetchError::Deadline));
        response.map_err(|why| NoResponse { authority: authority.to_owned(), why })
    }
}

/// The value of `Authorization: Bearer …` (RFC 6750 §2.1), marked as sensitive so that it is not
/// logged.
fn authorization(token: &Opaque) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn broken(url: &Url) -> NoResponse {
    let authority = url[Position::BeforeHost..Position::AfterPort].to_owned();
    NoResponse { authority, why: FetchError::Broken }
}

/// Reads the status and the JSON body of a response. A redirect is an error.
async fn read(response: Response<Incoming>) -> Result<HttpResponse, FetchError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirected);
    }
    let body = whole(response.into_body(), MAX_BODY).await?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(HttpResponse { status: status.as_u16(), body })
}

impl From<NoResponse> for Error {
    fn from(NoResponse { authority, why }: NoResponse) -> Self {
        if why == FetchError::UrlNotHttps {
            let message = format!("{authority}: plain HTTP is for this machine alone; use https");
            return Self::new(ErrorKind::Usage, message);
        }
        let silent = [FetchError::ConnectionRefused, FetchError::Deadline, FetchError::HostUnknown];
        let exit = if silent.contains(&why) { ErrorKind::Unavailable } else { ErrorKind::Failed };
        Self::new(exit, format!("{authority}: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that responds once with `text`. The task returns the request.
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
        let http = Http::new(&[]).unwrap();

        let response = http.post_form(&url, &[("k", "v w")]).await.unwrap();

        assert_eq!((response.status, &response.body["a"]), (400, &Value::from(1)));
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /a?b HTTP/1.1\r\n") && asked.ends_with("k=v%20w"));
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let (url, _) = answering("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n").await;

        let redirected = Http::new(&[]).unwrap().get(&url, None).await.err().unwrap();

        assert_eq!(redirected.why, FetchError::Redirected);
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_breaks_off_or_comes_too_late_is_called_that() {
        let http = Http::new(&[]).unwrap();
        let large: &str = Box::leak(
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(MAX_BODY + 1))
                .into_boxed_str(),
        );
        let announced = "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\nx";
        let broken_off = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nx";

        for (text, expected) in [
            (large, FetchError::BodyTooLarge),
            (announced, FetchError::BodyTooLarge),
            (broken_off, FetchError::Broken),
        ] {
            let (url, _) = answering(text).await;
            let failed = http.get(&url, None).await.err().unwrap();
            assert_eq!(failed.why, expected, "{}", &text[..60.min(text.len())]);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let silent = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nx").await.unwrap();
            tokio::time::pause();
            stream
        });
        let late = http.get(&url.parse().unwrap(), None).await.err().unwrap();
        assert_eq!(late.why, FetchError::Deadline);
        drop(silent);
    }

    #[tokio::test]
    async fn plain_http_goes_to_this_machine_alone() {
        let http = Http::new(&[]).unwrap();

        for elsewhere in ["http://192.0.2.1/", "http://localhost.example/", "ftp://localhost/"] {
            let refused = http.get(&elsewhere.parse().unwrap(), None).await.err().unwrap();

            assert_eq!(refused.why, FetchError::UrlNotHttps, "{elsewhere}");
        }
    }
}
