//! A site on loopback with a response of the test's choice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server of one document, whatever is asked of it.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) port: u16,
    response: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Site {
    /// A site that has nothing to say yet.
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (response, asked) = (Arc::default(), Arc::default());
        let site = Self { port, response, asked };
        let (response, asked) = (Arc::clone(&site.response), Arc::clone(&site.asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                asked.fetch_add(1, Ordering::SeqCst);
                let response: String = response.lock().unwrap().clone();
                tokio::spawn(async move {
                    let mut read = Vec::new();
                    while !read.ends_with(b"\r\n\r\n") {
                        let mut more = [0; 1024];
                        let Ok(length @ 1..) = stream.read(&mut more).await else { return };
                        read.extend(&more[..length]);
                    }
                    if response.is_empty() {
                        let _ = stream.read(&mut [0]).await;
                    }
                    let _ = stream.write_all(response.as_bytes()).await;
                });
            }
        });
        site
    }

    /// Sets the response: this head and body. With an empty head it never responds.
    pub(crate) fn respond(&self, head: &str, body: &str) {
        let length = body.len();
        *self.response.lock().unwrap() = format!(
            "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
    }

    /// Sets the response: this document, and these header lines beside it.
    pub(crate) fn serve(&self, document: &Value, more: &str) {
        self.respond(
            &format!("200 OK\r\nContent-Type: application/json{more}"),
            &document.to_string(),
        );
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The entry that lets the server fetch from here.
    pub(crate) fn listed(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}
