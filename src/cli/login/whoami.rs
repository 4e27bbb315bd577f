//! `gatelodge whoami`

use serde_json::{Map, Value};

use crate::cli::output::{Exit, Failure, Output, fields, plain};
use crate::cli::token_store::{Purpose, Session};
use crate::config::Config;

use super::server::needed;
use super::{Cx, ServerArgs, refresh};

/// `gatelodge whoami`: what the server says now; where it says nothing, what it said at sign-in,
/// with a remark.
pub(in crate::cli) async fn run(args: ServerArgs, config: &Config) -> Result<Output, Failure> {
    let cx = Cx::new(args, config).await?;
    let kept = cx.place.read().await?;
    let Some(session) = kept.and_then(|kept| kept.session) else {
        return Err(cx.not_signed_in());
    };
    match userinfo(&cx, &session).await {
        Ok(claims) => Ok(told(&cx, &claims, "userinfo")),
        Err(Told::Over(failure)) => Err(failure),
        Err(Told::Nothing(why)) if session.claims.is_empty() => Err(why),
        Err(Told::Nothing(why)) => {
            let note = format!(
                "the server tells nothing now ({}); this is what it said at sign-in",
                why.message
            );
            Ok(told(&cx, &session.claims, "id_token").with_note(note))
        }
    }
}

/// Why the server did not say who it is.
enum Told {
    /// It could not, or would not.
    Nothing(Failure),
    /// The sign-in is over.
    Over(Failure),
}

/// OpenID Connect Core §5.3.
async fn userinfo(cx: &Cx, session: &Session) -> Result<Map<String, Value>, Told> {
    let access = refresh::access(cx, &Purpose::default()).await.map_err(|failure| {
        if failure.exit == Exit::Refused { Told::Over(failure) } else { Told::Nothing(failure) }
    })?;
    let server = cx.discover().await.map_err(Told::Nothing)?;
    let endpoint = needed(&server.userinfo_endpoint, "userinfo endpoint");
    let endpoint = endpoint.map_err(Told::Nothing)?;
    let answered = cx.http.get(endpoint, Some(&access.token)).await;
    let answered = answered.map_err(|unanswered| Told::Nothing(unanswered.into()))?;
    let Value::Object(claims) = answered.body else {
        let message = format!("userinfo answered with status {}", answered.status);
        return Err(Told::Nothing(Failure::new(Exit::Failed, message)));
    };
    if answered.status != 200 {
        let refused = Failure::refused(answered.status, &Value::Object(claims));
        return Err(Told::Nothing(refused));
    }
    // §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub
    // Claim in the ID Token; if they do not match, the UserInfo Response values MUST NOT be used."
    match session.claims.get("sub") {
        Some(sub) if claims.get("sub") != Some(sub) => {
            let message = "userinfo is about somebody else";
            Err(Told::Nothing(Failure::new(Exit::Refused, message)))
        }
        Some(_) | None => Ok(claims),
    }
}

fn told(cx: &Cx, claims: &Map<String, Value>, source: &str) -> Output {
    let word = |name: &str| claims.get(name).and_then(Value::as_str).map(plain).unwrap_or_default();
    let text = fields(&[
        ("issuer", cx.issuer.to_string()),
        ("username", word("preferred_username")),
        ("name", word("name")),
        ("email", word("email")),
        ("sub", word("sub")),
    ]);
    let mut json = claims.clone();
    json.insert("issuer".to_owned(), cx.issuer.as_str().into());
    json.insert("source".to_owned(), source.into());
    Output::new(text, Value::Object(json))
}
