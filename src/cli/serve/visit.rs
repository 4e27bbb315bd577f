//! An address that leads the browser of this user, and of nobody else, to a page: once.
//!
//! Every user of the machine can read the address in the list of processes, and connect to its port. So the
//! kernel is asked whose connection it is (proc_net_tcp of Linux).

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::private_file::effective_user;
use crate::secret::{Entropy, hex};

/// The time that the response has to reach the browser.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections of the machine, by the version of the address with which they were made.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// How the tables write that a connection is established.
const ESTABLISHED: &str = "01";

/// A visit that is expected.
pub(super) struct Visit {
    listener: TcpListener,
    own: SocketAddrV4,
    path: String,
}

struct Expected {
    own: SocketAddrV4,
    page: String,
    path: String,
    /// Taken by the visit.
    waiting: Mutex<Option<oneshot::Sender<()>>>,
}

impl Visit {
    /// Listens on a free port of 127.0.0.1.
    pub(super) async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let own = SocketAddrV4::new(Ipv4Addr::LOCALHOST, listener.local_addr()?.port());
        let path = format!("/{}", hex(&Entropy::System.seed().bytes("path")));
        Ok(Self { listener, own, path })
    }

    /// What a browser is to open.
    pub(super) fn address(&self) -> String {
        format!("http://{}{}", self.own, self.path)
    }

    /// Leads the first visit to `page`, and returns when it was led there.
    pub(super) async fn lead_to(self, page: String) {
        let (arrive, arrival) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let Self { listener, own, path } = self;
        let expected = Expected { own, page, path, waiting: Mutex::new(Some(arrive)) };
        let router = Router::new().fallback(any(response)).with_state(Arc::new(expected));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service).with_graceful_shutdown(async {
            // The sender is dropped to stop the server.
            let _ = stopped.await;
        });
        let served = tokio::spawn(async move { served.await });
        // The sender is with the router, which runs until it is told to stop.
        let _ = arrival.await;
        drop(stop);
        let _ = timeout(SHUTDOWN_TIMEOUT, served).await;
    }
}

/// Responds to one request, which may come from anybody.
async fn response(
    State(expected): State<Arc<Expected>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
) -> Response {
    if uri.path() != expected.path {
        return StatusCode::NOT_FOUND.into_response();
    }
    if method != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if !is_of_this_user(peer, expected.own) {
        let why = "This address is for whoever started the server.\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let waiting = expected.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    let Some(Ok(())) = waiting.map(|waiting| waiting.send(())) else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        (header::LOCATION, expected.page.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Whether the connection from `peer` is one of this user, or of root, who can read everything anyway.
fn is_of_this_user(peer: SocketAddr, own: SocketAddrV4) -> bool {
    let SocketAddr::V4(peer) = peer else { return false };
    let user = TABLES.iter().find_map(|table| user_of(&fs::read_to_string(table).ok()?, peer, own));
    user.is_some_and(|user| user == effective_user() || user == 0)
}

/// The user whose end of a connection is `peer`, as a table of the kernel says.
fn user_of(table: &str, peer: SocketAddrV4, own: SocketAddrV4) -> Option<u32> {
    let [peer, own] = [peer, own].map(|address| {
        // The number whose bytes are the address as it is on the wire.
        let number = u32::from_ne_bytes(address.ip().octets());
        format!("{number:08X}:{:04X}", address.port())
    });
    table.lines().find_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        // An address of version 6 that stands for one of version 4 ends with it.
        let is_it = columns.next()?.ends_with(&peer)
            && columns.next()?.ends_with(&own)
            && columns.next()? == ESTABLISHED;
        if is_it { columns.nth(3)?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_browser_of_this_user_is_led_to_the_page_once() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        use tokio::net::TcpStream;

        async fn ask(own: SocketAddrV4, line: &str) -> String {
            let mut stream = TcpStream::connect(own).await.unwrap();
            let head = format!("{line} HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).await.unwrap();
            response
        }
        let visit = Visit::bind().await.unwrap();
        let (own, path) = (visit.own, visit.path.clone());
        assert_eq!(visit.address(), format!("http://{own}{path}"));
        let led = tokio::spawn(visit.lead_to("http://localhost:1/setup#s".to_owned()));

        assert!(ask(own, "GET /").await.starts_with("HTTP/1.1 404 "));
        assert!(ask(own, &format!("HEAD {path}")).await.starts_with("HTTP/1.1 405 "));
        let redirect = ask(own, &format!("GET {path}")).await;

        assert!(redirect.starts_with("HTTP/1.1 303 "), "{redirect}");
        assert!(redirect.contains("location: http://localhost:1/setup#s\r\n"), "{redirect}");
        led.await.unwrap();
        assert!(TcpStream::connect(own).await.is_err());
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_user_of_a_connection_is_that_of_its_own_end() {
        let [peer, own] = ["127.0.0.1:40000", "127.0.0.1:8080"].map(|one| one.parse().unwrap());
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 7 1 0
   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 8 1 0
   2: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 9 1 0
";
        let mapped = "   \
   0: 0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:1F90 01 0:0 0:0 0 1002 0 1";

        assert_eq!(user_of(table, peer, own), Some(1001));
        assert_eq!(user_of(table, own, peer), Some(1000));
        assert_eq!(user_of(mapped, peer, own), Some(1002));
        // One that nobody holds any more says that root does.
        let closed = table.replace("9C40 0100007F:1F90 01", "9C40 0100007F:1F90 06");
        assert_eq!(user_of(&closed, peer, own), None);
        assert_eq!(user_of("", peer, own), None);
    }
}
