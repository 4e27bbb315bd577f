//! System calls, by seccomp(2).

use std::collections::BTreeMap;

use libc::{
    AF_INET, AF_INET6, AF_UNIX, EPERM, IPPROTO_TCP, MSG_FASTOPEN, SOCK_DGRAM, SOCK_RAW,
    SOCK_SEQPACKET,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

/// The calls of other trades: programs, other processes, the system itself, and ways around a filter.
const FOREIGN: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsopen,
    libc::SYS_init_module,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_setgid,
    libc::SYS_setgroups,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_setregid,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_setreuid,
    libc::SYS_settimeofday,
    libc::SYS_setuid,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// The bit of the calls of x32, and those of them that have a number of their own.
#[cfg(target_arch = "x86_64")]
const X32: (i64, std::ops::RangeInclusive<i64>) = (0x4000_0000, 512..=547);

/// The bits of a socket's type that are its kind.
const KIND: u64 = 0xf;

/// Gives up the calls of other trades, sockets but those of TCP, UDP and Unix, and with `tcp_alone` those
/// of UDP and every way to connect that is not `connect`. A call that was given up fails with `EPERM`.
pub(super) fn contain(tcp_alone: bool) -> Result<(), String> {
    let why = |error: &dyn std::fmt::Display| format!("system calls are not contained: {error}");
    let program = program(tcp_alone).map_err(|error| why(&error))?;
    apply_filter(&program).map_err(|error| why(&error))
}

fn program(tcp_alone: bool) -> Result<BpfProgram, seccompiler::BackendError> {
    let any = |number: i64| (number, Vec::new());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FOREIGN.iter().copied().map(any).collect();
    #[cfg(target_arch = "x86_64")]
    {
        let (bit, own) = X32;
        rules.extend(FOREIGN.iter().map(|number| any(number | bit)));
        rules.extend(own.map(|number| any(number | bit)));
        rules.insert(libc::SYS_socket | bit, Vec::new());
    }
    rules.insert(libc::SYS_socket, sockets(tcp_alone)?);
    if tcp_alone {
        for (number, argument) in FAST_OPENING {
            rules.insert(number, fast_opening(argument)?);
        }
    }
    let target = std::env::consts::ARCH.try_into()?;
    let errno = SeccompAction::Errno(EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, errno, target)?.try_into()
}

/// The sockets that are given up.
fn sockets(tcp_alone: bool) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let value = |number: i32| u64::from(number.unsigned_abs());
    let condition = |argument, how, number: i32| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value(number))
    };
    let other = [AF_INET, AF_INET6, AF_UNIX].map(|family| condition(0, SeccompCmpOp::Ne, family));
    let mut rules = vec![SeccompRule::new(other.into_iter().collect::<Result<_, _>>()?)?];
    if !tcp_alone {
        return Ok(rules);
    }
    for family in [AF_INET, AF_INET6] {
        let of_family = || condition(0, SeccompCmpOp::Eq, family);
        for kind in [SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET] {
            let kind = condition(1, SeccompCmpOp::MaskedEq(KIND), kind)?;
            rules.push(SeccompRule::new(vec![of_family()?, kind])?);
        }
        // Others of the kind of TCP are not in the bounds of the ports.
        let other = [0, IPPROTO_TCP].map(|protocol| condition(2, SeccompCmpOp::Ne, protocol));
        let other = other.into_iter().chain([of_family()]).collect::<Result<_, _>>()?;
        rules.push(SeccompRule::new(other)?);
    }
    Ok(rules)
}

/// What connects without a call of `connect`: the flag of a call that sends, at this place of its arguments.
const FAST_OPENING: [(i64, u8); 3] =
    [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)];

fn fast_opening(argument: u8) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let flag = u64::from(MSG_FASTOPEN.unsigned_abs());
    let how = SeccompCmpOp::MaskedEq(flag);
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, flag)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}
