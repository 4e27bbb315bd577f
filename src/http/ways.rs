//! The ways on from an error page: what a person can do next, by the refusal.

use axum::http::{Extensions, HeaderMap};

use crate::app::App;
use crate::error::{Error, Refusal, Resolution};
use crate::event::EventId;
use crate::flow::client::home::Home;
use crate::flow::client::self_named::SelfNamed;
use crate::flow::{Context, rights};
use crate::http::about::About;
use crate::http::destination::{AdminPath, Destination, PagePath};
use crate::http::extract::browser::Browser;
use crate::http::extract::outcomes::Outcomes;
use crate::http::facts::displayed;
use crate::http::pages::templates;
use crate::model::application::ReturnPath;
use crate::oauth::id::{InteractionId, UserId};
use crate::oauth::params::Params;
use crate::store::schema::{Client, Origin, Person};
use crate::store::{StoreError, View};

/// What a person can do after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// Go to their account.
    Account,
    /// Go on with the administration, at whose pages no app has sent anything.
    Administration,
    /// Sign in as somebody else, or ask for what this account lacks.
    Another,
    /// Start again at the app.
    App,
    /// Ask whoever runs this server.
    Ask,
    /// Let the app forget its registration.
    Forget,
    /// Have the app mended.
    Mend,
    /// Ask whoever runs this server to switch the app on.
    Off,
    /// Load the page again, or try again.
    Retry,
}

impl Way {
    /// The way on after `error` at `path`.
    fn at(error: &Error, path: &str) -> Self {
        match Self::of(error) {
            Self::Mend if path == "/gate/admin" || path.starts_with("/gate/admin/") => {
                Self::Administration
            }
            way => way,
        }
    }

    /// The way on after `error`. Where a refusal says nothing of its own, what it takes that such a
    /// request passes decides.
    pub(super) fn of(error: &Error) -> Self {
        // A fault of this server may be over the next time.
        let Some(refusal) = error.refusal() else { return Self::Retry };
        match refusal {
            Refusal::EmailMalformed
            | Refusal::EmailTaken
            | Refusal::LinkedDeviceNotFound
            | Refusal::LocalAuthorityAbsent
            | Refusal::LogoutCrossSite
            | Refusal::LogoutExpired
            | Refusal::LogoutOfAnotherBrowser
            | Refusal::MethodNotAllowed
            | Refusal::NameMalformed
            | Refusal::PageNotFound
            | Refusal::PersonalTokenNotFound
            | Refusal::SessionNotFound
            | Refusal::UserExists
            | Refusal::UsernameMalformed => Self::Account,
            Refusal::AppRoleMissing | Refusal::PersonAstray | Refusal::PersonDisabled => {
                Self::Another
            }
            Refusal::AppSessionMissing => Self::App,
            Refusal::HostMalformed
            | Refusal::InvitationEarly
            | Refusal::InvitationExhausted
            | Refusal::InvitationExpired
            | Refusal::InvitationLapsed
            | Refusal::InvitationRevoked
            | Refusal::InvitationUnknown
            | Refusal::RecoveryCodeOver
            | Refusal::RecoveryCodeUnknown
            | Refusal::RecoveryCodeUsed
            | Refusal::SetupTokenDisabled
            | Refusal::SetupTokenExpired
            | Refusal::SetupTokenRevoked
            | Refusal::SetupTokenSuperseded
            | Refusal::SetupTokenSuspended
            | Refusal::SetupTokenUnknown
            | Refusal::SetupTokenUsed
            | Refusal::StartedWithoutPerson => Self::Ask,
            Refusal::ClientDisabledAtAuthorize => Self::Off,
            Refusal::ClientUnknownAtAuthorize => Self::Forget,
            Refusal::AttemptsTooMany
            | Refusal::BodyTooSlow
            | Refusal::CeremonyExpired
            | Refusal::CeremonyOfAnotherBrowser
            | Refusal::CeremonyUnknown
            | Refusal::CrossSite
            | Refusal::CsrfTokenWrong
            | Refusal::InteractionDecisionMalformed
            | Refusal::SessionKeyInUse
            | Refusal::SessionKeyMissing
            | Refusal::SessionProofExpired
            | Refusal::SessionProofMalformed
            | Refusal::SessionProofMismatched
            | Refusal::SessionProofUsed
            | Refusal::SessionProofsTooMany
            | Refusal::StoreUnwritable => Self::Retry,
            other => match other.resolution() {
                Resolution::Again => Self::App,
                Resolution::Client | Resolution::Operator => Self::Mend,
                Resolution::Command
                | Resolution::Configuration
                | Resolution::Machine
                | Resolution::Right => Self::Ask,
                Resolution::Person => Self::Account,
            },
        }
    }
}

