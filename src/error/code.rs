//! The codes of errors on the wire, with their statuses.

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:literal;)*) => {
        /// An error on the wire: its code and its status.
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
        }
    };
}

error_codes! {
    /// RFC 6749 §4.1.2.1
    AccessDenied = "access_denied", 403;
    /// Own code: the account that a setup link is for is disabled.
    AccountDisabled = "account_disabled", 403;
    /// Own code: the account that a setup link is for was removed.
    AccountRemoved = "account_removed", 410;
    /// RFC 8628 §3.5, with the status of RFC 6749 §5.2
    AuthorizationDenied = "access_denied", 400;
    /// RFC 8628 §3.5
    AuthorizationPending = "authorization_pending", 400;
    /// Own code: the bridge session of another person.
    BridgeForbidden = "forbidden", 403;
    /// Own code: a passkey ceremony that has ended.
    CeremonyOver = "ceremony_over", 400;
    /// Own code: the name already exists.
    Conflict = "conflict", 409;
    /// OpenID Connect Core §3.1.2.6
    ConsentRequired = "consent_required", 400;
    /// Of the bridge's contract: an invalid exchange code.
    ExchangeCodeInvalid = "invalid_grant", 401;
    /// Of the bridge's contract: a request without an exchange code.
    ExchangeCodeMissing = "invalid_request", 400;
    /// RFC 8628 §3.5
    ExpiredToken = "expired_token", 400;
    /// Own code: a POST to a page from another origin, or without the anti-forgery token.
    Forbidden = "forbidden", 403;
    /// Of the bridge's contract: a known host that is disabled.
    HostSwitchedOff = "host_disabled", 422;
    /// RFC 6750 §3.1
    InsufficientScope = "insufficient_scope", 403;
    /// Own code: an interaction that has ended.
    InteractionOver = "interaction_over", 400;
    /// RFC 6749 §5.2
    InvalidClient = "invalid_client", 401;
    /// RFC 7591 §3.2.2
    InvalidClientMetadata = "invalid_client_metadata", 400;
    /// RFC 6749 §5.2
    InvalidGrant = "invalid_grant", 400;
    /// RFC 7591 §3.2.2
    InvalidRedirectUri = "invalid_redirect_uri", 400;
    /// RFC 6749 §5.2
    InvalidRequest = "invalid_request", 400;
    /// OpenID Connect Core §3.1.2.6
    InvalidRequestUri = "invalid_request_uri", 400;
    /// RFC 6749 §5.2
    InvalidScope = "invalid_scope", 400;
    /// Own code: the proof of a session key, which a page's script makes.
    InvalidSessionProof = "invalid_session_proof", 401;
    /// RFC 7591 §3.2.2
    InvalidSoftwareStatement = "invalid_software_statement", 400;
    /// RFC 8707 §2
    InvalidTarget = "invalid_target", 400;
    /// RFC 6750 §3.1
    InvalidToken = "invalid_token", 401;
    /// Own code: an invitation by which as many people have come as it was for.
    InvitationExhausted = "invitation_exhausted", 410;
    /// Own code: an expired invitation.
    InvitationExpired = "invitation_expired", 410;
    /// Own code: a revoked invitation.
    InvitationRevoked = "invitation_revoked", 410;
    /// Own code: an unknown invitation.
    InvitationUnknown = "invitation_unknown", 404;
    /// OpenID Connect Core §3.1.2.6
    LoginRequired = "login_required", 401;
    /// Own code, with the status of RFC 9110 §15.5.6
    MethodNotAllowed = "method_not_allowed", 405;
    /// Own code, with the status of RFC 9110 §15.5.20
    MisdirectedRequest = "misdirected_request", 421;
    /// Own code, with the status of RFC 9110 §15.5.5
    NotFound = "not_found", 404;
    /// Own code: a passkey that was not accepted.
    PasskeyRefused = "passkey_refused", 401;
    /// Own code: a passkey that was removed here, so that a browser may forget it.
    PasskeyRemoved = "passkey_removed", 401;
    /// Own code, with the status of RFC 9110 §15.5.14
    PayloadTooLarge = "payload_too_large", 413;
    /// Own code, with the status of RFC 6585 §5
    RequestHeaderFieldsTooLarge = "request_header_fields_too_large", 431;
    /// OpenID Connect Core §3.1.2.6
    RequestNotSupported = "request_not_supported", 400;
    /// Own code, with the status of RFC 9110 §15.5.9
    RequestTimeout = "request_timeout", 408;
    /// OpenID Connect Core §3.1.2.6
    RequestUriNotSupported = "request_uri_not_supported", 400;
    /// RFC 6749 §4.1.2.1
    ServerError = "server_error", 500;
    /// Own code: an expired setup link.
    SetupLinkExpired = "setup_link_expired", 410;
    /// Own code: a setup link for another ceremony.
    SetupLinkMismatched = "setup_link_mismatched", 400;
    /// Own code: a revoked setup link.
    SetupLinkRevoked = "setup_link_revoked", 410;
    /// Own code: a setup link that a newer one replaced.
    SetupLinkSuperseded = "setup_link_superseded", 410;
    /// Own code: a setup link from before its person was disabled.
    SetupLinkSuspended = "setup_link_suspended", 410;
    /// Own code: an unknown setup link.
    SetupLinkUnknown = "setup_link_unknown", 404;
    /// Own code: a used setup link.
    SetupLinkUsed = "setup_link_used", 410;
    /// Own code: an account that somebody wants to make by themselves, where nobody does.
    SignUpClosed = "sign_up_closed", 403;
    /// RFC 8628 §3.5
    SlowDown = "slow_down", 400;
    /// RFC 6749 §4.1.2.1
    TemporarilyUnavailable = "temporarily_unavailable", 503;
    /// Own code, with the status of RFC 6585 §4
    TooManyRequests = "too_many_requests", 429;
    /// RFC 7591 §3.2.2
    UnapprovedSoftwareStatement = "unapproved_software_statement", 400;
    /// RFC 6749 §5.2
    UnauthorizedClient = "unauthorized_client", 400;
    /// OpenID Connect Core Error Code unmet_authentication_requirements §2
    UnmetAuthenticationRequirements = "unmet_authentication_requirements", 400;
    /// RFC 6749 §5.2
    UnsupportedGrantType = "unsupported_grant_type", 400;
    /// RFC 6749 §4.1.2.1
    UnsupportedResponseType = "unsupported_response_type", 400;
    /// Own code: a username that somebody has.
    UsernameTaken = "username_taken", 409;
}
