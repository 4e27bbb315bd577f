//! `gatelodge api`, `version`, `paths`, `completions`, `man-pages` and `manual`: facts about the program
//! itself; `healthcheck`: whether it runs.

mod healthcheck;
mod man_pages;
mod manual;

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde::Serialize;
use serde_json::Value;

use crate::admin::DESCRIPTION;
use crate::app::backup::FORMAT;
use crate::app::store_file::SCHEMA;
use crate::config::Places;

use crate::cli::args::Args;
use crate::cli::output::{Output, fields};

pub(super) use healthcheck::healthcheck;
pub(super) use man_pages::man_pages;
pub(super) use manual::manual;

/// The commit that the program was built of, and its date; `make build` says them.
const COMMIT: Option<&str> = option_env!("GATELODGE_COMMIT");
const COMMIT_DATE: Option<&str> = option_env!("GATELODGE_COMMIT_DATE");

#[derive(Serialize)]
struct VersionView {
    /// The format of a backup.
    backup_format: u32,
    commit: Option<&'static str>,
    /// The date of the commit.
    date: Option<&'static str>,
    /// What the program was built with: how it is linked, and whether it checks itself.
    features: Vec<&'static str>,
    name: &'static str,
    /// The schema of the store.
    schema: u32,
    /// The machine and the system that it was built for.
    target: String,
    version: &'static str,
}

#[derive(Serialize)]
struct PathsView {
    config: Option<String>,
    data: String,
    key: String,
    socket: String,
    store: String,
    tokens: String,
}

#[derive(Serialize)]
struct CompletionsView {
    script: String,
    shell: String,
}

/// Runs `gatelodge api`.
pub(super) fn api() -> Output {
    Output::json(&serde_json::from_str::<Value>(DESCRIPTION).unwrap_or_default())
}

/// Runs `gatelodge version`.
pub(super) fn version() -> Output {
    let features = [
        (cfg!(target_feature = "crt-static"), "static"),
        (cfg!(debug_assertions), "debug-assertions"),
    ];
    let view = VersionView {
        backup_format: FORMAT,
        commit: COMMIT,
        date: COMMIT_DATE,
        features: features.into_iter().filter(|(is_in, _)| *is_in).map(|(_, name)| name).collect(),
        name: "gatelodge",
        schema: SCHEMA,
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        version: env!("CARGO_PKG_VERSION"),
    };
    let of = match (view.commit, view.date) {
        (Some(commit), Some(date)) => format!("{commit}, {date}"),
        (Some(commit), None) => commit.to_owned(),
        (None, _) => "of no known commit".to_owned(),
    };
    let built = [&[view.target.as_str()], &view.features[..]].concat().join(", ");
    let (version, schema) = (view.version, view.schema);
    let text = format!("gatelodge {version} ({of}; {built}; schema {schema})");
    Output::new(text, &view)
}

/// Runs `gatelodge paths`.
pub(super) fn paths(places: &Places) -> Output {
    let text = |path: &Path| path.display().to_string();
    let view = PathsView {
        config: places.config.as_deref().map(text),
        data: text(&places.data),
        key: text(&places.key()),
        socket: text(&places.socket()),
        store: text(&places.store()),
        tokens: text(&places.tokens()),
    };
    let rows = [
        ("data", view.data.clone()),
        ("store", view.store.clone()),
        ("key", view.key.clone()),
        ("socket", view.socket.clone()),
        ("tokens", view.tokens.clone()),
        ("config", view.config.clone().unwrap_or_else(|| "(none)".to_owned())),
    ];
    Output::new(fields(&rows), &view)
}

/// Runs `gatelodge completions`.
pub(super) fn completions(shell: Shell) -> Output {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "gatelodge", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let view = CompletionsView { script, shell: shell.to_string() };
    Output::new(view.script.as_str(), &view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_one_line() {
        let response = version();
        let (_, text, json, _) = response.parts();

        assert!(text.starts_with("gatelodge 0.1.0 (") && !text.contains('\n'), "{text}");
        assert!(text.contains("debug-assertions"), "{text}");
        assert_eq!(json["version"], "0.1.0");
    }

    #[test]
    fn paths_names_every_place() {
        let response = paths(&Places { config: None, data: "/d".into(), state: "/s".into() });
        let (_, text, json, _) = response.parts();

        assert_eq!(
            text,
            "data    /d\nstore   /d/gatelodge.redb\nkey     /d/gatelodge.key\n\
             socket  /d/gatelodge.sock\n\
             tokens  /s/tokens\nconfig  (none)\n"
        );
        assert_eq!(json["config"], serde_json::Value::Null);
    }

    #[test]
    fn every_shell_gets_its_script() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let response = completions(shell);

            assert!(response.parts().1.contains("gatelodge"), "{shell}");
        }
    }
}
