//! Fuzz targets: one total function for each, with the properties of a parser for any bytes.
//!
//! Each parses the bytes and asserts properties of the result; a panic is a finding. `fuzz/` runs
//! them under libFuzzer, one line for each target, and `tests/corpus` replays every committed input
//! on stable. If a target needs two inputs, they are the first two lines.

mod device;
mod endpoint;
mod forward;
mod registration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::error::{ErrorCode, Refusal};
use crate::oauth::authorize::pushed::{self, PushedParameters};
use crate::oauth::authorize::{AuthorizeRequest, Callback, RedirectParameters};
use crate::oauth::claims::{AccessClaims, IdClaims, grant_of};
use crate::oauth::client::ClientType;
use crate::oauth::id::{ClientId, GrantId, KeyId, UserId};
use crate::oauth::issuer::Issuer;
use crate::oauth::jwt::Compact;
use crate::oauth::logout::{LogoutRequest, PostLogout};
use crate::oauth::params::{Params, form_decode, form_encode};
use crate::oauth::pkce::{CodeChallenge, CodeVerifier};
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::oauth::state::State;
use crate::secret::{
    AnonymousPurpose, AppCodePurpose, AppPurpose, AppStartPurpose, BrowserPurpose,
    ClientSecretPurpose, CodePurpose, DevicePurpose, InvitationPurpose, NotAToken, Purpose,
    PushedPurpose, RefreshToken, RegistrationPurpose, RootSecret, SessionPurpose, SetupPurpose,
    Token,
};

pub use device::{device_facts, device_request, user_code};
pub use endpoint::{anonymous_request, basic_header, token_request};
pub use forward::forward_auth;
pub use registration::client_metadata;

/// Every target, by the name of its binary and its corpus.
#[expect(clippy::type_complexity, reason = "a name, and what runs under it")]
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("anonymous_request", anonymous_request),
    ("authorize", authorize),
    ("basic_header", basic_header),
    ("client_metadata", client_metadata),
    ("device_facts", device_facts),
    ("device_request", device_request),
    ("forward_auth", forward_auth),
    ("issuer", issuer),
    ("jwt", jwt),
    ("logout", logout),
    ("opaque_token", opaque_token),
    ("params", params),
    ("pkce", pkce),
    ("redirect_uri", redirect_uri),
    ("scope", scope),
    ("token_request", token_request),
    ("user_code", user_code),
];

const BOTH: [ClientType; 2] = [ClientType::Confidential, ClientType::Public];

/// An authorization request: the response goes to the redirect URI of the request, and returns its
/// state.
pub fn authorize(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    if let Ok(Some(pushed)) = PushedParameters::parse(&params) {
        assert_eq!(params.one("client_id"), Ok(Some(pushed.client_id.as_str())));
        let uri = pushed::request_uri(&pushed.reference);
        assert_eq!(params.one("request_uri"), Ok(Some(uri.as_str())));
        assert_eq!(
            pushed::parse(&pushed.client_id, &params).err(),
            Some(Refusal::RequestUriPushed)
        );
    }
    if let Ok(parameters) = RedirectParameters::parse(&params) {
        assert_eq!(params.one("client_id"), Ok(Some(parameters.client_id.as_str())));
        let uris: Vec<RedirectUri> = parameters.redirect_uri.clone().into_iter().collect();
        for client in BOTH {
            let state = parameters.state.clone().unwrap_or_default();
            let proven = Callback::prove(&uris, client, uris.first(), state);
            assert_eq!(proven.is_ok(), !uris.is_empty());
            assert_eq!(parameters.prove(&uris, client).is_ok(), !uris.is_empty());
            if let Ok(callback) = proven {
                response_goes_to_callback(&callback);
                response_goes_to_callback(
                    &callback.in_mode(parameters.response_mode.unwrap_or_default()),
                );
            }
        }
    }
    let Ok(request) = AuthorizeRequest::parse(&params) else { return };
    for refused in ["request", "request_uri"] {
        assert_eq!(params.one(refused), Ok(None));
    }
    assert_eq!(params.one("response_type"), Ok(Some("code")));
    assert_eq!(params.one("nonce"), Ok(request.nonce.as_deref()));
    assert_eq!(params.one("login_hint"), Ok(request.login_hint.as_deref()));
    assert!(params.many("resource").eq(request.resources.iter().map(Resource::as_str)));
    assert!(!(request.prompt.none && (request.prompt.login || request.prompt.consent)));
    if request.code_challenge.is_some() {
        assert_eq!(params.one("code_challenge_method"), Ok(Some("S256")));
    }
    survives_json(&request);
}

