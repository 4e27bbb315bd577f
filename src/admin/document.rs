//! `/api/v1/documents`: import of a client's metadata document, if the server cannot fetch it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::by::{By, Clients};
use super::client::ClientView;
use super::request::{Body, Created};
use super::{Failed, client};
use crate::flow::client::document;
use crate::oauth::client::cimd::{self, DocumentAddress};
use crate::oauth::id::ClientId;

/// A client's metadata document.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentImport {
    /// The client's id, which is the document's URL.
    pub(crate) client_id: String,
    /// The document.
    pub(crate) document: Value,
}

pub(super) async fn import(
    app: By<Clients>,
    Body(import): Body<DocumentImport>,
) -> Result<Created<ClientView>, Failed> {
    let id: ClientId = import.client_id.parse()?;
    DocumentAddress::of(&id)?;
    let schemes = &app.rules().config.policy.private_use_schemes;
    let metadata = cimd::parse(&id, import.document.to_string().as_bytes(), schemes)?;
    // An offline server cannot fetch the sector document, and trusts the operator.
    if !app.rules().config.offline {
        app.check_sector(&metadata, None).await?;
    }
    let named = id.clone();
    let client = app.write(move |tx, cx| document::store(tx, cx, &named, &metadata, None)).await?;
    let notes = client::notes::out_of_reach(&app, &client);
    let view = ClientView::new(&app.rules(), &id, &client, None);
    Ok(Created(ClientView { notes, ..view }))
}
