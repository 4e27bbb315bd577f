//! Whole requests over loopback TCP, 32 connections kept alive, the client on the same cores,
//! beside a response that says hello. Each token is counted, in memory: what that costs by itself
//! stands beside the whole request, and a commit beside it would show.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use gatelodge::config::Config;
use gatelodge::flow::client::usage::UsageEvent;
use gatelodge::oauth::client::GrantType;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::Store;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::installed::install;
use crate::measure::{Row, WINDOW, rates, window};

const CONNECTIONS: u64 = 32;

/// How a client asks for itself; its secret comes behind.
const CREDENTIALS: &str = "grant_type=client_credentials&client_id=robot&client_secret=";

/// A connection, and what is asked over it.
struct Caller {
    sender: SendRequest<Body>,
    authority: String,
    path: &'static str,
    /// The form that is posted next; none where the path is only got.
    form: Option<String>,
}

pub(crate) fn rows() -> Vec<Row> {
    let directory = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let (mut hello, mut credentials, mut refresh, app) = runtime.block_on(async {
        let listener = listen().await;
        let hello = callers(&listener, "/", |_| None).await;
        serve(listener, Router::new().route("/", get(|| async { "hello" })));

        let listener = listen().await;
        let issuer = Issuer::localhost(listener.local_addr().unwrap().port());
        let store = Store::open(&directory.path().join("store")).unwrap();
        let config = Config::at(directory.path());
        let (app, secret, tokens) = install(config, issuer, store, CONNECTIONS).await;
        let credentials = |_| Some(format!("{CREDENTIALS}{secret}"));
        let credentials = callers(&listener, "/oauth/token", credentials).await;
        let mut tokens = tokens.into_iter();
        let refresh = |_| Some(refresh_form(&tokens.next().unwrap()));
        let refresh = callers(&listener, "/oauth/token", refresh).await;
        serve(listener, gatelodge::http::router(Arc::clone(&app)));
        (hello, credentials, refresh, app)
    });
    let (robot, issued) =
        ("robot".parse().unwrap(), UsageEvent::Issued(GrantType::ClientCredentials));

    let [hello, credentials, refresh, count] = rates([
        &mut || runtime.block_on(call(&mut hello)),
        &mut || runtime.block_on(call(&mut credentials)),
        &mut || runtime.block_on(call(&mut refresh)),
        &mut || window(|| app.count(&robot, issued)),
    ]);

    vec![
        Row::new("hello from bare axum over HTTP", hello),
        Row::new("client_credentials over HTTP", credentials).beside("bare hello", hello),
        Row::new("count a token", count).beside("client_credentials over HTTP", credentials),
        Row::new("refresh with an ID token over HTTP", refresh).beside("bare hello", hello),
    ]
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn serve(listener: TcpListener, router: Router) {
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
}

async fn callers(
    listener: &TcpListener,
    path: &'static str,
    mut form: impl FnMut(u64) -> Option<String>,
) -> Vec<Caller> {
    let address = listener.local_addr().unwrap();
    let mut callers = Vec::new();
    for n in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let authority = format!("localhost:{}", address.port());
        callers.push(Caller { sender, authority, path, form: form(n) });
    }
    callers
}

/// Every caller asks, one request after the other, for one window.
async fn call(callers: &mut Vec<Caller>) -> u64 {
    let until = Instant::now() + WINDOW;
    let calling: Vec<_> = callers
        .drain(..)
        .map(|mut caller| {
            tokio::spawn(async move {
                let mut done = 0;
                while Instant::now() < until {
                    caller.ask().await;
                    done += 1;
                }
                (caller, done)
            })
        })
        .collect();
    let mut all = 0;
    for caller in calling {
        let (caller, done) = caller.await.unwrap();
        callers.push(caller);
        all += done;
    }
    all
}

impl Caller {
    async fn ask(&mut self) {
        let request = Request::builder().uri(self.path).header(header::HOST, &self.authority);
        let request = match &self.form {
            None => request.body(Body::empty()),
            Some(form) => request
                .method(Method::POST)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(form.clone())),
        };
        let response = self.sender.send_request(request.unwrap()).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        if self.form.is_some() {
            let tokens: Value = serde_json::from_slice(&body).unwrap();
            if let Some(next) = tokens.get("refresh_token").and_then(Value::as_str) {
                self.form = Some(refresh_form(next));
            }
        }
    }
}

fn refresh_form(token: &str) -> String {
    format!("grant_type=refresh_token&client_id=shop&refresh_token={token}")
}
