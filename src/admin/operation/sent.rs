//! Responses that are sent while they are made.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::by::{By, Right};
use crate::app::store_file::sizes::LOOKS;
use crate::error::{Error, Internal, Refusal};
use crate::event::Kind;
use crate::flow::events::{self, Act};

/// The bytes that are sent at once, and how many of those may wait for their reader.
const PART: usize = 64 * 1024;
const WAITING: usize = 4;

/// The most time in which whoever receives a response takes the next part of it. The snapshot that it is
/// made of keeps pages of the store from being used again.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A body that `write` fills from a snapshot, one at a time, on a thread that may wait. If it fails, the
/// body is broken off.
pub(in crate::admin) async fn body<E: fmt::Display>(
    write: impl FnOnce(&mut BufWriter<Parts>) -> Result<(), E> + Send + 'static,
) -> Result<Body, Internal> {
    // Whoever goes away while they wait starts none.
    let turn = LOOKS.acquire().await.map_err(Internal::new)?;
    let (sender, parts) = mpsc::channel(WAITING);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PART, Parts { runtime, sender });
        let written = write(&mut out).map_err(|error| error.to_string());
        let written = written.and_then(|()| out.flush().map_err(|error| error.to_string()));
        let ended = written.and_then(|()| out.get_mut().end().map_err(|error| error.to_string()));
        if let Err(cause) = ended {
            tracing::warn!(cause, "a response that was made of the whole store broke off");
            // What waits in it is not sent any more.
            drop(out.into_parts());
        }
        drop(turn);
    });
    Ok(Body::new(Received { ended: false, parts }))
}

/// A part of a body, or that it is whole.
type Part = Option<Bytes>;

/// A body whose parts are made elsewhere. Without its end it is broken off.
struct Received {
    ended: bool,
    parts: mpsc::Receiver<Part>,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let part = ready!(self.parts.poll_recv(cx));
        self.ended = !matches!(part, Some(Some(_)));
        Poll::Ready(match part {
            Some(part) => part.map(|part| Ok(Frame::data(part))),
            None => Some(Err(io::Error::other("it broke off"))),
        })
    }
}

/// Writes that somebody was sent what the store has. One that cannot be written can be read, and is to be
/// saved the more.
pub(in crate::admin) async fn recorded<R: Right>(app: &By<R>, kind: Kind) -> Result<(), Error> {
    match app.write(move |tx, cx| events::record(tx, cx, Act::new(kind))).await {
        Ok(_) | Err(Error::Refused(Refusal::StoreUnwritable)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sends what is written.
pub(in crate::admin) struct Parts {
    runtime: Handle,
    sender: mpsc::Sender<Part>,
}

impl Parts {
    /// Says that all is sent.
    fn end(&self) -> io::Result<()> {
        self.send(None)
    }

    fn send(&self, part: Part) -> io::Result<()> {
        let sent = self.sender.send(part);
        match self.runtime.block_on(async { tokio::time::timeout(READ_TIMEOUT, sent).await }) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "its reader went away")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "its reader is too slow")),
        }
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(Some(Bytes::copy_from_slice(bytes)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    /// However the one that writes and the one that reads take turns: many small parts, of which the last
    /// come together with the end.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_body_is_sent_whole() {
        for round in 0..20_000 {
            let written = body(move |out| {
                for _ in 0..round % 7 {
                    out.write_all(b"part")?;
                    out.flush()?;
                }
                out.write_all(b"last")
            });

            let read = to_bytes(written.await.unwrap(), usize::MAX).await.unwrap();

            assert_eq!(read.len(), 4 * (round % 7 + 1), "{round}");
        }
    }

    #[tokio::test]
    async fn a_body_that_fails_is_broken_off() {
        let failing = body(|out| {
            out.write_all(b"part")?;
            Err(io::Error::other("the disk failed"))
        });

        assert!(to_bytes(failing.await.unwrap(), usize::MAX).await.is_err());
    }

    #[tokio::test]
    async fn a_body_whose_maker_panics_is_broken_off() {
        let panicking = body(|out| -> io::Result<()> {
            out.write_all(b"part")?;
            panic!("a row that nobody thought of")
        });

        assert!(to_bytes(panicking.await.unwrap(), usize::MAX).await.is_err());
    }
}
