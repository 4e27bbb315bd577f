//! The pages of clients, of resources and of the settings, as [`unmarked`](super::super::unmarked)
//! renders them.

use askama::DynTemplate;
use serde_json::{Value, json};

use super::add::{AddClientPage, NewClientPage};
use super::application::ApplicationPage;
use super::edit::EditClientPage;
use super::list::ClientsPage;
use super::made::{ClientMadePage, Made};
use super::show::ClientPage;
use crate::http::admin_pages::fields::{Choice, Field, FieldKind, Form};
use crate::http::admin_pages::refused::Fault;
use crate::http::admin_pages::resources::edit::ResourceFormPage;
use crate::http::admin_pages::resources::list::{
    Configured, ConfiguredRole, ConfiguredScope, ResourcesPage,
};
use crate::http::admin_pages::resources::show::ResourcePage;
use crate::http::admin_pages::rows::Rows;
use crate::http::admin_pages::settings::SettingsPage;
use crate::http::admin_pages::unmarked::{frame, marked, path, view};
use crate::http::pages::unmarked::page;

fn text() -> String {
    "x".to_owned()
}

/// A client with all that a page can display of it, or with as little as there can be.
fn client(origin: &str, whole: bool) -> Value {
    let mut client = json!({
        "client_id": "shop", "client_type": "confidential", "created": "1", "enabled": !whole,
        "logo": whole.then(|| json!({ "bytes": 7, "kind": "7", "version": "0" })),
        "name": "Shop", "origin": origin,
    });
    let members = json!({
        "client_secret": "s", "client_uri": "https://a.example", "groups": ["staff"],
        "notes": [{ "note": "pkce", "sentence": "x" }],
        "pkce": "required", "policy_uri": "https://a.example/p", "tos_uri": "https://a.example/t",
        "redirect_uris": ["https://a.example/cb"], "scope": "openid",
        "setup": { "name": "x", "notes": ["x"], "settings": [{ "place": "x", "text": "y" }] },
        "token_endpoint_auth_method": "client_secret_basic",
    });
    if whole {
        let members = members.as_object().unwrap().clone();
        client.as_object_mut().unwrap().extend(members);
    }
    client
}

fn usage(whole: bool) -> Value {
    let sums = json!({
        "refusals": 1, "refusals_by_reason": {}, "tokens_issued": 2,
        "tokens_issued_by_grant_type": {}, "withheld_introspections": 0,
    });
    let refusal = json!({
        "at": "1", "error": "x", "reason": "x", "refusal": "X", "remedy": "x", "section": "x",
    });
    json!({
        "active_sessions": 1, "at_least": whole, "client_id": "shop", "last_day": sums,
        "last_refusals": if whole { vec![refusal] } else { vec![] }, "last_week": sums,
        "last_used": whole.then_some("1"), "live_grants": 1, "people": 1,
    })
}

fn form(changes: bool) -> Form {
    let choices = || vec![Choice::new("a", marked()), Choice::new("b", "")];
    let field = |name: &str, kind| Field::new(name, marked(), kind).with_hint(marked());
    let fields = vec![
        field("line", FieldKind::Line),
        field("lines", FieldKind::Lines).with([marked(), marked()]),
        field("one", FieldKind::One(choices())).with(["a"]),
        field("boxes", FieldKind::Boxes(choices())).with(["a", "b"]),
        field("tick", FieldKind::Tick).ticked(true).extra(),
    ];
    Form { changes, fields }
}

fn resource(whole: bool) -> Value {
    let mut resource = json!({
        "accepts_bridge": whole, "client_id": null, "created": "1",
        "metadata": {
            "authorization_servers": [], "bearer_methods_supported": [],
            "resource": "https://api.example", "resource_name": "API",
        },
        "metadata_address": "https://api.example/m", "metadata_copy": "https://id.example/m",
        "open": whole, "resource": "https://api.example", "resource_name": "API",
        "scope": if whole { "a" } else { "" }, "typ": "at+jwt", "www_authenticate": "Bearer",
    });
    if whole {
        resource["client_id"] = "api".into();
        resource["client_secret"] = "s".into();
    }
    resource
}

/// Every page, with the name of its template.
pub(in crate::http::admin_pages) fn rendered() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    render(&mut |name, page| pages.push((name, page.dyn_render().unwrap())));
    pages
}

