//! The grammar of the command line. The doc comments of clap items are the help text.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::Flags;

use super::apply::{self, ApplyArgs};
use super::backup::{self, BackupArgs, RestoreArgs};
use super::bridge::BridgeVerb;
use super::catalogue::CatalogueVerb;
use super::client::ClientVerb;
use super::config::ConfigVerb;
use super::db::DbVerb;
use super::doctor::{DOCTOR_HELP, DoctorArgs};
use super::event::{EVENTS_EXAMPLES, EXPLAIN_EXAMPLES, EventsArgs, ExplainArgs};
use super::exchange::{self, ExportArgs, ImportArgs};
use super::grant::{ConnectionVerb, GrantVerb};
use super::issuer::IssuerVerb;
use super::key::KeyVerb;
use super::link::{InviteVerb, LinkVerb};
use super::login::{CredentialArgs, LoginArgs, ServerArgs};
use super::passkey::PasskeyVerb;
use super::resource::ResourceVerb;
use super::serve::{DEV_EXAMPLES, DevArgs};
use super::service::ServiceVerb;
use super::session::SessionVerb;
use super::tls::TlsVerb;
use super::token::TokenVerb;
use super::upgrade::{self, UpgradeArgs};
use super::user::UserVerb;

const EXAMPLES: &str = "\
Examples:
  gatelodge                                     start the server; the first start prints a setup link
  gatelodge client add shop --redirect http://127.0.0.1:3000/callback
                                                register an application that signs people in
  gatelodge client add nightly                  register a program that acts for itself
  gatelodge user add ada --role admin           enrol a person: prints a link, good for one passkey
  gatelodge user recover ada                    a new link for somebody who lost their passkey
  gatelodge login                               sign in, and keep the tokens for this shell
  gatelodge credential                          a fresh access token
  gatelodge apply -f house.toml                 set clients, people and the rest as a file says
  gatelodge config check                        say everything that is wrong with the configuration
  gatelodge config show                         say what is in force, and where each value came from
  gatelodge doctor                              look for what is wrong, and say what can be done
  gatelodge manual                              the pages of the manual

Settings come from a flag, else from the environment (GATELODGE_ISSUER,
GATELODGE_LIFETIMES__ACCESS_TOKEN=15m), else from the TOML file (gatelodge paths says
which), else they have a default. None is needed.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 not found; 4 refused by
the server; 5 no server or store to talk to, or a store locked by another or without its key.";

/// Sign-in for your own machine: OAuth 2.1, OpenID Connect and passkeys in one binary and one file
#[derive(Debug, Parser)]
#[command(name = "gatelodge", version, after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) global: Global,
    /// Open the first page of the server in the browser, as serve --open does
    #[arg(long)]
    pub(super) open: bool,
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
}

const EVERYWHERE: &str = "Understood everywhere";

