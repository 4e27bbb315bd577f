//! One request over a connection of its own, and its response.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// The port of the server, which is free in the namespace.
pub(crate) const PORT: u16 = 7455;
pub(crate) const AUTHORITY: &str = "localhost:7455";
pub(crate) const ISSUER: &str = "http://localhost:7455";

/// How long a person waits for one response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Response {
    fn parse(whole: &str) -> Option<Self> {
        let (head, body) = whole.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{name}: ");
        self.head.lines().filter_map(move |line| line.strip_prefix(&prefix))
    }

    pub(crate) fn json(&self) -> Result<Value, String> {
        serde_json::from_str(&self.body).map_err(|error| format!("{error}: {}", self.body))
    }

    /// Itself, if its status is `status`.
    pub(crate) fn with_status(self, status: u16) -> Result<Self, String> {
        let Self { status: found, body, .. } = &self;
        if *found == status { Ok(self) } else { Err(format!("{found}, not {status}: {body}")) }
    }
}

/// Sends a request from 127.0.0.1 and reads the response. `line` is the method and the target, and
/// each of `headers` ends its line.
pub(crate) fn ask(line: &str, headers: &str, body: &str) -> Result<Response, String> {
    let whole = exchange(line, headers, body).map_err(|error| format!("{line}: {error}"))?;
    Response::parse(&whole).ok_or_else(|| format!("no response: {whole:?}"))
}

fn exchange(line: &str, headers: &str, body: &str) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let length = body.len();
    let whole = format!(
        "{line} HTTP/1.1\r\nHost: {AUTHORITY}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(whole.as_bytes())?;
    let mut read = String::new();
    stream.read_to_string(&mut read)?;
    Ok(read)
}