/// What is known around a failure that is displayed.
pub(super) struct Around<'a> {
    pub(super) about: &'a About,
    /// Whether the page is at the host of an application.
    pub(super) at_application: bool,
    /// The cookies of the request, where they may show who is signed in.
    pub(super) cookies: &'a HeaderMap,
    pub(super) event: EventId,
    /// The path and the query of the request.
    pub(super) path: &'a str,
}

impl Around<'_> {
    /// Who is signed in. Where the request was refused before anybody asked, a cookie shows it; that
    /// makes the refusal nobody's.
    fn person(
        &self,
        app: &App,
        view: &impl View,
        cx: &Context,
    ) -> Result<Option<UserId>, StoreError> {
        if let Some(user) = self.about.person() {
            return Ok(Some(user));
        }
        let browser = Browser::of(app, self.cookies, &Extensions::new())?;
        Ok(browser.live_session(app, view, cx)?.map(|session| session.user()))
    }
}

/// The ways that an error page offers.
#[derive(Default)]
pub(super) struct Ways {
    /// The page of the account.
    pub(super) account: Option<Destination>,
    /// The first page of the administration.
    pub(super) administration: Option<Destination>,
    /// The sign-in of somebody else, who then goes on.
    pub(super) another: Option<Destination>,
    /// The name of the client.
    pub(super) app: Option<String>,
    /// Whom to ask: nobody is named to a stranger.
    pub(super) ask: Option<Vec<String>>,
    /// The place at which the app begins.
    pub(super) home: Option<Destination>,
    /// Whether the app has to be mended.
    pub(super) mend: bool,
    /// The same page once more.
    pub(super) retry: Option<Destination>,
    /// Where the app is, if it named itself.
    pub(super) self_named: Option<SelfNamed>,
    /// Whether an operator registered the app, and so gave it its name.
    pub(super) vouched: bool,
    /// The page of the event, for an administrator.
    pub(super) why: Option<Destination>,
}

impl Ways {
    /// The ways on after `error`. If the store cannot be read, there are those that need none.
    pub(super) fn of(app: &App, error: &Error, around: &Around<'_>) -> Self {
        let way = Way::at(error, around.path);
        let page = |page: PagePath| {
            if around.at_application {
                Destination::page_from_application(&app.rules().issuer, &page)
            } else {
                Destination::page(&page)
            }
        };
        let mut ways = Self { mend: way == Way::Mend, ..Self::default() };
        if around.at_application && matches!(way, Way::App | Way::Retry) {
            ways.home = Some(Destination::own_root());
        }
        let known = ways.read(app, way, around, &page);
        if way == Way::Retry && !around.at_application {
            ways.retry = page_at(around.path).map(&page);
        }
        if way == Way::Administration {
            ways.administration = Some(page(PagePath::Admin(AdminPath::of([]))));
        }
        if way == Way::Another {
            ways.another = sign_in_at(around.path).map(&page);
        }
        if known.is_err() || ways.is_without_button() || way == Way::Account {
            ways.account = Some(page(PagePath::Account));
        }
        ways
    }

