//! `/gate/admin/people/add` and `/gate/admin/people/{id}/edit`: the form of a person.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;

use super::deed::check;
use super::setup_link;
use crate::admin::user::{ChangedUserView, NewUser, NewUserView, UserPatch, UserView};
use crate::error::Refusal;
use crate::http::admin_pages::administrator::{
    Administrator, AdministratorForm, RecentAdministrator, path_of,
};
use crate::http::admin_pages::frame::Frame;
use crate::http::admin_pages::refused::Fault;
use crate::http::admin_pages::roles;
use crate::http::destination::{AdminPath, PagePath};
use crate::http::done::Done;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::person::Role;
use crate::oauth::params::Params;
use crate::oauth::scope::Scope;

/// The role that is ticked for somebody new.
const USUAL_ROLE: &str = "user";

#[derive(Template)]
#[template(path = "admin/person_form.html", config = "assets/askama.toml")]
pub(in crate::http) struct PersonFormPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) action: AdminPath,
    /// The page to go back to.
    pub(in crate::http) back: AdminPath,
    /// What was wrong; empty if nothing was.
    pub(in crate::http) fault: Fault,
    pub(in crate::http) fields: Fields,
    /// Who is changed; `None`: somebody is added.
    pub(in crate::http) person: Option<String>,
    pub(in crate::http) roles: Vec<RoleBox>,
    /// What stood in the form at first.
    pub(in crate::http) was: Fields,
}

/// What stands in the form.
#[derive(Default)]
pub(in crate::http) struct Fields {
    pub(in crate::http) display_name: String,
    pub(in crate::http) email: String,
    pub(in crate::http) groups: String,
    pub(in crate::http) roles: Vec<String>,
    pub(in crate::http) username: String,
    /// Whether the administrator vouches for the e-mail address.
    pub(in crate::http) vouched: bool,
}

/// A role that can be ticked.
pub(in crate::http) struct RoleBox {
    /// What whoever has it may do.
    pub(in crate::http) means: String,
    pub(in crate::http) name: String,
    pub(in crate::http) on: bool,
}

impl Fields {
    /// What was typed; `None` if the form was not filled.
    fn typed(form: &Params) -> Result<Option<Self>, Refusal> {
        if !form.names().any(|name| name == "display_name") {
            return Ok(None);
        }
        let text = |name| -> Result<String, Refusal> {
            Ok(form.one(name)?.unwrap_or_default().trim().to_owned())
        };
        Ok(Some(Self {
            display_name: text("display_name")?,
            email: text("email")?,
            groups: text("groups")?,
            roles: form.many("role").map(str::to_owned).collect(),
            username: text("username")?,
            vouched: form.one("vouched")?.is_some(),
        }))
    }

    /// What stood in the form at first, which it brings along. Without it that is what is stored.
    fn was(form: &Params, user: &UserView) -> Result<Self, Refusal> {
        if !form.names().any(|name| name == "was_display_name") {
            return Ok(Self::of(user));
        }
        let text = |name| -> Result<String, Refusal> {
            Ok(form.one(name)?.unwrap_or_default().to_owned())
        };
        Ok(Self {
            display_name: text("was_display_name")?,
            email: text("was_email")?,
            groups: text("was_groups")?,
            roles: form.many("was_role").map(str::to_owned).collect(),
            username: user.username.clone(),
            vouched: form.one("was_vouched")?.is_some(),
        })
    }

    fn of(user: &UserView) -> Self {
        Self {
            display_name: user.display_name.clone(),
            email: user.email.clone().unwrap_or_default(),
            groups: user.groups.join(" "),
            roles: user.roles.clone(),
            username: user.username.clone(),
            vouched: user.email_verified == Some(true),
        }
    }

    /// Somebody new.
    fn new() -> Self {
        Self { roles: vec![USUAL_ROLE.to_owned()], ..Self::default() }
    }

    fn filled(&self, value: &str) -> Option<String> {
        (!value.is_empty()).then(|| value.to_owned())
    }
}

