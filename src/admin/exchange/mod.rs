//! `/api/v1/export` and `/api/v1/import`: everything that outlives a version and a machine, as lines
//! of JSON.

mod lines;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{All, By};
use super::link::SetupLinkView;
use super::operation::sent;
use crate::app::App;
use crate::error::{Internal, Refusal};
use crate::event::Kind;
use crate::flow::exchange::{self, Faults, Imported, Wanted};

pub(crate) use lines::MAX_LINES;

use lines::{Exported, Lines, Options};

/// What an import did, or would do.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ImportView {
    /// How many lines of each kind are new.
    pub(crate) added: BTreeMap<String, usize>,
    /// Whether nothing was written.
    pub(crate) dry_run: bool,
    /// The setup links that were made. Only this response has them.
    pub(crate) links: Vec<InvitedView>,
    /// What did not come along, or needs a hand.
    pub(crate) notes: Vec<NoteView>,
    /// How many lines said what was here already.
    pub(crate) unchanged: usize,
    /// The people of the file who have neither a passkey nor an open setup link.
    pub(crate) without_passkey: Vec<String>,
}

/// Somebody who got a setup link.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InvitedView {
    /// The link.
    #[serde(flatten)]
    pub(crate) link: SetupLinkView,
    /// Who.
    pub(crate) username: String,
}

/// What did not come along, or needs a hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NoteView {
    /// Whom or what it is about, such as `client shop`.
    pub(crate) about: String,
    /// What is the matter, and the way on.
    pub(crate) sentence: String,
}

impl ImportView {
    fn new(app: &App, imported: Imported, dry_run: bool) -> Self {
        let Imported { added, links, notes, unchanged, without_passkey } = imported;
        let links = links.into_iter().filter(|_| !dry_run);
        Self {
            added: added.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect(),
            dry_run,
            links: links
                .map(|invited| InvitedView {
                    link: SetupLinkView::new(app, &invited.link),
                    username: invited.username.to_string(),
                })
                .collect(),
            notes: notes
                .into_iter()
                .map(|note| NoteView { about: note.about, sentence: note.sentence })
                .collect(),
            unchanged,
            without_passkey: without_passkey.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Exports everything that an import can take, from one snapshot, as it is read.
pub(super) async fn export(app: By<All>) -> Result<Exported, Failed> {
    sent::recorded(&app, Kind::FileExported).await?;
    tracing::info!("an operator exported people, clients and resources");
    let app = Arc::clone(&app);
    let body = sent::body(move |out| {
        let mut sink =
            |line: Vec<u8>| out.write_all(&line).map_err(|error| Internal::new(error).into());
        exchange::write(&app.read()?, &app.rules(), app.clock().now(), &mut sink)
    });
    Ok(Exported(body.await?))
}

/// Imports the lines of an export, all of them or none.
pub(super) async fn import(
    app: By<All>,
    options: Options,
    lines: Lines,
) -> Result<Json<ImportView>, Failed> {
    let Options { dry_run, links } = options;
    let read = tokio::task::spawn_blocking(move || exchange::read(&lines.0));
    let file = match read.await.map_err(Internal::new)? {
        Ok(file) => file,
        Err(faults) => return Err(faulty(&faults)),
    };
    let imported = app.import(app.acting(), app.proof(), file, Wanted { links }, dry_run).await?;
    let imported = imported.map_err(|faults| faulty(&faults))?;
    if !dry_run {
        let (added, unchanged) = (imported.added.values().sum::<usize>(), imported.unchanged);
        tracing::info!(added, unchanged, "an operator imported an export");
    }
    Ok(Json(ImportView::new(&app, imported, dry_run)))
}

fn faulty(faults: &Faults) -> Failed {
    Failed { error: Refusal::ImportFaulty.into(), faults: faults.listed() }
}
