//! The authorization request: [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1)
//! and [OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
//!
//! It is parsed in two stages, since an error may be redirected only once the client and its
//! redirect URI are proven: first the [`RedirectParameters`], which prove a [`Callback`], then the
//! [`AuthorizeRequest`].

pub mod claims;
pub mod pushed;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, Refusal};
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::client::ClientType;
use crate::oauth::id::ClientId;
use crate::oauth::params::{Params, form_encode};
use crate::oauth::pkce::{self, CodeChallenge};
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::oauth::state::State;

/// The parameters that decide the destination of the response.
///
/// A fault in `response_mode` or `state` is redirected to the client, so it is stored until the
/// callback is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectParameters {
    /// The `client_id`.
    pub client_id: ClientId,
    /// Whether the `scope` has `openid`, so that the request has to name its redirect URI.
    pub openid: bool,
    /// The `redirect_uri`, if the request names one.
    pub redirect_uri: Option<RedirectUri>,
    /// The `response_mode`.
    pub response_mode: Result<ResponseMode, Refusal>,
    /// The `state`, which the response returns byte for byte.
    pub state: Result<Option<State>, Refusal>,
}

impl RedirectParameters {
    /// Parses the parameters of a request to the authorization endpoint.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let client_id = params.parsed("client_id")?.ok_or(Refusal::ClientIdMissing)?;
        Self::of_client(client_id, params)
    }

    /// Parses the parameters of a request of `client_id`, which is known from elsewhere.
    pub fn of_client(client_id: ClientId, params: &Params) -> Result<Self, Refusal> {
        Ok(Self {
            client_id,
            openid: params.many("scope").any(|scope| scope.split(' ').any(|own| own == "openid")),
            redirect_uri: params.parsed("redirect_uri")?,
            response_mode: ResponseMode::parse(params),
            state: State::parse(params),
        })
    }

    /// The callback, if it is one of `registered`. A faulty `response_mode` counts as the default
    /// one, a faulty `state` as absent.
    pub fn prove(
        &self,
        registered: &[RedirectUri],
        client: ClientType,
    ) -> Result<Callback, Refusal> {
        // OpenID Connect Core §3.1.2.1: redirect_uri is "REQUIRED".
        if self.redirect_uri.is_none() && self.openid {
            return Err(Refusal::RedirectUriMissingForOpenid);
        }
        let state = self.state.clone().unwrap_or_default();
        let callback = Callback::prove(registered, client, self.redirect_uri.as_ref(), state)?;
        Ok(callback.in_mode(self.response_mode.unwrap_or_default()))
    }

    /// Refuses a faulty `state` or `response_mode`, and a mode that cannot reach `callback`.
    pub fn check(&self, callback: &Callback) -> Result<(), Refusal> {
        self.state.as_ref().map_err(|refusal| *refusal)?;
        if self.response_mode? == callback.mode() {
            Ok(())
        } else {
            Err(Refusal::ResponseModeUnsupported)
        }
    }
}

/// Proof that the response to a request may go to a redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    mode: ResponseMode,
    uri: RedirectUri,
    state: Option<State>,
}

impl Callback {
    /// The callback of a request, if the client registered it.
    ///
    /// RFC 6749 §3.1.2.3: a request may omit `redirect_uri` if exactly one is registered.
    pub fn prove(
        registered: &[RedirectUri],
        client: ClientType,
        requested: Option<&RedirectUri>,
        state: Option<State>,
    ) -> Result<Self, Refusal> {
        let uri = match (requested, registered) {
            (Some(requested), _) => {
                let admitted = registered.iter().any(|own| own.admits(requested, client));
                if !admitted {
                    return Err(Refusal::RedirectUriUnregistered);
                }
                requested.clone()
            }
            (None, [only]) => only.clone(),
            (None, _) => return Err(Refusal::RedirectUriMissing),
        };
        Ok(Self { mode: ResponseMode::Query, uri, state })
    }

