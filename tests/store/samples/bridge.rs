//! Samples of bridges.

use gatelodge::model::bridge::{BridgeSessionId, HostId, ModelProtocol};
use gatelodge::model::fingerprint::Fingerprint;
use gatelodge::model::user_agent::DeviceInfo;
use gatelodge::oauth::id::UserId;
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{
    Bridge, BridgeKey, BridgeSession, DeviceMeans, EndedBridge, Exchange, HostPreference,
    LinkedDevice, TokenOrigin,
};

use super::{at, device, hash, id, read, text, until};

pub(super) fn exchanges() -> Vec<(TokenHash, Exchange)> {
    let row = |spent| Exchange { created: at(1), expires: until(120), spent, user: id(5) };
    vec![(hash(20), row(false)), (hash(21), row(true))]
}

pub(super) fn linked_devices() -> Vec<(String, LinkedDevice)> {
    let token = |origin| DeviceMeans::Token { expires: at(90), hash: hash(22), origin };
    let full = LinkedDevice {
        created: at(1),
        ended: true,
        expires: at(90),
        hook: Some(hash(24)),
        means: token(TokenOrigin::NamedLogin),
        name: read("Ada's laptop"),
        used: Some(at(2)),
        user: id(5),
    };
    let least = LinkedDevice { ended: false, hook: None, used: None, ..full.clone() };
    let by = |means| LinkedDevice { means, ..least.clone() };
    vec![
        (text("0123456789ab"), full),
        (text("ba9876543210"), by(token(TokenOrigin::Operator))),
        (text("ba9876543211"), by(token(TokenOrigin::UnnamedLogin))),
        (text("0190163d"), by(DeviceMeans::Certificate(Fingerprint::of(b"one")))),
        (text("0190163e"), by(DeviceMeans::Session(read("mine")))),
    ]
}

pub(super) fn sessions() -> Vec<(BridgeSessionId, BridgeSession)> {
    let full = BridgeSession {
        client: read("sp_bridge"),
        created: at(1),
        device: device("bridge/1.0"),
        expires: at(2),
        linked: text("0123456789ab"),
        seen: at(3),
        source: text("bridge"),
        user: id(5),
    };
    let least = BridgeSession { device: DeviceInfo::default(), ..full.clone() };
    vec![(read("gls-1"), full), (read("mine"), least)]
}

pub(super) fn bridges() -> Vec<(BridgeSessionId, Bridge)> {
    let full = Bridge {
        first_seen: at(1),
        forwarded_total: 1,
        hostname: text("desk"),
        last_activity: Some(text("2026-01-01T00:00:00Z")),
        last_seen: at(2),
        os: text("linux"),
        tokens_in_total: 2,
        tokens_out_total: u64::MAX,
        user: id(5),
        version: text("1.2.3"),
    };
    let least = Bridge { last_activity: None, ..full.clone() };
    vec![(read("gls-1"), full), (read("mine"), least)]
}

pub(super) fn preferences() -> Vec<((UserId, HostId), HostPreference)> {
    let full =
        HostPreference { enabled: Some(false), model_protocols: Some(ModelProtocol::ALL.to_vec()) };
    vec![((id(5), read("claude-code")), full), ((id(5), read("cowork")), HostPreference::default())]
}

/// Of the first layout, whose sealed key has no generation before it.
pub(super) fn first_keys() -> Vec<((), BridgeKey)> {
    vec![((), BridgeKey { created: at(1), public: [7; 32], sealed: vec![1, 1, 2, 3] })]
}

pub(super) fn keys() -> Vec<((), BridgeKey)> {
    vec![((), BridgeKey { created: at(1), public: [7; 32], sealed: vec![1, 2, 3] })]
}

pub(super) fn ended() -> Vec<(TokenHash, EndedBridge)> {
    vec![(hash(23), EndedBridge { expires: until(4) })]
}
