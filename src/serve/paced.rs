//! A connection's stream, whose peer has to read the responses it asked for.
//!
//! What the system buffers is sent without a wait. Once a write waits for the peer, the peer has to
//! read [`LEAST`] bytes in each [`WINDOW`], and everything within [`TOTAL`]; otherwise the write
//! fails, which ends the connection. Meanwhile hyper takes no further request, so that no more than
//! one response waits.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::standing::Standing;

/// The least number of bytes that a peer must read in each [`WINDOW`].
const LEAST: usize = 4 * 1024;

/// The time over which progress is measured. The system accepts bytes again only when a third of
/// its buffer is free, which takes a slow peer a while.
const WINDOW: Duration = Duration::from_secs(15);

/// The most time for a response that does not fit into the system's buffers. Responses have some
/// kilobytes.
const TOTAL: Duration = Duration::from_mins(1);

/// A stream with time limits for the peer's reading.
pub(super) struct Paced<S> {
    stream: S,
    standing: Arc<Standing>,
    wait: Option<Wait>,
}

/// A wait for the peer, from the first write that waits until all is written.
struct Wait {
    end: Pin<Box<Sleep>>,
    window: Pin<Box<Sleep>>,
    /// The bytes written in this window.
    written: usize,
}

impl Wait {
    fn start() -> Self {
        Self { end: Box::pin(sleep(TOTAL)), window: Box::pin(sleep(WINDOW)), written: 0 }
    }

    /// Ready if the peer is too slow.
    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while self.window.as_mut().poll(cx).is_ready() {
            if self.written < LEAST {
                return Poll::Ready(());
            }
            self.written = 0;
            self.window.as_mut().reset(Instant::now() + WINDOW);
        }
        Poll::Pending
    }
}

impl<S> Paced<S> {
    /// Wraps `stream`.
    pub(super) fn new(stream: S, standing: Arc<Standing>) -> Self {
        Self { stream, standing, wait: None }
    }

    /// The outcome of a write whose attempt on the stream was `attempt`.
    fn paced(
        &mut self,
        cx: &mut Context<'_>,
        attempt: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match attempt {
            Poll::Ready(Ok(bytes)) => {
                self.standing.progressed();
                if let Some(wait) = &mut self.wait {
                    wait.written += bytes;
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                let wait = self.wait.get_or_insert_with(Wait::start);
                if wait.poll_too_slow(cx).is_ready() {
                    let why = "the peer does not read its response";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
                }
            }
        }
        attempt
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.paced(cx, attempt)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.paced(cx, attempt)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.wait = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.standing.received();
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    /// What the system's buffers hold.
    const BUFFER: usize = 1024;

    fn connection() -> (Paced<DuplexStream>, DuplexStream) {
        let (server, peer) = duplex(BUFFER);
        (Paced::new(server, Arc::new(Standing::new(Arc::default()))), peer)
    }

    /// Writes a response of `length` bytes, and flushes it, to a peer that reads `amount` bytes in
    /// each `pause`. Returns how long it took, and whether it was written.
    async fn respond(length: usize, amount: usize, pause: Duration) -> (Duration, bool) {
        let (mut server, mut peer) = connection();
        let reader = tokio::spawn(async move {
            let mut bytes = vec![0; amount];
            while peer.read_exact(&mut bytes).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        });
        let started = Instant::now();
        let written = server.write_all(&vec![b'a'; length]).await.is_ok();
        let flushed = written && server.flush().await.is_ok();
        let took = started.elapsed();
        reader.abort();
        (took, flushed)
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_reads_is_not_waited_for() {
        let (mut server, _peer) = connection();

        server.write_all(&[b'a'; BUFFER]).await.unwrap();
        let started = Instant::now();
        let refused = server.write_all(b"b").await.unwrap_err();

        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), WINDOW.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_is_no_progress() {
        let (took, written) = respond(100_000, 1, Duration::from_secs(9)).await;

        assert_eq!((took.as_secs(), written), (WINDOW.as_secs(), false));
    }

    #[tokio::test]
    async fn a_request_that_arrived_with_the_one_before_it_lets_others_go_first() {
        let (mut server, mut peer) = connection();
        peer.write_all(b"ab").await.unwrap();

        server.read_u8().await.unwrap();
        assert!(server.standing.turn().now_or_never().is_some());
        assert!(server.standing.turn().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_peer_has_a_minute() {
        let second = Duration::from_secs(1);

        let (took, written) = respond(50_000, 1000, second).await;
        assert!(written && took > 3 * WINDOW, "{took:?}");
        let (took, written) = respond(100_000, 1000, second).await;
        assert_eq!((took.as_secs(), written), (TOTAL.as_secs(), false));
    }
}
