//! The rows of client authentication, of registration and of metadata documents (RFC 6749 §2.3,
//! RFC 7523, RFC 10070, RFC 7591, RFC 7592, OAuth Client ID Metadata Document).

macro_rules! client {
    ([$next:ident $($others:ident)*] $($rows:tt)*) => { $next! { [$($others)*] $($rows)*
    AnonymousMetadataUnfit => InvalidRequest,
        "metadata is no JSON object of at most 4 KiB",
        "correct metadata in the client",
        "RFC 8259 §4", Client;
    AnonymousNotAllowed => UnauthorizedClient,
        "the operator has not allowed the client anonymous sessions",
        "gatelodge client set CLIENT --anonymous",
        "RFC 6749 §5.2", Command;
    AuthMethodNotRegistered => InvalidClient,
        "the client proved itself by a method that it did not register",
        "let the client use its token_endpoint_auth_method, or: gatelodge client set CLIENT --auth METHOD",
        "RFC 7591 §2", Command;
    AuthorizationHeaderMalformed => InvalidClient,
        "the Authorization header is no Basic credentials of a form-encoded client_id and secret",
        "let the client encode both before it joins them by a colon",
        "RFC 6749 §2.3.1", Client;
    ClientAssertionAudienceOld => InvalidClient,
        "client_assertion: aud is an endpoint of this server, and the issuer is expected",
        "let the client send the issuer as aud; one that an operator registered, and that cannot: gatelodge client set CLIENT --assertions rfc7523",
        "RFC 10070 §4", Command;
    ClientAssertionAudienceWrong => InvalidClient,
        "client_assertion: aud is not the issuer of this server and nothing else",
        "let the client send the issuer as aud",
        "RFC 10070 §4", Client;
    ClientAssertionEarly => InvalidClient,
        "client_assertion: nbf or iat lies in the future",
        "set the clocks of both machines",
        "RFC 7523 §3", Machine;
    ClientAssertionExpired => InvalidClient,
        "client_assertion: exp is over",
        "let the client make one for each request, and set the clocks of both machines",
        "RFC 7523 §3", Again;
    ClientAssertionKeyUnnamed => InvalidClient,
        "client_assertion: kid is missing or names no key, and the client has more than four",
        "let the client send the kid of its key",
        "RFC 7515 §4.1.4", Client;
    ClientAssertionMalformed => InvalidClient,
        "client_assertion is no signed JWT with iss, sub, aud, exp and jti",
        "correct the client's assertion",
        "RFC 7523 §3", Client;
    ClientAssertionOfAnother => InvalidClient,
        "client_assertion: iss, sub and client_id are not one client",
        "let the client send its client_id as iss and sub",
        "RFC 7523 §3", Client;
    ClientAssertionReplayed => InvalidClient,
        "client_assertion: jti was used before",
        "let the client make an assertion for each request",
        "RFC 7523 §3", Again;
    ClientAssertionSignatureWrong => InvalidClient,
        "client_assertion was not signed by a key of the client",
        "gatelodge client show CLIENT shows its keys; --jwks FILE gives it others",
        "RFC 7523 §3", Client;
    ClientAssertionTooLong => InvalidClient,
        "client_assertion: exp lies more than an hour ahead",
        "let the client make one for each request, good for a minute",
        "RFC 7523 §3", Client;
    ClientAssertionTypeUnsupported => InvalidClient,
        "client_assertion_type is not jwt-bearer, or one of client_assertion and its type is missing",
        "let the client send urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "RFC 7523 §2.2", Client;
    ClientAssertionUntyped => InvalidClient,
        "client_assertion: typ is not client-authentication+jwt",
        "let the client say so in the header of the JWT; one that an operator registered, and that cannot: gatelodge client set CLIENT --assertions rfc7523",
        "RFC 10070 §4", Command;
    ClientAuthMissing => InvalidClient,
        "the client is confidential, and sent no proof of who it is",
        "let the client send its secret; one that has none: gatelodge client set CLIENT --auth none",
        "RFC 6749 §3.2.1", Client;
    ClientAuthTwice => InvalidRequest,
        "the request authenticates the client in two ways",
        "let the client use one of them",
        "RFC 6749 §2.3", Client;
    ClientChanged => InvalidClient as CLIENT_UNPROVEN,
        "the client changed while its request was on the way",
        "try again",
        "RFC 6749 §5.2", Again;
    ClientDisabled => InvalidClient as CLIENT_UNPROVEN,
        "the client is disabled",
        "gatelodge client enable CLIENT",
        "RFC 6749 §5.2", Command;
    ClientKeysUnavailable => InvalidClient,
        "the client's keys could not be fetched from its jwks_uri",
        "see the line of the fetch in the log; gatelodge client set CLIENT --jwks FILE needs none",
        "RFC 7591 §2", Client;
    ClientKeysUnclear => InvalidClientMetadata,
        "jwks and jwks_uri are both there, or neither is where the client signs",
        "let the client send one of them",
        "RFC 7591 §2", Client;
    ClientMetadataMalformed(member, why) => InvalidClientMetadata,
        "{member} of the client metadata: {why}",
        "correct that member of the client's metadata",
        "RFC 7591 §2", Client;
    ClientMetadataUnsupported(member, why) => InvalidClientMetadata,
        "{member} is not supported: {why}",
        "let the client choose what the metadata of this server offers",
        "RFC 7591 §2", Client;
    ClientNotConfidential => InvalidClient,
        "the client is public, and this endpoint is for those that prove themselves",
        "gatelodge client set CLIENT --auth client_secret_basic gives it a secret",
        "RFC 7662 §2.1", Client;
    ClientSecretMalformed => InvalidClient,
        "client_secret is not 1 to 1024 printable ASCII characters",
        "let the client send the secret as it was printed",
        "RFC 6749 appendix A.2", Client;
    ClientSecretWrong => InvalidClient as CLIENT_UNPROVEN,
        "client_secret is wrong",
        "gatelodge client rotate-secret CLIENT makes a new one",
        "RFC 6749 §5.2", Client;
    ClientUnknown => InvalidClient as CLIENT_UNPROVEN,
        "no client with this client_id is registered here",
        "gatelodge client list shows what is registered",
        "RFC 6749 §5.2", Client;
    ClientUpdateMismatched => InvalidRequest,
        "the update names another client_id or secret, or brings what only the server sets",
        "let the client send what it was answered, with its changes",
        "RFC 7592 §2.2", Client;
    DocumentAddressMalformed => InvalidRequest,
        "client_id: an address of a metadata document is https with a path, in canonical form, without fragment, user name and dot segments",
        "correct the client_id of the client",
        "OAuth Client ID Metadata Document §3", Client;
    DocumentAddressPrivate => InvalidRequest as DOCUMENT_UNREACHABLE,
        "client_id: the metadata document lies at a private or reserved address",
        "name it in the configuration: fetch.private",
        "OAuth Client ID Metadata Document §6.5", Configuration;
    DocumentAtResource => InvalidRequest,
        "client_id is the URI of a registered resource, whose tokens it would be mistaken for",
        "let the client have another address, or: gatelodge resource remove URI",
        "RFC 8725 §3.12", Client;
    DocumentHostUnlisted => InvalidRequest,
        "client_id: the operator has not listed the host of the metadata document",
        "name it in the configuration: documents.hosts",
        "OAuth Client ID Metadata Document §6", Configuration;
    DocumentNotJson => InvalidClientMetadata,
        "client_id: the metadata document is no JSON object, or is not sent as JSON",
        "correct the document",
        "OAuth Client ID Metadata Document §4", Client;
    DocumentOfAnotherClient => InvalidClientMetadata,
        "client_id in the metadata document is not its own address",
        "correct the document",
        "OAuth Client ID Metadata Document §4.1", Client;
    DocumentOffline => InvalidRequest,
        "client_id: this server fetches no metadata documents, and nobody imported this one",
        "gatelodge client import URL FILE",
        "OAuth Client ID Metadata Document §4", Configuration;
    DocumentRedirected => InvalidRequest,
        "client_id: the address of the metadata document leads elsewhere",
        "let the client name the address at which the document lies",
        "OAuth Client ID Metadata Document §4", Client;
    DocumentStatusWrong => InvalidRequest,
        "client_id: the metadata document was answered with another status than 200",
        "see that the document can be had",
        "OAuth Client ID Metadata Document §4", Client;
    DocumentTooLarge => InvalidRequest,
        "client_id: the metadata document is larger than 10 KiB",
        "make the document smaller",
        "OAuth Client ID Metadata Document §6.6", Client;
    DocumentTooSlow => InvalidRequest,
        "client_id: the metadata document did not arrive within 5 seconds",
        "see that the document can be had, and try again",
        "OAuth Client ID Metadata Document §4", Client;
    DocumentUnavailable => InvalidClient,
        "client_id: the metadata document could not be had or read",
        "see the line of the fetch in the log; gatelodge client import URL FILE needs none",
        "OAuth Client ID Metadata Document §4", Client;
    DocumentUnreachable => InvalidRequest as DOCUMENT_UNREACHABLE,
        "client_id: the server of the metadata document could not be reached securely",
        "see that the document can be had over https",
        "OAuth Client ID Metadata Document §4", Client;
    DocumentWithSecret => InvalidClientMetadata,
        "the metadata document, which everybody can read, has a secret, or a method that needs one",
        "let the client be public, or sign with a key",
        "OAuth Client ID Metadata Document §4.1", Client;
    InitialAccessTokenWrong => InvalidToken,
        "the initial access token is not the one that lets register clients",
        "see registration.token in the configuration",
        "RFC 7591 §3", Client;
    JwksMalformed => InvalidClientMetadata,
        "jwks is no JWK Set with a public key that can verify here, or it shows a secret one",
        "let the client publish public keys for EdDSA, ES256 or RS256 with 2048 to 4096 bits",
        "RFC 7517 §5", Client;
    RedirectUrisUnfit(why) => InvalidRedirectUri,
        "redirect_uris: {why}",
        "correct redirect_uris of the client",
        "RFC 7591 §3.2.2", Client;
    RegistrationAccessTokenWrong => InvalidToken,
        "the registration access token is not that of this client",
        "let the client send the registration_access_token that it was answered last",
        "RFC 7592 §2", Client;
    RegistrationOff => AccessDenied,
        "clients cannot register themselves here",
        "gatelodge client add registers one; registration.policy opens it to clients",
        "RFC 7591 §3", Configuration;
    SectorUnclear => InvalidClientMetadata,
        "sector_identifier_uri is missing or does not name every redirect URI, and these have no host in common",
        "let the client publish a list of its redirect URIs there",
        "OpenID Connect Core §8.1", Client;
    SoftwareStatementMalformed => InvalidSoftwareStatement,
        "software_statement is no JWT with client metadata, or is not valid now",
        "let the client send a statement that is valid",
        "RFC 7591 §2.3", Client;
    SoftwareStatementUnapproved => UnapprovedSoftwareStatement,
        "software_statement was signed by no key that the operator listed",
        "name its key in the configuration: registration.software_statement_keys",
        "RFC 7591 §3.2.2", Configuration;
    WebUriMalformed => InvalidClientMetadata,
        "an address is https, or http on loopback, in canonical form without user name and fragment",
        "correct the address",
        "RFC 7591 §2", Client;
    } };
}
