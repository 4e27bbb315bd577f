//! The codes of errors on the wire, with their statuses and their fixed descriptions.

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:literal, $description:literal;)*) => {
        /// An error on the wire: its code, its status and its description.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// The value of `error`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status of a response with this error.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The value of `error_description`. It is fixed, so that different causes look alike.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $description,)* }
            }
        }
    };
}

error_codes! {
    /// RFC 6749 §4.1.2.1
    AccessDenied = "access_denied", 403, "The request was denied.";
    /// RFC 8628 §3.5, with the status of RFC 6749 §5.2
    AuthorizationDenied = "access_denied", 400, "The request was denied.";
    /// RFC 8628 §3.5
    AuthorizationPending = "authorization_pending", 400, "The person has not yet decided.";
    /// Own code: the bridge session of another person.
    BridgeForbidden = "forbidden", 403, "This bridge session is not yours.";
    /// Own code: a passkey ceremony that has ended.
    CeremonyOver = "ceremony_over", 400, "This passkey prompt is over. Please try again.";
    /// Own code: the name already exists.
    Conflict = "conflict", 409, "That name is taken.";
    /// OpenID Connect Core §3.1.2.6
    ConsentRequired = "consent_required", 400, "The person has to be asked for consent.";
    /// Of the bridge's contract: an invalid exchange code.
    ExchangeCodeInvalid = "invalid_grant", 401, "invalid, expired or consumed exchange code";
    /// Of the bridge's contract: a request without an exchange code.
    ExchangeCodeMissing = "invalid_request", 400, "missing exchange code";
    /// RFC 8628 §3.5
    ExpiredToken = "expired_token", 400, "The device code has expired. Start again.";
    /// Own code: a POST to a page from another origin, or without the anti-forgery token.
    Forbidden = "forbidden", 403, "This request did not come from a page of this server. Reload the page and try again.";
    /// Of the bridge's contract: a known host that is disabled.
    HostSwitchedOff = "host_disabled", 422, "This host is switched off on this installation.";
    /// RFC 6750 §3.1
    InsufficientScope = "insufficient_scope", 403, "The access token does not reach that far.";
    /// Own code: an interaction that has ended.
    InteractionOver = "interaction_over", 400, "This sign-in is over. Go back to the application and start again.";
    /// RFC 6749 §5.2
    InvalidClient = "invalid_client", 401, "The client could not be authenticated.";
    /// RFC 7591 §3.2.2
    InvalidClientMetadata = "invalid_client_metadata", 400, "The client metadata is malformed or contradicts itself.";
    /// RFC 6749 §5.2
    InvalidGrant = "invalid_grant", 400, "The grant is invalid, expired, revoked or was issued to another client.";
    /// RFC 7591 §3.2.2
    InvalidRedirectUri = "invalid_redirect_uri", 400, "A redirect URI is malformed, dangerous or not allowed here.";
    /// RFC 6749 §5.2
    InvalidRequest = "invalid_request", 400, "The request is malformed, lacks a parameter or repeats one.";
    /// OpenID Connect Core §3.1.2.6
    InvalidRequestUri = "invalid_request_uri", 400, "This way to sign in works once and only for a short time, and it is over. Go back to the application and start again.";
    /// RFC 6749 §5.2
    InvalidScope = "invalid_scope", 400, "The scope is malformed or exceeds what may be granted.";
    /// Own code: the proof of a session key, which a page's script makes.
    InvalidSessionProof = "invalid_session_proof", 401, "The proof of this session is missing, expired, used or wrong. Load the page again.";
    /// RFC 7591 §3.2.2
    InvalidSoftwareStatement = "invalid_software_statement", 400, "The software statement is invalid.";
    /// RFC 8707 §2
    InvalidTarget = "invalid_target", 400, "The resource is unknown or was not granted.";
    /// RFC 6750 §3.1
    InvalidToken = "invalid_token", 401, "The access token is missing, expired, revoked or malformed.";
    /// OpenID Connect Core §3.1.2.6
    LoginRequired = "login_required", 401, "The person has to sign in.";
    /// Own code, with the status of RFC 9110 §15.5.6
    MethodNotAllowed = "method_not_allowed", 405, "This address does not answer that method.";
    /// Own code, with the status of RFC 9110 §15.5.20
    MisdirectedRequest = "misdirected_request", 421, "This server does not answer under that host name.";
    /// Own code, with the status of RFC 9110 §15.5.5
    NotFound = "not_found", 404, "There is nothing of that name here.";
    /// Own code: a passkey that was not accepted.
    PasskeyRefused = "passkey_refused", 401, "This passkey was not accepted.";
    /// Own code, with the status of RFC 9110 §15.5.14
    PayloadTooLarge = "payload_too_large", 413, "The request is too large.";
    /// Own code, with the status of RFC 6585 §5
    RequestHeaderFieldsTooLarge = "request_header_fields_too_large", 431, "The header section of the request is too large.";
    /// OpenID Connect Core §3.1.2.6
    RequestNotSupported = "request_not_supported", 400, "Request objects are not supported.";
    /// Own code, with the status of RFC 9110 §15.5.9
    RequestTimeout = "request_timeout", 408, "The request took too long to arrive.";
    /// OpenID Connect Core §3.1.2.6
    RequestUriNotSupported = "request_uri_not_supported", 400, "This request_uri is not supported.";
    /// RFC 6749 §4.1.2.1
    ServerError = "server_error", 500, "The server met an unexpected condition.";
    /// Own code: an expired setup link.
    SetupLinkExpired = "setup_link_expired", 410, "This setup link has expired. Ask for a new one.";
    /// Own code: a setup link for another ceremony.
    SetupLinkMismatched = "setup_link_mismatched", 400, "This setup link does not fit this page. Open the link itself once more.";
    /// Own code: an unknown setup link.
    SetupLinkUnknown = "setup_link_unknown", 404, "This setup link is not known here. Check that it was copied whole.";
    /// Own code: a used setup link.
    SetupLinkUsed = "setup_link_used", 410, "This setup link was used already. Ask for a new one.";
    /// RFC 8628 §3.5
    SlowDown = "slow_down", 400, "The device asks too often. Wait five seconds longer each time.";
    /// RFC 6749 §4.1.2.1
    TemporarilyUnavailable = "temporarily_unavailable", 503, "The server cannot do this at the moment. Please try again soon.";
    /// Own code, with the status of RFC 6585 §4
    TooManyRequests = "too_many_requests", 429, "Too many attempts. Please wait a moment and try again.";
    /// RFC 7591 §3.2.2
    UnapprovedSoftwareStatement = "unapproved_software_statement", 400, "The software statement is not approved here.";
    /// RFC 6749 §5.2
    UnauthorizedClient = "unauthorized_client", 400, "The client may not use this grant type.";
    /// OpenID Connect Core Error Code unmet_authentication_requirements §2
    UnmetAuthenticationRequirements = "unmet_authentication_requirements", 400, "No sign-in here meets what was asked for.";
    /// RFC 6749 §5.2
    UnsupportedGrantType = "unsupported_grant_type", 400, "The grant type is not supported.";
    /// RFC 6749 §4.1.2.1
    UnsupportedResponseType = "unsupported_response_type", 400, "The response type is not supported.";
}
