//! `/api/v1/tokens/inspect` and `/api/v1/tokens/revoke`: inspection and revocation of any token.

pub(crate) mod issue;

pub(in crate::admin) use issue::issue;

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Failed;
use super::by::{By, Keys, ReadKeys};
use super::request::Body;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::bridge::pat;
use crate::flow::token::{access, introspect, revoke};
use crate::keys::{Examined, JwtKind, Signature};
use crate::oauth::introspection::TokenParameter;
use crate::secret::PersonalToken;

/// A token to inspect or to revoke.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// The token.
    pub(crate) token: String,
}

/// The inspection of a token.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InspectionView {
    /// Whether it is in force.
    pub(crate) active: bool,
    /// Its claims; null: it has none.
    pub(crate) claims: Value,
    /// Its kind.
    pub(crate) kind: TokenKind,
    /// The reason why it is not in force, or a remark.
    pub(crate) reason: Option<String>,
    /// The name of the refusal that its bearer gets.
    pub(crate) refusal: Option<String>,
}

/// The kind of a token.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenKind {
    /// An access token.
    AccessToken,
    /// An ID token.
    IdToken,
    /// A logout token (OpenID Connect Back-Channel Logout §2.4).
    LogoutToken,
    /// A personal access token.
    PersonalToken,
    /// A refresh token.
    RefreshToken,
    /// None of these.
    Unknown,
}

/// A token that was revoked.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RevocationView {
    /// The client that it names.
    pub(crate) client_id: Option<String>,
    /// Its kind.
    pub(crate) kind: TokenKind,
    /// Always true.
    pub(crate) revoked: bool,
    /// Its subject.
    pub(crate) sub: Option<String>,
}

impl RevocationView {
    fn new(kind: TokenKind, claims: &Value) -> Self {
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        Self { client_id: claim("client_id"), kind, revoked: true, sub: claim("sub") }
    }
}

/// Inspects a token: its kind, its claims, and whether it is in force or the reason why not.
pub(in crate::admin) async fn inspect(
    app: By<ReadKeys>,
    Body(asked): Body<TokenRequest>,
) -> Result<Json<InspectionView>, Failed> {
    let inspected = inspected(&app, &asked.token)?;
    let refusal = match inspected.standing {
        Ok(()) => None,
        Err(error) => match error.refusal() {
            Some(refusal) => Some(refusal),
            None => return Err(error.into()),
        },
    };
    let reason = inspected.reason.or_else(|| refusal.map(|refusal| refusal.reason().into_owned()));
    Ok(Json(InspectionView {
        active: refusal.is_none(),
        claims: inspected.claims,
        kind: inspected.kind,
        reason,
        refusal: refusal.map(|refusal| refusal.name().to_owned()),
    }))
}

/// Inspects a token of any kind.
fn inspected(app: &App, token: &str) -> Result<Inspected, Failed> {
    if let Ok(token) = token.parse::<PersonalToken>() {
        let (view, cx) = (app.read()?, app.context());
        let redeemed = pat::redeem(&view, &cx, &token);
        let claims = redeemed.as_ref().map_or(
            Value::Null,
            |opener| json!({ "jti": token.key(), "sub": opener.user.to_string() }),
        );
        let standing = redeemed.map(drop);
        return Ok(Inspected { claims, kind: TokenKind::PersonalToken, reason: None, standing });
    }
    match TokenParameter::of(token) {
        TokenParameter::Access(token) => jwt(app, &token),
        TokenParameter::Refresh(token) => {
            let found = introspect::refresh(&app.read()?, &app.context(), &token);
            let claims = found.as_ref().map_or(Value::Null, |found| json!(found));
            let (kind, standing) = (TokenKind::RefreshToken, found.map(drop));
            Ok(Inspected { claims, kind, reason: None, standing })
        }
    }
}

/// The result of an inspection.
struct Inspected {
    claims: Value,
    kind: TokenKind,
    /// A more precise reason than that of the refusal, if there is one.
    reason: Option<String>,
    standing: Result<(), Error>,
}

/// Inspects a JWT. Its claims are listed even if its signature is wrong, because anybody who has
/// the JWT can decode them.
fn jwt(app: &App, token: &str) -> Result<Inspected, Failed> {
    let (view, cx) = (app.read()?, app.context());
    let Ok(Examined { claims, kind, signature }) = app.keys().examine(token, cx.now) else {
        let standing = Err(Refusal::BearerTokenMalformed.into());
        return Ok(Inspected {
            claims: Value::Null,
            kind: TokenKind::Unknown,
            reason: None,
            standing,
        });
    };
    let expired = claims.get("exp").and_then(Value::as_u64).is_none_or(|e| cx.now.seconds() >= e);
    let standing = match (kind, signature) {
        (JwtKind::Access, _) => match app.keys().verify_access(token, cx.now) {
            Ok(verified) => access::live(&view, &cx, &verified).map(drop),
            Err(refusal) => Err(refusal.into()),
        },
        (_, Signature::Retired(_)) => Err(Refusal::BearerTokenKeyRetired.into()),
        (_, Signature::UnknownKey | Signature::Wrong) => {
            Err(Refusal::BearerTokenSignatureWrong.into())
        }
        (JwtKind::Other, Signature::Valid) => Err(Refusal::BearerTokenMalformed.into()),
        (_, Signature::Valid) if expired => Err(Refusal::BearerTokenExpired.into()),
        (_, Signature::Valid) => Ok(()),
    };
    let reason = match signature {
        Signature::Retired(at) => Some(format!("signed by a key retired on {}", at.rfc3339())),
        Signature::UnknownKey | Signature::Valid | Signature::Wrong => None,
    };
    let kind = match kind {
        JwtKind::Access => TokenKind::AccessToken,
        JwtKind::Logout => TokenKind::LogoutToken,
        JwtKind::Id => TokenKind::IdToken,
        JwtKind::Other => TokenKind::Unknown,
    };
    Ok(Inspected { claims, kind, reason, standing })
}

/// Revokes an access token, or ends the grant of a refresh token, or the linked device of a personal
/// access token, of a bridge token or of a hook token.
pub(in crate::admin) async fn revoke(
    app: By<Keys>,
    Body(asked): Body<TokenRequest>,
) -> Result<Json<RevocationView>, Failed> {
    let Inspected { claims, kind, .. } = inspected(&app, &asked.token)?;
    let view = RevocationView::new(kind, &claims);
    if let Ok(token) = asked.token.parse::<PersonalToken>() {
        app.write(move |tx, cx| pat::end(tx, cx, &token)).await?;
        return Ok(Json(view));
    }
    let presented = match TokenParameter::of(&asked.token) {
        TokenParameter::Access(token) => introspect::PresentedToken::Access(Box::new(
            app.keys().verify_access(&token, app.clock().now())?,
        )),
        TokenParameter::Refresh(token) => introspect::PresentedToken::Refresh(token),
    };
    app.write(move |tx, cx| revoke::by_operator(tx, cx, &presented)).await?;
    Ok(Json(view))
}
