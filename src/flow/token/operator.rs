//! Access tokens that an operator issues: for a person and a client that acts for people, or for a
//! client itself.
//!
//! Such a token has no more than the client could have got: the scopes and resources are judged by the
//! rules of authorization and of the client credentials grant. That of a person depends on a grant of
//! its own. So everything that judges a token (introspection, userinfo) judges this one alike, it ends
//! with the person and the client, and it stands in the list of grants and on the person's account
//! page, where it can be ended. That of a client depends on the client alone, like every other token
//! of a client itself.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::client::owner::owner_may;
use crate::flow::events::{self, Act};
use crate::flow::person::people::named;
use crate::flow::resource::{self, TokenTarget};
use crate::flow::token::issue::{self, Issued};
use crate::flow::token::{client_credentials, grant};
use crate::flow::{Context, rights};
use crate::model::person::Username;
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::client::{ClientType, GrantType};
use crate::oauth::id::{ClientId, GrantId, SessionId, UserId};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::store::schema::{Authentication, Authorization, Client, Person};
use crate::store::{Tx, View as _};

/// The longest lifetime of a token, which a signing key outlives.
pub const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// What an operator asks for.
#[derive(Clone, Debug)]
pub struct TokenOrder {
    /// The client.
    pub client: ClientId,
    /// The lifetime, at most [`MAX_LIFETIME`]; `None`: that of the client's tokens.
    pub lifetime: Option<Duration>,
    /// The resources; none: those that the scope brings, or this server.
    pub resources: Vec<Resource>,
    /// The scope; `None`: all that the client registered and may have there.
    pub scope: Option<Scope>,
    /// The person; `None`: the client acts for itself.
    pub username: Option<Username>,
}

/// A token that an operator issues, to be signed after the commit.
pub struct Ordered {
    /// The grant that it depends on, and the person, if it is for one.
    pub grant: Option<(GrantId, UserId)>,
    /// The token.
    pub issued: Issued,
}

/// Issues a token.
///
/// # Errors
///
/// [`Refusal::ClientNotFound`], [`Refusal::ClientDisabled`], [`Refusal::UserNotFound`] or
/// [`Refusal::PersonDisabled`]; [`Refusal::AdministrationExceeded`]; [`Refusal::PersonAstray`]; [`Refusal::GrantTypeNotRegistered`] if the
/// client may not act in this way; and the refusals of its resources and scopes.
pub fn issue(tx: &mut Tx<'_>, cx: &Context, order: &TokenOrder) -> Result<Ordered, Error> {
    let client = tx.find::<Client>(&order.client)?.ok_or(Refusal::ClientNotFound)?;
    if !client.enabled || !owner_may(tx, &client)? {
        return Err(Refusal::ClientDisabled.into());
    }
    rights::check_client(tx, cx, &client)?;
    let lifetime = order.lifetime.unwrap_or_else(|| cx.rules.access_token_lifetime(&client));
    match &order.username {
        Some(username) => {
            let (user, person) = named(tx, username)?.ok_or(Refusal::UserNotFound)?;
            rights::check_person(cx, &person)?;
            let ordered = for_person(tx, cx, order, client, (user, &person), lifetime)?;
            record(tx, cx, order, &ordered)?;
            Ok(ordered)
        }
        None => {
            let confidential = client.metadata.client_type() == ClientType::Confidential;
            if !confidential || !client.metadata.has_grant_type(GrantType::ClientCredentials) {
                return Err(Refusal::GrantTypeNotRegistered.into());
            }
            let scope = order.scope.as_ref();
            let target = client_credentials::target(tx, cx, &client, &order.resources, scope)?;
            let issued = issue::for_client(cx, &order.client, target, lifetime);
            let ordered = Ordered { grant: None, issued };
            record(tx, cx, order, &ordered)?;
            Ok(ordered)
        }
    }
}

fn record(
    tx: &mut Tx<'_>,
    cx: &Context,
    order: &TokenOrder,
    ordered: &Ordered,
) -> Result<(), Error> {
    let (issued, act) = (&ordered.issued, Act::new(Kind::TokenIssued).client(&order.client));
    let act = act.fact("jti", &issued.access.jti).fact("aud", issued.access.aud.joined());
    let act = act.fact("scope", &issued.scope).fact("expires_in", issued.expires_in);
    let act = match ordered.grant {
        Some((_, person)) => act.person(person),
        None => act,
    };
    events::record(tx, cx, act).map(drop)
}

fn for_person(
    tx: &mut Tx<'_>,
    cx: &Context,
    order: &TokenOrder,
    client: Client,
    (user, person): (UserId, &Person),
    lifetime: Duration,
) -> Result<Ordered, Error> {
    if person.disabled {
        return Err(Refusal::PersonDisabled.into());
    }
    if !client.metadata.acts_for_people() {
        return Err(Refusal::GrantTypeNotRegistered.into());
    }
    if !client.decisions.admit(&person.groups) {
        return Err(Refusal::PersonAstray.into());
    }
    let asked = order.scope.as_ref();
    let targets = resource::resolve(tx, &cx.rules, &client, &order.resources, asked)?;
    // What nobody registered is granted by the person alone, each time.
    if targets.unregistered {
        return Err(Refusal::ResourceUnknown.into());
    }
    let granted = targets.scope_for(&cx.rules, &client, person, asked)?;
    // There is no refresh token that it could be about.
    let scope: Scope =
        granted.iter().filter(|token| token.as_str() != "offline_access").cloned().collect();
    if scope.is_empty() && asked.is_some() {
        return Err(Refusal::ScopeNotAllowed.into());
    }
    let TokenTarget { resources, scope, typ } = targets.share(&cx.rules, &scope, &[])?;
    let authorization = Authorization {
        authentication: Authentication { amr: Vec::new(), at: person.now_enabled(cx.now) },
        claims: ClaimsRequest::default(),
        client: order.client.clone(),
        given: cx.latest,
        resources: resources.clone(),
        scope: scope.clone(),
        session: SessionId::from_seed(&cx.seed),
        user,
    };
    let live = grant::create_by_operator(tx, cx, Arc::new(client), authorization, lifetime)?;
    let issued = issue::for_operator(cx, &live, TokenTarget { resources, scope, typ });
    Ok(Ordered { grant: Some((live.id(), user)), issued })
}
