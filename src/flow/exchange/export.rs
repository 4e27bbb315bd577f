//! The export: every line of a snapshot, in the order in which an import takes them.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::lines::{FORMAT, HEADER, Header, Line, TRAILER, Trailer, written};
use super::member::Moment;
use super::rows;
use crate::clock::Timestamp;
use crate::error::{Error, Internal};
use crate::flow::Rules;
use crate::secret::hex;
use crate::store::schema::{
    Applied, AppliedRole, AppliedScope, Client, Consent, DeviceCertificate, Invitation,
    LinkedDevice, Passkey, Person, Protected, SetupLink, StoredCode,
};
use crate::store::{Row, View};

/// The number of rows that are read at a time.
const PAGE: usize = 256;

/// What no export has.
const LEFT_OUT: &[&str] = &[
    "the configuration",
    "sessions of browsers and bridges, and their devices without a token or a certificate",
    "grants, codes and tokens of clients",
    "clients that registered or named themselves and that no person has used",
    "signing keys, the key of bridges and the local CA",
    "ended links and invitations, and marks of removed passkeys",
    "people's choices of agent hosts",
    "events and usage",
];

/// The generations of the keys of hashes, and the values by which they are recognised.
pub(super) fn hash_keys(rules: &Rules) -> BTreeMap<String, String> {
    let checks = rules.pepper.checks().into_iter();
    checks.map(|(generation, check)| (generation.to_string(), hex(&check))).collect()
}

/// Whom the lines go to: an error ends the export.
pub type Sink<'a> = dyn FnMut(Vec<u8>) -> Result<(), Error> + 'a;

/// The lines as they go, counted and summed.
struct Writer<'a> {
    lines: u64,
    sink: &'a mut Sink<'a>,
    sum: Sha256,
}

impl Writer<'_> {
    fn write(&mut self, kind: &str, line: &impl serde::Serialize) -> Result<(), Error> {
        let value = serde_json::to_value(line).map_err(Internal::new)?;
        let members = value.as_object().ok_or_else(|| Internal::new("a line is an object"))?;
        self.put(written(kind, members))
    }

    fn line(&mut self, line: &Line) -> Result<(), Error> {
        self.put(written(line.kind(), &line.members()))
    }

    fn put(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        self.lines += 1;
        self.sum.update(&bytes);
        (self.sink)(bytes)
    }

    /// Writes the lines of a table.
    fn table<R: Row>(
        &mut self,
        view: &impl View,
        mut line: impl FnMut(&R::Key, R) -> Result<Option<Line>, Error>,
    ) -> Result<(), Error> {
        let mut last = None;
        loop {
            let page = view.list_after::<R, _>(&(), last.as_ref(), PAGE)?;
            let is_last = page.len() < PAGE;
            for (key, row) in page {
                if let Some(line) = line(&key, row)? {
                    self.line(&line)?;
                }
                last = Some(key);
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// Writes everything that an import can take, and calls `sink` for each line.
///
/// # Errors
///
/// Those of the store and of `sink`.
pub fn write<'a>(
    view: &impl View,
    rules: &Rules,
    now: Timestamp,
    sink: &'a mut Sink<'a>,
) -> Result<(), Error> {
    let mut writer = Writer { lines: 0, sink, sum: Sha256::new() };
    let header = Header {
        at: Moment(now),
        format: FORMAT,
        hash_keys: hash_keys(rules),
        issuer: rules.issuer.as_str().to_owned(),
        left_out: LEFT_OUT.iter().map(|what| (*what).to_owned()).collect(),
        rp_id: rules.issuer.host().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    writer.write(HEADER, &header)?;
    writer.table::<AppliedScope>(view, |name, row| rows::scope(name, &row).map(Some))?;
    writer.table::<AppliedRole>(view, |name, row| rows::role(name, &row).map(Some))?;
    writer.table::<Protected>(view, |_, row| Ok(Some(rows::resource(&row))))?;
    writer.table::<Client>(view, |id, row| match row.is_strangers() {
        true => Ok(None),
        false => rows::client(view, id, &row).map(Some),
    })?;
    writer.table::<Person>(view, |id, row| Ok(Some(rows::person(*id, &row))))?;
    // What is of somebody who was removed meanwhile ends with them, step by step.
    let is_there = |user: &_| Ok::<_, Error>(view.find::<Person>(user)?.is_some());
    writer.table::<Passkey>(view, |id, row| match is_there(&row.user)? {
        true => rows::passkey(id, &row).map(Some),
        false => Ok(None),
    })?;
    writer.table::<StoredCode>(view, |hash, row| {
        Ok(is_there(&row.user)?.then(|| rows::recovery_code(*hash, &row)))
    })?;
    let lives = |row: &LinkedDevice| !row.ended && row.expires > now;
    writer.table::<LinkedDevice>(view, |id, row| match lives(&row) && is_there(&row.user)? {
        true => Ok(rows::device(id, &row)),
        false => Ok(None),
    })?;
    writer.table::<DeviceCertificate>(view, |id, row| {
        let device = view.find::<LinkedDevice>(&row.linked)?;
        let counts = row.revoked.is_some() || device.as_ref().is_some_and(lives);
        let stays = row.expires > now && counts && is_there(&row.user)?;
        Ok(stays.then(|| rows::certificate(*id, &row)))
    })?;
    writer.table::<Consent>(view, |key, row| {
        let client = view.find::<Client>(&key.1)?;
        let stays = client.is_some_and(|client| !client.is_strangers()) && is_there(&key.0)?;
        Ok(stays.then(|| rows::consent(key, &row)))
    })?;
    writer.table::<SetupLink>(view, |id, row| {
        let is_open = row.ended.is_none() && row.expires.by_clock() > now;
        let Some(user) = row.purpose.user().filter(|_| is_open) else { return Ok(None) };
        let person = view.find::<Person>(&user)?;
        // One from before its person was disabled is over.
        match person.filter(|person| person.enabled_since(row.created)) {
            Some(_) => Ok(rows::setup_link(*id, &row)),
            None => Ok(None),
        }
    })?;
    writer.table::<Invitation>(view, |id, row| {
        let is_open = row.revoked.is_none() && row.used < row.uses && row.expires.by_clock() > now;
        Ok(is_open.then(|| rows::invitation(*id, &row)))
    })?;
    writer.table::<Applied>(view, |key, row| Ok(Some(rows::applied(key, &row))))?;
    let sha256 = hex(&writer.sum.clone().finalize());
    let trailer = Trailer { lines: writer.lines, sha256 };
    writer.write(TRAILER, &trailer)
}
