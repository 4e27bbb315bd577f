//! Accepts connections, bounded in number and time.

use std::net::{self, IpAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;
use std::{fs, io};

use axum::Router;
use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

use super::Stop;
use super::connections::{Connections, Ticket};
use super::descriptors::MAX_ADMINISTRATION;
use super::paced::Paced;
use super::standing::Standing;
use crate::admin::SocketPeer;
use crate::app::App;
use crate::http::Peer;
use crate::tls::{Acceptor, ProvenCertificate, Secured};

/// The most time in which the header of a request must arrive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The size from which hyper refuses an unfinished header section by a 431 without a body. It grows
/// its buffer in steps, to 48 KiB at most. A section that is larger than its limit
/// (`http/extract/section.rs`) and fits in there gets this server's own response.
const MAX_BUFFER: usize = 40 * 1024;

/// The delay before the next attempt if the system has no free file descriptor.
const EXHAUSTED_DELAY: Duration = Duration::from_millis(100);

/// The service of a port.
pub(super) struct Endpoint {
    /// The router.
    pub(super) router: Router,
    /// The TLS acceptor; `None` for plain HTTP.
    pub(super) tls: Option<Acceptor>,
}

/// The facts about a connection's peer that its requests carry.
#[derive(Clone, Copy, Default)]
struct PeerFacts {
    address: Option<IpAddr>,
    proven: Option<ProvenCertificate>,
    user: Option<SocketPeer>,
}

/// Accepts connections on a port until `closed` changes.
pub(super) async fn tcp(
    listener: net::TcpListener,
    endpoint: Endpoint,
    connections: Connections,
    graceful: Arc<GracefulShutdown>,
    mut closed: watch::Receiver<bool>,
) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listener does not listen"),
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closed.changed() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A listener on [::] sees IPv4-mapped IPv6 addresses.
                let ticket = connections.admit(peer.ip().to_canonical()).await;
                let _ = stream.set_nodelay(true);
                let (router, watcher) = (endpoint.router.clone(), graceful.watcher());
                let (tls, closed) = (endpoint.tls.clone(), closed.clone());
                tokio::spawn(admitted(ticket, stream, tls, router, watcher, closed));
            }
            Err(error) => {
                if is_exhausted(&error) {
                    connections.close_stalest();
                }
                wait_out(&error).await;
            }
        }
    }
}

/// Accepts connections on the administration socket until `closed` changes. Its mode admits only
/// this user and root, so none of them has to go: further ones wait until one ends.
pub(super) async fn unix(
    listener: UnixListener,
    router: Router,
    graceful: Arc<GracefulShutdown>,
    mut closed: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(MAX_ADMINISTRATION));
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, place)
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            _ = closed.changed() => return,
        };
        match accepted {
            (Ok((stream, _)), place) => {
                let (router, watcher) = (router.clone(), graceful.watcher());
                tokio::spawn(async move {
                    let standing = Arc::new(Standing::new(Arc::default()));
                    let user = stream.peer_cred().ok().map(|peer| SocketPeer(peer.uid()));
                    let stream = Paced::new(stream, Arc::clone(&standing));
                    let facts = PeerFacts { user, ..PeerFacts::default() };
                    serve(stream, router, watcher, standing, facts).await;
                    drop(place);
                });
            }
            (Err(error), _) => wait_out(&error).await,
        }
    }
}

/// Whether the process or the system has no file descriptor left.
fn is_exhausted(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// Waits before the next attempt to accept a connection, unless the error is of one connection
/// alone, which its peer has closed already.
async fn wait_out(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset};

    if !matches!(error.kind(), ConnectionAborted | ConnectionReset) {
        tracing::warn!(%error, "a connection was not accepted");
        tokio::time::sleep(EXHAUSTED_DELAY).await;
    }
}

/// Serves an admitted connection until it ends or has to go.
async fn admitted(
    ticket: Ticket,
    stream: TcpStream,
    tls: Option<Acceptor>,
    router: Router,
    watcher: Watcher,
    mut closed: watch::Receiver<bool>,
) {
    let standing = Arc::clone(&ticket.standing);
    let address = Some(ticket.address);
    let served = async {
        let Some(tls) = tls else {
            let stream = Paced::new(stream, Arc::clone(&standing));
            let facts = PeerFacts { address, ..PeerFacts::default() };
            return serve(stream, router, watcher, Arc::clone(&standing), facts).await;
        };
        // Boxed, since a connection without TLS need not have the room for it.
        let secured = tokio::select! {
            secured = Box::pin(secure(stream, &tls, &standing)) => secured,
            _ = closed.changed() => return,
        };
        if let Some(Secured { stream, proven }) = secured {
            let facts = PeerFacts { address, proven, user: None };
            Box::pin(serve(stream, router, watcher, Arc::clone(&standing), facts)).await;
        }
    };
    tokio::select! {
        () = served => {}
        () = standing.closed() => tracing::debug!("a connection was closed for a newcomer"),
    }
    // The descriptor is closed by now, and another connection may have it.
    drop(ticket);
}

