//! Every operation by every limited administrator: the right that it needs, and that the description
//! says the same.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use gatelodge::error::Refusal;
use serde_json::{Value, json};

use crate::devices::with_directory;
use crate::support::{Response, Server};

const ANY: &[&str] = &["admin:read", "admin:people", "admin:clients", "admin:keys"];
const READ: &[&str] = &["admin:read"];
const SEE_PEOPLE: &[&str] = &["admin:read", "admin:people"];
const SEE_CLIENTS: &[&str] = &["admin:read", "admin:clients"];
const SEE_KEYS: &[&str] = &["admin:read", "admin:keys"];
const PEOPLE: &[&str] = &["admin:people"];
const CLIENTS: &[&str] = &["admin:clients"];
const KEYS: &[&str] = &["admin:keys"];
const ALL: &[&str] = &[];

/// Every operation, and the scopes of which one suffices beside `admin`.
const OPERATIONS: &[(&str, &str, &[&str])] = &[
    ("GET", "/anonymous-sessions", SEE_PEOPLE),
    ("POST", "/apply", ALL),
    ("GET", "/backup", ALL),
    ("GET", "/bridge", SEE_PEOPLE),
    ("GET", "/bridge/certificates", SEE_PEOPLE),
    ("POST", "/bridge/certificates", PEOPLE),
    ("GET", "/bridge/certificates/{fingerprint}", SEE_PEOPLE),
    ("DELETE", "/bridge/certificates/{fingerprint}", PEOPLE),
    ("GET", "/bridge/certificates/{fingerprint}/person", SEE_PEOPLE),
    ("POST", "/bridge/codes", PEOPLE),
    ("GET", "/bridge/devices/{id}", SEE_PEOPLE),
    ("DELETE", "/bridge/devices/{id}", PEOPLE),
    ("POST", "/bridge/tokens", PEOPLE),
    ("GET", "/catalogue", SEE_CLIENTS),
    ("GET", "/catalogue/{name}", SEE_CLIENTS),
    ("GET", "/clients", SEE_CLIENTS),
    ("POST", "/clients", CLIENTS),
    ("GET", "/clients/{id}", SEE_CLIENTS),
    ("PATCH", "/clients/{id}", CLIENTS),
    ("DELETE", "/clients/{id}", CLIENTS),
    ("GET", "/clients/{id}/notes", SEE_CLIENTS),
    ("POST", "/clients/{id}/secret", CLIENTS),
    ("GET", "/clients/{id}/usage", SEE_CLIENTS),
    ("GET", "/config", READ),
    ("POST", "/config/reload", ALL),
    ("GET", "/connections", SEE_PEOPLE),
    ("GET", "/connections/{id}", SEE_PEOPLE),
    ("DELETE", "/connections/{id}", PEOPLE),
    ("POST", "/documents", CLIENTS),
    ("GET", "/doctor", READ),
    ("GET", "/doctor/glance", READ),
    ("POST", "/doctor/probes", READ),
    ("DELETE", "/doctor/probes/{nonce}", READ),
    ("GET", "/events", READ),
    ("GET", "/events/{id}", READ),
    ("GET", "/export", ALL),
    ("GET", "/grants", SEE_PEOPLE),
    ("GET", "/grants/{id}", SEE_PEOPLE),
    ("DELETE", "/grants/{id}", PEOPLE),
    ("POST", "/import", ALL),
    ("GET", "/invitations", SEE_PEOPLE),
    ("POST", "/invitations", PEOPLE),
    ("POST", "/invitations/revoke", PEOPLE),
    ("GET", "/invitations/{id}", SEE_PEOPLE),
    ("DELETE", "/invitations/{id}", PEOPLE),
    ("GET", "/issuer", READ),
    ("PUT", "/issuer", ALL),
    ("GET", "/keys", SEE_KEYS),
    ("POST", "/keys/root/forget", ALL),
    ("POST", "/keys/root/rotate", ALL),
    ("POST", "/keys/rotate", KEYS),
    ("GET", "/links", SEE_PEOPLE),
    ("POST", "/links/revoke", PEOPLE),
    ("GET", "/links/{id}", SEE_PEOPLE),
    ("DELETE", "/links/{id}", PEOPLE),
    ("GET", "/openapi.json", ANY),
    ("GET", "/passkeys", SEE_PEOPLE),
    ("GET", "/passkeys/{id}", SEE_PEOPLE),
    ("PATCH", "/passkeys/{id}", PEOPLE),
    ("DELETE", "/passkeys/{id}", PEOPLE),
    ("GET", "/personal-tokens", SEE_PEOPLE),
    ("POST", "/personal-tokens", PEOPLE),
    ("GET", "/personal-tokens/{id}", SEE_PEOPLE),
    ("DELETE", "/personal-tokens/{id}", PEOPLE),
    ("POST", "/recover", PEOPLE),
    ("GET", "/resources", SEE_CLIENTS),
    ("POST", "/resources", CLIENTS),
    ("GET", "/resources/{resource}", SEE_CLIENTS),
    ("PATCH", "/resources/{resource}", CLIENTS),
    ("DELETE", "/resources/{resource}", CLIENTS),
    ("GET", "/server", READ),
    ("GET", "/server/readiness", READ),
    ("GET", "/sessions", SEE_PEOPLE),
    ("GET", "/sessions/{id}", SEE_PEOPLE),
    ("DELETE", "/sessions/{id}", PEOPLE),
    ("GET", "/store", READ),
    ("GET", "/store/check", ALL),
    ("GET", "/tls", SEE_KEYS),
    ("GET", "/tls/ca", SEE_KEYS),
    ("POST", "/tls/certificates", KEYS),
    ("POST", "/tokens", KEYS),
    ("POST", "/tokens/inspect", SEE_KEYS),
    ("POST", "/tokens/revoke", KEYS),
    ("GET", "/usage", SEE_CLIENTS),
    ("GET", "/users", SEE_PEOPLE),
    ("POST", "/users", PEOPLE),
    ("GET", "/users/{username}", SEE_PEOPLE),
    ("PATCH", "/users/{username}", PEOPLE),
    ("DELETE", "/users/{username}", PEOPLE),
];

