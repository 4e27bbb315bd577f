//! The requests that a development server received, without their secrets.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::oauth::params::Params;

/// The most requests that are remembered: the newest.
const MAX: usize = 10_000;

/// What stands in the place of a secret.
const SECRET: &str = "(secret)";

/// The parameters whose values are secrets, or prove something.
const SECRETS: &[&str] = &[
    "actor_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "id_token_hint",
    "logout_token",
    "password",
    "refresh_token",
    "request",
    "software_statement",
    "subject_token",
    "token",
    "user_code",
];

/// The paths whose last part is a secret.
const SECRET_PATHS: &[&str] = &["/device/qr/"];

/// Whatever was received.
#[derive(Default)]
pub(super) struct Journal(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    last: u64,
    received: VecDeque<Entry>,
}

/// A request.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    /// Its number, from 1.
    id: u64,
    /// When it came, by the clock of the server.
    at: String,
    method: String,
    path: String,
    /// The parameters of its query, each with its values.
    query: BTreeMap<String, Vec<String>>,
    /// The parameters of its form.
    form: BTreeMap<String, Vec<String>>,
    /// How it is authorized: the scheme, and the client of `Basic`.
    authorization: Option<String>,
    /// The id of the fault that it met.
    fault: Option<u64>,
    /// The status of the response; null: there is none yet.
    status: Option<u16>,
    /// The error in the response.
    error: Option<String>,
    /// The id of the event of its refusal, for `events/ID` of the administration.
    event_id: Option<String>,
}

/// What became of a request.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) error: Option<String>,
    pub(super) event_id: Option<String>,
    /// The bytes of its form.
    pub(super) form: Vec<u8>,
    pub(super) status: u16,
}

/// Which requests are asked for.
#[derive(Default)]
pub(super) struct Filter {
    /// Those after the one of this number.
    pub(super) after: u64,
    /// Those for this path.
    pub(super) path: Option<String>,
}

impl Journal {
    /// Records that a request came. Returns its number.
    pub(super) fn receive(&self, at: Timestamp, parts: &Parts, fault: Option<u64>) -> u64 {
        let mut entry = Entry {
            id: 0,
            at: at.rfc3339(),
            method: parts.method.to_string(),
            path: masked_path(parts.uri.path()),
            query: masked(parts.uri.query().unwrap_or_default().as_bytes()),
            form: BTreeMap::new(),
            authorization: authorization(&parts.headers),
            fault,
            status: None,
            error: None,
            event_id: None,
        };
        self.with(|entries| {
            entries.last += 1;
            entry.id = entries.last;
            if entries.received.len() == MAX {
                entries.received.pop_front();
            }
            entries.received.push_back(entry);
            entries.last
        })
    }

    /// Records what became of the request of that number.
    pub(super) fn finish(&self, id: u64, outcome: Outcome) {
        self.with(|entries| {
            // A reset may have forgotten it.
            let entry = entries.received.iter_mut().rev().find(|entry| entry.id == id);
            if let Some(entry) = entry {
                entry.error = outcome.error;
                entry.event_id = outcome.event_id;
                entry.form = masked(&outcome.form);
                entry.status = Some(outcome.status);
            }
        });
    }

    /// The requests of `filter`, the oldest first.
    pub(super) fn list(&self, filter: &Filter) -> Vec<Entry> {
        let wanted = |entry: &&Entry| {
            entry.id > filter.after && filter.path.as_ref().is_none_or(|path| entry.path == *path)
        };
        self.with(|entries| entries.received.iter().filter(wanted).cloned().collect())
    }

    /// Forgets every request. Their numbers are not given again, so that one that is not finished yet
    /// is taken for no other.
    pub(super) fn clear(&self) {
        self.with(|entries| entries.received.clear());
    }

    fn with<T>(&self, work: impl FnOnce(&mut Entries) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The parameters of a query or a form. Anything else has none.
fn masked(bytes: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut parameters = BTreeMap::<String, Vec<String>>::new();
    let Ok(parsed) = Params::parse(bytes) else { return parameters };
    for (name, value) in parsed.pairs() {
        let hidden = SECRETS.contains(&name) || looks_secret(value);
        let value = if hidden && !value.is_empty() { SECRET } else { value };
        parameters.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    parameters
}

fn masked_path(path: &str) -> String {
    let secret = SECRET_PATHS.iter().find(|own| path.starts_with(**own));
    secret.map_or_else(|| path.to_owned(), |own| format!("{own}{SECRET}"))
}

/// Whether a value has the form of a secret of this server, or of a JWT.
fn looks_secret(value: &str) -> bool {
    value.starts_with("gl_") || value.starts_with("eyJ")
}

fn authorization(headers: &HeaderMap) -> Option<String> {
    let written = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, value) = written.split_once(' ').unwrap_or((written, ""));
    let basic = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(value).ok()).flatten();
    let basic = basic.and_then(|basic| String::from_utf8(basic).ok());
    let client = basic.as_deref().and_then(|basic| basic.split_once(':')).map(|(id, _)| id);
    Some(client.map_or_else(|| scheme.to_owned(), |client| format!("{scheme} {client}")))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn no_secret_of_a_request_is_remembered() {
        let secrets = ["a-chosen-secret", "gl_rt_1", "gl_ac_2", "eyJhbGciOi.J9.x", "a-verifier"];
        let [chosen, refresh, code, token, verifier] = secrets;
        let basic = STANDARD.encode(format!("shop:{chosen}"));
        let request = Request::post(format!("/oauth/token?odd={refresh}&x={token}"));
        let request = request.header("authorization", format!("Basic {basic}")).body(()).unwrap();
        let journal = Journal::default();

        let id = journal.receive(Timestamp::from_seconds(0), &request.into_parts().0, None);
        let form = format!(
            "grant_type=authorization_code&code={code}&code_verifier={verifier}&\
             client_secret={chosen}&scope=openid"
        );
        journal.finish(id, Outcome { form: form.into(), status: 200, ..Outcome::default() });

        let listed = serde_json::to_string(&journal.list(&Filter::default())).unwrap();
        for secret in secrets.iter().copied().chain([basic.as_str()]) {
            assert!(!listed.contains(secret), "{secret} in {listed}");
        }
        assert!(listed.contains("Basic shop") && listed.contains("openid"), "{listed}");
        assert!(listed.contains("code_verifier"), "{listed}");
    }

    #[test]
    fn the_oldest_requests_are_forgotten_first_and_a_number_is_given_once() {
        let journal = Journal::default();
        let received = || {
            let (parts, ()) = Request::get("/device/qr/ABCDEFGH").body(()).unwrap().into_parts();
            journal.receive(Timestamp::from_seconds(0), &parts, None)
        };
        for _ in 0..=MAX {
            received();
        }

        let all = journal.list(&Filter::default());
        let after = journal.list(&Filter { after: 10_000, path: None });
        journal.clear();

        assert_eq!((all.len(), all[0].id, after.len()), (MAX, 2, 1));
        assert_eq!(all[0].path, "/device/qr/(secret)");
        assert_eq!(received(), 10_002);
    }
}
