//! The client of the administration API. It uses the socket of the running server, or, if none
//! runs, the same router in process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::app::App;
use crate::config::{Config, Places};

use crate::admin::listing::{ListView, MAX_LIMIT, Noun};
#[cfg(test)]
use crate::admin::user::{NewUser, NewUserView};
use crate::oauth::params::{form_encode, segment_encode};
use crate::private_file::Owner;

use super::output::{Exit, Failure};

/// The most bytes of a path with its query. Every name is far shorter, percent-encoded, too.
const MAX_PATH: usize = 16 * 1024;

/// The most bytes of a response.
const MAX_RESPONSE: usize = 64 << 20;

/// The time within which a running server must respond.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A client of the administration API.
pub(super) enum AdminClient {
    /// The API in this process, which has opened the store and holds its lock.
    InProcess(Router),
    /// The API at the running server's socket, and where that is.
    Socket(hyper::client::conn::http1::SendRequest<Body>, Places),
}

/// The reason why there is no response.
#[derive(Debug)]
pub(super) enum AdminClientError {
    /// The connection broke, or the response is malformed.
    Broken(String),
    /// The socket is not accessible, or no server runs and the store cannot be opened.
    Closed {
        /// The exit code.
        exit: u8,
        /// What can be done about it, where the sentence does not say it.
        remedy: Option<String>,
        /// The sentence.
        why: String,
    },
    /// The command names something that nothing is called.
    Unnamed(&'static str),
}

impl AdminClient {
    /// Opens a client of the running server, or, if none runs, of the store.
    pub(super) async fn open(config: Config) -> Result<Self, AdminClientError> {
        if let Some(admin) = Self::running(&config).await? {
            return Ok(admin);
        }
        let app = App::open_existing(config).await.map_err(|error| AdminClientError::Closed {
            exit: error.exit(),
            remedy: error.remedy().map(str::to_owned),
            why: error.to_string(),
        })?;
        Ok(Self::InProcess(crate::admin::router(Arc::new(app))))
    }

    /// Opens a client of the running server, if one runs.
    pub(super) async fn running(config: &Config) -> Result<Option<Self>, AdminClientError> {
        connect(&config.places).await
    }

    /// Opens another connection to the running server, if the API is there.
    ///
    /// # Errors
    ///
    /// [`AdminClientError::Broken`] if it runs no longer.
    pub(super) async fn reopen(&mut self) -> Result<(), AdminClientError> {
        if let Self::Socket(_, places) = self {
            let stopped = || AdminClientError::Broken("it stopped meanwhile".to_owned());
            *self = connect(places).await?.ok_or_else(stopped)?;
        }
        Ok(())
    }

    /// Sends a request without a body, and returns the view of its response.
    pub(super) async fn ask<V: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
    ) -> Result<V, Failure> {
        self.ask_within(TIMEOUT, method, path).await
    }

    /// As [`Self::ask`], where the response may take this long.
    pub(super) async fn ask_within<V: DeserializeOwned>(
        &mut self,
        timeout: Duration,
        method: Method,
        path: &str,
    ) -> Result<V, Failure> {
        viewed(&self.call(timeout, method, path, Body::empty()).await?)
    }

    /// Sends a request with a JSON body, and returns the view of its response.
    pub(super) async fn send<V: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<V, Failure> {
        self.send_within(TIMEOUT, method, path, body).await
    }

