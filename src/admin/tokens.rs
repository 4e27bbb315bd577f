//! `/api/v1/tokens/inspect` and `/api/v1/tokens/revoke`: a token explained, valid or not, and ended.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failed, body};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::token::{introspect, revoke};
use crate::oauth::introspection::TokenParameter;
use crate::oauth::jwt::Compact;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    token: String,
}

/// What a token is and says, and whether it is in force; where it is not, why.
pub(super) async fn inspect(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let asked: Asked = body(request).await?;
    let (kind, claims, standing) = match TokenParameter::of(&asked.token) {
        TokenParameter::Access(token) => of_jwt(&app, &token)?,
        TokenParameter::Refresh(token) => {
            let standing = introspect::refresh(&app.read()?, &app.context(), &token);
            (
                "refresh_token",
                standing.as_ref().map_or(Value::Null, |told| json!(told)),
                standing.map(drop),
            )
        }
    };
    let refusal = match standing {
        Ok(()) => None,
        Err(Error::Refused(refusal)) => Some(refusal),
        Err(error) => return Err(error.into()),
    };
    Ok(Json(json!({
        "kind": kind,
        "active": refusal.is_none(),
        "refusal": refusal.map(|refusal| format!("{refusal:?}")),
        "reason": refusal.map(Refusal::reason),
        "claims": claims,
    })))
}

/// What a JWT says is told even where its signature is wrong: whoever has it can read it anyway.
fn of_jwt(app: &App, token: &str) -> Result<(&'static str, Value, Result<(), Error>), Failed> {
    let Ok(compact) = Compact::parse(token) else {
        return Ok(("unknown", Value::Null, Err(Refusal::BearerTokenMalformed.into())));
    };
    let claims = compact.claims::<Value>().unwrap_or_default();
    if compact.header().is_typed("at+jwt") {
        let standing = app.keys().verify(token, "at+jwt").map_err(Error::from);
        let standing = standing.and_then(|claims| {
            crate::flow::token::access::live(&app.read()?, &app.context(), &claims).map(drop)
        });
        return Ok(("access_token", claims, standing));
    }
    let typ = ["JWT", "logout+jwt"].into_iter().find(|typ| compact.header().is_typed(typ));
    let standing = app.keys().verify::<Value>(token, typ.unwrap_or("JWT")).map_err(Error::from);
    let now = app.clock().now().seconds();
    let over = claims.get("exp").and_then(Value::as_u64).is_none_or(|exp| now >= exp);
    let standing = standing.and_then(|_| match over {
        true => Err(Refusal::BearerTokenExpired.into()),
        false => Ok(()),
    });
    let kind = if typ == Some("logout+jwt") { "logout_token" } else { "id_token" };
    Ok((kind, claims, standing))
}

/// Ends an access token, or the grant of a refresh token.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Json<Value>, Failed> {
    let asked: Asked = body(request).await?;
    let presented = match TokenParameter::of(&asked.token) {
        TokenParameter::Access(token) => {
            introspect::PresentedToken::Access(Box::new(app.keys().verify(&token, "at+jwt")?))
        }
        TokenParameter::Refresh(token) => introspect::PresentedToken::Refresh(token),
    };
    app.write(move |tx, cx| revoke::by_operator(tx, cx, &presented)).await?;
    Ok(Json(json!({ "revoked": true })))
}
