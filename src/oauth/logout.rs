//! The logout request: [OpenID Connect RP-Initiated Logout
//! §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).

use crate::error::Refusal;
use crate::oauth::id::ClientId;
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::RedirectUri;

/// What a relying party asks when it sends a browser to be signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The client that asks.
    pub client_id: Option<ClientId>,
    /// An ID token of the person to be signed out.
    pub id_token_hint: Option<String>,
    /// Where the browser is to go afterwards.
    pub post_logout_redirect_uri: Option<RedirectUri>,
    /// What is to be carried back.
    pub state: Option<String>,
}

impl LogoutRequest {
    /// The request that `params` make.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let text = |name| params.one(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            client_id: params.parsed("client_id")?,
            id_token_hint: text("id_token_hint")?,
            post_logout_redirect_uri: params.parsed("post_logout_redirect_uri")?,
            state: text("state")?,
        })
    }
}

/// Proof that a browser may be sent to a URI after logout: the client registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLogout {
    host: String,
    url: String,
}

impl PostLogout {
    /// The redirect, if `requested` equals one of `registered` exactly.
    ///
    /// §3: "The URI MUST have been previously registered with the OP"; loopback ports are exact
    /// here, since nothing waits there for an answer.
    pub fn prove(
        registered: &[RedirectUri],
        requested: &RedirectUri,
        state: Option<&str>,
    ) -> Result<Self, Refusal> {
        if !registered.contains(requested) {
            return Err(Refusal::PostLogoutUriUnregistered);
        }
        let host = requested.host();
        let url = match state {
            None => requested.as_str().to_owned(),
            Some(state) => requested.with_query([("state", state)]),
        };
        Ok(Self { host, url })
    }

    /// Where that is, for people.
    pub fn host(&self) -> String {
        self.host.clone()
    }

    /// The URL to go to.
    pub fn url(&self) -> &str {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_home_is_registered_to_the_letter() {
        let registered: [RedirectUri; 1] = ["http://localhost:3000/bye".parse().unwrap()];
        let other: RedirectUri = "http://localhost:3001/bye".parse().unwrap();

        let home = PostLogout::prove(&registered, &registered[0], Some("a b")).unwrap();

        assert_eq!(home.url(), "http://localhost:3000/bye?state=a%20b");
        assert_eq!(
            PostLogout::prove(&registered, &other, None),
            Err(Refusal::PostLogoutUriUnregistered)
        );
    }
}
