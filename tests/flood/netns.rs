//! The network in which all of it runs, and the addresses that a flood may come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Who floods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// 127.0.0.1.
    Own,
    /// 192.0.2.1.
    Other,
    /// 2001:db8:0:N::1, for 10,000 N.
    Many,
}

/// How many /64s of the /48 there are.
const NETWORKS: u64 = 10_000;

/// Says that this process is in the namespace already.
const INSIDE: &str = "GATELODGE_FLOOD_INSIDE";

/// Any address of the /48 can then be a source, and more connections than the default of ports.
const SET_UP: &str = "ip link set lo up && ip addr add 192.0.2.1/32 dev lo \
     && ip -6 route add local 2001:db8::/48 dev lo \
     && echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind \
     && echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range";

impl Source {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Own, Self::Other, Self::Many].into_iter().find(|source| source.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Other => "other",
            Self::Many => "many",
        }
    }

    /// The address of the connection `n`; `None` is left to the system.
    pub(crate) fn address(self, n: u64) -> Option<IpAddr> {
        match self {
            Self::Own => None,
            Self::Other => Some(Ipv4Addr::new(192, 0, 2, 1).into()),
            Self::Many => {
                let network = u16::try_from(n % NETWORKS).unwrap();
                Some(Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, 1).into())
            }
        }
    }

    /// Where it finds the server.
    pub(crate) fn server(self) -> IpAddr {
        match self {
            Self::Own | Self::Other => Ipv4Addr::LOCALHOST.into(),
            Self::Many => Ipv6Addr::LOCALHOST.into(),
        }
    }
}

/// Where this process is.
pub(crate) enum Place {
    /// Where these sources can be had.
    Inside(Vec<Source>),
    /// Outside, and the one inside ended so.
    Outside(ExitCode),
}

/// Starts this program again in a namespace, unless it is there already.
pub(crate) fn enter() -> Place {
    if std::env::var_os(INSIDE).is_some() {
        return Place::Inside(vec![Source::Own, Source::Other, Source::Many]);
    }
    let namespace = |script: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--net", "sh", "-c", script]);
        unshare
    };
    if !namespace(SET_UP).output().is_ok_and(|output| output.status.success()) {
        eprintln!("no network namespace can be made here: only floods from 127.0.0.1 are tried");
        return Place::Inside(vec![Source::Own]);
    }
    let mut inside = namespace(&format!("{SET_UP} && exec \"$0\" \"$@\""));
    inside.arg(std::env::current_exe().unwrap()).args(std::env::args_os().skip(1));
    // It returns only if it fails.
    let fault = inside.env(INSIDE, "1").exec();
    eprintln!("this program did not start again: {fault}");
    Place::Outside(ExitCode::FAILURE)
}

/// Raises the limit of descriptors to what the system allows.
pub(crate) fn need_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}
