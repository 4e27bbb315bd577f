//! `gatelodge config …`

use axum::http::Method;
use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;

use crate::admin::config::{ConfigView, FaultView, ReloadView};
use crate::clock::Clock;
use crate::config::{self, Config, Faults, InForce, Layers, ResolvedSetting};

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, printable};

const CHECK_HELP: &str = "\
Example:
  gatelodge config check --config new.toml && mv new.toml ~/.config/gatelodge/gatelodge.toml";

const SHOW_HELP: &str = "\
Examples:
  gatelodge config show
  gatelodge config show lifetimes policy.pkce

Of a running server it is what is in force there, whatever the file says meanwhile; otherwise what a
server would start with. Each line has the source: default, a file, a variable, a flag or the store.";

const SCHEMA_HELP: &str = "\
Example:
  gatelodge config schema > gatelodge.schema.json
      then, as the first line of gatelodge.toml: #:schema ./gatelodge.schema.json";

const RELOAD_HELP: &str = "\
The running server reads its configuration again: scopes, roles, applications, policies, lifetimes and
limits are in force at once, and what waits for a restart is named. A faulty configuration changes
nothing (exit code 4). The server does the same by itself within two seconds after a file of its
configuration has changed, and when it gets SIGHUP, unless it runs at a terminal.";

/// The verbs of `config`.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigVerb {
    /// Say "ok" and which source decided what, or everything that is wrong (exit code 2)
    #[command(after_help = CHECK_HELP)]
    Check,
    /// Say what is in force, and where each value came from
    #[command(after_help = SHOW_HELP)]
    Show {
        /// Keys, or the beginnings of keys, to which the answer is limited
        keys: Vec<String>,
    },
    /// Print the JSON Schema of the configuration file, for editors
    #[command(after_help = SCHEMA_HELP)]
    Schema,
    /// Let the running server read its configuration again
    #[command(after_help = RELOAD_HELP)]
    Reload,
}

/// A configuration without faults.
#[derive(Serialize)]
struct SoundView<'a> {
    /// The path of the file that was read, if there is one.
    config: Option<String>,
    ok: bool,
    settings: Vec<&'a ResolvedSetting>,
    warnings: &'a [config::Fault],
}

/// A configuration with faults.
#[derive(Serialize)]
struct FaultyView<'a> {
    faults: &'a Faults,
    ok: bool,
}

/// Runs `gatelodge config …`.
pub(super) fn run(verb: &ConfigVerb, layers: &Layers) -> Result<Output, Failure> {
    match verb {
        ConfigVerb::Check => Ok(match layers.load_for_server(Clock::System.now()) {
            Ok(config) => sound(&config),
            Err(faults) => faulty(&faults),
        }),
        ConfigVerb::Show { keys } => super::block_on(Box::pin(show(keys, layers))),
        ConfigVerb::Schema => Ok(Output::json(&config::schema())),
        ConfigVerb::Reload => super::block_on(Box::pin(reload(layers))),
    }
}

fn sound(config: &Config) -> Output {
    let mut text = "ok\n".to_owned();
    for ResolvedSetting { key, value, source } in config.settings.values() {
        text.push_str(&printable(&format!("{key} = {value}  ({source})")));
        text.push('\n');
    }
    let mut note = match &config.places.config {
        Some(path) => format!("read {}; what is not listed has its default", path.display()),
        None => "no configuration file; what is not listed has its default".to_owned(),
    };
    for warning in &config.warnings {
        note.push_str(&printable(&format!("\nwarning: {warning}")));
    }
    let path = config.places.config.as_ref().map(|path| path.display().to_string());
    let settings = config.settings.values().collect();
    let view = SoundView { config: path, ok: true, settings, warnings: &config.warnings };
    Output::new(text, &view).with_note(note)
}

fn faulty(faults: &Faults) -> Output {
    Output::new(faults.to_string(), &FaultyView { faults, ok: false }).with_exit(Exit::Usage)
}

async fn show(keys: &[String], layers: &Layers) -> Result<Output, Failure> {
    let read = layers.load_tolerantly()?;
    let running = if read.data_is_known { AdminClient::running(&read.config).await? } else { None };
    let (mut view, origin) = match (running, read.faults) {
        (Some(mut admin), _) => {
            (admin.ask(Method::GET, "/api/v1/config").await?, "in force in the running server")
        }
        (None, Some(faults)) => return Err(faults.into()),
        (None, None) => {
            (ConfigView::new(&read.config), "no server runs; one that starts now has this")
        }
    };
    for key in keys {
        if !view.settings.iter().any(|own| is_at(own, key)) {
            let why = format!("there is no key {}; gatelodge config show has all", printable(key));
            return Err(Failure::new(Exit::NotFound, why));
        }
    }
    view.settings.retain(|own| keys.is_empty() || keys.iter().any(|key| is_at(own, key)));
    let line = |own: &InForce| {
        let waits =
            if view.waiting.contains(&own.key) { "; a new value waits for a restart" } else { "" };
        let line = format!("{} = {}  ({}{waits})", own.key, written(&own.value), own.source);
        format!("{}\n", printable(&line))
    };
    let text = view.settings.iter().map(line).collect::<String>();
    let mut note = origin.to_owned();
    let problem = |kind: &str, FaultView { key, message, source }: &FaultView| {
        printable(&format!("\n{kind}: {source}: {key}: {message}"))
    };
    view.faults.iter().for_each(|fault| note.push_str(&problem("not taken", fault)));
    view.warnings.iter().for_each(|warning| note.push_str(&problem("warning", warning)));
    Ok(Output::new(text, &view).with_note(note))
}

