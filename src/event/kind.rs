macro_rules! kinds {
    ($($kind:ident = $name:literal, $sentence:literal;)*) => {
        /// What happened. The store and the API write its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $sentence] $kind,)*
        }

        impl Kind {
            /// Every kind, by its name.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name: the noun and what happened to it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// What happened, as a part of a sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$kind => $sentence,)* }
            }
        }
    };
}

kinds! {
    BackupFailed = "backup.failed", "the server could not make a backup";
    BackupMade = "backup.made", "a backup was made";
    BridgeCodeIssued = "bridge.code_issued", "a code for a bridge was issued";
    BridgeEnded = "bridge.ended", "a bridge was ended";
    BridgeOpened = "bridge.opened", "a bridge opened a session";
    BridgeTokenIssued = "bridge.token_issued", "a token for a bridge was issued";
    CertificateAuthorityRenewed = "certificate.authority_renewed", "the certificate of the local CA was renewed";
    CertificateAuthorityUnfit = "certificate.authority_unfit", "the local CA was not valid";
    CertificateEnrolled = "certificate.enrolled", "a certificate of a device was registered";
    CertificateIssued = "certificate.issued", "a TLS certificate was issued";
    CertificateRevoked = "certificate.revoked", "a certificate of a device was revoked";
    ClientAdded = "client.added", "a client was added";
    ClientChanged = "client.changed", "a client was changed";
    ClientRegistered = "client.registered", "a client registered itself";
    ClientRemoved = "client.removed", "a client was removed";
    ClientSecretRotated = "client.secret_rotated", "a client got a new secret";
    ClockJumped = "clock.jumped", "the clock jumped";
    CodeReplayed = "code.replayed", "a used code returned, and its grant was ended";
    ConfigReloaded = "config.reloaded", "the configuration was read again";
    ConsentDenied = "consent.denied", "a person refused an app";
    ConsentGiven = "consent.given", "a person allowed an app";
    DeviceAllowed = "device.allowed", "a person allowed a device";
    DeviceDenied = "device.denied", "a person refused a device";
    EmailChanged = "email.changed", "a person changed their e-mail address";
    FileApplied = "file.applied", "a file of clients, people and resources was applied";
    FileExported = "file.exported", "people, clients and resources were exported";
    FileImported = "file.imported", "people, clients and resources were imported";
    GrantRevoked = "grant.revoked", "a grant was ended";
    InvitationAdded = "invitation.added", "an invitation was made";
    InvitationRevoked = "invitation.revoked", "an invitation was revoked";
    IssuerChanged = "issuer.changed", "the issuer was changed";
    RootKeyForgotten = "key.root_forgotten", "what was made under an earlier root key ended";
    RootKeyRotated = "key.root_rotated", "the root key was replaced";
    KeyRotated = "key.rotated", "a signing key was replaced";
    LinkIssued = "link.issued", "a setup link was issued";
    LinkRevoked = "link.revoked", "a setup link was revoked";
    PasskeyAdded = "passkey.added", "a passkey was registered";
    PasskeyCopied = "passkey.counter_back", "the counter of a passkey went back";
    PasskeyRemoved = "passkey.removed", "a passkey was removed";
    PasskeyRenamed = "passkey.renamed", "a passkey was renamed";
    RecoveryCodeUsed = "recovery_code.used", "a person used a recovery code";
    RecoveryCodesMade = "recovery_codes.made", "a person made new recovery codes";
    RefreshTokenAhead = "refresh_token.ahead", "a refresh token was newer than the store";
    RefreshTokenReplayed = "refresh_token.replayed", "a spent refresh token returned, and its grant was ended";
    RequestRefused = "request.refused", "a request was refused";
    ResourceAdded = "resource.added", "a resource was added";
    ResourceChanged = "resource.changed", "a resource was changed";
    ResourceRemoved = "resource.removed", "a resource was removed";
    ScopesLeftOut = "scope.left_out", "an app asked for scopes that it may not have, and went on without them";
    SessionsEnded = "session.all_ended", "all sessions of a person were ended, or all but one";
    SessionEnded = "session.ended", "a session was ended";
    SessionOpened = "session.opened", "a person signed in";
    StoreRestored = "store.restored", "the store was restored from a backup";
    TokenIssued = "token.issued", "an operator issued a token";
    PersonalTokenAdded = "token.personal_added", "a personal access token was made";
    PersonalTokenRevoked = "token.personal_revoked", "a personal access token was revoked";
    TokenRevoked = "token.revoked", "a token was revoked";
    TokenWithheld = "token.withheld", "a client introspected an active token that it may not know about";
    UserAdded = "user.added", "a person was added";
    UserChanged = "user.changed", "a person was changed";
    UserRemoved = "user.removed", "a person was removed";
}

impl std::str::FromStr for Kind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|kind| kind.name() == name).copied().ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_the_order_of_their_names_and_each_has_one() {
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.name()));
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
    }
}
