//! The `claims` parameter: [OpenID Connect Core
//! §5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter).

use serde::{Deserialize, Serialize};

/// Which claims a request asks for by name, beyond those that its scopes ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// The `acr` values of which one has to be met, where `acr` is essential.
    pub acr: Vec<String>,
    /// The names that are asked for in the ID token.
    pub id_token: Vec<String>,
    /// The `sub` that has to be signed in.
    pub sub: Option<String>,
    /// The names that are asked for at the userinfo endpoint.
    pub userinfo: Vec<String>,
}
