//! Signing in on another device: [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628).

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::cli::output::{Exit, Failure, plain};
use crate::cli::token_store::Opaque;

use super::http::Http;
use super::token::{self, Tokens, Trouble};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// §3.5: "If no value is provided, clients MUST use 5 as the default", and by as much "slow_down"
/// makes it longer.
const STEP: Duration = Duration::from_secs(5);

/// Whatever a server says, somebody still waits.
const LONGEST: Duration = Duration::from_mins(10);

/// What the server tells a device (§3.2).
#[derive(Deserialize)]
pub(super) struct Authorization {
    device_code: Opaque,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

/// Begins.
pub(super) async fn begin(
    http: &Http,
    endpoint: &Url,
    pairs: &[(&str, &str)],
) -> Result<Authorization, Trouble> {
    let answered = http.post_form(endpoint, pairs).await.map_err(Trouble::Unanswered)?;
    if answered.status != 200 {
        return Err(token::refusal(&answered));
    }
    serde_json::from_value(answered.body)
        .map_err(|_| Trouble::Unclear("the server's answer holds no device code"))
}

impl Authorization {
    /// What the person is to do.
    pub(super) fn told(&self) -> String {
        let (code, uri) = (plain(&self.user_code), plain(&self.verification_uri));
        let minutes = self.expires_in.div_ceil(60);
        let link = match &self.verification_uri_complete {
            Some(complete) => format!("\nor open {}\nand compare the code", plain(complete)),
            None => String::new(),
        };
        format!(
            "Open {uri} on any device, and type\n\n  {code}\n{link}\nWaiting, {minutes} minutes at most …"
        )
    }

    /// Asks until the person has decided (§3.4).
    pub(super) async fn wait(
        &self,
        http: &Http,
        endpoint: &Url,
        client_id: &str,
    ) -> Result<Tokens, Failure> {
        let pairs = [
            ("grant_type", GRANT),
            ("device_code", self.device_code.expose()),
            ("client_id", client_id),
        ];
        let polled = async {
            let mut interval = self.interval.map_or(STEP, Duration::from_secs).min(LONGEST);
            loop {
                sleep(interval).await;
                match token::ask(http, endpoint, &pairs).await {
                    Ok(tokens) => return Ok(tokens),
                    Err(trouble) => interval = next(trouble, interval)?,
                }
            }
        };
        let whole = Duration::from_secs(self.expires_in);
        timeout(whole, polled).await.unwrap_or_else(|_| Err(expired()))
    }
}

fn expired() -> Failure {
    Failure::new(Exit::Refused, "the code has expired, and nobody typed it; begin again")
}

/// How long to wait until the next poll, if there is to be one (§3.5).
fn next(trouble: Trouble, interval: Duration) -> Result<Duration, Failure> {
    if trouble.is("authorization_pending") {
        return Ok(interval);
    }
    // "the interval MUST be increased by 5 seconds for this and all subsequent requests."
    if trouble.is("slow_down") {
        return Ok(interval + STEP);
    }
    if trouble.is("access_denied") {
        return Err(Failure::new(Exit::Refused, "the sign-in was refused in the browser"));
    }
    if trouble.is("expired_token") {
        return Err(expired());
    }
    match trouble {
        // "On encountering a connection timeout, clients MUST unilaterally reduce their polling
        // frequency before retrying."
        Trouble::Unanswered(_) => Ok(interval * 2),
        Trouble::Refused { .. } | Trouble::Unclear(_) => Err(trouble.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(error: &str) -> Trouble {
        Trouble::Refused { error: error.to_owned(), description: None }
    }

    /// RFC 8628 §3.5
    #[test]
    fn the_interval_is_the_servers_and_grows_when_it_says_so() {
        assert_eq!(next(refused("authorization_pending"), STEP).unwrap(), STEP);
        assert_eq!(next(refused("slow_down"), STEP).unwrap(), Duration::from_secs(10));
        for end in ["access_denied", "expired_token", "invalid_grant"] {
            assert_eq!(next(refused(end), STEP).unwrap_err().exit, Exit::Refused, "{end}");
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

        let told = authorization.told();

        assert!(told.contains("\n  WDJB-MJHT\n") && told.contains("?user_code=WDJB-MJHT"));
        assert!(told.contains("30 minutes") && !told.contains('d'.to_string().repeat(2).as_str()));
    }
}
