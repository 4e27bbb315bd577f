//! The files by which a service manager runs the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const USER_SERVICE: &str = include_str!("../../../assets/service/gatelodge.service");
const USER_SOCKET: &str = include_str!("../../../assets/service/gatelodge.socket");
const SYSTEM_SERVICE: &str = include_str!("../../../assets/service/gatelodge-system.service");
const LAUNCHD_JOB: &str = include_str!("../../../assets/service/gatelodge.plist");

/// Whose service manager runs the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    /// systemd's, of one user: it holds the ports, and starts the server when somebody connects.
    User,
    /// systemd's, of the whole machine: from the start of the machine on, and with every protection.
    System,
    /// launchd's, of one user: from the sign-in at the machine on.
    Launchd,
}

/// A server as a service manager runs it.
pub(super) struct Service {
    /// The configuration file, if it was named.
    pub(super) config: Option<PathBuf>,
    /// The data directory, if it was named.
    pub(super) data: Option<PathBuf>,
    /// The addresses at which it listens.
    pub(super) listen: Vec<SocketAddr>,
    /// The program.
    pub(super) program: PathBuf,
}

/// The name of a file, and what is in it.
pub(super) type Unit = (&'static str, String);

impl Service {
    /// The files of a service manager. The first is the one that is enabled.
    pub(super) fn units(&self, manager: Manager) -> Vec<Unit> {
        match manager {
            Manager::User => vec![
                ("gatelodge.socket", USER_SOCKET.replace("{listen}", &self.streams())),
                ("gatelodge.service", self.filled(USER_SERVICE)),
            ],
            Manager::System => vec![("gatelodge.service", self.filled(SYSTEM_SERVICE))],
            Manager::Launchd => vec![("gatelodge.plist", self.launchd_job())],
        }
    }

    fn streams(&self) -> String {
        let streams = self.listen.iter().map(|address| format!("ListenStream={address}"));
        streams.collect::<Vec<_>>().join("\n")
    }

    fn filled(&self, unit: &str) -> String {
        let options = self.options().into_iter();
        let options = options.map(|word| format!(" {}", quoted(&word))).collect::<String>();
        // No variable is read in the path of a program.
        let program = self.program.display().to_string().replace('%', "%%");
        unit.replace("{program}", &in_quotes(program)).replace("{options}", &options)
    }

    fn options(&self) -> Vec<String> {
        let named = |name: &str, path: Option<&Path>| {
            path.map(|path| [name.to_owned(), path.display().to_string()]).into_iter().flatten()
        };
        named("--config", self.config.as_deref())
            .chain(named("--data", self.data.as_deref()))
            .collect()
    }

    fn launchd_job(&self) -> String {
        let started = [self.program.display().to_string(), "serve".to_owned()];
        let lines = started.into_iter().chain(self.options()).map(|word| {
            let word = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("        <string>{word}</string>")
        });
        LAUNCHD_JOB.replace("{arguments}", &lines.collect::<Vec<_>>().join("\n"))
    }
}

/// A word of a command as systemd reads it (systemd.syntax(7), systemd.service(5)).
fn quoted(word: &str) -> String {
    in_quotes(word.replace('%', "%%").replace('$', "$$"))
}

fn in_quotes(word: String) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/.-_+:@,=%$~".contains(c);
    if word.chars().all(is_plain) {
        return word;
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(data: Option<&str>) -> Service {
        Service {
            config: None,
            data: data.map(PathBuf::from),
            listen: vec!["127.0.0.1:7455".parse().unwrap(), "[::1]:7455".parse().unwrap()],
            program: "/home/ada/.local/bin/gatelodge".into(),
        }
    }

    #[test]
    fn the_socket_names_each_address_and_the_service_ends_when_it_is_idle() {
        let units = service(None).units(Manager::User);

        let [(socket, ports), (name, unit)] = units.as_slice() else { panic!("two units") };
        assert_eq!((*socket, *name), ("gatelodge.socket", "gatelodge.service"));
        assert!(ports.contains("ListenStream=127.0.0.1:7455\nListenStream=[::1]:7455\n"));
        let start = "ExecStart=/home/ada/.local/bin/gatelodge serve --exit-when-idle 10\n";
        assert!(unit.contains(start), "{unit}");
    }

    #[test]
    fn a_path_is_one_word_of_its_command_whatever_it_is_made_of() {
        let units = service(Some("/srv/a \"b\" 100%$HOME\\x")).units(Manager::System);

        let part = "serve --data \"/srv/a \\\"b\\\" 100%%$$HOME\\\\x\"\n";
        assert!(units[0].1.contains(part), "{}", units[0].1);
    }

    #[test]
    fn the_path_of_a_program_has_no_variable() {
        let program = "/home/ada/100% $HOME/gatelodge".into();
        let units = Service { program, ..service(None) }.units(Manager::System);

        let start = "ExecStart=\"/home/ada/100%% $HOME/gatelodge\" serve\n";
        assert!(units[0].1.contains(start), "{}", units[0].1);
    }

    #[test]
    fn an_agent_has_an_argument_a_line() {
        let units = service(Some("/a&b")).units(Manager::Launchd);

        assert!(units[0].1.contains("<string>serve</string>\n        <string>--data</string>"));
        assert!(units[0].1.contains("<string>/a&amp;b</string>"));
    }

    #[test]
    fn no_unit_has_a_place_that_was_not_filled() {
        for manager in [Manager::User, Manager::System, Manager::Launchd] {
            for (name, unit) in service(Some("/d")).units(manager) {
                assert!(!unit.contains('{') && !unit.contains('}'), "{name}: {unit}");
            }
        }
    }
}
