//! Attempts that run side by side.

use tokio::task::JoinSet;

use crate::error::{Error, Internal};

/// Waits for all attempts, and returns their number. One that fails keeps no other from its end.
///
/// # Errors
///
/// The first failure.
pub(super) async fn all(mut attempts: JoinSet<Result<(), Error>>) -> Result<usize, Error> {
    let number = attempts.len();
    let mut failed = None;
    while let Some(attempt) = attempts.join_next().await {
        if let Err(error) = attempt.map_err(|error| Internal::new(error).into()).flatten() {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(number), Err)
}
