//! A response, and what is asserted of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use gatelodge::error::{Error, ErrorCode, Refusal};
use gatelodge::http::Cause;
use serde_json::Value;
use url::Url;

/// The router that responded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Admin,
    Public,
}

/// A whole response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    cause: Option<Arc<Error>>,
    surface: Surface,
}

/// The tokens of a successful response.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) id: Option<String>,
    pub(crate) refresh: Option<String>,
    pub(crate) scope: String,
}

impl Tokens {
    pub(crate) fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("a refresh token was issued")
    }

    pub(crate) fn id(&self) -> &str {
        self.id.as_deref().expect("an ID token was issued")
    }
}

impl Response {
    pub(crate) async fn read(response: axum::response::Response, surface: Surface) -> Self {
        let (parts, body) = response.into_parts();
        let cause = parts.extensions.get::<Cause>().map(|cause| Arc::clone(&cause.0));
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Self { status: parts.status, headers: parts.headers, body, cause, surface }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The text of a page without the elements that mark no words: whose a value is, and where a command
    /// may break.
    pub(crate) fn unmarked(&self) -> String {
        let marks = ["<bdi>", "</bdi>", "<span>", "</span>"];
        marks.iter().fold(self.text().to_owned(), |text, mark| text.replace(mark, ""))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{} is no JSON ({error}): {}", self.status, self.text()),
        }
    }

