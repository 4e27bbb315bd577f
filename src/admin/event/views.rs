//! The views of events.

use serde::{Deserialize, Serialize};

use super::repair::RepairView;
use crate::admin::listing::Noun;
pub(crate) use crate::flow::events::{ActorView, EventView};

impl Noun for EventView {
    const PLURAL: &'static str = "events";
}

/// An event, and what can be done about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ExplanationView {
    /// The name of the client that it is about, if that is still there.
    #[serde(default)]
    pub(crate) client_name: Option<String>,
    /// The command that lets the request pass.
    pub(crate) command: Option<String>,
    /// The event.
    #[serde(flatten)]
    pub(crate) event: EventView,
    /// Whether that change was made meanwhile.
    #[serde(default)]
    pub(crate) made: bool,
    /// Why there is no such command.
    pub(crate) no_command: Option<String>,
    /// The change that lets the request pass, as an operation.
    pub(crate) repair: Option<RepairView>,
    /// What can be done, in words.
    pub(crate) remedy: Option<String>,
    /// The section that decides it.
    pub(crate) section: Option<String>,
}
