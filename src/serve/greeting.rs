//! The first lines of output, for a person at a terminal or for a program.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use super::Stop;
use crate::app::App;
use crate::config::TlsMode;
use crate::flow::client::operator;
use crate::flow::person::{people, recovery};
use crate::model::qr_code;
use crate::oauth::id::ClientId;

/// The most clients that a start names.
const MAX_NAMED: usize = 20;

/// Prints that the server is ready, and the setup link of the first administrator. Names the clients
/// that may go without PKCE. Returns the page that a person opens first.
///
/// The link is a secret: if standard output is no terminal, it is printed only if the flag asks for
/// it, and made only then or if the page `is_opened`.
pub(super) async fn say(
    app: &App,
    listeners: &[TcpListener],
    for_devices: &[TcpListener],
    is_opened: bool,
) -> Result<String, Stop> {
    let terminal = io::stdout().is_terminal();
    let config = &app.rules().config;
    let failed = |error: crate::error::Error| Stop::failed(error.to_string());
    let read = app.read().and_then(|view| {
        Ok((people::nobody(&view)?, operator::without_pkce(&view, MAX_NAMED + 1)?))
    });
    let (nobody, without_pkce) = read.map_err(|error| failed(error.into()))?;
    let without_pkce = named(&without_pkce);
    if let Some(clients) = &without_pkce {
        tracing::info!(
            %clients,
            "these clients may send neither PKCE challenge nor nonce, and their state alone protects \
             their codes; gatelodge client set CLIENT --pkce required ends that"
        );
    }
    let is_printed = terminal || config.print_setup;
    let setup_url = if nobody && (is_printed || is_opened) {
        let invited = app.write(recovery::first).await.map_err(failed)?;
        Some(crate::admin::link::setup_url(app, &invited))
    } else {
        None
    };
    let account = || app.rules().issuer.at("/account");
    let first_page = setup_url.clone().unwrap_or_else(account);
    let setup_url = setup_url.filter(|_| is_printed);
    let text = if terminal {
        let code = setup_url.as_deref().and_then(|url| qr_code::drawn(url, columns(), false));
        let banner = banner(app, setup_url.as_deref(), without_pkce.as_deref());
        banner + &code.map_or_else(String::new, |code| format!("\n{code}"))
    } else {
        let mut line = json!({
            "ready": true,
            "issuer": app.rules().issuer.as_str(),
            "listen": addresses(listeners),
            "pid": std::process::id(),
        });
        if let (false, Value::Object(members)) = (for_devices.is_empty(), &mut line) {
            members.insert("mtls_listen".to_owned(), addresses(for_devices).into());
        }
        if let (Some(url), Value::Object(members)) = (setup_url, &mut line) {
            members.insert("setup_url".to_owned(), url.into());
        }
        format!("{line}\n")
    };
    print(text)
        .map_err(|error| Stop::failed(format!("the greeting cannot be printed: {error}")))?;
    Ok(first_page)
}

/// The columns of the terminal that standard output is; none if it does not say.
fn columns() -> usize {
    rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| size.ws_col.into())
}

/// Prints `text`, and does not wait for it: standard output may be a pipe that is full and that nobody
/// reads.
pub(crate) fn print(text: String) -> io::Result<()> {
    // The handle is its own: standard output has a lock, which a write that blocks would hold.
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let greeting = thread::Builder::new().name("greeting".to_owned());
    let printing = greeting.spawn(move || {
        // The program that started the server may have closed its output.
        if let Err(error) = output.write_all(text.as_bytes()) {
            tracing::warn!(%error, "the greeting was not printed");
        }
    });
    printing.map(drop)
}

/// The addresses of `listeners`.
pub(super) fn addresses(listeners: &[TcpListener]) -> Vec<String> {
    let addresses = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    addresses.map(|address| address.to_string()).collect()
}

/// The ids of `clients` on one line, if there are any.
fn named(clients: &[ClientId]) -> Option<String> {
    let ids: Vec<&str> = clients.iter().take(MAX_NAMED).map(ClientId::as_str).collect();
    let more = if clients.len() > MAX_NAMED { " and more" } else { "" };
    (!ids.is_empty()).then(|| format!("{}{more}", ids.join(", ")))
}

fn banner(app: &App, setup_url: Option<&str>, without_pkce: Option<&str>) -> String {
    let rules = app.rules();
    let issuer = &rules.issuer;
    let minutes = rules.config.lifetimes.setup_token.as_secs() / 60;
    let way_in = match setup_url {
        Some(url) => format!(
            "sign up  {url}\n           (once, within {minutes} minutes; a new link: gatelodge \
             user recover)"
        ),
        None => format!("sign in  {}", issuer.at("/account")),
    };
    let trust = match rules.config.tls.mode {
        TlsMode::Local => format!(
            "\n  TLS      a local CA; this machine trusts it by: gatelodge tls trust\n           \
             others by {}",
            issuer.at("/trust")
        ),
        TlsMode::Files | TlsMode::Off => String::new(),
    };
    let lenient = without_pkce.map(|clients| format!("\n  PKCE     optional for {clients}"));
    let lenient = lenient.unwrap_or_default();
    format!(
        "Gatelodge {}\n  issuer   {issuer}\n  {way_in}{trust}{lenient}\n  data     {}\n  MCP      \
         authorization_servers: [\"{issuer}\"]\n",
        env!("CARGO_PKG_VERSION"),
        short(&rules.config.places.store()),
    )
}

/// The path for display, with `~` for the home directory.
fn short(path: &Path) -> String {
    let home = std::env::home_dir();
    match home.as_deref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}
