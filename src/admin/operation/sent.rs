//! Responses that are sent while they are made.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::channel::{Channel, Sender};
use tokio::runtime::Handle;

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
    let (sender, body) = Channel::new(WAITING);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PART, Parts { runtime, sender });
        let written = write(&mut out).map_err(|error| error.to_string());
        let written = written.and_then(|()| out.flush().map_err(|error| error.to_string()));
        if let Err(cause) = written {
            tracing::warn!(cause, "a response that was made of the whole store broke off");
            out.into_parts().0.sender.abort(io::Error::other(cause));
        }
        drop(turn);
    });
    Ok(Body::new(body))
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
    sender: Sender<Bytes, io::Error>,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.sender.send_data(Bytes::copy_from_slice(bytes));
        match self.runtime.block_on(async { tokio::time::timeout(READ_TIMEOUT, sent).await }) {
            Ok(Ok(())) => Ok(bytes.len()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "its reader went away")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "its reader is too slow")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
