//! `gatelodge service`: the server as a service of systemd or launchd.

mod units;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{Exit, Failure, Output};
use crate::config::{Config, Flags};
use crate::error::shell_word;
use crate::oauth::issuer::Issuer;
use crate::serve::listening;
use units::{Manager, Service, Unit};

/// What each file of ours says.
const MADE: &str = "Made by: gatelodge service install";

/// Where the service of the machine has its data.
const SYSTEM_DATA: &str = "/var/lib/gatelodge";

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum ServiceVerb {
    /// Have the service manager run the server
    #[command(after_help = INSTALL_HELP)]
    Install(Whose),
    /// Print the files that install writes
    Show(Whose),
    /// Stop the server, and have the service manager forget it; its data stays
    Remove(Whose),
}

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Whose {
    /// Of the whole machine, from its start on, by a user of its own and with every protection
    #[arg(long)]
    system: bool,
}

const INSTALL_HELP: &str = "\
Examples:
  gatelodge service install
      for you: systemd holds the port, starts the server when somebody connects, and the server ends
      after ten minutes without a connection; under launchd it runs from your sign-in on
  sudo gatelodge service install --system
      for the machine: a user of its own, data in /var/lib/gatelodge, configuration in
      /etc/gatelodge/gatelodge.toml

--data and --config are written into the files, if they are named. gatelodge service show prints what
would be written.";

#[derive(Serialize)]
struct ServiceView {
    /// What was called.
    commands: Vec<String>,
    /// The files, with what is in them.
    files: BTreeMap<String, String>,
}

/// Where a service manager reads its files, and how it is told.
struct Place {
    directory: PathBuf,
    manager: Manager,
}

/// Runs `gatelodge service`.
pub(super) fn run(
    verb: ServiceVerb,
    flags: &Flags,
    config: &Config,
    env: &BTreeMap<String, String>,
    issuer: Option<&Issuer>,
) -> Result<Output, Failure> {
    let (ServiceVerb::Install(whose) | ServiceVerb::Show(whose) | ServiceVerb::Remove(whose)) =
        verb;
    let place = Place::of(whose, env)?;
    let service = service(flags, config, env, issuer)?;
    match verb {
        ServiceVerb::Install(_) => place.install(&service),
        ServiceVerb::Show(_) => Ok(place.show(&service.units(place.manager))),
        ServiceVerb::Remove(_) => place.remove(&service.units(place.manager)),
    }
}

/// The server as it is to run: where `issuer`, that of the store if there is one, has it listen.
fn service(
    flags: &Flags,
    config: &Config,
    env: &BTreeMap<String, String>,
    issuer: Option<&Issuer>,
) -> Result<Service, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::new(Exit::Failed, format!("this program has no path: {error}"))
    })?;
    let data = env.contains_key("GATELODGE_DATA").then(|| config.places.data.clone());
    let mut listen = listening(config, issuer.or(config.issuer.as_ref()));
    listen.extend(&config.tls.listen_for_devices);
    Ok(Service { config: flags.config.clone(), data: flags.data.clone().or(data), listen, program })
}

impl Place {
    fn of(whose: Whose, env: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let path = |name: &str| env.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        if whose.system {
            if cfg!(target_os = "macos") {
                let why = "on macOS the server is a service of one user: leave --system out";
                return Err(Failure::new(Exit::Usage, why));
            }
            let directory = PathBuf::from("/etc/systemd/system");
            return Ok(Self { directory, manager: Manager::System });
        }
        let home = path("HOME").ok_or_else(|| Failure::new(Exit::Usage, "HOME is not set"))?;
        Ok(if cfg!(target_os = "macos") {
            Self { directory: home.join("Library/LaunchAgents"), manager: Manager::Launchd }
        } else {
            let config = path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
            Self { directory: config.join("systemd/user"), manager: Manager::User }
        })
    }

