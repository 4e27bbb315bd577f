//! The rows of bridges, their devices and their hook clients.

macro_rules! bridge {
    ([$next:ident $($others:ident)*] $($rows:tt)*) => { $next! { [$($others)*] $($rows)*
    BridgeModeOff => NotFound as NOTHING_HERE,
        "bridges do not come in this way here",
        "name the way in the configuration: bridge.modes",
        "RFC 9110 §15.5.5", Configuration;
    BridgeSessionMalformed => InvalidRequest,
        "session_id: a bridge session is 1 to 128 letters, digits and . _ -",
        "correct the id in the bridge",
        "RFC 9110 §15.5.1", Client;
    BridgeSessionOfAnother => BridgeForbidden as BRIDGE_FORBIDDEN,
        "session_id: the bridge session is somebody else's",
        "let the bridge open a session of its own; gatelodge bridge list shows those that live",
        "RFC 9110 §15.5.4", Client;
    DeviceCertificateDiffers => InvalidClient,
        "the fingerprint is not that of the certificate which the connection proved",
        "let the device name the certificate that it uses",
        "RFC 8705 §2", Client;
    DeviceCertificateExpired => InvalidClient,
        "the device's certificate has expired",
        "gatelodge bridge enroll-cert NAME FILE registers a new one",
        "RFC 8705 §2", Again;
    DeviceCertificateMissing => InvalidClient,
        "the connection proved no certificate",
        "let the device connect with its certificate, at a listener that asks for one",
        "RFC 8705 §2", Client;
    DeviceCertificateRevoked => InvalidClient,
        "the device's certificate was revoked",
        "gatelodge bridge enroll-cert NAME FILE registers a new one",
        "RFC 8705 §2", Again;
    DeviceCertificateUnknown => InvalidClient,
        "the device's certificate is registered for nobody",
        "gatelodge bridge enroll-cert NAME FILE registers it",
        "RFC 8705 §2.2", Again;
    ExchangeCodeExpired => ExchangeCodeInvalid as EXCHANGE_CODE_USELESS,
        "the exchange code has expired",
        "gatelodge bridge issue-code NAME prints a new one; one that a bridge catches itself lasts for lifetimes.exchange_code",
        "RFC 6749 §4.1.2", Again;
    ExchangeCodeMissing => ExchangeCodeMissing as EXCHANGE_CODE_MISSING,
        "the request has no exchange code",
        "let the bridge send the code",
        "RFC 6749 §5.2", Client;
    ExchangeCodeSpent => ExchangeCodeInvalid as EXCHANGE_CODE_USELESS,
        "the exchange code was redeemed before",
        "gatelodge bridge issue-code NAME prints a new one",
        "RFC 6749 §4.1.2", Again;
    ExchangeCodeUnknown => ExchangeCodeInvalid as EXCHANGE_CODE_USELESS,
        "the exchange code is unknown",
        "gatelodge bridge issue-code NAME prints a new one",
        "RFC 6749 §5.2", Again;
    HookAudienceForeign => InvalidTarget,
        "audience: hook is for hook clients alone",
        "let the client name a resource of its own",
        "RFC 8693 §2.2.2", Client;
    HookScopeWithoutAudience => InvalidScope,
        "scope: hook scopes are had with audience=hook alone",
        "let the client send audience=hook",
        "RFC 6749 §3.3", Client;
    HostIdUnknown => InvalidRequest,
        "the host is not one that is known here",
        "name it in the configuration: bridge.hosts",
        "RFC 9110 §15.5.1", Configuration;
    HostIsLast => Conflict,
        "host_id: it is the only host of agents that is enabled for this person",
        "enable another host first",
        "RFC 9110 §15.5.10", Client;
    HostSwitchedOff => HostSwitchedOff as HOST_SWITCHED_OFF,
        "this installation does without that host",
        "take it out of bridge.hosts_off",
        "RFC 9110 §15.5.21", Configuration;
    LinkedDeviceNotFound => NotFound as NOTHING_HERE,
        "there is no live linked device of that id, or with a session of that id",
        "gatelodge bridge list and gatelodge bridge pats show the ids",
        "RFC 9110 §15.5.5", Client;
    ModelProtocolUnknown => InvalidRequest,
        "model_protocols: one of them is none of anthropic, claude, openai, gemini and backend",
        "correct the protocol in the bridge",
        "RFC 9110 §15.5.1", Client;
    PersonalTokensTooMany => TooManyRequests as TOO_MANY,
        "an operator made a hundred personal access tokens for this person already",
        "gatelodge bridge revoke-pat ID ends one",
        "RFC 6585 §4", Again;
    PluginIdMalformed => InvalidRequest,
        "plugin_id is not 1 to 128 letters, digits and . _ : / @ -",
        "correct plugin_id in the bridge",
        "RFC 6749 §5.2", Client;
    PluginIdMissing => InvalidRequest,
        "plugin_id is missing: a hook token is for one plugin",
        "let the bridge send plugin_id",
        "RFC 6749 §5.2", Client;
    } };
}
