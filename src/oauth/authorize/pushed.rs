//! Pushed authorization requests: [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126).

use crate::error::Refusal;
use crate::oauth::authorize::RedirectParameters;
use crate::oauth::id::ClientId;
use crate::oauth::params::Params;
use crate::secret::PushedReference;

/// The prefix of a reference in a `request_uri` of this server (RFC 9126 §2.2).
const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// The `request_uri` of a reference.
pub fn request_uri(reference: &PushedReference) -> String {
    format!("{URN}{}", *reference.expose())
}

/// An authorization request that refers to a pushed one.
pub struct PushedParameters {
    /// The `client_id`, which must be that of the client that pushed the request.
    pub client_id: ClientId,
    /// The reference to the pushed request.
    pub reference: PushedReference,
}

impl PushedParameters {
    /// Parses a request, if its `request_uri` is one of this server.
    ///
    /// Other parameters are ignored (RFC 9126 §4, RFC 9101 §5: "the authorization server MUST only
    /// use the parameters in the Request Object"). A malformed reference is refused as an unknown
    /// one.
    pub fn parse(params: &Params) -> Result<Option<Self>, Refusal> {
        let mut named = params.many("request_uri").filter_map(|uri| uri.strip_prefix(URN));
        let Some(reference) = named.next() else { return Ok(None) };
        params.one("request_uri")?;
        Ok(Some(Self {
            client_id: params.parsed("client_id")?.ok_or(Refusal::ClientIdMissing)?,
            reference: reference.parse().map_err(|_| Refusal::PushedRequestUnknown)?,
        }))
    }
}

/// Parses a request that the authenticated client `client_id` pushes.
///
/// RFC 9126 §2.1: the parameters are those of an authorization request, but `request_uri` "MUST NOT
/// be provided". `client_id` may be absent, since the client is authenticated.
pub fn parse(client_id: &ClientId, params: &Params) -> Result<RedirectParameters, Refusal> {
    if params.one("request_uri")?.is_some() {
        return Err(Refusal::RequestUriPushed);
    }
    RedirectParameters::of_client(client_id.clone(), params)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "request_uri=urn:ietf:params:oauth:request_uri:gl_pr_\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn parameters(query: &str) -> Result<Option<PushedParameters>, Refusal> {
        PushedParameters::parse(&Params::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn a_reference_of_ours_is_read_and_written_alike() {
        let read = parameters(&format!("client_id=shop&{OURS}")).ok().flatten().unwrap();

        assert_eq!(format!("request_uri={}", request_uri(&read.reference)), OURS);
        assert_eq!(read.client_id.as_str(), "shop");
    }

    #[test]
    fn what_is_not_ours_is_left_to_the_request() {
        for query in ["", "client_id=shop", "request_uri=https://shop.example/r", "request_uri="] {
            assert!(matches!(parameters(query), Ok(None)), "{query}");
        }
        for (query, refusal) in [
            (OURS, Refusal::ClientIdMissing),
            (
                "client_id=a&request_uri=urn:ietf:params:oauth:request_uri:x",
                Refusal::PushedRequestUnknown,
            ),
            (&format!("{OURS}&{OURS}"), Refusal::ParameterRepeated("request_uri")),
        ] {
            assert_eq!(parameters(query).err(), Some(refusal), "{query}");
        }
    }

    #[test]
    fn a_pushed_request_points_to_no_other() {
        let id = "shop".parse().unwrap();
        let pushed = |form: &str| parse(&id, &Params::parse(form.as_bytes()).unwrap()).err();

        assert_eq!(pushed("response_type=code&request_uri=x"), Some(Refusal::RequestUriPushed));
        assert_eq!(pushed("response_type=code"), None);
    }
}
