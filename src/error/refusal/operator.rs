//! The rows of the administration socket, and of what an operator names (a redirect URI, a scope).

macro_rules! operator {
    ([$next:ident $($others:ident)*] $($rows:tt)*) => { $next! { [$($others)*] $($rows)*
    AccessTokenLifetimeUnfit => InvalidRequest,
        "access_token_lifetime: the access tokens of a client last from 60 seconds to one day",
        "gatelodge client set CLIENT --access-token-lifetime SECONDS",
        "RFC 6749 §5.1", Operator;
    AdministrationExceeded(scope) => InsufficientScope,
        "this is about somebody or something with the scope {scope}, which the access token lacks",
        "bring a token with that scope or with admin, or use the command line on the machine of the server",
        "RFC 6750 §3.1", Operator;
    AssertionsUnfit => InvalidRequest,
        "assertions: rfc7523 is only for a client that an operator registered",
        "let the client send the issuer as aud and its type; gatelodge client add registers a client that is yours",
        "RFC 10070 §4", Operator;
    CatalogueEntryNotFound => NotFound,
        "the catalogue has no application of this name",
        "gatelodge catalogue list shows those that there are",
        "RFC 9110 §15.5.5", Operator;
    CatalogueOptionUnfit => InvalidRequest,
        "an option is none that this application has, is missing, or is more than 64 letters, digits, dots, hyphens and underscores",
        "gatelodge catalogue show APP shows its options; --option NAME=VALUE names one",
        "RFC 9110 §15.5.1", Operator;
    CatalogueUrlUnfit => InvalidRequest,
        "url: this application needs the web address at which it is reached, without query and fragment",
        "gatelodge client add --app APP --url https://app.example",
        "RFC 9110 §15.5.1", Operator;
    CertificateExists => Conflict,
        "this certificate is registered already",
        "gatelodge bridge certs lists the certificates",
        "RFC 9110 §15.5.10", Operator;
    CertificateMalformed => InvalidRequest,
        "this is no X.509 certificate in PEM",
        "openssl x509 -in FILE -text shows what a file has",
        "RFC 7468 §5", Operator;
    CertificateNameForbidden => InvalidRequest,
        "the local CA vouches for private names and addresses, and for those of this server",
        "ask for such a name, or another CA",
        "RFC 5280 §4.2.1.10", Operator;
    CertificateNotFound => NotFound,
        "no device certificate with this fingerprint is registered",
        "gatelodge bridge certs lists the certificates",
        "RFC 9110 §15.5.5", Operator;
    CertificateOver => InvalidRequest,
        "the certificate's time is over",
        "make a new certificate",
        "RFC 5280 §4.1.2.5", Operator;
    CertificateRequestMalformed => InvalidRequest,
        "this is no certificate request in PEM that its key signed",
        "make a new request",
        "RFC 2986 §4", Operator;
    ClaimReserved => InvalidRequest,
        "claims: the protocol or this server uses a claim of this name",
        "choose another name, or: gatelodge user set NAME --name, --email, --group, --role",
        "OpenID Connect Core §5.1", Operator;
    ClientDescribesItself => InvalidRequest,
        "the client describes itself, and this is not the operator's to change of it",
        "gatelodge client add registers a client that is yours",
        "RFC 7591 §2", Operator;
    ClientExists => Conflict,
        "a client with this id exists already",
        "gatelodge client set CLIENT changes it; gatelodge client remove CLIENT removes it",
        "RFC 9110 §15.5.10", Operator;
    ClientIdMalformed => InvalidRequest,
        "client_id is not 1 to 255 printable ASCII characters",
        "correct client_id",
        "RFC 6749 appendix A.1", Operator;
    ClientIdReserved => InvalidRequest,
        "client_id begins with http:, https:, bridge: or anon_, or is a UUID or an audience of this server",
        "choose another client_id",
        "RFC 6749 §2.2", Operator;
    ClientMetadataContradictory(why) => InvalidRequest,
        "the client's settings contradict each other: {why}",
        "name both settings in one command",
        "RFC 7591 §2", Operator;
    ClientNotFound => NotFound,
        "there is no client with this id",
        "gatelodge client list shows the clients",
        "RFC 9110 §15.5.5", Operator;
    ClientSecretUnfit => InvalidRequest,
        "a client secret is 1 to 1024 printable ASCII characters, for a client that proves itself by one",
        "gatelodge client rotate-secret CLIENT makes one",
        "RFC 6749 §2.3.1", Operator;
    ClockInDoubt => Conflict,
        "the clock is in doubt, so nobody knows when a key that waits would sign",
        "correct the clock, or wait until it has run for an hour; gatelodge key rotate --now does not wait",
        "RFC 9110 §15.5.10", Operator;
    ConfigurationFaulty => Conflict,
        "the configuration has faults, and the one before stays in force",
        "gatelodge config check says everything that is wrong",
        "RFC 9110 §15.5.10", Operator;
    ConfiguredOtherwise => Conflict,
        "the configuration defines this scope or role, and in another way",
        "take it out of the file, or out of the configuration: gatelodge config show",
        "RFC 9110 §15.5.10", Operator;
    CursorMalformed => InvalidRequest,
        "cursor is not one that this listing returned",
        "begin the listing again",
        "RFC 9110 §15.5.1", Operator;
    ConnectionNotFound => NotFound,
        "the person lets this client do nothing, or no person and client are named with a colon between them",
        "gatelodge connection list shows who lets which client do something",
        "RFC 9110 §15.5.5", Operator;
    DefinitionInUse => Conflict,
        "a scope or role that is to be removed is still in use",
        "name it in the file again, or take it away from what has it first",
        "RFC 9110 §15.5.10", Operator;
    EmailMalformed => InvalidRequest,
        "email is no address of at most 254 bytes, or has an invisible character",
        "correct the address",
        "RFC 5321 §4.5.3.1", Operator;
    EmailMissing => InvalidRequest,
        "email_verified: the person has no e-mail address",
        "gatelodge user set NAME --email ADDRESS --email-verified",
        "OpenID Connect Core §5.1", Operator;
    EmailTaken => Conflict as EMAIL_TAKEN,
        "another person has this e-mail address, in this form or another",
        "choose another address, or: gatelodge user set OTHER --email ''",
        "OpenID Connect Core §5.1", Operator;
    EmailUnnamed => InvalidRequest,
        "email_verified: the person typed this address, so whoever vouches for it has to name it",
        "gatelodge user set NAME --email ADDRESS --email-verified",
        "OpenID Connect Core §5.1", Operator;
    EventIdMalformed => InvalidRequest,
        "an event id is 16 hexadecimal digits, as the page, the response and the log have it",
        "gatelodge events lists the events",
        "RFC 9110 §15.5.1", Operator;
    EventKindUnknown => InvalidRequest,
        "there is no such kind of event",
        "name one that there is",
        "RFC 9110 §15.5.1", Operator;
    EventNotFound => NotFound,
        "there is no event of this id: it has expired, or more requests were refused than are stored",
        "gatelodge events lists the events",
        "RFC 9110 §15.5.5", Operator;
    FilterMalformed => InvalidRequest,
        "the query has a parameter that this listing does not know, or one without a value",
        "correct the parameter; GET /api/v1/openapi.json lists them",
        "RFC 9110 §15.5.1", Operator;
    GrantNotFound => NotFound,
        "there is no such grant in force",
        "gatelodge grant list shows the grants",
        "RFC 9110 §15.5.5", Operator;
    GroupMalformed => InvalidRequest,
        "a group is 1 to 128 visible ASCII characters without comma",
        "choose another name for the group",
        "RFC 9110 §5.6.1", Operator;
    HookClientOfDevices => Conflict,
        "each linked device of its person would bring this client back, so it is not removed",
        "gatelodge client disable CLIENT disables it; gatelodge bridge end DEVICE ends a device",
        "RFC 9110 §15.5.10", Operator;
    HookSecretOfDevices => Conflict,
        "each linked device of its person has a secret of its own for this client, and asks for it",
        "gatelodge bridge end DEVICE ends a device with its secret",
        "RFC 9110 §15.5.10", Operator;
    ImportDiffers => Conflict,
        "this is here already, and the file says something else of it",
        "gatelodge client set and gatelodge user set change what is here; or take it out of the file",
        "RFC 9110 §15.5.10", Operator;
    ImportFaulty => InvalidRequest,
        "the file cannot be imported, and nothing of it was",
        "correct what the lines say, or make the file anew: gatelodge export FILE",
        "RFC 9110 §15.5.1", Operator;
    InvitationNotFound => NotFound,
        "there is no such invitation",
        "gatelodge invite list shows the invitations",
        "RFC 9110 §15.5.5", Operator;
    InvitationOver => Conflict,
        "the invitation is over already: it is exhausted, expired or revoked",
        "gatelodge invite list shows what became of each",
        "RFC 9110 §15.5.10", Operator;
    IssuerAtAddress => InvalidRequest,
        "the issuer has an IP address for a host, which cannot be the RP ID of a passkey",
        "choose a name: http://localhost on this machine, or https with a host name",
        "WebAuthn §5.1.2", Operator;
    IssuerUnfit => InvalidRequest,
        "the issuer is no https URL, and no http URL of a loopback host",
        "choose such a URL",
        "RFC 8414 §2", Operator;
    LastAdministrator => Conflict,
        "nobody would be left to administer this server",
        "gatelodge user set NAME --role admin makes another person an administrator first",
        "RFC 9110 §15.5.10", Operator;
    LimitMalformed => InvalidRequest,
        "limit is no number from 1 to 1000",
        "correct limit",
        "RFC 9110 §15.5.1", Operator;
    MemberMalformed(member, why) => InvalidRequest,
        "{member}: {why}",
        "correct that value",
        "RFC 9110 §15.5.1", Operator;
    MemberUnknown => InvalidRequest,
        "the document has a name here that means nothing",
        "take one of those that there are",
        "RFC 9110 §15.5.1", Operator;
    NameAmbiguous => Conflict,
        "several have this name, or an id that begins so",
        "name one of them by its whole id",
        "RFC 9110 §15.5.10", Operator;
    NameMalformed => InvalidRequest,
        "a name is 1 to 128 characters without control characters, and not only invisible ones",
        "choose another name",
        "RFC 7591 §2", Operator;
    NotListed(member) => Conflict,
        "{member}: what is to be taken away is not there",
        "name one that is there",
        "RFC 9110 §15.5.10", Operator;
    PersonTooLarge => InvalidRequest,
        "the claims, groups and roles of a person have at most 6 KiB together as JSON, so that tokens can carry them",
        "take some away: gatelodge user set NAME --claim NAME= --group GROUP",
        "RFC 9110 §15.5.14", Operator;
    PasskeyNameTaken => Conflict as PASSKEY_NAME_TAKEN,
        "name: this person has another passkey of that name",
        "choose another name",
        "RFC 9110 §15.5.10", Operator;
    PasskeyNotFound => NotFound as PASSKEY_GONE,
        "there is no such passkey",
        "gatelodge passkey list lists them",
        "RFC 9110 §15.5.5", Operator;
    PersonalTokenNotFound => NotFound,
        "there is no such personal access token",
        "gatelodge bridge pats lists them",
        "RFC 9110 §15.5.5", Operator;
    PkceOptionalUnfit => InvalidRequest,
        "pkce: optional is only for a confidential client that an operator registered",
        "gatelodge client set CLIENT --pkce default takes it back; gatelodge client add registers a client that may have it",
        "RFC 9700 §2.1.1", Operator;
    RedirectUriDangerous => InvalidRequest,
        "a redirect URI has a scheme that a browser or shell interprets",
        "use https, http on loopback, or a reverse domain name",
        "RFC 8252 §8.4", Operator;
    RedirectUriHasDotSegments => InvalidRequest,
        "a redirect URI has . or .. in its path",
        "write the path without them",
        "RFC 3986 §5.2.4", Operator;
    RedirectUriHasFragment => InvalidRequest,
        "a redirect URI has a fragment",
        "write the URI without it",
        "RFC 6749 §3.1.2", Operator;
    RedirectUriHasUserinfo => InvalidRequest,
        "a redirect URI has a user name or password",
        "write the URI without them",
        "RFC 3986 §3.2.1", Operator;
    RedirectUriMalformed => InvalidRequest,
        "a redirect URI is no absolute URI in canonical form",
        "write the URI as a browser displays it",
        "RFC 6749 §3.1.2", Operator;
    RedirectUriNotHttps => InvalidRequest,
        "a redirect URI with http is for loopback hosts only",
        "use https",
        "RFC 8252 §7.3", Operator;
    RedirectUriOutOfBand => InvalidRequest,
        "urn:ietf:wg:oauth:2.0:oob leads nowhere: a code is not copied by hand here",
        "let the program listen on http://127.0.0.1, at any port, or use the device grant",
        "RFC 8252 §7.3", Operator;
    RedirectUriPrivate => InvalidRequest,
        "a redirect URI with http lies in a private network, where others read along",
        "use https; gatelodge tls issue NAME --out FILE --key FILE makes a certificate for such a name",
        "RFC 8252 §8.3", Operator;
    RedirectUriSchemeUnknown => InvalidRequest,
        "a private-use redirect scheme is a reverse domain name, or listed in the configuration",
        "list it in the configuration: policy.private_use_schemes",
        "RFC 8252 §7.1", Operator;
    RedirectUriUnderGate => InvalidRequest,
        "a loopback redirect URI lies under /gate/, where this server's cookies go",
        "use another path",
        "RFC 6265 §8.5", Operator;
    RedirectUriWildcard => InvalidRequest,
        "a redirect URI has a wildcard",
        "name each URI; the port of a loopback URI may be any",
        "RFC 9700 §2.1", Operator;
    RefusalUnknown => InvalidRequest,
        "there is no refusal of this name",
        "gatelodge events lists refused requests with the names",
        "RFC 9110 §15.5.1", Operator;
    RepairDiffers => Conflict,
        "what lets the request pass is no longer what the page showed",
        "look at what the page shows now, and decide again",
        "RFC 9110 §15.5.10", Operator;
    RepairMissing => NotFound,
        "no change of the settings lets this request pass",
        "read what the event says about it: gatelodge explain ID",
        "RFC 9110 §15.5.5", Operator;
    RepairUntrusted => InvalidRequest,
        "for an address that came with a request, or an app that named itself, somebody has to know it",
        "tick that you know the host or the app, if you do",
        "RFC 6749 §10.15", Operator;
    ResourceExists => Conflict,
        "this resource is registered already",
        "gatelodge resource show URI shows it",
        "RFC 9110 §15.5.10", Operator;
    ResourceIsClient => Conflict,
        "a client has this URI for its client_id, and its ID tokens would name the resource",
        "choose another URI, or: gatelodge client remove CLIENT",
        "RFC 8725 §3.12", Operator;
    ResourceNotFound => NotFound,
        "this resource is not registered",
        "gatelodge resource list shows the resources",
        "RFC 9110 §15.5.5", Operator;
    RoleUnknown => InvalidRequest,
        "the configuration knows no such role",
        "name it in the configuration: [roles], or in a file: gatelodge apply -f FILE",
        "RFC 9110 §15.5.1", Operator;
    RootKeyFileDiffers => Conflict,
        "the key file lacks a root secret that the store needs, so none is written there",
        "restore the key file that the server started with, and then: gatelodge key rotate --root",
        "RFC 9110 §15.5.10", Operator;
    RootKeysTooMany => Conflict,
        "four root keys are in force, and there are never more",
        "gatelodge key rotate --root --forget ends what was never used under the earlier ones",
        "RFC 9110 §15.5.10", Operator;
    ScopeReserved => InvalidRequest,
        "the scopes admin, admin: and hook: are never open to every client",
        "gatelodge client set CLIENT --scope NAME gives them to one",
        "RFC 6749 §3.3", Operator;
    ScopeUnknown => InvalidRequest,
        "the configuration knows no such scope",
        "gatelodge resource add URI --scope NAME, or name it in the configuration: [scopes], or in a file: gatelodge apply -f FILE",
        "RFC 6749 §3.3", Operator;
    SessionNotFound => NotFound,
        "there is no such session that lives",
        "gatelodge session list shows the sessions",
        "RFC 9110 §15.5.5", Operator;
    SetupLinkNotFound => NotFound,
        "there is no such setup link",
        "gatelodge link list shows the links",
        "RFC 9110 §15.5.5", Operator;
    SetupLinkOver => Conflict,
        "the setup link is over already: it was used, replaced or revoked, has expired, or its person is disabled or gone",
        "gatelodge link list shows what became of each",
        "RFC 9110 §15.5.10", Operator;
    SigningKeysTooMany => Conflict,
        "there are too many signing keys for another one",
        "gatelodge key list says when old ones are removed; gatelodge key rotate --now --revoke removes them at once",
        "RFC 9110 §15.5.10", Operator;
    TimeMalformed => InvalidRequest,
        "a time is written as in 2026-01-31T12:00:00Z",
        "correct the time",
        "RFC 3339 §5.6", Operator;
    UserDisabled => Conflict,
        "the person is disabled, and a link would let nobody in",
        "gatelodge user enable NAME, and then: gatelodge user recover NAME",
        "RFC 9110 §15.5.10", Operator;
    UserExists => Conflict,
        "a person with this username exists already",
        "gatelodge user recover NAME prints a link for another passkey",
        "RFC 9110 §15.5.10", Operator;
    UserNotFound => NotFound,
        "there is no person with this username",
        "gatelodge user list shows the people",
        "RFC 9110 §15.5.5", Operator;
    UsernameMalformed => InvalidRequest,
        "username is not 1 to 64 letters, digits and . _ - @ +",
        "choose another name",
        "RFC 8265 §3", Operator;
    UsernameMissing => InvalidRequest,
        "username is missing: somebody exists already, so a link needs the name of the person it is for",
        "gatelodge user recover NAME",
        "RFC 9110 §15.5.1", Operator;
    } };
}
