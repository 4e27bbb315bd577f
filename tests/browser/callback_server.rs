//! The server behind a redirect URI: a listener on loopback.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use url::Url;

/// How long a browser may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A server on a port of its own, for one redirect at a time.
pub(crate) struct CallbackServer {
    listener: TcpListener,
    own: String,
}

impl CallbackServer {
    pub(crate) async fn new() -> Self {
        Self::at_port(0).await
    }

    pub(crate) async fn at_port(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, own }
    }

    /// The same server under another name of this machine.
    pub(crate) fn under(self, host: &str) -> Self {
        Self { own: self.own.replace("127.0.0.1", host), ..self }
    }

    /// The address of a path there.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.own)
    }

    /// Waits for the browser to come back to `path`, and takes what it brings, in a query or a form.
    pub(crate) async fn visited(&self, path: &str) -> BTreeMap<String, String> {
        let page = "<!doctype html><link rel=icon href=data:,><title>The Shop</title>Welcome back.";
        self.respond(path, &format!("200 OK\r\nContent-Type: text/html\r\n\r\n{page}")).await
    }

    /// As [`Self::visited`], and leaves the browser on the page that sent it.
    pub(crate) async fn turns_away(&self, path: &str) -> BTreeMap<String, String> {
        self.respond(path, "204 No Content\r\n\r\n").await
    }

    async fn respond(&self, path: &str, response: &str) -> BTreeMap<String, String> {
        loop {
            let accepted = tokio::time::timeout(TIMEOUT, self.listener.accept()).await;
            let mut stream = BufReader::new(accepted.expect("the browser comes back").unwrap().0);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
            // A browser opens connections ahead of need, and shuts them without a word.
            let Some(target) = head.split(' ').nth(1) else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let length = length.and_then(|length| length.parse().ok());
            let mut form = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut form).await.unwrap();
            let response = response.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            let _ = stream.write_all(format!("HTTP/1.1 {response}").as_bytes()).await;
            let _ = stream.shutdown().await;
            let mut target = Url::parse(&self.at("/")).unwrap().join(target).unwrap();
            if target.path() == path {
                if head.starts_with("POST ") {
                    assert_eq!(target.query(), None);
                    target.set_query(Some(std::str::from_utf8(&form).unwrap()));
                }
                assert!(!head.to_lowercase().contains("\r\nreferer:"), "{head}");
                assert!(!head.to_lowercase().contains("\r\ncookie:"), "{head}");
                return target.query_pairs().into_owned().collect();
            }
        }
    }
}
