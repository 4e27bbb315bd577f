//! Where an export goes: to standard output, or into a new file, which gets its name once it is
//! whole.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::output::{Exit, Failure};
use crate::private_file::NewFile;

/// Where the lines go.
pub(super) enum Target {
    /// Into a draft beside the new file.
    File {
        /// What is written.
        file: File,
        /// Its name, once it is whole.
        new: NewFile,
        /// What that will be.
        path: PathBuf,
    },
    /// To standard output.
    Output(io::Stdout),
}

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    /// The number of bytes.
    pub(super) bytes: u64,
    /// The beginning of the last line, or all of it.
    last: Vec<u8>,
    /// The number of lines.
    pub(super) lines: u64,
}

impl Written {
    fn add(&mut self, part: &[u8]) {
        self.bytes += part.len() as u64;
        for byte in part {
            if self.last.ends_with(b"\n") {
                self.last.clear();
            }
            self.last.push(*byte);
            self.lines += u64::from(*byte == b'\n');
        }
    }

    /// Whether the last line says that it is the last.
    pub(super) fn is_whole(&self) -> bool {
        self.last.starts_with(b"{\"kind\":\"end\",") && self.last.ends_with(b"}\n")
    }
}

impl Target {
    /// Opens the target that `file` names. A file that exists is an error.
    pub(super) fn open(file: &str) -> Result<Self, Failure> {
        if file == "-" {
            return Ok(Self::Output(io::stdout()));
        }
        let path = PathBuf::from(file);
        match NewFile::create(&path) {
            Ok((new, file)) => Ok(Self::File { file, new, path }),
            Err(error) => Err(unwritten(&path, &error)),
        }
    }

    /// Writes a part.
    pub(super) fn add(&mut self, part: &[u8], written: &mut Written) -> Result<(), Failure> {
        written.add(part);
        match self {
            Self::File { file, path, .. } => {
                file.write_all(part).map_err(|error| unwritten(path, &error))
            }
            Self::Output(output) => output.write_all(part).map_err(|error| {
                Failure::new(Exit::Failed, format!("the export cannot be written: {error}"))
            }),
        }
    }

    /// Gives a whole file its name, which it takes from no other.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::File { file, new, path } => {
                let named = file.sync_all().and_then(|()| new.name());
                named.map_err(|error| unwritten(&path, &error))
            }
            Self::Output(mut output) => output.flush().map_err(|error| {
                Failure::new(Exit::Failed, format!("the export cannot be written: {error}"))
            }),
        }
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AlreadyExists => "is there, and is not overwritten".to_owned(),
        _ => format!("cannot be written: {error}"),
    };
    Failure::new(Exit::Failed, format!("{} {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_gets_its_name_when_it_is_whole_and_takes_it_from_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("house.jsonl");
        let name = path.to_str().unwrap();
        let mut written = Written::default();

        let mut target = Target::open(name).unwrap();
        target.add(b"{\"kind\":\"header\"}\n{\"kind\":", &mut written).unwrap();
        assert!(!path.exists() && !written.is_whole());
        target.add(b"\"end\",\"lines\":1}\n", &mut written).unwrap();
        target.finish().unwrap();
        let again = Target::open(name).err().unwrap();

        assert!(written.is_whole());
        assert_eq!((written.lines, written.bytes), (2, fs::read(&path).unwrap().len() as u64));
        assert!(again.message.ends_with("house.jsonl is there, and is not overwritten"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_breaks_off_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("house.jsonl");

        let mut target = Target::open(path.to_str().unwrap()).unwrap();
        target.add(b"{", &mut Written::default()).unwrap();
        drop(target);

        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
