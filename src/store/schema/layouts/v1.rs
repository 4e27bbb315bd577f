//! The first layouts of rows that have a second one, and what they mean.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::oauth::issuer::Issuer;
use crate::secret::RefreshSalt;
use crate::store::schema::{
    Authorization, BridgeKey, Family, Grant, Installation, RootKey, SigningKeyRow, Spending,
};

/// The generation of the only root secret that there was.
const GENERATION: u8 = 1;

/// The first layout of [`BridgeKey`]: the private key is sealed without a generation before it.
#[derive(Clone, Serialize, Deserialize)]
pub struct BridgeKeyV1(BridgeKey);

impl From<BridgeKeyV1> for BridgeKey {
    fn from(BridgeKeyV1(first): BridgeKeyV1) -> Self {
        Self { sealed: sealed(first.sealed), ..first }
    }
}

/// The first layout of [`Grant`]: the refresh tokens are of the only root secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct GrantV1 {
    authorization: Authorization,
    by_operator: bool,
    created: Timestamp,
    ended: Option<Timestamp>,
    expires: Timestamp,
    family: Option<FamilyV1>,
    offline: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct FamilyV1 {
    ahead: bool,
    spendings: Vec<Spending>,
    newest: u64,
    salt: RefreshSalt,
}

impl From<GrantV1> for Grant {
    fn from(first: GrantV1) -> Self {
        let family = |FamilyV1 { ahead, spendings, newest, salt }| Family {
            ahead,
            key: GENERATION,
            spendings,
            newest,
            salt,
        };
        Self {
            authorization: first.authorization,
            by_operator: first.by_operator,
            created: first.created,
            ended: first.ended,
            expires: first.expires,
            family: first.family.map(family),
            offline: first.offline,
        }
    }
}

/// The first layout of [`Installation`]: of one root secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct InstallationV1 {
    check: [u8; 32],
    created: Timestamp,
    issuer: Issuer,
}

impl From<InstallationV1> for Installation {
    fn from(InstallationV1 { check, created, issuer }: InstallationV1) -> Self {
        let only = RootKey { check, generation: GENERATION, since: created };
        Self { created, issuer, roots: vec![only] }
    }
}

/// The first layout of [`SigningKeyRow`]: the private key is sealed without a generation before it.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningKeyRowV1(SigningKeyRow);

impl From<SigningKeyRowV1> for SigningKeyRow {
    fn from(SigningKeyRowV1(first): SigningKeyRowV1) -> Self {
        Self { sealed: sealed(first.sealed), ..first }
    }
}

fn sealed(first: Vec<u8>) -> Vec<u8> {
    [vec![GENERATION], first].concat()
}