/// A response is the redirect URI followed only by the parameters of the response.
fn response_goes_to_callback(callback: &Callback) {
    const ISSUER: &str = "https://id.example";
    let uri = callback.uri().as_str();
    let error = ErrorCode::AccessDenied;
    for (response, name, value) in [
        (callback.with_code("gl_ac_x", Some(ISSUER)), "code", "gl_ac_x"),
        (callback.with_error(error, "It failed.", Some(ISSUER)), "error", error.as_str()),
    ] {
        let own = match response.form() {
            Some(fields) => {
                assert_eq!(response.url(), uri);
                let pairs = fields.iter().map(|(name, value)| (*name, value.as_str()));
                Params::parse(form_encode(pairs).as_bytes()).expect("an answer is a form")
            }
            None => goes_to(response.url(), uri),
        };
        assert_eq!(own.one(name), Ok(Some(value)));
        assert_eq!(own.one("state"), Ok(callback.state().map(State::text)));
        assert_eq!(own.one("iss"), Ok(Some(ISSUER)));
    }
}

/// The parameters that `location` adds to `uri`, which it must not change.
fn goes_to(location: &str, uri: &str) -> Params {
    assert!(location.bytes().all(|b| b.is_ascii_graphic()), "{location:?} is no header value");
    let added = location.strip_prefix(uri).expect("an answer begins with its redirect URI");
    assert_eq!(added.starts_with('?'), !added.is_empty() && !uri.contains('?'));
    assert!(added.is_empty() || added.starts_with(['?', '&']) || uri.ends_with(['?', '&']));
    let read = |s| Url::parse(s).expect("a redirect URI, and an answer to it, is a URL");
    let (mut there, mut asked) = (read(location), read(uri));
    there.set_query(None);
    asked.set_query(None);
    assert_eq!(there, asked, "the answer goes elsewhere");
    Params::parse(added.trim_start_matches(['?', '&']).as_bytes())
        .expect("what is added is a form within the limits of its parts")
}

/// An issuer: an origin in its canonical spelling, safe to serve.
pub fn issuer(bytes: &[u8]) {
    if let Some(port) = bytes.first_chunk() {
        let local = Issuer::localhost(u16::from_le_bytes(*port));
        assert_eq!(local.as_str().parse().as_ref(), Ok(&local));
    }
    let Some(text) = text(bytes) else { return };
    let Ok(issuer) = text.parse::<Issuer>() else { return };
    assert_eq!(issuer.as_str(), text);
    assert!(issuer.is_https() || issuer.is_loopback());
    assert_eq!(
        text,
        format!("http{}://{}", if issuer.is_https() { "s" } else { "" }, issuer.authority())
    );
    let url = Url::parse(&issuer.at("/oauth/authorize")).expect("an issuer is an origin");
    assert_eq!(url.host_str(), Some(issuer.host()));
    assert!(!issuer.host().ends_with('.') && !issuer.host().contains(['*', '_', '@']));
    assert_eq!(url.port_or_known_default(), Some(issuer.port()));
    assert_eq!((url.path(), url.query(), url.fragment()), ("/oauth/authorize", None, None));
    assert!(url.username().is_empty() && url.password().is_none());
    survives_json(&issuer);
}

/// A JWT from the bytes themselves, and one from a header (the first line) and a payload (the
/// rest).
pub fn jwt(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    compact(text);
    if let Some((header, payload)) = text.split_once('\n') {
        let encode = |part| URL_SAFE_NO_PAD.encode(part);
        compact(&format!("{}.{}.AAAA", encode(header), encode(payload)));
    }
}

/// A header as another parser reads it, which also refuses a duplicate member.
#[derive(Deserialize)]
struct OtherHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    b64: Option<Value>,
    crit: Option<Value>,
}