/// The groups in a field, where neither a comma nor a space is in a name.
pub(super) fn groups(written: &str) -> Vec<String> {
    let parts = written.split(|c: char| c == ',' || c.is_whitespace());
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether somebody may give a role, or change people who have it, as far as it is about the
/// administration. The operation decides it.
fn may_give(administrator: &Administrator, role: &Role, scope: &Scope) -> bool {
    let own = role.as_str() != Role::ADMIN || administrator.may(&[Role::ADMIN]);
    own && scope.of_administration().iter().all(|token| administrator.may(&[token.as_str()]))
}

/// Whether somebody may change a person of these roles. The operation decides it.
pub(super) fn may_change(administrator: &Administrator, roles: &[String]) -> bool {
    let rules = administrator.app().rules();
    check(administrator).is_ok()
        && rules.config.roles.iter().all(|(role, scope)| {
            !roles.iter().any(|own| own == role.as_str()) || may_give(administrator, role, scope)
        })
}

/// The roles that somebody may give, and those that are ticked.
pub(super) fn boxes(administrator: &Administrator, ticked: &[String]) -> Vec<RoleBox> {
    let rules = administrator.app().rules();
    let boxes = rules.config.roles.iter().filter_map(|(role, scope)| {
        let on = ticked.iter().any(|name| name == role.as_str());
        (on || may_give(administrator, role, scope)).then(|| RoleBox {
            means: roles::means(administrator.texts(), role, scope),
            name: role.to_string(),
            on,
        })
    });
    boxes.collect()
}

fn page(
    administrator: &Administrator,
    person: Option<&UserView>,
    fields: Fields,
    was: Fields,
    fault: Fault,
) -> Response {
    let back = match person {
        Some(user) => AdminPath::person(&user.id),
        None => AdminPath::of(["people"]),
    };
    templates::show_alone(&PersonFormPage {
        page: administrator.page(),
        frame: administrator.frame(),
        action: administrator.here.with_query([]),
        back,
        fault,
        person: person.map(|user| user.display_name.clone()),
        roles: boxes(administrator, &fields.roles),
        fields,
        was,
    })
}

/// The form of somebody new.
pub(super) async fn ask(
    RecentAdministrator(administrator): RecentAdministrator,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let fields = Fields::typed(&administrator.query)?.unwrap_or_else(Fields::new);
    Ok(page(&administrator, None, fields, Fields::new(), Fault::default()))
}

/// Adds a person, and shows their link.
pub(super) async fn add(
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    let fields = Fields::typed(&form)?.unwrap_or_default();
    let new = NewUser {
        display_name: fields.filled(&fields.display_name),
        email: fields.filled(&fields.email),
        groups: groups(&fields.groups),
        roles: fields.roles.clone(),
        username: fields.username.clone(),
    };
    match administrator.send::<NewUserView>(Method::POST, "/api/v1/users", &new).await {
        Ok(NewUserView { link, user }) => {
            let t = &administrator.texts().admin.setup_link;
            let taken = user.email_taken_from.map(|from| t.email_taken(from).plain());
            let user = user.user;
            Ok(setup_link::page(
                &administrator,
                setup_link::Content {
                    expires: link.setup_expires,
                    lead: t.added_lead(&user.display_name).plain(),
                    link: link.setup_url,
                    next: AdminPath::person(&user.id),
                    next_label: t.to_person(&user.display_name).plain(),
                    notes: taken.into_iter().collect(),
                    title: t.added(&user.display_name).plain(),
                },
            ))
        }
        Err(refused) => administrator.again(refused, &form, |fault| {
            Ok(page(&administrator, None, fields, Fields::new(), fault))
        }),
    }
}

async fn user(administrator: &Administrator, id: &str) -> Result<UserView, PageFailure> {
    Ok(administrator.get(&path_of("users", id)).await?)
}

/// The form of a person.
pub(super) async fn edit(
    RecentAdministrator(administrator): RecentAdministrator,
    Path(id): Path<String>,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let user = user(&administrator, &id).await?;
    let fields = Fields::typed(&administrator.query)?.unwrap_or_else(|| Fields::of(&user));
    let was = Fields::was(&administrator.query, &user)?;
    Ok(page(&administrator, Some(&user), fields, was, Fault::default()))
}

/// What the form changes, and nothing that somebody else changed meanwhile. An address that stays is
/// not named, since to name it is to vouch for it.
fn patch(user: &UserView, was: &Fields, fields: &Fields) -> UserPatch {
    let beyond = |own: &[String], other: &[String]| -> Vec<String> {
        own.iter().filter(|item| !other.contains(item)).cloned().collect()
    };
    let (groups_were, groups_are) = (groups(&was.groups), groups(&fields.groups));
    let renamed = fields.display_name != was.display_name;
    let display_name =
        || fields.filled(&fields.display_name).unwrap_or_else(|| user.username.clone());
    let email = fields.filled(&fields.email);
    let vouches = fields.vouched && !was.vouched;
    let same = fields.email == was.email;
    let changed = fields.vouched != was.vouched || !same;
    UserPatch {
        add_groups: beyond(&groups_are, &groups_were),
        add_roles: beyond(&fields.roles, &was.roles),
        claims: BTreeMap::new(),
        display_name: renamed.then(display_name),
        email_verified: (email.is_some() && changed).then_some(Some(fields.vouched)),
        email: (!same || vouches && email.is_some()).then_some(email),
        remove_groups: beyond(&groups_were, &groups_are),
        remove_roles: beyond(&was.roles, &fields.roles),
        ..UserPatch::default()
    }
}

/// Changes a person.
pub(super) async fn save(
    Path(id): Path<String>,
    AdministratorForm { administrator, form }: AdministratorForm,
) -> Result<Response, PageFailure> {
    check(&administrator)?;
    let user = user(&administrator, &id).await?;
    let fields = Fields::typed(&form)?.unwrap_or_default();
    let operation = path_of("users", &user.id);
    let was = Fields::was(&form, &user)?;
    let patch = patch(&user, &was, &fields);
    match administrator.send::<ChangedUserView>(Method::PATCH, &operation, &patch).await {
        Ok(changed) => {
            let next = AdminPath::person(&changed.user.id);
            Ok(redirect::to_page_after(Done::Saved, &PagePath::Admin(next)))
        }
        Err(refused) => administrator.again(refused, &form, |fault| {
            Ok(page(&administrator, Some(&user), fields, was, fault))
        }),
    }
}
