//! Accepts connections, bounded in number and time.

use std::collections::HashMap;
use std::net::{self, IpAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::Stop;
use crate::app::App;
use crate::config::Config;
use crate::http::Peer;
use crate::tls::{Acceptor, ProvenCertificate};

/// The most time in which the header of a request must arrive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The most open connections of one address.
const MAX_CONNECTIONS: usize = 1024;

/// The delay before the next attempt if the system has no free file descriptor.
const EXHAUSTED_DELAY: Duration = Duration::from_millis(100);

/// The numbers of open connections by address.
#[derive(Clone)]
pub(super) struct ConnectionLimit {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    unlimited: Arc<[IpAddr]>,
}

/// A counted connection. Dropping it decrements the count.
struct Ticket {
    address: IpAddr,
    limit: ConnectionLimit,
}

impl ConnectionLimit {
    /// Makes empty counts. Proxies are not bounded, since one carries the connections of many
    /// people.
    pub(super) fn new(config: &Config) -> Self {
        Self { open: Arc::default(), unlimited: config.behind_proxy.clone().into() }
    }

    fn admit(&self, address: IpAddr) -> Option<Ticket> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= MAX_CONNECTIONS && !self.unlimited.contains(&address) {
            return None;
        }
        *count += 1;
        Some(Ticket { address, limit: self.clone() })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.limit.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// The service of a port.
pub(super) struct Endpoint {
    /// The router.
    pub(super) router: Router,
    /// The TLS acceptor; `None` for plain HTTP.
    pub(super) tls: Option<Acceptor>,
}

/// Accepts connections on a port until `closed` changes.
pub(super) async fn tcp(
    listener: net::TcpListener,
    endpoint: Endpoint,
    limit: ConnectionLimit,
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
                let peer = peer.ip().to_canonical();
                let Some(ticket) = limit.admit(peer) else { continue };
                let _ = stream.set_nodelay(true);
                let (router, watcher) = (endpoint.router.clone(), graceful.watcher());
                match endpoint.tls.clone() {
                    None => {
                        tokio::spawn(serve(stream, router, watcher, Some(ticket), None));
                    }
                    Some(tls) => {
                        let closed = closed.clone();
                        tokio::spawn(secure(stream, tls, router, watcher, ticket, closed));
                    }
                }
            }
            Err(error) => wait_out(&error).await,
        }
    }
}

/// Accepts connections on the administration socket until `closed` changes. Its mode admits only
/// this user and root.
pub(super) async fn unix(
    listener: UnixListener,
    router: Router,
    graceful: Arc<GracefulShutdown>,
    mut closed: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closed.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, router.clone(), graceful.watcher(), None, None));
            }
            Err(error) => wait_out(&error).await,
        }
    }
}

async fn wait_out(error: &io::Error) {
    tracing::warn!(%error, "a connection was not accepted");
    tokio::time::sleep(EXHAUSTED_DELAY).await;
}

/// Performs a TLS handshake within [`HEADER_TIMEOUT`], and serves the connection.
async fn secure(
    stream: TcpStream,
    tls: Acceptor,
    router: Router,
    watcher: Watcher,
    ticket: Ticket,
    mut closed: watch::Receiver<bool>,
) {
    let handshake = async {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first.iter().all(u8::is_ascii_alphabetic) {
            return plain(stream).await;
        }
        tls.accept(stream).await.map(Some)
    };
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(HEADER_TIMEOUT, handshake) => shaken,
        _ = closed.changed() => return,
    };
    match shaken {
        Ok(Ok(Some(secured))) => {
            if let Some(proven) = &secured.proven {
                tracing::debug!(fingerprint = %proven.fingerprint(), "a certificate was proven");
            }
            serve(secured.stream, router, watcher, Some(ticket), secured.proven).await;
        }
        Ok(Ok(None)) => {}
        // A peer may close the connection at any time; that is no error.
        Ok(Err(error)) => tracing::debug!(%error, "a handshake broke"),
        Err(_) => tracing::debug!("a handshake took too long"),
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

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    router: Router,
    watcher: Watcher,
    ticket: Option<Ticket>,
    proven: Option<ProvenCertificate>,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let peer = ticket.as_ref().map(|ticket| Peer(ticket.address));
    let service = router.map_request(move |mut request: hyper::Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        if let Some(proven) = proven {
            request.extensions_mut().insert(proven);
        }
        request
    });
    let service = TowerToHyperService::new(service);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A peer may close the connection at any time; that is no error.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke");
    }
    drop(ticket);
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

    fn no_connections() -> ConnectionLimit {
        let mut config = Config::at("/nowhere");
        config.behind_proxy.push("10.0.0.1".parse().unwrap());
        ConnectionLimit::new(&config)
    }

    #[test]
    fn one_address_has_so_many_connections_and_no_more() {
        let (limit, one) = (no_connections(), "192.0.2.1".parse().unwrap());
        let mut tickets: Vec<_> = (0..MAX_CONNECTIONS).map(|_| limit.admit(one).unwrap()).collect();

        assert!(limit.admit(one).is_none());
        assert!(limit.admit("192.0.2.2".parse().unwrap()).is_some());
        tickets.pop();
        tickets.extend(limit.admit(one));
        assert_eq!(tickets.len(), MAX_CONNECTIONS);
        assert!(limit.admit(one).is_none());

        drop(tickets);
        assert!(limit.open.lock().unwrap().is_empty());
    }

    #[test]
    fn a_proxy_of_ours_stands_for_many() {
        let (limit, proxy) = (no_connections(), "10.0.0.1".parse().unwrap());

        let tickets: Vec<_> = (0..=MAX_CONNECTIONS).filter_map(|_| limit.admit(proxy)).collect();

        assert_eq!(tickets.len(), MAX_CONNECTIONS + 1);
    }

    /// A listener on `[::]` sees the proxy as `::ffff:127.0.0.1`.
    #[tokio::test]
    async fn a_proxy_is_known_by_a_dual_stack_listener() {
        let listener = net::TcpListener::bind("[::]:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let limit = no_connections();
        let (closing, closed) = watch::channel(false);
        let graceful = Arc::new(GracefulShutdown::new());
        let endpoint = Endpoint { router: Router::new(), tls: None };
        let endpoint = tokio::spawn(tcp(listener, endpoint, limit.clone(), graceful, closed));

        let _client = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        while limit.open.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }

        let seen: Vec<_> = limit.open.lock().unwrap().keys().copied().collect();
        assert_eq!(seen, [IpAddr::from([127, 0, 0, 1])]);
        closing.send_replace(true);
        endpoint.await.unwrap();
    }
}
