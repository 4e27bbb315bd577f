//! The way in: the socket of the running server, or the same router over the store where none
//! runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::app::App;
use crate::config::Config;

use super::output::{Exit, Failure};

/// The longest answer that is read.
const MAX_RESPONSE: usize = 64 << 20;

/// How long a running server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A way to the administration API.
pub(super) enum AdminClient {
    /// The store, opened by this process, which then owns it.
    InProcess(Router),
    /// The running server's socket.
    Socket(hyper::client::conn::http1::SendRequest<Body>),
}

/// Why nothing came through the door.
#[derive(Debug)]
pub(super) enum AdminClientError {
    /// The server broke off, or spoke no JSON.
    Broken(String),
    /// There is no server, and the store cannot be opened: with the code to end with.
    Closed(u8, String),
}

impl AdminClient {
    /// The socket where a server answers, else the store itself.
    pub(super) async fn open(config: Config) -> Result<Self, AdminClientError> {
        if let Some(admin) = Self::running(&config).await? {
            return Ok(admin);
        }
        let app = App::open_existing(config)
            .await
            .map_err(|error| AdminClientError::Closed(error.exit(), error.to_string()))?;
        Ok(Self::InProcess(crate::admin::router(Arc::new(app))))
    }

    /// The socket where a server answers, if one does.
    pub(super) async fn running(config: &Config) -> Result<Option<Self>, AdminClientError> {
        knock(&config.places.socket()).await
    }

    /// Sends one request and reads its answer: the status and the JSON, or null where none came.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value), AdminClientError> {
        let broken = |error: &dyn fmt::Display| AdminClientError::Broken(error.to_string());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .map_err(|error| broken(&error))?;
        match self {
            Self::InProcess(router) => match router.clone().oneshot(request).await {
                Ok(response) => read(response).await,
                Err(never) => match never {},
            },
            Self::Socket(sender) => {
                let outcome = async {
                    sender.ready().await.map_err(|error| broken(&error))?;
                    let response = sender.send_request(request).await;
                    read(response.map_err(|error| broken(&error))?).await
                };
                let late =
                    |_| AdminClientError::Broken(format!("no answer in {} s", TIMEOUT.as_secs()));
                tokio::time::timeout(TIMEOUT, outcome).await.map_err(late)?
            }
        }
    }

    /// As [`AdminClient::call`], where any status but 2xx is a failure.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        match self.call(method, path, body).await? {
            (200..=299, response) => Ok(response),
            (status, refusal) => Err(Failure::refused(status, &refusal)),
        }
    }
}

/// The address of one thing, whatever its name is written with.
pub(super) fn path_of(noun: &str, name: &str) -> String {
    format!("/api/v1/{noun}/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// The server behind the socket at `path`, if one answers.
async fn knock(path: &std::path::Path) -> Result<Option<AdminClient>, AdminClientError> {
    use std::io::ErrorKind;

    let stream = match tokio::net::UnixStream::connect(path).await {
        Ok(stream) => stream,
        // A path too long for a socket (InvalidInput) has never had a server behind it.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::ConnectionRefused | ErrorKind::InvalidInput | ErrorKind::NotFound
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            return Err(AdminClientError::Closed(5, format!("{}: {error}", path.display())));
        }
    };
    let io = hyper_util::rt::TokioIo::new(stream);
    let (sender, connection) = hyper::client::conn::http1::handshake(io)
        .await
        .map_err(|error| AdminClientError::Broken(error.to_string()))?;
    // Its failure reaches the caller through the request that it breaks.
    tokio::spawn(connection);
    Ok(Some(AdminClient::Socket(sender)))
}

async fn read<B>(response: Response<B>) -> Result<(u16, Value), AdminClientError>
where
    B: axum::body::HttpBody<Data = axum::body::Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await;
    let bytes = body.map_err(|error| AdminClientError::Broken(error.to_string()))?.to_bytes();
    if bytes.is_empty() {
        return Ok((status, Value::Null));
    }
    match serde_json::from_slice(&bytes) {
        Ok(response) => Ok((status, response)),
        Err(_) if !(200..300).contains(&status) => Ok((status, Value::Null)),
        Err(error) => Err(AdminClientError::Broken(error.to_string())),
    }
}

impl fmt::Display for AdminClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => write!(f, "the server broke off: {why}"),
            Self::Closed(_, why) => f.write_str(why),
        }
    }
}

impl From<AdminClientError> for Failure {
    fn from(error: AdminClientError) -> Self {
        let exit = match &error {
            AdminClientError::Broken(_) => Exit::Failed,
            AdminClientError::Closed(exit, _) => Exit::from_code(*exit),
        };
        Self::new(exit, error)
    }
}

#[cfg(test)]
mod tests {
    use axum::Json;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use serde_json::json;

    use super::*;

    fn router() -> Router {
        Router::new()
            .route("/echo", post(|Json(body): Json<Value>| async { Json(body) }))
            .route("/text", get(|| async { "no JSON" }))
            .route("/gone", get(|| async { (StatusCode::NOT_FOUND, "no JSON either") }))
    }

    async fn speaks(mut admin: AdminClient) {
        let body = json!({"name": "shop"});

        let response = admin.call(Method::POST, "/echo", Some(body.clone())).await.unwrap();
        let refusal = admin.call(Method::GET, "/gone", None).await.unwrap();
        let nonsense = admin.call(Method::GET, "/text", None).await;

        assert_eq!(response, (200, body));
        assert_eq!(refusal, (404, Value::Null));
        assert!(matches!(nonsense, Err(AdminClientError::Broken(_))));
    }

    #[tokio::test]
    async fn the_door_in_process_speaks_json() {
        speaks(AdminClient::InProcess(router())).await;
    }
    #[tokio::test]
    async fn the_socket_speaks_as_the_store_does() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::at(directory.path());
        let listener = tokio::net::UnixListener::bind(config.places.socket()).unwrap();
        tokio::spawn(async { axum::serve(listener, router()).await });

        let admin = AdminClient::open(config).await.unwrap();

        assert!(matches!(admin, AdminClient::Socket(_)));
        speaks(admin).await;
    }
    #[tokio::test]
    async fn a_socket_that_nobody_listens_at_is_passed_by() {
        let directory = tempfile::tempdir().unwrap();
        let socket = Config::at(directory.path()).places.socket();

        assert!(matches!(knock(&socket).await, Ok(None)));
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(matches!(knock(&socket).await, Ok(None)));
        let too_long = directory.path().join("long".repeat(40));
        assert!(matches!(knock(&too_long).await, Ok(None)));
    }
}
