//! The rows of authorization requests and of sign-out (RFC 6749 §4.1.1, RFC 9126, OpenID Connect
//! Core §3.1.2 and RP-Initiated Logout).

macro_rules! authorization {
    ([$next:ident $($others:ident)*] $($rows:tt)*) => { $next! { [$($others)*] $($rows)*
    AcrUnmet => UnmetAuthenticationRequirements,
        "acr: no sign-in here has the value that the request calls essential",
        "let the client ask for the acr as a voluntary claim, or with acr_values",
        "OpenID Connect Core §5.5.1.1", Client;
    AdminScopeBesideResource => InvalidScope,
        "scope: a token for another resource has no scope of the administration",
        "let the client ask for the administration's scopes without resource",
        "RFC 8707 §3", Client;
    ClaimsMalformed => InvalidRequest,
        "claims is no JSON object whose userinfo and id_token are objects",
        "correct claims in the client",
        "OpenID Connect Core §5.5", Client;
    ClientDisabledAtAuthorize => InvalidRequest as CLIENT_DISABLED,
        "the client with this client_id is disabled",
        "gatelodge client enable CLIENT",
        "RFC 6749 §4.1.2.1", Command;
    ClientIdMissing => InvalidRequest,
        "client_id is missing",
        "let the client send the client_id that gatelodge client list shows",
        "RFC 6749 §4.1.1", Client;
    ClientUnknownAtAuthorize => InvalidRequest,
        "no client with this client_id is registered here, by an operator or by itself",
        "gatelodge client list shows what is registered",
        "RFC 6749 §4.1.2.1", Command;
    CodeChallengeMalformed => InvalidRequest,
        "code_challenge is not the 43 characters of a base64url SHA-256",
        "let the client send BASE64URL(SHA256(code_verifier)) without padding",
        "RFC 7636 §4.2", Client;
    CodeChallengeMethodUnsupported => InvalidRequest,
        "code_challenge_method is not S256, the only one that is taken here",
        "let the client send code_challenge_method=S256",
        "RFC 7636 §4.3", Client;
    CodeChallengeMissing => InvalidRequest,
        "code_challenge is missing: PKCE with S256 is required",
        "switch PKCE on in the client; for one that cannot: gatelodge client set CLIENT --pkce nonce, or --pkce optional if it sends no nonce either",
        "RFC 7636 §4.4.1", Command;
    ConsentNeeded => ConsentRequired,
        "the person has not yet consented, and prompt=none forbids to ask",
        "send the person through once without prompt=none; for an own client: gatelodge client set CLIENT --first-party",
        "OpenID Connect Core §3.1.2.6", Command;
    IdTokenHintClientDiffers => InvalidRequest,
        "id_token_hint was issued to another client",
        "let the client send an ID token of its own, or none",
        "OpenID Connect RP-Initiated Logout §2", Client;
    IdTokenHintMalformed => InvalidRequest,
        "id_token_hint is no ID token of this server",
        "let the client send an ID token that this server issued to it, or none",
        "OpenID Connect Core §3.1.2.1", Client;
    LoginNeeded => LoginRequired,
        "nobody fitting is signed in, and prompt=none forbids to ask",
        "let the client ask again without prompt=none",
        "OpenID Connect Core §3.1.2.6", Client;
    LogoutCrossSite => Forbidden as LOGOUT_FOREIGN,
        "another site asked to sign the person out of an application",
        "let the application's own pages link to the sign-out, or use /oauth/logout",
        "OpenID Connect RP-Initiated Logout §6", Client;
    LogoutExpired => InteractionOver as LOGOUT_OVER,
        "the sign-out was not confirmed in time",
        "sign out again; lifetimes.interaction says how long a request lasts",
        "OpenID Connect RP-Initiated Logout §2", Again;
    LogoutOfAnotherBrowser => InteractionOver as LOGOUT_OVER,
        "the sign-out was begun in another browser",
        "sign out in the browser that is to be signed out",
        "OpenID Connect RP-Initiated Logout §2", Again;
    MaxAgeMalformed => InvalidRequest,
        "max_age is no number of seconds",
        "let the client send a whole number, or none",
        "OpenID Connect Core §3.1.2.1", Client;
    NavigationRequired => InvalidRequest,
        "a script or an image of a page asked for this address, which a browser has to navigate to",
        "let the page navigate to the address instead of fetching it",
        "RFC 6749 §3.1", Client;
    PersonDeclined => AccessDenied as DENIED,
        "the person declined",
        "ask the person; they may allow it the next time",
        "RFC 6749 §4.1.2.1", Again;
    PersonAstray => AccessDenied as NOT_FOR_PERSON,
        "the person is in none of the groups that may use this client",
        "gatelodge user set NAME --group GROUP; gatelodge client set CLIENT --group GROUP",
        "RFC 6749 §4.1.2.1", Command;
    PersonDisabled => AccessDenied as PERSON_DISABLED,
        "the person is disabled",
        "gatelodge user enable NAME",
        "RFC 6749 §4.1.2.1", Command;
    PostLogoutClientMissing => InvalidRequest,
        "post_logout_redirect_uri came with neither id_token_hint nor client_id, so that nothing says whose it is",
        "let the client send id_token_hint, or its client_id",
        "OpenID Connect RP-Initiated Logout §2", Client;
    PostLogoutClientUnknown => InvalidRequest,
        "post_logout_redirect_uri came for a client that is not registered here, or is disabled",
        "gatelodge client list shows what is registered; gatelodge client enable CLIENT switches one on",
        "OpenID Connect RP-Initiated Logout §3", Command;
    PostLogoutUriUnregistered => InvalidRequest,
        "post_logout_redirect_uri is not registered for the client",
        "gatelodge client set CLIENT --post-logout URI",
        "OpenID Connect RP-Initiated Logout §3", Command;
    PromptContradictory => InvalidRequest,
        "prompt has none beside another value",
        "let the client send none alone",
        "OpenID Connect Core §3.1.2.1", Client;
    PromptCreateClosed => InvalidRequest,
        "prompt is create, and nobody signs up here by themselves",
        "policy.sign_up = \"open\" in the configuration; or let the client leave that value out",
        "Initiating User Registration via OpenID Connect §4.1", Configuration;
    PromptUnknown => InvalidRequest,
        "prompt has a value other than none, login, consent, select_account and create",
        "let the client leave that value out",
        "OpenID Connect Core §3.1.2.1", Client;
    PushedRequestClientDiffers => InvalidRequestUri as PUSHED_REQUEST_OVER,
        "request_uri was given to another client",
        "let the client push a request of its own",
        "RFC 9126 §4", Client;
    PushedRequestExpired => InvalidRequestUri as PUSHED_REQUEST_OVER,
        "request_uri has expired",
        "let the client push the request just before it sends the person; lifetimes.pushed_request says how long one lasts",
        "RFC 9126 §4", Again;
    PushedRequestSpent => InvalidRequestUri as PUSHED_REQUEST_SPENT,
        "request_uri was used already, for a sign-in that was completed or declined",
        "start again at the application",
        "RFC 9126 §4", Again;
    PushedRequestUnknown => InvalidRequestUri as PUSHED_REQUEST_OVER,
        "request_uri is unknown, or its time is long over",
        "start again at the application",
        "RFC 9126 §4", Again;
    RedirectUriMissing => InvalidRequest,
        "redirect_uri is missing, and the client has not exactly one registered",
        "let the client send redirect_uri",
        "RFC 6749 §3.1.2.3", Client;
    RedirectUriMissingForOpenid => InvalidRequest,
        "redirect_uri is missing, and a request with the scope openid has to name it",
        "let the client send redirect_uri, as one that gatelodge client show CLIENT lists",
        "OpenID Connect Core §3.1.2.1", Client;
    RedirectUriUnregistered => InvalidRequest,
        "redirect_uri is not registered for this client",
        "gatelodge client set CLIENT --redirect URI, once for each that it may use",
        "RFC 6749 §3.1.2.3", Command;
    RequestNotPushed => InvalidRequest,
        "request_uri is missing: the client has to push its requests first",
        "let the client push its request, or: gatelodge client set CLIENT --require-par=false",
        "RFC 9126 §4", Command;
    RequestObjectUnsupported => RequestNotSupported,
        "request is not taken here: this server takes no request objects",
        "let the client push its request, or send plain parameters",
        "OpenID Connect Core §6.1", Client;
    RequestUriPushed => InvalidRequest,
        "request_uri stands in a request that is pushed",
        "let the client push the parameters themselves",
        "RFC 9126 §2.1", Client;
    RequestUriUnsupported => RequestUriNotSupported,
        "request_uri is not one that this server gave out",
        "let the client push its request, and use the request_uri of the response",
        "RFC 9101 §5.2", Client;
    ResourceMalformed => InvalidTarget,
        "resource is no http or https URL without fragment and user name",
        "name it by its URL; gatelodge resource list shows those that are registered",
        "RFC 8707 §2", Client;
    ResourceNotGranted => InvalidTarget,
        "resource is not among those that were granted",
        "let the client name the resource in its authorization request, too",
        "RFC 8707 §2.2", Client;
    ResourceTokenTypesDiffer => InvalidTarget,
        "resource: a token of the type at+jwt and one of the type JWT cannot be one token",
        "let the client ask for a token for each resource, or: gatelodge resource set URI --typ at+jwt",
        "RFC 8707 §2", Command;
    ResourceUnknown => InvalidTarget,
        "resource is not one that this server issues tokens for, or not for this client",
        "gatelodge resource add URI; a client that names its resources also needs: gatelodge client set CLIENT --resource URI",
        "RFC 8707 §2", Command;
    ResponseModeUnsupported => InvalidRequest,
        "response_mode is neither query nor form_post, or no form reaches the redirect URI",
        "let the client leave response_mode out",
        "OAuth 2.0 Multiple Response Type Encoding Practices §2.1", Client;
    ResponseTypeMissing => InvalidRequest,
        "response_type is missing: code is expected",
        "let the client send response_type=code",
        "RFC 6749 §3.1.1", Client;
    ResponseTypeUnsupported => UnsupportedResponseType,
        "response_type is not code, the only one that is taken here",
        "configure the client for the authorization code flow",
        "RFC 6749 §3.1.1", Client;
    ScopeMalformed => InvalidScope,
        "scope is no list of scope names, separated by single spaces",
        "let the client separate scopes by spaces, not commas",
        "RFC 6749 §3.3", Client;
    ScopeNotAllowed => InvalidScope,
        "scope: nothing of it is left that this client and this person may have",
        "gatelodge client set CLIENT --scope NAME; a role of the person decides, too: gatelodge user show NAME",
        "RFC 6749 §3.3", Command;
    ScopeNotForItself => InvalidScope,
        "scope: nothing of it is left that this client may have for itself, without a person",
        "gatelodge client set CLIENT --scope NAME; what is said about people, only they grant",
        "RFC 6749 §3.3", Command;
    ScopeWidened => InvalidScope,
        "scope reaches beyond what was granted",
        "let the client ask for no more than it was granted, or sign the person in again",
        "RFC 6749 §6", Client;
    StateMissing => InvalidRequest,
        "state is missing: a request without code_challenge and nonce has to bring it",
        "let the client send a state of its own for each request, or switch PKCE or the nonce on in it",
        "RFC 9700 §2.1", Client;
    } };
}
