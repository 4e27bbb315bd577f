//! The usage of clients: issued tokens and refused requests by the hour, and the tokens that are in
//! force.
//!
//! Requests are counted in memory, in [`UsageCounts`], which are written to the store at intervals.
//! No request waits for that, and a crash loses the counts that were not written. Every part is
//! bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::token::{connection, grant};
use crate::flow::{Context, session};
use crate::oauth::client::GrantType;
use crate::oauth::id::{ClientId, SessionId};
use crate::store::schema::{Client, GRANTS_BY_CLIENT, Grant, Origin, RefusedRequests, Usage};
use crate::store::{StoreError, Tx, View};

/// The most entries of [`UsageCounts`] that have a client of their own.
const MAX_CLIENTS: usize = 1000;
/// The most clients that no operator registered and that have a row of their own for one hour. The
/// others are counted in the sum only.
const MAX_OTHER_CLIENTS: u32 = 500;

/// The most names in a row; the rest are counted as [`OTHER`].
const MAX_NAMES: usize = 32;
const OTHER: &str = "other";

/// The id of the sum of all clients. It is reserved: no client has it.
const ALL: &str = "anon_all";

/// The most grants that are read in the count of live ones.
const MAX_GRANTS: usize = 5_000;

/// A bound above the number of hours that are kept, including those that wait for the sweep.
const MAX_HOURS: usize = 240;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);

/// The outcome of a client's request.
#[derive(Clone, Copy, Debug)]
pub enum UsageEvent {
    /// A token was issued.
    Issued(GrantType),
    /// The request was refused.
    Refused(Refusal),
    /// An active token was introspected by the client, which may not know about it.
    Withheld,
}

/// The counts that are not written yet, by hour and client; the client is `None` once there are too
/// many entries.
#[derive(Clone, Debug, Default)]
pub struct UsageCounts(BTreeMap<(Timestamp, Option<ClientId>), Counts>);

#[derive(Clone, Debug, Default)]
struct Counts {
    issued: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, RefusedRequests>,
    withheld: u64,
}

impl UsageCounts {
    /// Counts an event of `client` at `now`.
    pub fn count(&mut self, client: &ClientId, now: Timestamp, what: UsageEvent) {
        let key = (hour(now), Some(client.clone()));
        let distinct = self.0.len() < MAX_CLIENTS || self.0.contains_key(&key);
        let counts = self.0.entry(if distinct { key } else { (key.0, None) }).or_default();
        match what {
            UsageEvent::Issued(grant_type) => {
                *counts.issued.entry(grant_type.as_str()).or_default() += 1;
            }
            UsageEvent::Refused(refusal) => {
                let refused = counts.refused.entry(refusal.name()).or_default();
                let reason = refusal.reason().into_owned();
                sum_up(refused, &RefusedRequests { count: 1, last: now, reason });
            }
            UsageEvent::Withheld => counts.withheld += 1,
        }
    }

    /// Adds the counts that could not be written.
    pub fn restore(&mut self, unwritten: &Self) {
        for ((hour, client), counts) in &unwritten.0 {
            let own = self.0.entry((*hour, client.clone())).or_default();
            for (name, count) in &counts.issued {
                *own.issued.entry(name).or_default() += count;
            }
            for (name, refused) in &counts.refused {
                sum_up(own.refused.entry(name).or_default(), refused);
            }
            own.withheld += counts.withheld;
        }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The beginning of the hour of `at`.
fn hour(at: Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.seconds() / HOUR.as_secs() * HOUR.as_secs())
}

/// Adds counts to the stored ones. A client that was removed meanwhile is counted in the sum only.
pub fn write(tx: &mut Tx<'_>, _cx: &Context, counts: &UsageCounts) -> Result<(), Error> {
    let all: ClientId = ALL.parse()?;
    for ((hour, client), counts) in &counts.0 {
        let mut sum = tx.find::<Usage>(&(all.clone(), *hour))?.unwrap_or_default();
        if let Some(id) = client
            && let Some(client) = tx.find::<Client>(id)?
        {
            let key = (id.clone(), *hour);
            let (known, bounded) = (tx.find::<Usage>(&key)?, client.origin != Origin::Operator);
            if known.is_some() || !bounded || sum.others < MAX_OTHER_CLIENTS {
                sum.others += u32::from(known.is_none() && bounded);
                let mut own = known.unwrap_or_default();
                add(&mut own, counts);
                tx.put(&key, own)?;
            }
        }
        add(&mut sum, counts);
        tx.put(&(all.clone(), *hour), sum)?;
    }
    Ok(())
}

fn add(to: &mut Usage, counts: &Counts) {
    for (name, count) in &counts.issued {
        *distinct(&mut to.issued, name) += count;
    }
    for (name, refused) in &counts.refused {
        sum_up(distinct(&mut to.refused, name), refused);
    }
    to.withheld += counts.withheld;
}

/// The entry of `name`, or of the rest, once there are so many.
fn distinct<'a, T: Default>(to: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    let distinct = to.len() < MAX_NAMES || to.contains_key(name);
    to.entry(if distinct { name } else { OTHER }.to_owned()).or_default()
}

/// Adds refused requests to others.
fn sum_up(to: &mut RefusedRequests, other: &RefusedRequests) {
    to.count += other.count;
    if to.last <= other.last {
        to.last = other.last;
        to.reason.clone_from(&other.reason);
    }
}

/// The usage of a client, or of all clients.
#[derive(Debug)]
pub struct UsageReport {
    /// The last 24 hours.
    pub day: Usage,
    /// What is in force now.
    pub active: ActiveTokens,
    /// The last use that is known: the last use of a grant in force, or the beginning of the hour in
    /// which it got a token last, which is kept for eight days.
    pub used: Option<Timestamp>,
    /// The last seven days.
    pub week: Usage,
}