fn render(add: &mut dyn FnMut(&'static str, &dyn DynTemplate)) {
    render_clients(add);
    render_forms(add);
    for whole in [true, false] {
        let resources = ResourcesPage {
            page: page(),
            frame: frame(),
            rows: rows(if whole { vec![resource(true), resource(false)] } else { vec![] }, ""),
            may_add: whole,
            configured: whole.then(configured),
        };
        add("resources.html", &resources);
        let resource = view(resource(whole));
        add(
            "resource.html",
            &ResourcePage { page: page(), frame: frame(), may_change: whole, resource },
        );
        let fault = json!({ "key": "x", "message": "x", "source": "x" });
        let faults = if whole { vec![fault] } else { vec![] };
        let setting = |value: Value, source: &str| json!({ "is_fixed": true, "key": "a.b", "source": source, "value": value });
        let settings = [setting(json!(["x"]), "/file"), setting(Value::Null, "default")];
        let config = json!({
            "config": whole.then_some("/file"), "faults": faults, "warnings": faults,
            "settings": if whole { settings.to_vec() } else { vec![] }, "waiting": ["a.b"],
        });
        let settings = SettingsPage {
            page: page(),
            frame: frame(),
            config: view(config),
            fault: if whole { marked().into() } else { Fault::default() },
            may_reload: whole,
            searched: text(),
        };
        add("settings.html", &settings);
    }
}

fn rows<V: serde::de::DeserializeOwned>(items: Vec<Value>, searched: &str) -> Rows<V> {
    Rows {
        fault: String::new(),
        more: (!items.is_empty()).then(path),
        items: items.into_iter().map(view).collect(),
        typed: (!searched.is_empty()).then(|| ("q", searched.to_owned())).into_iter().collect(),
    }
}

fn configured() -> Configured {
    let scope = ConfiguredScope { description: text(), name: text(), open: true, source: text() };
    let role = ConfiguredRole { means: text(), name: text(), scope: text(), source: text() };
    Configured { roles: vec![role], scopes: vec![scope] }
}

fn render_clients(add: &mut dyn FnMut(&'static str, &dyn DynTemplate)) {
    let origins = ["document", "dynamic", "hook", "operator"];
    let all = origins.map(|origin| client(origin, origin == "hook")).to_vec();
    for (items, searched) in [(all, "x"), (vec![], ""), (vec![], "x")] {
        let rows = rows(items, searched);
        add("clients.html", &ClientsPage { page: page(), frame: frame(), rows, may_add: true });
    }
    for (origin, whole) in origins.into_iter().zip([true, false, true, true]) {
        let client_page = ClientPage {
            page: page(),
            frame: frame(),
            client: view(client(origin, whole)),
            environment: whole.then(text),
            may_change: true,
            may_see_events: whole,
            notes: if whole { view(client(origin, true)["notes"].clone()) } else { vec![] },
            setup: view(client(origin, true)["setup"].clone()),
            usage: view(usage(whole)),
        };
        add("client.html", &client_page);
    }
    for (made, whole) in
        [(Made::Added, true), (Made::Added, false), (Made::Changed, true), (Made::Rotated, true)]
    {
        let made_page = ClientMadePage {
            page: page(),
            frame: frame(),
            client: view(client("operator", whole)),
            environment: (!whole).then(text),
            made,
        };
        add("client_made.html", &made_page);
    }
}

fn render_forms(add: &mut dyn FnMut(&'static str, &dyn DynTemplate)) {
    let entry = crate::admin::catalogue::entry("gitea").unwrap();
    for entries in [vec![entry.clone()], vec![]] {
        let searched = text();
        add("client_add.html", &AddClientPage { page: page(), frame: frame(), entries, searched });
    }
    let new = NewClientPage {
        page: page(),
        frame: frame(),
        action: path(),
        fault: marked().into(),
        form: form(false),
    };
    add("client_new.html", &new);
    for name in ["gitea", "nextcloud"] {
        let application = ApplicationPage {
            page: page(),
            frame: frame(),
            action: path(),
            entry: crate::admin::catalogue::entry(name).unwrap(),
            fault: marked().into(),
            form: form(false),
        };
        add("client_application.html", &application);
    }
    for origin in ["operator", "dynamic"] {
        let edit = EditClientPage {
            page: page(),
            frame: frame(),
            action: path(),
            client: view(client(origin, false)),
            fault: marked().into(),
            form: form(true),
        };
        add("client_edit.html", &edit);
    }
    for name in [Some(text()), None] {
        let resource = ResourceFormPage {
            page: page(),
            frame: frame(),
            action: path(),
            back: path(),
            fault: marked().into(),
            form: form(name.is_some()),
            name,
        };
        add("resource_form.html", &resource);
    }
}
