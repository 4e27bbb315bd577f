//! A sample of every row, for its golden bytes: every option given and left out, every word of
//! every enum. Words are listed here in full, since the order of an enum is part of the bytes.

mod bridge;
mod browser;
mod clients;
mod devices;
mod events;
mod forward;
mod grants;
mod installation;
mod people;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use gatelodge::clock::Timestamp;
use gatelodge::model::network::Network;
use gatelodge::model::user_agent::{DeviceInfo, Locale};
use gatelodge::oauth::authorize::claims::ClaimsRequest;
use gatelodge::oauth::client::{
    AssertionProfile, AuthMethod, ClaimsPlace, GrantType, PkcePolicy, RefreshPolicy, SigningAlg,
};
use gatelodge::oauth::id::{ClientId, UserId};
use gatelodge::oauth::redirect_uri::RedirectUri;
use gatelodge::oauth::scope::Scope;
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{
    AnonymousSession, AppCode, AppSession, Applied, AppliedRole, AppliedScope, Attempts,
    Authentication, Bridge, BridgeKey, BridgeSession, Client, ClientLogo, ClockRecord, Code,
    Consent, Deadline, Delivery, Device, DeviceCertificate, EndedBridge, Event, EventDelivery,
    Exchange, Grant, HostPreference, Installation, Interaction, Invitation, LastingKeyRow,
    LinkedDevice, Passkey, Person, Protected, Pushed, Removal, RemovedPasskey, Restore, Revoked,
    Session, SetupLink, SigningKeyRow, Sizes, StoredCode, Taken, Usage, UsedAssertion,
    UsedCeremony, Withdrawal,
};
use gatelodge::store::{Holding, Key as _, Rank, Read, Row, StoreError, Tx, View};
use uuid::Uuid;

pub(crate) const GRANT_TYPES: [GrantType; 4] = [
    GrantType::AuthorizationCode,
    GrantType::ClientCredentials,
    GrantType::DeviceCode,
    GrantType::RefreshToken,
];
pub(crate) const AUTH_METHODS: [AuthMethod; 4] = [
    AuthMethod::ClientSecretBasic,
    AuthMethod::ClientSecretPost,
    AuthMethod::None,
    AuthMethod::PrivateKeyJwt,
];
pub(crate) const SIGNING_ALGS: [SigningAlg; 3] =
    [SigningAlg::EdDsa, SigningAlg::Es256, SigningAlg::Rs256];
pub(crate) const REFRESH_POLICIES: [RefreshPolicy; 2] =
    [RefreshPolicy::Grace, RefreshPolicy::Strict];
pub(crate) const ASSERTION_PROFILES: [AssertionProfile; 2] =
    [AssertionProfile::Rfc10070, AssertionProfile::Rfc7523];
pub(crate) const CLAIMS_PLACES: [ClaimsPlace; 2] = [ClaimsPlace::IdToken, ClaimsPlace::Userinfo];
pub(crate) const PKCE_POLICIES: [PkcePolicy; 3] =
    [PkcePolicy::Nonce, PkcePolicy::Optional, PkcePolicy::Required];

/// Rows of one layout variant.
pub(crate) struct Sample {
    /// The row's type, its table and the variant's number.
    pub(crate) row: &'static str,
    pub(crate) table: &'static str,
    pub(crate) variant: u32,
    /// The schema number under which the variant was written first.
    pub(crate) schema: u32,
    pub(crate) cases: Vec<Arc<dyn Case>>,
}

/// One row.
pub(crate) trait Case: Send + Sync {
    /// The bytes that it is found under.
    fn key(&self) -> Vec<u8>;

    fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError>;

    fn assert_found(&self, now: &Read);
}

struct Stored<R: Row>(R::Key, R);

impl<R: Row<Key: Send + Sync> + Debug + PartialEq + Send + Sync> Case for Stored<R> {
    fn key(&self) -> Vec<u8> {
        let mut key = vec![R::TABLE.byte];
        self.0.write(&mut key);
        key
    }

    fn put(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.put(&self.0, self.1.clone())
    }

    fn assert_found(&self, now: &Read) {
        assert_eq!(now.find::<R>(&self.0).unwrap().as_ref(), Some(&self.1));
    }
}