/// The flags of every command.
#[derive(Debug, ClapArgs)]
pub(super) struct Global {
    /// The configuration file to read, which then must exist
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub(super) config: Option<PathBuf>,
    /// The data directory, with the store, its key and the socket of the running server
    #[arg(long, global = true, value_name = "DIR", help_heading = EVERYWHERE)]
    pub(super) data: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub(super) json: bool,
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Start the server; the same as no command at all
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Start a server in memory for development and tests: not for production
    #[command(after_help = DEV_EXAMPLES)]
    Dev(DevArgs),
    /// Sign in to a server, this one or another, and keep the tokens
    #[command(after_help = LOGIN_EXAMPLES)]
    Login(LoginArgs),
    /// Print a fresh access token, refreshed once however many ask
    #[command(after_help = CREDENTIAL_EXAMPLES)]
    Credential(CredentialArgs),
    /// Say who is signed in
    #[command(after_help = WHOAMI_EXAMPLES)]
    Whoami(ServerArgs),
    /// End what login began, at the server and here
    #[command(after_help = LOGOUT_EXAMPLES)]
    Logout(ServerArgs),
    /// The applications that people sign in to, and programs that act for themselves
    #[command(subcommand)]
    Client(ClientVerb),
    /// Applications that are known, for client add --app
    #[command(subcommand)]
    Catalogue(CatalogueVerb),
    /// What tokens can be for: APIs and MCP servers
    #[command(subcommand)]
    Resource(ResourceVerb),
    /// The people who sign in
    #[command(subcommand)]
    User(UserVerb),
    /// The passkeys of the people
    #[command(subcommand)]
    Passkey(PasskeyVerb),
    /// The setup links, by which people make their passkeys
    #[command(subcommand)]
    Link(LinkVerb),
    /// Invitations: one link, by which several people make their accounts
    #[command(subcommand)]
    Invite(InviteVerb),
    /// The browsers and bridges that are signed in
    #[command(subcommand)]
    Session(SessionVerb),
    /// What people let which application do, also where it is only remembered
    #[command(subcommand)]
    Connection(ConnectionVerb),
    /// What people allowed which client, as long as it is in force
    #[command(subcommand)]
    Grant(GrantVerb),
    /// What people and operators did, and which requests were refused
    #[command(after_help = EVENTS_EXAMPLES)]
    Events(EventsArgs),
    /// Say why a request was refused, and the command that lets it pass
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Bridges, which carry a person's identity to the agents on their machine
    #[command(subcommand)]
    Bridge(BridgeVerb),
    /// Tokens, issued, explained and ended
    #[command(subcommand)]
    Token(TokenVerb),
    /// The keys that sign tokens
    #[command(subcommand)]
    Key(KeyVerb),
    /// The local CA, and the certificates that it issues
    #[command(subcommand)]
    Tls(TlsVerb),
    /// The name under which this server issues tokens
    #[command(subcommand)]
    Issuer(IssuerVerb),
    /// Set clients, people, groups, scopes, roles and resources as a file says
    #[command(after_help = apply::HELP)]
    Apply(ApplyArgs),
    /// Write people, clients and resources into a file that another version and machine can read
    #[command(after_help = exchange::EXPORT_HELP)]
    Export(ExportArgs),
    /// Take people, clients and resources from such a file, or from those of another server
    #[command(after_help = exchange::IMPORT_HELP)]
    Import(ImportArgs),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Make a backup of everything but the root secret, while the server goes on
    #[command(after_help = backup::HELP)]
    Backup(BackupArgs),
    /// Restore a backup, into an empty place or over an older store
    #[command(after_help = backup::RESTORE_HELP)]
    Restore(RestoreArgs),
    /// Upgrade the store of an older version, which every other command does too
    #[command(after_help = upgrade::HELP)]
    Upgrade(UpgradeArgs),
    /// The file of the store: checked, made smaller, made anew
    #[command(subcommand)]
    Db(DbVerb),
    /// Look for what is wrong: clock, files, disk, ports, TLS, clients, and the proxy in front
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Print the description of the administration API (OpenAPI 3.1), to make programs of
    Api,
    /// Say where the data directory, the store, its key, the socket, the tokens and the
    /// configuration lie
    Paths,
    /// Say which version this is
    Version,
    /// The server as a service of systemd or launchd
    #[command(subcommand)]
    Service(ServiceVerb),
    /// Exit with 0 if the server is ready, for containers and watchdogs
    #[command(after_help = HEALTHCHECK_HELP)]
    Healthcheck,
    /// Print a page of the manual, or say which there are
    #[command(after_help = MANUAL_HELP)]
    Manual {
        /// The page; without it, all are listed
        page: Option<String>,
    },
    /// Write the manual pages for man(1), one for each command
    #[command(after_help = "Example:\n  gatelodge man-pages ~/.local/share/man/man1")]
    ManPages {
        /// The directory, which may be new
        directory: PathBuf,
    },
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  gatelodge completions bash > \
                            ~/.local/share/bash-completion/completions/gatelodge")]
    Completions {
        /// The shell that is to complete
        shell: Shell,
    },
}

const MANUAL_HELP: &str = "\
Examples:
  gatelodge manual
      the pages, each with a sentence
  gatelodge manual first-minute
      one of them, in Markdown";

