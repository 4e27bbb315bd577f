//! How large the tables are, now and before.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::app::App;
use crate::error::{Error, Internal};
use crate::flow::installation::sizes;
use crate::store::Read as Snapshot;
use crate::store::check::{self, TableSize};
use crate::store::schema::Sizes;

pub use crate::flow::installation::sizes::Before;

/// One look at a time: it reads the whole store, and its snapshot keeps pages from being used again.
pub static LOOKS: Semaphore = Semaphore::const_new(1);

/// What `look` returns, away from the threads that answer, once no other look goes on.
pub async fn in_turn<T: Send + 'static>(
    look: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    // Whoever goes away while they wait starts none.
    let turn = LOOKS.acquire().await.map_err(Internal::new)?;
    let seen = tokio::task::spawn_blocking(move || {
        let seen = look();
        drop(turn);
        seen
    });
    Ok(seen.await.map_err(Internal::new)?)
}

impl App {
    /// What `look` sees of a snapshot, once no other look goes on.
    pub async fn seen<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let app = Arc::clone(self);
        in_turn(move || Ok(look(&app.read()?))).await?
    }

    /// Writes down how large each table is, if that of today is not there yet.
    pub async fn write_sizes_if_due(self: &Arc<Self>) -> Result<(), Error> {
        let cx = self.context();
        if !sizes::are_due(&self.read()?, &cx)? {
            return Ok(());
        }
        let tables = self.seen(check::sizes).await??;
        let tables = tables.iter().map(|size| (size.tag, size.rows, size.bytes)).collect();
        let sizes = Sizes { at: cx.now, tables };
        self.write(move |tx, cx| Ok(sizes::record(tx, cx, sizes.clone())?)).await
    }
}

/// How large the tables are now, and how large they were.
///
/// # Errors
///
/// [`StoreError::Corrupt`](crate::store::StoreError::Corrupt) if a row cannot be read.
pub fn growth(app: &App, read: &Snapshot) -> Result<(Vec<TableSize>, Before), Error> {
    Ok((check::sizes(read)?, sizes::before(read, app.clock().now())?))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Its snapshot is there as long as it looks, whoever waits for it.
    #[tokio::test]
    async fn one_look_goes_on_at_a_time_even_if_nobody_waits_for_it_any_more() {
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (end, may_end) = mpsc::channel();
        let first = tokio::spawn(in_turn(move || {
            started.send(()).unwrap();
            may_end.recv().unwrap();
        }));
        has_started.await.unwrap();

        let during = LOOKS.try_acquire().is_ok();
        first.abort();
        let left = first.await.is_err_and(|error| error.is_cancelled());
        let without_it = LOOKS.try_acquire().is_ok();
        end.send(()).unwrap();
        let second = in_turn(|| "the second").await;

        assert!(!during && left && !without_it, "{during} {left} {without_it}");
        assert_eq!(second.ok(), Some("the second"));
    }
}
