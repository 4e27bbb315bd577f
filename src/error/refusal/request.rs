//! The rows of HTTP requests as such (RFC 9110).

macro_rules! request {
    ([$next:ident $($others:ident)*] $($rows:tt)*) => { $next! { [$($others)*] $($rows)*
    AttemptsTooMany => TooManyRequests as TOO_MANY,
        "too many attempts failed, or came, within a minute",
        "wait for the seconds of Retry-After",
        "RFC 6585 §4", Again;
    BodyMalformed => InvalidRequest,
        "the body is no JSON of the form that this endpoint reads, sent as application/json",
        "correct the body",
        "RFC 9110 §15.5.1", Client;
    BodyTooLarge => PayloadTooLarge,
        "the body is larger than this endpoint reads",
        "send less",
        "RFC 9110 §15.5.14", Client;
    BodyTooSlow => RequestTimeout,
        "the body did not arrive within 15 seconds",
        "try again",
        "RFC 9110 §15.5.9", Client;
    BodyTypeUnsupported => InvalidRequest,
        "the body is not sent as application/x-www-form-urlencoded",
        "let the client send Content-Type: application/x-www-form-urlencoded, and no JSON",
        "RFC 6749 appendix B", Client;
    HeaderSectionTooLarge => RequestHeaderFieldsTooLarge,
        "the header section of the request has more than 32 KiB",
        "send fewer or shorter headers; a browser may have to forget cookies of this host",
        "RFC 6585 §5", Client;
    HostMalformed => InvalidRequest,
        "Host is missing, repeated or malformed",
        "send one Host header",
        "RFC 9112 §3.2", Client;
    HostOfProxy => MisdirectedRequest as HOST_OF_PROXY,
        "Host is a name of the proxy's own, and not the one that the browser asked for",
        "let the proxy pass it on: in nginx proxy_set_header Host $http_host, in Caddy header_up Host {host}",
        "RFC 9110 §7.2", Machine;
    HostUnknown => MisdirectedRequest as WRONG_HOST,
        "Host names none of this server's names",
        "use the issuer's name, or list the other one in the configuration: hosts",
        "RFC 9110 §15.5.20", Configuration;
    LocalAuthorityAbsent => NotFound as NOTHING_TO_TRUST,
        "this server has no CA of its own",
        "gatelodge serve --tls local",
        "RFC 9110 §15.5.5", Configuration;
    MethodNotAllowed => MethodNotAllowed,
        "this address does not answer that method",
        "use a method of the Allow header",
        "RFC 9110 §15.5.6", Client;
    PageNotFound => NotFound,
        "there is no such page",
        "see the addresses in /.well-known/openid-configuration",
        "RFC 9110 §15.5.5", Client;
    ParameterMalformed => InvalidRequest,
        "a parameter is not percent-encoded UTF-8",
        "encode the parameters as application/x-www-form-urlencoded",
        "RFC 6749 appendix B", Client;
    ParameterRepeated(parameter) => InvalidRequest,
        "{parameter} came more than once",
        "send it once",
        "RFC 6749 §3.1", Client;
    ParameterTooLong(parameter) => InvalidRequest,
        "{parameter} is longer than 8 KiB, or than 16 KiB for a whole token",
        "send less, or push the request",
        "RFC 9110 §15.5.1", Client;
    ParametersTooMany => InvalidRequest,
        "the request has more than 100 parameters",
        "send fewer",
        "RFC 9110 §15.5.1", Client;
    StoreUnwritable => TemporarilyUnavailable,
        "the server cannot write at the moment, and nothing was changed",
        "see that the disk of the data directory has space and can be written; gatelodge paths says which",
        "RFC 9110 §15.6.4", Machine;
    } };
}
