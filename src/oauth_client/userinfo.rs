//! The userinfo endpoint: [OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo).

use serde_json::{Map, Value};

use super::discovery::needed;
use super::token_store::{Session, TokenPurpose};
use super::{Error, ErrorKind, OauthClient, refresh};

/// The error of a userinfo request.
pub(crate) enum UserinfoError {
    /// The server could not be asked, or its response cannot be used.
    Unavailable(Error),
    /// The sign-in has ended.
    SignInExpired(Error),
}

/// Fetches the person's present claims.
pub(crate) async fn fetch(
    client: &OauthClient,
    session: &Session,
) -> Result<Map<String, Value>, UserinfoError> {
    let access = refresh::access(client, &TokenPurpose::default()).await.map_err(|failure| {
        if failure.kind == ErrorKind::Refused {
            UserinfoError::SignInExpired(failure)
        } else {
            UserinfoError::Unavailable(failure)
        }
    })?;
    let server = client.discover().await.map_err(UserinfoError::Unavailable)?;
    let endpoint = needed(&server.userinfo_endpoint, "userinfo endpoint");
    let endpoint = endpoint.map_err(UserinfoError::Unavailable)?;
    let response = client.http.get(endpoint, Some(&access.token)).await;
    let response =
        response.map_err(|no_response| UserinfoError::Unavailable(no_response.into()))?;
    let Value::Object(claims) = response.body else {
        let message = format!("userinfo answered with status {}", response.status);
        return Err(UserinfoError::Unavailable(Error::new(ErrorKind::Failed, message)));
    };
    if response.status != 200 {
        let refused = Error::refused(response.status, &Value::Object(claims));
        return Err(UserinfoError::Unavailable(refused));
    }
    // §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub
    // Claim in the ID Token; if they do not match, the UserInfo Response values MUST NOT be used."
    match session.claims.get("sub") {
        Some(sub) if claims.get("sub") != Some(sub) => {
            let message = "userinfo is about somebody else";
            Err(UserinfoError::Unavailable(Error::new(ErrorKind::Refused, message)))
        }
        Some(_) | None => Ok(claims),
    }
}
