//! The pages of people, as [`unmarked`](super::super::unmarked) renders them.

use askama::DynTemplate;
use serde_json::{Value, json};

use super::bridges::BridgesPage;
use super::form::{self, PersonFormPage, RoleBox};
use super::grants::GrantsPage;
use super::invitations::{self, InvitationFormPage, InvitationRow, InvitationsPage};
use super::links::{LinkRow, LinksPage};
use super::list::PeoplePage;
use super::passkeys::PersonPasskeyPage;
use super::person::{Beyond, PersonPage};
use super::sessions::{SessionRow, SessionsPage};
use super::setup_link::{Content, SetupLinkPage};
use crate::http::admin_pages::drawing::Drawing;
use crate::http::admin_pages::roles::RoleItem;
use crate::http::admin_pages::rows::Rows;
use crate::http::admin_pages::unmarked::{frame, marked, path, view};
use crate::http::pages::unmarked::page;
use crate::http::texts::Day;

fn day() -> Day {
    Day("2026-01-01".to_owned())
}

fn name() -> String {
    "Ada".to_owned()
}

/// Rows of a page: those of a search, none, and a fault.
fn rows<V>(items: impl Fn() -> Vec<V>) -> Vec<Rows<V>> {
    let rows = |items, fault: &str, typed| Rows {
        fault: fault.to_owned(),
        items,
        more: Some(path()),
        typed,
    };
    vec![
        rows(items(), "", vec![("user", name())]),
        rows(Vec::new(), "", vec![("q", name())]),
        rows(Vec::new(), "", Vec::new()),
        rows(Vec::new(), "⟦x⟧", Vec::new()),
    ]
}

fn user(all: bool) -> Value {
    let email = all.then_some("a@b.example");
    json!({
        "claims": { "desk": "7" }, "clients": if all { vec!["shop"] } else { vec![] },
        "created": "1", "disabled": all, "display_name": "Ada", "email": email,
        "email_verified": all.then_some(true), "groups": if all { vec!["staff"] } else { vec![] },
        "id": "1", "passkeys": 1, "roles": ["user"], "username": "ada",
    })
}

fn passkey(all: bool) -> Value {
    json!({
        "aaguid": null, "created": "1", "id": "1", "name": "Key", "product": all.then_some("Bits"),
        "synced": all, "syncable": all, "transports": [], "used": all.then_some("1"),
        "username": all.then_some("ada"),
    })
}

fn grant(all: bool) -> Value {
    json!({
        "by_operator": all, "client_id": "shop", "client_name": "The Shop", "first_party": all,
        "id": "1:shop", "offline": true, "remembered": true, "resources": ["https://a.example"],
        "scope": "openid", "self_named": all.then_some("own.example"), "since": "1",
        "used": all.then_some("1"), "user_id": "1", "username": "ada",
    })
}

fn bridge(active: bool) -> Value {
    json!({
        "active": active, "bridge_version": "1", "first_seen": "1", "forwarded_total": 2,
        "hosts": [], "hostname": "desk", "last_activity_at": null, "last_seen": "1", "os": "Linux",
        "session_id": "1", "tokens_in_total": 0, "tokens_out_total": 0, "user_id": "1",
        "username": "ada",
    })
}

fn token(used: bool) -> Value {
    json!({
        "created": "1", "expires": "1", "id": "1", "name": "Desk", "used": used.then_some("1"),
        "username": "ada",
    })
}

fn certificate(all: bool) -> Value {
    let at = all.then_some("1");
    json!({
        "created": "1", "expires": "1", "fingerprint": "0a", "name": "Desk", "revoked": at,
        "used": at, "username": "ada",
    })
}

fn session(all: bool) -> SessionRow {
    SessionRow {
        address: name(),
        client: all.then(name),
        created: day(),
        expires: day(),
        id: name(),
        kind: marked(),
        own: all,
        person: all.then(|| ("1".to_owned(), name())),
        program: name(),
        seen: all.then(day),
    }
}

fn link(is_open: bool) -> LinkRow {
    LinkRow {
        created: day(),
        expires: day(),
        id: name(),
        is_open,
        made_by: name(),
        person: is_open.then(|| ("1".to_owned(), name())),
        purpose: marked(),
        state: marked(),
    }
}

