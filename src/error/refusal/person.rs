//! The rows of people: sign-in, passkeys, setup links, sessions, pages and the applications behind a
//! proxy (WebAuthn, OpenID Connect Core §3.1.2.3).

macro_rules! person {
    ([$next:ident $($others:ident)*] $($rows:tt)*) => { $next! { [$($others)*] $($rows)*
    AdministrationClosed => AccessDenied as ADMINISTRATION_CLOSED,
        "none of the person's roles allows this part of the administration",
        "gatelodge user set NAME --role ROLE, with every role the person is to have",
        "RFC 9110 §15.5.4", Right;
    AppCodeOfAnotherBrowser => InteractionOver as INTERACTION_OVER,
        "the sign-in for the application was begun in another browser",
        "open the application again, in the browser that is to use it",
        "RFC 6749 §10.12", Again;
    AppCodeUnknown => InteractionOver as INTERACTION_OVER,
        "the code for the application is unknown, used, too old or for another host",
        "open the application again",
        "RFC 6749 §4.1.2", Again;
    AppProxyUnknown => AccessDenied,
        "only a proxy that the configuration names, or one on this machine, may ask who somebody is",
        "name the proxy in the configuration: behind_proxy",
        "RFC 9110 §15.5.4", Configuration;
    AppRoleMissing => AccessDenied as APP_ROLE_MISSING,
        "the person has none of the roles that the application lets in",
        "gatelodge user set NAME --role ROLE, with every role the person is to have",
        "RFC 9110 §15.5.4", Command;
    AppSessionMissing => LoginRequired,
        "nobody is signed in at the application",
        "sign in; the proxy has to pass the redirect on",
        "RFC 9110 §15.5.2", Person;
    AppUnknown => AccessDenied,
        "the configuration knows no application at this host",
        "name the host in the configuration, as the section apps.HOST",
        "RFC 9110 §15.5.4", Configuration;
    CeremonyExpired => CeremonyOver as CEREMONY_OVER,
        "the passkey ceremony was not finished in time",
        "try again; lifetimes.ceremony says how long one lasts",
        "WebAuthn §13.4.3", Again;
    CeremonyOfAnotherBrowser => CeremonyOver as CEREMONY_OVER,
        "the passkey ceremony was begun in another browser",
        "try again in one browser",
        "WebAuthn §13.4.3", Again;
    CeremonyUnknown => CeremonyOver as CEREMONY_OVER,
        "the passkey ceremony is unknown or already finished",
        "try again",
        "WebAuthn §13.4.3", Again;
    CredentialCounterBack => PasskeyRefused as PASSKEY_REFUSED,
        "the passkey's counter went back, as that of a copy would",
        "gatelodge user recover NAME prints a link for a new passkey",
        "WebAuthn §6.1.1", Person;
    CredentialCrossOrigin => PasskeyRefused as PASSKEY_REFUSED,
        "the passkey was asked for in a frame of another page",
        "open the page of this server by itself",
        "WebAuthn §13.4.2", Person;
    CredentialIdUnfit => PasskeyRefused as PASSKEY_REFUSED,
        "the passkey's id has not 1 to 1023 bytes",
        "use another passkey or security key",
        "WebAuthn §7.1", Person;
    CredentialNotOurs => PasskeyRefused as PASSKEY_FOREIGN,
        "the passkey is not known here, and is none that was removed here",
        "use another passkey; gatelodge user recover NAME prints a link for a new one",
        "WebAuthn §7.2", Person;
    CredentialOfAnotherPerson => PasskeyRefused as PASSKEY_REFUSED,
        "the passkey's user handle is not that of its owner",
        "use another passkey; gatelodge user recover NAME prints a link for a new one",
        "WebAuthn §7.2", Person;
    CredentialOfRemovedPerson => PasskeyRemoved as PASSKEY_OF_REMOVED,
        "the passkey is of a person who was removed",
        "gatelodge user add NAME prints a link for a new account",
        "WebAuthn §7.2", Person;
    CredentialRefused => PasskeyRefused as PASSKEY_REFUSED,
        "the passkey's answer did not verify",
        "try again; gatelodge user recover NAME prints a link for a new passkey",
        "WebAuthn §7.2", Person;
    CredentialRegistered => PasskeyRefused as PASSKEY_REFUSED,
        "the passkey is registered already",
        "sign in with it",
        "WebAuthn §7.1", Person;
    CredentialRemoved => PasskeyRemoved as PASSKEY_REMOVED,
        "the passkey was removed from its account",
        "use another passkey; gatelodge user recover NAME prints a link for a new one",
        "WebAuthn §7.2", Person;
    CredentialUnstored => PasskeyRemoved as PASSKEY_UNSTORED,
        "the passkey was made by a setup link that another ceremony used first",
        "remove it from the device, and use the passkey of the other ceremony",
        "WebAuthn §7.2", Person;
    CrossSite => Forbidden as FOREIGN_PAGE,
        "the request did not come from a page of this server",
        "open the page under the issuer's address, and try again",
        "Fetch §3.2", Person;
    CsrfTokenWrong => Forbidden as STALE_PAGE,
        "the page's anti-forgery token is missing or stale",
        "load the page again",
        "RFC 6749 §10.12", Person;
    InteractionDecisionMalformed => InvalidRequest,
        "decision is neither allow nor deny",
        "load the page again",
        "RFC 6749 §4.1.1", Person;
    InteractionExpired => InteractionOver as INTERACTION_OVER,
        "the sign-in was not finished in time",
        "start again at the application; lifetimes.interaction says how long one lasts",
        "RFC 6749 §4.1.1", Again;
    InteractionOfAnotherBrowser => InteractionOver as INTERACTION_OVER,
        "the sign-in was begun in another browser",
        "start again at the application, in one browser that takes cookies",
        "RFC 6749 §10.12", Again;
    InteractionUnknown => InteractionOver as INTERACTION_OVER,
        "the sign-in is unknown or already finished",
        "start again at the application",
        "RFC 6749 §4.1.1", Again;
    InvitationEarly => SignUpClosed as INVITATION_EARLY,
        "there is no administrator yet, and the first account is made by their setup link",
        "gatelodge user recover prints the first administrator's link",
        "WebAuthn §7.1", Again;
    InvitationExhausted => InvitationExhausted as INVITATION_EXHAUSTED,
        "as many people have come by the invitation as it was for",
        "gatelodge invite add --uses COUNT makes another one",
        "WebAuthn §7.1", Again;
    InvitationExpired => InvitationExpired as INVITATION_EXPIRED,
        "the invitation has expired",
        "gatelodge invite add --until 7d makes another one",
        "WebAuthn §7.1", Again;
    InvitationLapsed => InvitationRevoked as INVITATION_REVOKED,
        "whoever made the invitation may not give any more what it gives",
        "gatelodge invite add makes another one",
        "WebAuthn §7.1", Again;
    InvitationRevoked => InvitationRevoked as INVITATION_REVOKED,
        "the invitation was revoked",
        "gatelodge invite add makes another one",
        "WebAuthn §7.1", Again;
    InvitationUnknown => InvitationUnknown as INVITATION_UNKNOWN,
        "the invitation is not known here",
        "check that it was copied whole; gatelodge invite add makes another one",
        "WebAuthn §7.1", Again;
    LinkRedirectUnfit => InvalidRequest,
        "redirect_uri: a device link leads to http on a loopback host with a port, and nowhere else",
        "correct redirect_uri in the program",
        "RFC 8252 §7.3", Client;
    PasskeyIsLast => Conflict as PASSKEY_IS_LAST,
        "the passkey is the only one of its person, who did not say that they want to have none",
        "add another passkey first, or tick that you want to remove the only one",
        "WebAuthn §13.4.6", Person;
    PasskeysTooMany => Conflict as PASSKEYS_TOO_MANY,
        "the person has 100 passkeys, and nobody has more",
        "gatelodge passkey remove ID removes one",
        "WebAuthn §7.1", Person;
    RecoveryCodeOver => SetupLinkUsed as RECOVERY_CODE_OVER,
        "the recovery code is from before its person was disabled",
        "gatelodge user recover NAME prints a link",
        "WebAuthn §7.1", Again;
    RecoveryCodeUnknown => SetupLinkUnknown as RECOVERY_CODE_UNKNOWN,
        "the recovery code is not known here",
        "check that it was typed whole, and that its person made no newer ones",
        "WebAuthn §7.1", Again;
    RecoveryCodeUsed => SetupLinkUsed as RECOVERY_CODE_USED,
        "the recovery code was used already",
        "use another one; gatelodge user recover NAME prints a link",
        "WebAuthn §7.1", Again;
    SessionKeyInUse => InvalidSessionProof as SESSION_UNPROVEN,
        "the key of the new session is that of another one",
        "load the page again",
        "RFC 9449 §11.1", Person;
    SessionKeyMissing => InvalidSessionProof as SESSION_UNPROVEN,
        "a session here needs a key, and the request proved none",
        "load the page again, with JavaScript",
        "RFC 9449 §4.3", Person;
    SessionProofExpired => InvalidSessionProof as SESSION_UNPROVEN,
        "the proof's challenge is older than a minute, or not of this process",
        "load the page again",
        "RFC 9449 §9", Again;
    SessionProofMalformed => InvalidSessionProof as SESSION_UNPROVEN,
        "the proof of the session is malformed, or its key did not sign it",
        "load the page again",
        "RFC 9449 §4.3", Person;
    SessionProofMismatched => InvalidSessionProof as SESSION_UNPROVEN,
        "the proof is for another method, path or body",
        "load the page again",
        "RFC 9449 §4.3", Person;
    SessionProofUsed => InvalidSessionProof as SESSION_UNPROVEN,
        "the proof was used before",
        "load the page again",
        "RFC 9449 §11.1", Again;
    SessionProofsTooMany => TooManyRequests as TOO_MANY,
        "the session made more requests within a minute than are remembered",
        "wait a minute",
        "RFC 6585 §4", Again;
    SetupTokenDisabled => AccountDisabled as ACCOUNT_DISABLED,
        "the person of the setup link is disabled",
        "gatelodge user enable NAME, and gatelodge user recover NAME prints a new link",
        "WebAuthn §7.1", Again;
    SetupTokenExpired => SetupLinkExpired as SETUP_LINK_EXPIRED,
        "the setup link has expired",
        "gatelodge user recover NAME prints a new one; lifetimes.setup_token says how long one lasts",
        "WebAuthn §7.1", Again;
    SetupTokenMismatched => SetupLinkMismatched as SETUP_LINK_MISMATCHED,
        "the setup link is not for this",
        "open the link itself once more",
        "WebAuthn §7.1", Person;
    SetupTokenRevoked => SetupLinkRevoked as SETUP_LINK_REVOKED,
        "the setup link was revoked",
        "gatelodge user recover NAME prints a new one",
        "WebAuthn §7.1", Again;
    SetupTokenSuperseded => SetupLinkSuperseded as SETUP_LINK_SUPERSEDED,
        "a newer setup link for the same person has replaced this one",
        "open the newest; gatelodge link list shows them, and gatelodge user recover NAME prints another",
        "WebAuthn §7.1", Again;
    SetupTokenSuspended => SetupLinkSuspended as SETUP_LINK_SUSPENDED,
        "the person of the setup link was disabled after it was made",
        "gatelodge user recover NAME prints a new one",
        "WebAuthn §7.1", Again;
    SetupTokenUnknown => SetupLinkUnknown as SETUP_LINK_UNKNOWN,
        "the setup link is not known here",
        "check that it was copied whole; gatelodge user recover NAME prints a new one",
        "WebAuthn §7.1", Again;
    SetupTokenUsed => SetupLinkUsed as SETUP_LINK_USED,
        "the setup link was used already",
        "gatelodge user recover NAME prints a new one",
        "WebAuthn §7.1", Again;
    SignInStale => LoginRequired as SIGN_IN_STALE,
        "this needs a sign-in within the last five minutes",
        "sign in again",
        "OpenID Connect Core §3.1.2.1", Person;
    SignUpClosed => SignUpClosed as SIGN_UP_CLOSED,
        "somebody came without a link, and nobody signs up here by themselves, or there is no administrator yet",
        "policy.sign_up = \"open\" in the configuration; or: gatelodge invite add",
        "WebAuthn §7.1", Configuration;
    StartedWithoutPerson => AccountRemoved as ACCOUNT_REMOVED,
        "the setup link belongs to a person who is no longer here",
        "gatelodge user add NAME prints a link for a new person",
        "WebAuthn §7.1", Again;
    UserNotVerified => PasskeyRefused as USER_NOT_VERIFIED,
        "the passkey was used without a PIN, a fingerprint or a face",
        "set a PIN for the security key, or a screen lock for the device, and try again",
        "WebAuthn §7.2", Person;
    UsernameTaken => UsernameTaken as USERNAME_TAKEN,
        "somebody chose a username that another person has",
        "choose another username",
        "WebAuthn §5.4.3", Person;
    } };
}