    /// The same callback with the response in `mode`, if it can have that mode: a browser can pass
    /// only a URI, and no form, to the program of a private-use scheme.
    #[must_use]
    pub fn in_mode(self, mode: ResponseMode) -> Self {
        let mode = match self.uri.kind() {
            Kind::Https { .. } | Kind::Loopback { .. } => mode,
            Kind::PrivateUse { .. } => ResponseMode::Query,
        };
        Self { mode, ..self }
    }

    /// The response mode.
    pub fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// The redirect URI.
    pub fn uri(&self) -> &RedirectUri {
        &self.uri
    }

    /// The `state` of the request.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// The response with `code` (RFC 6749 §4.1.2) and `iss` (RFC 9207 §2).
    pub fn with_code(&self, code: &str, iss: Option<&str>) -> AuthorizationResponse {
        self.with(&[("code", code)], iss)
    }

    /// The response with an error, its `error_description` (RFC 6749 §4.1.2.1) and `iss` (RFC 9207 §2).
    pub fn with_error(
        &self,
        code: ErrorCode,
        sentence: &str,
        iss: Option<&str>,
    ) -> AuthorizationResponse {
        self.with(&[("error", code.as_str()), ("error_description", sentence)], iss)
    }

    fn with(&self, response: &[(&'static str, &str)], iss: Option<&str>) -> AuthorizationResponse {
        let iss = iss.map(|iss| ("iss", iss));
        let (form, url) = match self.mode {
            ResponseMode::FormPost => {
                let state = self.state().map(|state| ("state", state.text()));
                let fields = response.iter().copied().chain(state).chain(iss);
                let fields = fields.map(|(name, value)| (name, value.to_owned()));
                (Some(fields.collect()), self.uri.as_str().to_owned())
            }
            ResponseMode::Query => {
                let response = form_encode(response.iter().copied());
                let more = self.state().map(State::parameter);
                let iss = iss.map(|iss| form_encode([iss]));
                let query: Vec<String> = std::iter::once(response).chain(more).chain(iss).collect();
                (None, self.uri.with_query(&query.join("&")))
            }
        };
        AuthorizationResponse { form, host: self.uri.host(), url }
    }
}

/// An authorization response (RFC 6749 §4.1.2). It is made only from a [`Callback`].
pub struct AuthorizationResponse {
    form: Option<Vec<(&'static str, String)>>,
    host: String,
    url: String,
}

impl AuthorizationResponse {
    /// The fields of the form that the browser posts (Form Post Response Mode §2), if a form carries
    /// the response.
    pub fn form(&self) -> Option<&[(&'static str, String)]> {
        self.form.as_deref()
    }

    /// The host of the redirect URI, for display.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The redirect URI, with the response in its query unless a form carries it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// `prompt` (OpenID Connect Core §3.1.2.1, and `create` of Initiating User Registration §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// No page may be displayed.
    pub none: bool,
    /// The person has to sign in again: `login`; also `select_account`, since the person chooses an
    /// account in the browser's passkey dialog; and `create`, which ends with a sign-in.
    pub login: bool,
    /// The person has to be asked for consent again.
    pub consent: bool,
    /// The person is to be shown how to make an account.
    pub create: bool,
}

impl Prompt {
    fn parse(value: &str) -> Result<Self, Refusal> {
        let mut prompt = Self::default();
        for word in value.split(' ').filter(|word| !word.is_empty()) {
            match word {
                "consent" => prompt.consent = true,
                "create" => (prompt.create, prompt.login) = (true, true),
                "login" | "select_account" => prompt.login = true,
                "none" => prompt.none = true,
                _ => return Err(Refusal::PromptUnknown),
            }
        }
        if prompt.none && (prompt.login || prompt.consent) {
            return Err(Refusal::PromptContradictory);
        }
        Ok(prompt)
    }
}

/// `response_mode` (OAuth 2.0 Multiple Response Type Encoding Practices §2.1, Form Post Response
/// Mode §2): how a response reaches the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    /// A form that the browser posts.
    FormPost,
    /// The query of the redirect URI.
    #[default]
    Query,
}

impl ResponseMode {
    /// All modes.
    pub const ALL: &[Self] = &[Self::FormPost, Self::Query];

    /// The value of the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FormPost => "form_post",
            Self::Query => "query",
        }
    }

    /// The mode of a request; the default of `response_type=code` is the query.
    fn parse(params: &Params) -> Result<Self, Refusal> {
        let Some(word) = params.one("response_mode")? else { return Ok(Self::Query) };
        let known = Self::ALL.iter().copied().find(|mode| mode.as_str() == word);
        known.ok_or(Refusal::ResponseModeUnsupported)
    }
}

/// The other parameters of an authorization request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// The requested `acr` values in order of preference; none is essential.
    pub acr_values: Vec<String>,
    /// The claims that are requested by name.
    pub claims: ClaimsRequest,
    /// The challenge that the code's redemption must meet.
    pub code_challenge: Option<CodeChallenge>,
    /// The name of the expected person.
    pub login_hint: Option<String>,
    /// The maximum age of the sign-in, in seconds.
    pub max_age: Option<u32>,
    /// The `nonce`, which the ID token returns.
    pub nonce: Option<String>,
    /// The `prompt`.
    pub prompt: Prompt,
    /// The resources that the tokens are for (RFC 8707 §2).
    pub resources: Vec<Resource>,
    /// The scope, if the request names one.
    pub scope: Option<Scope>,
    /// The languages of the person in order of preference.
    pub ui_locales: Vec<String>,
}