/// A path of an operation, which names nobody that there is.
fn path(template: &str) -> String {
    let named = template.find('{').zip(template.find('}'));
    named.map_or_else(
        || template.to_owned(),
        |(from, to)| format!("{}nobody-at-all{}", &template[..from], &template[to + 1..]),
    )
}

async fn ask(server: &Server, token: &str, method: &str, template: &str) -> Response {
    let method: Method = method.parse().unwrap();
    server.administer(token, method, &path(template), json!({})).await
}

#[tokio::test]
async fn every_operation_is_open_to_those_who_have_its_right_and_to_nobody_else() {
    let (server, _directory) = with_directory().await;
    let scopes = ["", "admin:read", "admin:people", "admin:clients", "admin:keys", "admin"];

    let (mut opened, mut refused) = (0, 0);
    for scope in scopes {
        let token = server.token_of_robot(scope).await;
        for (method, template, needed) in OPERATIONS {
            let what = format!("{method} {template} by \"{scope}\"");
            let response = ask(&server, &token, method, template).await;

            if scope == "admin" || needed.contains(&scope) {
                opened += 1;
                // It may still find nothing, or miss something in the body.
                let beyond = response.refusal().is_none_or(|refusal| {
                    !matches!(refusal, Refusal::PageNotFound | Refusal::MethodNotAllowed)
                        && refusal.code().status() != 403
                });
                assert!(beyond && response.status != 500, "{what}: {}", response.text());
            } else {
                refused += 1;
                let named = needed.first().copied().unwrap_or("admin");
                let refusal = Refusal::BearerTokenWithoutAdministration(named);
                let same = response.check_refused(refusal.code(), refusal);
                assert!(same.is_ok(), "{what}: {}", same.unwrap_err());
                let scope = format!("scope=\"{named}\"");
                assert!(response.header("www-authenticate").ends_with(&scope), "{what}");
            }
        }
    }
    assert_eq!(opened + refused, scopes.len() * OPERATIONS.len());
    assert!(opened > OPERATIONS.len() && refused > 2 * OPERATIONS.len());
}

#[tokio::test]
async fn no_operation_is_open_without_a_token_and_every_one_has_its_methods_alone() {
    let server = Server::new().await;
    let token = server.token_of_robot("admin").await;
    let mut methods = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (method, template, _) in OPERATIONS {
        methods.entry(template).or_default().insert(method);
        let path = format!("/api/v1{}", path(template));
        let request = axum::extract::Request::builder().method(*method).uri(path);
        let response = server.send(request.body(axum::body::Body::from("{}")).unwrap()).await;
        response.refused(Refusal::BearerTokenMissing.code(), Refusal::BearerTokenMissing);
    }

    for (template, own) in methods {
        for other in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            if own.contains(other) {
                continue;
            }
            let response = ask(&server, &token, other, template).await;
            assert_eq!(response.status, 405, "{other} {template}");
            let allowed: BTreeSet<_> = response.header("allow").split(',').collect();
            let head = own.contains("GET").then_some("HEAD");
            assert_eq!(allowed, own.iter().copied().chain(head).collect(), "{other} {template}");
        }
    }
}

