//! `/api/v1/personal-tokens`: personal access tokens.

use std::time::Duration;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, People, ReadPeople};
use super::listing::{ListView, Noun, OfPerson, Query};
use super::request::{Body, Created, Named};
use crate::error::Refusal;
use crate::flow::bridge::pat::{self, ListedToken, NewToken};
use crate::flow::named;
use crate::oauth::display_name::DisplayName;
use crate::store::schema::{Person, TokenOrigin};
use crate::store::{Listing, StoreError, View};

/// The lifetimes that an operator may choose, in seconds: a minute to ten years.
const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=3650 * 86_400;

/// A personal access token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PersonalTokenView {
    /// The time of its creation.
    pub(crate) created: String,
    /// Its expiry.
    pub(crate) expires: String,
    /// Its public part, which identifies it.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The time of its last use.
    pub(crate) used: Option<String>,
    /// Its person.
    pub(crate) username: Option<String>,
}

impl Noun for PersonalTokenView {
    const PLURAL: &'static str = "personal_tokens";
}

/// A request for a personal access token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonalTokenRequest {
    /// Its lifetime in seconds, 60 to 315,360,000 (ten years); absent: that of the configuration.
    #[cfg_attr(test, schemars(range(min = 60, max = 315_360_000)))]
    pub(crate) lifetime: Option<u64>,
    /// Its name.
    pub(crate) name: Option<String>,
    /// The person.
    pub(crate) username: String,
}

/// A new personal access token. No other response contains it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewPersonalTokenView {
    /// Its public part, which identifies it.
    pub(crate) id: String,
    /// The token.
    pub(crate) pat: String,
}

impl PersonalTokenView {
    fn new(view: &impl View, token: ListedToken) -> Result<Self, StoreError> {
        let ListedToken { device, expires, id, .. } = token;
        let person = view.find::<Person>(&device.user)?;
        Ok(Self {
            created: device.created.rfc3339(),
            expires: expires.rfc3339(),
            id,
            name: device.name.to_string(),
            used: device.used.map(|used| used.rfc3339()),
            username: person.map(|person| person.username.to_string()),
        })
    }
}

pub(super) async fn list(
    app: By<ReadPeople>,
    query: Query<OfPerson>,
) -> Result<Json<ListView<PersonalTokenView>>, Failed> {
    let (view, query) = (app.read()?, query);
    let (user, span) = (query.user(&view)?, query.span()?);
    let Listing { items, next } = pat::list(&view, &app.context(), user, &span)?;
    let items = items.into_iter().map(|token| PersonalTokenView::new(&view, token));
    Ok(Json(ListView { items: items.collect::<Result<_, _>>()?, next }))
}

pub(super) async fn add(
    app: By<People>,
    Body(asked): Body<PersonalTokenRequest>,
) -> Result<Created<NewPersonalTokenView>, Failed> {
    let name: DisplayName = asked.name.as_deref().unwrap_or("made by the operator").parse()?;
    if asked.lifetime.is_some_and(|seconds| !LIFETIMES.contains(&seconds)) {
        let why = "it is shorter or longer than a personal access token may last";
        return Err(Refusal::MemberMalformed("lifetime", why).into());
    }
    let lasting = asked.lifetime.map(Duration::from_secs);
    let new = NewToken { lasting, name, origin: TokenOrigin::Operator };
    let made = app.write(move |tx, cx| {
        let (user, _) = named::person(tx, &asked.username)?;
        pat::make(tx, cx, user, &new)
    });
    let made = made.await?;
    let view = NewPersonalTokenView { id: made.key(), pat: made.expose().to_string() };
    Ok(Created(view))
}

pub(super) async fn show(
    app: By<ReadPeople>,
    Named(named): Named,
) -> Result<Json<PersonalTokenView>, Failed> {
    let view = app.read()?;
    let id = named::personal_token(&view, &app.context(), &named)?;
    Ok(Json(PersonalTokenView::new(&view, pat::by_id(&view, &id, None)?)?))
}

pub(super) async fn revoke(
    app: By<People>,
    Named(named): Named,
) -> Result<Json<PersonalTokenView>, Failed> {
    let revoked = app.write(move |tx, cx| {
        let id = named::personal_token(tx, cx, &named)?;
        pat::revoke(tx, cx, &id, None)
    });
    let revoked = revoked.await?;
    Ok(Json(PersonalTokenView::new(&app.read()?, revoked)?))
}
