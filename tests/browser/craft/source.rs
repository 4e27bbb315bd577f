//! The HTML of pages as it came from the server: what the browser made of it is always valid.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::network::{
    EventLoadingFinished, EventResponseReceived, GetResponseBodyParams, RequestId, ResourceType,
};
use futures_util::StreamExt as _;
use futures_util::stream::select;

/// The HTML of the page that a window is at, whether the browser went there or a script fetched it.
pub(crate) struct Source {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// What began to come.
    started: Vec<RequestId>,
    /// What is there, and was not read.
    whole: Vec<RequestId>,
}

/// What a window hears of a response.
enum Heard {
    Ended(RequestId),
    Html { id: RequestId, is_document: bool },
}

impl Source {
    /// That of `page` from now on.
    pub(crate) async fn of(page: &Page) -> Self {
        let started = page.event_listener::<EventResponseReceived>().await.unwrap();
        let started = started.filter_map(async |event| {
            let id = event.request_id.clone();
            let is_document = event.r#type == ResourceType::Document;
            (event.response.mime_type == "text/html").then_some(Heard::Html { id, is_document })
        });
        let ended = page.event_listener::<EventLoadingFinished>().await.unwrap();
        let ended = ended.map(|event| Heard::Ended(event.request_id.clone()));
        let source = Self { state: Arc::default() };
        let state = Arc::clone(&source.state);
        tokio::spawn(async move {
            let mut all = Box::pin(select(started, ended));
            while let Some(heard) = all.next().await {
                let mut state = lock(&state);
                match heard {
                    Heard::Ended(id) if state.started.contains(&id) => state.whole.push(id),
                    Heard::Ended(_) => {}
                    Heard::Html { id, is_document } => {
                        // The browser forgets the page before.
                        if is_document {
                            *state = State::default();
                        }
                        state.started.push(id);
                    }
                }
            }
        });
        source
    }

    /// What came since it was read last.
    pub(crate) async fn unread(&self, page: &Page) -> Vec<String> {
        let whole = mem::take(&mut lock(&self.state).whole);
        let mut read = Vec::new();
        for id in whole {
            let body = page.execute(GetResponseBodyParams::new(id)).await.unwrap();
            read.push(body.result.body);
        }
        read
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