    /// As [`Self::send`], where the response may take this long.
    pub(super) async fn send_within<V: DeserializeOwned>(
        &mut self,
        timeout: Duration,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<V, Failure> {
        let body = serde_json::to_vec(body).expect("requests have text for keys");
        viewed(&self.call(timeout, method, path, body.into()).await?)
    }

    /// Reads all pages of the listing at `path`. `user` limits it to one person.
    pub(super) async fn list<V: Noun + DeserializeOwned>(
        &mut self,
        path: &str,
        user: Option<&str>,
    ) -> Result<Vec<V>, Failure> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let limit = MAX_LIMIT.to_string();
            let query = [("cursor", cursor.as_deref()), ("limit", Some(&limit)), ("user", user)];
            let query =
                form_encode(query.into_iter().filter_map(|(name, value)| Some((name, value?))));
            let page: ListView<V> = self.ask(Method::GET, &format!("{path}?{query}")).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Sends `body` as it is, and returns the view of its response.
    pub(super) async fn upload<V: DeserializeOwned>(
        &mut self,
        timeout: Duration,
        path: &str,
        body: Vec<u8>,
    ) -> Result<V, Failure> {
        viewed(&self.call(timeout, Method::POST, path, body.into()).await?)
    }

    /// Gives `take` each part of the response at `path` as it comes, each within `timeout`.
    pub(super) async fn download(
        &mut self,
        timeout: Duration,
        path: &str,
        mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let response = within(timeout, self.respond(Method::GET, path, Body::empty())).await?;
        if !response.status().is_success() {
            return succeeded(read(response).await?).map(drop);
        }
        let mut body = response.into_body();
        loop {
            let frame = async { body.frame().await.transpose().map_err(broken) };
            match within(timeout, frame).await? {
                None => return Ok(()),
                Some(frame) => take(frame.data_ref().map_or(&[], |data| data.as_ref()))?,
            }
        }
    }

    /// Sends a request, and returns the body of its response.
    async fn call(
        &mut self,
        timeout: Duration,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Bytes, Failure> {
        let whole = async { read(self.respond(method, path, body).await?).await };
        succeeded(within(timeout, whole).await?)
    }

    /// Sends a request.
    async fn respond(
        &mut self,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Response<Body>, AdminClientError> {
        // A name that is empty leaves its place in the path empty.
        let named = path.split('?').next().unwrap_or_default();
        if named.contains("//") || named.ends_with('/') {
            return Err(AdminClientError::Unnamed("a name is empty"));
        }
        if path.len() > MAX_PATH {
            return Err(AdminClientError::Unnamed("a name is too long to be one"));
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(broken)?;
        match self {
            Self::InProcess(router) => match router.clone().oneshot(request).await {
                Ok(response) => Ok(response),
                Err(never) => match never {},
            },
            Self::Socket(sender, _) => {
                sender.ready().await.map_err(broken)?;
                Ok(sender.send_request(request).await.map_err(broken)?.map(Body::new))
            }
        }
    }
}

fn broken(error: impl fmt::Display) -> AdminClientError {
    AdminClientError::Broken(error.to_string())
}

/// What `outcome` is within `timeout`.
async fn within<T>(
    timeout: Duration,
    outcome: impl Future<Output = Result<T, AdminClientError>>,
) -> Result<T, AdminClientError> {
    let late = |_| AdminClientError::Broken(format!("no answer in {} s", timeout.as_secs()));
    tokio::time::timeout(timeout, outcome).await.map_err(late)?
}

/// The body of a response with a 2xx status. Any other status is a failure.
fn succeeded((status, body): (u16, Bytes)) -> Result<Bytes, Failure> {
    if !(200..300).contains(&status) {
        let refusal: Value = serde_json::from_slice(&body).unwrap_or_default();
        return Err(Failure::refused(status, &refusal));
    }
    Ok(body)
}

/// Parses the view in a body.
fn viewed<V: DeserializeOwned>(body: &[u8]) -> Result<V, Failure> {
    serde_json::from_slice(body).map_err(|error| broken(error).into())
}

/// The path of one object, with its name percent-encoded.
pub(super) fn path_of(noun: &str, name: &str) -> String {
    format!("/api/v1/{noun}/{}", segment_encode(name))
}

/// Connects to the socket. Returns `None` if no server listens there.
async fn connect(places: &Places) -> Result<Option<AdminClient>, AdminClientError> {
    use std::io::ErrorKind::{ConnectionRefused, InvalidFilename, NotFound};

    let connected = async {
        let name = places.socket_name()?;
        tokio::net::UnixStream::connect(name.path()).await
    };
    let stream = match connected.await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ConnectionRefused | NotFound) => {
            return Ok(None);
        }
        Err(error) => {
            let path = places.socket();
            let owner = Owner::behind(&error, &path);
            let mut why = format!("{}: {error}", path.display());
            if let Some(owner) = &owner {
                why.push_str(&format!("; {owner}"));
            }
            if error.kind() == InvalidFilename {
                why.push_str("; name a data directory with shorter names (--data)");
            }
            let remedy = owner.map(|owner| owner.remedy());
            return Err(AdminClientError::Closed { exit: 5, remedy, why });
        }
    };
    let io = hyper_util::rt::TokioIo::new(stream);
    let (sender, connection) = hyper::client::conn::http1::handshake(io)
        .await
        .map_err(|error| AdminClientError::Broken(error.to_string()))?;
    // A failure of the connection also fails the request, which reports it.
    tokio::spawn(connection);
    Ok(Some(AdminClient::Socket(sender, places.clone())))
}

async fn read(response: Response<Body>) -> Result<(u16, Bytes), AdminClientError> {
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MAX_RESPONSE).collect().await;
    let body = body.map_err(|error| AdminClientError::Broken(error.to_string()))?;
    Ok((status, body.to_bytes()))
}

impl fmt::Display for AdminClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => write!(f, "the server broke off: {why}"),
            Self::Closed { why, .. } => f.write_str(why),
            Self::Unnamed(why) => f.write_str(why),
        }
    }
}

