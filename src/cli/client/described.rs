//! The arguments that `client add` and `client set` share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::{Map, Value};

use crate::cli::input::{bytes, text as text_of};
use crate::cli::output::{Exit, Failure};
use crate::oauth::client::{
    AssertionProfile, AuthMethod, ClaimsPlace, GrantType, PkcePolicy, RefreshPolicy, SigningAlg,
};
use crate::private_file::without_newline;

/// The settings of a client, except its name and its type.
#[derive(Debug, Default, Args)]
pub(super) struct Described {
    /// Where sign-in may return to, compared exactly but for the port of a loopback address;
    /// repeat it for more
    #[arg(long, value_name = "URI")]
    redirect: Vec<String>,
    /// Where sign-out may return to; repeat it for more
    #[arg(long, value_name = "URI")]
    post_logout: Vec<String>,
    /// Where it is told that somebody signed out
    #[arg(long, value_name = "URI")]
    back_channel_logout: Option<String>,
    /// What it is told then has to name the session
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    back_channel_logout_session: Option<bool>,
    /// Its home page, which people open from their account page
    #[arg(long, value_name = "URI")]
    home: Option<String>,
    /// Where it starts a sign-in by itself, which people open instead of its home page
    #[arg(long, value_name = "URI")]
    initiate_login: Option<String>,
    /// An image that the pages show beside its name: PNG, WebP or JPEG, at most 16 KiB; a file or, with
    /// -, standard input
    #[arg(long, value_name = "FILE")]
    logo: Option<String>,
    /// Somebody who is responsible for it, an e-mail address by custom; repeat it for more
    #[arg(long)]
    contact: Vec<String>,
    /// A grant it may use; repeat it for more
    #[arg(long, value_parser = grants())]
    grant: Vec<String>,
    /// A scope it may ask for; repeat it for more
    #[arg(long)]
    scope: Vec<String>,
    /// A registered resource it may ask tokens for, by its URI or its name; repeat it for more
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// A group whose people may use it; repeat it for more. Without one everybody may
    #[arg(long)]
    group: Vec<String>,
    /// How it proves who it is at the token endpoint
    #[arg(long, value_name = "METHOD", value_parser = values(AuthMethod::ALL, AuthMethod::as_str))]
    auth: Option<String>,
    /// The rules for the JWTs it proves itself by: the present ones, or those that older libraries
    /// keep
    #[arg(long, value_name = "RFC", value_parser = values(AssertionProfile::ALL, AssertionProfile::as_str))]
    assertions: Option<String>,
    /// A secret of your own choice, in a file or, with -, on standard input
    #[arg(long, value_name = "FILE")]
    secret_file: Option<String>,
    /// The public keys it signs with, a JWK Set in a file or, with -, on standard input
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks: Option<String>,
    /// Where it publishes those keys
    #[arg(long, value_name = "URI")]
    jwks_uri: Option<String>,
    /// It runs on its person's own machine
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    native: Option<bool>,
    /// It is the operator's own, and people are not asked for consent
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    first_party: Option<bool>,
    /// It gets no visible confirmation where any local program could pretend to be it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_confirmation: Option<bool>,
    /// It may open sessions of nobody in particular at /oauth/session
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    anonymous: Option<bool>,
    /// It may introspect every token
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    introspect_any: Option<bool>,
    /// It must push its authorization requests
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_par: Option<bool>,
    /// Whether it must use PKCE, may send a nonce instead, or may send neither but a state; default
    /// is what the configuration says
    #[arg(long, value_parser = pkce())]
    pkce: Option<String>,
    /// Whether a refresh token that returns just after its use is answered, or ends the grant
    #[arg(long, value_parser = values(RefreshPolicy::ALL, RefreshPolicy::as_str))]
    refresh: Option<String>,
    /// People have names of their own towards it and all others of this sector, a host name
    #[arg(long, value_name = "SECTOR")]
    pairwise: Option<String>,
    /// How long its access tokens last, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = number_or_nothing)]
    access_token_lifetime: Option<Value>,
    /// Where the claims are that its scopes request: in the ID token, too, or at userinfo alone
    #[arg(long, value_name = "PLACE", value_parser = values(ClaimsPlace::ALL, ClaimsPlace::as_str))]
    claims: Option<String>,
    /// How old a sign-in may be where its requests say nothing, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = number_or_nothing)]
    default_max_age: Option<Value>,
    /// The algorithm that signs its ID tokens
    #[arg(long, value_name = "ALG", value_parser = values(SigningAlg::ALL, SigningAlg::as_str))]
    id_token_alg: Option<String>,
    /// The algorithm that signs its userinfo answers; unsigned where nothing is said
    #[arg(long, value_name = "ALG", value_parser = values_or_nothing(SigningAlg::ALL, SigningAlg::as_str))]
    userinfo_alg: Option<String>,
    /// The algorithm that signs introspection answers where it asks for signed ones
    #[arg(long, value_name = "ALG", value_parser = values_or_nothing(SigningAlg::ALL, SigningAlg::as_str))]
    introspection_alg: Option<String>,
}

/// A parser of the values `all`, which the help lists and shell completion offers.
fn values<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> PossibleValuesParser {
    all.iter().copied().map(word).collect::<Vec<_>>().into()
}

/// A parser of grant types. It accepts the last part of a URN for the whole URN.
fn grants() -> impl TypedValueParser<Value = String> {
    let short = |word: &'static str| word.rsplit(':').next().unwrap_or(word);
    let text = move |word| PossibleValue::new(short(word)).alias(word);
    let all = GrantType::ALL.iter().map(|grant| grant.as_str());
    let whole = move |said: String| {
        let meant = GrantType::ALL.iter().find(|grant| short(grant.as_str()) == said);
        meant.map_or(said, |grant| grant.as_str().to_owned())
    };
    PossibleValuesParser::new(all.map(text)).map(whole)
}

