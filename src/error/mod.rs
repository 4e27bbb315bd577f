//! Errors: the reason of a failure, and its form on the wire.
//!
//! A [`Refusal`] is this project's own and precise reason, for the log and for tests. An
//! [`ErrorCode`] is the RFC's code, for the peer. Each refusal is one line of a table, with its
//! code and its reason, so that none is unmapped and nothing is written twice.

#![warn(clippy::wildcard_enum_match_arm)]

mod code;

use std::fmt;
use std::time::Duration;

pub use code::ErrorCode;

/// The failure of a transition or a handler.
#[derive(Debug)]
pub enum Error {
    /// A fault of this server. The wire gets only `server_error`.
    Internal(Internal),
    /// Too many attempts: this long nothing is tried. It is [`Refusal::AttemptsTooMany`] with the
    /// pause for `Retry-After`.
    Paused(Duration),
    /// A refused request. The wire gets the refusal's [`ErrorCode`].
    Refused(Refusal),
}

impl Error {
    /// The refusal; `None` for a fault of this server.
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Internal(_) => None,
            Self::Paused(_) => Some(Refusal::AttemptsTooMany),
            Self::Refused(refusal) => Some(*refusal),
        }
    }

    /// The code on the wire.
    pub fn code(&self) -> ErrorCode {
        self.refusal().map_or(ErrorCode::ServerError, Refusal::code)
    }

    /// The value of `Retry-After` (RFC 6585 §4, RFC 9110 §10.2.3): whole seconds, after which it may
    /// be tried again.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Paused(pause) => {
                let seconds = pause.as_millis().div_ceil(1000).max(1);
                Some(u64::try_from(seconds).unwrap_or(u64::MAX))
            }
            // A disk may have space at any time.
            Self::Refused(Refusal::StoreUnwritable) => Some(10),
            Self::Internal(_) | Self::Refused(_) => {
                matches!(self.code().status(), 429 | 503).then_some(60)
            }
        }
    }
}

/// An internal failure, as a sentence for the log.
#[derive(Debug)]
pub struct Internal(String);

impl Internal {
    /// Makes a failure. `what` describes it and contains no secret.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Internal> for Error {
    fn from(internal: Internal) -> Self {
        Self::Internal(internal)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal(internal) => internal.fmt(f),
            Self::Paused(_) => f.write_str(Refusal::AttemptsTooMany.reason()),
            Self::Refused(refusal) => f.write_str(refusal.reason()),
        }
    }
}

