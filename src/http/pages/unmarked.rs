//! No page has a text that is not in the files of the languages.
//!
//! Every template is rendered with texts that are bracketed. Whatever letters a reader would see or
//! hear outside of the brackets are written in the template, or in the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::account::{AccountPage, LaunchItem};
use super::asker::{AppLink, Asker, ClientMark};
use super::consent::{ConsentPage, Notice};
use super::email::EmailField;
use super::error::{ContinueButton, ErrorPage};
use super::outcome::OutcomePage;
use super::own_passkeys::{Faults, NewPasskeyPage, PasskeyPage, RecoveryCodesPage};
use super::templates::*;
use crate::config::{Look, Sheet};
use crate::flow::client::self_named::SelfNamed;
use crate::http::account::devices::{DeviceItem, MeansItem};
use crate::http::account::next::NextSteps;
use crate::http::account::profile::{NameField, ProfilePage};
use crate::http::account::sessions::OtherSessionsPage;
use crate::http::destination::{Destination, PagePath};
use crate::http::done::Done;
use crate::http::extract::outcomes::Outcome;
use crate::http::marks::check;
use crate::http::texts::{Day, Language, Texts};
use crate::http::trust::TrustPage;
use crate::http::ways::Ways;
use crate::model::bridge::LinkRedirect;
use crate::model::look::colour::Colour;
use crate::model::look::picture::Picture;
use crate::oauth::client::cimd::DocumentAddress;

fn texts() -> &'static Texts {
    Box::leak(Box::new(Texts::bracketed()))
}

pub(in crate::http) fn page() -> Page {
    Page {
        assets: "/assets/0",
        csrf: "0".to_owned(),
        done: Some(Done::PasskeyAdded),
        host: "1".to_owned(),
        language: Language::default(),
        look: Look::default(),
        t: texts(),
        to_trust: true,
    }
}

/// A page of an operator who gave it everything, or a part.
fn dressed(name: bool, logo: bool) -> Page {
    let look = Look {
        name: name.then(|| "7".to_owned()),
        picture: Picture::of(b"\xff\xd8\xff".to_vec()).filter(|_| logo).map(Arc::new),
        sheet: Some(Arc::new(Sheet::of(Colour::BLACK))),
        ..Look::default()
    };
    Page { look, ..page() }
}

fn day() -> Day {
    Day("2026-01-01".to_owned())
}

fn name() -> String {
    "Ada".to_owned()
}

/// The mark of an app, with a logo or without.
fn mark(logo: bool) -> ClientMark {
    ClientMark { logo: logo.then(|| "/gate/logo/1/0".to_owned()), ..ClientMark::of("1", &name()) }
}

fn scopes() -> Vec<ScopeItem> {
    let item = |is_described, resources| ScopeItem {
        description: "⟦x⟧".to_owned(),
        icon: "shield",
        is_described,
        is_powerful: is_described,
        name: "openid".to_owned(),
        resources,
    };
    vec![item(true, Vec::new()), item(false, vec![name()])]
}

fn email(fault: &str) -> EmailField {
    EmailField { fault: fault.to_owned(), value: "a@b.example".to_owned() }
}

fn document(address: &str) -> DocumentAddress {
    DocumentAddress::of(&address.parse().unwrap()).unwrap()
}

fn destination() -> Destination {
    let uri: LinkRedirect = "http://127.0.0.1:7/".parse().unwrap();
    Destination::link_error(&uri, crate::error::ErrorCode::AccessDenied)
}