    /// The one value of a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        assert!(self.headers.get_all(name).iter().count() <= 1, "{name} came twice");
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The headers, a line each, in order; cookies without their values.
    pub(crate) fn head(&self) -> String {
        let printed = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            let value = value.to_str().unwrap();
            match value.split_once('=') {
                Some((cookie, rest)) if *name == header::SET_COOKIE => {
                    let attributes = rest.split_once(';').unwrap().1;
                    let id = cookie.split_once("_i_").map_or("", |(_, id)| id);
                    let cookie = cookie.trim_end_matches(id);
                    format!("{name}: {cookie}=…;{attributes}")
                }
                _ if name == "gatelodge-challenge" => format!("{name}: …"),
                _ => format!("{name}: {value}"),
            }
        };
        let mut lines: Vec<_> = self.headers.iter().map(printed).collect();
        lines.retain(|line| !line.starts_with("content-length"));
        lines.sort();
        format!("{}\n{}", self.status.as_u16(), lines.join("\n"))
    }

    /// The JSON of a refusal without the id of its event, which differs each time.
    pub(crate) fn without_event(&self) -> Value {
        let mut body = self.json();
        let event = body.as_object_mut().unwrap().remove("event_id");
        assert_eq!(event.unwrap(), self.header("gatelodge-event"));
        body
    }

    #[track_caller]
    pub(crate) fn tokens(&self) -> Tokens {
        assert_eq!(self.status, 200, "{} {:?}", self.text(), self.cause);
        let body = self.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        assert_eq!(body["token_type"], "Bearer");
        Tokens {
            access: text("access_token").unwrap(),
            id: text("id_token"),
            refresh: text("refresh_token"),
            scope: text("scope").unwrap_or_default(),
        }
    }

    /// Where a redirect goes.
    #[track_caller]
    pub(crate) fn location(&self) -> &str {
        assert!(self.status.is_redirection(), "{} {}", self.status, self.text());
        self.header("location")
    }

    /// Where the response sends the browser: by redirect, or by a page that goes on by itself. The
    /// fields of a form are in the query.
    pub(crate) fn redirect_url(&self) -> Option<Url> {
        if self.status.is_redirection() {
            return Url::parse(self.header("location")).ok();
        }
        if let Some((_, form)) =
            self.text().split_once("<form id=\"answer\" method=\"post\" action=\"")
        {
            let mut url = Url::parse(&unescape(form.split('"').next()?)).ok()?;
            for field in form.split("<input type=\"hidden\" name=\"").skip(1) {
                let (name, rest) = field.split_once("\" value=\"")?;
                url.query_pairs_mut().append_pair(name, &unescape(rest.split('"').next()?));
            }
            return Some(url);
        }
        let (_, refresh) = self.text().split_once("http-equiv=\"refresh\" content=\"0;url=")?;
        Url::parse(&unescape(refresh.split('"').next()?)).ok()
    }

    /// The authorization response that the client gets.
    #[track_caller]
    pub(crate) fn brought(&self) -> BTreeMap<String, String> {
        let url = self.redirect_url().unwrap_or_else(|| {
            panic!("{} {:?} goes nowhere: {}", self.status, self.cause, self.text())
        });
        url.query_pairs().into_owned().collect()
    }

    /// The anti-forgery token of a page.
    pub(crate) fn csrf(&self) -> Option<String> {
        let (_, rest) = self.text().split_once("<meta name=\"csrf\" content=\"")?;
        rest.split('"').next().map(str::to_owned)
    }

    /// The value of a hidden input.
    pub(crate) fn hidden(&self, name: &str) -> Option<String> {
        let (_, rest) = self.text().split_once(&format!("name=\"{name}\" value=\""))?;
        rest.split('"').next().map(unescape)
    }

    /// Where the first form of a page goes.
    pub(crate) fn action(&self) -> String {
        let path = self.text().split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
        path.expect("the page has a form").to_owned()
    }

    pub(crate) fn asks_to_sign_in(&self) -> bool {
        self.text().contains("id=\"login\"")
    }

    pub(crate) fn asks_for_consent(&self) -> bool {
        let of_a_client = !self.text().contains("name=\"user_code\"");
        self.status == 200 && self.hidden("scope").is_some() && of_a_client
    }

    /// Why it was refused, if it was.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.cause.as_deref().and_then(Error::refusal)
    }

    /// Asserts that this is a refusal: the word and status of the wire, and the reason behind it.
    #[track_caller]
    pub(crate) fn refused(&self, code: ErrorCode, refusal: Refusal) {
        if let Err(fault) = self.check_refused(code, refusal) {
            panic!("{fault}");
        }
    }

    pub(crate) fn check_refused(&self, code: ErrorCode, refusal: Refusal) -> Result<(), String> {
        let fails = |what: &str| {
            let (status, cause) = (self.status, &self.cause);
            let text = self.text().get(..400).unwrap_or(self.text());
            Err(format!("{refusal:?}: {what} ({status}, {cause:?}, {:?})\n{text}", self.headers))
        };
        if refusal.code() != code {
            return fails("the refusal has another code");
        }
        if self.surface == Surface::Admin {
            // Operators read the reason itself.
            let body = self.json();
            let description = body["error_description"].as_str().unwrap_or_default();
            // At the port, the log knows the cause, too.
            let reason = match self.refusal() {
                Some(cause) => fits(cause, refusal) && description == cause.reason(),
                None => is(refusal, description),
            };
            let same = body["error"] == code.as_str() && reason && self.status == code.status();
            return if same { Ok(()) } else { fails("the operator reads something else") };
        }
        let Some(cause) = self.refusal().filter(|cause| fits(*cause, refusal)) else {
            return fails("the cause is another");
        };
        let sentence = cause.sentence();
        let event = self.header("gatelodge-event");
        if event.len() != 16 || !event.bytes().all(|b| b.is_ascii_hexdigit()) {
            return fails("no event id");
        }
        if let Some(url) = self.redirect_url() {
            let has = |name, value: &str| url.query_pairs().any(|(n, v)| n == name && v == value);
            let same = has("error", code.as_str())
                && (has("error_description", &sentence) || !has_description(&url));
            return if same { Ok(()) } else { fails("another error goes to the client") };
        }
        // What a logout names in vain stops nothing: the log tells it.
        if self.status == 303 && self.header("location").starts_with("/gate/interaction/") {
            return Ok(());
        }
        if self.status != code.status() {
            return fails("another status");
        }
        if self.header("content-type").starts_with("text/html") {
            // What is wrong with a field stands beside it.
            let text = unescape(self.text());
            let mut alerts = text.split("role=\"alert\">").skip(1);
            let beside = alerts.any(|alert| {
                let alert = alert.strip_prefix("<bdi>").unwrap_or(alert);
                alert.get(1..).is_some_and(|alert| alert.starts_with(&sentence[1..]))
            });
            if !text.contains(event) && !beside {
                return fails("a page without event");
            }
            // The first letter may have become a capital one.
            let has_sentence = unescape(self.text()).contains(&sentence[1..]);
            return if has_sentence { Ok(()) } else { fails("a page without the sentence") };
        }
        let expected = serde_json::json!({
            "error": code.as_str(), "error_description": sentence, "event_id": event,
        });
        if self.json() == expected { Ok(()) } else { fails("another body") }
    }
}

/// Whether `cause` is `refusal`. One of [`Refusal::ALL`] stands for any names.
fn fits(cause: Refusal, refusal: Refusal) -> bool {
    cause == refusal || Refusal::ALL.contains(&refusal) && cause.name() == refusal.name()
}

/// Whether `text` is the reason of `refusal`, or, for one of [`Refusal::ALL`] that has names, of one
/// with other names.
fn is(refusal: Refusal, text: &str) -> bool {
    let reason = refusal.reason();
    let begins = |word: &str| reason.split(": ").last() == Some(word);
    let of_a_member = |text: &str| text.split_once(": ").map(|(_, rest)| rest.to_owned());
    let any_member = reason.starts_with("member: ") && of_a_member(text) == of_a_member(&reason);
    let any = Refusal::ALL.contains(&refusal);
    text == reason || any && (begins("why") && text.contains(": ") || any_member)
}

fn has_description(url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| name == "error_description")
}

/// A text of a page, as a browser displays it.
pub(crate) fn unescape(html: &str) -> String {
    let html = html.replace("&#34;", "\"").replace("&#39;", "'");
    let html = html.replace("&#60;", "<").replace("&#62;", ">");
    html.replace("&#38;", "&").replace("&amp;", "&")
}