macro_rules! refusals {
    ($($name:ident => $code:ident, $reason:literal;)*) => {
        /// The precise reason why a request is refused. It is logged and displayed to people, and
        /// never sent to OAuth peers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Refusal {
            $(#[doc = $reason] $name,)*
        }

        impl Refusal {
            /// Every refusal, for the test that causes each.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code on the wire.
            pub const fn code(self) -> ErrorCode {
                match self { $(Self::$name => ErrorCode::$code,)* }
            }

            /// The reason in a sentence, for the log and for people.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)* }
            }

            /// The name in the log.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

refusals! {
    AccessTokenLifetimeUnfit => InvalidRequest, "the access tokens of a client last from 60 seconds to one day";
    AcrUnmet => UnmetAuthenticationRequirements, "no sign-in here has the acr that the request calls essential";
    AnonymousMetadataUnfit => InvalidRequest, "the metadata of an anonymous session is no JSON object of at most 4 KiB";
    AnonymousNotAllowed => InvalidClient, "the operator has not allowed the client anonymous sessions";
    AppCodeOfAnotherBrowser => InteractionOver, "the sign-in for the application was begun in another browser";
    AppCodeUnknown => InteractionOver, "the code for the application is unknown, used, too old or for another host";
    AppProxyUnknown => AccessDenied, "only a proxy that the configuration names, or one on this machine, may ask who somebody is";
    AppRoleMissing => AccessDenied, "the person has none of the roles that the application lets in";
    AppSessionMissing => LoginRequired, "nobody is signed in at the application";
    AppUnknown => AccessDenied, "the configuration knows no application at this host";
    AttemptsTooMany => TooManyRequests, "too many attempts failed, or came, within a minute";
    AuthMethodNotRegistered => InvalidClient, "the client proved itself by a method that it did not register";
    AuthorizationHeaderMalformed => InvalidClient, "the Authorization header is not Basic credentials as RFC 6749 §2.3.1 encodes them";
    BearerTokenExpired => InvalidToken, "the access token has expired";
    BearerTokenForAnotherAudience => InvalidToken, "the access token is meant for another audience";
    BearerTokenKeyRetired => InvalidToken, "the key that signed the token has retired";
    BearerTokenMalformed => InvalidToken, "the access token is no JWT of this server";
    BearerTokenMissing => InvalidToken, "the request carries no access token";
    BearerTokenOfEndedGrant => InvalidToken, "the grant behind the access token has ended";
    BearerTokenRepeated => InvalidRequest, "the request carries an access token in two ways";
    BearerTokenRevoked => InvalidToken, "the access token was revoked";
    BearerTokenSignatureWrong => InvalidToken, "the access token was not signed by a key of this server";
    BearerTokenWithoutOpenid => InsufficientScope, "userinfo needs an access token with the scope openid";
    BodyMalformed => InvalidRequest, "the body is not of the form that this endpoint reads";
    BodyTooLarge => PayloadTooLarge, "the body is larger than this endpoint reads";
    BodyTooSlow => RequestTimeout, "the body did not arrive within its time";
    BodyTypeUnsupported => InvalidRequest, "the body is not application/x-www-form-urlencoded";
    BridgeModeOff => NotFound, "bridges do not come in this way here";
    BridgeSessionMalformed => InvalidRequest, "a bridge session is 1 to 128 letters, digits and . _ -";
    BridgeSessionOfAnother => BridgeForbidden, "the bridge session is unknown, or somebody else's";
    CeremonyExpired => CeremonyOver, "the passkey ceremony was not finished in time";
    CeremonyOfAnotherBrowser => CeremonyOver, "the passkey ceremony was begun in another browser";
    CeremonyUnknown => CeremonyOver, "the passkey ceremony is unknown or already finished";
    CertificateExists => Conflict, "this certificate is registered already";
    CertificateMalformed => InvalidRequest, "this is no X.509 certificate in PEM";
    CertificateNameForbidden => InvalidRequest, "the local CA vouches for private names and addresses, and for those of this server";
    CertificateNotFound => NotFound, "no device certificate with this fingerprint is registered";
    CertificateOver => InvalidRequest, "the certificate's time is over";
    CertificateRequestMalformed => InvalidRequest, "this is no certificate request in PEM that its key signed";
    ClaimsMalformed => InvalidRequest, "the claims parameter is no JSON object as OpenID Connect Core §5.5 writes it";
    ClientAssertionAudienceWrong => InvalidClient, "the client_assertion does not name exactly this server as its audience";
    ClientAssertionEarly => InvalidClient, "the client_assertion begins in the future";
    ClientAssertionExpired => InvalidClient, "the client_assertion has expired";
    ClientAssertionKeyUnnamed => InvalidClient, "the client has more than four keys, and the header of the client_assertion has no kid that names one";
    ClientAssertionMalformed => InvalidClient, "the client_assertion is no signed JWT with iss, sub, aud, exp and jti";
    ClientAssertionOfAnother => InvalidClient, "the client_assertion's issuer, its subject and the client_id are not one client";
    ClientAssertionReplayed => InvalidClient, "the client_assertion was used before";
    ClientAssertionSignatureWrong => InvalidClient, "the client_assertion was not signed by a key of the client";
    ClientAssertionTooLong => InvalidClient, "the client_assertion is good for more than ten minutes";
    ClientAssertionTypeUnsupported => InvalidClient, "the client_assertion_type is not jwt-bearer, or one of client_assertion and its type is missing";
    ClientAuthMissing => InvalidClient, "a confidential client sent no proof of who it is";
    ClientAuthTwice => InvalidRequest, "the request authenticates the client in two ways";
    ClientChanged => InvalidClient, "the client changed while its request was on the way";
    ClientDescribesItself => InvalidRequest, "the client describes itself, and this is not the operator's to change of it";
    ClientDisabled => InvalidClient, "the client is switched off";
    ClientExists => Conflict, "a client with this id exists already";
    ClientIdMalformed => InvalidRequest, "a client_id is 1 to 255 printable ASCII characters";
    ClientIdMissing => InvalidRequest, "the request names no client_id";
    ClientIdReserved => InvalidRequest, "a client_id neither begins with https:, bridge: or anon_ nor is a UUID";
    ClientKeysUnavailable => InvalidClient, "the client's keys could not be fetched from its jwks_uri";
    ClientKeysUnclear => InvalidClientMetadata, "a client has jwks or jwks_uri and not both, and one of them where it signs";
    ClientMetadataContradictory => InvalidRequest, "the client's settings contradict each other";
    ClientMetadataMalformed => InvalidClientMetadata, "the client metadata is no JSON object whose members are of their types and within their limits";
    ClientMetadataUnsupported => InvalidClientMetadata, "the client metadata asks for nothing that this server does";
    ClientNotConfidential => InvalidClient, "the client is public, and this endpoint is for those that prove themselves";
    ClientNotFound => NotFound, "there is no client with this id";
    ClientSecretMalformed => InvalidClient, "the client secret is not 1 to 1024 printable ASCII characters";
    ClientSecretUnfit => InvalidRequest, "a client secret is 1 to 1024 printable ASCII characters, for a client that proves itself by one";
    ClientSecretWrong => InvalidClient, "the client secret is wrong";
    ClientUnknown => InvalidClient, "there is no client with this client_id";
    ClientUnknownAtAuthorize => InvalidRequest, "no client with this client_id is registered here, or it is switched off";
    ClientUpdateMismatched => InvalidRequest, "the update names another client_id or secret, or brings what only the server sets";
    CodeChallengeMalformed => InvalidRequest, "the code_challenge is not a base64url SHA-256";
    CodeChallengeMethodUnsupported => InvalidRequest, "the code_challenge_method is not S256";
    CodeChallengeMissing => InvalidRequest, "the request has no code_challenge";
    CodeClientDiffers => InvalidGrant, "the authorization code was issued to another client";
    CodeExpired => InvalidGrant, "the authorization code has expired";
    CodeMissing => InvalidRequest, "the request has no code";
    CodeReplayed => InvalidGrant, "the authorization code was redeemed before; its grant is revoked";
    CodeUnknown => InvalidGrant, "the authorization code is unknown";
    CodeVerifierMalformed => InvalidRequest, "a code_verifier is 43 to 128 unreserved characters";
    CodeVerifierMissing => InvalidGrant, "the authorization code was issued with a code_challenge, and no code_verifier came";
    CodeVerifierUnexpected => InvalidGrant, "a code_verifier came, and the authorization code was issued without a code_challenge";
    CodeVerifierWrong => InvalidGrant, "the code_verifier does not match the code_challenge";
    ConsentNeeded => ConsentRequired, "the person has not yet consented, and prompt=none forbids to ask";
    CredentialNotOurs => PasskeyRefused, "the passkey is not known here";
    CredentialOfAnotherPerson => PasskeyRefused, "the passkey's user handle is not that of its owner";
    CredentialRefused => PasskeyRefused, "the passkey's answer did not verify";
    CredentialRegistered => PasskeyRefused, "the passkey is registered already";
    CrossSite => Forbidden, "the request did not come from a page of this server";
    CsrfTokenWrong => Forbidden, "the page's anti-forgery token is missing or stale";
    CursorMalformed => InvalidRequest, "the cursor is not one that this listing returned";
    DeviceCertificateDiffers => InvalidClient, "the fingerprint is not that of the certificate which the connection proved";
    DeviceCertificateExpired => InvalidClient, "the device's certificate has expired";
    DeviceCertificateMissing => InvalidClient, "the connection proved no certificate";
    DeviceCertificateRevoked => InvalidClient, "the device's certificate was revoked";
    DeviceCertificateUnknown => InvalidClient, "the device's certificate is registered for nobody";
    DeviceCodeClientDiffers => InvalidGrant, "the device code was issued to another client";
    DeviceCodeDenied => AuthorizationDenied, "the person denied the device";
    DeviceCodeExpired => ExpiredToken, "the device code has expired";
    DeviceCodeMissing => InvalidRequest, "the request has no device_code";
    DeviceCodePending => AuthorizationPending, "nobody has decided about the device yet";
    DeviceCodePolledTooFast => SlowDown, "the device asks more often than its interval lets it";
    DeviceCodeUnknown => InvalidGrant, "the device code is unknown or was redeemed already";
    DocumentAddressMalformed => InvalidRequest, "a client_id that is an address is https with a path, in its one spelling, without fragment, user name and dot segments";
    DocumentAddressPrivate => InvalidRequest, "the client's metadata document lies at a private or reserved address, which the operator has not listed";
    DocumentHostUnlisted => InvalidRequest, "the operator has not listed the host of the client's metadata document";
    DocumentNotJson => InvalidClientMetadata, "the client's metadata document is no JSON object, or is not sent as JSON";
    DocumentOfAnotherClient => InvalidClientMetadata, "the client_id in the client's metadata document is not its own address";
    DocumentOffline => InvalidRequest, "this server fetches no metadata documents, and nobody imported the client's";
    DocumentRedirected => InvalidRequest, "the address of the client's metadata document leads elsewhere";
    DocumentStatusWrong => InvalidRequest, "the client's metadata document was answered with another status than 200";
    DocumentTooLarge => InvalidRequest, "the client's metadata document is larger than 10 KiB";
    DocumentTooSlow => InvalidRequest, "the client's metadata document did not arrive within 5 seconds";
    DocumentUnavailable => InvalidClient, "the client's metadata document could not be had or read";
    DocumentUnreachable => InvalidRequest, "the server of the client's metadata document could not be reached securely";
    DocumentWithSecret => InvalidClientMetadata, "the client's metadata document, which everybody can read, has a secret, or a method that needs one";
    EmailMalformed => InvalidRequest, "the e-mail address has no @ or is longer than 254 characters";
    ExchangeCodeExpired => ExchangeCodeInvalid, "the exchange code has expired";
    ExchangeCodeMissing => ExchangeCodeMissing, "the request has no exchange code";
    ExchangeCodeSpent => ExchangeCodeInvalid, "the exchange code was redeemed before";
    ExchangeCodeUnknown => ExchangeCodeInvalid, "the exchange code is unknown";
    GrantEnded => InvalidGrant, "the grant has ended";
    GrantNotFound => NotFound, "there is no such grant in force";
    GrantTypeMissing => InvalidRequest, "the request has no grant_type";
    GrantTypeNotRegistered => UnauthorizedClient, "the client did not register this grant type";
    GrantTypeUnsupported => UnsupportedGrantType, "this server does not know the grant type";
    HeaderSectionTooLarge => RequestHeaderFieldsTooLarge, "the header section of the request has more than 32 KiB";
    HookAudienceForeign => InvalidTarget, "the audience hook is for hook clients alone";
    HookScopeWithoutAudience => InvalidScope, "hook scopes are had with audience=hook alone";
    HostIdUnknown => InvalidRequest, "the host is not one that is known here";
    HostSwitchedOff => HostSwitchedOff, "this installation does without that host";
    HostMalformed => InvalidRequest, "the request names no host, several hosts or a malformed one";
    HostUnknown => MisdirectedRequest, "the Host header names none of this server's names";
    IdTokenHintClientDiffers => InvalidRequest, "the id_token_hint was issued to another client";
    IdTokenHintMalformed => InvalidRequest, "the id_token_hint is no ID token of this server";
    InitialAccessTokenWrong => InvalidToken, "the initial access token is not the one that lets register clients";
    InteractionDecisionMalformed => InvalidRequest, "the decision is neither allow nor deny";
    InteractionExpired => InteractionOver, "the sign-in was not finished in time";
    InteractionOfAnotherBrowser => InteractionOver, "the sign-in was begun in another browser";
    InteractionUnknown => InteractionOver, "the sign-in is unknown or already finished";
    IssuerUnfit => InvalidRequest, "the issuer is no https URL, and no http URL of a loopback host";
    JwksMalformed => InvalidClientMetadata, "the key set is no JWK Set with a public key that can verify here, or it shows a secret one";
    LastAdministrator => Conflict, "nobody would be left to administer this server";
    LimitMalformed => InvalidRequest, "the limit of a listing is a number from 1 to 1000";
    LinkRedirectUnfit => InvalidRequest, "a device link leads to http on a loopback host with a port, and nowhere else";
    LoginNeeded => LoginRequired, "nobody fitting is signed in, and prompt=none forbids to ask";
    MaxAgeMalformed => InvalidRequest, "max_age is no number of seconds";
    MethodNotAllowed => MethodNotAllowed, "this address does not answer that method";
    ModelProtocolUnknown => InvalidRequest, "the model protocol is not one of anthropic, openai, gemini and backend";
    NameMalformed => InvalidRequest, "a name is 1 to 128 characters without control characters";
    NavigationRequired => InvalidRequest, "a script or an image of a page asked for this address, which a browser has to navigate to";
    PageNotFound => NotFound, "there is no such page";
    ParameterMalformed => InvalidRequest, "a parameter is not percent-encoded UTF-8";
    ParameterRepeated => InvalidRequest, "a parameter came more than once";
    ParameterTooLong => InvalidRequest, "a parameter is longer than its limit";
    ParametersTooMany => InvalidRequest, "the request has more than 100 parameters";
    PersonDeclined => AccessDenied, "the person declined";
    PersonDisabled => AccessDenied, "the person is switched off";
    PersonalTokenExpired => InvalidToken, "the personal access token has expired";
    PersonalTokenNotFound => NotFound, "there is no such personal access token";
    PersonalTokenRevoked => InvalidToken, "the personal access token was revoked";
    PersonalTokenUnknown => InvalidToken, "the personal access token is unknown";
    PersonalTokensTooMany => TooManyRequests, "this person has a hundred personal access tokens already";
    PluginIdMalformed => InvalidRequest, "a plugin_id is 1 to 128 letters, digits and . _ : / @ -";
    PluginIdMissing => InvalidRequest, "a hook token is for one plugin, and the request has no plugin_id";
    PostLogoutUriUnregistered => InvalidRequest, "the post_logout_redirect_uri is not registered for the client";
    PromptContradictory => InvalidRequest, "prompt=none stands beside another value";
    PromptUnknown => InvalidRequest, "prompt has a value that is not known";
    PushedRequestClientDiffers => InvalidRequestUri, "the request was pushed by another client";
    PushedRequestExpired => InvalidRequestUri, "the pushed request has expired";
    PushedRequestUnknown => InvalidRequestUri, "the pushed request is unknown or was used already";
    RedirectUriDangerous => InvalidRequest, "a redirect URI has a scheme that a browser or shell interprets";
    RedirectUriDiffers => InvalidGrant, "the redirect_uri is not that of the authorization request";
    RedirectUriHasDotSegments => InvalidRequest, "a redirect URI has . or .. in its path";
    RedirectUriHasFragment => InvalidRequest, "a redirect URI has a fragment";
    RedirectUriHasUserinfo => InvalidRequest, "a redirect URI has a user name or password";
    RedirectUriMalformed => InvalidRequest, "a redirect URI is no absolute URI in canonical form";
    RedirectUriMissing => InvalidRequest, "the request has no redirect_uri, and the client has not exactly one registered";
    RedirectUriNotHttps => InvalidRequest, "a redirect URI with http is for loopback hosts only";
    RedirectUriSchemeUnknown => InvalidRequest, "a private-use redirect scheme is a reverse domain name, or listed in the configuration";
    RedirectUriUnderGate => InvalidRequest, "a loopback redirect URI lies under /gate/, where this server's cookies go";
    RedirectUriUnregistered => InvalidRequest, "the redirect_uri is not registered for this client";
    RedirectUriWildcard => InvalidRequest, "a redirect URI has a wildcard";
    RedirectUrisUnfit => InvalidRedirectUri, "a redirect URI to be registered is malformed or dangerous, or none is left that may be registered";
    RefreshAhead => InvalidGrant, "the refresh token is newer than the store, and its grant has taken such a one before";
    RefreshClientDiffers => InvalidGrant, "the refresh token was issued to another client";
    RefreshExpired => InvalidGrant, "the refresh token has expired";
    RefreshMissing => InvalidRequest, "the request has no refresh_token";
    RefreshReplayed => InvalidGrant, "the refresh token was spent before; its grant is revoked";
    RefreshUnknown => InvalidGrant, "the refresh token is unknown, or its grant was removed";
    RegistrationAccessTokenWrong => InvalidToken, "the registration access token is not that of this client";
    RegistrationOff => AccessDenied, "clients cannot register themselves here";
    RequestNotPushed => InvalidRequest, "the client has to push its authorization requests first";
    RequestObjectUnsupported => RequestNotSupported, "this server takes no request objects";
    RequestUriPushed => InvalidRequest, "a request that is pushed has a request_uri itself";
    RequestUriUnsupported => RequestUriNotSupported, "this server takes no request_uri but its own";
    ResourceExists => Conflict, "this resource is registered already";
    ResourceMalformed => InvalidTarget, "the resource is no http or https URL without fragment and user name";
    ResourceNotFound => NotFound, "this resource is not registered";
    ResourceNotGranted => InvalidTarget, "the resource is not among those that were granted";
    ResourceServerPublic => InvalidRequest, "a public client proves nothing, and so cannot ask about tokens";
    ResourceUnknown => InvalidTarget, "the resource is not one that this server issues tokens for";
    ResponseModeUnsupported => InvalidRequest, "the response_mode is neither query nor form_post, or no form reaches the redirect URI";
    ResponseTypeMissing => InvalidRequest, "the request has no response_type";
    ResponseTypeUnsupported => UnsupportedResponseType, "the response_type is not code";
    RoleUnknown => InvalidRequest, "the configuration knows no such role";
    ScopeMalformed => InvalidScope, "the scope is not a list of scope tokens as RFC 6749 §3.3 writes them";
    ScopeNotAllowed => InvalidScope, "nothing of the scope is left after client and person";
    ScopeReserved => InvalidRequest, "the scopes admin and hook: are never open to every client";
    ScopeUnknown => InvalidRequest, "the configuration knows no such scope";
    ScopeWidened => InvalidScope, "the scope reaches beyond what was granted";
    SectorUnclear => InvalidClientMetadata, "the redirect URIs have no host in common, and no sector_identifier_uri names them all";
    SessionKeyInUse => InvalidSessionProof, "the key of the new session is that of another one";
    SessionKeyMissing => InvalidSessionProof, "a session here needs a key, and the request proved none";
    SessionNotFound => NotFound, "there is no such session that lives";
    SessionProofExpired => InvalidSessionProof, "the proof's challenge is older than a minute, or not of this process";
    SessionProofMalformed => InvalidSessionProof, "the proof of the session is malformed, or its key did not sign it";
    SessionProofMismatched => InvalidSessionProof, "the proof is for another method, path or body";
    SessionProofUsed => InvalidSessionProof, "the proof was used before";
    SessionProofsTooMany => TooManyRequests, "the session made more requests within a minute than are remembered";
    SetupTokenExpired => SetupLinkExpired, "this setup link has expired; ask for a new one (gatelodge user recover)";
    SetupTokenMismatched => SetupLinkMismatched, "this setup link is not for this; open the link itself once more";
    SetupTokenUnknown => SetupLinkUnknown, "this setup link is not known here; check that it was copied whole";
    SetupTokenUsed => SetupLinkUsed, "this setup link was used already; ask for a new one (gatelodge user recover)";
    SoftwareStatementMalformed => InvalidSoftwareStatement, "the software statement is no JWT with client metadata, or is not valid now";
    SoftwareStatementUnapproved => UnapprovedSoftwareStatement, "the software statement was signed by no key that the operator listed";
    StartedWithoutPerson => SetupLinkMismatched, "this setup link belongs to a person who is no longer here";
    StoreUnwritable => TemporarilyUnavailable, "the server cannot write at the moment, and nothing was changed";
    TokenMissing => InvalidRequest, "the request has no token";
    UserExists => Conflict, "a person with this username exists already";
    UserNotFound => NotFound, "there is no person with this username";
    UsernameMalformed => InvalidRequest, "a username is 1 to 64 letters, digits and . _ - @ +";
    UsernameMissing => InvalidRequest, "somebody exists already, so a link needs the name of the person it is for";
    WebUriMalformed => InvalidClientMetadata, "an address is https, or http on loopback, in canonical form without user name and fragment";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_holds_only_what_rfc_6749_allows_in_it() {
        for refusal in Refusal::ALL {
            let code = refusal.code();
            let fits = |b: u8| (0x20..=0x7e).contains(&b) && b != b'"' && b != b'\\';
            assert!(code.description().bytes().all(fits), "{}", code.as_str());
            assert!((400..600).contains(&code.status()));
        }
    }
}
