//! The start after a crash: the time from exec to the first response.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::operations::caller::{Caller, HOST};
use crate::operations::flow;
use crate::operations::place::Place;

/// How often it is started.
const STARTS: usize = 7;

/// How long it writes before it is killed, and for how many.
const WRITES: Duration = Duration::from_millis(500);
const WRITERS: usize = 16;

/// Kills the program in the middle of its writes and starts it again, some times. Gives the times to the
/// first response.
pub(super) fn first_responses(runtime: &Runtime, place: &mut Place) -> Vec<Duration> {
    (0..STARTS)
        .map(|_| {
            runtime.block_on(killed_at_work(place));
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let started = Instant::now();
            place.start_at(&address.to_string());
            while !responds(place.address()) {
                std::thread::sleep(Duration::from_micros(200));
            }
            started.elapsed()
        })
        .collect()
}

/// Pushed requests, each of which is a durable write, until the server is gone.
async fn killed_at_work(place: &mut Place) {
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        let mut caller = Caller::connect(place.address()).await;
        writers.push(tokio::spawn(async move {
            while caller.is_served("/oauth/par", flow::request()).await {}
        }));
    }
    tokio::time::sleep(WRITES).await;
    place.kill();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Whether the server gives its metadata.
fn responds(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let path = "/.well-known/openid-configuration";
    let request = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
    let mut response = String::new();
    let asked = stream.write_all(request.as_bytes());
    asked.and_then(|()| stream.read_to_string(&mut response)).is_ok()
        && response.starts_with("HTTP/1.1 200")
}
