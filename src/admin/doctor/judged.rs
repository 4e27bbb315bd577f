//! What the facts about a process that has the store open mean.

use std::time::Duration;

use super::finding::FindingView;
use super::{backups, client_addresses, webhook};
use crate::app::doctor::Facts;
use crate::app::{LastRead, RootStanding, WriteHealth};
use crate::clock::{Jump, Timestamp};
use crate::error::shell_word;
use crate::keys::{KeyStanding, KeyState};
use crate::oauth::id::ClientId;
use crate::store::Pool;
use crate::store::schema::Taken;

/// The most by which the clock may be behind the latest time of the store without a word.
const BEHIND: Duration = Duration::from_mins(1);

/// The time for which it is told that a pool was full.
const LATELY: Duration = Duration::from_hours(24);

/// The most clients that are named.
const MAX_NAMED: usize = 20;

/// All findings.
pub(super) fn findings(facts: &Facts) -> Vec<FindingView> {
    let mut findings =
        vec![clock(facts.now, facts.latest, facts.clock_jump), store(&facts.write_health)];
    if facts.serves {
        findings.push(configuration(&facts.last_read));
        findings.push(connections(facts.few_connections));
        findings.push(log(facts.dropped_lines));
    }
    findings.push(backups::judged(&facts.backups, facts.now));
    findings.push(pools(&facts.pools, facts.now));
    findings.push(keys(&facts.keys, facts.now, facts.key_rotation, facts.serves));
    findings.push(root_key(&facts.root));
    findings.push(pkce(&facts.without_pkce));
    findings.extend(client_addresses::judged(&facts.addresses));
    findings.extend(facts.webhook.iter().map(|own| webhook::judged(own, facts.now)));
    findings
}

fn clock(now: Timestamp, latest: Timestamp, jump: Option<Jump>) -> FindingView {
    const CHECK: &str = "clock";
    const REMEDY: &str = "set the clock, and let it be kept right: timedatectl set-ntp true";
    let time = now.rfc3339();
    if now < Timestamp::BEFORE_RELEASE {
        let found = format!("the clock says {time}, which is before this program existed");
        return FindingView::problem(CHECK, found, REMEDY);
    }
    if let Some(jump) = jump {
        let remedy = format!("{REMEDY}; a clock that is right is believed after an hour");
        return FindingView::warning(CHECK, jump.to_string(), remedy);
    }
    if latest.since(now) > BEHIND {
        let latest = latest.rfc3339();
        let found = format!("the clock says {time}, and the store has seen {latest} already");
        return FindingView::warning(CHECK, found, REMEDY);
    }
    FindingView::ok(CHECK, format!("the clock says {time}, and goes on from where it was"))
}

fn root_key(standing: &RootStanding) -> FindingView {
    const CHECK: &str = "root-key";
    if standing.is_unfinished {
        let found = "a rotation of the root key was begun, and is not finished";
        return FindingView::warning(CHECK, found, "gatelodge key rotate --root goes on with it");
    }
    if standing.has_others {
        let found = "beside the root secrets in force there is one that opens nothing";
        let remedy = "gatelodge key rotate --root --forget takes it out of the key file; take it out \
                      of a setting yourself";
        return FindingView::warning(CHECK, found, remedy);
    }
    let since = standing.in_force.first().map(|key| key.since.rfc3339()).unwrap_or_default();
    FindingView::ok(
        CHECK,
        match standing.in_force.len() {
            0 | 1 => format!("one root key is in force, since {since}"),
            more => format!("{more} root keys are in force, the newest since {since}"),
        },
    )
}

fn store(health: &WriteHealth) -> FindingView {
    const CHECK: &str = "store";
    match health {
        WriteHealth::Writable => FindingView::ok(CHECK, "the store can be written"),
        WriteHealth::Unwritable { cause } => {
            let found = format!("the store cannot be written: {cause}");
            let remedy = "make room on its disk, or mend it; writes go on then, without a restart";
            FindingView::problem(CHECK, found, remedy)
        }
    }
}

fn configuration(last: &LastRead) -> FindingView {
    const CHECK: &str = "configuration-in-force";
    if let Some(faults) = &last.faults {
        let found = format!(
            "the server did not take the configuration, and the one before is in force: {}",
            faults.line()
        );
        let remedy = "mend it, and then: gatelodge config reload";
        return FindingView::problem(CHECK, found, remedy);
    }
    if last.waiting.is_empty() {
        return FindingView::ok(CHECK, "the server has the configuration that it read last");
    }
    let found = format!("new values wait for a restart: {}", last.waiting.join(", "));
    FindingView::warning(CHECK, found, "stop the server, and start it again: gatelodge serve")
}