/// The grants and sessions that are in force.
#[derive(Debug)]
pub struct ActiveTokens {
    /// Whether there are more grants or consents than were read, so that the numbers are minima.
    pub at_least: bool,
    /// The number of live grants.
    pub grants: usize,
    /// The number of people who have a grant, or a consent that is remembered.
    pub people: usize,
    /// The number of live browser sessions that have one of these grants.
    pub sessions: usize,
    /// The last use of one of these grants.
    pub used: Option<Timestamp>,
}

/// Reports the usage of the client `id`, or of all clients together.
///
/// # Errors
///
/// [`Refusal::ClientNotFound`].
pub fn report(view: &impl View, cx: &Context, id: Option<&ClientId>) -> Result<UsageReport, Error> {
    let (key, born) = match id {
        None => (ALL.parse()?, Timestamp::default()),
        Some(id) => {
            let client = view.find::<Client>(id)?.ok_or(Refusal::ClientNotFound)?;
            (id.clone(), client.created)
        }
    };
    let (mut day, mut week, mut issued) = (Usage::default(), Usage::default(), None);
    for ((_, hour), usage) in view.list_under::<Usage, _>(&key, MAX_HOURS)? {
        let end = hour + HOUR;
        // Older rows are of another client of the same name.
        if end <= born {
            continue;
        }
        if !usage.issued.is_empty() {
            issued = issued.max(Some(hour.max(born)));
        }
        for (span, sum) in [(DAY, &mut day), (WEEK, &mut week)] {
            if end + span > cx.now {
                merge(sum, &usage);
            }
        }
    }
    let active = active(view, cx, id)?;
    Ok(UsageReport { day, used: active.used.max(issued), active, week })
}

fn merge(to: &mut Usage, usage: &Usage) {
    for (name, count) in &usage.issued {
        *to.issued.entry(name.clone()).or_default() += count;
    }
    for (name, refused) in &usage.refused {
        sum_up(to.refused.entry(name.clone()).or_default(), refused);
    }
    to.withheld += usage.withheld;
}

fn active(
    view: &impl View,
    cx: &Context,
    id: Option<&ClientId>,
) -> Result<ActiveTokens, StoreError> {
    let mut ids = match id {
        Some(id) => view.by(&GRANTS_BY_CLIENT, id, MAX_GRANTS + 1)?,
        None => view.list::<Grant>(MAX_GRANTS + 1)?.into_iter().map(|(id, _)| id).collect(),
    };
    let at_least = ids.len() > MAX_GRANTS;
    ids.truncate(MAX_GRANTS);
    let (mut grants, mut used, mut sessions) = (0, None, BTreeSet::<SessionId>::new());
    let mut of_grants = BTreeSet::new();
    for id in ids {
        let Some(live) = grant::live(view, cx, id)? else { continue };
        grants += 1;
        used = used.max(Some(live.grant().used()));
        of_grants.insert(live.authorization().user);
        let session = live.authorization().session;
        if !sessions.contains(&session) && session::by_id(view, cx, session)?.is_some() {
            sessions.insert(session);
        }
    }
    let (people, more) = connection::people(view, id, of_grants, MAX_GRANTS)?;
    let at_least = at_least || more;
    Ok(ActiveTokens { at_least, grants, people, sessions: sessions.len(), used })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(written: &str) -> ClientId {
        written.parse().unwrap()
    }

    #[test]
    fn a_tally_tells_so_many_clients_apart_and_counts_the_rest_together() {
        let mut counts = UsageCounts::default();
        let now = Timestamp::from_seconds(7_261);

        for n in 0..MAX_CLIENTS + 10 {
            counts.count(
                &id(&format!("c{n}")),
                now,
                UsageEvent::Issued(GrantType::ClientCredentials),
            );
        }
        counts.count(&id("c0"), now, UsageEvent::Refused(Refusal::CodeReplayed));

        let hour = Timestamp::from_seconds(7_200);
        assert_eq!(counts.0.len(), MAX_CLIENTS + 1);
        assert_eq!(counts.0[&(hour, None)].issued["client_credentials"], 10);
        assert_eq!(counts.0[&(hour, Some(id("c0")))].refused["CodeReplayed"].count, 1);
    }

    #[test]
    fn what_could_not_be_written_is_counted_on() {
        let mut counts = UsageCounts::default();
        let (shop, now) = (id("shop"), Timestamp::from_seconds(0));
        counts.count(&shop, now, UsageEvent::Issued(GrantType::RefreshToken));

        let unwritten = std::mem::take(&mut counts);
        counts.count(&shop, now, UsageEvent::Issued(GrantType::RefreshToken));
        counts.restore(&unwritten);

        assert_eq!(counts.0[&(now, Some(shop))].issued["refresh_token"], 2);
    }

    #[test]
    fn a_row_tells_so_many_names_apart_and_counts_the_rest_as_other() {
        let mut counts = Counts::default();
        for refusal in Refusal::ALL {
            let refused = RefusedRequests { count: 2, ..RefusedRequests::default() };
            counts.refused.insert(refusal.name(), refused);
        }
        let mut row = Usage::default();

        add(&mut row, &counts);
        add(&mut row, &counts);

        assert_eq!(row.refused.len(), MAX_NAMES + 1);
        let rest = u64::try_from(Refusal::ALL.len() - MAX_NAMES).unwrap();
        assert_eq!(row.refused[OTHER].count, rest * 4);
    }
}
