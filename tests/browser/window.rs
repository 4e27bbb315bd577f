//! A person before a window of the browser: what they open, press and type, and what they see.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide::cdp::browser_protocol::emulation::SetFocusEmulationEnabledParams;
use chromiumoxide::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType, InsertTextParams,
};
use chromiumoxide::cdp::browser_protocol::page::{
    AddScriptToEvaluateOnNewDocumentParams, GetNavigationHistoryParams, NavigateParams,
    ReloadParams,
};
use chromiumoxide::cdp::browser_protocol::target::{
    CreateBrowserContextParams, CreateTargetParams,
};
use chromiumoxide::layout::Point;
use serde::de::DeserializeOwned;

use crate::authenticator::Authenticator;
use crate::chromium::Chromium;
use crate::complaints::Complaints;
use crate::craft::Source;

/// How long a page may take to reach an expected state, and how often it is polled.
const TIMEOUT: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(25);

/// A window of a profile of its own, with cookies and passkeys of its own.
///
/// A complaint of a page is recorded, and fails the test at the latest when the window closes.
pub(crate) struct Window {
    pub(crate) page: Page,
    /// What holds this person's passkeys.
    pub(crate) passkeys: Authenticator,
    /// The HTML that came.
    pub(crate) source: Source,
    complaints: Complaints,
    chromium: Arc<Chromium>,
    profile: BrowserContextId,
}

impl Window {
    /// A window in which nothing was opened yet.
    pub(crate) async fn new() -> Self {
        Self::with(Chromium::shared()).await
    }

    /// As [`Window::new`], in the browser of a person whose home directory this is.
    pub(crate) async fn at_home(home: &Path) -> Self {
        Self::with(Chromium::at_home(home)).await
    }

    async fn with(chromium: Arc<Chromium>) -> Self {
        let profile =
            chromium.browser.create_browser_context(CreateBrowserContextParams::default());
        let profile = profile.await.unwrap();
        Self::of(chromium, profile).await
    }

    /// Another tab, with the same cookies and the same storage.
    pub(crate) async fn tab(&self) -> Self {
        Self::of(Arc::clone(&self.chromium), self.profile.clone()).await
    }

    async fn of(chromium: Arc<Chromium>, profile: BrowserContextId) -> Self {
        let browser = &chromium.browser;
        let blank = CreateTargetParams::builder().url("about:blank");
        let blank = blank.browser_context_id(profile.clone());
        let page = browser.new_page(blank.build().unwrap()).await.unwrap();
        let complaints = Complaints::of(&page).await;
        let source = Source::of(&page).await;
        // A ceremony needs a window that has the focus, and there are several at one time.
        page.execute(SetFocusEmulationEnabledParams::new(true)).await.unwrap();
        let passkeys = Authenticator::plug_in(&page).await;
        Self { page, passkeys, source, complaints, chromium, profile }
    }

    /// Goes to `url`, as the address bar does, and waits until it is there.
    pub(crate) async fn open(&self, url: impl Into<String>) {
        self.page.execute(NavigateParams::new(url)).await.unwrap();
    }

    /// Sets off for `url`, where the way ends at somebody who has yet to open.
    pub(crate) fn set_off(&self, url: impl Into<String>) {
        let (page, to) = (self.page.clone(), NavigateParams::new(url));
        tokio::spawn(async move { page.execute(to).await });
    }

