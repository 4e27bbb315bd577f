//! The file descriptors of this process, and how many connections they allow.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Stop;

/// The most connections at the ports. Each may hold 48 KiB of an unfinished request, and a TLS
/// handshake as much.
const MAX_CONNECTIONS: usize = 4096;

/// The most connections of one network.
const MAX_OF_NETWORK: usize = 1024;

/// The most connections at the administration socket. Further ones wait.
pub(super) const MAX_ADMINISTRATION: usize = 32;

/// The descriptors that no connection at a port may use: those at the administration socket, 32
/// outgoing requests with their questions to the nameserver, the store, the listeners, the log.
const RESERVE: usize = 192;

/// The fewest descriptors with which the server starts.
const FEWEST: usize = 64;

/// The most open connections at the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// In all.
    pub(super) in_all: usize,
    /// Of one network.
    pub(super) of_network: usize,
}

impl Bounds {
    /// The connections in all, where they are fewer than the program would take.
    pub(super) fn few(self) -> Option<usize> {
        (self.in_all < MAX_CONNECTIONS).then_some(self.in_all)
    }

    /// What a server that this process started would have: how many connections, if the system
    /// allows few.
    ///
    /// # Errors
    ///
    /// The system allows too few to start.
    pub(super) fn foreseen() -> Result<Option<usize>, Stop> {
        let descriptors = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        let bounds = Self::of(usize::try_from(descriptors).unwrap_or(usize::MAX));
        bounds.map(Self::few).ok_or_else(|| too_few(descriptors))
    }

    /// Raises the limit of descriptors (`RLIMIT_NOFILE`) as far as the server needs and the system
    /// allows, and returns what it is good for.
    pub(super) fn raised() -> Result<Self, Stop> {
        let limit = getrlimit(Resource::Nofile);
        let needed = (MAX_CONNECTIONS + RESERVE) as u64;
        let allowed = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        let mut descriptors = limit.current.unwrap_or(u64::MAX);
        if descriptors < allowed {
            let raised = Rlimit { current: Some(allowed), ..limit };
            match setrlimit(Resource::Nofile, raised) {
                Ok(()) => descriptors = allowed,
                Err(error) => tracing::warn!(%error, "the limit of descriptors stays as it is"),
            }
        }
        let bounds = Self::of(usize::try_from(descriptors).unwrap_or(usize::MAX))
            .ok_or_else(|| too_few(descriptors))?;
        if bounds.few().is_some() {
            let Self { in_all, of_network } = bounds;
            tracing::info!(
                descriptors,
                in_all,
                of_network,
                "few descriptors bound the connections"
            );
        }
        Ok(bounds)
    }

    /// The bounds with so many descriptors; `None` if they are too few. Of few, half are reserved,
    /// and one network never gets more than half of the rest.
    fn of(descriptors: usize) -> Option<Self> {
        let in_all = (descriptors - RESERVE.min(descriptors / 2)).min(MAX_CONNECTIONS);
        let of_network = MAX_OF_NETWORK.min(in_all / 2);
        (descriptors >= FEWEST).then_some(Self { in_all, of_network })
    }
}

fn too_few(descriptors: u64) -> Stop {
    Stop::failed(format!(
        "this process may open {descriptors} files, and {FEWEST} are the fewest to serve with"
    ))
    .with_remedy("raise the limit: ulimit -n, or LimitNOFILE= in a unit of systemd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_bounded_by_the_descriptors_there_are() {
        let bounds = |descriptors| {
            Bounds::of(descriptors).map(|Bounds { in_all, of_network }| (in_all, of_network))
        };

        assert_eq!(bounds(63), None);
        assert_eq!(bounds(64), Some((32, 16)));
        assert_eq!(bounds(256), Some((128, 64)));
        assert_eq!(bounds(1024), Some((832, 416)));
        assert_eq!(bounds(4096), Some((3904, 1024)));
        assert_eq!(bounds(usize::MAX), Some((4096, 1024)));
    }
}