/// An accepted token has one spelling, one algorithm and no extension.
fn compact(token: &str) {
    let Ok(compact) = Compact::parse(token) else { return };
    assert!(token.len() <= 16 * 1024);
    assert_eq!(format!("{}.{}", compact.signing_input(), compact.signature()), token);
    let signature = URL_SAFE_NO_PAD.decode(compact.signature());
    assert!(signature.is_ok_and(|signature| !signature.is_empty()));

    let (header, payload) = compact.signing_input().split_once('.').expect("two parts are signed");
    assert_eq!(URL_SAFE_NO_PAD.encode(compact.payload()), payload);
    let header = URL_SAFE_NO_PAD.decode(header).expect("the header is base64url");
    let read: OtherHeader = serde_json::from_slice(&header).expect("no member stands twice");
    assert_eq!(read.alg, compact.header().alg.as_str());
    assert_eq!(read.kid.as_deref(), compact.header().kid.as_ref().map(KeyId::as_str));
    assert_eq!(read.typ, compact.header().typ);
    assert_eq!((read.b64, read.crit), (None, None));

    if let Ok(claims) = compact.claims::<AccessClaims>() {
        survives_json(&claims);
        if let Some(grant) = grant_of(&claims.jti) {
            assert!(claims.jti.starts_with(&format!("{grant}.")));
        }
    }
    if let Ok(claims) = compact.claims::<IdClaims>() {
        survives_json(&claims);
    }
}

/// A logout request: the redirect is the requested one.
pub fn logout(bytes: &[u8]) {
    let Ok(params) = Params::parse(bytes) else { return };
    let Ok(request) = LogoutRequest::parse(&params) else { return };
    assert_eq!(params.one("client_id"), Ok(request.client_id.as_ref().map(ClientId::as_str)));
    assert_eq!(params.one("id_token_hint"), Ok(request.id_token_hint.as_deref()));
    let state = request.state.as_ref();
    assert_eq!(params.one("state"), Ok(state.map(State::text)));
    let Some(Ok(uri)) = request.post_logout_redirect_uri else { return };
    assert_eq!(PostLogout::prove(&[], &uri, state), Err(Refusal::PostLogoutUriUnregistered));
    let home = PostLogout::prove(std::slice::from_ref(&uri), &uri, state);
    let home = home.expect("what is registered is admitted");
    assert_eq!(goes_to(home.url(), uri.as_str()).one("state"), Ok(state.map(State::text)));
}

/// Tokens, the root secret and ids: one spelling each, and a token of one kind is no token of
/// another.
pub fn opaque_token(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        let kinds = [
            token::<AnonymousPurpose>(text),
            token::<AppCodePurpose>(text),
            token::<AppPurpose>(text),
            token::<AppStartPurpose>(text),
            token::<CodePurpose>(text),
            token::<BrowserPurpose>(text),
            token::<ClientSecretPurpose>(text),
            token::<DevicePurpose>(text),
            token::<InvitationPurpose>(text),
            token::<PushedPurpose>(text),
            token::<RegistrationPurpose>(text),
            token::<SessionPurpose>(text),
            token::<SetupPurpose>(text),
        ];
        let refresh = text.parse::<RefreshToken>().ok();
        assert!(refresh.as_ref().is_none_or(|token| *token.expose() == text));
        let kinds = kinds.into_iter().chain([refresh.is_some()]);
        assert!(kinds.filter(|is| *is).count() <= 1);
        if let Ok(root) = text.parse::<RootSecret>() {
            assert_eq!(*root.expose(), text.trim().to_ascii_lowercase());
        }
        if let Ok(id) = text.parse::<UserId>() {
            assert_eq!(id.to_string(), text);
        }
    }
    if let Some(random) = bytes.first_chunk::<32>() {
        assert!(token::<SessionPurpose>(&format!("gl_ss_{}", URL_SAFE_NO_PAD.encode(random))));
    }
    if let Some(random) = bytes.first_chunk::<57>() {
        let token = format!("gl_rt_{}", URL_SAFE_NO_PAD.encode(random)).parse::<RefreshToken>();
        let grant = token.ok().map(|token| token.grant().into_bytes());
        assert_eq!(grant.as_ref().map(<[u8; 16]>::as_slice), random.get(1..17));
    }
    if let Some(random) = bytes.first_chunk::<16>() {
        let id = GrantId::from(Uuid::from_bytes(*random));
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}

/// Whether `text` is a token of one kind. If so, it is printed as it was read.
fn token<P: Purpose>(text: &str) -> bool {
    match text.parse::<Token<P>>() {
        Ok(token) => {
            assert_eq!(*token.expose(), text);
            true
        }
        Err(NotAToken) => false,
    }
}

