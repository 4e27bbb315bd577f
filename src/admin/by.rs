//! Who asks for an operation, and the right that it needs.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::app::App;
use crate::error::Error;
use crate::flow::Context;
use crate::model::actor::{Acting, Actor};
use crate::store::Tx;

/// The user of the operating system at the other end of the socket, set by the listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocketPeer(pub(crate) u32);

/// A right that an operation needs. Each is a type, so that the signature of an operation names it.
pub(super) trait Right: Send + Sync + 'static {}

/// To see everything that is no secret.
pub(super) enum Read {}

/// To add, change, recover and remove people, and to end what they have.
pub(super) enum People {}

/// To add, change and remove clients, documents and resources.
pub(super) enum Clients {}

/// To rotate keys, and to issue tokens and certificates.
pub(super) enum Keys {}

/// To change the installation itself.
pub(super) enum All {}

impl Right for Read {}
impl Right for People {}
impl Right for Clients {}
impl Right for Keys {}
impl Right for All {}

/// The application, for somebody who has the right `R`. What they write is done in their name.
pub(super) struct By<R> {
    acting: Acting,
    app: Arc<App>,
    right: PhantomData<R>,
}

impl<R: Right> By<R> {
    /// Runs one transition in the name of whoever asks, and returns once it is durable.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.app.write_by(self.acting.clone(), transition).await
    }

    /// Whoever asks.
    pub(super) fn acting(&self) -> Acting {
        self.acting.clone()
    }
}

impl<R> Deref for By<R> {
    type Target = Arc<App>;

    fn deref(&self) -> &Arc<App> {
        &self.app
    }
}

impl<R: Right> FromRequestParts<Arc<App>> for By<R> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let uid = parts.extensions.get::<SocketPeer>().map(|peer| peer.0);
        let acting = Acting { actor: Actor::Operator { uid }, address: None };
        Ok(Self { acting, app: Arc::clone(app), right: PhantomData })
    }
}