impl From<AdminClientError> for Failure {
    fn from(error: AdminClientError) -> Self {
        match error {
            AdminClientError::Broken(_) => Self::new(Exit::Failed, error),
            AdminClientError::Closed { exit, remedy, why } => {
                Self::new(Exit::from_code(exit), why).with_remedy(remedy)
            }
            AdminClientError::Unnamed(why) => Self::new(Exit::Usage, why),
        }
    }
}

#[cfg(test)]
impl AdminClient {
    /// A client of a new installation in memory, without signing keys.
    pub(super) async fn memory() -> Self {
        Self::InProcess(crate::admin::router(Self::app().await))
    }

    /// As [`AdminClient::memory`], with signing keys and the person ada.
    pub(super) async fn memory_with_ada() -> Self {
        let app = Self::app().await;
        app.make_missing_keys().await.unwrap();
        let mut admin = Self::InProcess(crate::admin::router(app));
        admin.add("ada").await;
        admin
    }

    /// Adds a person.
    pub(super) async fn add(&mut self, username: &str) {
        let new = NewUser {
            display_name: None,
            email: None,
            groups: Vec::new(),
            roles: Vec::new(),
            username: username.to_owned(),
        };
        let _: NewUserView = self.send(Method::POST, "/api/v1/users", &new).await.unwrap();
    }

    async fn app() -> Arc<App> {
        let issuer = "http://localhost:7455".parse().unwrap();
        let sources = crate::app::Sources::default();
        let app = App::memory(Config::at("/nowhere"), issuer, sources).await.unwrap();
        Arc::new(app)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::Json;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use serde_json::json;

    use super::*;
    use crate::admin::user::UserView;

    fn router() -> Router {
        Router::new()
            .route("/echo", post(|Json(body): Json<Value>| async { Json(body) }))
            .route("/text", get(|| async { "no JSON" }))
            .route("/gone", get(|| async { (StatusCode::NOT_FOUND, "no JSON either") }))
    }

    async fn speaks(mut admin: AdminClient) {
        let body = json!({"name": "shop"});

        let response: Value = admin.send(Method::POST, "/echo", &body).await.unwrap();
        let refused = admin.ask::<Value>(Method::GET, "/gone").await.unwrap_err();
        let nonsense = admin.ask::<Value>(Method::GET, "/text").await.unwrap_err();

        assert_eq!(response, body);
        assert_eq!((refused.exit, nonsense.exit), (Exit::NotFound, Exit::Failed));
    }

    #[tokio::test]
    async fn the_client_in_process_speaks_json() {
        speaks(AdminClient::InProcess(router())).await;
    }

    #[tokio::test]
    async fn a_listing_is_read_to_its_last_page() {
        let mut admin = AdminClient::memory().await;
        for n in 0..=MAX_LIMIT {
            admin.add(&format!("user-{n}")).await;
        }

        let users: Vec<UserView> = admin.list("/api/v1/users", None).await.unwrap();

        let names: BTreeSet<_> = users.iter().map(|user| &user.username).collect();
        assert_eq!((users.len(), names.len()), (MAX_LIMIT + 1, MAX_LIMIT + 1));
    }

    #[tokio::test]
    async fn the_socket_speaks_as_the_store_does() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::at(directory.path());
        let listener = tokio::net::UnixListener::bind(config.places.socket()).unwrap();
        tokio::spawn(async { axum::serve(listener, router()).await });

        let admin = AdminClient::open(config).await.unwrap();

        assert!(matches!(admin, AdminClient::Socket(..)));
        speaks(admin).await;
    }

    #[tokio::test]
    async fn a_reopened_client_speaks_to_the_server_that_runs_now() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::at(directory.path());
        let socket = config.places.socket();
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let before = tokio::spawn(async { axum::serve(listener, Router::new()).await });
        let mut admin = AdminClient::open(config).await.unwrap();

        before.abort();
        std::fs::remove_file(&socket).unwrap();
        let stopped = admin.reopen().await;
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        tokio::spawn(async { axum::serve(listener, router()).await });
        admin.reopen().await.unwrap();

        assert!(matches!(stopped, Err(AdminClientError::Broken(_))));
        speaks(admin).await;
    }

    #[tokio::test]
    async fn a_socket_that_nobody_listens_at_is_passed_by() {
        let directory = tempfile::tempdir().unwrap();
        let places = Config::at(directory.path()).places;

        assert!(matches!(connect(&places).await, Ok(None)));
        drop(std::os::unix::net::UnixListener::bind(places.socket()).unwrap());
        assert!(matches!(connect(&places).await, Ok(None)));
        let long = Config::at(directory.path().join("long".repeat(40))).places;
        assert!(matches!(connect(&long).await, Ok(None)));
    }
}
