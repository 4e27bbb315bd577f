//! Samples of what people allowed.

use gatelodge::oauth::id::{ClientId, GrantId, UserId};
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{Code, Consent, Grant, Refresh, Revoked, Withdrawal};

use super::{at, authentication, claims, hash, id, read, scope, shop, text};

pub(super) fn codes() -> Vec<(TokenHash, Code)> {
    let full = Code {
        authentication: authentication(),
        claims: claims(),
        client: shop(),
        code_challenge: Some(read("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")),
        created: at(1),
        expires: at(600),
        retained_until: at(900),
        nonce: Some(text("n-0S6_WzA2Mj")),
        redirect_uri: Some(text("https://app.example/cb")),
        resources: vec![read("https://api.example/")],
        scope: scope(),
        session: id(3),
        spent: Some(id(4)),
        user: id(5),
    };
    let least = Code {
        code_challenge: None,
        nonce: None,
        redirect_uri: None,
        resources: vec![],
        spent: None,
        ..full.clone()
    };
    vec![(hash(4), full), (hash(5), least)]
}

pub(super) fn consents() -> Vec<((UserId, ClientId, String), Consent)> {
    let row = Consent { allowed: vec![(text("https://api.example/"), scope())], given: at(2) };
    vec![((id(5), shop(), text("app.example")), row)]
}

pub(super) fn grants() -> Vec<(GrantId, Grant)> {
    let full = Grant {
        authentication: authentication(),
        claims: claims(),
        client: shop(),
        created: at(3),
        ended: Some(at(4)),
        expires: at(5),
        offline: true,
        resources: vec![read("https://api.example/")],
        scope: scope(),
        session: id(3),
        user: id(5),
    };
    let least = Grant { ended: None, offline: false, resources: vec![], ..full.clone() };
    vec![(id(4), full), (id(6), least)]
}

pub(super) fn refresh_tokens() -> Vec<(TokenHash, Refresh)> {
    let full = Refresh {
        client: shop(),
        expires: at(10),
        grant: id(4),
        retained_until: at(11),
        spent: Some(at(12)),
    };
    let least = Refresh { spent: None, ..full.clone() };
    vec![(hash(7), full), (hash(8), least)]
}

pub(super) fn revoked() -> Vec<(String, Revoked)> {
    vec![(text("0190163d-8694-439b-aea5-966c26f8ad04.AAAA"), Revoked { expires: at(900) })]
}

pub(super) fn withdrawals() -> Vec<((UserId, ClientId), Withdrawal)> {
    vec![((id(5), shop()), Withdrawal { at: at(8), expires: at(9) })]
}
