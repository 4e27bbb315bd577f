//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use gatelodge::store::Pool;

use crate::floods::{Flood, How};
use crate::netns::Source;

/// How many connections a flood has at once.
const CONNECTIONS: u64 = 128;
/// The same for checks of secrets from many networks: more than the server lets wait.
const GUESSERS: u64 = 1152;

pub(crate) const USAGE: &str = "\
usage: cargo test --bench flood -- BINARY [OPTION…] [FLOOD…]

  --seconds N          how long each flood lasts from each source; 60 if nothing is said
  --brief              half a second each, and nothing that depends on time is judged
  --connections N      how many connections send requests at once; 128 if nothing is said
  --from SOURCE        own, other or many: 127.0.0.1, one other address, 10,000 /64s of a /48
  --without-admission  with bounds as high as the configuration allows; only the floods whose
                       rows have bounds, and it succeeds if the criteria fail
  FLOOD                its name, where it is not to be all of them";

/// What was asked for.
pub(crate) struct Arguments {
    pub(crate) binary: PathBuf,
    pub(crate) brief: bool,
    pub(crate) duration: Duration,
    pub(crate) without_admission: bool,
    connections: Option<u64>,
    from: Option<Source>,
    names: Vec<String>,
}

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut brief = false;
        let mut connections = None;
        let mut seconds = 60;
        let mut without_admission = false;
        let mut from = None;
        let mut names = Vec::new();
        while let Some(argument) = given.next() {
            match argument.as_str() {
                // Cargo says it to every benchmark.
                "--bench" => {}
                "--brief" => brief = true,
                "--connections" => connections = Some(number(given.next())?),
                "--from" => {
                    let source = given.next().unwrap_or_default();
                    from = Some(Source::named(&source).ok_or(format!("no source: {source}"))?);
                }
                "--seconds" => seconds = number(given.next())?,
                "--without-admission" => without_admission = true,
                option if option.starts_with('-') => return Err(format!("no option: {option}")),
                name => names.push(name.to_owned()),
            }
        }
        if names.is_empty() {
            return Err("the path of the binary is missing".to_owned());
        }
        let binary = PathBuf::from(names.remove(0));
        let known = crate::floods::all();
        if let Some(name) = names.iter().find(|name| known.iter().all(|own| own.name != **name)) {
            let all: Vec<_> = known.iter().map(|own| own.name).collect();
            return Err(format!("no flood: {name}; there are {}", all.join(", ")));
        }
        let duration =
            if brief { Duration::from_millis(500) } else { Duration::from_secs(seconds) };
        Ok(Self { binary, brief, duration, without_admission, connections, from, names })
    }

    /// How many connections `flood` has at once.
    pub(crate) fn connections(&self, flood: &Flood, source: Source) -> u64 {
        let guesses = matches!(flood.how, How::Requests(_)) && flood.pools == [Pool::Attempts];
        let usual = if guesses && source == Source::Many { GUESSERS } else { CONNECTIONS };
        self.connections.unwrap_or(usual)
    }

    pub(crate) fn asks_for(&self, flood: &Flood) -> bool {
        let named = self.names.is_empty() || self.names.iter().any(|name| name == flood.name);
        named && (!self.without_admission || flood.is_bounded_by_configuration())
    }

    /// Documents have a limit by network too, which only many networks pass.
    pub(crate) fn asks_from(&self, flood: &Flood, source: Source) -> bool {
        let is_limited = flood.name == "documents" && source != Source::Many;
        self.from.is_none_or(|from| from == source) && !(self.without_admission && is_limited)
    }
}

fn number(value: Option<String>) -> Result<u64, String> {
    let value = value.unwrap_or_default();
    value.parse().map_err(|_| format!("no number: {value}"))
}