    fn show(&self, units: &[Unit]) -> Output {
        let heading =
            |(name, text): &Unit| format!("# {}\n{text}", self.directory.join(name).display());
        let text = units.iter().map(heading).collect::<Vec<_>>().join("\n");
        Output::new(text, &self.view(units, Vec::new()))
    }

    fn install(&self, service: &Service) -> Result<Output, Failure> {
        self.check(service)?;
        let units = service.units(self.manager);
        fs::create_dir_all(&self.directory).map_err(|error| self.unwritable(&error))?;
        self.check_foreign(&units)?;
        let runs = units.iter().any(|(name, _)| self.directory.join(name).exists());
        for (name, text) in &units {
            fs::write(self.directory.join(name), text).map_err(|error| self.unwritable(&error))?;
        }
        let commands = self.tell(&self.starting(&units, runs))?;
        let mut text = self.listed("wrote", &units);
        text.push_str(match self.manager {
            Manager::User => "the server starts when somebody connects",
            Manager::System | Manager::Launchd => "the server runs",
        });
        let data = match self.manager {
            Manager::System => Some(SYSTEM_DATA.to_owned()),
            Manager::User | Manager::Launchd => {
                service.data.as_ref().map(|data| data.display().to_string())
            }
        };
        let data = data.map(|data| format!(" --data {}", shell_word(&data))).unwrap_or_default();
        let first = format!("gatelodge user recover{data}");
        let at = service.listen.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
        text.push_str(&format!(": {at}\nthe first administrator gets a link by: {first}"));
        Ok(Output::new(text, &self.view(&units, commands)))
    }

    fn remove(&self, units: &[Unit]) -> Result<Output, Failure> {
        let there = |(name, _): &&Unit| self.directory.join(name).exists();
        let units: Vec<Unit> = units.iter().filter(there).cloned().collect();
        if units.is_empty() {
            let why = format!("{} has no file of this server", self.directory.display());
            return Err(Failure::new(Exit::NotFound, why));
        }
        self.check_foreign(&units)?;
        let commands = self.tell(&self.ending(&units))?;
        for (name, _) in &units {
            fs::remove_file(self.directory.join(name)).map_err(|error| self.unwritable(&error))?;
        }
        let mut commands = commands;
        if self.manager != Manager::Launchd {
            commands.extend(self.tell(&[self.systemctl(&["daemon-reload"])])?);
        }
        let mut text = self.listed("removed", &units);
        text.push_str("the data stays: gatelodge paths says where");
        Ok(Output::new(text, &self.view(&units, commands)))
    }

    /// Refuses to touch a file that somebody else wrote.
    fn check_foreign(&self, units: &[Unit]) -> Result<(), Failure> {
        let is_foreign = |(name, _): &&Unit| {
            let there = fs::read_to_string(self.directory.join(name));
            there.is_ok_and(|text| !text.contains(MADE))
        };
        let Some((name, _)) = units.iter().find(is_foreign) else { return Ok(()) };
        let why = format!("{} is not of gatelodge service install", self.path(name));
        Err(Failure::new(Exit::Refused, why)
            .with_remedy(Some("move it away first, or go on with a service of your own")))
    }

    /// Refuses what the user of the service cannot read.
    fn check(&self, service: &Service) -> Result<(), Failure> {
        let named = [&service.data, &service.config].into_iter().flatten();
        if self.manager == Manager::System
            && let Some(path) = named.last()
        {
            let why = format!(
                "the service of the machine has a user of its own, data in {SYSTEM_DATA} and its \
                 configuration in /etc/gatelodge, and cannot reach {}",
                path.display()
            );
            return Err(Failure::new(Exit::Usage, why)
                .with_remedy(Some("leave --data, --config and GATELODGE_DATA out")));
        }
        let named = [&service.data, &service.config].into_iter().flatten();
        let mut paths = named.chain([&service.program]);
        if let Some(path) = paths.find(|path| path.to_string_lossy().contains(char::is_control)) {
            let why = format!("no service file can have the path {}", path.display());
            return Err(Failure::new(Exit::Usage, super::output::printable(&why)));
        }
        let program = service.program.to_string_lossy();
        if self.manager != Manager::Launchd && program.contains(['"', '\'', '\\']) {
            let why = format!("systemd starts no program with a quote in its path: {program}");
            return Err(Failure::new(Exit::Usage, why));
        }
        let hidden =
            ["/home", "/root", "/tmp"].iter().any(|place| service.program.starts_with(place));
        if self.manager == Manager::System && hidden {
            let why = format!(
                "the service has a user of its own, who cannot reach {}",
                service.program.display()
            );
            return Err(Failure::new(Exit::Usage, why)
                .with_remedy(Some("put the program into /usr/local/bin, and call it there")));
        }
        Ok(())
    }

