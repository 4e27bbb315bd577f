//! What is done at a press, after a page that asks once more.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::CHANGE;
use crate::app::App;
use crate::error::Refusal;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator,
};
use crate::http::admin_pages::confirm::{self, Question};
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::redirect;

/// What is done, and what is asked before.
pub(super) struct Deed {
    /// What the operation is given, and its method; `None`: it removes or ends something.
    pub(super) change: Option<(Method, Value)>,
    /// The page that comes after it.
    pub(super) next: AdminPath,
    /// The path of the operation.
    pub(super) path: String,
    /// What is asked.
    pub(super) question: Question,
}

impl Deed {
    /// The end of what the operation at `path` is about.
    pub(super) fn end(path: String, next: AdminPath, question: Question) -> Self {
        Self { change: None, next, path, question }
    }
}

/// The question whether something shall end, which cannot be undone.
pub(super) fn ending(back: AdminPath, title: String, means: String, button: String) -> Question {
    Question {
        back,
        button,
        choice: None,
        danger: true,
        means: vec![means],
        ticks: Vec::new(),
        title,
    }
}

/// A kind of deed, each with a page of its own.
pub(super) trait Kind: 'static {
    /// What the next page says of it.
    const DONE: Done;

    /// The deed at the page whose address names `id`.
    fn of(
        administrator: &Administrator,
        id: &str,
    ) -> impl Future<Output = Result<Deed, PageFailure>> + Send;
}

/// Checks that somebody may change people and what people have.
///
/// # Errors
///
/// [`Refusal::AdministrationClosed`].
pub(super) fn check(administrator: &Administrator) -> Result<(), Refusal> {
    if administrator.may(CHANGE) { Ok(()) } else { Err(Refusal::AdministrationClosed) }
}

/// The page of the person to whom this page belongs.
pub(super) fn person(administrator: &Administrator) -> AdminPath {
    administrator.here.above(2)
}

/// The values of a path, by their names.
type Segments = Path<Vec<(String, String)>>;

/// The id that a path names last.
fn last(Path(segments): &Segments) -> &str {
    segments.last().map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// The page of a deed: its GET asks, and its POST does it.
pub(super) fn page<K: Kind>() -> MethodRouter<Arc<App>> {
    get(ask::<K>).post(act::<K>)
}

async fn ask<K: Kind>(
    RecentAdministrator(administrator): RecentAdministrator,
    segments: Segments,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let deed = K::of(&administrator, last(&segments)).await?;
    Ok(confirm::page(&administrator, deed.question, Fault::default()))
}

async fn act<K: Kind>(
    segments: Segments,
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let Deed { change, next, path, question } = K::of(&administrator, last(&segments)).await?;
    let done = match &change {
        None => administrator.delete(&path).await,
        Some((method, body)) => {
            let changed = administrator.send(method.clone(), &path, body).await;
            changed.map(|_: IgnoredAny| ())
        }
    };
    match done {
        Ok(()) => Ok(redirect::to_page_after(K::DONE, &PagePath::Admin(next))),
        Err(refused) => administrator
            .again(refused, &form, |fault| Ok(confirm::page(&administrator, question, fault))),
    }
}
