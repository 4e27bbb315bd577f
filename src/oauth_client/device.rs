//! Sign-in with another device: [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628).

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::oauth_client::opaque::Opaque;
use crate::oauth_client::{Error, ErrorKind, printable};

use super::http::Http;
use super::token::{self, TokenError, Tokens};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The default interval, and its increase by `slow_down`. §3.5: "If no value is provided, clients
/// MUST use 5 as the default".
const SLOW_DOWN_STEP: Duration = Duration::from_secs(5);

/// The longest interval, whatever the server requests: a person waits for the result.
const MAX_INTERVAL: Duration = Duration::from_mins(10);

/// The device authorization response (§3.2).
#[derive(Deserialize)]
pub(crate) struct Authorization {
    device_code: Opaque,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

/// Requests a device code and a user code (§3.1).
pub(crate) async fn start(
    http: &Http,
    endpoint: &Url,
    pairs: &[(&str, &str)],
) -> Result<Authorization, TokenError> {
    let response = http.post_form(endpoint, pairs).await.map_err(TokenError::NoResponse)?;
    if response.status != 200 {
        return Err(token::refusal(&response));
    }
    serde_json::from_value(response.body)
        .map_err(|_| TokenError::Unclear("the server's answer holds no device code"))
}

impl Authorization {
    /// The instructions for the person.
    pub(crate) fn prompt(&self) -> String {
        let (code, uri) = (printable(&self.user_code), printable(&self.verification_uri));
        let minutes = self.expires_in.div_ceil(60);
        let link = match &self.verification_uri_complete {
            Some(complete) => format!("\nor open {}\nand compare the code", printable(complete)),
            None => String::new(),
        };
        format!(
            "Open {uri} on any device, and type\n\n  {code}\n{link}\nWaiting, {minutes} minutes at most …"
        )
    }

    /// Polls until the person has decided (§3.4).
    pub(crate) async fn wait(
        &self,
        http: &Http,
        endpoint: &Url,
        client_id: &str,
    ) -> Result<Tokens, Error> {
        let pairs = [
            ("grant_type", GRANT),
            ("device_code", self.device_code.expose()),
            ("client_id", client_id),
        ];
        let polled = async {
            let mut interval =
                self.interval.map_or(SLOW_DOWN_STEP, Duration::from_secs).min(MAX_INTERVAL);
            loop {
                sleep(interval).await;
                match token::ask(http, endpoint, &pairs).await {
                    Ok(tokens) => return Ok(tokens),
                    Err(error) => interval = next(error, interval)?,
                }
            }
        };
        let whole = Duration::from_secs(self.expires_in);
        timeout(whole, polled).await.unwrap_or_else(|_| Err(expired()))
    }
}

fn expired() -> Error {
    Error::new(ErrorKind::Refused, "the code has expired, and nobody typed it; begin again")
}

/// The time until the next poll after `error` (§3.5). An error that ends the sign-in is returned.
fn next(error: TokenError, interval: Duration) -> Result<Duration, Error> {
    if error.is("authorization_pending") {
        return Ok(interval);
    }
    // "the interval MUST be increased by 5 seconds for this and all subsequent requests."
    if error.is("slow_down") {
        return Ok(interval + SLOW_DOWN_STEP);
    }
    if error.is("access_denied") {
        return Err(Error::new(ErrorKind::Refused, "the sign-in was refused in the browser"));
    }
    if error.is("expired_token") {
        return Err(expired());
    }
    match error {
        // "On encountering a connection timeout, clients MUST unilaterally reduce their polling
        // frequency before retrying."
        TokenError::NoResponse(_) => Ok(interval * 2),
        TokenError::Refused { .. } | TokenError::Unclear(_) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(error: &str) -> TokenError {
        TokenError::Refused { error: error.to_owned(), description: None }
    }

    /// RFC 8628 §3.5
    #[test]
    fn the_interval_is_the_servers_and_grows_when_it_says_so() {
        assert_eq!(next(refused("authorization_pending"), SLOW_DOWN_STEP).unwrap(), SLOW_DOWN_STEP);
        assert_eq!(next(refused("slow_down"), SLOW_DOWN_STEP).unwrap(), Duration::from_secs(10));
        for end in ["access_denied", "expired_token", "invalid_grant"] {
            assert_eq!(
                next(refused(end), SLOW_DOWN_STEP).unwrap_err().kind,
                ErrorKind::Refused,
                "{end}"
            );
        }
    }

    #[test]
    fn the_person_is_told_what_to_do() {
        let authorization: Authorization = serde_json::from_value(json!({
            "device_code": "d", "user_code": "WDJB-MJHT", "expires_in": 1800,
            "verification_uri": "https://example.com/device",
            "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
        }))
        .unwrap();

        let prompt = authorization.prompt();

        assert!(prompt.contains("\n  WDJB-MJHT\n") && prompt.contains("?user_code=WDJB-MJHT"));
        assert!(
            prompt.contains("30 minutes") && !prompt.contains('d'.to_string().repeat(2).as_str())
        );
    }
}
