//! The webhook of a server that runs.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::Value;

use crate::program::Home;

/// The next message that is sent to the listener: its head and the event.
fn next(listener: &TcpListener) -> (String, Value) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut message = Vec::new();
    loop {
        let mut more = [0; 4096];
        let length = stream.read(&mut more).unwrap();
        assert_ne!(length, 0, "the message broke off");
        message.extend(&more[..length]);
        let text = str::from_utf8(&message).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(event) = serde_json::from_str(body)
        {
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            return (head.to_owned(), event);
        }
    }
}

#[test]
fn a_server_sends_events_by_itself() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (file, secret) = (home.path("gatelodge.toml"), home.path("webhook.secret"));
    fs::write(&secret, "a-secret-that-nobody-guesses\n").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "[events]\nwebhook = 'http://{}/'\nwebhook_kinds = ['user.*']\n\
         webhook_secret_file = 'webhook.secret'\n",
        listener.local_addr().unwrap()
    );
    fs::write(&file, text).unwrap();
    let named = file.display().to_string();
    let _server = home.start(&["serve", "--listen", "127.0.0.1:0", "--config", &named]);

    home.json("user add bob");
    let (head, bob) = next(&listener);
    home.json("user remove bob --yes");
    let (_, gone) = next(&listener);

    assert_eq!((&bob["kind"], &bob["name"]), (&"user.added".into(), &"bob".into()));
    assert_eq!(gone["kind"], "user.removed");
    assert!(head.contains("webhook-signature: v1,"), "{head}");
    let id = bob["id"].as_str().unwrap();
    assert!(head.contains(&format!("webhook-id: {id}\r\n")), "{head}");
}
