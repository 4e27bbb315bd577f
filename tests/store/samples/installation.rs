//! Samples of the installation and its keys.

use gatelodge::oauth::id::KeyId;
use gatelodge::store::schema::{ClockRecord, Installation, Restore, Retirement, SigningKeyRow};

use super::{SIGNING_ALGS, at, read};

pub(super) fn installations() -> Vec<((), Installation)> {
    let row =
        Installation { check: [7; 32], created: at(0), issuer: read("https://id.example:8443") };
    vec![((), row)]
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
