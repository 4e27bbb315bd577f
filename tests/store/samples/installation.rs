//! Samples of the installation and its keys.

use gatelodge::clock::Timestamp;
use gatelodge::oauth::id::KeyId;
use gatelodge::store::schema::{
    Applied, AppliedRole, AppliedScope, ClockRecord, Installation, LastingKeyRow, Restore,
    Retirement, RootKey, SigningKeyRow, Sizes,
};

use super::{SIGNING_ALGS, at, id, read, scope, text};

pub(super) fn applied() -> Vec<((String, String), Applied)> {
    let mark = |noun, name, members: &[u128]| {
        let members = members.iter().map(|n| id(*n)).collect();
        ((text(noun), text(name)), Applied { created: at(30), members })
    };
    vec![mark("client", "shop", &[]), mark("group", "staff", &[31, 32])]
}

pub(super) fn applied_roles() -> Vec<(String, AppliedRole)> {
    vec![(text("clerk"), AppliedRole { scope: scope() })]
}

pub(super) fn applied_scopes() -> Vec<(String, AppliedScope)> {
    let row = |description, open| AppliedScope { description: text(description), open };
    vec![
        (text("orders:read"), row("See your orders", true)),
        (text("orders:write"), row("Change your orders", false)),
    ]
}

/// Of the first layout, with one root secret.
pub(super) fn first_installations() -> Vec<((), Installation)> {
    let only = RootKey { check: [7; 32], generation: 1, since: at(0) };
    let issuer = read("https://id.example:8443");
    vec![((), Installation { created: at(0), issuer, roots: vec![only] })]
}

pub(super) fn installations() -> Vec<((), Installation)> {
    let root =
        |generation, since| RootKey { check: [generation; 32], generation, since: at(since) };
    let row = Installation {
        created: at(0),
        issuer: read("https://id.example:8443"),
        roots: vec![root(8, 23), root(7, 0)],
    };
    vec![((), row)]
}

pub(super) fn lasting_keys() -> Vec<((), LastingKeyRow)> {
    vec![((), LastingKeyRow { sealed: vec![4, 5, 6] })]
}

pub(super) fn clocks() -> Vec<((), ClockRecord)> {
    let record = ClockRecord {
        assertions_removed_up_to: at(1),
        jump: Some((at(5), at(6))),
        latest: at(2),
        removed_up_to: at(3),
        seen: at(4),
    };
    vec![((), record)]
}

pub(super) fn restores() -> Vec<((), Restore)> {
    vec![((), Restore { at: at(22), backup: at(21) })]
}

/// Of the first layout, whose sealed keys have no generation before them.
pub(super) fn first_signing_keys() -> Vec<(KeyId, SigningKeyRow)> {
    let mut rows = signing_keys();
    rows.iter_mut().for_each(|(_, row)| row.sealed.insert(0, 1));
    rows
}

pub(super) fn signing_keys() -> Vec<(KeyId, SigningKeyRow)> {
    let row = |alg, retires| SigningKeyRow {
        alg,
        created: at(18),
        active: at(19),
        retires,
        sealed: vec![1, 2, 3],
    };
    let retires = [None, Some(Retirement { at: at(20), forgotten: at(21) }), None];
    let rows = SIGNING_ALGS.into_iter().zip(retires);
    rows.map(|(alg, retires)| (KeyId::new(alg.as_str()), row(alg, retires))).collect()
}

pub(super) fn sizes() -> Vec<(Timestamp, Sizes)> {
    let row = |tables| Sizes { at: at(7), tables };
    vec![(at(1), row(vec![(12, 1, 70), (13, 300, u64::MAX)])), (at(2), row(Vec::new()))]
}