fn sample<R>(row: &'static str, rows: Vec<(R::Key, R)>) -> Sample
where
    R: Row<Key: Send + Sync + 'static> + Debug + PartialEq + Send + Sync + 'static,
{
    let cases = rows.into_iter().map(|(key, row)| Arc::new(Stored(key, row)) as Arc<dyn Case>);
    Sample { row, table: R::TABLE.name, variant: 1, schema: 1, cases: cases.collect() }
}

/// The same, of the second variant.
fn second(sample: Sample) -> Sample {
    Sample { variant: 2, schema: 2, ..sample }
}

/// All of them.
pub(crate) fn samples() -> Vec<Sample> {
    vec![
        sample::<AnonymousSession>("AnonymousSession", browser::anonymous_sessions()),
        sample::<AppCode>("AppCode", forward::codes()),
        sample::<AppSession>("AppSession", forward::sessions()),
        sample::<Applied>("Applied", installation::applied()),
        sample::<AppliedRole>("AppliedRole", installation::applied_roles()),
        sample::<AppliedScope>("AppliedScope", installation::applied_scopes()),
        sample::<Attempts>("Attempts", clients::attempts()),
        sample::<Bridge>("Bridge", bridge::bridges()),
        sample::<BridgeKey>("BridgeKey", bridge::first_keys()),
        second(sample::<BridgeKey>("BridgeKey", bridge::keys())),
        sample::<BridgeSession>("BridgeSession", bridge::sessions()),
        sample::<Client>("Client", clients::clients()),
        sample::<ClientLogo>("ClientLogo", clients::logos()),
        sample::<Code>("Code", grants::codes()),
        sample::<Consent>("Consent", grants::consents()),
        sample::<Delivery>("Delivery", browser::deliveries()),
        sample::<Device>("Device", browser::devices()),
        sample::<DeviceCertificate>("DeviceCertificate", devices::certificates()),
        sample::<EndedBridge>("EndedBridge", bridge::ended()),
        sample::<Event>("Event", events::events()),
        sample::<EventDelivery>("EventDelivery", events::deliveries()),
        sample::<Exchange>("Exchange", bridge::exchanges()),
        sample::<Grant>("Grant", grants::first_grants()),
        second(sample::<Grant>("Grant", grants::grants())),
        sample::<HostPreference>("HostPreference", bridge::preferences()),
        sample::<Installation>("Installation", installation::first_installations()),
        second(sample::<Installation>("Installation", installation::installations())),
        sample::<LastingKeyRow>("LastingKeyRow", installation::lasting_keys()),
        sample::<Interaction>("Interaction", browser::interactions()),
        sample::<Invitation>("Invitation", people::invitations()),
        sample::<LinkedDevice>("LinkedDevice", bridge::linked_devices()),
        sample::<Passkey>("Passkey", people::passkeys()),
        sample::<RemovedPasskey>("RemovedPasskey", people::removed_passkeys()),
        sample::<Person>("Person", people::people()),
        sample::<Protected>("Protected", clients::resources()),
        sample::<Pushed>("Pushed", browser::pushed_requests()),
        sample::<Restore>("Restore", installation::restores()),
        sample::<ClockRecord>("ClockRecord", installation::clocks()),
        sample::<Revoked>("Revoked", grants::revoked()),
        sample::<Session>("Session", browser::sessions()),
        sample::<SetupLink>("SetupLink", people::setup_links()),
        sample::<SigningKeyRow>("SigningKeyRow", installation::first_signing_keys()),
        second(sample::<SigningKeyRow>("SigningKeyRow", installation::signing_keys())),
        sample::<Sizes>("Sizes", installation::sizes()),
        sample::<StoredCode>("StoredCode", people::recovery_codes()),
        sample::<Taken>("Taken", clients::taken()),
        sample::<Usage>("Usage", clients::usage()),
        sample::<UsedAssertion>("UsedAssertion", clients::used_assertions()),
        sample::<UsedCeremony>("UsedCeremony", people::used_ceremonies()),
        sample::<Removal>("Removal", grants::removals()),
        sample::<Withdrawal>("Withdrawal", grants::withdrawals()),
    ]
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_123 + seconds * 1000)
}

/// The deadline of that time, if the clock has gone back by a second.
fn until(seconds: u64) -> Deadline {
    Deadline::after(Duration::ZERO, at(seconds), at(seconds + 1))
}

fn id<T: From<Uuid>>(n: u128) -> T {
    Uuid::from_u128(0x0190_163d_8694_439b_aea5_966c_26f8_ad00 + n).into()
}

/// The person to whom most samples belong.
pub(crate) fn ada() -> UserId {
    id(5)
}

fn hash(n: u8) -> TokenHash {
    let mut bytes = [n; 33];
    bytes[0] = 1;
    TokenHash::from_bytes(bytes)
}

fn holding() -> Holding {
    Holding::strangers(Network::of(read("2001:db8::1")), Rank::Vouched)
}

fn persons() -> Holding {
    Holding::persons(id(5))
}

fn read<T: std::str::FromStr<Err: Debug>>(written: &str) -> T {
    written.parse().unwrap()
}

fn text(written: &str) -> String {
    written.to_owned()
}

fn shop() -> ClientId {
    read("shop + co: \"1\"")
}

fn scope() -> Scope {
    read("openid profile offline_access")
}

fn uris() -> Vec<RedirectUri> {
    ["https://app.example/cb?x=1", "http://127.0.0.1/cb", "com.example.app:/cb"].map(read).to_vec()
}

fn claims() -> ClaimsRequest {
    ClaimsRequest {
        acr: vec![text("phr")],
        id_token: vec![text("email")],
        sub: vec![text("0190163d")],
        userinfo: vec![text("name")],
    }
}

fn device(user_agent: &str) -> DeviceInfo {
    let locale = Locale::first("de-CH");
    DeviceInfo { address: text("192.0.2.1"), user_agent: Some(text(user_agent)), locale }
}

fn authentication() -> Authentication {
    Authentication { amr: vec![text("hwk"), text("user")], at: at(1) }
}
