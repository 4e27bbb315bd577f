//! The logout request: [OpenID Connect RP-Initiated Logout
//! §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).

use crate::error::Refusal;
use crate::oauth::id::ClientId;
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::state::State;

/// A logout request of a client (§2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutRequest {
    /// The client.
    pub client_id: Option<ClientId>,
    /// An ID token of the person.
    pub id_token_hint: Option<String>,
    /// The redirect URI after the logout. If it is malformed, the logout goes on without it.
    pub post_logout_redirect_uri: Option<Result<RedirectUri, Refusal>>,
    /// The state that the redirect returns.
    pub state: Option<State>,
}

impl LogoutRequest {
    /// Parses a request.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        Ok(Self {
            client_id: params.parsed("client_id")?,
            id_token_hint: params.one("id_token_hint")?.map(str::to_owned),
            post_logout_redirect_uri: params.one("post_logout_redirect_uri")?.map(str::parse),
            state: State::parse(params)?,
        })
    }
}

/// Proof that a browser may be redirected to a URI after logout: the client registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLogout {
    host: String,
    url: String,
}

impl PostLogout {
    /// The redirect, if `requested` is exactly one of `registered`.
    ///
    /// §3: "The URI MUST have been previously registered with the OP". A loopback port must match
    /// too, since no listener on a free port waits for a response.
    pub fn prove(
        registered: &[RedirectUri],
        requested: &RedirectUri,
        state: Option<&State>,
    ) -> Result<Self, Refusal> {
        if !registered.contains(requested) {
            return Err(Refusal::PostLogoutUriUnregistered);
        }
        let host = requested.host();
        let url = match state {
            None => requested.as_str().to_owned(),
            Some(state) => requested.with_query(&state.parameter()),
        };
        Ok(Self { host, url })
    }

    /// The host, for display.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The URL of the redirect.
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

        let home = PostLogout::prove(&registered, &registered[0], Some(&"a b".into())).unwrap();

        assert_eq!(home.url(), "http://localhost:3000/bye?state=a%20b");
        assert_eq!(
            PostLogout::prove(&registered, &other, None),
            Err(Refusal::PostLogoutUriUnregistered)
        );
    }
}
