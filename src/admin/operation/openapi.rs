//! The description of the API for [OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.1), made of the
//! signatures of the operations and of the types of their views and requests.

use std::borrow::Cow;
use std::future::Future;

use axum::Json;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value, json};

use super::by::{By, Right};
use super::description::Description as Own;
use super::listing::{Filters, ListView, MAX_LIMIT, Noun, Query};
use super::request::{Body, Created, Named};
use crate::admin::backup::Sent;
use crate::admin::catalogue::EntryChoice;
use crate::admin::client::{ClientPatch, ClientRegistration};
use crate::admin::{ErrorView, Failed};
use crate::model::actor::WHOLE_ADMINISTRATION;
use crate::oauth::client::decisions::OperatorDecisions;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::client::member::{Prose, Sector};
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::client::{
    ApplicationType, AssertionProfile, AuthMethod, ClaimsPlace, ClientType, GrantType, PkcePolicy,
    RefreshPolicy, SigningAlg, SubjectType,
};
use crate::oauth::display_name::DisplayName;
use crate::oauth::group::Group;
use crate::oauth::issuer::Issuer;
use crate::oauth::redirect_uri::RedirectUri;
use crate::oauth::resource::{Resource, TokenType};
use crate::oauth::scope::Scope;
use crate::oauth::web_uri::WebUri;

/// The description, as it grows by one operation after the other.
pub(in crate::admin) struct Description {
    paths: Map<String, Value>,
    requests: SchemaGenerator,
    views: SchemaGenerator,
}

impl Default for Description {
    fn default() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.meta_schema = None;
        settings.definitions_path = "/components/schemas".into();
        let (requests, views) = (settings.clone().for_deserialize(), settings.for_serialize());
        let (requests, views) = (requests.into_generator(), views.into_generator());
        Self { paths: Map::new(), requests, views }
    }
}

impl Description {
    /// Adds the operation of a method and a path, which `handler` is.
    pub(in crate::admin) fn add<F: Signature<T>, T>(
        &mut self,
        (method, path): (&str, &str),
        id: &str,
        summary: &str,
        _handler: &F,
    ) {
        let noun = id.split('.').next().unwrap_or_default().replace('_', " ");
        let mut operation = json!({
            "operationId": id,
            "parameters": [],
            "responses": {
                "401": { "$ref": "#/components/responses/Unproven" },
                "403": { "$ref": "#/components/responses/Forbidden" },
                "default": { "$ref": "#/components/responses/Refused" },
            },
            "summary": summary,
            "tags": [noun],
        });
        let parameters = path.split(['{', '}']).skip(1).step_by(2);
        let named = parameters.map(|name| {
            let what = "Its id, its name, or the beginning of its id.";
            let schema = json!({ "minLength": 1, "type": "string" });
            json!({
                "description": what, "in": "path", "name": name, "required": true, "schema": schema,
            })
        });
        operation["parameters"] = named.collect();
        F::describe(self, &mut operation);
        let methods = self.paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = operation;
    }

    /// The whole description.
    pub(in crate::admin) fn finish(mut self) -> Value {
        let error = self.views.subschema_for::<ErrorView>();
        let mut schemas = self.requests.take_definitions(true);
        for (name, schema) in self.views.take_definitions(true) {
            let same = schemas.insert(name.clone(), schema.clone()).is_none_or(|old| old == schema);
            assert!(same, "{name} is both a view and a request");
        }
        let content = json!({ "application/json": { "schema": error } });
        let challenge = json!({
            "WWW-Authenticate": {
                "description": "The challenge (RFC 6750 §3), with the scope that is needed.",
                "required": true,
                "schema": { "type": "string" },
            },
        });
        let unproven = "There is no token, or it is not in force.";
        let forbidden = "The token lacks the scope of this operation, or the operation would touch \
            somebody or something with scopes that the token lacks, or who is disabled.";
        let mut whole = json!({
            "components": {
                "responses": {
                    "Forbidden": { "content": content, "description": forbidden },
                    "Refused": { "content": content, "description": "Refused, with the reason." },
                    "Unproven": {
                        "content": content, "description": unproven, "headers": challenge,
                    },
                },
                "schemas": schemas,
                "securitySchemes": {
                    "bearer": {
                        "bearerFormat": "JWT",
                        "description": "An access token for the issuer. An operation needs one of the \
                            scopes that it lists.",
                        "scheme": "bearer",
                        "type": "http",
                    },
                },
            },
            "info": {
                "description": "What operators do at the command line, for programs: at the issuer's \
                    address by an access token, and on the server's socket.",
                "title": "Gatelodge administration",
                "version": "1",
            },
            "openapi": "3.1.1",
            "paths": self.paths,
            "servers": [{ "url": "/" }],
        });
        flatten_prose(&mut whole);
        whole
    }
}