fn invitation(is_open: bool) -> InvitationRow {
    InvitationRow {
        created: day(),
        expires: day(),
        groups: if is_open { name() } else { String::new() },
        id: name(),
        is_open,
        made_by: name(),
        roles: name(),
        state: marked(),
        used: "1".to_owned(),
        uses: "2".to_owned(),
    }
}

fn roles() -> Vec<RoleBox> {
    vec![RoleBox { means: marked(), name: "user".to_owned(), on: true }]
}

fn person(all: bool) -> PersonPage {
    let beyond = Beyond { grants: all, links: all, sessions: all };
    let [yes, no] = [true, false];
    let two = [yes, no].into_iter().take(if all { 2 } else { 0 });
    PersonPage {
        page: page(),
        frame: frame(),
        may_end: all,
        sees_clients: all,
        sees_events: all,
        certificates: two.clone().map(|it| view(certificate(it))).collect(),
        grants: two.clone().map(|it| view(grant(it))).collect(),
        links: two.clone().map(link).collect(),
        passkeys: two.clone().map(|it| view(passkey(it))).collect(),
        sessions: two.clone().map(session).collect(),
        roles: vec![RoleItem { means: marked(), name: "user".to_owned() }],
        tokens: two.map(|it| view(token(it))).collect(),
        beyond,
        user: view(user(all)),
    }
}

/// Every page of people, with the name of its template.
pub(in crate::http::admin_pages) fn rendered() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    let mut add = |name, page: &dyn DynTemplate| {
        pages.push((name, page.dyn_render().unwrap()));
    };
    let [yes, no] = [true, false];
    for rows in rows(|| vec![view(user(yes)), view(user(no))]) {
        let page = PeoplePage { page: page(), frame: frame(), may_add: yes, rows };
        add("people.html", &page);
    }
    for rows in rows(|| vec![session(yes), session(no)]) {
        let page = SessionsPage { page: page(), frame: frame(), may_end: yes, rows };
        add("sessions.html", &page);
    }
    for rows in rows(|| vec![view(grant(yes)), view(grant(no))]) {
        let (page, frame) = (page(), frame());
        let page = GrantsPage { page, frame, may_end: yes, sees_clients: yes, rows };
        add("grants.html", &page);
    }
    for rows in rows(|| vec![link(yes), link(no)]) {
        add("links.html", &LinksPage { page: page(), frame: frame(), may_end: yes, rows });
    }
    for rows in rows(|| vec![invitation(yes), invitation(no)]) {
        let page = InvitationsPage { page: page(), frame: frame(), may_change: yes, rows };
        add("invitations.html", &page);
    }
    for rows in rows(|| vec![view(bridge(yes)), view(bridge(no))]) {
        add("bridges.html", &BridgesPage { page: page(), frame: frame(), may_end: yes, rows });
    }
    for all in [yes, no] {
        add("person.html", &person(all));
        let passkey = PersonPasskeyPage {
            page: page(),
            frame: frame(),
            action: path(),
            back: path(),
            fault: marked().into(),
            name: name(),
            passkey: view(passkey(all)),
            removal: path(),
        };
        add("person_passkey.html", &passkey);
        let form = PersonFormPage {
            page: page(),
            frame: frame(),
            action: path(),
            back: path(),
            fault: marked().into(),
            fields: form::Fields { vouched: all, ..form::Fields::default() },
            person: all.then(name),
            roles: roles(),
            was: form::Fields { vouched: all, ..form::Fields::default() },
        };
        add("person_form.html", &form);
    }
    let fields = invitations::Fields {
        days: "7".to_owned(),
        groups: name(),
        roles: Vec::new(),
        uses: "1".to_owned(),
    };
    let (action, fault) = (path(), marked().into());
    let (frame_of_form, roles) = (frame(), roles());
    let form =
        InvitationFormPage { page: page(), frame: frame_of_form, action, fault, fields, roles };
    add("invitation_form.html", &form);
    let content = Content {
        expires: "1".to_owned(),
        lead: marked(),
        link: name(),
        next: path(),
        next_label: marked(),
        notes: vec![marked()],
        title: marked(),
    };
    let drawing = Drawing::qr_code("x");
    add("setup_link.html", &SetupLinkPage { page: page(), frame: frame(), content, drawing });
    pages
}
