//! `gatelodge config …`

use std::collections::BTreeMap;

use clap::Subcommand;
use serde::Serialize;

use crate::clock::Clock;
use crate::config::{Config, Faults, Flags, ResolvedSetting};

use super::output::{Exit, Output, printable};

/// The verbs of `config`.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigVerb {
    /// Say "ok" and which source decided what, or everything that is wrong (exit code 2)
    #[command(after_help = "Example:\n  gatelodge config check --config new.toml && \
                            mv new.toml ~/.config/gatelodge/gatelodge.toml")]
    Check,
}

/// A configuration without faults.
#[derive(Serialize)]
struct SoundView<'a> {
    /// The path of the file that was read, if there is one.
    config: Option<String>,
    ok: bool,
    settings: &'a [ResolvedSetting],
}

/// A configuration with faults.
#[derive(Serialize)]
struct FaultyView<'a> {
    faults: &'a Faults,
    ok: bool,
}

/// Runs `gatelodge config …`.
pub(super) fn run(verb: &ConfigVerb, flags: &Flags, env: &BTreeMap<String, String>) -> Output {
    match verb {
        ConfigVerb::Check => match Config::explain(flags, env, Clock::System.now()) {
            Ok((config, settings)) => sound(&config, &settings),
            Err(faults) => faulty(&faults),
        },
    }
}

fn sound(config: &Config, settings: &[ResolvedSetting]) -> Output {
    let mut text = "ok\n".to_owned();
    for ResolvedSetting { key, value, source } in settings {
        text.push_str(&printable(&format!("{key} = {value}  ({source})")));
        text.push('\n');
    }
    let note = match &config.places.config {
        Some(path) => format!("read {}; what is not listed has its default", path.display()),
        None => "no configuration file; what is not listed has its default".to_owned(),
    };
    let path = config.places.config.as_ref().map(|path| path.display().to_string());
    Output::new(text, &SoundView { config: path, ok: true, settings }).with_note(note)
}

fn faulty(faults: &Faults) -> Output {
    Output::new(faults.to_string(), &FaultyView { faults, ok: false }).with_exit(Exit::Usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&str, &str)]) -> Output {
        let mut env: BTreeMap<_, _> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        env.insert("GATELODGE_DATA".to_owned(), "/d".to_owned());
        run(&ConfigVerb::Check, &Flags::default(), &env)
    }

    #[test]
    fn a_sound_configuration_is_ok_and_says_who_decided() {
        let response = check(&[("GATELODGE_LOG", "debug")]);
        let (exit, text, json, _) = response.parts();

        assert_eq!(exit, Exit::Success);
        assert!(text.starts_with("ok\n") && text.contains("log = \"debug\"  (GATELODGE_LOG)"));
        assert_eq!(json["settings"][1]["source"], "GATELODGE_LOG");
    }

    #[test]
    fn a_faulty_one_tells_each_fault_and_ends_with_2() {
        let response = check(&[("GATELODGE_LOGS", "debug"), ("GATELODGE_HOSTS", "a b")]);
        let (exit, text, json, _) = response.parts();

        assert_eq!(exit, Exit::Usage);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(json["faults"][1]["source"], "GATELODGE_LOGS");
    }
}