/// Makes one line of each text, since doc comments are broken into lines.
fn flatten_prose(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(flatten_prose);
            // The value of a member has the description of its type below it.
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(flatten_prose),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// A handler of an operation. Its arguments and its result describe it.
pub(in crate::admin) trait Signature<T> {
    /// Writes what it takes and gives into `operation`.
    fn describe(description: &mut Description, operation: &mut Value);
}

macro_rules! signatures {
    ($(($($argument:ident),+))+) => {$(
        impl<F, Fut, O, $($argument),+> Signature<($($argument,)+)> for F
        where
            F: Fn($($argument),+) -> Fut,
            Fut: Future<Output = O>,
            O: Gives,
            $($argument: Takes,)+
        {
            fn describe(description: &mut Description, operation: &mut Value) {
                $($argument::describe(description, operation);)+
                O::describe(description, operation);
            }
        }
    )+};
}

signatures! { (A) (A, B) (A, B, C) }

/// An argument of an operation.
pub(in crate::admin) trait Takes {
    fn describe(description: &mut Description, operation: &mut Value);
}

impl<R: Right> Takes for By<R> {
    fn describe(_: &mut Description, operation: &mut Value) {
        let mut scopes = R::SCOPES.to_vec();
        if !scopes.contains(&WHOLE_ADMINISTRATION) {
            scopes.push(WHOLE_ADMINISTRATION);
        }
        operation["security"] = scopes.iter().map(|scope| json!({ "bearer": [scope] })).collect();
    }
}

impl Takes for Named {
    fn describe(_: &mut Description, operation: &mut Value) {
        assert_eq!(operation["parameters"][0]["in"], "path");
    }
}

impl<F: Filters> Takes for Query<F> {
    fn describe(_: &mut Description, operation: &mut Value) {
        let text = || json!({ "minLength": 1, "type": "string" });
        let limit = json!({ "maximum": MAX_LIMIT, "minimum": 1, "type": "integer" });
        let filters = F::PARAMETERS.iter().map(|(name, what)| (*name, *what, text()));
        let of_pages = [
            ("cursor", "The `next` of the page before.", text()),
            ("limit", "The most results of the page; 100 by default.", limit),
        ];
        let parameters = of_pages.into_iter().chain(filters).map(|(name, what, schema)| {
            json!({ "description": what, "in": "query", "name": name, "schema": schema })
        });
        operation["parameters"] = parameters.collect();
    }
}

impl<T: JsonSchema, const MAX: usize> Takes for Body<T, MAX> {
    fn describe(description: &mut Description, operation: &mut Value) {
        let schema = description.requests.subschema_for::<T>();
        let content = json!({ "application/json": { "schema": schema } });
        operation["requestBody"] = json!({ "content": content, "required": true });
    }
}

/// The result of an operation.
pub(in crate::admin) trait Gives {
    fn describe(description: &mut Description, operation: &mut Value);
}

fn gives<V: JsonSchema>(
    description: &mut Description,
    operation: &mut Value,
    (status, what): (&str, &str),
) {
    let schema = description.views.subschema_for::<V>();
    let content = json!({ "application/json": { "schema": schema } });
    operation["responses"][status] = json!({ "content": content, "description": what });
}

impl<V: JsonSchema> Gives for Json<V> {
    fn describe(description: &mut Description, operation: &mut Value) {
        gives::<V>(description, operation, ("200", "Done."));
    }
}

impl<V: JsonSchema> Gives for Created<V> {
    fn describe(description: &mut Description, operation: &mut Value) {
        gives::<V>(description, operation, ("201", "Made."));
    }
}

impl Gives for Sent {
    fn describe(_: &mut Description, operation: &mut Value) {
        let content = json!({ "application/octet-stream": {} });
        operation["responses"]["200"] = json!({ "content": content, "description": "Done." });
    }
}

impl Gives for Own {
    fn describe(description: &mut Description, operation: &mut Value) {
        gives::<Map<String, Value>>(description, operation, ("200", "Done."));
    }
}

impl<O: Gives> Gives for Result<O, Failed> {
    fn describe(description: &mut Description, operation: &mut Value) {
        O::describe(description, operation);
    }
}

impl<V: JsonSchema + Noun> JsonSchema for ListView<V> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}List", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<V>();
        json_schema!({
            "description": "A page of a listing.",
            "properties": {
                "next": {
                    "description": "The `cursor` of the next page; absent on the last one.",
                    "type": "string",
                },
                V::PLURAL: { "items": items, "type": "array" },
            },
            "required": [V::PLURAL],
            "type": "object",
        })
    }
}