fn account(many: usize, last_used: Option<&Day>) -> AccountPage {
    let session = |at| SessionItem {
        address: name(),
        id: name(),
        own: at == 0,
        program: name(),
        since: day(),
        seen: day(),
    };
    let app = ApplicationItem {
        client_id: name(),
        mark: mark(many == 2),
        name: name(),
        scopes: vec![name()],
        self_named: self_named(last_used.is_some()),
        since: day(),
        used: last_used.cloned(),
    };
    let device = |means, seen| DeviceItem {
        id: name(),
        means,
        name: name(),
        plugins: true,
        seen,
        sessions: many,
        since: day(),
    };
    let left = many == 1;
    let host = |protocols: &str| HostItem {
        enabled: protocols.is_empty(),
        name: name(),
        protocols: Some(protocols.to_owned()),
    };
    AccountPage {
        page: page(),
        accepted: Some(accepted()),
        codes: many - 1,
        display_name: name(),
        username: name(),
        email: last_used.map(|_| name()),
        admin: true,
        administers: true,
        issuer: name(),
        launchable: vec![LaunchItem {
            address: "https://app.example/".to_owned(),
            mark: mark(many == 1),
            name: name(),
        }],
        next: NextSteps { connect: true, person: true, recovery: left },
        passkeys: (0..many).map(|_| passkey(last_used)).collect(),
        apps: vec![app],
        sessions: (0..2).map(session).collect(),
        devices: vec![
            device(MeansItem::Certificate(day()), Some((day(), Some(name())))),
            device(MeansItem::Session, Some((day(), None))),
            device(MeansItem::Token(day()), None),
        ],
        hosts: vec![host(""), host("openai")],
    }
}

fn accepted() -> Accepted {
    Accepted { credentials: "[]".to_owned(), rp_id: "1".to_owned(), user: "1".to_owned() }
}

fn passkey(last_used: Option<&Day>) -> PasskeyItem {
    PasskeyItem {
        backed_up: last_used.is_some(),
        created: day(),
        id: uuid::Uuid::nil().into(),
        last_used: last_used.cloned(),
        name: name(),
        product: last_used.map(|_| "KeePassXC"),
        transports: last_used.map(|_| "⟦x⟧".to_owned()).into_iter().collect(),
    }
}

fn passkey_page(codes: usize, is_only: bool, last_used: Option<&Day>) -> PasskeyPage {
    PasskeyPage {
        page: page(),
        codes,
        faults: Faults { name: "⟦x⟧".to_owned(), removal: "⟦x⟧".to_owned() },
        is_only,
        passkey: passkey(last_used),
    }
}

fn asker(self_named_at: Option<String>) -> Asker {
    Asker { self_named_at, ..Asker::named("1", &name()) }
}

fn link() -> AppLink {
    AppLink { address: "https://a.example/".to_owned(), host: "a.example".to_owned() }
}

fn consent(all: bool, notice: Option<Notice>) -> ConsentPage {
    ConsentPage {
        page: page(),
        action: PagePath::Account,
        another: all.then_some(PagePath::Account),
        asker: asker(all.then(name)),
        client_id: name(),
        display_name: name(),
        email: all.then(|| email("⟦x⟧")),
        named_by: all.then(|| document("http://127.0.0.1:7/app")),
        notice,
        policy: all.then(link),
        redirect_host: name(),
        remembered: scopes(),
        resources: vec![name(), name()],
        scope: name(),
        scopes: if all { scopes() } else { Vec::new() },
        terms: all.then(link),
        username: name(),
    }
}

/// An app that named itself, with or without a host.
fn self_named(somewhere: bool) -> Option<SelfNamed> {
    Some(SelfNamed { hosts: if somewhere { name() } else { String::new() } })
}

fn device_confirm(allowable: bool, groups: usize, scopes: Vec<ScopeItem>) -> DeviceConfirmPage {
    DeviceConfirmPage {
        page: page(),
        administrators: vec![name(); groups],
        asked: "⟦x⟧".to_owned(),
        place: "⟦x⟧".to_owned(),
        user_agent: Some(name()),
        allowable,
        client_id: name(),
        client_name: name(),
        display_name: name(),
        groups: vec![name(); groups],
        mark: mark(allowable),
        named_by: Some(document("https://app.example/app")),
        resources: vec![name()],
        scope: name(),
        scopes,
        self_named: self_named(true),
        unregistered: true,
        unverified: true,
        user_code: "1".to_owned(),
        username: name(),
        email: Some(email("")),
    }
}

