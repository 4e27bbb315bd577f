//! `/api/v1/sessions` and `/api/v1/anonymous-sessions`: browser sessions, bridge sessions and
//! anonymous sessions.

use std::mem::discriminant;

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Failed;
use super::by::{By, People, ReadPeople};
use super::listing::{ListView, MAX_SEEN, Noun, OfPerson, Query, Unfiltered, key};
use super::request::Named;
use crate::error::Refusal;
use crate::flow::Context;
use crate::flow::bridge::access::{self, LiveBridge};
use crate::flow::named::{self, NamedSession};
use crate::flow::session::anonymous::{self, StoredSession};
use crate::flow::session::{self, LiveSession};
use crate::model::anonymous::Metadata;
use crate::model::bridge::BridgeSessionId;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::id::{SessionId, UserId};
use crate::store::schema::{AnonymousEnding, Person};
use crate::store::{Key, Listing, Span, StoreError, View};

/// The `source` of browser sessions. That of a bridge session is `bridge`, or the word that an
/// operator chose.
pub(super) const WEB: &str = "web";
/// The `source` of anonymous sessions.
pub(super) const ANONYMOUS: &str = "anonymous";

/// A session of any kind.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SessionView {
    /// The time of its creation.
    pub(crate) created: String,
    /// The device, as the last recorded use described it.
    #[serde(flatten)]
    pub(crate) device: DeviceView,
    /// Its expiry.
    pub(crate) expires: String,
    /// Its id.
    pub(crate) id: String,
    /// The members of its kind.
    #[serde(flatten)]
    pub(crate) kind: SessionKind,
    /// Its source: `web`, `anonymous`, or that of a bridge session.
    pub(crate) source: String,
}

impl Noun for SessionView {
    const PLURAL: &'static str = "sessions";
}

/// The members that only one kind of session has. They distinguish the kinds.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum SessionKind {
    /// An anonymous session.
    Anonymous {
        /// The client that opened it.
        client_id: String,
        /// The person into whom it was merged: the username, or the id if the person is gone.
        merged_into: Option<String>,
        /// The metadata that the client gave. Nothing is decided by it.
        metadata: Option<Value>,
        /// The redirect URI that the client named.
        redirect_uri: Option<String>,
        /// Its state.
        state: AnonymousState,
        /// Its subject.
        sub: String,
    },
    /// The session of a browser in which a person is signed in.
    Browser {
        /// The methods of the sign-in (RFC 8176).
        amr: Vec<String>,
        /// The time of the person's last sign-in.
        auth_time: String,
        /// The time of its last use.
        seen: String,
        /// The id of the person.
        user_id: String,
        /// The person.
        username: String,
    },
    /// The session of a bridge that acts for a person.
    Bridge {
        /// The client that its tokens name.
        client_id: String,
        /// The time of its last use.
        seen: String,
        /// The id of the person.
        user_id: String,
        /// The person.
        username: String,
    },
}

/// The state of an anonymous session.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum AnonymousState {
    /// It is live.
    Live,
    /// A person enrolled from it.
    Merged,
    /// It has expired, or its client may no longer have anonymous sessions.
    Over,
    /// An operator revoked it.
    Revoked,
}

/// A device, as its requests describe it. The description proves nothing.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DeviceView {
    /// The network address.
    pub(crate) address: String,
    /// Whether the program names itself a robot.
    pub(crate) bot: bool,
    /// The preferred language.
    pub(crate) locale: Option<String>,
    /// The program, parsed from `user_agent`.
    pub(crate) program: Option<String>,
    /// The operating system, parsed from `user_agent`.
    pub(crate) system: Option<String>,
    /// The `User-Agent` header.
    pub(crate) user_agent: Option<String>,
}

impl DeviceView {
    fn new(device: &DeviceInfo) -> Self {
        let program = device.program();
        Self {
            address: device.address.clone(),
            bot: program.bot,
            locale: device.locale.as_ref().map(|locale| locale.as_str().to_owned()),
            program: program.program.map(str::to_owned),
            system: program.system.map(str::to_owned),
            user_agent: device.user_agent.clone(),
        }
    }
}

