//! What pages complain of: errors and warnings of the console, exceptions that nobody caught, and
//! what the browser itself logs, such as a breach of the Content-Security-Policy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntry, LogEntryLevel};
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EventConsoleApiCalled, EventExceptionThrown,
};
use futures_util::StreamExt as _;
use futures_util::stream::select;

/// Everything that the pages of one window complained of, and nobody took note of.
pub(crate) struct Complaints {
    entries: Arc<Mutex<Vec<String>>>,
}

impl Complaints {
    /// Those of `page` from now on.
    pub(crate) async fn of(page: &Page) -> Self {
        page.enable_log().await.unwrap();
        page.enable_runtime().await.unwrap();
        let logged = page.event_listener::<EventEntryAdded>().await.unwrap();
        let logged = logged.filter_map(async |event| logged_as(&event.entry));
        let thrown = page.event_listener::<EventExceptionThrown>().await.unwrap();
        let thrown = thrown.map(|event| format!("{:?}", event.exception_details));
        let called = page.event_listener::<EventConsoleApiCalled>().await.unwrap();
        let called = called.filter_map(async |event| {
            use ConsoleApiCalledType::{Assert, Error, Warning};
            let bad = matches!(event.r#type, Assert | Error | Warning);
            bad.then(|| format!("{:?}", event.args))
        });
        let complaints = Self { entries: Arc::default() };
        let entries = Arc::clone(&complaints.entries);
        tokio::spawn(async move {
            let mut all = Box::pin(select(logged, select(thrown, called)));
            while let Some(complaint) = all.next().await {
                lock(&entries).push(complaint);
            }
        });
        complaints
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.entries).clone()
    }

    /// Takes out one that has `part` in it, if there is one.
    pub(crate) fn take(&self, part: &str) -> bool {
        let mut entries = lock(&self.entries);
        let found = entries.iter().position(|complaint| complaint.contains(part));
        found.map(|at| entries.remove(at)).is_some()
    }
}

fn lock(entries: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the browser's own log complains of, if it does.
fn logged_as(entry: &LogEntry) -> Option<String> {
    // An icon is fetched when the browser likes, also where a story has no server any more.
    let icon = entry.url.as_deref().is_some_and(|url| url.contains("icon."));
    let no_server = icon && entry.text.contains("net::ERR_");
    let harmless = matches!(entry.level, LogEntryLevel::Verbose | LogEntryLevel::Info);
    let (text, url) = (&entry.text, entry.url.as_deref().unwrap_or_default());
    (!harmless && !no_server).then(|| format!("{text} ({url})"))
}
