//! The administration API: its operations, served on the Unix socket, in process for a command that
//! finds no running server, and at the ports for an access token with a scope of the administration.
//!
//! Each noun has a file with its views, its requests and its operations. A view is the only form of
//! its noun: the API serialises it, and the command line deserialises it. Objects with members that
//! others define are plain JSON: claims, client documents, the metadata of an anonymous session.
//!
//! What a path or a body names, it names by its id, by its name or by the beginning of its id
//! ([`named`](crate::flow::named)), found in the transaction that changes it.
//!
//! Each operation names the right that it needs by the type `By`, which is the only way to
//! the application. Whoever reaches the socket owns the data directory, so they need no authentication
//! and have every right. At the ports, `http/administration.rs` proves a token first. So errors contain
//! their precise reason. What an administrator may touch, the transitions decide
//! ([`rights`](crate::flow::rights)).

pub(crate) mod apply;
pub(crate) mod backup;
pub(crate) mod bridge;
pub(crate) mod catalogue;
pub(crate) mod certificate;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod doctor;
pub(crate) mod document;
pub(crate) mod event;
pub(crate) mod exchange;
pub(crate) mod grant;
pub(crate) mod issuer;
pub(crate) mod key;
pub(crate) mod link;
mod metrics;
mod operation;
pub(crate) mod passkey;
pub(crate) mod personal_token;
pub(crate) mod resource;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod store;
pub(crate) mod tls;
pub(crate) mod token;
pub(crate) mod usage;
pub(crate) mod user;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde::Serialize;

pub(crate) use operation::by::{Asker, SocketPeer};
pub(crate) use operation::description::DESCRIPTION;
pub(crate) use operation::listing;

use operation::{by, description, request};

use crate::app::App;
use crate::error::{Candidate, Choices, Error, Refusal};
use crate::event::EventId;

/// The router of the socket, and of commands: everything it serves, it serves to the operator.
pub fn router(app: Arc<App>) -> Router {
    operations()
        .route("/metrics", get(metrics::show))
        .fallback(async || Failed::from(Refusal::PageNotFound))
        .method_not_allowed_fallback(async || Failed::from(Refusal::MethodNotAllowed))
        .layer(from_fn(by::as_operator))
        .with_state(app)
}

macro_rules! operations {
    ($($path:literal { $($method:ident $module:ident $(:: $handler:ident)+, $summary:literal;)+ })+) => {
        /// All operations. They serve a request that has an [`Asker`], and no other.
        pub(crate) fn operations() -> Router<Arc<App>> {
            let router = Router::new();
            $(let router = router.route(
                $path,
                MethodRouter::new()$(.$method($module $(:: $handler)+))+,
            );)+
            router
        }

        /// The description of all operations.
        #[cfg(test)]
        fn described() -> serde_json::Value {
            let mut description = operation::openapi::Description::default();
            $($(description.add(
                (stringify!($method), $path),
                concat!(stringify!($module) $(, ".", stringify!($handler))+),
                $summary,
                &($module $(:: $handler)+),
            );)+)+
            description.finish()
        }
    };
}