impl SessionView {
    fn new(view: &impl View, named: &NamedSession) -> Result<Self, StoreError> {
        match named {
            NamedSession::Anonymous(stored) => Self::of_anonymous(view, stored),
            NamedSession::Bridge(live) => Ok(Self::of_bridge(live)),
            NamedSession::Browser(live) => Ok(Self::of_browser(live)),
        }
    }

    fn of_browser(live: &LiveSession) -> Self {
        Self {
            created: live.created().rfc3339(),
            device: DeviceView::new(live.device()),
            expires: live.expires().rfc3339(),
            id: live.id().to_string(),
            kind: SessionKind::Browser {
                amr: live.authentication().amr.clone(),
                auth_time: live.authentication().at.rfc3339(),
                seen: live.seen().rfc3339(),
                user_id: live.user().to_string(),
                username: live.person().username.to_string(),
            },
            source: WEB.to_owned(),
        }
    }

    fn of_bridge(live: &LiveBridge) -> Self {
        let session = live.session();
        Self {
            created: session.created.rfc3339(),
            device: DeviceView::new(&session.device),
            expires: session.expires.rfc3339(),
            id: live.id().to_string(),
            kind: SessionKind::Bridge {
                client_id: session.client.to_string(),
                seen: session.seen.rfc3339(),
                user_id: session.user.to_string(),
                username: live.person().username.to_string(),
            },
            source: session.source.clone(),
        }
    }

    fn of_anonymous(view: &impl View, stored: &StoredSession) -> Result<Self, StoreError> {
        let session = &stored.session;
        let (state, merged_into) = match session.ending {
            Some(AnonymousEnding::Merged(user)) => {
                let person = view.find::<Person>(&user)?;
                let name = person.map_or_else(|| user.to_string(), |own| own.username.to_string());
                (AnonymousState::Merged, Some(name))
            }
            Some(AnonymousEnding::Revoked) => (AnonymousState::Revoked, None),
            None if stored.is_live => (AnonymousState::Live, None),
            None => (AnonymousState::Over, None),
        };
        Ok(Self {
            created: session.created.rfc3339(),
            device: DeviceView::new(&session.device),
            expires: session.expires.rfc3339(),
            id: stored.id.to_string(),
            kind: SessionKind::Anonymous {
                client_id: session.client.to_string(),
                merged_into,
                metadata: session.metadata.as_ref().map(Metadata::to_value),
                redirect_uri: session.redirect_uri.as_ref().map(ToString::to_string),
                state,
                sub: session.sub.to_string(),
            },
            source: ANONYMOUS.to_owned(),
        })
    }
}

/// A position in the listing of all sessions: first those of browsers, then those of bridges, then
/// the anonymous ones. The key is the last one listed of its kind; `None` is the start of the kind.
#[derive(Clone)]
enum ListingPosition {
    Browser(Option<SessionId>),
    Bridge(Option<BridgeSessionId>),
    Anonymous(Option<SessionId>),
}

impl ListingPosition {
    fn from_cursor(cursor: &str) -> Result<Self, Refusal> {
        let (kind, after) = cursor.split_once('.').ok_or(Refusal::CursorMalformed)?;
        match kind {
            "browser" => Ok(Self::Browser(after_key(after)?)),
            "bridge" => Ok(Self::Bridge(after_key(after)?)),
            "anonymous" => Ok(Self::Anonymous(after_key(after)?)),
            _ => Err(Refusal::CursorMalformed),
        }
    }

    fn to_cursor(&self) -> String {
        fn text<K: Key>(after: Option<&K>) -> String {
            after.map(Key::to_cursor).unwrap_or_default()
        }
        match self {
            Self::Browser(after) => format!("browser.{}", text(after.as_ref())),
            Self::Bridge(after) => format!("bridge.{}", text(after.as_ref())),
            Self::Anonymous(after) => format!("anonymous.{}", text(after.as_ref())),
        }
    }

    /// Whether `next` is in the same kind, of which there is more to look at.
    fn goes_on(&self, next: Option<&Self>) -> bool {
        next.is_some_and(|next| discriminant(self) == discriminant(next))
    }