/// The ways of an error page: those with a button of the app, or the others.
fn ways(app: Option<&str>, vouched: bool) -> &'static Ways {
    let way = || Some(destination());
    Box::leak(Box::new(Ways {
        account: way(),
        administration: way().filter(|_| vouched && app.is_none()),
        another: way().filter(|_| vouched),
        app: app.map(str::to_owned),
        ask: Some(vec![name(); usize::from(vouched)]),
        home: way(),
        mend: true,
        retry: None,
        self_named: None,
        vouched,
        why: way(),
    }))
}

fn error(form: Option<&'static [(&'static str, String)]>) -> ErrorPage<'static> {
    ErrorPage {
        page: page(),
        advice: Some("⟦x⟧".to_owned()),
        asked: vec![("⟦x⟧".to_owned(), "value")],
        button: Some(ContinueButton { destination: destination(), form, host: "1" }),
        client_name: Some(("Ada", form.is_some())),
        event: name(),
        self_named: None,
        message: "⟦x⟧".to_owned(),
        status: 400,
        title: "⟦x⟧".to_owned(),
        ways: ways(None, false),
    }
}

fn login(client: Option<Asker>, nobody: bool) -> LoginPage {
    LoginPage {
        page: page(),
        again: None,
        back: None,
        create: false,
        next: PagePath::Account,
        client,
        login_hint: name(),
        cancel: Some(PagePath::Account),
        nobody,
        sign_up: (!nobody).then(name),
    }
}

