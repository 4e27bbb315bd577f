//! What a running server does without being asked: it tells clients of a logout.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gatelodge::clock::Timestamp;
use gatelodge::oauth::id::{ClientId, SessionId};
use gatelodge::store::schema::Delivery;
use gatelodge::store::{Store, StoreError, Tx, View as _};
use tokio::runtime::Builder;

use crate::program::{Home, Server};

/// Reads the request on `stream`, and responds with 200.
fn received(mut stream: TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let mut more = [0; 4096];
        let length = stream.read(&mut more).unwrap();
        read.extend(&more[..length]);
        let text = String::from_utf8(read.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let content_length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == content_length.parse::<usize>().unwrap() {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            return text;
        }
    }
}

/// OpenID Connect Back-Channel Logout §2.5
#[test]
fn a_client_is_told_of_a_session_that_has_ended() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = home.serve();
    home.json(&format!(
        "client add shop --id shop --redirect https://shop.example/cb \
         --back-channel-logout http://{address}/logout"
    ));
    server.terminate();
    assert_eq!(server.end().code(), Some(0));
    let at = home.data().join("gatelodge.redb");
    let key: (SessionId, ClientId) =
        ("0190163d-8694-439b-aea5-966c26f8ad91".parse().unwrap(), "shop".parse().unwrap());
    let store = Store::open(&at).unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    let due = store.write(move |tx: &mut Tx<'_>| {
        let (attempts, due) = (0, Some(Timestamp::from_seconds(0)));
        let created = Timestamp::from_seconds(1 << 32);
        tx.put(&key, Delivery { attempts, created, due, sub: "ada".to_owned() })?;
        Ok::<_, StoreError>(())
    });
    runtime.block_on(due).unwrap();
    drop(store);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(received(listener.accept().unwrap().0)).unwrap());

    let mut command = home.command(&["serve"]);
    command.env("GATELODGE_FETCH__PRIVATE", address.to_string());
    let server = Server::start(command, &home.path("log"));
    let request = receiver.recv_timeout(Duration::from_secs(30)).unwrap();

    assert!(request.starts_with("POST /logout HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\n\r\nlogout_token=ey"), "{request}");
    server.terminate();
    server.end();
    let left = Store::open(&at).unwrap().read().unwrap().list::<Delivery>(1).unwrap();
    assert!(left.is_empty(), "{left:?}");
}
