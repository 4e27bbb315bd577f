//! `gatelodge doctor`: looks for what is wrong, with a running server or without one.
//!
//! `places` looks at files and the disk, `start` at what a start would meet, `through` at the proxy
//! in front. What a process knows that has the store open, it says itself
//! ([`admin::doctor`](crate::admin::doctor)).

mod places;
mod start;
mod through;

use axum::http::Method;
use clap::Args;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, folded, printable};
use crate::admin::doctor::{ExaminationView, FindingState, FindingView};
use crate::admin::server::ServerView;
use crate::config::{Config, Faults, Layers, Tolerant};
use crate::oauth_client::Issuer as Address;

pub(super) const DOCTOR_HELP: &str = "\
Examples:
  gatelodge doctor
  gatelodge doctor --json
  gatelodge doctor --url https://10.0.0.5
      the proxy is there for this machine, whatever the issuer's name leads to

Each line is ok, a warning, a problem, or skipped, and says what can be done. The exit code is 1 if
there is a problem; a warning is none. Without a running server, the store is opened, and what a
start would meet is tried out: the ports are bound for a moment. The addresses of clients are
connected to, of 50 clients at most and within five seconds.

With a server whose issuer is not on this machine, a request is sent to the issuer, or to --url with
the issuer's name, and the server says how it arrived: with which Host, from which proxy, and
whether the proxy says who asks.";

/// The arguments of `doctor`.
#[derive(Debug, Default, Args)]
pub(super) struct DoctorArgs {
    /// Send the request for the proxy there, and not to where the issuer's name leads
    #[arg(long, value_name = "URL")]
    url: Option<Address>,
}

/// The findings.
#[derive(Serialize)]
struct DoctorView {
    checks: Vec<FindingView>,
    ok: bool,
    problems: usize,
    warnings: usize,
}

/// Runs `gatelodge doctor`.
pub(super) fn run(args: &DoctorArgs, layers: &Layers) -> Result<Output, Failure> {
    super::block_on(Box::pin(async { Ok(output(findings(args, layers).await)) }))
}

async fn findings(args: &DoctorArgs, layers: &Layers) -> Vec<FindingView> {
    let read = match layers.load_tolerantly() {
        Ok(read) => read,
        Err(faults) => return vec![faulty(&faults)],
    };
    let Tolerant { config, data_is_known, faults } = read;
    let mut findings = vec![faults.as_ref().map_or_else(|| sound(&config), faulty)];
    if !data_is_known {
        let why = "a fault of the configuration may hide which data directory is meant";
        findings.push(FindingView::skipped("data-directory", why));
        return findings;
    }
    findings.extend(places::findings(&config));
    match AdminClient::running(&config).await {
        Ok(Some(admin)) => findings.extend(with_server(args, &config, admin).await),
        Ok(None) => {
            let why = format!("no server runs at {}", config.places.data.display());
            findings.push(FindingView::skipped("server", why));
            findings.extend(without_server(&config, faults.is_some()).await);
        }
        Err(error) => findings.push(failed("server", &error.into())),
    }
    findings
}

/// The findings of and about a server that runs.
async fn with_server(
    args: &DoctorArgs,
    config: &Config,
    mut admin: AdminClient,
) -> Vec<FindingView> {
    let server: ServerView = match admin.ask(Method::GET, "/api/v1/server").await {
        Ok(server) => server,
        Err(failure) => return vec![failed("server", &failure)],
    };
    let listen = server.listen.iter().chain(&server.mtls_listen).cloned().collect::<Vec<_>>();
    let found = format!("process {} serves {} at {}", server.pid, server.issuer, listen.join(", "));
    let mut findings = vec![FindingView::ok("server", found)];
    findings.push(start::issuer(config, Some(&server.issuer)));
    findings.push(start::tls(config, Some(&server.issuer)));
    match admin.ask::<ExaminationView>(Method::GET, "/api/v1/doctor").await {
        Ok(examined) => findings.extend(examined.checks),
        Err(failure) => findings.push(failed("store", &failure)),
    }
    findings.extend(through::findings(&mut admin, config, &server.issuer, args.url.as_ref()).await);
    findings
}

/// The findings where no server runs: of the store, and about what a start would meet.
async fn without_server(config: &Config, is_faulty: bool) -> Vec<FindingView> {
    if is_faulty {
        let why = "the configuration has faults, and with it neither store nor ports can be used";
        return vec![FindingView::skipped("store", why)];
    }
    let mut findings = Vec::new();
    let mut issuer = None;
    if config.places.store().exists() {
        let examined = async {
            let mut admin = AdminClient::open(config.clone()).await?;
            admin.ask::<ExaminationView>(Method::GET, "/api/v1/doctor").await
        };
        match examined.await {
            Ok(examined) => {
                issuer = Some(examined.issuer);
                findings.extend(examined.checks);
            }
            Err(failure) => findings.push(failed("store", &failure)),
        }
    } else {
        let why = "there is no store yet; gatelodge serve makes it";
        findings.push(FindingView::skipped("store", why));
    }
    findings.push(start::issuer(config, issuer.as_ref()));
    findings.push(start::tls(config, issuer.as_ref()));
    findings.push(start::ports(config, issuer.as_ref()));
    findings.push(start::open_files());
    findings
        .push(FindingView::skipped("proxy", "no server runs that could say how a request arrives"));
    findings
}

