//! A program on another port of this machine.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// It answers `/` with a redirect to its own `/gate/x`, and everything else with a page.
pub(super) struct Elsewhere {
    pub(super) port: u16,
    cookies: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Elsewhere {
    pub(super) async fn at_port(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cookies = Arc::new(Mutex::new(Vec::new()));
        let caught = Arc::clone(&cookies);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let caught = Arc::clone(&caught);
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut head = String::new();
                    while !head.ends_with("\r\n\r\n")
                        && stream.read_line(&mut head).await.unwrap_or(0) > 0
                    {}
                    let lines = head.lines().filter_map(|line| line.split_once(": "));
                    let sent = lines.filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
                    caught.lock().unwrap().extend(sent.map(|(_, value)| value.to_owned()));
                    let response = if head.starts_with("GET / ") {
                        "302 Found\r\nLocation: /gate/x\r\n\r\n"
                    } else {
                        "200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html>\
                         <link rel=icon href=data:,><title>Elsewhere</title>Nothing to see."
                    };
                    let response = response.replacen("\r\n", "\r\nConnection: close\r\n", 1);
                    let _ = stream.write_all(format!("HTTP/1.1 {response}").as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { port, cookies, serving }
    }

    /// The `Cookie` headers that browsers sent.
    pub(super) fn caught(&self) -> Vec<String> {
        self.cookies.lock().unwrap().clone()
    }

    /// Gives the port back.
    pub(super) async fn leave(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}