/// Whether a key is `named`, or below it.
fn is_at(own: &InForce, named: &str) -> bool {
    own.key.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A value as the file would have it.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) if text == "(secret)" => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::String(_) => {
            value.to_string()
        }
    }
}

async fn reload(layers: &Layers) -> Result<Output, Failure> {
    let read = layers.load_tolerantly()?;
    let Some(mut admin) = AdminClient::running(&read.config).await? else {
        let why = format!(
            "no server runs at {}; the next one reads its configuration when it starts",
            read.config.places.data.display()
        );
        return Err(Failure::new(Exit::Unavailable, why));
    };
    let view: ReloadView = admin.ask(Method::POST, "/api/v1/config/reload").await?;
    let list = |keys: &[String]| printable(&keys.join(", "));
    let text = match &*view.changed {
        [] => "nothing has changed\n".to_owned(),
        changed => format!("in force: {}\n", list(changed)),
    };
    let output = Output::new(text, &view);
    Ok(match &*view.waiting {
        [] => output,
        waiting => output.with_note(format!("waiting for a restart: {}", list(waiting))),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::Flags;

    fn layers(pairs: &[(&str, &str)]) -> Layers {
        let mut env: BTreeMap<_, _> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        env.insert("GATELODGE_DATA".to_owned(), "/d".to_owned());
        Layers::new(Flags::default(), env)
    }

    fn check(pairs: &[(&str, &str)]) -> Output {
        run(&ConfigVerb::Check, &layers(pairs)).unwrap()
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
        let response = check(&[("GATELODGE_LOG", " "), ("GATELODGE_HOSTS", "a b")]);
        let (exit, text, json, _) = response.parts();

        assert_eq!(exit, Exit::Usage);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(json["faults"][1]["source"], "GATELODGE_LOG");
    }

    /// Kubernetes makes a dozen variables for a service called gatelodge.
    #[test]
    fn a_variable_that_nobody_knows_is_a_warning() {
        let response = check(&[("GATELODGE_SERVICE_PORT", "443"), ("GATELODGE_LOGS", "debug")]);
        let (exit, _, json, note) = response.parts();

        assert_eq!(exit, Exit::Success);
        assert_eq!(json["warnings"].as_array().unwrap().len(), 2);
        assert!(
            note.unwrap().contains(
                "GATELODGE_LOGS: logs: there is no such key; the nearest is GATELODGE_LOG"
            ),
            "{note:?}"
        );
    }

    #[test]
    fn every_key_is_shown_with_its_source_and_no_secret() {
        let secret = ("GATELODGE_REGISTRATION__TOKEN", "0123456789abcdefghij");
        let layers = layers(&[("GATELODGE_LIFETIMES__ID_TOKEN", "2h"), secret]);
        let whole = run(&ConfigVerb::Show { keys: Vec::new() }, &layers).unwrap();
        let some = ConfigVerb::Show { keys: vec!["lifetimes".into(), "listen".into()] };
        let some = run(&some, &layers).unwrap();
        let none = run(&ConfigVerb::Show { keys: vec!["life".into()] }, &layers);

        let (_, text, json, note) = whole.parts();
        for line in [
            "lifetimes.id_token = \"2h\"  (GATELODGE_LIFETIMES__ID_TOKEN)",
            "lifetimes.access_token = \"15m\"  (default)",
            "registration.token = (secret)  (GATELODGE_REGISTRATION__TOKEN)",
            "root_secret = (none)  (default)",
            "scopes.openid.open = true  (default)",
            "policy.pkce = \"required\"  (default)",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}: {text}");
        }
        assert!(!json.to_string().contains(secret.1));
        assert!(note.unwrap().starts_with("no server runs"), "{note:?}");
        let (_, text, ..) = some.parts();
        let fits = |line: &str| line.starts_with("lifetimes.") || line.starts_with("listen = []");
        assert!(text.lines().count() > 10 && text.lines().all(fits), "{text}");
        assert_eq!(none.err().unwrap().exit, Exit::NotFound);
    }
}
