//! The credential-helper protocol of git
//! ([git-credential](https://git-scm.com/docs/git-credential#IOFMT)): attributes, one on each line,
//! up to an empty line.

use url::Url;
use zeroize::Zeroizing;

use crate::oauth_client::token_store::AccessToken;

/// Git's description of the host that requires a password.
#[derive(Default)]
pub(super) struct GitRequest {
    host: String,
    protocol: String,
    pub(super) password: Option<Zeroizing<String>>,
}

impl GitRequest {
    /// Parses the attributes in `text`. As in git, "unrecognised attributes are silently
    /// discarded".
    pub(super) fn read(text: &str) -> Self {
        let mut described = Self::default();
        for line in text.lines().take_while(|line| !line.is_empty()) {
            match line.split_once('=') {
                Some(("host", host)) => host.clone_into(&mut described.host),
                Some(("password", password)) => {
                    described.password = Some(Zeroizing::new(password.to_owned()));
                }
                Some(("protocol", protocol)) => protocol.clone_into(&mut described.protocol),
                Some(_) | None => {}
            }
        }
        described
    }

    /// Whether the host is that of `url`, with the same protocol and the same port.
    pub(super) fn is_at(&self, url: &Url) -> bool {
        let asked = Url::parse(&format!("{}://{}/", self.protocol, self.host));
        asked.is_ok_and(|asked| {
            asked.origin().is_tuple() && asked.origin() == url.origin() && asked.path() == "/"
        })
    }
}

/// The response to git: the token as a password.
pub(super) fn format(access: &AccessToken) -> String {
    let (token, expires) = (access.token.expose(), access.expires_at);
    format!("username=oauth2\npassword={token}\npassword_expiry_utc={expires}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_at(text: &str, url: &str) -> bool {
        GitRequest::read(text).is_at(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_host_is_known_by_protocol_name_and_port() {
        let git = "protocol=https\nhost=git.example\nwwwauth[]=Bearer\n\nhost=evil\n";

        assert!(is_at(git, "https://git.example/mcp"));
        assert!(is_at(git, "https://git.example:443"));
        assert!(is_at("protocol=http\nhost=localhost:3000\n", "http://localhost:3000/a"));
        for foreign in [
            "https://evil.example",
            "http://git.example",
            "https://git.example:8443",
            "https://git.example.evil.example",
            "https://example",
        ] {
            assert!(!is_at(git, foreign), "{foreign}");
        }
    }

    #[test]
    fn what_describes_no_host_is_foreign_to_all() {
        for text in [
            "",
            "host=git.example",
            "protocol=https\nhost=git.example/@evil",
            "protocol=https\nhost=",
            "protocol=data\nhost=x",
            "nonsense",
        ] {
            assert!(!is_at(text, "https://git.example/"), "{text}");
        }
    }
}