/// What a request may say of a client: every member, and whatever `more` names.
fn client_members(generator: &mut SchemaGenerator, more: &Value, required: &[&str]) -> Schema {
    let mut properties = Map::new();
    for schema in
        [ClientMetadata::json_schema(generator), OperatorDecisions::json_schema(generator)]
    {
        let members = schema.get("properties").and_then(Value::as_object);
        properties.extend(members.cloned().unwrap_or_default());
    }
    for other in crate::flow::client::operator::NOT_OPERATORS {
        properties.remove(other);
    }
    let name = generator.subschema_for::<DisplayName>();
    let client_type = generator.subschema_for::<ClientType>();
    let own = json!({
        "client_secret": {
            "description": "A secret that the operator chose; absent: the server makes one.",
            "maxLength": 1024,
            "minLength": 1,
            "pattern": "^[ -~]*$",
            "type": "string",
        },
        "client_type": client_type,
        "logo": {
            "contentEncoding": "base64",
            "description": "A PNG, WebP or JPEG image of at most 16 KiB, in base64.",
            "maxLength": 21848,
            "type": "string",
        },
        "name": name,
    });
    properties.extend(own.as_object().cloned().unwrap_or_default());
    // Null gives a member its default.
    for (name, schema) in &mut properties {
        schema.as_object_mut().map(|schema| schema.remove("default"));
        if !["client_secret", "name"].contains(&name.as_str()) {
            *schema = json!({ "anyOf": [schema, { "type": "null" }] });
        }
    }
    properties.extend(more.as_object().cloned().unwrap_or_default());
    json_schema!({
        "additionalProperties": false,
        "properties": properties,
        "required": required,
        "type": "object",
    })
}

impl JsonSchema for ClientRegistration {
    fn schema_name() -> Cow<'static, str> {
        "ClientRegistration".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let client_id = json!({
            "description": "Its id; absent or null: the server makes one.",
            "maxLength": 255,
            "minLength": 1,
            "pattern": "^[ -~]*$",
            "type": ["string", "null"],
        });
        let catalogue = generator.subschema_for::<EntryChoice>();
        let more = json!({ "catalogue": catalogue, "client_id": client_id });
        let mut schema = client_members(generator, &more, &[]);
        // The catalogue has a name for each.
        let either = json!([{ "required": ["name"] }, { "required": ["catalogue"] }]);
        schema.insert("anyOf".to_owned(), either);
        schema
    }
}

impl JsonSchema for ClientPatch {
    fn schema_name() -> Cow<'static, str> {
        "ClientPatch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = json!({ "items": { "type": "string" }, "type": ["array", "string", "null"] });
        let lists = crate::flow::client::lists::LISTS.iter();
        let lists: Map<_, _> = lists.map(|name| ((*name).to_owned(), items.clone())).collect();
        let change = |what: &str| {
            json!({
                "additionalProperties": false,
                "description": what,
                "properties": lists,
                "type": "object",
            })
        };
        let more = json!({
            "add": change("What is added to its lists."),
            "enabled": { "description": "Whether it is enabled.", "type": "boolean" },
            "remove": change("What is taken away from its lists."),
        });
        client_members(generator, &more, &[])
    }
}

macro_rules! texts {
    ($($name:ident, $what:literal;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "description": $what, "type": "string" })
            }
        }
    )*};
}

texts! {
    DisplayName, "A name that people read: 1 to 128 characters without control characters.";
    Group, "A group: 1 to 128 visible ASCII characters without comma.";
    Issuer, "The URL of an issuer.";
    Prose, "A text of at most 255 bytes without control characters.";
    RedirectUri, "A redirect URI.";
    Resource, "The URI of a resource (RFC 8707 §2).";
    Scope, "Scopes, separated by spaces (RFC 6749 §3.3).";
    Sector, "The host of a sector identifier.";
    WebUri, "A web address.";
}

macro_rules! enumerated {
    ($($name:ident)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let values: Vec<_> = $name::ALL.iter().map(|value| value.as_str()).collect();
                json_schema!({ "enum": values })
            }
        }
    )*};
}

enumerated! {
    ApplicationType AssertionProfile AuthMethod ClaimsPlace ClientType GrantType PkcePolicy
    RefreshPolicy SigningAlg SubjectType
}

impl JsonSchema for TokenType {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TokenType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["at+jwt", "jwt"] })
    }
}

impl JsonSchema for JwkSet {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JwkSet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A JWK Set (RFC 7517 §5).",
            "properties": { "keys": { "items": { "type": "object" }, "type": "array" } },
            "required": ["keys"],
            "type": "object",
        })
    }
}