operations! {
    "/api/v1/anonymous-sessions" {
        get session::list_anonymous, "Lists the stored anonymous sessions, live or ended.";
    }
    "/api/v1/apply" {
        post apply::apply, "Applies a file of clients, people, groups, scopes, roles and resources.";
    }
    "/api/v1/backup" {
        get backup::make, "Makes a backup, which it sends while it is made.";
    }
    "/api/v1/bridge" {
        get bridge::list, "Lists the bridges that sent a heartbeat within the last 30 days.";
    }
    "/api/v1/bridge/certificates" {
        get certificate::list, "Lists the registered certificates of devices.";
        post certificate::enroll, "Registers a certificate of a device for a person, or issues one.";
    }
    "/api/v1/bridge/certificates/{fingerprint}" {
        get certificate::show, "Shows a certificate of a device.";
        delete certificate::revoke, "Revokes a certificate with its device, for good.";
    }
    "/api/v1/bridge/certificates/{fingerprint}/person" {
        get certificate::person, "Shows for whom a device with this certificate acts now.";
    }
    "/api/v1/bridge/codes" {
        post bridge::issue_code, "Makes an exchange code, which signs a bridge in for a person.";
    }
    "/api/v1/bridge/devices/{id}" {
        get bridge::device, "Shows a linked device that is not ended.";
        delete bridge::end, "Ends a linked device with everything that it was given.";
    }
    "/api/v1/bridge/tokens" {
        post bridge::issue_token, "Issues a bridge token for a person, with a session of its own.";
    }
    "/api/v1/catalogue" {
        get catalogue::list, "Lists the applications that the catalogue knows.";
    }
    "/api/v1/catalogue/{name}" {
        get catalogue::show, "Shows what the catalogue knows of an application.";
    }
    "/api/v1/clients" {
        get client::list, "Lists the clients.";
        post client::add, "Registers a client. Only this response has its secret.";
    }
    "/api/v1/clients/{id}" {
        get client::show, "Shows a client.";
        patch client::change, "Changes what the patch names of a client, and nothing else.";
        delete client::remove, "Removes a client with its grants.";
    }
    "/api/v1/clients/{id}/notes" {
        get client::show_notes, "Says what is demanded of a client, and what does not work.";
    }
    "/api/v1/clients/{id}/secret" {
        post client::rotate_secret, "Gives a client a new secret. The old one ends at once.";
    }
    "/api/v1/clients/{id}/usage" {
        get usage::of_client, "Shows what a client got and was refused.";
    }
    "/api/v1/config" {
        get config::show, "Shows the configuration in force, and where each value comes from.";
    }
    "/api/v1/config/reload" {
        post config::reload, "Reads the configuration again.";
    }
    "/api/v1/connections" {
        get connection::list, "Lists what people let clients do, by grants or remembered consents.";
    }
    "/api/v1/connections/{id}" {
        get connection::show, "Shows what a person lets a client do.";
        delete connection::end, "Ends all grants of a person for a client, and forgets the consent.";
    }
    "/api/v1/documents" {
        post document::import, "Imports a client's metadata document.";
    }
    "/api/v1/doctor" {
        get doctor::examine, "Examines the server, and says what is wrong.";
    }
    "/api/v1/doctor/glance" {
        get doctor::glance, "Says what the server knows to be wrong, without trying anything.";
    }
    "/api/v1/doctor/probes" {
        post doctor::start_probe, "Makes the nonce of a request that tries the proxy in front.";
    }
    "/api/v1/doctor/probes/{nonce}" {
        delete doctor::end_probe, "Says how the request with a nonce arrived, and forgets it.";
    }
    "/api/v1/events" {
        get event::list, "Lists what happened, the newest first.";
    }
    "/api/v1/events/{id}" {
        get event::explain, "Shows an event, and what can be done about it.";
    }
    "/api/v1/export" {
        get exchange::export, "Exports people, clients and resources as lines of JSON.";
    }
    "/api/v1/grants" {
        get grant::list, "Lists the grants in force.";
    }
    "/api/v1/grants/{id}" {
        get grant::show, "Shows a grant.";
        delete grant::revoke, "Ends a grant with its tokens. A remembered consent stays.";
    }
    "/api/v1/import" {
        post exchange::import, "Imports the lines of an export, all of them or none.";
    }
    "/api/v1/invitations" {
        get link::invitation::list, "Lists the invitations, open or not.";
        post link::invitation::add, "Makes an invitation. Only this response has its link.";
    }
    "/api/v1/invitations/revoke" {
        post link::invitation::revoke_all, "Revokes every open invitation.";
    }
    "/api/v1/invitations/{id}" {
        get link::invitation::show, "Shows an invitation.";
        delete link::invitation::revoke, "Revokes an invitation. Whoever came by it stays.";
    }
    "/api/v1/issuer" {
        get issuer::show, "Shows the issuer in the store.";
        put issuer::change, "Changes the issuer in the store, or tells what that would mean.";
    }
    "/api/v1/keys" {
        get key::list, "Lists the signing keys, for each algorithm the newest first.";
    }
    "/api/v1/keys/root/forget" {
        post key::root::forget, "Ends what was never used since the last rotation of the root key.";
    }
    "/api/v1/keys/root/rotate" {
        post key::root::rotate, "Replaces the root key. What was made under the old one goes on.";
    }
    "/api/v1/keys/rotate" {
        post key::rotate, "Makes new signing keys.";
    }
    "/api/v1/links" {
        get link::list, "Lists the setup links of the last days, open or not.";
    }
    "/api/v1/links/revoke" {
        post link::revoke_all, "Revokes every open setup link, of one person or of all.";
    }
    "/api/v1/links/{id}" {
        get link::show, "Shows a setup link, without its token.";
        delete link::revoke, "Revokes a setup link.";
    }
    "/api/v1/openapi.json" {
        get description::show, "Shows this description.";
    }
    "/api/v1/passkeys" {
        get passkey::list, "Lists the passkeys.";
    }
    "/api/v1/passkeys/{id}" {
        get passkey::show, "Shows a passkey.";
        patch passkey::change, "Renames a passkey.";
        delete passkey::remove, "Removes a passkey. The sessions that it opened go on.";
    }
    "/api/v1/personal-tokens" {
        get personal_token::list, "Lists the personal access tokens.";
        post personal_token::add, "Makes a personal access token. Only this response has it.";
    }
    "/api/v1/personal-tokens/{id}" {
        get personal_token::show, "Shows a personal access token, without its secret part.";
        delete personal_token::revoke, "Revokes a personal access token with its device.";
    }
    "/api/v1/recover" {
        post user::recover, "Makes a setup link, by which a person registers another passkey.";
    }
    "/api/v1/resources" {
        get resource::list, "Lists the registered resources.";
        post resource::add, "Registers a resource.";
    }
    "/api/v1/resources/{resource}" {
        get resource::show, "Shows a resource.";
        patch resource::change, "Changes what the patch names of a resource, and nothing else.";
        delete resource::remove, "Removes a resource, and the credentials that were made for it.";
    }
    "/api/v1/server" {
        get server::show, "Shows the process that serves the installation.";
    }
    "/api/v1/server/readiness" {
        get server::readiness, "Tells whether the server is ready.";
    }
    "/api/v1/sessions" {
        get session::list, "Lists the live sessions: of browsers, of bridges, of nobody.";
    }
    "/api/v1/sessions/{id}" {
        get session::show, "Shows a live session.";
        delete session::revoke, "Ends a session with everything that was allowed in it.";
    }
    "/api/v1/store" {
        get store::show, "Shows what the store has, by table.";
    }
    "/api/v1/store/check" {
        get store::examine, "Checks every row of the store, and says what is wrong.";
    }
    "/api/v1/tls" {
        get tls::show, "Shows this server's certificate and the local CA.";
    }
    "/api/v1/tls/ca" {
        get tls::ca, "Shows the local CA. It is made if there is none.";
    }
    "/api/v1/tls/certificates" {
        post tls::issue, "Issues a certificate for a service, by the local CA.";
    }
    "/api/v1/tokens" {
        post token::issue, "Issues an access token. Only this response has it.";
    }
    "/api/v1/tokens/inspect" {
        post token::inspect, "Explains a token of any kind, valid or not.";
    }
    "/api/v1/tokens/revoke" {
        post token::revoke, "Revokes a token, or ends what it depends on.";
    }
    "/api/v1/usage" {
        get usage::of_all, "Shows what all clients together got and were refused.";
    }
    "/api/v1/users" {
        get user::list, "Lists the people.";
        post user::add, "Adds a person, and makes their setup link.";
    }
    "/api/v1/users/{username}" {
        get user::show, "Shows a person.";
        patch user::change, "Changes what the patch names of a person, and nothing else.";
        delete user::remove, "Removes a person with everything that is theirs.";
    }
}

