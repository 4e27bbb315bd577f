//! One finding: what was looked at, how it stands, and what can be done about it.

use serde::{Deserialize, Serialize};

/// How what was looked at stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum FindingState {
    /// As it should.
    Ok,
    /// It keeps the server from what it is for, or from being safe.
    Problem,
    /// It could not be looked at, or there is nothing to look at.
    Skipped,
    /// It may do harm.
    Warning,
}

impl FindingState {
    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Problem => "problem",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
        }
    }
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FindingView {
    /// What was looked at.
    pub(crate) check: String,
    /// A sentence that says what was found.
    pub(crate) found: String,
    /// What can be done about it. A warning and a problem have one.
    pub(crate) remedy: Option<String>,
    /// How it stands.
    pub(crate) state: FindingState,
}

impl FindingView {
    /// All is well.
    pub(crate) fn ok(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, FindingState::Ok, found.into(), None)
    }

    /// There is a problem.
    pub(crate) fn problem(
        check: &str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, FindingState::Problem, found.into(), Some(remedy.into()))
    }

    /// Nothing was looked at.
    pub(crate) fn skipped(check: &str, why: impl Into<String>) -> Self {
        Self::new(check, FindingState::Skipped, why.into(), None)
    }

    /// There may be harm.
    pub(crate) fn warning(
        check: &str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, FindingState::Warning, found.into(), Some(remedy.into()))
    }

    fn new(check: &str, state: FindingState, found: String, remedy: Option<String>) -> Self {
        Self { check: check.to_owned(), found, remedy, state }
    }
}

#[cfg(test)]
#[track_caller]
pub(crate) fn assert_finding(
    finding: &FindingView,
    state: FindingState,
    found: &str,
    remedy: &str,
) {
    assert_eq!(finding.state, state, "{finding:?}");
    assert!(finding.found.contains(found), "{finding:?}");
    assert!(finding.remedy.as_deref().unwrap_or_default().contains(remedy), "{finding:?}");
    let needs_remedy = matches!(state, FindingState::Problem | FindingState::Warning);
    assert_eq!(finding.remedy.is_some(), needs_remedy, "{finding:?}");
}
