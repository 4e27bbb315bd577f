//! Why an operation did nothing, and what the page of its form says of it.

use std::fmt;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;

use crate::error::{Error, ErrorCode, Internal, Refusal};
use crate::http::failure::{Cause, PageFailure, Slip};
use crate::http::texts::Texts;

/// What is wrong with a form.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct Fault {
    /// The name of the field that it is about; empty: several, or none.
    field: String,
    sentence: String,
}

impl Fault {
    /// Whether nothing is wrong.
    pub(in crate::http) fn is_empty(&self) -> bool {
        self.sentence.is_empty()
    }

    /// Whether it is about that field.
    pub(in crate::http) fn is_about(&self, field: &str) -> bool {
        !self.is_empty() && self.field == field
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

#[cfg(test)]
impl From<String> for Fault {
    fn from(sentence: String) -> Self {
        Self { field: "name".to_owned(), sentence }
    }
}

/// Why an operation did nothing.
pub(super) struct Refused(Arc<Error>);

impl Refused {
    /// What an operation reported.
    pub(super) fn by(error: Arc<Error>) -> Self {
        Self(error)
    }

    /// What a page itself refuses.
    pub(super) fn of(refusal: Refusal) -> Self {
        Self(Arc::new(refusal.into()))
    }

    /// A fault of this server.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self(Arc::new(Internal::new(error).into()))
    }

    /// The refusal; `None`: a fault of this server.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.0.refusal()
    }

    /// What it says to an administrator: the precise reason, by the names that stand on the page, and
    /// what it may have meant.
    pub(super) fn sentence(&self, t: &Texts) -> String {
        let hints = &t.beside.hints;
        // Of what stands in one field, the pages have words of their own.
        let own = match self.refusal() {
            Some(Refusal::CatalogueUrlUnfit) => hints.url_unfit(),
            Some(Refusal::EmailMalformed) => hints.email_unfit(),
            Some(Refusal::MemberMalformed("further", _)) => hints.further_unfit(),
            Some(Refusal::MemberMalformed("lifetime", _)) => hints.days_unfit(),
            Some(Refusal::MemberMalformed("name", _)) => hints.name_missing(),
            Some(Refusal::MemberMalformed("uses", _)) => hints.uses_unfit(),
            Some(Refusal::ResourceMalformed) => hints.resource_unfit(),
            Some(
                Refusal::AccessTokenLifetimeUnfit
                | Refusal::MemberMalformed("access_token_lifetime", _),
            ) => hints.lifetime_unfit(),
            // Whoever has an app at home gets no further by the reason alone.
            Some(Refusal::RedirectUriPrivate) => {
                return format!("{} {}", t.precise(&self.0), t.admin.list.use_https().plain());
            }
            _ => return by_label(t, t.precise(&self.0)),
        };
        own.plain()
    }

    /// What the form says of it, and beside which field.
    pub(super) fn fault(&self, t: &Texts) -> Fault {
        let field = self.refusal().map(field).unwrap_or_default();
        Fault { field, sentence: self.sentence(t) }
    }

    /// Whether it is about what was asked, so that the page can be shown beside it.
    pub(super) fn is_about_request(&self) -> bool {
        let status = self.0.code().status();
        self.refusal().is_some() && (400..500).contains(&status) && status != 403
    }

    /// The page that shows it.
    pub(super) fn beside(self, mut page: Response) -> Response {
        let status = StatusCode::from_u16(self.0.code().status());
        let status = status.unwrap_or(StatusCode::BAD_REQUEST);
        *page.status_mut() = status;
        // Whoever mistyped something reads it here.
        if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) {
            page.extensions_mut().insert(Slip);
        }
        page.extensions_mut().insert(Cause(self.0));
        page
    }
}

impl From<Refused> for PageFailure {
    fn from(Refused(error): Refused) -> Self {
        // The pages know no token.
        if error.code() == ErrorCode::InsufficientScope {
            return Refusal::AdministrationClosed.into();
        }
        Self::reported(error)
    }
}

