//! A bare axum server, in a process of its own: it reads a request and gives as many bytes as it is told to.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::serve::ListenerExt as _;
use hyper::body::Bytes;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::place::processor_time;

/// The argument by which this program is that server.
const ARGUMENT: &str = "--serve-bare";

/// The most bytes of a response.
const MAX_BODY: usize = 1 << 16;
static BYTES: [u8; MAX_BODY] = [b'x'; MAX_BODY];

/// Whether this process is to be the server.
pub(crate) fn is_bare() -> bool {
    std::env::args().nth(1).is_some_and(|argument| argument == ARGUMENT)
}

/// Serves until it is killed.
pub(crate) fn serve() -> ! {
    Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let router = Router::new().route("/{head}/{body}", any(respond));
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, router).await.unwrap();
    });
    unreachable!("a server ends with its process")
}

/// Gives a body of so many bytes, and a head with so many more than the least.
async fn respond(Path((head, body)): Path<(usize, usize)>, _: Bytes) -> Response {
    let part = |length: usize| BYTES.get(..length).unwrap_or(&BYTES);
    let mut response = Body::from(Bytes::from_static(part(body))).into_response();
    let more = HeaderValue::from_bytes(part(head)).unwrap();
    response.headers_mut().insert(header::SERVER, more);
    response
}

/// The process of that server. It ends with this value.
pub(super) struct Bare {
    address: String,
    process: Child,
}

impl Bare {
    pub(super) fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = command.arg(ARGUMENT).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), process }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn processor_time(&self) -> Duration {
        processor_time(self.process.id())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