/// Performs a TLS handshake within [`HEADER_TIMEOUT`].
async fn secure(
    stream: TcpStream,
    tls: &Acceptor,
    standing: &Arc<Standing>,
) -> Option<Secured<Paced<TcpStream>>> {
    let handshake = async {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first.iter().all(u8::is_ascii_alphabetic) {
            return plain(stream).await;
        }
        tls.accept(Paced::new(stream, Arc::clone(standing))).await.map(Some)
    };
    match tokio::time::timeout(HEADER_TIMEOUT, handshake).await {
        Ok(Ok(secured)) => {
            if let Some(proven) = secured.as_ref().and_then(|secured| secured.proven) {
                tracing::debug!(fingerprint = %proven.fingerprint(), "a certificate was proven");
            }
            secured
        }
        // A peer may close the connection at any time; that is no error.
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake broke");
            None
        }
        Err(_) => {
            tracing::debug!("a handshake took too long");
            None
        }
    }
}

/// Tells a peer that sends plain HTTP to use TLS. The first byte decides: a handshake does not
/// begin with a letter (RFC 8446 §5.1), a request always does (RFC 9112 §3).
async fn plain<T>(mut stream: TcpStream) -> io::Result<Option<T>> {
    let body = "This port speaks TLS: its address begins with https.\n";
    let length = body.len();
    let response = format!(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await?;
    // Closing with unread data would reset the connection before the response arrives.
    tokio::io::copy(&mut stream.take(1 << 16), &mut tokio::io::sink()).await?;
    Ok(None)
}

/// Serves the requests of a connection.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    watcher: Watcher,
    standing: Arc<Standing>,
    facts: PeerFacts,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_BUFFER);
    // Head and body are written as one: to copy a small body takes less time than a write of several parts. Few
    // bodies are large, and the room of one stays with its connection.
    builder.writev(false);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(|body| Arriving::new(body, Arc::clone(&standing)));
        if let Some(address) = facts.address {
            request.extensions_mut().insert(Peer(address));
        }
        if let Some(proven) = facts.proven {
            request.extensions_mut().insert(proven);
        }
        if let Some(user) = facts.user {
            request.extensions_mut().insert(user);
        }
        let (router, standing) = (router.clone(), Arc::clone(&standing));
        async move {
            standing.turn().await;
            let response = router.oneshot(request).await;
            standing.responded();
            response
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A peer may close the connection at any time; that is no error.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke");
    }
}

/// The body of a request, which makes the request whole once it has arrived.
struct Arriving {
    body: Incoming,
    standing: Arc<Standing>,
}

impl Arriving {
    fn new(body: Incoming, standing: Arc<Standing>) -> Self {
        if body.is_end_stream() {
            standing.requested();
        } else {
            standing.began();
        }
        Self { body, standing }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.standing.requested();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Opens the administration socket. An existing socket file is stale, since this process holds the
/// lock of the store.
pub(super) fn socket(app: &App) -> Result<Option<UnixListener>, Stop> {
    let path = app.rules().config.places.socket();
    let failed = |error: io::Error| {
        Stop::failed(format!("cannot open the socket {}: {error}", path.display()))
    };
    remove_socket(app);
    let name = app.rules().config.places.socket_name().map_err(failed)?;
    let listener = UnixListener::bind(name.path()).map_err(failed)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(Some(listener))
}

/// Removes the socket's file.
pub(super) fn remove_socket(app: &App) {
    let path = app.rules().config.places.socket();
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "the socket could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::Network;

    /// A listener on `[::]` sees the peer as `::ffff:127.0.0.1`.
    #[tokio::test]
    async fn an_ipv4_peer_is_known_by_a_dual_stack_listener() {
        let listener = net::TcpListener::bind("[::]:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Connections::few();
        let (closing, closed) = watch::channel(false);
        let graceful = Arc::new(GracefulShutdown::new());
        let endpoint = Endpoint { router: Router::new(), tls: None };
        let endpoint = tokio::spawn(tcp(listener, endpoint, connections.clone(), graceful, closed));

        let _client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        while connections.networks().is_empty() {
            tokio::task::yield_now().await;
        }

        assert_eq!(connections.networks(), [Network::of([127, 0, 0, 1].into())]);
        closing.send_replace(true);
        endpoint.await.unwrap();
    }
}