fn connections(few: Option<usize>) -> FindingView {
    const CHECK: &str = "open-files";
    match few {
        None => FindingView::ok(CHECK, "the server may open as many files as it needs"),
        Some(connections) => FindingView::warning(
            CHECK,
            format!("the server may open few files, enough for {connections} connections"),
            "raise the limit: ulimit -n, or LimitNOFILE= in a unit of systemd",
        ),
    }
}

fn log(dropped: u64) -> FindingView {
    const CHECK: &str = "log";
    if dropped == 0 {
        return FindingView::ok(CHECK, "no line of the log was dropped");
    }
    let found = format!("{dropped} lines of the log were dropped, since nothing took them");
    let remedy = "see to it that standard error is read, and that its disk has room";
    FindingView::warning(CHECK, found, remedy)
}

fn pools(pools: &[(Pool, Taken)], now: Timestamp) -> FindingView {
    const CHECK: &str = "pools";
    // Events of refused requests make room for newer ones: that is nothing unusual.
    let scarce = pools.iter().filter(|(pool, _)| *pool != Pool::Events);
    let lately = scarce.filter(|(_, taken)| now.since(taken.last) < LATELY);
    let lately: Vec<&(Pool, Taken)> = lately.collect();
    let Some((first, _)) = lately.first() else {
        return FindingView::ok(CHECK, "what strangers may have stored was not full within a day");
    };
    let each = |(pool, taken): &&(Pool, Taken)| format!("{} ({})", pool.name(), taken.rows);
    let named: Vec<String> = lately.iter().map(each).collect();
    let found = format!(
        "what strangers may have stored was full, and rows were taken from whoever held most: {}",
        named.join(", ")
    );
    FindingView::warning(CHECK, found, remedy_of(*first))
}

/// What helps against a full pool.
fn remedy_of(pool: Pool) -> String {
    let key = match pool {
        Pool::AnonymousSessions => "policy.anonymous_sessions",
        Pool::Clients | Pool::UsedAssertions => "registration.unused",
        Pool::Devices | Pool::Interactions | Pool::PushedRequests => "policy.interactions",
        Pool::Events => "events.refusals",
        Pool::Attempts => {
            return "look for a flood of guesses in the log; nobody was locked out".to_owned();
        }
    };
    format!("look for a flood in the log, or raise {key} in the configuration")
}

fn keys(keys: &[KeyStanding], now: Timestamp, rotation: Duration, serves: bool) -> FindingView {
    const CHECK: &str = "signing-keys";
    let signing = keys.iter().filter(|key| key.state == KeyState::Signing);
    let Some(oldest) = signing.min_by_key(|key| key.signs_from) else {
        return if serves {
            let remedy = "wait a moment; if it stays so, the log says why";
            FindingView::warning(CHECK, "there is no key that signs yet", remedy)
        } else {
            FindingView::skipped(CHECK, "there is no key yet; the server makes them")
        };
    };
    let days = |span: Duration| span.as_secs() / 86_400;
    let (alg, age) = (oldest.alg.as_str(), now.since(oldest.signs_from));
    let found = format!("the oldest key, for {alg}, has signed for {} days", days(age));
    // A server replaces them, and one that has rested makes up for it.
    if serves && age > rotation * 2 {
        let found = format!("{found}, and a key is due after {}", days(rotation));
        return FindingView::warning(CHECK, found, "gatelodge key rotate");
    }
    FindingView::ok(CHECK, found)
}

