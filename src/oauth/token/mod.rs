//! The token request: [RFC 6749 §4.1.3, §4.4.2 and §6](https://www.rfc-editor.org/rfc/rfc6749),
//! and [RFC 8628 §3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4).

pub mod device;
pub mod hook;

use crate::error::Refusal;
use crate::oauth::client::GrantType;
use crate::oauth::params::Params;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::secret::{AuthorizationCode, DeviceCode, RefreshToken};
use hook::{HOOK_AUDIENCE, PluginId};

/// A request to the token endpoint.
pub enum TokenRequest {
    /// RFC 6749 §4.1.3.
    AuthorizationCode(CodeRequest),
    /// RFC 6749 §4.4.2.
    ClientCredentials(ClientCredentialsRequest),
    /// RFC 8628 §3.4.
    DeviceCode(DeviceCodeRequest),
    /// RFC 6749 §6.
    RefreshToken(RefreshRequest),
}

/// The parameters of an authorization code grant.
pub struct CodeRequest {
    /// The code.
    pub code: AuthorizationCode,
    /// The `redirect_uri` of the authorization request, if it had one.
    pub redirect_uri: Option<String>,
    /// The verifier for the challenge of the authorization request.
    pub code_verifier: Option<CodeVerifier>,
    /// The resources that the access token is for (RFC 8707 §2.2).
    pub resources: Vec<Resource>,
}

/// The parameters of a client credentials grant.
pub struct ClientCredentialsRequest {
    /// Whether a hook token is requested (`audience=hook`).
    pub hook: bool,
    /// The plugin that a hook token is for.
    pub plugin_id: Option<PluginId>,
    /// The resources that the access token is for.
    pub resources: Vec<Resource>,
    /// The scope, if the request names one.
    pub scope: Option<Scope>,
}

/// The parameters of a device code grant.
pub struct DeviceCodeRequest {
    /// The code.
    pub device_code: DeviceCode,
    /// The resources that the access token is for.
    pub resources: Vec<Resource>,
}

/// The parameters of a refresh.
pub struct RefreshRequest {
    /// The token.
    pub refresh_token: RefreshToken,
    /// The resources that the access token is for.
    pub resources: Vec<Resource>,
    /// A narrower scope for this access token only.
    pub scope: Option<Scope>,
}

impl TokenRequest {
    /// Parses the form of a request.
    ///
    /// A malformed code or token is refused as an unknown one.
    pub fn parse(form: &Params) -> Result<Self, Refusal> {
        let grant_type = form.parsed::<GrantType>("grant_type")?;
        let resources = form.many("resource").map(str::parse).collect::<Result<_, _>>()?;
        Ok(match grant_type.ok_or(Refusal::GrantTypeMissing)? {
            GrantType::AuthorizationCode => {
                let code = form.one("code")?.ok_or(Refusal::CodeMissing)?;
                Self::AuthorizationCode(CodeRequest {
                    code: code.parse().map_err(|_| Refusal::CodeUnknown)?,
                    redirect_uri: form.one("redirect_uri")?.map(str::to_owned),
                    code_verifier: form.parsed("code_verifier")?,
                    resources,
                })
            }
            GrantType::ClientCredentials => Self::ClientCredentials(ClientCredentialsRequest {
                hook: form.one("audience")? == Some(HOOK_AUDIENCE),
                plugin_id: form.parsed("plugin_id")?,
                resources,
                scope: form.parsed("scope")?,
            }),
            GrantType::DeviceCode => {
                let code = form.one("device_code")?.ok_or(Refusal::DeviceCodeMissing)?;
                Self::DeviceCode(DeviceCodeRequest {
                    device_code: code.parse().map_err(|_| Refusal::DeviceCodeUnknown)?,
                    resources,
                })
            }
            GrantType::RefreshToken => {
                let token = form.one("refresh_token")?.ok_or(Refusal::RefreshMissing)?;
                Self::RefreshToken(RefreshRequest {
                    refresh_token: token.parse().map_err(|_| Refusal::RefreshUnknown)?,
                    resources,
                    scope: form.parsed("scope")?,
                })
            }
        })
    }

    /// The grant type of the request.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::RefreshToken(_) => GrantType::RefreshToken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(form: &str) -> Option<Refusal> {
        TokenRequest::parse(&Params::parse(form.as_bytes()).unwrap()).err()
    }

    #[test]
    fn each_fault_of_a_token_request_has_its_own_refusal() {
        use Refusal::*;
        for (form, refusal) in [
            ("", GrantTypeMissing),
            ("grant_type=password", GrantTypeUnsupported),
            ("grant_type=authorization_code", CodeMissing),
            ("grant_type=authorization_code&code=x", CodeUnknown),
            (
                "grant_type=authorization_code&code=gl_ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code_verifier=x",
                CodeVerifierMalformed,
            ),
            ("grant_type=urn:ietf:params:oauth:grant-type:device_code", DeviceCodeMissing),
            (
                "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=x",
                DeviceCodeUnknown,
            ),
            ("grant_type=refresh_token", RefreshMissing),
            ("grant_type=refresh_token&refresh_token=x", RefreshUnknown),
            ("grant_type=client_credentials&scope=%22", ScopeMalformed),
            (
                "grant_type=client_credentials&grant_type=client_credentials",
                ParameterRepeated("grant_type"),
            ),
        ] {
            assert_eq!(refused(form), Some(refusal), "{form}");
        }
    }
}
