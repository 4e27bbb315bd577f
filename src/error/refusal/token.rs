//! The rows of the token endpoint, of access tokens and of what is asked about them (RFC 6749 §5.2,
//! RFC 6750 §3.1, RFC 7662, RFC 8628 §3.5).

macro_rules! token {
    ([$next:ident $($others:ident)*] $($rows:tt)*) => { $next! { [$($others)*] $($rows)*
    BearerTokenExpired => InvalidToken,
        "the access token has expired",
        "let the client refresh; gatelodge client set CLIENT --access-token-lifetime SECONDS says how long one lasts",
        "RFC 6750 §3.1", Again;
    BearerTokenForAnotherAudience => InvalidToken,
        "the access token is meant for another audience",
        "let the client ask for a token without resource, or for this one",
        "RFC 9068 §4", Client;
    BearerTokenKeyRetired => InvalidToken,
        "the key that signed the access token has retired",
        "let the client refresh",
        "RFC 6750 §3.1", Again;
    BearerTokenMalformed => InvalidToken,
        "the access token is no JWT of this server",
        "gatelodge token inspect explains a token",
        "RFC 6750 §3.1", Client;
    BearerTokenMissing => InvalidToken,
        "the request carries no access token",
        "send Authorization: Bearer TOKEN",
        "RFC 6750 §3.1", Client;
    BearerTokenOfEndedGrant => InvalidToken,
        "the grant behind the access token has ended",
        "let the client sign the person in again",
        "RFC 6750 §3.1", Again;
    BearerTokenRepeated => InvalidRequest,
        "the request carries an access token in two ways",
        "send it in the Authorization header alone",
        "RFC 6750 §2", Client;
    BearerTokenRevoked => InvalidToken,
        "the access token was revoked",
        "let the client sign the person in again",
        "RFC 6750 §3.1", Again;
    BearerTokenSignatureWrong => InvalidToken,
        "the access token was not signed by a key of this server",
        "gatelodge token inspect explains a token; one of another installation is not taken here",
        "RFC 9068 §4", Client;
    BearerTokenWithoutAdministration(scope) => InsufficientScope,
        "this needs an access token with the scope {scope}",
        "gatelodge client set CLIENT --add-scope SCOPE; a person needs a role that has it, too",
        "RFC 6750 §3.1", Client;
    BearerTokenWithoutOpenid => InsufficientScope,
        "userinfo needs an access token with the scope openid",
        "let the client ask for the scope openid",
        "OpenID Connect Core §5.3.1", Client;
    CodeClientDiffers => InvalidGrant as CODE_USELESS,
        "code was issued to another client",
        "let the client that started the sign-in redeem its code",
        "RFC 6749 §4.1.3", Client;
    CodeEnded => InvalidGrant as CODE_USELESS,
        "code: its session or its person has ended, or the person withdrew what they allowed",
        "let the client sign the person in again",
        "RFC 6749 §5.2", Again;
    CodeExpired => InvalidGrant as CODE_USELESS,
        "code has expired",
        "let the client redeem a code at once; lifetimes.authorization_code says how long one lasts",
        "RFC 6749 §4.1.2", Again;
    CodeMissing => InvalidRequest,
        "code is missing",
        "let the client send the code of its redirect URI",
        "RFC 6749 §4.1.3", Client;
    CodeReplayed => InvalidGrant as CODE_USELESS,
        "code was redeemed before; its grant is revoked",
        "let the client redeem a code once; if it did, somebody else has seen the code",
        "RFC 6749 §4.1.2", Again;
    CodeUnknown => InvalidGrant as CODE_USELESS,
        "code is unknown",
        "let the client send the code as it came, decoded once",
        "RFC 6749 §5.2", Again;
    CodeVerifierMalformed => InvalidRequest,
        "code_verifier is not 43 to 128 visible ASCII characters",
        "correct the code_verifier of the client",
        "RFC 7636 §4.1", Client;
    CodeVerifierMissing => InvalidGrant,
        "code_verifier is missing: the authorization request had a code_challenge",
        "let the client send the code_verifier of its code_challenge",
        "RFC 7636 §4.5", Client;
    CodeVerifierUnexpected => InvalidGrant,
        "code_verifier came, and the authorization request had no code_challenge",
        "let the client send code_challenge with the authorization request",
        "RFC 9700 §2.1.1", Client;
    CodeVerifierWrong => InvalidGrant,
        "code_verifier does not match code_challenge",
        "let the client keep one code_verifier for each authorization request",
        "RFC 7636 §4.6", Client;
    DeviceCodeClientDiffers => InvalidGrant as DEVICE_CODE_USELESS,
        "device_code was issued to another client",
        "let the client that started poll for its code",
        "RFC 8628 §3.4", Client;
    DeviceCodeDenied => AuthorizationDenied as DENIED,
        "the person denied the device",
        "start again at the device",
        "RFC 8628 §3.5", Again;
    DeviceCodeEnded => InvalidGrant as DEVICE_CODE_USELESS,
        "device_code: the session or the person behind it has ended, or the person withdrew what they allowed",
        "let the device begin again",
        "RFC 8628 §3.5", Again;
    DeviceCodeExpired => ExpiredToken,
        "device_code has expired",
        "start again at the device; lifetimes.device_code says how long a code lasts",
        "RFC 8628 §3.5", Again;
    DeviceCodeMissing => InvalidRequest,
        "device_code is missing",
        "let the client send the device_code of its device authorization",
        "RFC 8628 §3.4", Client;
    DeviceCodePending => AuthorizationPending,
        "nobody has decided about the device yet",
        "wait; the person types the code at /gate/device",
        "RFC 8628 §3.5", Again;
    DeviceCodePolledTooFast => SlowDown,
        "the device asks more often than its interval lets it; it waits five seconds longer each time",
        "let the client wait for the interval of its device authorization",
        "RFC 8628 §3.5", Again;
    DeviceCodeUnknown => InvalidGrant as DEVICE_CODE_USELESS,
        "device_code is unknown or was redeemed already",
        "start again at the device",
        "RFC 8628 §3.4", Again;
    GrantEnded => InvalidGrant as REFRESH_TOKEN_USELESS,
        "the grant has ended",
        "let the client sign the person in again",
        "RFC 6749 §5.2", Again;
    GrantOutsideGroups => InvalidGrant,
        "the person is in none of the groups that may use this client any more",
        "gatelodge user set NAME --group GROUP; gatelodge client set CLIENT --group GROUP",
        "RFC 6749 §5.2", Command;
    GrantTypeMissing => InvalidRequest,
        "grant_type is missing",
        "let the client send grant_type",
        "RFC 6749 §5.2", Client;
    GrantTypeNotRegistered => UnauthorizedClient,
        "grant_type is not one that the client registered",
        "gatelodge client set CLIENT --grant GRANT, once for each that it may use",
        "RFC 6749 §5.2", Command;
    GrantTypeUnsupported => UnsupportedGrantType,
        "grant_type is none that this server knows",
        "configure the client for one of grant_types_supported in the metadata",
        "RFC 6749 §5.2", Client;
    PersonalTokenExpired => InvalidToken,
        "the personal access token has expired",
        "gatelodge bridge issue-pat NAME makes a new one",
        "RFC 6750 §3.1", Again;
    PersonalTokenRevoked => InvalidToken,
        "the personal access token was revoked",
        "gatelodge bridge issue-pat NAME makes a new one",
        "RFC 6750 §3.1", Again;
    PersonalTokenUnknown => InvalidToken,
        "the personal access token is unknown",
        "gatelodge bridge pats lists those that are known",
        "RFC 6750 §3.1", Again;
    RedirectUriDiffers => InvalidGrant,
        "redirect_uri is not that of the authorization request",
        "let the client send the same redirect_uri twice, character by character",
        "RFC 6749 §4.1.3", Client;
    RefreshAhead => InvalidGrant as REFRESH_TOKEN_USELESS,
        "refresh_token is newer than the store, and its grant has taken such a one before",
        "let the client sign the person in again; the store was copied or rolled back",
        "RFC 9700 §4.14.2", Again;
    RefreshClientDiffers => InvalidGrant as REFRESH_TOKEN_USELESS,
        "refresh_token was issued to another client",
        "let the client that got it use it",
        "RFC 6749 §6", Client;
    RefreshExpired => InvalidGrant as REFRESH_TOKEN_USELESS,
        "refresh_token has expired",
        "let the client sign the person in again; lifetimes.refresh_idle and lifetimes.refresh_total say how long one lasts",
        "RFC 6749 §5.2", Again;
    RefreshLost => InvalidGrant as REFRESH_TOKEN_USELESS,
        "refresh_token is unknown; the store was restored from a backup, and what was issued after that backup was made is not in it",
        "let the client sign the person in again",
        "RFC 6749 §5.2", Again;
    RefreshMissing => InvalidRequest,
        "refresh_token is missing",
        "let the client send its newest refresh_token",
        "RFC 6749 §6", Client;
    RefreshReplayed => InvalidGrant as REFRESH_TOKEN_USELESS,
        "refresh_token was spent before; its grant is revoked",
        "let the client store each new refresh_token before it uses it; if it did, somebody else has one",
        "RFC 9700 §4.14.2", Again;
    RefreshUnknown => InvalidGrant as REFRESH_TOKEN_USELESS,
        "refresh_token is unknown, or its grant was removed",
        "let the client sign the person in again",
        "RFC 6749 §5.2", Again;
    ResourceServerPublic => InvalidRequest,
        "a public client proves nothing, and so cannot ask about tokens",
        "gatelodge resource add URI --introspect makes credentials for the resource server",
        "RFC 7662 §2.1", Client;
    TokenMissing => InvalidRequest,
        "token is missing",
        "send the token as the parameter token",
        "RFC 7662 §2.1", Client;
    } };
}
