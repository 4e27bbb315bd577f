//! Samples of what people allowed.

use gatelodge::oauth::id::{ClientId, GrantId, UserId};
use gatelodge::secret::{Entropy, RefreshSalt, TokenHash};
use gatelodge::store::schema::{
    Authorization, Code, Consent, Family, Grant, Removal, Revoked, Spending, Subject, Withdrawal,
};

use super::{at, authentication, claims, hash, id, read, scope, shop, text, until};

pub(super) fn authorization() -> Authorization {
    Authorization {
        authentication: authentication(),
        claims: claims(),
        client: shop(),
        given: at(1),
        resources: vec![read("https://api.example/")],
        scope: scope(),
        session: id(3),
        user: id(5),
    }
}

pub(super) fn codes() -> Vec<(TokenHash, Code)> {
    let full = Code {
        authorization: authorization(),
        code_challenge: Some(read("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")),
        expires: until(600),
        nonce: Some(text("n-0S6_WzA2Mj")),
        redirect_uri: Some(text("https://app.example/cb")),
        retained_until: at(900),
        spent: Some(id(4)),
    };
    let least = Code {
        authorization: Authorization { resources: vec![], ..authorization() },
        code_challenge: None,
        nonce: None,
        redirect_uri: None,
        spent: None,
        ..full.clone()
    };
    vec![(hash(4), full), (hash(5), least)]
}

pub(super) fn consents() -> Vec<((UserId, ClientId, String), Consent)> {
    let row = Consent { allowed: vec![(text("https://api.example/"), scope())], given: at(2) };
    vec![((id(5), shop(), text("app.example")), row)]
}

/// Of the first layout, whose refresh tokens are of the only key.
pub(super) fn first_grants() -> Vec<(GrantId, Grant)> {
    let mut rows = grants();
    for (_, grant) in &mut rows {
        grant.family = grant.family.take().map(|family| Family { key: 1, ..family });
    }
    rows
}

pub(super) fn grants() -> Vec<(GrantId, Grant)> {
    let full = Grant {
        authorization: authorization(),
        by_operator: true,
        created: at(3),
        ended: Some(at(4)),
        expires: at(5),
        family: Some(Family {
            ahead: true,
            key: 2,
            spendings: vec![Spending { at: at(6), first: 126 }, Spending { at: at(7), first: 128 }],
            newest: 129,
            salt: RefreshSalt::from_seed(&Entropy::seeded(1).seed()),
        }),
        offline: true,
    };
    let least = Grant {
        authorization: Authorization { resources: vec![], ..authorization() },
        by_operator: false,
        ended: None,
        family: None,
        offline: false,
        ..full.clone()
    };
    vec![(id(4), full), (id(6), least)]
}

pub(super) fn revoked() -> Vec<(String, Revoked)> {
    vec![(text("0190163d-8694-439b-aea5-966c26f8ad04.AAAA"), Revoked { expires: at(900) })]
}

pub(super) fn withdrawals() -> Vec<((UserId, ClientId), Withdrawal)> {
    vec![((id(5), shop()), Withdrawal { at: at(8), expires: at(9) })]
}

pub(super) fn removals() -> Vec<(Subject, Removal)> {
    let resumed = Removal { at: at(8), cursor: Some([7; 16]) };
    let first = Removal { cursor: None, ..resumed.clone() };
    vec![
        (Subject::Authorization(id(5), shop()), resumed),
        (Subject::Client(shop()), first.clone()),
        (Subject::Person(id(5)), first.clone()),
        (Subject::Session(id(3)), first.clone()),
        (Subject::Sessions(id(5)), first),
    ]
}
