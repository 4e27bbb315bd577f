//! What the program says of itself.

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde_json::{Value, json};

use crate::config::Places;

use super::args::Args;
use super::output::{Output, fields};

/// `gatelodge version`
pub(super) fn version() -> Output {
    let version = env!("CARGO_PKG_VERSION");
    Output::new(format!("gatelodge {version}"), json!({"name": "gatelodge", "version": version}))
}

/// `gatelodge paths`
pub(super) fn paths(places: &Places) -> Output {
    let rows = [
        ("data", Some(places.data.clone())),
        ("store", Some(places.store())),
        ("key", Some(places.key())),
        ("socket", Some(places.socket())),
        ("tokens", Some(places.tokens())),
        ("config", places.config.clone()),
    ];
    let rows = rows.map(|(name, path)| (name, path.map(|path| path.display().to_string())));
    let json = rows.iter().map(|(name, path)| ((*name).to_owned(), json!(path))).collect();
    let text = rows.map(|(name, path)| (name, path.unwrap_or_else(|| "(none)".to_owned())));
    Output::new(fields(&text), Value::Object(json))
}

/// `gatelodge completions`
pub(super) fn completions(shell: Shell) -> Output {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "gatelodge", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let json = json!({"shell": shell.to_string(), "script": script});
    Output::new(script, json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_one_line() {
        let response = version();
        let (_, text, json, _) = response.parts();

        assert_eq!(text, "gatelodge 0.1.0");
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
        assert_eq!(json["config"], Value::Null);
    }

    #[test]
    fn every_shell_gets_its_script() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let response = completions(shell);

            assert!(response.parts().1.contains("gatelodge"), "{shell}");
        }
    }
}
