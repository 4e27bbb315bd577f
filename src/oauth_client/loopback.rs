//! Sign-in through the browser: the authorization code grant of a native application ([RFC
//! 8252](https://www.rfc-editor.org/rfc/rfc8252)), which listens on a free port of 127.0.0.1 for
//! one response.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::{Error, ErrorKind};

use super::callback::{self, Expected};
use super::page;

/// The time that a person has for the sign-in.
const TIMEOUT: Duration = Duration::from_mins(5);

/// The time that the last page has to reach the browser.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// A listener for the browser.
pub(crate) struct LoopbackReceiver {
    authority: String,
    listener: TcpListener,
}

/// The result of the authorization response, and the channel for the outcome that the browser
/// displays.
struct ReceivedCallback {
    brought: Result<Opaque, Error>,
    reply: oneshot::Sender<bool>,
}

/// The state by which every request is checked.
struct CallbackState {
    authority: String,
    expected: Expected,
    /// The channel for the one response; taken when it arrives.
    waiting: Mutex<Option<oneshot::Sender<ReceivedCallback>>>,
}

impl LoopbackReceiver {
    /// Listens on a free port. RFC 8252 §7.3: "clients […] obtain an available ephemeral port from
    /// the operating system at the time of the request", and §8.3: only on the loopback interface.
    pub(crate) async fn bind() -> Result<Self, Error> {
        let amiss = |error: std::io::Error| {
            Error::new(
                ErrorKind::Failed,
                format!("no port of 127.0.0.1 can be listened on: {error}"),
            )
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(amiss)?;
        let authority = listener.local_addr().map_err(amiss)?.to_string();
        Ok(Self { authority, listener })
    }

    /// The redirect URI of this listener.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}/callback", self.authority)
    }

    /// Waits for the expected response, passes its code to `redeem`, and shows the outcome in the
    /// browser. Every other request is refused.
    pub(crate) async fn receive<T>(
        self,
        expected: Expected,
        redeem: impl AsyncFnOnce(Opaque) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (arrive, arrival) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let waiting = Mutex::new(Some(arrive));
        let state = Arc::new(CallbackState { authority: self.authority, expected, waiting });
        let router = Router::new().fallback(any(response)).with_state(state);
        let served = axum::serve(self.listener, router).with_graceful_shutdown(async {
            // The sender is dropped to stop the server.
            let _ = stopped.await;
        });
        let served = tokio::spawn(async move { served.await });
        let late = || {
            let message = "nobody signed in within five minutes; nothing was changed";
            Error::new(ErrorKind::Failed, message)
        };
        let Ok(Ok(ReceivedCallback { brought, reply })) = timeout(TIMEOUT, arrival).await else {
            return Err(late());
        };
        let outcome = match brought {
            Ok(code) => redeem(code).await,
            Err(failure) => Err(failure),
        };
        // The browser may have closed the connection; then it needs no page.
        let _ = reply.send(outcome.is_ok());
        drop(stop);
        let _ = timeout(SHUTDOWN_TIMEOUT, served).await;
        outcome
    }
}

/// Responds to one request, which may come from anybody.
async fn response(State(state): State<Arc<CallbackState>>, request: Request) -> Response {
    if !names(request.headers(), &state.authority) {
        // DNS rebinding: another name leads to this address.
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    if request.method() != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match request.uri().path() {
        "/callback" => {}
        "/favicon.ico" => return StatusCode::NO_CONTENT.into_response(),
        _ => return page::NOWHERE.into_response(),
    }
    let Ok(brought) = callback::read(request.uri().query().unwrap_or_default(), &state.expected)
    else {
        return page::STRANGE.into_response();
    };
    let waiting = state.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    let (reply, response) = oneshot::channel();
    let Some(Ok(())) = waiting.map(|waiting| waiting.send(ReceivedCallback { brought, reply }))
    else {
        return page::STRANGE.into_response();
    };
    if response.await == Ok(true) {
        page::DONE.into_response()
    } else {
        page::FAILED.into_response()
    }
}

fn names(headers: &HeaderMap, authority: &str) -> bool {
    headers.get(header::HOST).is_some_and(|host| host.as_bytes() == authority.as_bytes())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(authority: &str, head: &str) -> String {
        let mut stream = TcpStream::connect(authority).await.unwrap();
        let head = format!("{head}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn strangers_are_turned_away_and_the_answer_is_taken_once() {
        let receiver = LoopbackReceiver::bind().await.unwrap();
        let authority = receiver.authority.clone();
        let state = Opaque::new("s".to_owned()).unwrap();
        let expected = Expected { issuer: "https://id".to_owned(), names_itself: true, state };
        let received = tokio::spawn(
            receiver.receive(expected, async |code: Opaque| Ok(code.expose().to_owned())),
        );
        let right = "/callback?code=c&state=s&iss=https%3A%2F%2Fid";

        for (line, host, status) in [
            (format!("GET {right}"), "evil.example", 421),
            (format!("POST {right}"), authority.as_str(), 405),
            (format!("HEAD {right}"), authority.as_str(), 405),
            ("GET /favicon.ico".to_owned(), authority.as_str(), 204),
            ("GET /".to_owned(), authority.as_str(), 404),
            ("GET /callback?code=c&state=t".to_owned(), authority.as_str(), 400),
        ] {
            let response = ask(&authority, &format!("{line} HTTP/1.1\r\nHost: {host}")).await;
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {response}");
        }
        let page = ask(&authority, &format!("GET {right} HTTP/1.1\r\nHost: {authority}")).await;

        assert!(page.contains("You may close this window"), "{page}");
        assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
        assert_eq!(received.await.unwrap().unwrap(), "c");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_longer_than_five_minutes() {
        let receiver = LoopbackReceiver::bind().await.unwrap();
        let state = Opaque::new("s".to_owned()).unwrap();
        let expected = Expected { issuer: String::new(), names_itself: false, state };

        let late = receiver.receive(expected, async |_| Ok(())).await;

        assert!(late.unwrap_err().message.contains("five minutes"));
    }
}
