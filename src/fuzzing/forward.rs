//! The headers of a proxy about the original request.

use url::Url;

use crate::model::application::{AppHost, ForwardedHeaders, OriginalRequest};

use super::{survives_json, text};

/// The headers of a proxy, one line each: a redirect back goes to the host that they name, and to
/// none of this server's own paths there.
pub fn forward_auth(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let mut lines = text.split('\n').map(|line| Some(line).filter(|line| !line.is_empty()));
    let mut line = || lines.next().flatten();
    let headers = ForwardedHeaders {
        original_url: line(),
        forwarded_host: line(),
        forwarded_method: line(),
        forwarded_uri: line(),
        fetch_mode: line(),
        forwarded_prefix: line(),
    };
    let Ok(original) = OriginalRequest::parse(headers) else { return };
    let (host, path) = (&original.host, original.path.as_str());
    assert!(original.by_status || headers.original_url.is_none());
    assert_eq!(headers.forwarded_host.unwrap_or(host.as_str()).parse().as_ref(), Ok(host));
    survives_json(host);
    survives_json(&original.path);
    for (scheme, port) in [("http", "80"), ("https", "443")] {
        let written = format!("{scheme}://{host}{path}");
        let url = Url::parse(&written).expect("a browser can be sent there");
        assert_eq!(url.host_str(), Some(host.name()));
        let read = url.port_or_known_default().expect("both schemes have one").to_string();
        assert_eq!(read, host.port().unwrap_or(port));
        assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        assert!(!url.path().starts_with("/_gatelodge"));
        let usual: AppHost = host.under(scheme);
        assert_eq!(url.origin().ascii_serialization(), format!("{scheme}://{usual}"));
    }
}
