//! Device authorization: [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628).
//!
//! The device requests a user code and displays it. A person enters it in a browser, sees the
//! requesting client, and decides. The device polls for the decision.

use std::net::IpAddr;

use crate::error::{Error, Internal, Refusal};
use crate::event::Kind;
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::client::last_use;
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::person::people;
use crate::flow::resource::{self, Targets};
use crate::flow::session::{self, LiveSession, backchannel};
use crate::flow::throttle::{self, Guessed, Source};
use crate::flow::{Context, admission};
use crate::model::email::Email;
use crate::model::network::Network;
use crate::model::user_agent::DeviceInfo;
use crate::oauth::authorize::claims::ClaimsRequest;
use crate::oauth::client::GrantType;
use crate::oauth::id::ClientId;
use crate::oauth::scope::Scope;
use crate::oauth::token::device::{DeviceRequest, UserCode};
use crate::secret::{DeviceCode, Pepper, TokenHash};
use crate::store::schema::{Authorization, Client, DEVICES_BY_USER_CODE, Device, DeviceState};
use crate::store::{Holder, Holding, Tx, View};

/// The minimum number of seconds between two polls (RFC 8628 §3.2).
const INTERVAL: u32 = 5;

/// The number of user codes that are tried until an unused one is found.
const MAX_CODE_ATTEMPTS: u8 = 4;

/// The origin of a device authorization request, displayed to the person for comparison.
#[derive(Clone, Debug)]
pub struct DeviceRequester {
    /// The address.
    pub address: IpAddr,
    /// The `User-Agent` of the request.
    pub user_agent: Option<String>,
}

/// A device authorization that has just begun (RFC 8628 §3.2).
pub struct IssuedDeviceCode {
    /// The device code, for the device to poll with.
    pub device_code: DeviceCode,
    /// The minimum number of seconds between two polls.
    pub interval: u32,
    /// The user code, for the device to display.
    pub user_code: UserCode,
}

/// The hash by which a user code is found.
pub fn user_code_hash(pepper: &Pepper, code: &UserCode) -> TokenHash {
    pepper.hash_parts("user code", code.letters())
}

/// Begins a device authorization.
pub fn issue(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    request: &DeviceRequest,
    origin: &DeviceRequester,
) -> Result<IssuedDeviceCode, Error> {
    let client = proven.row(tx, GrantType::DeviceCode)?;
    let asked = request.scope.as_ref();
    let targets = resource::resolve(tx, &cx.rules, &client, &request.resources, asked)?;
    if let Some(scope) = asked {
        let scope = scope.intersect(&targets.for_client(&cx.rules, &client));
        if scope.is_empty() {
            return Err(Refusal::ScopeNotAllowed.into());
        }
        targets.check_administration(&cx.rules, &scope)?;
    }
    last_use::record_use(tx, cx, proven.id(), &client, None)?;
    let user_code = unused_user_code(tx, cx)?;
    let device_code: DeviceCode = cx.seed.token();
    let row = Device {
        address: origin.address.to_string(),
        user_agent: origin.user_agent.clone(),
        client: proven.id().clone(),
        created: cx.latest,
        expires: cx.deadline(cx.rules.config.lifetimes.device_code),
        interval: INTERVAL,
        holding: Holding::strangers(Network::of(origin.address), admission::rank(&client)),
        polled: None,
        resources: targets.resources,
        scope: request.scope.clone(),
        state: DeviceState::Pending,
        user_code: user_code_hash(&cx.rules.pepper, &user_code),
    };
    admission::store(tx, cx, &cx.rules.pepper.hash(&device_code), row)?;
    Ok(IssuedDeviceCode { device_code, interval: INTERVAL, user_code })
}

/// A user code that no other device has.
fn unused_user_code(view: &impl View, cx: &Context) -> Result<UserCode, Error> {
    for attempt in 0..MAX_CODE_ATTEMPTS {
        let code = UserCode::from_seed(&cx.seed.bytes(&format!("user code {attempt}")));
        let hash = user_code_hash(&cx.rules.pepper, &code);
        if view.by(&DEVICES_BY_USER_CODE, &hash, 1)?.is_empty() {
            return Ok(code);
        }
    }
    Err(Internal::new("every user code that was drawn is taken").into())
}

/// A device authorization that waits for the decision of the signed-in person.
pub struct PendingDevice {
    /// The requesting client.
    pub client: Client,
    /// Its device authorization.
    pub device: Device,
    /// The key of the row.
    key: TokenHash,
    /// Whether the person is of a group that may use the client.
    pub is_for_person: bool,
    /// The scope that would be granted; it may be empty. `None` if nothing may be granted.
    pub scope: Option<Scope>,
    /// The session of the person.
    pub session: LiveSession,
    /// The resources.
    pub targets: Targets,
}

impl PendingDevice {
    /// Whether the person would release an email address and has none.
    pub fn lacks_email(&self) -> bool {
        let asked = self.scope.as_ref().is_some_and(|scope| scope.has("email"));
        asked && self.session.person().email.is_none()
    }
}

/// The result of looking up a user code.
pub enum UserCodeLookup {
    /// No pending device has this code.
    Nothing,
    /// No person is signed in.
    SignIn,
    /// The device that has this code.
    PendingDevice(Box<PendingDevice>),
}

/// A user code as a browser submits it.
#[derive(Clone, Debug)]
pub struct UserCodeEntry {
    /// The address of the browser.
    pub address: IpAddr,
    /// The hash of the code; `None` if it is malformed.
    pub code: Option<TokenHash>,
    /// The browser's description of itself.
    pub device: DeviceInfo,
    /// The hash of the key or cookie of the session.
    pub session: TokenHash,
}

