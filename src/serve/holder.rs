//! Which program listens at an address. Only Linux tells it, in `/proc` (proc(5)).

use std::fs;
use std::net::SocketAddr;

/// The state of a socket that listens, in the tables of the kernel.
const LISTENING: &str = "0A";

/// The most processes that are looked at.
const MAX_PROCESSES: usize = 20_000;

/// The name and the process id of the program that listens at `address`, as far as this user may
/// know.
pub(super) fn holder(address: SocketAddr) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let inode = tables.iter().flatten().find_map(|table| listener(table, address))?;
    let link = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.take(MAX_PROCESSES).flatten();
    let has_socket = |process: &fs::DirEntry| {
        let open = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        open.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|to| *to == *link))
    };
    let process = processes
        .filter(|process| process.file_name().to_string_lossy().parse::<u32>().is_ok())
        .find(has_socket)?;
    let name = fs::read_to_string(process.path().join("comm")).ok()?;
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    Some(format!("{name} (pid {})", process.file_name().to_string_lossy()))
}

/// The inode of the socket in `table` that listens at `address`, or at every address of this
/// machine and the same port.
fn listener(table: &str, address: SocketAddr) -> Option<String> {
    let port = format!("{:04X}", address.port());
    let own = written(address);
    let is_unspecified = |ip: &str| ip.bytes().all(|byte| byte == b'0');
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let (ip, its_port) = local.split_once(':')?;
        let is_there = ip == own || is_unspecified(ip) || is_unspecified(&own);
        (*state == LISTENING && its_port == port && is_there).then(|| (*inode).to_owned())
    })
}

/// The IP address as the kernel writes it: in words of 32 bits, each in the order of the machine.
fn written(address: SocketAddr) -> String {
    let octets = match address {
        SocketAddr::V4(address) => address.ip().octets().to_vec(),
        SocketAddr::V6(address) => address.ip().octets().to_vec(),
    };
    let (chunks, _) = octets.as_chunks::<4>();
    chunks.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_is_found_by_its_address_and_port() {
        let local = u32::from_ne_bytes([127, 0, 0, 1]);
        let table = format!(
            "  sl  local_address rem_address   st (and so on)\n\
             0: {local:08X}:1F90 00000000:0000 01 00000000:00000000 00:00000000 00000000 0 0 11 1\n\
             1: {local:08X}:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 22 1\n\
             2: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 33 1\n\
             malformed\n"
        );
        let found = |address: &str| listener(&table, address.parse().unwrap());

        assert_eq!(found("127.0.0.1:8080").as_deref(), Some("22"));
        assert_eq!(found("0.0.0.0:8080").as_deref(), Some("22"));
        assert_eq!(found("127.0.0.1:8081").as_deref(), Some("33"));
        assert_eq!(found("127.0.0.2:8080"), None);
        assert_eq!(found("127.0.0.1:8082"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_found_at_its_own_address() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(taken) = TcpListener::bind(address) else { continue };

            let found = holder(taken.local_addr().unwrap()).unwrap();

            assert!(found.ends_with(&format!("(pid {})", std::process::id())), "{found}");
        }
    }
}
