//! `gatelodge man-pages`: the manual pages, from the same definition as the help.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};
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
    list(&Args::command(), "", &mut pages);
    pages.sort_unstable();
    let text = format!("{} pages in {}", pages.len(), directory.display());
    Ok(Output::new(text, &ManPagesView { directory: directory.display().to_string(), pages }))
}

/// Adds the pages of `command`, whose name follows this.
fn list(command: &Command, before: &str, pages: &mut Vec<String>) {
    let name = format!("{before}{}", command.get_name());
    pages.push(format!("{name}.1"));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        list(below, &format!("{name}-"), pages);
    }
}