/// What kept a check from its findings.
fn failed(check: &str, failure: &Failure) -> FindingView {
    let remedy = failure.remedy().unwrap_or("see what the log says, and start the server anew");
    let remedy = remedy.to_owned();
    FindingView::problem(check, failure.message.replace('\n', "; "), remedy)
}

fn faulty(faults: &Faults) -> FindingView {
    let found =
        format!("the configuration has faults, and no server starts with it: {}", faults.line());
    FindingView::problem(
        "configuration",
        found,
        "mend each of them, until this is content: gatelodge config check",
    )
}

fn sound(config: &Config) -> FindingView {
    const CHECK: &str = "configuration";
    let from = match &config.places.config {
        Some(path) => format!("{} was read, and has no fault", path.display()),
        None => "there is no configuration file, and none is needed".to_owned(),
    };
    if config.warnings.is_empty() {
        return FindingView::ok(CHECK, from);
    }
    let warnings: Vec<_> = config.warnings.iter().map(ToString::to_string).collect();
    let remedy =
        "correct the name of the variable, or take it away; gatelodge config show has every key";
    FindingView::warning(CHECK, warnings.join("; "), remedy)
}

fn output(checks: Vec<FindingView>) -> Output {
    let count = |state| checks.iter().filter(|finding| finding.state == state).count();
    let (problems, warnings) = (count(FindingState::Problem), count(FindingState::Warning));
    let exit = if problems == 0 { Exit::Success } else { Exit::Failed };
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let note =
        format!("{problems} problem{}, {warnings} warning{}", plural(problems), plural(warnings));
    let whole = lines(&checks, usize::MAX);
    let view = DoctorView { checks, ok: problems == 0, problems, warnings };
    let output = Output::new(whole, &view).with_note(note).with_exit(exit);
    let checks = view.checks;
    output.with_terminal_text(move |terminal| (lines(&checks, terminal.width), None))
}

/// The findings, each with its remedy below, in lines of at most `width` columns.
fn lines(checks: &[FindingView], width: usize) -> String {
    let widest = |word: &dyn Fn(&FindingView) -> usize| checks.iter().map(word).max().unwrap_or(0);
    let state_width = widest(&|finding| finding.state.as_str().len());
    let check_width = widest(&|finding| finding.check.width());
    let indent = state_width + check_width + 4;
    let mut text = String::new();
    for FindingView { check, found, remedy, state } in checks {
        let found = folded(&printable(found), width, indent);
        text.push_str(&format!("{:state_width$}  {check:check_width$}  {found}\n", state.as_str()));
        if let Some(remedy) = remedy {
            let remedy = folded(&printable(remedy), width, indent + 2);
            text.push_str(&format!("{}→ {remedy}\n", " ".repeat(indent)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> Vec<FindingView> {
        vec![
            FindingView::ok("disk", "there is room"),
            FindingView::warning("log", "3 lines were dropped", "read the log"),
        ]
    }

    #[test]
    fn a_remedy_stands_below_what_was_found() {
        assert_eq!(
            lines(&checks(), usize::MAX),
            "ok       disk  there is room\n\
             warning  log   3 lines were dropped\n               → read the log\n"
        );
        let narrow = lines(&checks(), 28);
        assert!(narrow.lines().all(|line| line.width() <= 28), "{narrow}");
        assert_eq!(narrow.lines().count(), 5, "{narrow}");
    }

    #[test]
    fn a_warning_fails_nothing_and_a_problem_does() {
        let (mut checks, warned) = (checks(), output(checks()));
        checks.push(FindingView::problem("store", "it is gone", "restore it"));

        let broken = output(checks);

        let (exit, _, json, note) = warned.parts();
        assert_eq!(
            (exit, &json["ok"], note),
            (Exit::Success, &true.into(), Some("0 problems, 1 warning"))
        );
        let (exit, _, json, note) = broken.parts();
        assert_eq!(
            (exit, &json["ok"], note),
            (Exit::Failed, &false.into(), Some("1 problem, 1 warning"))
        );
        assert_eq!(json["checks"][2]["state"], "problem");
        assert_eq!(json["checks"][0]["remedy"], serde_json::Value::Null);
    }
}
