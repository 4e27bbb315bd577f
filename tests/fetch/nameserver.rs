//! A nameserver on loopback that says what a test tells it to, and counts what it was asked.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;

/// The record types that are asked for.
pub(crate) const A: u16 = 1;
pub(crate) const AAAA: u16 = 28;

/// What is said of a name.
pub(crate) enum Said {
    Addresses(Vec<&'static str>),
    NoSuchName,
    Nothing,
    ServerFailure,
}

pub(crate) struct Nameserver {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
}

impl Nameserver {
    /// Responds to each question by `say`, which gets the name and how often its A or AAAA records
    /// were asked for before.
    pub(crate) async fn new(say: impl Fn(&str, usize) -> Said + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                let (name, kind, end) = question(&packet[..length]);
                let before = times(&seen, &name, kind);
                seen.lock().unwrap().push((name.clone(), kind));
                if let Some(response) = response(&packet[..end], kind, say(&name, before)) {
                    socket.send_to(&response, from).await.unwrap();
                }
            }
        });
        Self { address, asked }
    }

    /// One that says the same addresses of every name.
    pub(crate) async fn saying(addresses: &[&'static str]) -> Self {
        let addresses = addresses.to_vec();
        Self::new(move |_, _| Said::Addresses(addresses.clone())).await
    }

    /// How often these records of a name were asked for.
    pub(crate) fn times_asked(&self, name: &str, kind: u16) -> usize {
        times(&self.asked, name, kind)
    }

    /// How often anything was asked.
    pub(crate) fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn times(asked: &Mutex<Vec<(String, u16)>>, name: &str, kind: u16) -> usize {
    let asked = asked.lock().unwrap();
    asked.iter().filter(|(asked, of)| asked == name && *of == kind).count()
}

/// The one question of a query (RFC 1035 §4.1.2), and where it ends.
fn question(query: &[u8]) -> (String, u16, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += 1 + length;
    }
    (labels.join("."), u16::from_be_bytes([query[at + 1], query[at + 2]]), at + 5)
}

/// A response (RFC 1035 §4.1) to the query's head and question.
fn response(asked: &[u8], kind: u16, said: Said) -> Option<Vec<u8>> {
    let (code, addresses) = match said {
        Said::Addresses(addresses) => (0, addresses),
        Said::NoSuchName => (3, Vec::new()),
        Said::Nothing => return None,
        Said::ServerFailure => (2, Vec::new()),
    };
    let mut records = Vec::<Vec<u8>>::new();
    for address in addresses {
        let data = match (address.parse().unwrap(), kind) {
            (IpAddr::V4(v4), A) => v4.octets().to_vec(),
            (IpAddr::V6(v6), AAAA) => v6.octets().to_vec(),
            _ => continue,
        };
        // A pointer to the question's name, the class IN, and an hour to live.
        let mut record = vec![0xc0, 12, 0, u8::try_from(kind).unwrap(), 0, 1, 0, 0, 14, 16, 0];
        record.push(u8::try_from(data.len()).unwrap());
        record.extend(data);
        records.push(record);
    }
    let mut response = asked[..2].to_vec();
    response.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0]);
    response.extend(&asked[12..]);
    response.extend(records.concat());
    Some(response)
}
