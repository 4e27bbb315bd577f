//! A site that has a client's metadata document at every path.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Serves from now on. Gives its authority.
pub(crate) fn serve(runtime: &Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let own = authority.clone();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(respond(stream, own.clone()));
        }
    });
    authority
}

/// Serves one document. A request that goes away gets none.
async fn respond(mut stream: TcpStream, authority: String) {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
            return;
        }
    }
    let head = String::from_utf8_lossy(&read);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let document = format!(
        "{{\"client_id\":\"http://{authority}{path}\",\"client_name\":\"App\",\
         \"redirect_uris\":[\"http://127.0.0.1/cb\"]}}"
    );
    let length = document.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let whole = format!("{head}\r\nContent-Length: {length}\r\n\r\n{document}");
    let _ = stream.write_all(whole.as_bytes()).await;
}
