//! A whole file: its lines between the first and the last, which say that it is whole.

use sha2::{Digest as _, Sha256};

use super::lines::{AnyLine, FORMAT, Header, Line};
use super::member::Fault;
use crate::secret::hex;

/// The most faults that are told of a file.
const MAX_FAULTS: usize = 20;

/// A file whose lines could be read.
pub struct File {
    /// Its first line.
    pub(super) header: Header,
    /// The lines between, each with its number from 1.
    pub(super) lines: Vec<(u64, Line)>,
}

/// A fault, with the number of its line.
pub(super) struct LineFault {
    /// What is wrong.
    fault: Fault,
    /// The line, from 1.
    line: u64,
}

impl std::fmt::Display for LineFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(member) = &self.fault.member {
            write!(f, ", {member}")?;
        }
        write!(f, ": {}", self.fault.sentence)
    }
}

/// The faults of a file: the first twenty.
#[derive(Default)]
pub struct Faults {
    /// The first.
    faults: Vec<LineFault>,
    /// How many more there are.
    more: usize,
}

impl Faults {
    /// Adds a fault of a line.
    pub(super) fn add(&mut self, line: u64, fault: Fault) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(LineFault { fault, line });
        } else {
            self.more += 1;
        }
    }

    /// A sentence each.
    pub fn listed(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.faults.iter().map(ToString::to_string).chain(more).collect()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Reads a file.
///
/// # Errors
///
/// What is wrong with its lines.
pub fn read(content: &[u8]) -> Result<File, Faults> {
    let mut faults = Faults::default();
    let (mut header, mut lines, mut end) = (None, Vec::new(), None);
    let (mut number, mut sum) = (0, Sha256::new());
    for text in content.split_inclusive(|byte| *byte == b'\n') {
        number += 1;
        if end.is_some() {
            faults.add(number, Fault::whole("nothing follows the line of the kind end"));
            break;
        }
        match AnyLine::read(text.trim_ascii_end()) {
            Ok(AnyLine::Header(own)) if number == 1 => header = Some(own),
            Ok(AnyLine::Header(_)) => {
                faults.add(number, Fault::at("kind", "the header is the first line alone"));
            }
            Ok(AnyLine::Line(line)) => lines.push((number, *line)),
            Ok(AnyLine::Trailer(own)) => {
                // The sum is of the lines before.
                end = Some((number, own, sum.clone()));
                continue;
            }
            Err(fault) => faults.add(number, fault),
        }
        if number == 1 && header.is_none() {
            let why =
                "an export begins with a line of the kind header; --from reads the files of others";
            faults.add(1, Fault::whole(why));
            return Err(faults);
        }
        sum.update(text);
    }
    if let Some(own) = header.as_ref().filter(|own| own.format != FORMAT) {
        let why = format!(
            "this program reads format {FORMAT}, and the file was written by version {}",
            own.version
        );
        faults.add(1, Fault::at("format", why));
        return Err(faults);
    }
    match end {
        None => {
            let why = "the file was cut: its last line is not of the kind end";
            faults.add(number.max(1), Fault::whole(why));
        }
        Some((at, end, sum)) if faults.is_empty() => {
            if end.lines != at - 1 {
                let why = format!("there are {} lines before this one: some are missing", at - 1);
                faults.add(at, Fault::at("lines", why));
            } else if end.sha256 != hex(&sum.finalize()) {
                let why = "the lines before are not as they were written";
                faults.add(at, Fault::at("sha256", why));
            }
        }
        Some(_) => {}
    }
    match header {
        Some(header) if faults.is_empty() => Ok(File { header, lines }),
        Some(_) | None => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "{\"kind\":\"header\",\"at\":\"2026-01-01T00:00:00.000Z\",\"format\":1,\
        \"hash_keys\":{},\"issuer\":\"http://localhost:7455\",\"left_out\":[],\
        \"rp_id\":\"localhost\",\"version\":\"0.1.0\"}\n";
    const SCOPE: &str =
        "{\"kind\":\"scope\",\"description\":\"Look\",\"name\":\"a\",\"open\":true}\n";

    fn ended(lines: &str) -> String {
        let (count, sum) = (lines.lines().count(), hex(&Sha256::digest(lines)));
        format!("{lines}{{\"kind\":\"end\",\"lines\":{count},\"sha256\":\"{sum}\"}}\n")
    }

    fn fault(content: &str) -> String {
        read(content.as_bytes()).err().unwrap().listed().remove(0)
    }

    #[test]
    fn a_file_is_whole_or_refused() {
        let whole = ended(&format!("{HEADER}{SCOPE}"));

        assert_eq!(read(whole.as_bytes()).ok().unwrap().lines.len(), 1);
        for cut in 0..whole.len() - 1 {
            assert!(read(&whole.as_bytes()[..cut]).is_err(), "{cut}");
        }
        assert!(fault(&whole.replace("Look", "Lock")).starts_with("line 3, sha256: the lines"));
        assert!(fault(&whole.replace(SCOPE, "")).starts_with("line 2, lines: there are 1 lines"));
        assert!(fault(&format!("{whole}{SCOPE}")).starts_with("line 4: nothing follows"));
    }

    #[test]
    fn each_fault_has_its_line() {
        let twice = ended(&format!("{HEADER}{HEADER}{SCOPE}{{\"kind\":\"scope\"}}\n"));

        let faults = read(twice.as_bytes()).err().unwrap();

        assert_eq!(
            faults.listed(),
            [
                "line 2, kind: the header is the first line alone",
                "line 4, description: it is missing",
            ]
        );
        assert!(fault(SCOPE).contains("begins with a line of the kind header"));
        let later = ended(&HEADER.replace("\"format\":1", "\"format\":2"));
        assert!(fault(&later).starts_with("line 1, format: this program reads format 1"));
        assert!(fault("").starts_with("line 1: the file was cut"));
    }
}
