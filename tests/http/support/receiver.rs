//! A server of somebody else on loopback, which takes what is posted.

use std::sync::{Arc, Mutex};

use gatelodge::oauth::params::Params;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What it was sent, and how it responds.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// A server that responds with these statuses, one after the other; the last one stays.
    pub(crate) async fn responding(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self { port, seen: Arc::default() };
        let seen = Arc::clone(&receiver.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = seen.lock().unwrap().len();
                let status = statuses.get(number).or(statuses.last()).unwrap();
                let request = exchange(stream, *status).await;
                seen.lock().unwrap().push(request);
            }
        });
        receiver
    }

    /// Where it takes logout tokens and events.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/logout", self.port)
    }

    /// This server, as the list of private destinations has it.
    pub(crate) fn listed(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The logout tokens that came.
    pub(crate) fn logout_tokens(&self) -> Vec<String> {
        let body = |request: &String| {
            let form = Params::parse(request.split_once("\r\n\r\n").unwrap().1.as_bytes()).unwrap();
            form.one("logout_token").unwrap().unwrap().to_owned()
        };
        self.requests().iter().map(body).collect()
    }
}

/// Reads a whole request, and responds to it.
async fn exchange(mut stream: TcpStream, status: u16) -> String {
    let mut read = Vec::new();
    loop {
        let mut more = [0; 4096];
        let length = stream.read(&mut more).await.unwrap();
        assert_ne!(length, 0, "the request broke off");
        read.extend(&more[..length]);
        let text = String::from_utf8(read.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let content_length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == content_length.map_or(0, |length| length.parse().unwrap()) {
            let response = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(response.as_bytes()).await.unwrap();
            return text;
        }
    }
}