/// The name of the field that a refusal is about, as its row says or begins with.
fn field(refusal: Refusal) -> String {
    let reason = refusal.reason();
    let named = reason.split_once(": ").map(|(member, _)| member);
    let field = match refusal {
        Refusal::AccessTokenLifetimeUnfit => "access_token_lifetime",
        Refusal::CatalogueUrlUnfit => "url",
        Refusal::ClientMetadataMalformed(member, _)
        | Refusal::ClientMetadataUnsupported(member, _) => member,
        Refusal::EmailMalformed | Refusal::EmailTaken => "email",
        Refusal::GroupMalformed => "groups",
        Refusal::MemberMalformed("lifetime", _) => "days",
        Refusal::NameMalformed => "name",
        Refusal::ResourceExists | Refusal::ResourceIsClient | Refusal::ResourceMalformed => {
            "resource"
        }
        Refusal::ScopeUnknown => "scope",
        Refusal::UserExists | Refusal::UsernameMalformed => "username",
        own if own.name().starts_with("RedirectUri") => "redirect_uris",
        _ => named.unwrap_or_default(),
    };
    field.to_owned()
}

/// A sentence that begins with the name of a member, with the label of its field instead.
fn by_label(t: &Texts, sentence: String) -> String {
    let named = sentence.split_once(": ");
    let named = named.and_then(|(member, rest)| label(t, member).map(|label| (label, rest)));
    match named {
        Some((label, rest)) => format!("{label}: {rest}"),
        None => sentence,
    }
}

/// The label of the field that a form of the administration has for a member.
fn label(t: &Texts, member: &str) -> Option<String> {
    let (form, person, resource) =
        (&t.admin.client_form, &t.admin.person_form, &t.admin.resource_form);
    // A sentence begins with a capital.
    let label = match member.to_ascii_lowercase().as_str() {
        "accepts_bridge" => resource.accepts_bridge(),
        "backchannel_logout_uri" => form.logout_uri(),
        "client_id" => resource.client(),
        "client_type" => form.client_type(),
        "display_name" => person.display_name(),
        "email" | "email_verified" => t.email.label(),
        "first_party" => form.first_party(),
        "grant_types" => form.grant_types(),
        "groups" => form.groups(),
        "id_token_signed_response_alg" => form.signing_alg(),
        "introspect" => resource.introspect(),
        "jwks_uri" => form.jwks_uri(),
        "name" | "resource_name" => form.name(),
        "open" => resource.open(),
        "pkce" => form.pkce(),
        "post_logout_redirect_uris" => form.post_logout_uris(),
        "redirect_uris" => form.redirect_uris(),
        "resource" => resource.resource(),
        "roles" => person.roles(),
        "scope" => form.scope(),
        "token_endpoint_auth_method" => form.auth_method(),
        "typ" => resource.typ(),
        "url" => form.url(),
        "username" => t.login.username(),
        _ => return None,
    };
    Some(label.plain())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::texts::Language;

    fn said(refusal: Refusal) -> String {
        Refused::of(refusal).sentence(Language::default().texts())
    }

    #[test]
    fn a_fault_is_about_its_field() {
        for (refusal, name) in [
            (Refusal::RedirectUriNotHttps, "redirect_uris"),
            (Refusal::RedirectUrisUnfit("x"), "redirect_uris"),
            (Refusal::UserExists, "username"),
            (Refusal::MemberMalformed("uses", "x"), "uses"),
            (Refusal::MemberMalformed("lifetime", "x"), "days"),
            (Refusal::ClientMetadataMalformed("jwks_uri", "x"), "jwks_uri"),
            (Refusal::PasskeyNameTaken, "name"),
            (Refusal::PkceOptionalUnfit, "pkce"),
        ] {
            let fault = Refused::of(refusal).fault(Language::default().texts());
            assert!(fault.is_about(name), "{name}: {fault:?}");
        }
        assert!(!Fault::default().is_about(""));
    }

    #[test]
    fn a_page_names_the_label_of_a_field_and_no_member() {
        for (refusal, sentence) in [
            (
                Refusal::MemberMalformed("token_endpoint_auth_method", "none of those"),
                "How it proves itself: none of those.",
            ),
            (Refusal::MemberMalformed("typ", "it is odd"), "Type of its tokens: it is odd."),
            (Refusal::EmailMissing, "E-mail address: the person has no e-mail address."),
            (Refusal::MemberMalformed("uses", "x"), "An invitation is for 1 to 10,000 people."),
            (Refusal::MemberMalformed("lifetime", "x"), "An invitation is open for 1 to 366 days."),
        ] {
            assert_eq!(said(refusal), sentence);
        }
        // What is on no page stays as it is.
        assert_eq!(said(Refusal::MemberMalformed("ttl", "it is odd")), "Ttl: it is odd.");
    }
}