/// Every template with its page, in each of its forms.
fn rendered() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    let mut add = |name, page: &dyn askama::DynTemplate| {
        pages.push((name, page.dyn_render().unwrap()));
    };
    let [yes, no] = [true, false];
    let client = || "app".parse().unwrap();
    let outcomes = [
        Outcome::Allowed(client()),
        Outcome::CodeDisplayed,
        Outcome::Denied(client()),
        Outcome::Linked,
        Outcome::NotLinked,
    ];
    for outcome in &outcomes {
        let page = OutcomePage {
            page: page(),
            outcome,
            client_name: name(),
            home: Some(destination()),
            mark: outcome.client().map(|_| mark(no)),
            is_code: *outcome == Outcome::CodeDisplayed,
            self_named: self_named(true),
        };
        add("outcome.html", &page);
    }
    add("account.html", &account(1, None));
    add("account.html", &account(2, Some(&day())));
    for notice in [
        Notice::Loopback,
        Notice::NamedByHost,
        Notice::NamedByProgram,
        Notice::Unregistered,
        Notice::Unverified,
    ] {
        add("consent.html", &consent(yes, Some(notice)));
    }
    add("consent.html", &consent(no, None));
    for (linked, unknown) in [(yes, no), (no, yes)] {
        add("device.html", &DevicePage { page: page(), linked, typed: name(), unknown });
    }
    add("device_confirm.html", &device_confirm(yes, 0, scopes()));
    add("device_confirm.html", &device_confirm(yes, 0, Vec::new()));
    add("device_confirm.html", &device_confirm(no, 0, Vec::new()));
    for groups in [1, 3] {
        add("device_confirm.html", &device_confirm(no, groups, Vec::new()));
    }
    for allowed in [yes, no] {
        let page = DeviceDonePage {
            page: page(),
            allowed,
            client_name: name(),
            mark: allowed.then(|| mark(yes)),
            self_named: self_named(allowed),
        };
        add("device_done.html", &page);
    }
    add("error.html", &error(None));
    add("error.html", &error(Some(&[])));
    for ways in [ways(None, no), ways(None, yes), ways(Some("Ada"), no), ways(Some("Ada"), yes)] {
        add("error.html", &ErrorPage { button: None, ways, ..error(None) });
    }
    let retry = Box::leak(Box::new(Ways { retry: Some(destination()), ..Ways::default() }));
    add("error.html", &ErrorPage { button: None, ways: retry, ..error(None) });
    let destination = &destination();
    for (denied, waits) in [(yes, yes), (yes, no), (no, no)] {
        let host = "1";
        let fields = &[];
        add(
            "form_post.html",
            &FormPostPage { page: page(), destination, fields, host, denied, waits },
        );
        add("redirect.html", &RedirectPage { page: page(), destination, host, denied, waits });
    }
    for host in [None, Some(name())] {
        let page = LinkPage {
            page: page(),
            action: PagePath::Account,
            address: "1".to_owned(),
            another: PagePath::Account,
            device: "1".to_owned(),
            host,
            scopes: scopes(),
            display_name: name(),
            username: name(),
        };
        add("link.html", &page);
    }
    let (code, command, time) = (name(), name(), "1:00".to_owned());
    add("link_code.html", &LinkCodePage { page: page(), code, command, seconds: 60, time });
    add("link_refused.html", &LinkRefusedPage { page: page() });
    add("trust.html", &TrustPage::example(page()));
    add("logged_out.html", &LoggedOutPage { page: page(), astray: true });
    add("login.html", &login(None, yes));
    for self_named_at in [None, Some(name())] {
        add("login.html", &login(Some(asker(self_named_at)), no));
    }
    add("login.html", &login(None, no));
    add(
        "login.html",
        &LoginPage { again: Some(name()), back: Some(PagePath::Account), ..login(None, no) },
    );
    add("login.html", &LoginPage { create: true, ..login(None, no) });
    add("login.html", &LoginPage { create: true, ..login(Some(asker(None)), no) });
    for (others, devices) in [(0, 0), (1, 0), (2, 1), (0, 2)] {
        add("other_sessions.html", &OtherSessionsPage { page: page(), devices, others });
    }
    let profile = ProfilePage {
        page: page(),
        email: email("⟦x⟧"),
        name: NameField { fault: "⟦x⟧".to_owned(), value: name() },
        username: name(),
    };
    add("profile.html", &profile);
    add("new_passkey.html", &NewPasskeyPage { page: page(), display_name: name() });
    for (codes, is_only) in [(0, yes), (3, yes), (0, no)] {
        add("passkey.html", &passkey_page(codes, is_only, (codes == 3).then(day).as_ref()));
    }
    for (codes, left) in [(Vec::new(), 0), (Vec::new(), 1), (vec![name()], 1)] {
        add("recovery_codes.html", &RecoveryCodesPage { page: page(), codes, left });
    }
    let logout = LogoutPage {
        page: page(),
        action: PagePath::Account,
        astray: true,
        client_name: Some(name()),
        display_name: name(),
        self_named: self_named(false),
    };
    add("logout.html", &logout);
    for groups in [0, 1, 3] {
        let page = NotForYouPage {
            page: page(),
            action: PagePath::Account,
            another: PagePath::Account,
            administrators: vec![name(); groups],
            client_name: name(),
            display_name: name(),
            groups: vec![name(); groups],
            self_named: self_named(groups > 0),
            username: name(),
        };
        add("not_for_you.html", &page);
    }
    add("prove.html", &ProvePage { page: page(), challenge: name() });
    add("setup.html", &SetupPage { page: page() });
    for (name, logo) in [(yes, no), (yes, yes), (no, yes)] {
        add("setup.html", &SetupPage { page: dressed(name, logo) });
    }
    add("silent.html", &SilentPage { page: page(), challenge: name() });
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/templates");
    let mut files = BTreeSet::new();
    let mut parts = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        // Those of the administration have a test of their own.
        if entry.file_type().unwrap().is_dir() {
            continue;
        }
        files.insert(entry.file_name().into_string().unwrap());
        let source = fs::read_to_string(entry.path()).unwrap();
        for mark in ["{% include \"", "{% extends \"", "{% import \""] {
            let named = source.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
            parts.extend(named.map(str::to_owned));
        }
    }
    let pages = rendered().into_iter().map(|(name, _)| name.to_owned());
    assert_eq!(files, pages.chain(parts).collect());
}
