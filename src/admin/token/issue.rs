//! `/api/v1/tokens`: access tokens that an operator issues.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::admin::by::{By, Keys};
use crate::admin::request::{Body, Created};
use crate::admin::{Failed, optional, parsed};
use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::flow::named;
use crate::flow::token::operator::{self, MAX_LIFETIME, Ordered, TokenOrder};
use crate::oauth::claims::{AccessClaims, Audience};
use crate::oauth::client::SigningAlg;
use crate::oauth::scope::Scope;

/// A request for an access token.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenIssueRequest {
    /// The client.
    pub(crate) client_id: String,
    /// The resources; empty: those that the scope brings, or this server.
    #[serde(default)]
    pub(crate) resources: Vec<String>,
    /// The scope, separated by spaces; absent: all that the client registered and may have there.
    pub(crate) scope: Option<String>,
    /// The lifetime in seconds, 1 to 86,400 (a day); absent: that of the client's tokens.
    #[cfg_attr(test, schemars(range(min = 1, max = 86_400)))]
    pub(crate) ttl: Option<u64>,
    /// The person; absent: the client acts for itself.
    pub(crate) username: Option<String>,
}

/// A new access token. No other response contains it.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IssuedTokenView {
    /// The token.
    pub(crate) access_token: String,
    /// The resources that take it, and this server if it does.
    pub(crate) audience: Vec<String>,
    /// The client.
    pub(crate) client_id: String,
    /// Its expiry.
    pub(crate) expires: String,
    /// Its lifetime in seconds.
    pub(crate) expires_in: u64,
    /// The grant that it depends on; null: the client acts for itself.
    pub(crate) grant: Option<String>,
    /// Its scope.
    pub(crate) scope: Scope,
    /// The person; null: the client acts for itself.
    pub(crate) username: Option<String>,
}

/// Issues an access token. Only this response has it: the store and the log do not.
pub(in crate::admin) async fn issue(
    app: By<Keys>,
    Body(asked): Body<TokenIssueRequest>,
) -> Result<Created<IssuedTokenView>, Failed> {
    let lifetime = asked.ttl.map(Duration::from_secs);
    if lifetime.is_some_and(|lifetime| lifetime.is_zero() || lifetime > MAX_LIFETIME) {
        let why = "an access token lasts from 1 second to one day";
        return Err(Refusal::MemberMalformed("ttl", why).into());
    }
    let resources = parsed(&asked.resources)?;
    let scope = optional(asked.scope.as_deref())?;
    // Where no server runs, nobody else makes the first keys. After the commit, signing must not fail.
    app.make_missing_keys().await?;
    let key = app.signing_key(SigningAlg::Es256).await?;
    let ordered = app.write(move |tx, cx| {
        let (client, _) = named::client(tx, &asked.client_id)?;
        let person = asked.username.as_deref().map(|own| named::person(tx, own)).transpose()?;
        let username = person.map(|(_, person)| person.username);
        let (resources, scope) = (resources.clone(), scope.clone());
        let order = TokenOrder { client, lifetime, resources, scope, username };
        Ok((operator::issue(tx, cx, &order)?, order.username))
    });
    let (ordered, username) = ordered.await?;
    let access_token = key.sign(ordered.issued.typ.typ(), &ordered.issued.access)?;
    log(&ordered);
    let Ordered { grant, issued } = ordered;
    let AccessClaims { aud, client_id, exp, .. } = issued.access;
    let issued = IssuedTokenView {
        access_token,
        audience: names(&aud).to_vec(),
        client_id,
        expires: Timestamp::from_seconds(exp).rfc3339(),
        expires_in: issued.expires_in,
        grant: grant.map(|(id, _)| id.to_string()),
        scope: issued.scope,
        username: username.map(|own| own.to_string()),
    };
    Ok(Created(issued))
}

fn names(aud: &Audience) -> &[String] {
    match aud {
        Audience::Many(names) => names,
        Audience::One(name) => std::slice::from_ref(name),
    }
}

/// Writes the log line: for whom the token is and what it opens, and never the token.
fn log(ordered: &Ordered) {
    let Ordered { grant, issued } = ordered;
    tracing::info!(
        client.id = issued.access.client_id,
        user.id = grant.map(|(_, user)| user.to_string()),
        grant.id = grant.map(|(id, _)| id.to_string()),
        token.audience = names(&issued.access.aud).join(" "),
        token.scope = %issued.scope,
        token.seconds = issued.expires_in,
        "an operator issued an access token"
    );
}