/// Looks for the device that has a user code. An unknown code counts as a guess (RFC 8628 §5.1).
pub fn look_up(
    tx: &mut Tx<'_>,
    cx: &Context,
    entry: &UserCodeEntry,
) -> Result<UserCodeLookup, Error> {
    let session = session::live(tx, cx, &entry.session)?;
    let Some(session) = session else { return Ok(UserCodeLookup::SignIn) };
    let Some(code) = &entry.code else { return Ok(UserCodeLookup::Nothing) };
    let network = Network::of(entry.address);
    let sources = [Source::Account(session.user()), Source::Network(network)];
    for source in &sources {
        throttle::check(tx, cx, Guessed::UserCode, source)?;
    }
    if let Some(pending) = pending(tx, cx, session, code)? {
        record_opened(tx, &pending)?;
        return Ok(UserCodeLookup::PendingDevice(Box::new(pending)));
    }
    for source in &sources {
        throttle::record_failure(tx, cx, Guessed::UserCode, source)?;
    }
    Ok(UserCodeLookup::Nothing)
}

/// Records that the page of a device authorization is displayed: it is the person's from then on.
fn record_opened(tx: &mut Tx<'_>, pending: &PendingDevice) -> Result<(), Error> {
    let user = pending.session.user();
    match pending.device.holding.holder {
        Holder::Person(_) => Ok(()),
        Holder::Network(_) => {
            let opened = Device { holding: Holding::persons(user), ..pending.device.clone() };
            admission::give(tx, &pending.key, opened, user)
        }
    }
}

fn pending(
    view: &impl View,
    cx: &Context,
    session: LiveSession,
    code: &TokenHash,
) -> Result<Option<PendingDevice>, Error> {
    let Some(key) = view.by(&DEVICES_BY_USER_CODE, code, 1)?.first().copied() else {
        return Ok(None);
    };
    let Some(device) = view.find::<Device>(&key)? else { return Ok(None) };
    let client = view.find::<Client>(&device.client)?;
    let client = client.filter(|client| client.enabled && client.created <= device.created);
    let Some(client) = client else { return Ok(None) };
    if device.state != DeviceState::Pending || evidence::is_over(view, cx, device.expires)? {
        return Ok(None);
    }
    let asked = device.scope.as_ref();
    let targets = resource::resolve(view, &cx.rules, &client, &device.resources, asked)?;
    let is_for_person = client.decisions.admit(&session.person().groups);
    let scope = targets.scope_for(&cx.rules, &client, session.person(), asked).ok();
    let scope = scope.filter(|_| is_for_person);
    Ok(Some(PendingDevice { client, device, is_for_person, key, scope, session, targets }))
}

/// A person's decision.
#[derive(Clone, Debug)]
pub enum Decision {
    /// The person allowed it.
    Allow {
        /// The address that they typed, if they were asked for one.
        email: Option<Email>,
        /// The displayed scope.
        scope: Scope,
    },
    /// The person declined.
    Deny,
}

/// The outcome of a decision.
pub enum DecisionOutcome {
    /// The decision is stored; it was about this client.
    Done(ClientId),
    /// The decision is not stored: the person is not signed in, or the code or the scope has
    /// changed.
    Not(UserCodeLookup),
}

/// Stores the decision of the signed-in person.
///
/// The scope is computed again. If it is not the displayed one, nothing is granted. If two
/// decisions race, the second finds no pending device.
pub fn decide(
    tx: &mut Tx<'_>,
    cx: &Context,
    entry: &UserCodeEntry,
    decision: &Decision,
) -> Result<DecisionOutcome, Error> {
    let pending = match look_up(tx, cx, entry)? {
        UserCodeLookup::PendingDevice(pending) => pending,
        other @ (UserCodeLookup::Nothing | UserCodeLookup::SignIn) => {
            return Ok(DecisionOutcome::Not(other));
        }
    };
    let state = match (decision, &pending.scope) {
        (Decision::Allow { email, scope: consent_scope }, Some(scope))
            if consent_scope == scope =>
        {
            if email.is_some() && pending.lacks_email() {
                people::set_own_email(tx, cx, pending.session.user(), email.as_ref())?;
            }
            DeviceState::Approved(Box::new(Authorization {
                authentication: pending.session.authentication().clone(),
                claims: ClaimsRequest::default(),
                client: pending.device.client.clone(),
                given: cx.latest,
                resources: pending.targets.resources.clone(),
                scope: scope.clone(),
                session: pending.session.id(),
                user: pending.session.user(),
            }))
        }
        (Decision::Allow { .. }, _) => {
            return Ok(DecisionOutcome::Not(UserCodeLookup::PendingDevice(pending)));
        }
        (Decision::Deny, _) => DeviceState::Denied,
    };
    let session = pending.session.id();
    if let DeviceState::Approved(authorization) = &state {
        let Authorization { client: id, user, .. } = &**authorization;
        backchannel::record_client(tx, cx, id, &pending.client, session, *user)?;
    }
    let kind = match state {
        DeviceState::Approved(_) => Kind::DeviceAllowed,
        DeviceState::Denied | DeviceState::Pending => Kind::DeviceDenied,
    };
    let act = Act::new(kind).by(pending.session.user()).client(&pending.device.client);
    let act = act.named(pending.client.metadata.name());
    events::record(tx, cx, act.fact("device_address", &pending.device.address))?;
    let holding = Holding::persons(pending.session.user());
    let client = pending.device.client.clone();
    tx.put(&pending.key, Device { holding, state, ..pending.device })?;
    session::touch(tx, cx, session, Some(&entry.device))?;
    Ok(DecisionOutcome::Done(client))
}
