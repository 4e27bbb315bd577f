//! The operator's decisions about a client, which the client's own metadata cannot override.

use crate::oauth::client::member::{Sector, members};
use crate::oauth::client::{AssertionProfile, ClaimsPlace, PkcePolicy, RefreshPolicy};
use crate::oauth::group::Group;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;

members! {
    /// The operator's decisions about a client, by the names of the operator's API.
    OperatorDecisions {
        /// The lifetime of its access tokens in seconds, if it is not the configured one.
        access_token_lifetime: Option<u32>,
        /// Whether it may open anonymous sessions.
        anonymous: bool,
        /// The rules for its assertions.
        assertions: AssertionProfile,
        /// Where the claims are that it requests by scopes.
        claims: ClaimsPlace,
        /// Whether a public client on loopback or a private-use scheme needs no visible
        /// confirmation.
        confirmation_waived: bool,
        /// Whether it is the operator's own client, which needs no consent.
        first_party: bool,
        /// The groups whose people may use it. If empty, everybody may.
        groups: Vec<Group>,
        /// Whether it may introspect every token.
        introspect_any: bool,
        /// Whether it must send a PKCE challenge. It goes before the configured policy.
        pkce: Option<PkcePolicy>,
        /// The response to a spent refresh token that is used again.
        refresh: RefreshPolicy,
        /// The resources that it may request tokens for. If empty, it may request those that people
        /// grant it.
        resources: Vec<Resource>,
        /// The scope in place of the one that the client registered.
        scope: Option<Scope>,
        /// The sector of a client that the operator registered, if its subjects are pairwise.
        sector: Option<Sector>,
    }
}

impl OperatorDecisions {
    /// Whether a person of `groups` may use the client.
    pub fn admit(&self, groups: &[Group]) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|group| groups.contains(group))
    }
}
