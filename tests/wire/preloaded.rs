//! Libraries in C that a story puts between the program and the system.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The library that is made of `source`, a file of this directory. There is a C compiler wherever this
/// crate was built, since its cryptography needs one.
pub(crate) fn library(source: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire").join(source);
    let name = source.file_stem().unwrap();
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).with_extension("so");
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
    let compiled = compile.output().expect("`cc`, the C compiler, is needed");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
}