const HEALTHCHECK_HELP: &str = "\
Example:
  HEALTHCHECK CMD [\"/gatelodge\", \"healthcheck\"]
      in a container file: an image without a shell and curl can say so, too

It asks the server of the data directory at its socket whether it is ready, and connects to each address
at which it listens, within five seconds. 0: it is ready; 1: it is not; 5: no server runs there.";

const SERVE_EXAMPLES: &str = "\
Examples:
  gatelodge serve
      at http://localhost:7455, on 127.0.0.1 and [::1]
  gatelodge serve --open
      and the browser opens the setup link, or the account page
  gatelodge serve --listen 127.0.0.1:8000
      the issuer of a new store takes its port: http://localhost:8000
  gatelodge serve --issuer https://id.example --behind-proxy 127.0.0.1
      behind a proxy on this machine that speaks TLS
  gatelodge serve --tls local
      at https://localhost:7455, for browsers that trust the local CA: gatelodge tls trust

The issuer is written into the store at the first start and stays; gatelodge issuer change
changes it.";

const LOGIN_EXAMPLES: &str = "\
Examples:
  gatelodge login
      through the browser, to the server of this machine
  gatelodge login --issuer https://id.example --resource https://api.example/mcp
      to another one, with tokens for an API
  gatelodge login --device
      on another device: this one shows a code

The tokens lie in a file that only you can read (gatelodge paths says where), sealed by the
keyring where there is one: --store, GATELODGE_TOKEN_STORE or token_store in the configuration
decides, as auto, file or keyring.";

const CREDENTIAL_EXAMPLES: &str = "\
Examples:
  curl -H \"$(gatelodge credential --format header)\" http://localhost:7455/oauth/userinfo
  gatelodge credential --resource https://api.example/mcp --scope orders:read
  gatelodge credential --resource https://api.example/mcp --format agent
      the answer that agents want of a credential helper
  git config --global credential.https://git.example.helper \\
      '!gatelodge credential --resource https://git.example --format git'

The token is good for a minute at least. The command ends with 3 where nobody is signed in, and
with 4 where the server ended the sign-in: then gatelodge login begins anew.";

const WHOAMI_EXAMPLES: &str = "\
Example:
  gatelodge whoami --json

Where the server cannot be asked, it tells what was said at sign-in, and remarks on it.";

const LOGOUT_EXAMPLES: &str = "\
Example:
  gatelodge logout --issuer https://id.example

The tokens are forgotten also where the server cannot be reached.";

/// The flags of `serve`.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct ServeArgs {
    /// Listen here, not at the loopback addresses there are; repeat it for more addresses
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// The issuer of a new store; of an old one, the issuer it must have
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Believe this proxy, or network of proxies, about who asks and for which host; repeat it for more
    #[arg(long, value_name = "IP|NETWORK")]
    behind_proxy: Vec<String>,
    /// Speak TLS: with a certificate of this installation's own CA (local), or with the files that
    /// the configuration names (files)
    #[arg(long, value_name = "off|local|files")]
    tls: Option<String>,
    /// Listen here for devices that prove themselves by a certificate; needs TLS
    #[arg(long, value_name = "ADDR")]
    mtls_listen: Vec<String>,
    /// Fetch nothing from other machines: clients that name themselves by a document have to be
    /// imported
    #[arg(long)]
    offline: bool,
    /// End after so many minutes without a connection, where a service manager holds the port and
    /// starts the server again
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=1440))]
    exit_when_idle: Option<u64>,
    /// Keep what the server does not need: files, programs, system calls
    #[arg(long)]
    no_sandbox: bool,
    /// Apply this file at each start, before the server listens: gatelodge apply --help says more
    #[arg(long, value_name = "FILE")]
    pub(super) apply: Option<String>,
    /// Tell the setup link even where standard output is no terminal
    #[arg(long)]
    print_setup: bool,
    /// Open the first page in the browser once it is served: the setup link if there is nobody yet, else
    /// the account page
    #[arg(long)]
    pub(super) open: bool,
}