    /// What has the units run as they are now; one that `runs` as it was is stopped before, since a socket
    /// takes nothing new while its service runs.
    fn starting(&self, units: &[Unit], runs: bool) -> Vec<Vec<String>> {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        let first = names.first().copied().unwrap_or_default();
        match self.manager {
            Manager::User | Manager::System => {
                let stop = runs.then(|| self.systemctl(&[&["stop"][..], &names].concat()));
                let start = self.systemctl(&["enable", "--now", first]);
                let reload = self.systemctl(&["daemon-reload"]);
                [reload].into_iter().chain(stop).chain([start]).collect()
            }
            Manager::Launchd => {
                let path = self.path(first);
                let stop = runs.then(|| command(&["launchctl", "unload", &path]));
                stop.into_iter().chain([command(&["launchctl", "load", "-w", &path])]).collect()
            }
        }
    }

    fn ending(&self, units: &[Unit]) -> Vec<Vec<String>> {
        let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
        match self.manager {
            Manager::User | Manager::System => {
                vec![self.systemctl(&[&["disable", "--now"][..], &names].concat())]
            }
            Manager::Launchd => names
                .iter()
                .map(|name| command(&["launchctl", "unload", "-w", &self.path(name)]))
                .collect(),
        }
    }

    fn systemctl(&self, arguments: &[&str]) -> Vec<String> {
        let of_user = (self.manager == Manager::User).then_some("--user");
        command(&[&["systemctl"][..], of_user.as_slice(), arguments].concat())
    }

    /// Calls the service manager.
    fn tell(&self, commands: &[Vec<String>]) -> Result<Vec<String>, Failure> {
        for command in commands {
            let said = command.join(" ");
            let (program, arguments) = command.split_first().ok_or_else(|| {
                Failure::new(Exit::Failed, "there is no command for the service manager")
            })?;
            let failed = |why: String| {
                Failure::new(Exit::Failed, format!("{said}: {why}")).with_remedy(Some(format!(
                    "the files are in {}: call it once the service manager answers",
                    self.directory.display()
                )))
            };
            let output = Command::new(program).args(arguments).output();
            let output = output.map_err(|error| failed(error.to_string()))?;
            if !output.status.success() {
                let why = String::from_utf8_lossy(&output.stderr);
                return Err(failed(super::output::printable(why.trim()).to_string()));
            }
        }
        Ok(commands.iter().map(|command| command.join(" ")).collect())
    }

    fn listed(&self, what: &str, units: &[Unit]) -> String {
        units.iter().map(|(name, _)| format!("{what} {}\n", self.path(name))).collect()
    }

    fn view(&self, units: &[Unit], commands: Vec<String>) -> ServiceView {
        let files = units.iter().map(|(name, text)| (self.path(name), text.clone())).collect();
        ServiceView { commands, files }
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn unwritable(&self, error: &io::Error) -> Failure {
        unwritable(&self.directory, error)
    }
}

fn unwritable(directory: &Path, error: &io::Error) -> Failure {
    let failure =
        Failure::new(Exit::Failed, format!("cannot write {}: {error}", directory.display()));
    let remedy = (error.kind() == io::ErrorKind::PermissionDenied)
        .then_some("sudo gatelodge service install --system, or leave --system out");
    failure.with_remedy(remedy)
}

fn command(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|word| (*word).to_owned()).collect()
}