/// The error that a response of this API reports, for whoever counts and logs it.
#[derive(Clone)]
pub(crate) struct Reported(pub(crate) Arc<Error>, pub(crate) ErrorView);

/// An error response: the members of RFC 6749 §5.2, what can be done about it, and what the request
/// may have meant.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ErrorView {
    /// Where in the document of the request it is, dotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate>,
    error: &'static str,
    error_description: String,
    /// The id of its event, at a port. Over the socket there is none: its operator reads all of it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    /// The faults of a configuration, or of the lines of a file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    known: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
    /// What uses something that was to be removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used_by: Vec<Candidate>,
}

impl ErrorView {
    /// The same with the id of its event.
    pub(crate) fn with_event(self, event: EventId) -> Self {
        Self { event_id: Some(event.to_string()), ..self }
    }
}

/// An error, rendered with its precise reason.
struct Failed {
    error: Error,
    /// The faults of a configuration, beside the sentence.
    faults: Vec<String>,
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: error.into(), faults: Vec::new() }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self { error, faults } = self;
        let code = error.code();
        let status = StatusCode::from_u16(code.status());
        let choices = error.choices().cloned().unwrap_or_default();
        let Choices { at, candidates, known, used_by, .. } = choices;
        let view = ErrorView {
            at,
            candidates,
            error: code.as_str(),
            error_description: error.to_string(),
            event_id: None,
            faults,
            known,
            remedy: error.refusal().map(Refusal::remedy),
            used_by,
        };
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&view)).into_response();
        if let Some(seconds) = error.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Reported(Arc::new(error), view));
        response
    }
}

/// The most bytes of the body of any operation.
pub(crate) const MAX_BODY: usize = apply::MAX_BODY;

/// Parses each of `values`.
fn parsed<T: std::str::FromStr<Err = Refusal>>(values: &[String]) -> Result<Vec<T>, Refusal> {
    values.iter().map(|value| value.parse()).collect()
}

/// Parses `value`, if there is one.
fn optional<T: std::str::FromStr<Err = Refusal>>(
    value: Option<&str>,
) -> Result<Option<T>, Refusal> {
    value.map(str::parse).transpose()
}
