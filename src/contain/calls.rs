//! System calls, by seccomp(2).

use std::collections::BTreeMap;

use libc::{AF_INET, AF_INET6, AF_UNIX, EPERM, SOCK_DGRAM};
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

/// Gives up the calls of other trades, sockets but those of TCP, UDP and Unix, and `without_udp` those of
/// UDP. A call that was given up fails with `EPERM`.
pub(super) fn contain(without_udp: bool) -> Result<(), String> {
    let why = |error: &dyn std::fmt::Display| format!("system calls are not contained: {error}");
    let program = program(without_udp).map_err(|error| why(&error))?;
    apply_filter(&program).map_err(|error| why(&error))
}

fn program(without_udp: bool) -> Result<BpfProgram, seccompiler::BackendError> {
    let any = |number: i64| (number, Vec::new());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FOREIGN.iter().copied().map(any).collect();
    #[cfg(target_arch = "x86_64")]
    {
        let (bit, own) = X32;
        rules.extend(FOREIGN.iter().map(|number| any(number | bit)));
        rules.extend(own.map(|number| any(number | bit)));
        rules.insert(libc::SYS_socket | bit, Vec::new());
    }
    rules.insert(libc::SYS_socket, sockets(without_udp)?);
    let target = std::env::consts::ARCH.try_into()?;
    let errno = SeccompAction::Errno(EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, errno, target)?.try_into()
}

/// The sockets that are given up.
fn sockets(without_udp: bool) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let value = |number: i32| u64::from(number.unsigned_abs());
    let condition = |argument, how, number: i32| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value(number))
    };
    let other = [AF_INET, AF_INET6, AF_UNIX].map(|family| condition(0, SeccompCmpOp::Ne, family));
    let mut rules = vec![SeccompRule::new(other.into_iter().collect::<Result<_, _>>()?)?];
    if without_udp {
        for family in [AF_INET, AF_INET6] {
            rules.push(SeccompRule::new(vec![
                condition(0, SeccompCmpOp::Eq, family)?,
                condition(1, SeccompCmpOp::MaskedEq(KIND), SOCK_DGRAM)?,
            ])?);
        }
    }
    Ok(rules)
}