    fn read(
        &mut self,
        app: &App,
        way: Way,
        around: &Around<'_>,
        page: &impl Fn(PagePath) -> Destination,
    ) -> Result<(), StoreError> {
        let (view, cx) = (app.read()?, app.context());
        let person = match around.person(app, &view, &cx)? {
            Some(user) => view.find::<Person>(&user)?,
            None => None,
        };
        if matches!(way, Way::Another | Way::Ask | Way::Off) {
            let named = match person {
                Some(_) => templates::administrators(app, None)?,
                None => Vec::new(),
            };
            self.ask = Some(named);
        }
        let administers = |person: &Person| rights::administers(&cx.rules, &person.roles);
        // Where a session is a key, no request from elsewhere proves anybody. On loopback its reader mostly
        // runs the server, and the page of the event asks for a sign-in.
        let may_be = around.path.starts_with("/oauth/")
            && cx.rules.session_is_key()
            && cx.rules.issuer.is_loopback();
        if person.as_ref().map_or(may_be, administers) {
            self.why = Some(page(PagePath::Event(around.event)));
        }
        // What is over is of no client any more, but its browser remembers which it was.
        let outcomes = Outcomes::of(&cx.rules.issuer, around.cookies);
        let asked = interaction_at(around.path).and_then(|id| outcomes.client(&id));
        let Some(id) = around.about.client().or(asked) else { return Ok(()) };
        let client = view.find::<Client>(id)?.filter(|own| own.enabled || way == Way::Off);
        let Some(client) = client else { return Ok(()) };
        self.app = Some(displayed(client.metadata.name()));
        self.self_named = SelfNamed::of(id, &client);
        self.vouched = matches!(client.origin, Origin::Operator);
        if matches!(way, Way::App | Way::Mend | Way::Ask) {
            self.home = Home::of(&cx, &client).as_ref().map(Destination::home);
        }
        Ok(())
    }

    fn is_without_button(&self) -> bool {
        let others = [&self.administration, &self.another, &self.home, &self.retry];
        others.iter().all(|way| way.is_none())
    }
}

/// The interaction whose page is at `path`.
fn interaction_at(path: &str) -> Option<InteractionId> {
    let path = path.split('?').next().unwrap_or_default();
    path.strip_prefix("/gate/interaction/")?.parse().ok()
}

/// The page to which a form at `path` belongs.
fn page_at(path: &str) -> Option<PagePath> {
    let path = path.split('?').next().unwrap_or_default();
    let rest = path.strip_prefix("/gate/")?;
    Some(match rest.split_once('/').unwrap_or((rest, "")) {
        ("account", "passkeys/new") => PagePath::NewPasskey,
        ("account", "recovery-codes") => PagePath::RecoveryCodes,
        ("account" | "logout", _) => PagePath::Account,
        ("admin", _) => PagePath::Admin(AdminPath::requested(&path.parse().ok()?)?),
        ("device", _) => PagePath::Device(None),
        ("interaction", id) => PagePath::Interaction(id.parse().ok()?),
        ("link", id) => PagePath::Link(id.parse().ok()?),
        ("login", _) => PagePath::Login,
        ("setup", _) => PagePath::Setup,
        _ => return None,
    })
}

