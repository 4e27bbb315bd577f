//! Sends a flood, and counts what comes back. The requests are made beforehand and pipelined, since
//! the sender has the same cores as the server.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::arguments::Arguments;
use crate::exchange::PORT;
use crate::floods::{Flood, How, NUMBER, Scene, document};
use crate::netns::Source;

/// How many requests are sent before the first of their responses is read.
const PIPELINED: usize = 8;

/// How many connections a sender of unread responses or half-sent headers holds: in all more than
/// the server takes.
const HELD: usize = 64;
/// How many responses are not read on one connection.
const UNREAD: usize = 32;
/// The receive buffer of who does not read, so that the server's responses do not fit.
const SMALL_BUFFER: u32 = 4096;

/// The header that never ends.
const HALF: &str = "GET /healthz HTTP/1.1\r\nHost: localhost:7455\r\nX-Half: ";

/// What a flood came to.
#[derive(Default)]
pub(crate) struct Tally {
    /// The responses, by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// The requests: those that were answered, or, where no response is read, those that were sent.
    pub(crate) requests: u64,
    /// The body of the first response whose status was not expected.
    pub(crate) unexpected: Option<String>,
    /// The connections that ended before their time.
    pub(crate) closed: u64,
    /// The connections that could not be made, and the last reason.
    pub(crate) unconnected: (u64, Option<String>),
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.requests += other.requests;
        self.unexpected = self.unexpected.take().or(other.unexpected);
        self.closed += other.closed;
        self.unconnected.0 += other.unconnected.0;
        self.unconnected.1 = other.unconnected.1.or(self.unconnected.1.take());
    }
}

/// One of those that send at once.
struct Sender {
    expected: Vec<u16>,
    how: How,
    requests: Vec<String>,
    source: Source,
    /// The number of the next connection, and of the next request, of all senders.
    next: Arc<(AtomicU64, AtomicU64)>,
    tally: Tally,
}

/// A flood that runs.
pub(crate) struct Running(JoinSet<Tally>);

/// Starts `flood`.
pub(crate) fn start(
    runtime: &Runtime,
    flood: &Flood,
    source: Source,
    scene: &Scene,
    arguments: &Arguments,
) -> Running {
    let requests = match flood.how {
        How::Requests(make) => make(scene),
        How::HalfSent | How::Unread => Vec::new(),
    };
    let next = Arc::default();
    let mut senders = JoinSet::new();
    for _ in 0..arguments.connections(flood, source) {
        let sender = Sender {
            expected: [flood.provoked, flood.limited].concat(),
            how: flood.how,
            requests: requests.clone(),
            source,
            next: Arc::clone(&next),
            tally: Tally::default(),
        };
        senders.spawn_on(sender.send_for(arguments.duration), runtime.handle());
    }
    Running(senders)
}

impl Running {
    /// Waits until its time is over.
    pub(crate) fn end(mut self, runtime: &Runtime) -> Tally {
        runtime.block_on(async {
            let mut whole = Tally::default();
            while let Some(tally) = self.0.join_next().await {
                whole.add(tally.unwrap());
            }
            whole
        })
    }
}

impl Sender {
    async fn send_for(mut self, duration: Duration) -> Tally {
        let until = Instant::now() + duration;
        // The time is over in the midst of something.
        let _: Result<(), _> = match self.how {
            How::Requests(_) => timeout_at(until, self.ask()).await,
            How::HalfSent => timeout_at(until, self.hold(false)).await,
            How::Unread => timeout_at(until, self.hold(true)).await,
        };
        self.tally
    }