fn pkce(without: &[ClientId]) -> FindingView {
    const CHECK: &str = "pkce";
    let Some(first) = without.first() else {
        return FindingView::ok(CHECK, "every client has to send a PKCE challenge or a nonce");
    };
    let named: Vec<&str> = without.iter().take(MAX_NAMED).map(ClientId::as_str).collect();
    let more = if without.len() > MAX_NAMED { " and more" } else { "" };
    let found = format!(
        "these clients may send neither PKCE challenge nor nonce, and their state alone protects \
         their codes: {}{more}",
        named.join(", ")
    );
    let word = shell_word(first.as_str());
    FindingView::warning(CHECK, found, format!("gatelodge client set {word} --pkce required"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::FindingState::{Ok, Problem, Skipped, Warning};
    use super::super::finding::assert_finding;
    use super::*;
    use crate::oauth::client::SigningAlg;
    use crate::oauth::id::KeyId;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn a_clock_is_judged_by_the_release_a_jump_and_the_store() {
        let jump = Jump { at_start: true, from: NOW - DAY * 9, to: NOW };
        let old = Timestamp::from_seconds(3600);

        assert_finding(&clock(NOW, NOW, None), Ok, &NOW.rfc3339(), "");
        assert_finding(&clock(NOW, NOW + BEHIND, None), Ok, "", "");
        assert_finding(&clock(NOW, NOW + DAY, None), Warning, "has seen", "timedatectl");
        assert_finding(&clock(NOW, NOW, Some(jump)), Warning, "was last in use", "after an hour");
        assert_finding(&clock(old, old, None), Problem, "1970-01-01", "timedatectl");
    }

    #[test]
    fn a_store_that_cannot_be_written_is_a_problem_with_its_cause() {
        let unwritable = WriteHealth::Unwritable { cause: "no space left".to_owned() };

        assert_finding(&store(&WriteHealth::Writable), Ok, "", "");
        assert_finding(&store(&unwritable), Problem, "no space left", "make room");
    }

    #[test]
    fn what_waits_for_a_restart_is_named() {
        let waiting = LastRead { faults: None, waiting: vec!["offline".into(), "listen".into()] };

        assert_finding(&configuration(&LastRead::default()), Ok, "", "");
        assert_finding(&configuration(&waiting), Warning, "offline, listen", "gatelodge serve");
    }

    #[test]
    fn few_files_and_lost_lines_are_warnings() {
        assert_finding(&connections(None), Ok, "", "");
        assert_finding(&connections(Some(32)), Warning, "for 32 connections", "LimitNOFILE=");
        assert_finding(&log(0), Ok, "", "");
        assert_finding(&log(7), Warning, "7 lines", "standard error");
    }

    #[test]
    fn a_pool_that_was_full_lately_is_named_with_the_setting_that_makes_it_larger() {
        let took = |pool, last| vec![(pool, Taken { last, rows: 12 })];

        assert_finding(&pools(&took(Pool::Clients, NOW - DAY), NOW), Ok, "", "");
        for (pool, remedy) in [
            (Pool::Clients, "raise registration.unused"),
            (Pool::Interactions, "raise policy.interactions"),
            (Pool::AnonymousSessions, "raise policy.anonymous_sessions"),
            (Pool::Attempts, "nobody was locked out"),
        ] {
            let found = format!("{} (12)", pool.name());
            assert_finding(&pools(&took(pool, NOW), NOW), Warning, &found, remedy);
        }
    }

    #[test]
    fn keys_are_overdue_only_where_a_server_replaces_them() {
        let key = |signs_from| KeyStanding {
            alg: SigningAlg::Es256,
            created: signs_from,
            id: KeyId::new("k"),
            published_until: None,
            removed: None,
            signs_from,
            signs_until: None,
            state: KeyState::Signing,
        };
        let judged = |age, serves| keys(&[key(NOW - DAY * age)], NOW, DAY * 90, serves);

        assert_finding(&judged(100, true), Ok, "ES256, has signed for 100 days", "");
        assert_finding(&judged(181, true), Warning, "due after 90", "gatelodge key rotate");
        assert_finding(&judged(181, false), Ok, "181 days", "");
        assert_finding(&keys(&[], NOW, DAY, false), Skipped, "no key yet", "");
        assert_finding(&keys(&[], NOW, DAY, true), Warning, "no key", "the log");
    }

    #[test]
    fn clients_without_pkce_are_named_up_to_twenty() {
        let clients = |count: usize| -> Vec<ClientId> {
            (0..count).map(|n| format!("shop {n}").parse().unwrap()).collect()
        };

        assert_finding(&pkce(&[]), Ok, "", "");
        let remedy = "gatelodge client set 'shop 0' --pkce required";
        assert_finding(&pkce(&clients(2)), Warning, "shop 0, shop 1", remedy);
        assert_finding(&pkce(&clients(21)), Warning, "shop 19 and more", remedy);
    }
}
