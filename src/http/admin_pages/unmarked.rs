//! No page of the administration has a text that is not in the files of the languages, as
//! [`unmarked`](crate::http::pages::unmarked) has it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::clients;
use super::confirm::{ConfirmPage, OneOf, Question, Tick};
use super::event_repair::{self, RepairPage};
use super::events::{self, EventPage, EventsPage, FilterField};
use super::frame::{Frame, Kind, Part};
use super::keys::KeysPage;
use super::overview::{OverviewPage, Seen};
use super::people;
use crate::admin::event::{ExplanationView, RepairView};
use crate::http::destination::AdminPath;
use crate::http::marks::check;
use crate::http::pages::unmarked::page;

/// The view of an operation.
pub(super) fn view<V: DeserializeOwned>(json: Value) -> V {
    serde_json::from_value(json).unwrap()
}

pub(super) fn path() -> AdminPath {
    AdminPath::of(["x"])
}

pub(super) fn frame() -> Frame {
    let part = |kind| Part { here: kind == Kind::Overview, kind, path: path() };
    Frame {
        name: "Ada".to_owned(),
        not_sent: true,
        parts: Kind::ALL.into_iter().map(part).collect(),
    }
}

fn key(state: &str, until: Option<&str>) -> Value {
    json!({
        "algorithm": "ES256", "created": "1", "kid": "k", "published_until": until,
        "removed": until, "signs_from": "1", "signs_until": until, "state": state,
    })
}

fn event(refused: &Value) -> Value {
    json!({
        "actor": { "kind": "person", "client_id": null, "uid": null, "user_id": "1", "username": "ada" },
        "address": "::1", "at": "1", "client_id": "shop", "facts": { "a": "b" }, "id": "1",
        "kind": "user.added", "name": "ada", "refused": refused, "summary": "x", "user_id": "1",
        "username": "ada",
    })
}

fn refused() -> Value {
    json!({
        "error": "access_denied", "expected": "x", "method": "GET", "reason": "x", "received": "y",
        "refusal": "HostUnknown", "route": "/", "status": 403,
    })
}

/// The name of every kind of repair.
fn repairs() -> Vec<&'static str> {
    vec![
        "add_group",
        "add_post_logout_uri",
        "add_redirect_uri",
        "add_resource",
        "add_role",
        "add_scope",
        "allow_anonymous",
        "allow_grant",
        "allow_old_assertions",
        "allow_unpushed",
        "enable_client",
        "enable_person",
        "first_party",
        "new_client",
        "new_resource",
        "set_auth_method",
        "set_token_type",
        "without_pkce",
    ]
}

fn finding(state: &str) -> Value {
    json!({ "check": "proxy", "found": "x", "remedy": "y", "state": state })
}

pub(super) fn marked() -> String {
    "⟦x⟧".to_owned()
}

/// Every page, with the name of its template.
fn rendered() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    let mut add = |name, page: &dyn askama::DynTemplate| {
        pages.push((name, page.dyn_render().unwrap()));
    };
    let question = Question {
        back: path(),
        button: marked(),
        choice: Some(OneOf {
            chosen: "yes",
            legend: marked(),
            name: "b",
            options: vec![("yes", marked())],
        }),
        danger: true,
        means: vec![marked()],
        ticks: vec![Tick { name: "a", label: marked(), on: true }],
        title: marked(),
    };
    let (action, fault) = (path(), marked().into());
    let confirm = ConfirmPage { page: page(), frame: frame(), action, fault, question };
    add("confirm.html", &confirm);
    let explanations = [json!(null), refused()].map(|refused| ExplanationView {
        client_name: Some("x".to_owned()),
        command: Some("gatelodge".to_owned()),
        event: view(event(&refused)),
        made: refused.is_object(),
        no_command: Some("x".to_owned()),
        remedy: Some("x".to_owned()),
        repair: None,
        section: Some("x".to_owned()),
    });
    for explanation in explanations {
        let actor = events::actor(page().t, &explanation.event.actor);
        let (page, frame) = (page(), frame());
        add("event.html", &EventPage { page, frame, actor, explanation, may_repair: true });
    }
    let filters = ["client", "kind", "refusal", "since", "until", "user"];
    for is_cut in [false, true] {
        let filters = filters.map(|name| FilterField { name, value: "x".to_owned() });
        let events = EventsPage {
            page: page(),
            frame: frame(),
            events: Vec::new(),
            fault: marked(),
            filters: filters.into(),
            is_cut,
            next: Some(path()),
        };
        add("events.html", &events);
    }
    let named = [None, Some(""), Some("own.example")].into_iter().cycle();
    for (kind, named) in repairs().into_iter().zip(named) {
        let repair: RepairView = view(json!({
            "body": {}, "client_id": "shop", "host": named.is_none().then_some("shop.example"),
            "kind": kind, "method": "POST",
            "path": "/", "self_named": named, "username": "ada", "value": "x",
        }));
        let repair = RepairPage {
            page: page(),
            frame: frame(),
            action: path(),
            back: path(),
            command: "gatelodge".to_owned(),
            fault: marked().into(),
            means: event_repair::means(page().t, &repair),
            operation: "x".to_owned(),
            repair,
        };
        add("repair.html", &repair);
    }
    let states = ["published", "retired", "retiring", "signing"];
    let keys = states.into_iter().map(|state| view(key(state, Some("2")))).collect();
    let remark = "⟦Waiting⟧".to_owned();
    add("keys.html", &KeysPage { page: page(), frame: frame(), may_rotate: true, keys, remark });
    let server = json!({
        "data": "/data", "issuer": "http://localhost:7455", "listen": [], "mtls_listen": [], "pid": 1,
        "schema": 2,
    });
    let seen = |findings: &[&str], events: Vec<Value>| Seen {
        events: events.into_iter().map(view).collect(),
        findings: findings.iter().map(|state| view(finding(state))).collect(),
        server: view(server.clone()),
        version: "1",
    };
    for seen in [
        Some(seen(&[], vec![])),
        Some(seen(&["problem", "warning"], vec![event(&json!(null))])),
        None,
    ] {
        let issuer = "http://localhost:7455".to_owned();
        add("overview.html", &OverviewPage { page: page(), frame: frame(), issuer, seen });
    }
    pages.extend(clients::unmarked::rendered());
    pages.extend(people::unmarked::rendered());
    pages
}

#[test]
fn every_text_of_a_page_is_in_the_files_of_the_languages() {
    for (template, html) in rendered() {
        check(template, &html);
    }
}

#[test]
fn every_template_is_rendered_for_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/templates/admin");
    let (mut files, mut parts) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        files.insert(entry.file_name().into_string().unwrap());
        let source = fs::read_to_string(entry.path()).unwrap();
        for mark in ["{% include \"admin/", "{% extends \"admin/"] {
            let named = source.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
            parts.extend(named.map(str::to_owned));
        }
    }
    let pages = rendered().into_iter().map(|(name, _)| name.to_owned());
    assert_eq!(files, pages.chain(parts).collect());
}
