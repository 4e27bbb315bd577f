//! `gatelodge man-pages`: the manual pages, from the same definition as the help.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use serde::Serialize;

use crate::cli::args::Args;
use crate::cli::output::{Exit, Failure, Output};

#[derive(Serialize)]
struct ManPagesView {
    directory: String,
    pages: Vec<String>,
}

/// Runs `gatelodge man-pages`.
pub(in crate::cli) fn man_pages(directory: &Path) -> Result<Output, Failure> {
    let unwritable = |error| {
        Failure::new(Exit::Failed, format!("cannot write {}: {error}", directory.display()))
    };
    fs::create_dir_all(directory).map_err(unwritable)?;
    clap_mangen::generate_to(Args::command(), directory).map_err(unwritable)?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(directory).map_err(unwritable)? {
        let name = entry.map_err(unwritable)?.file_name().to_string_lossy().into_owned();
        if name.starts_with("gatelodge") && name.ends_with(".1") {
            pages.push(name);
        }
    }
    pages.sort();
    let text = format!("{} pages in {}", pages.len(), directory.display());
    Ok(Output::new(text, &ManPagesView { directory: directory.display().to_string(), pages }))
}
