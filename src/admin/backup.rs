//! `/api/v1/backup`: a backup of the running installation, sent while it is made.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use tokio::runtime::Handle;

use super::Failed;
use super::by::{All, By};
use super::store::LOOKS;
use crate::error::{Error, Internal};
use crate::event::Kind;
use crate::flow::events::Act;

/// The bytes that are sent at once, and how many of those may wait.
const CHUNK: usize = 64 * 1024;
const WAITING: usize = 4;

/// The most time in which whoever receives a backup takes the next bytes. Its snapshot keeps pages
/// from being used again.
const PATIENCE: Duration = Duration::from_secs(30);

/// The bytes of a backup, as they are made.
pub(in crate::admin) struct Sent(Channel<Bytes, io::Error>);

impl IntoResponse for Sent {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/octet-stream")], Body::new(self.0)).into_response()
    }
}

/// Makes a backup. It has no root secret, and is whole if its end is.
pub(super) async fn make(app: By<All>) -> Result<Sent, Failed> {
    app.prove().await?;
    let turn = LOOKS.acquire().await.map_err(|error| Error::from(Internal::new(error)))?;
    app.note(app.acting(), Act::new(Kind::BackupMade));
    let (sender, sent) = Channel::new(WAITING);
    let (app, runtime) = (Arc::clone(&app), Handle::current());
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(CHUNK, Chunks { runtime, sender });
        if let Err(error) = app.back_up(&mut out) {
            tracing::error!(%error, "a backup was broken off");
            let (Chunks { sender, .. }, _) = out.into_parts();
            sender.abort(io::Error::other(error));
        }
        drop(turn);
    });
    Ok(Sent(sent))
}

/// Sends what is written.
struct Chunks {
    runtime: Handle,
    sender: Sender<Bytes, io::Error>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.sender.send_data(Bytes::copy_from_slice(bytes));
        match self.runtime.block_on(async { tokio::time::timeout(PATIENCE, sent).await }) {
            Ok(Ok(())) => Ok(bytes.len()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