    /// At most `limit` sessions from this position on, and the position after them.
    fn list(
        &self,
        view: &impl View,
        cx: &Context,
        user: Option<UserId>,
        limit: usize,
    ) -> Result<(Vec<SessionView>, Option<Self>), StoreError> {
        match self.clone() {
            Self::Browser(after) => {
                let found = session::list(view, cx, user, &span(after, limit))?;
                let next = found.next.map(|id| Self::Browser(Some(id)));
                let views = found.items.iter().map(SessionView::of_browser).collect();
                Ok((views, next.or(Some(Self::Bridge(None)))))
            }
            Self::Bridge(after) => {
                let found = access::list(view, cx, user, &span(after, limit))?;
                let next = found.next.map(|id| Self::Bridge(Some(id)));
                let views = found.items.iter().map(SessionView::of_bridge).collect();
                Ok((views, next.or(Some(Self::Anonymous(None)))))
            }
            // No anonymous session belongs to a person.
            Self::Anonymous(_) if user.is_some() => Ok((Vec::new(), None)),
            Self::Anonymous(after) => {
                let Listing { items, next } = anonymous::list(view, cx, &span(after, limit))?;
                let views = items.iter().map(|stored| SessionView::of_anonymous(view, stored));
                Ok((views.collect::<Result<_, _>>()?, next.map(|id| Self::Anonymous(Some(id)))))
            }
        }
    }
}

fn span<K>(after: Option<K>, limit: usize) -> Span<K> {
    Span { after, limit, seen: MAX_SEEN }
}

fn after_key<K: Key>(after: &str) -> Result<Option<K>, Refusal> {
    if after.is_empty() { Ok(None) } else { key(after).map(Some) }
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<OfPerson>,
) -> Result<Json<ListView<SessionView>>, Failed> {
    let (view, cx, query) = (app.read()?, app.context(), query);
    let (user, limit) = (query.user(&view)?, query.limit()?);
    let start = query.cursor()?.map(ListingPosition::from_cursor).transpose()?;
    let (mut items, mut place) =
        (Vec::new(), Some(start.unwrap_or(ListingPosition::Browser(None))));
    while let Some(current) = place.take_if(|_| items.len() < limit) {
        let (found, next) = current.list(&view, &cx, user, limit - items.len())?;
        let is_enough = current.goes_on(next.as_ref());
        items.extend(found);
        place = next;
        // The page is full, or has looked at as many of this kind as a page does.
        if is_enough {
            break;
        }
    }
    Ok(Json(ListView { items, next: place.as_ref().map(ListingPosition::to_cursor) }))
}

/// Lists the stored anonymous sessions, live or ended.
pub(super) async fn list_anonymous(
    app: By<ReadPeople>,
    query: Query<Unfiltered>,
) -> Result<Json<ListView<SessionView>>, Failed> {
    let (view, span) = (app.read()?, query.span()?);
    let Listing { items, next } = anonymous::list_all(&view, &app.context(), &span)?;
    let items = items.iter().map(|stored| SessionView::of_anonymous(&view, stored));
    let items = items.collect::<Result<_, _>>()?;
    Ok(Json(ListView { items, next: next.as_ref().map(Key::to_cursor) }))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<SessionView>, Failed> {
    let view = app.read()?;
    Ok(Json(SessionView::new(&view, &named::session(&view, &app.context(), &named)?)?))
}

pub(super) async fn revoke(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<SessionView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        Ok(match named::session(tx, cx, &named)? {
            NamedSession::Anonymous(stored) => {
                NamedSession::Anonymous(Box::new(anonymous::revoke(tx, cx, stored.id)?))
            }
            NamedSession::Bridge(live) => {
                NamedSession::Bridge(Box::new(access::end(tx, cx, live.id(), None)?))
            }
            NamedSession::Browser(live) => {
                NamedSession::Browser(Box::new(session::revoke(tx, cx, live.id())?))
            }
        })
    });
    let revoked = revoked.await?;
    Ok(Json(SessionView::new(&app.read()?, &revoked)?))
}