impl AuthorizeRequest {
    /// Parses the parameters.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        if params.one("request")?.is_some() {
            return Err(Refusal::RequestObjectUnsupported);
        }
        if params.one("request_uri")?.is_some() {
            return Err(Refusal::RequestUriUnsupported);
        }
        match params.one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(Refusal::ResponseTypeUnsupported),
            None => return Err(Refusal::ResponseTypeMissing),
        }
        let method = params.one("code_challenge_method")?;
        let code_challenge = match (params.one("code_challenge")?, method) {
            (Some(challenge), method) => {
                pkce::require_s256(method)?;
                Some(challenge.parse()?)
            }
            (None, Some(_)) => return Err(Refusal::CodeChallengeMissing),
            (None, None) => None,
        };
        let text = |name| params.one(name).map(|value| value.map(str::to_owned));
        let values = |name| {
            params.one(name).map(|value| {
                let values = value.unwrap_or_default().split(' ').filter(|word| !word.is_empty());
                values.map(str::to_owned).collect()
            })
        };
        Ok(Self {
            acr_values: values("acr_values")?,
            claims: params.parsed::<ClaimsRequest>("claims")?.unwrap_or_default(),
            code_challenge,
            login_hint: text("login_hint")?,
            max_age: params.one("max_age")?.map(seconds).transpose()?,
            nonce: text("nonce")?,
            prompt: Prompt::parse(params.one("prompt")?.unwrap_or_default())?,
            resources: params.many("resource").map(str::parse).collect::<Result<_, _>>()?,
            scope: params.parsed("scope")?,
            ui_locales: values("ui_locales")?,
        })
    }
}

/// The `id_token_hint`: an ID token of the expected person. It is verified when the request arrives,
/// and is no part of the request that is stored.
pub fn id_token_hint(params: &Params) -> Result<Option<&str>, Refusal> {
    params.one("id_token_hint")
}