/// Parameters: within their limits, and equal after they are encoded and parsed again.
pub fn params(bytes: &[u8]) {
    let params = match Params::parse(bytes) {
        Ok(params) => params,
        Err(refusal) => {
            use Refusal::{ParameterMalformed, ParameterTooLong, ParametersTooMany};
            let known =
                matches!(refusal, ParameterMalformed | ParameterTooLong(_) | ParametersTooMany);
            assert!(known);
            return;
        }
    };
    let pairs: Vec<(String, String)> = text(bytes)
        .expect("the whole was decoded")
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let equals = pair.find('=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(equals);
            let decoded = |part| form_decode(part).expect("the whole was decoded");
            (decoded(name), decoded(value.strip_prefix('=').unwrap_or_default()))
        })
        .collect();
    assert!(pairs.len() <= 100);
    for (name, value) in &pairs {
        assert!(name.len() <= 8 * 1024 && value.len() <= 16 * 1024);
        let of_name = || pairs.iter().filter(|(other, _)| other == name);
        let expected = match of_name().count() {
            1 => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            _ => Err(()),
        };
        assert_eq!(params.one(name).map_err(drop), expected);
        let values = of_name().map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
        assert!(params.many(name).eq(values));
    }
    let written = form_encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let again = Params::parse(written.as_bytes()).expect("what was written is read");
    for (name, _) in &pairs {
        assert_eq!(again.one(name), params.one(name));
        assert!(again.many(name).eq(params.many(name)));
        assert_eq!(again.with_plus(name), None);
        if let Some(with_plus) = params.with_plus(name) {
            let first = pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value);
            assert!(with_plus.contains('+'));
            assert_eq!(form_decode(with_plus).as_ref().ok(), first);
        }
    }
}

/// Two verifiers, or a verifier and a challenge: only its own verifier meets a challenge.
pub fn pkce(bytes: &[u8]) {
    let Some((one, other)) = text(bytes).map(two_lines) else { return };
    for text in [one, other] {
        if let Ok(challenge) = text.parse::<CodeChallenge>() {
            let hash: [u8; 32] = reread(&challenge);
            assert_eq!(URL_SAFE_NO_PAD.encode(hash), text);
            survives_json(&challenge);
        }
    }
    let Ok(verifier) = one.parse::<CodeVerifier>() else { return };
    assert!((43..=128).contains(&one.len()));
    let challenge = verifier.challenge();
    assert!(challenge.is_met_by(&verifier));
    // The same except the last character.
    let (rest, last) = one.split_at(one.len() - 1);
    let neighbour = format!("{rest}{}", if last == "A" { "B" } else { "A" });
    let neighbour = neighbour.parse::<CodeVerifier>().expect("A and B are unreserved");
    assert!(!challenge.is_met_by(&neighbour));
    if let Ok(another) = other.parse::<CodeVerifier>() {
        assert_eq!(challenge.is_met_by(&another), one == other);
    }
    if let Ok(asked) = other.parse::<CodeChallenge>() {
        assert_eq!(asked.is_met_by(&verifier), asked == challenge);
    }
}

/// A registered redirect URI and a requested one: an admitted one differs at most in a loopback
/// port, and in the `/` of an empty path there.
pub fn redirect_uri(bytes: &[u8]) {
    let Some((registered, requested)) = text(bytes).map(two_lines) else { return };
    let (registered, requested) = (redirect(registered), redirect(requested));
    let (Some(registered), Some(requested)) = (registered, requested) else { return };
    for client in BOTH {
        let same = registered.as_str() == requested.as_str();
        let port_aside = match (portless(&registered), portless(&requested)) {
            (Some((own, own_port)), Some((other, port))) => {
                let is_free = client == ClientType::Public || own_port.is_empty();
                own == other && (is_free || own_port == port)
            }
            (Some(_) | None, Some(_) | None) => false,
        };
        assert_eq!(registered.admits(&requested, client), same || port_aside);
    }
    if registered.admits(&requested, ClientType::Public) {
        let read = |uri: &RedirectUri| {
            let mut url = Url::parse(uri.as_str()).expect("a redirect URI is a URL");
            if portless(uri).is_some() {
                url.set_port(None).expect("a loopback URI has a host");
            }
            url
        };
        assert_eq!(read(&registered), read(&requested), "a browser goes elsewhere");
        assert_eq!(registered.lasting_host(), requested.lasting_host());
    }
}

