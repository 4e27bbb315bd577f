//! What a device of a person comes in by: personal access tokens and certificates.

use super::deed::{self, Deed};
use crate::admin::certificate::DeviceCertificateView;
use crate::admin::personal_token::PersonalTokenView;
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::done::Done;
use crate::http::failure::PageFailure;

/// The end of a personal access token.
pub(super) enum RevokeToken {}

impl deed::Kind for RevokeToken {
    const DONE: Done = Done::TokenRevoked;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let token: PersonalTokenView = administrator.get(&path_of("personal-tokens", id)).await?;
        let t = &administrator.texts().admin.devices;
        let next = deed::person(administrator);
        let question = deed::ending(
            next.clone(),
            t.revoke_token_title(&token.name).plain(),
            t.revoke_means().plain(),
            t.revoke().plain(),
        );
        Ok(Deed::end(path_of("personal-tokens", &token.id), next, question))
    }
}

/// The end of a certificate.
pub(super) enum Revoke {}

impl deed::Kind for Revoke {
    const DONE: Done = Done::CertificateRevoked;

    async fn of(administrator: &Administrator, id: &str) -> Result<Deed, PageFailure> {
        let operation = path_of("bridge/certificates", id);
        let certificate: DeviceCertificateView = administrator.get(&operation).await?;
        let t = &administrator.texts().admin.devices;
        let next = deed::person(administrator);
        let question = deed::ending(
            next.clone(),
            t.revoke_certificate_title(&certificate.name).plain(),
            t.revoke_means().plain(),
            t.revoke().plain(),
        );
        let operation = path_of("bridge/certificates", &certificate.fingerprint);
        Ok(Deed::end(operation, next, question))
    }
}