/// Parses a number of seconds, which has only digits: the parser of `u32` also accepts a sign.
fn seconds(s: &str) -> Result<u32, Refusal> {
    let digits = s.bytes().all(|b| b.is_ascii_digit());
    s.parse().ok().filter(|_| digits).ok_or(Refusal::MaxAgeMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "response_type=code&client_id=shop\
        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn request(more: &str) -> Result<AuthorizeRequest, Refusal> {
        AuthorizeRequest::parse(&Params::parse(format!("{GOOD}&{more}").as_bytes()).unwrap())
    }

    #[test]
    fn an_answer_keeps_the_query_of_its_redirect_uri() {
        for (uri, expected) in [
            (
                "https://a.example/cb",
                "https://a.example/cb?code=c&state=s%20%26&iss=http%3A%2F%2Flocalhost%3A7455",
            ),
            (
                "https://a.example/cb?x=1",
                "https://a.example/cb?x=1&code=c&state=s%20%26&iss=http%3A%2F%2Flocalhost%3A7455",
            ),
            (
                "https://a.example/cb?",
                "https://a.example/cb?code=c&state=s%20%26&iss=http%3A%2F%2Flocalhost%3A7455",
            ),
        ] {
            let registered = [uri.parse().unwrap()];
            let callback =
                Callback::prove(&registered, ClientType::Public, None, Some("s &".into())).unwrap();

            let response = callback.with_code("c", Some("http://localhost:7455"));
            assert_eq!((response.url(), response.form()), (expected, None));
        }
    }

    #[test]
    fn a_form_goes_to_the_redirect_uri_itself_and_never_to_a_program() {
        let registered: [RedirectUri; 2] =
            ["https://a.example/cb?x=1", "com.example.app:/cb"].map(|uri| uri.parse().unwrap());
        let posted = |uri| {
            let proven = Callback::prove(&registered, ClientType::Public, Some(uri), None);
            proven.unwrap().in_mode(ResponseMode::FormPost)
        };

        let response = posted(&registered[0]).with_code("c", None);
        assert_eq!(response.url(), "https://a.example/cb?x=1");
        assert_eq!(response.form(), Some([("code", "c".to_owned())].as_slice()));
        assert_eq!(posted(&registered[1]).mode(), ResponseMode::Query);
    }

    #[test]
    fn a_callback_is_proven_or_there_is_none() {
        let registered: Vec<RedirectUri> =
            ["https://a.example/1", "https://a.example/2"].map(|uri| uri.parse().unwrap()).into();
        let other: RedirectUri = "https://b.example/1".parse().unwrap();
        let prove = |requested| Callback::prove(&registered, ClientType::Public, requested, None);

        assert_eq!(prove(Some(&other)), Err(Refusal::RedirectUriUnregistered));
        assert_eq!(prove(None), Err(Refusal::RedirectUriMissing));
        assert!(prove(registered.first()).is_ok());
    }

    #[test]
    fn a_faulty_state_or_mode_is_refused_once_the_callback_is_proven() {
        use Refusal::*;
        let registered: [RedirectUri; 1] = ["com.example.app:/cb".parse().unwrap()];
        for (query, expected) in [
            ("", Ok(())),
            ("state=1&response_mode=query", Ok(())),
            ("state=1&state=2", Err(ParameterRepeated("state"))),
            ("response_mode=fragment", Err(ResponseModeUnsupported)),
            ("response_mode=form_post", Err(ResponseModeUnsupported)),
        ] {
            let params = Params::parse(format!("client_id=shop&{query}").as_bytes()).unwrap();
            let parameters = RedirectParameters::parse(&params).unwrap();

            let callback = parameters.prove(&registered, ClientType::Public).unwrap();

            assert_eq!(callback.mode(), ResponseMode::Query, "{query}");
            assert_eq!(parameters.check(&callback), expected, "{query}");
        }
    }

    #[test]
    fn each_fault_of_a_request_has_its_own_refusal() {
        use Refusal::*;
        for (more, refusal) in [
            ("request=x", RequestObjectUnsupported),
            ("request_uri=x", RequestUriUnsupported),
            ("prompt=none%20login", PromptContradictory),
            ("prompt=magic", PromptUnknown),
            ("max_age=-1", MaxAgeMalformed),
            ("max_age=%2B5", MaxAgeMalformed),
            ("scope=%22", ScopeMalformed),
        ] {
            assert_eq!(request(more), Err(refusal), "{more}");
        }
        assert!(request("scope=openid&unknown=1&unknown=2").is_ok());
    }

    #[test]
    fn pkce_is_s256_or_nothing() {
        let without =
            |query: &str| AuthorizeRequest::parse(&Params::parse(query.as_bytes()).unwrap());
        let challenge = "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

        assert_eq!(
            without(&format!("response_type=code&{challenge}")),
            Err(Refusal::CodeChallengeMethodUnsupported)
        );
        assert_eq!(
            without("response_type=code&code_challenge_method=S256"),
            Err(Refusal::CodeChallengeMissing)
        );
        assert_eq!(without("response_type=token"), Err(Refusal::ResponseTypeUnsupported));
        assert_eq!(without("scope=a"), Err(Refusal::ResponseTypeMissing));
    }
}