/// The redirect URI of `text`, which a browser must read the same way.
fn redirect(text: &str) -> Option<RedirectUri> {
    let uri = text.parse::<RedirectUri>().ok()?;
    assert_eq!(uri.as_str(), text);
    assert!(BOTH.iter().all(|client| uri.admits(&uri, *client)));
    survives_json(&uri);
    let url = Url::parse(text).expect("a redirect URI is a URL");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let (_, rest) = text.split_once(':').expect("a URI has a scheme");
    let authority = rest.strip_prefix("//").unwrap_or_default().split(['/', '?']).next();
    assert!(!authority.unwrap_or_default().contains('@'), "some reader sees a user name");
    match uri.kind() {
        Kind::Https { .. } => {
            assert_eq!(url.scheme(), "https");
            assert_eq!(url.origin().ascii_serialization(), format!("https://{}", uri.host()));
            assert_eq!(uri.check_scheme(&[]), Ok(()));
        }
        Kind::Loopback { .. } => {
            assert_eq!(url.scheme(), "http");
            assert!(["127.0.0.1", "[::1]", "localhost"].contains(&uri.lasting_host().as_str()));
            assert_eq!(url.host_str(), Some(uri.lasting_host().as_str()));
            let (_, port) = portless(&uri).expect("it is a loopback URI");
            assert!(
                port.is_empty() || port.parse::<u16>().is_ok_and(|read| read.to_string() == port)
            );
            assert!(!url.path().to_ascii_lowercase().starts_with("/gate/"));
            assert_eq!(uri.check_scheme(&[]), Ok(()));
        }
        Kind::PrivateUse { scheme } => {
            assert_eq!(url.scheme(), scheme);
            assert!(!["http", "https", "javascript", "data", "file"].contains(&scheme.as_str()));
            assert_eq!(uri.check_scheme(std::slice::from_ref(scheme)), Ok(()));
        }
    }
    Some(uri)
}

/// A loopback URI without its port and with `/` for an empty path, and the port, found independently of the
/// parser.
fn portless(uri: &RedirectUri) -> Option<(String, &str)> {
    let Kind::Loopback { .. } = uri.kind() else { return None };
    let after = uri.as_str().strip_prefix("http://")?;
    let (authority, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
    let root = if rest.starts_with('/') { "" } else { "/" };
    let host = authority.trim_end_matches(|c: char| c.is_ascii_digit());
    match host.strip_suffix(':') {
        Some(host) => Some((format!("{host}{root}{rest}"), authority.rsplit(':').next()?)),
        None => Some((format!("{authority}{root}{rest}"), "")),
    }
}

/// Two scopes: equal after they are printed and parsed again, and never widened by an intersection.
pub fn scope(bytes: &[u8]) {
    let Some((one, other)) = text(bytes).map(two_lines) else { return };
    let (Ok(one), Ok(other)) = (one.parse::<Scope>(), other.parse::<Scope>()) else { return };
    for scope in [&one, &other] {
        let written = scope.to_string();
        assert_eq!(written.parse().as_ref(), Ok(scope));
        assert!(!written.contains(['"', '\\']) && !written.contains("  "));
        assert_eq!(written.is_empty(), scope.is_empty());
        assert!(scope.iter().all(|token| scope.has(token.as_str())));
        survives_json(scope);
    }
    let both = one.intersect(&other);
    let rest = one.minus(&other);
    let all = one.union(&other);
    assert!(both.within(&one) && both.within(&other) && rest.within(&one));
    assert!(one.within(&all) && other.within(&all));
    assert!(rest.intersect(&other).is_empty());
    assert_eq!(both.union(&rest), one);
    assert_eq!(one.within(&other), rest.is_empty());
    assert_eq!(both, other.intersect(&one));
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The first and the second line, or the only line twice.
fn two_lines(text: &str) -> (&str, &str) {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    (first, lines.next().unwrap_or(first))
}

fn survives_json<T: Serialize + DeserializeOwned + PartialEq>(value: &T) {
    let read: T = reread(value);
    assert!(read == *value, "JSON does not bring it back");
}

fn reread<T: DeserializeOwned>(value: &impl Serialize) -> T {
    let written = serde_json::to_vec(value).expect("plain data has a JSON form");
    serde_json::from_slice(&written).expect("what was written is read")
}