/// The sign-in of somebody else at the sign-in to an application.
fn sign_in_at(path: &str) -> Option<PagePath> {
    let query = path.strip_prefix("/gate/apps/start?")?;
    let query = Params::parse(query.as_bytes()).ok()?;
    let one = |name| query.one(name).ok().flatten();
    Some(PagePath::ApplicationAsAnother {
        host: one("app")?.parse().ok()?,
        path: ReturnPath::of_encoded(one("rd")),
        state: one("state").unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::http::texts::tests::is_on_a_page;

    /// Where a person is led after each refusal that a page or its script displays.
    const TABLE: &[(Way, &str)] = &[
        (
            Way::Account,
            "CredentialCounterBack CredentialCrossOrigin CredentialIdUnfit CredentialNotOurs \
        CredentialOfAnotherPerson CredentialOfRemovedPerson CredentialRefused \
        CredentialRegistered CredentialRemoved CredentialUnstored EmailMalformed EmailTaken \
        LinkedDeviceNotFound LocalAuthorityAbsent LogoutCrossSite LogoutExpired LogoutOfAnotherBrowser MethodNotAllowed NameMalformed \
        PageNotFound PasskeyIsLast PasskeysTooMany PersonalTokenNotFound SessionNotFound \
        SetupTokenMismatched SignInStale UserExists UserNotVerified UsernameMalformed \
        UsernameTaken",
        ),
        (Way::Another, "AppRoleMissing PersonAstray PersonDisabled"),
        (
            Way::App,
            "AppCodeOfAnotherBrowser AppCodeUnknown AppSessionMissing InteractionExpired \
        InteractionOfAnotherBrowser InteractionUnknown PersonDeclined PushedRequestExpired \
        PushedRequestSpent PushedRequestUnknown",
        ),
        (
            Way::Ask,
            "AdministrationClosed AppProxyUnknown AppUnknown CodeChallengeMissing ConsentNeeded DocumentAddressPrivate \
        DocumentHostUnlisted DocumentOffline HostMalformed HostOfProxy HostUnknown \
        InvitationEarly InvitationExhausted InvitationExpired InvitationLapsed InvitationRevoked InvitationUnknown \
        PostLogoutClientUnknown PostLogoutUriUnregistered PromptCreateClosed RecoveryCodeOver \
        RecoveryCodeUnknown RecoveryCodeUsed RedirectUriUnregistered RequestNotPushed \
        ResourceTokenTypesDiffer ResourceUnknown ScopeNotAllowed ScopeNotForItself \
        SetupTokenDisabled SetupTokenExpired SetupTokenRevoked SetupTokenSuperseded \
        SetupTokenSuspended SetupTokenUnknown SetupTokenUsed SignUpClosed StartedWithoutPerson",
        ),
        (Way::Forget, "ClientUnknownAtAuthorize"),
        (Way::Off, "ClientDisabledAtAuthorize"),
        (
            Way::Mend,
            "AcrUnmet AdminScopeBesideResource BodyMalformed BodyTooLarge BodyTypeUnsupported \
        ClaimsMalformed ClientIdMalformed ClientIdMissing CodeChallengeMalformed \
        CodeChallengeMethodUnsupported DocumentAddressMalformed DocumentAtResource \
        DocumentNotJson DocumentOfAnotherClient DocumentRedirected DocumentStatusWrong \
        DocumentTooLarge DocumentTooSlow DocumentUnavailable DocumentUnreachable \
        DocumentWithSecret HeaderSectionTooLarge IdTokenHintClientDiffers IdTokenHintMalformed \
        LinkRedirectUnfit LoginNeeded MaxAgeMalformed NavigationRequired ParameterMalformed \
        ParameterRepeated ParameterTooLong ParametersTooMany PostLogoutClientMissing \
        PromptContradictory PromptUnknown PushedRequestClientDiffers RedirectUriDangerous \
        RedirectUriHasDotSegments RedirectUriHasFragment RedirectUriHasUserinfo \
        RedirectUriMalformed RedirectUriMissing RedirectUriMissingForOpenid RedirectUriNotHttps \
        RedirectUriOutOfBand RedirectUriPrivate RedirectUriSchemeUnknown RedirectUriUnderGate \
        RedirectUriWildcard RequestObjectUnsupported RequestUriPushed RequestUriUnsupported \
        ResourceMalformed ResourceNotGranted ResponseModeUnsupported ResponseTypeMissing \
        ResponseTypeUnsupported ScopeMalformed ScopeWidened StateMissing",
        ),
        (
            Way::Retry,
            "AttemptsTooMany BodyTooSlow CeremonyExpired CeremonyOfAnotherBrowser CeremonyUnknown \
        CrossSite CsrfTokenWrong InteractionDecisionMalformed SessionKeyInUse SessionKeyMissing \
        SessionProofExpired SessionProofMalformed SessionProofMismatched SessionProofUsed \
        SessionProofsTooMany StoreUnwritable",
        ),
    ];

    #[test]
    fn every_refusal_on_a_page_has_its_way_on() {
        let expected: BTreeMap<&str, Way> = TABLE
            .iter()
            .flat_map(|(way, names)| names.split(' ').map(|name| (name, *way)))
            .collect();
        let found = Refusal::ALL.iter().filter(|refusal| is_on_a_page(**refusal));
        let found: BTreeMap<&str, Way> =
            found.map(|refusal| (refusal.name(), Way::of(&(*refusal).into()))).collect();

        assert_eq!(found, expected);
    }

    #[test]
    fn a_form_leads_back_to_its_own_page_and_nowhere_else() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let page = |path: &str| page_at(path).map(|page| page.to_string());

        for own in ["/gate/device", "/gate/account/recovery-codes", "/gate/login", "/gate/setup"] {
            assert_eq!(page(own).as_deref(), Some(own));
        }
        assert_eq!(page(&format!("/gate/link/{id}")), Some(format!("/gate/link/{id}")));
        assert_eq!(page("/gate/logout").as_deref(), Some("/gate/account"));
        for other in ["/gate/interaction/x", "//evil.example/gate/", "/oauth/authorize?x", "/gate"]
        {
            assert_eq!(page(other), None, "{other}");
        }
    }
}