/// The value that takes the client's own PKCE policy away.
const DEFAULT: &str = "default";

/// A parser of PKCE policies. An empty value is [`DEFAULT`].
fn pkce() -> impl TypedValueParser<Value = String> {
    let own = PkcePolicy::ALL.iter().map(|policy| PossibleValue::new(policy.as_str()));
    let default = PossibleValue::new(DEFAULT).alias("");
    let whole = |said: String| if said.is_empty() { DEFAULT.to_owned() } else { said };
    PossibleValuesParser::new(own.chain([default])).map(whole)
}

/// As [`values`], or an empty value.
fn values_or_nothing<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> PossibleValuesParser {
    all.iter().copied().map(word).chain([""]).collect::<Vec<_>>().into()
}

fn number_or_nothing(written: &str) -> Result<Value, std::num::ParseIntError> {
    if written.is_empty() { Ok(Value::Null) } else { written.parse::<u32>().map(Value::from) }
}

impl Described {
    /// The members that the arguments name. An empty value is null, which removes the setting.
    pub(super) fn members(self) -> Result<Map<String, Value>, Failure> {
        let text = |text: String| if text.is_empty() { Value::Null } else { text.into() };
        let list = |mut items: Vec<String>| {
            let given = !items.is_empty();
            items.retain(|item| !item.is_empty());
            given.then(|| Value::from(items))
        };
        let scope = (!self.scope.is_empty()).then(|| self.scope.join(" "));
        let secret = self.secret_file.as_deref().map(text_of).transpose()?;
        let secret = secret.map(|read| without_newline(&read).to_owned());
        let native = self.native.map(|native| if native { "native" } else { "web" });
        let pairwise = self.pairwise.map(text);
        let subject_type = pairwise.as_ref().map(|sector| match sector {
            Value::Null => Value::Null,
            _ => "pairwise".into(),
        });
        let logo = self.logo.as_deref().map(image).transpose()?;
        let (jwks, jwks_uri) = keys(self.jwks.as_deref(), self.jwks_uri)?;
        let members = [
            ("redirect_uris", list(self.redirect)),
            ("post_logout_redirect_uris", list(self.post_logout)),
            ("backchannel_logout_uri", self.back_channel_logout.map(text)),
            (
                "backchannel_logout_session_required",
                self.back_channel_logout_session.map(Value::from),
            ),
            ("client_uri", self.home.map(text)),
            ("initiate_login_uri", self.initiate_login.map(text)),
            ("logo", logo),
            ("contacts", list(self.contact)),
            ("grant_types", list(self.grant)),
            ("scope", scope.map(Value::from)),
            ("resources", list(self.resource)),
            ("groups", list(self.group)),
            ("token_endpoint_auth_method", self.auth.map(Value::from)),
            ("assertions", self.assertions.map(Value::from)),
            ("client_secret", secret.map(Value::from)),
            ("jwks", jwks),
            ("jwks_uri", jwks_uri),
            ("application_type", native.map(Value::from)),
            ("first_party", self.first_party.map(Value::from)),
            ("confirmation_waived", self.no_confirmation.map(Value::from)),
            ("anonymous", self.anonymous.map(Value::from)),
            ("introspect_any", self.introspect_any.map(Value::from)),
            ("require_pushed_authorization_requests", self.require_par.map(Value::from)),
            ("pkce", self.pkce.map(|pkce| if pkce == DEFAULT { Value::Null } else { pkce.into() })),
            ("refresh", self.refresh.map(Value::from)),
            ("subject_type", subject_type),
            ("sector", pairwise),
            ("access_token_lifetime", self.access_token_lifetime),
            ("claims", self.claims.map(Value::from)),
            ("default_max_age", self.default_max_age),
            ("id_token_signed_response_alg", self.id_token_alg.map(Value::from)),
            ("userinfo_signed_response_alg", self.userinfo_alg.map(text)),
            ("introspection_signed_response_alg", self.introspection_alg.map(text)),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(given.collect())
    }
}

/// The members `jwks` and `jwks_uri`. A value of one removes the other; an empty value removes only
/// its own member.
fn keys(
    jwks: Option<&str>,
    jwks_uri: Option<String>,
) -> Result<(Option<Value>, Option<Value>), Failure> {
    let null = || Some(Value::Null);
    match (jwks, jwks_uri) {
        (Some(""), _) => Ok((null(), None)),
        (Some(file), _) => Ok((Some(document(file)?), null())),
        (None, Some(uri)) if uri.is_empty() => Ok((None, null())),
        (None, Some(uri)) => Ok((null(), Some(uri.into()))),
        (None, None) => Ok((None, None)),
    }
}

/// The most bytes of an image that is worth sending: the server says what it takes.
const MAX_IMAGE: u64 = 32 * 1024;

/// An image of a file in base64. An empty value removes the image.
fn image(file: &str) -> Result<Value, Failure> {
    if file.is_empty() {
        Ok(Value::Null)
    } else {
        Ok(STANDARD.encode(bytes(file, MAX_IMAGE)?).into())
    }
}

/// Reads the JSON of a file, or of standard input if `file` is `-`.
pub(super) fn document(file: &str) -> Result<Value, Failure> {
    serde_json::from_str(&text_of(file)?)
        .map_err(|_| Failure::new(Exit::Usage, format!("{file} holds no JSON")))
}