    /// What `script` gives, where the page is ready to tell.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, script: &str) -> Option<T> {
        self.page.evaluate_expression(script).await.ok()?.into_value().ok()
    }

    /// Waits until `script` is true.
    pub(crate) async fn until(&self, script: &str, awaited: &dyn Display) {
        let reached = async {
            while self.ask::<bool>(script).await != Some(true) {
                tokio::time::sleep(GLANCE).await;
            }
        };
        if tokio::time::timeout(TIMEOUT, reached).await.is_err() {
            let at: Option<String> = self.ask("location.href").await;
            let text: Option<String> = self.ask("document.body.innerText").await;
            let complaints = self.complaints.all();
            panic!("no {awaited} at {at:?}, but {text:?}; {complaints:?}");
        }
    }

    /// Waits until `text` can be read on the page.
    pub(crate) async fn reads(&self, text: &str) {
        let script = format!(
            "document.readyState === 'complete' && document.body.innerText.includes({text:?})"
        );
        self.until(&script, &text).await;
    }

    /// Waits until the page is the one at `path`.
    pub(crate) async fn is_at(&self, path: &str) {
        let script =
            format!("document.readyState === 'complete' && location.pathname === {path:?}");
        self.until(&script, &path).await;
    }

    /// Presses the button, link or summary that says `label`, where it stands.
    pub(crate) async fn press(&self, label: &str) {
        let found = format!(
            "[...document.querySelectorAll('button, a, summary')].find(it => \
             it.innerText.trim() === {label:?} && !it.disabled && it.checkVisibility())"
        );
        // A browser lets no click through to a page that was not painted yet.
        let place = format!(
            "(async () => {{ const it = {found}; it.scrollIntoView({{ block: 'center' }}); \
             const frame = () => new Promise(requestAnimationFrame); \
             await frame(); await frame(); \
             const box = it.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let [x, y] = loop {
            self.until(&format!("!!{found}"), &label).await;
            // None where the page went on while it was asked.
            if let Some(at) = self.ask::<[f64; 2]>(&place).await {
                break at;
            }
        };
        self.page.click(Point::new(x, y)).await.unwrap();
    }

    /// Types `text` into the field `id`, over what stands there.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let script = format!(
            "(() => {{ const it = document.getElementById({id:?}); it.focus(); it.select(); \
             return document.activeElement === it; }})()"
        );
        self.until(&script, &id).await;
        self.types(text).await;
    }

    /// Types `text` where the focus is.
    pub(crate) async fn types(&self, text: &str) {
        self.page.execute(InsertTextParams::new(text)).await.unwrap();
    }

    /// Presses a key of the keyboard.
    pub(crate) async fn key(&self, key: Key) {
        let (name, code, text) = match key {
            Key::Enter => ("Enter", 13, Some("\r")),
            Key::Tab => ("Tab", 9, None),
        };
        for kind in [DispatchKeyEventType::KeyDown, DispatchKeyEventType::KeyUp] {
            let mut event = DispatchKeyEventParams::builder()
                .r#type(kind)
                .key(name)
                .code(name)
                .windows_virtual_key_code(code);
            if let Some(text) = text {
                event = event.text(text);
            }
            self.page.execute(event.build().unwrap()).await.unwrap();
        }
    }

    /// Where this window has been, as its back button knows it.
    pub(crate) async fn history(&self) -> Vec<String> {
        let history = self.page.execute(GetNavigationHistoryParams::default()).await.unwrap();
        history.result.entries.into_iter().map(|entry| entry.url).collect()
    }

    /// Loads the page again, as the browser's button does.
    pub(crate) async fn reload(&self) {
        self.page.execute(ReloadParams::default()).await.unwrap();
    }

    /// Goes back, as the browser's button does.
    pub(crate) async fn back(&self) {
        // The page would be gone before it answers.
        self.page.evaluate_expression("setTimeout(() => history.back())").await.unwrap();
    }

    /// Runs `script` in each page before its own scripts.
    pub(crate) async fn beforehand(&self, script: &str) {
        let params = AddScriptToEvaluateOnNewDocumentParams::new(script);
        self.page.execute(params).await.unwrap();
    }

    /// Takes note of a complaint that belongs to the story: one that has `part` in it is there.
    pub(crate) async fn excuses(&self, part: &str) {
        let heard = async {
            while !self.complaints.take(part) {
                tokio::time::sleep(GLANCE).await;
            }
        };
        assert!(tokio::time::timeout(TIMEOUT, heard).await.is_ok(), "nothing about {part}");
    }

    /// Leaves the page, and takes note of each complaint with `part` in it that came after the first: the
    /// autofill may have tried once more.
    pub(crate) async fn leaves(&self, part: &str) {
        self.open("about:blank").await;
        while self.complaints.take(part) {}
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.chromium.runtime.spawn(self.page.clone().close());
        let complaints = self.complaints.all();
        assert!(thread::panicking() || complaints.is_empty(), "a page complained: {complaints:?}");
    }
}

/// The keys that lead through a page.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    Enter,
    Tab,
}
