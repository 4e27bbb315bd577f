//! Many people, each with a session and a grant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gatelodge::app::App;
use gatelodge::clock::Timestamp;
use gatelodge::error::Error;
use gatelodge::flow::Context;
use gatelodge::flow::token::family;
use gatelodge::model::user_agent::DeviceInfo;
use gatelodge::oauth::authorize::claims::ClaimsRequest;
use gatelodge::oauth::id::{GrantId, SessionId, UserId};
use gatelodge::secret::SessionSecret;
use gatelodge::store::Tx;
use gatelodge::store::schema::{Authentication, Authorization, Grant, Person, Session};

use crate::crowd;

/// The people of one transaction. Their ids are random, so that every transaction writes most of the file
/// anew: it is as large as memory allows.
const AT_ONCE: u32 = 100_000;

/// Whether what is made still lives.
#[derive(Clone, Copy)]
pub(in crate::operations) enum Life {
    InForce,
    /// The sweep may remove the session and the grant.
    Over,
}

impl Life {
    fn expiry(self, now: Timestamp) -> Timestamp {
        match self {
            Self::InForce => now + Duration::from_hours(24 * 30),
            Self::Over => now - Duration::from_hours(1),
        }
    }
}

/// Makes so many, as they are after their sign-ins: rows without the events of those.
pub(in crate::operations) async fn people(app: &Arc<App>, count: u32, life: Life) {
    for first in (0..count).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let end = count.min(first + AT_ONCE);
        let made = app.write(move |tx, cx| {
            (first..end).try_for_each(|n| person(tx, &crowd::own(cx, &n.to_string()), life))
        });
        made.await.unwrap();
    }
}

fn person(tx: &mut Tx<'_>, cx: &Context, life: Life) -> Result<(), Error> {
    let (user, session, grant) =
        (UserId::from_seed(&cx.seed), SessionId::from_seed(&cx.seed), GrantId::from_seed(&cx.seed));
    let (created, expires) = (cx.now - Duration::from_hours(2), life.expiry(cx.now));
    let authentication = Authentication { amr: vec!["hwk".to_owned()], at: created };
    let name = user.uuid().simple().to_string();
    tx.put(
        &user,
        Person {
            claims: BTreeMap::new(),
            created,
            disabled: false,
            display_name: "Ada".parse()?,
            email: None,
            groups: Vec::new(),
            roles: vec!["user".parse()?],
            signed_out: None,
            tokens_valid_after: None,
            updated: created,
            username: name.get(..12).unwrap_or_default().parse()?,
        },
    )?;
    let secret: SessionSecret = cx.seed.token();
    tx.put(
        &session,
        Session {
            authentication: authentication.clone(),
            created,
            device: DeviceInfo {
                address: "192.0.2.7".to_owned(),
                user_agent: Some(crowd::BROWSER.to_owned()),
                locale: None,
            },
            expires,
            holder: cx.rules.pepper.hash(&secret),
            revoked: false,
            seen: created,
            user,
        },
    )?;
    let authorization = Authorization {
        authentication,
        claims: ClaimsRequest::default(),
        client: "quiet".parse()?,
        given: created,
        resources: Vec::new(),
        scope: "offline_access profile".parse()?,
        session,
        user,
    };
    let grant_row = Grant {
        authorization,
        by_operator: false,
        created,
        ended: None,
        expires,
        family: Some(family::create(cx)),
        offline: true,
    };
    Ok(tx.put(&grant, grant_row)?)
}