/// The description is made of the table from which the router is made, so no operation is missing in
/// it, nor in the table above.
#[tokio::test]
async fn the_description_has_every_operation_with_its_right() {
    let server = Server::new().await;
    let token = server.token_of_robot("admin:keys").await;

    let response = server.administer(&token, Method::GET, "/openapi.json", json!({})).await;

    assert_eq!(response.header("content-type"), "application/json");
    let description = response.json();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scopes = operation["security"].as_array().unwrap().iter();
            let scopes: Vec<_> = scopes.map(|own| own["bearer"][0].as_str().unwrap()).collect();
            let path = path.strip_prefix("/api/v1").unwrap();
            described.insert(format!("{} {path} {}", method.to_uppercase(), scopes.join(" ")));
        }
    }
    let expected = OPERATIONS.iter().map(|(method, path, needed)| {
        let scopes: Vec<_> = needed.iter().copied().chain(["admin"]).collect();
        format!("{method} {path} {}", scopes.join(" "))
    });
    assert_eq!(described, expected.collect());
}

/// What `schema` leaves out of `value` or demands of it.
fn amiss(whole: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let named = name.strip_prefix("#/").unwrap().split('/');
        let found = named.fold(whole, |whole, name| &whole[name]);
        return amiss(whole, found, value, at);
    }
    let mut faults = Vec::new();
    // One of them fits, and may add members.
    let choices = ["anyOf", "oneOf"].iter().filter_map(|kind| schema[kind].as_array()).flatten();
    let mut members: Option<BTreeSet<&String>> = None;
    for choice in choices {
        if amiss(whole, choice, value, at).iter().all(|fault| fault.starts_with('+')) {
            members.get_or_insert_default();
            let own = choice["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
            members.get_or_insert_default().extend(own);
        }
    }
    if schema["anyOf"].is_array() && members.is_none() {
        faults.push(format!("{at}: nothing fits"));
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object())
    {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !object.contains_key(name.as_str().unwrap()) {
                faults.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in object {
            let at = format!("{at}.{name}");
            match properties.get(name) {
                Some(schema) => faults.extend(amiss(whole, schema, value, &at)),
                None if members.as_ref().is_some_and(|own| own.contains(name)) => {}
                None => faults.push(format!("+{at}: it is not described")),
            }
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        faults.extend(amiss(whole, &schema["items"], item, &format!("{at}[{place}]")));
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one.as_str()],
        _ => Vec::new(),
    };
    let own = match value {
        Value::Array(_) => "array",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
        Value::Number(_) => "integer",
        Value::Object(_) => "object",
        Value::String(_) => "string",
    };
    if !types.is_empty() && !types.contains(&own) {
        faults.push(format!("{at}: {own} for {types:?}"));
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {values:?}"));
    }
    faults
}

/// Every kind of thing that there is, as the description has it.
#[tokio::test]
async fn what_is_shown_has_the_members_that_are_described_and_no_others() {
    let (server, directory) = with_directory().await;
    crate::administration::fill(&server).await;
    let token = server.token_of_robot("admin").await;
    let ask =
        async |path: &str| server.administer(&token, Method::GET, path, json!({})).await.json();
    let whole = ask("/openapi.json").await;

    let mut counted = 0;
    for (method, template, _) in OPERATIONS {
        // These are no object: a backup, lines of JSON, and the description itself.
        let others = ["/backup", "/export", "/openapi.json"];
        if *method != "GET" || template.contains('{') || others.contains(template) {
            continue;
        }
        let content = &whole["paths"][format!("/api/v1{template}")]["get"]["responses"]["200"];
        let schema = &content["content"]["application/json"]["schema"];
        let listed = ask(template).await;
        assert_eq!(amiss(&whole, schema, &listed, template), Vec::<String>::new());
        let nouns = listed.as_object().unwrap().values().filter_map(Value::as_array);
        let some = nouns.into_iter().any(|items| !items.is_empty());
        let is_list = template.ends_with('s') && !["/server/readiness", "/tls"].contains(template);
        assert!(some || !is_list, "{template} lists nothing: {listed}");
        counted += 1;
    }
    assert!(counted > 12, "{counted}");
    drop(directory);
}
