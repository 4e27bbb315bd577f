//! A client that proves itself by what it signs (RFC 7523 §2.2, RFC 10070).

use gatelodge::keys::{self, KeyRing, Sealer, SigningKey};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::client::assertion::JWT_BEARER;
use gatelodge::secret::{Entropy, RootSecret};
use serde_json::{Value, json};

use super::{BEGINNING, Response, Server, token};

/// A key of a client's own.
pub(crate) struct Signer {
    key: std::sync::Arc<SigningKey>,
    jwk: Value,
}

impl Signer {
    /// A new key for `alg`.
    pub(crate) fn new(alg: SigningAlg) -> Self {
        let sealer = Sealer::new(&RootSecret::generate(&Entropy::System.seed()));
        let made = keys::generate(alg, &sealer, BEGINNING, BEGINNING).unwrap();
        let ring = KeyRing::open(vec![made], &sealer).unwrap();
        let jwks: Value = serde_json::from_slice(&ring.jwks(BEGINNING)).unwrap();
        let jwk = jwks["keys"][0].clone();
        Self { key: ring.current(alg, BEGINNING).unwrap().clone(), jwk }
    }

    /// Its public half.
    pub(crate) fn jwk(&self) -> Value {
        self.jwk.clone()
    }

    /// A client of this key, which acts for itself.
    pub(crate) async fn register(&self, server: &Server, id: &str) {
        let keys = json!({ "keys": [self.jwk()] });
        server.client(json!({ "name": "Signer", "client_id": id, "jwks": keys })).await;
    }

    /// An assertion of the client `id`, its claims changed: null leaves one out.
    pub(crate) fn assertion(&self, server: &Server, id: &str, changes: &Value) -> String {
        self.typed_assertion("client-authentication+jwt", server, id, changes)
    }

    /// As [`Self::assertion`], with another `typ`.
    pub(crate) fn typed_assertion(
        &self,
        typ: &str,
        server: &Server,
        id: &str,
        changes: &Value,
    ) -> String {
        let now = server.app.clock().now().seconds();
        let mut claims = json!({
            "iss": id, "sub": id, "aud": server.issuer(), "exp": now + 60, "iat": now,
            "jti": Entropy::System.seed().uuid("jti").to_string(),
        });
        let members = claims.as_object_mut().unwrap();
        members.extend(changes.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        self.key.sign(typ, &claims).unwrap()
    }
}

/// The fields that present an assertion.
pub(crate) fn presenting(assertion: &str) -> [(&'static str, &str); 2] {
    [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)]
}

/// Asks for a token of the client's own by an assertion alone.
pub(crate) async fn assert_to(server: &Server, assertion: &str) -> Response {
    let [kind, assertion] = presenting(assertion);
    token(server, None, &[("grant_type", "client_credentials"), kind, assertion]).await
}