    /// Makes the next connection; waits a moment if it cannot be made.
    async fn connect(&mut self) -> Option<TcpStream> {
        let n = self.next.0.fetch_add(1, Ordering::Relaxed);
        let unread = matches!(self.how, How::Unread);
        match connect(self.source, n, unread).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                self.tally.unconnected.0 += 1;
                self.tally.unconnected.1 = Some(error.to_string());
                tokio::time::sleep(Duration::from_millis(5)).await;
                None
            }
        }
    }

    /// Sends requests and reads their responses. From many networks, each connection is of another.
    async fn ask(&mut self) {
        let mut batch = Vec::new();
        loop {
            let Some(stream) = self.connect().await else { continue };
            let mut stream = BufReader::new(stream);
            loop {
                self.fill(&mut batch);
                if let Err(_closed) = self.round(&mut stream, &batch).await {
                    self.tally.closed += 1;
                    break;
                }
                if self.source == Source::Many {
                    break;
                }
            }
        }
    }

    /// Writes the next requests into `batch`, each with a number of its own.
    fn fill(&self, batch: &mut Vec<u8>) {
        batch.clear();
        for request in self.requests.iter().cycle().take(PIPELINED) {
            let start = batch.len();
            batch.extend_from_slice(request.as_bytes());
            let n = self.next.1.fetch_add(1, Ordering::Relaxed);
            if let Some(at) = request.find("########") {
                let number = format!("{:08}", n % 100_000_000);
                batch[start + at..start + at + NUMBER.len()].copy_from_slice(number.as_bytes());
            }
        }
    }

    async fn round(&mut self, stream: &mut BufReader<TcpStream>, batch: &[u8]) -> io::Result<()> {
        stream.get_mut().write_all(batch).await?;
        for _ in 0..PIPELINED {
            let (status, body) = read(stream).await?;
            *self.tally.statuses.entry(status).or_default() += 1;
            self.tally.requests += 1;
            if !self.expected.contains(&status) && self.tally.unexpected.is_none() {
                self.tally.unexpected = Some(String::from_utf8_lossy(&body).into_owned());
            }
        }
        Ok(())
    }

    /// Makes connections that the server has to hold, and lets the oldest go.
    async fn hold(&mut self, unread: bool) {
        let sent = if unread { document().repeat(UNREAD) } else { HALF.to_owned() };
        let mut held = VecDeque::new();
        loop {
            let Some(mut stream) = self.connect().await else { continue };
            if stream.write_all(sent.as_bytes()).await.is_err() {
                self.tally.closed += 1;
                continue;
            }
            self.tally.requests += if unread { UNREAD as u64 } else { 1 };
            held.push_back(stream);
            if held.len() > HELD {
                held.pop_front();
            }
        }
    }
}

/// The status of the response to the same request from a peer that reads it, or ends its header.
pub(crate) async fn held_status(source: Source, how: How) -> io::Result<u16> {
    let mut stream = connect(source, 0, false).await?;
    let sent = if matches!(how, How::Unread) { document() } else { format!("{HALF}\r\n\r\n") };
    stream.write_all(sent.as_bytes()).await?;
    let (status, _) = timeout(Duration::from_secs(5), read(&mut BufReader::new(stream))).await??;
    Ok(status)
}

async fn connect(source: Source, n: u64, unread: bool) -> io::Result<TcpStream> {
    let server = SocketAddr::from((source.server(), PORT));
    let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(address) = source.address(n) {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((address, 0)))?;
    }
    if unread {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
    }
    // A closed connection gives its port back at once.
    socket.set_zero_linger()?;
    let stream = socket.connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads a response: its status and its body.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<(u16, Vec<u8>)> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let (mut line, mut status, mut length) = (Vec::new(), None, 0);
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == b"\r\n" {
            break;
        }
        if status.is_none() {
            let digits = line.get(9..12).and_then(|digits| str::from_utf8(digits).ok());
            status = Some(digits.and_then(|digits| digits.parse().ok()).ok_or_else(broken)?);
        } else if let Some(value) = line.strip_prefix(b"content-length: ") {
            let value = str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok());
            length = value.ok_or_else(broken)?;
        }
    }
    line.resize(length, 0);
    stream.read_exact(&mut line).await?;
    Ok((status.ok_or_else(broken)?, line))
}
