//! The question that comes before what cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, printable};

/// Whether a command asks before it does what cannot be undone.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct Confirmation {
    /// Do not ask first; where standard input or standard error is no terminal, nothing is asked
    #[arg(long)]
    pub(super) yes: bool,
}

impl Confirmation {
    /// Whether somebody is asked: they sit at a terminal, and did not say yes already.
    pub(super) fn is_asked(self) -> bool {
        !self.yes && io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}

/// Asks `question`, and returns if the line that is typed says yes.
///
/// # Errors
///
/// Any other line, the end of the input, and a server that stopped meanwhile.
pub(super) async fn ask(question: &str, admin: &mut AdminClient) -> Result<(), Failure> {
    if ask_whether(question, admin).await? {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, "nothing is done"))
}

/// Asks `question`, and returns whether the line that is typed says yes.
///
/// # Errors
///
/// The end of the input that cannot be read, and a server that stopped meanwhile.
pub(super) async fn ask_whether(question: &str, admin: &mut AdminClient) -> Result<bool, Failure> {
    let yes = ask_here(question).await?;
    // The server closes a connection on which nothing comes while somebody thinks.
    admin.reopen().await?;
    Ok(yes)
}

/// As [`ask_whether`], where no server is asked afterwards.
pub(super) async fn ask_here(question: &str) -> Result<bool, Failure> {
    let prompt = format!("gatelodge: {} [y/N] ", printable(question));
    let typed = tokio::task::spawn_blocking(move || {
        let mut error = io::stderr().lock();
        error.write_all(prompt.as_bytes())?;
        error.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        io::Result::Ok(line)
    });
    let failed = |why: &dyn std::fmt::Display| {
        Failure::new(Exit::Failed, format!("nothing is done, since nobody could be asked: {why}"))
    };
    let typed = typed.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    Ok(is_yes(&typed))
}

fn is_yes(typed: &str) -> bool {
    ["y", "yes"].contains(&typed.trim().to_ascii_lowercase().as_str())
}

/// A number of things, such as `1 grant` and `2 grants`.
pub(super) fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        for yes in ["y\n", "Yes\r\n", " YES "] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yess\n", "yes please\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!([counted(0, "grant"), counted(1, "grant")], ["0 grants", "1 grant"]);
    }
}
