//! Who asks for an operation, and the right that it needs.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::admin::Failed;
use crate::app::App;
use crate::error::{Error, Internal, Refusal};
use crate::flow::Context;
use crate::flow::session::LiveSession;
use crate::flow::session::recent::{self, RecentSignIn};
use crate::flow::token::access;
use crate::keys::VerifiedAccess;
use crate::model::actor::{Acting, Actor};
use crate::secret::TokenHash;
use crate::store::{Tx, View};

/// The user of the operating system at the other end of the socket, set by the listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketPeer(pub(crate) u32);

/// A right that an operation needs. Each is a type, so that the signature of an operation names it.
pub(in crate::admin) trait Right: Send + Sync + 'static {
    /// The scopes of which one is needed, unless there is `admin`.
    const SCOPES: &'static [&'static str];
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $($scope:literal)*;)*) => {$(
        $(#[$doc])*
        pub(in crate::admin) enum $name {}

        impl Right for $name {
            const SCOPES: &'static [&'static str] = &[$($scope),*];
        }
    )*};
}

rights! {
    /// To see everything that is no secret.
    Read = "admin:read";
    /// Any right.
    Any = "admin:read" "admin:people" "admin:clients" "admin:keys";
    /// To see people, and what they have.
    ReadPeople = "admin:read" "admin:people";
    /// To see clients, resources and their usage.
    ReadClients = "admin:read" "admin:clients";
    /// To see keys.
    ReadKeys = "admin:read" "admin:keys";
    /// To add, change, recover and remove people, and to end what they have.
    People = "admin:people";
    /// To add, change and remove clients, documents and resources.
    Clients = "admin:clients";
    /// To rotate keys, and to issue tokens and certificates.
    Keys = "admin:keys";
    /// To change the installation itself.
    All = "admin";
}

/// Whoever asks, as far as it is proven. A request has one, or no operation serves it: only
/// [`crate::admin::router`] takes a request for the operator's, and only [`Asker::by_token`] and
/// [`Asker::at_page`] make others.
#[derive(Clone)]
pub(crate) struct Asker {
    acting: Acting,
    proof: Proof,
}

/// What proves whoever asks, once more in each transaction of theirs.
#[derive(Clone)]
enum Proof {
    /// They reach the socket.
    Operator,
    /// The token of an administrator.
    Token(Arc<VerifiedAccess>),
    /// The session of an administrator at the pages, in which they have signed in a moment ago.
    Session(TokenHash),
}

impl Proof {
    /// The context in the name of whoever asks.
    fn check(&self, tx: &Tx<'_>, cx: &Context) -> Result<Context, Error> {
        let acting = match self {
            Self::Operator => return Ok(cx.clone()),
            Self::Token(token) => access::administrator(tx, cx, token)?,
            Self::Session(holder) => RecentSignIn::of(tx, cx, holder)?.administrator(cx)?,
        };
        Ok(Context { acting, ..cx.clone() })
    }
}

impl Asker {
    /// The administrator whose token it is.
    ///
    /// # Errors
    ///
    /// Those of [`access::administrator`].
    pub(crate) fn by_token(
        view: &impl View,
        cx: &Context,
        token: VerifiedAccess,
    ) -> Result<Self, Error> {
        let acting = access::administrator(view, cx, &token)?;
        Ok(Self { acting, proof: Proof::Token(Arc::new(token)) })
    }

    /// The administrator at the pages, in a session that `holder` proves. To change something, they
    /// need to have signed in a moment ago, which the transaction of the change checks.
    ///
    /// # Errors
    ///
    /// Those of [`recent::administrator`].
    pub(crate) fn at_page(
        cx: &Context,
        session: &LiveSession,
        holder: TokenHash,
    ) -> Result<Self, Refusal> {
        let acting = recent::administrator(cx, session)?;
        Ok(Self { acting, proof: Proof::Session(holder) })
    }

    /// Whether they have one of these scopes, or `admin`.
    pub(crate) fn may(&self, scopes: &[&str]) -> bool {
        self.acting.may(scopes)
    }

    /// Whether they may do everything.
    pub(crate) fn may_do_all(&self) -> bool {
        self.acting.may(All::SCOPES)
    }

    /// Who it is.
    pub(crate) fn actor(&self) -> &Actor {
        &self.acting.actor
    }
}

/// Takes each request for the operator's, whose socket or process it comes by.
pub(in crate::admin) async fn as_operator(mut request: Request, next: Next) -> Response {
    let uid = request.extensions().get::<SocketPeer>().map(|peer| peer.0);
    request
        .extensions_mut()
        .insert(Asker { acting: Acting::operator(uid), proof: Proof::Operator });
    next.run(request).await
}

/// The application, for somebody who has the right `R`. What they write is done in their name.
pub(in crate::admin) struct By<R> {
    app: Arc<App>,
    asker: Asker,
    right: PhantomData<R>,
}

impl<R: Right> By<R> {
    /// Runs one transition in the name of whoever asks, and returns once it is durable. An
    /// administrator is proven once more in the transaction, since their right may be gone by then.
    pub(in crate::admin) async fn write<T: Send + 'static>(
        &self,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let proof = self.proof();
        let proven = move |tx: &mut Tx<'_>, cx: &Context| transition(tx, &proof(tx, cx)?);
        self.app.write_by(self.acting(), proven).await
    }

    /// Proves an administrator once more, for an operation that changes something outside of the store.
    /// The operator needs no store for that, which may be unwritable.
    pub(in crate::admin) async fn prove(&self) -> Result<(), Error> {
        match self.asker.proof {
            Proof::Operator => Ok(()),
            Proof::Session(_) | Proof::Token(_) => self.write(|_, _| Ok(())).await,
        }
    }

    /// Proves an administrator once more, in a transaction. Returns the context in their name.
    pub(in crate::admin) fn proof(
        &self,
    ) -> impl Fn(&Tx<'_>, &Context) -> Result<Context, Error> + Clone + Send + 'static {
        let asker = self.asker.proof.clone();
        move |tx, cx| {
            let proven = asker.check(tx, cx)?;
            check::<R>(&proven.acting)?;
            Ok(proven)
        }
    }

    /// Whoever asks.
    pub(in crate::admin) fn acting(&self) -> Acting {
        self.asker.acting.clone()
    }
}

impl<R> Deref for By<R> {
    type Target = Arc<App>;

    fn deref(&self) -> &Arc<App> {
        &self.app
    }
}

impl<R: Right> FromRequestParts<Arc<App>> for By<R> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failed> {
        let asker = parts.extensions.get::<Asker>().cloned();
        let asker = asker.ok_or_else(|| Internal::new("nobody asks for an operation"))?;
        check::<R>(&asker.acting)?;
        Ok(Self { app: Arc::clone(app), asker, right: PhantomData })
    }
}

/// Checks that somebody has the right `R`.
fn check<R: Right>(acting: &Acting) -> Result<(), Refusal> {
    if acting.may(R::SCOPES) {
        return Ok(());
    }
    Err(Refusal::BearerTokenWithoutAdministration(R::SCOPES.first().copied().unwrap_or("admin")))
}
