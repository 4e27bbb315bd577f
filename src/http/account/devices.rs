//! The linked devices of a person: what each comes in by and what hangs on it, and the form that ends one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::flow::Context;
use crate::flow::bridge::belongings::{self, OwnDevice};
use crate::http::destination::PagePath;
use crate::http::done::Done;
use crate::http::extract::own_page::SignedInForm;
use crate::http::failure::PageFailure;
use crate::http::pages::connections::place;
use crate::http::pages::templates;
use crate::http::redirect;
use crate::http::texts::{Day, Texts};
use crate::model::actor::Acting;
use crate::oauth::id::UserId;
use crate::store::schema::{Bridge, DeviceMeans};
use crate::store::{StoreError, View};

/// The most tokens, certificates and sessions of a person that the page looks at, of each kind.
const MAX_LISTED: usize = 100;

/// A linked device, as the account page lists it.
pub(in crate::http) struct DeviceItem {
    pub(in crate::http) id: String,
    pub(in crate::http) means: MeansItem,
    pub(in crate::http) name: String,
    /// Whether its plugins sign in by a secret of its own.
    pub(in crate::http) plugins: bool,
    /// The last use, and the place if a session of it is open.
    pub(in crate::http) seen: Option<(Day, Option<String>)>,
    /// The number of its sessions that are open.
    pub(in crate::http) sessions: usize,
    pub(in crate::http) since: Day,
}

/// What a linked device comes in by.
pub(in crate::http) enum MeansItem {
    /// A certificate, and the day of its expiry.
    Certificate(Day),
    /// A session, or what is over.
    Session,
    /// A personal token, and the day of its expiry.
    Token(Day),
}

/// The linked devices of a person.
pub(in crate::http) fn of(
    view: &impl View,
    cx: &Context,
    user: UserId,
    t: &Texts,
) -> Result<Vec<DeviceItem>, StoreError> {
    let devices = belongings::of(view, cx, user, MAX_LISTED)?;
    devices.iter().map(|own| item(view, own, t)).collect()
}

fn item(view: &impl View, own: &OwnDevice, t: &Texts) -> Result<DeviceItem, StoreError> {
    let OwnDevice { device, id, comes_in, sessions } = own;
    let latest = sessions.iter().max_by_key(|bridge| bridge.session().seen);
    let means = match &device.means {
        DeviceMeans::Certificate(_) if *comes_in => {
            MeansItem::Certificate(templates::day(device.expires))
        }
        DeviceMeans::Token { expires, .. } if *comes_in => {
            MeansItem::Token(templates::day(*expires))
        }
        DeviceMeans::Certificate(_) | DeviceMeans::Session(_) | DeviceMeans::Token { .. } => {
            MeansItem::Session
        }
    };
    let mut name = match &device.means {
        DeviceMeans::Certificate(_) | DeviceMeans::Token { .. } => device.name.to_string(),
        // Its name is that of the source; the program says more.
        DeviceMeans::Session(_) => latest.map_or_else(
            || device.name.to_string(),
            |bridge| t.program(&bridge.session().device.program()),
        ),
    };
    // The host name of its machine, if a heartbeat has reported it.
    if let Some(bridge) = latest
        && let Some(reported) = view.find::<Bridge>(bridge.id())?
        && reported.hostname != name
    {
        name = match &device.means {
            DeviceMeans::Session(_) => reported.hostname,
            DeviceMeans::Certificate(_) | DeviceMeans::Token { .. } => {
                format!("{name} ({})", reported.hostname)
            }
        };
    }
    let seen = match latest {
        Some(bridge) => {
            let session = bridge.session();
            Some((templates::moment(session.seen), Some(place(t, &session.device.address))))
        }
        None => device.used.map(|at| (templates::moment(at), None)),
    };
    Ok(DeviceItem {
        id: id.clone(),
        means,
        name,
        plugins: device.hook.is_some(),
        seen,
        sessions: sessions.len(),
        since: templates::day(device.created),
    })
}

/// Ends a linked device of the person, with everything that it was given.
pub(in crate::http) async fn end(
    State(app): State<Arc<App>>,
    acting: Acting,
    SignedInForm { session, form }: SignedInForm,
) -> Result<Response, PageFailure> {
    let id = form.one("device")?.unwrap_or_default().to_owned();
    let user = session.user();
    app.write_by(acting, move |tx, cx| belongings::end(tx, cx, user, &id)).await?;
    Ok(redirect::to_page_after(Done::DeviceEnded, &PagePath::Account))
}
