//! `/gate/admin/people/{id}/recover`: a link by which a person makes a passkey.

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;

use super::deed::check;
use super::setup_link;
use crate::admin::user::{Recovery, RecoveryView, UserView};
use crate::error::Refusal;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::confirm::{self, OneOf, Question, Tick};
use crate::http::admin_pages::refused::Fault;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::oauth::params::Params;

/// The field of what the link is for, which is on or off.
const FURTHER: &str = "further";

/// The values of that field.
const YES: &str = "yes";
const NO: &str = "no";

/// Whether the link is to add a passkey, for somebody who has theirs.
fn is_further(form: &Params) -> Result<bool, Refusal> {
    Ok(form.one(FURTHER)? == Some(YES))
}

fn question(
    administrator: &Administrator,
    user: &UserView,
    form: &Params,
) -> Result<Question, Refusal> {
    let t = &administrator.texts().admin.recovery;
    let tick = |name, label: String| -> Result<Tick, Refusal> {
        Ok(Tick { name, label, on: form.one(name)?.is_some() })
    };
    let choice = OneOf {
        chosen: if is_further(form)? { YES } else { NO },
        legend: t.purpose().plain(),
        name: FURTHER,
        options: vec![(NO, t.lost().plain()), (YES, t.further().plain())],
    };
    Ok(Question {
        back: AdminPath::person(&user.id),
        button: t.make().plain(),
        choice: Some(choice),
        danger: false,
        means: vec![t.means().plain()],
        ticks: vec![
            tick("end_passkeys", t.end_passkeys().plain())?,
            tick("end_sessions", t.end_sessions().plain())?,
        ],
        title: t.title(&user.display_name).plain(),
    })
}

/// Asks what the link is for, and what ends with its making.
pub(super) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
    Path(id): Path<String>,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let user: UserView = administrator.get(&path_of("users", &id)).await?;
    // Whoever is disabled needs no link, which would let nobody in, but to be enabled.
    if user.disabled {
        let enable = AdminPath::of(["people", &user.id, "enable"]);
        return Ok(redirect::to_page(&PagePath::Admin(enable)));
    }
    let question = question(&administrator, &user, &administrator.query)?;
    Ok(confirm::page(&administrator, question, Fault::default()))
}

/// Makes the link, and shows it.
pub(super) async fn recover(
    Path(id): Path<String>,
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let user: UserView = administrator.get(&path_of("users", &id)).await?;
    let asked = Recovery {
        end_passkeys: form.one("end_passkeys")?.is_some(),
        end_sessions: form.one("end_sessions")?.is_some(),
        further: is_further(&form)?,
        username: Some(user.id.clone()),
    };
    match administrator.send::<RecoveryView>(Method::POST, "/api/v1/recover", &asked).await {
        Ok(RecoveryView { ended_passkeys, ended_sessions, link, .. }) => {
            let t = &administrator.texts().admin.setup_link;
            let mut notes = Vec::new();
            if asked.end_passkeys {
                notes.push(t.ended_passkeys(ended_passkeys).plain());
            }
            if asked.end_sessions {
                notes.push(t.ended_sessions(ended_sessions).plain());
            }
            let name = &user.display_name;
            let further = asked.further;
            let lead = if further { t.further_lead(name) } else { t.recovery_lead(name) };
            Ok(setup_link::page(
                &administrator,
                setup_link::Content {
                    expires: link.setup_expires,
                    lead: lead.plain(),
                    link: link.setup_url,
                    next: AdminPath::person(&user.id),
                    next_label: t.to_person(name).plain(),
                    notes,
                    title: if further { t.further(name) } else { t.recovery(name) }.plain(),
                },
            ))
        }
        Err(refused) => administrator.again(refused, &form, |fault| {
            Ok(confirm::page(&administrator, question(&administrator, &user, &form)?, fault))
        }),
    }
}