impl ServeArgs {
    /// `flags`, with those of `serve` set.
    pub(super) fn over(self, flags: Flags) -> Flags {
        Flags {
            behind_proxy: self.behind_proxy,
            exit_when_idle: self.exit_when_idle.map(Duration::from_mins),
            issuer: self.issuer,
            listen: self.listen,
            mtls_listen: self.mtls_listen,
            no_sandbox: self.no_sandbox,
            offline: self.offline,
            print_setup: self.print_setup,
            tls: self.tls,
            ..flags
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Refusal;
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn read(line: &str) -> Result<Args, ErrorKind> {
        Args::try_parse_from(line.split(' ')).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_remedy_names_commands_and_options_that_there_are() {
        for refusal in Refusal::ALL {
            let remedy = refusal.remedy();
            for line in remedy.split("gatelodge ").skip(1) {
                let line = line.split([';', ':']).next().unwrap();
                let parts: Vec<&str> = line.split([' ', ',']).collect();
                let program = Args::command();
                let noun = program.find_subcommand(parts[0]);
                let noun = noun.unwrap_or_else(|| panic!("{remedy}"));
                let verb = noun.has_subcommands().then(|| noun.find_subcommand(parts[1]));
                let verb = verb.map_or(noun, |verb| verb.unwrap_or_else(|| panic!("{remedy}")));
                for option in parts.iter().filter_map(|word| word.strip_prefix("--")) {
                    let option = option.split('=').next();
                    let known = verb.get_arguments().any(|own| own.get_long() == option);
                    assert!(known, "{remedy}");
                }
            }
        }
    }

    #[test]
    fn no_command_is_serve_and_global_flags_stand_anywhere() {
        assert!(read("gatelodge").unwrap().verb.is_none());
        assert!(read("gatelodge --json paths").unwrap().global.json);
        let args = read("gatelodge client list --data /d --json").unwrap();
        assert!(args.global.json && args.global.data.is_some());
    }

    #[test]
    fn every_flag_of_serve_is_carried_over() {
        let line = "gatelodge serve --listen 127.0.0.1:1 --listen [::1]:1 --issuer http://localhost:1 \
                    --behind-proxy 127.0.0.1 --offline --print-setup --tls local \
                    --mtls-listen [::1]:2 --no-sandbox --exit-when-idle 10";
        let Some(Verb::Serve(serve)) = read(line).unwrap().verb else { panic!("serve") };

        let flags = serve.over(Flags::default());

        assert_eq!(flags.listen, ["127.0.0.1:1", "[::1]:1"]);
        assert_eq!(flags.issuer.as_deref(), Some("http://localhost:1"));
        assert_eq!(flags.behind_proxy, ["127.0.0.1"]);
        assert!(flags.offline && flags.print_setup && flags.no_sandbox);
        assert_eq!(flags.exit_when_idle, Some(Duration::from_mins(10)));
        assert_eq!(
            (flags.tls.as_deref(), flags.mtls_listen),
            (Some("local"), vec!["[::1]:2".into()])
        );
    }

    #[test]
    fn wrong_words_are_usage_errors() {
        for (line, kind) in [
            ("gatelodge nonsense", ErrorKind::InvalidSubcommand),
            ("gatelodge client add", ErrorKind::MissingRequiredArgument),
            ("gatelodge client add a --pkce plain", ErrorKind::InvalidValue),
            ("gatelodge login --device --no-browser", ErrorKind::ArgumentConflict),
            ("gatelodge login --issuer http://id.example", ErrorKind::ValueValidation),
            ("gatelodge login --resource mcp", ErrorKind::ValueValidation),
            ("gatelodge login --store cloud", ErrorKind::ValueValidation),
            ("gatelodge credential --format xml", ErrorKind::InvalidValue),
            ("gatelodge credential give", ErrorKind::InvalidValue),
            ("gatelodge issuer change http://127.0.0.1", ErrorKind::ValueValidation),
            ("gatelodge tls issue --out a --key b", ErrorKind::MissingRequiredArgument),
            ("gatelodge tls issue a --out b --key c --days 826", ErrorKind::ValueValidation),
            ("gatelodge bridge enroll-cert ada", ErrorKind::MissingRequiredArgument),
            ("gatelodge bridge enroll-cert ada --out a", ErrorKind::MissingRequiredArgument),
            ("gatelodge paths --listen 127.0.0.1:1", ErrorKind::UnknownArgument),
        ] {
            assert_eq!(read(line).err(), Some(kind), "{line}");
        }
    }
}
