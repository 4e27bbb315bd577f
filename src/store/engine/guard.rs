//! The guard around the engine: over a damaged file redb panics, which is an error here.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::store::StoreError;

thread_local! {
    /// Whether a panic of this thread is caught and named by [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives.
///
/// # Errors
///
/// [`StoreError::Damaged`] if it panics. Nothing is printed then.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, StoreError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let printed = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                printed(panic);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    done.map_err(|_| StoreError::Damaged("the engine cannot read its file".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_damage() {
        assert_eq!(guarded(|| 1).unwrap(), 1);
        assert!(matches!(guarded(|| panic!("a page is torn")), Err(StoreError::Damaged(_))));
        assert!(!GUARDED.get());
    }
}
