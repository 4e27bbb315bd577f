//! The checks of the webhook's settings together.

use super::draft::Draft;
use crate::fetch::{self, FetchError};
use crate::secret::WebhookSecret;

const KINDS: &str = "events.webhook_kinds";
const SECRET: &str = "events.webhook_secret";
const SECRET_FILE: &str = "events.webhook_secret_file";
const URL: &str = "events.webhook";

impl Draft {
    /// Refuses a webhook that lacks something, and one that could never be sent to. A faulty one is
    /// none.
    pub(super) fn keep_webhook_whole(&mut self) {
        let (events, before) = (self.config.events.clone(), self.faults.len());
        if let Some(url) = &events.webhook {
            if let Err(error) = fetch::check_operators(url, &self.config.fetch.private) {
                self.fault(self.decided(URL), URL, format!("found {url:?}; {}", allowed(error)));
            }
            if events.webhook_kinds.is_empty() && !self.is_faulty(KINDS) {
                let message = "the webhook has no kinds of events; name some, such as [\"user.*\", \
                               \"code.replayed\"], or [\"*\"] for all but request.refused";
                self.fault(self.decided(URL), KINDS, message);
            }
            let has_secret = events.webhook_secret.is_some();
            if !has_secret && !self.is_faulty(SECRET) && !self.is_faulty(SECRET_FILE) {
                let message = "the webhook has no secret that signs its messages; put one into a file \
                               of its own, mode 0600, and name that as events.webhook_secret_file";
                self.fault(self.decided(URL), SECRET, message);
            }
        }
        let secret = events.webhook_secret.as_ref().map(|written| WebhookSecret::read(written));
        if let Some(Err(allowed)) = secret {
            self.fault(self.decided(SECRET), SECRET, format!("found (secret); {allowed}"));
        }
        if self.faults.len() > before
            || [KINDS, SECRET, SECRET_FILE].iter().any(|k| self.is_faulty(k))
        {
            self.config.events.webhook = None;
        }
    }
}

/// What is allowed instead of an address that cannot be sent to.
fn allowed(error: FetchError) -> String {
    match error {
        FetchError::UrlNotHttps => "an https URL is allowed, or an http one on this machine or at \
                                    a host and port that fetch.private lists"
            .to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::config::{Config, Faults, Flags, Layers};

    /// The configuration with these variables, beside those of a whole webhook.
    fn read(changed: &[(&str, &str)]) -> Result<Config, Faults> {
        let whole = [
            ("EVENTS__WEBHOOK", "https://hook.example/gatelodge"),
            ("EVENTS__WEBHOOK_KINDS", "user.*, code.replayed"),
            ("EVENTS__WEBHOOK_SECRET", "0123456789abcdef"),
        ];
        let all: BTreeMap<&str, &str> = whole.into_iter().chain(changed.iter().copied()).collect();
        let all = all.into_iter().filter(|(_, value)| !value.is_empty());
        let named = all.map(|(name, value)| (format!("GATELODGE_{name}"), value.to_owned()));
        let data = ("GATELODGE_DATA".to_owned(), "/d".to_owned());
        Layers::new(Flags::default(), named.chain([data]).collect()).load()
    }

    fn faults(changed: &[(&str, &str)]) -> Vec<String> {
        read(changed).err().iter().flat_map(Faults::iter).map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_webhook_is_read_and_says_which_kinds_are_sent() {
        let events = read(&[]).unwrap_or_else(|faults| panic!("{faults}")).events;

        assert_eq!(events.webhook.as_deref(), Some("https://hook.example/gatelodge"));
        assert!(events.sends("user.added") && events.sends("code.replayed"));
        assert!(!events.sends("session.opened"));
        let without = read(&[("EVENTS__WEBHOOK", "")]).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(!without.events.sends("user.added"));
    }

    #[test]
    fn a_webhook_without_kinds_or_secret_is_refused_by_what_it_lacks() {
        let missing = "GATELODGE_EVENTS__WEBHOOK: events.webhook_";

        for (variable, said) in [
            ("EVENTS__WEBHOOK_KINDS", "kinds: the webhook has no kinds of events; name some"),
            ("EVENTS__WEBHOOK_SECRET", "secret: the webhook has no secret that signs"),
        ] {
            let faults = faults(&[(variable, "")]);
            let [one] = &faults[..] else { panic!("{faults:?}") };
            assert!(one.starts_with(&format!("{missing}{said}")), "{one}");
        }
    }

    #[test]
    fn an_unknown_kind_is_told_with_the_nearest_ones() {
        for (written, near) in
            [("user.add", "user.added"), ("users.*", "user.*"), ("replayed", "code.replayed")]
        {
            let faults = faults(&[("EVENTS__WEBHOOK_KINDS", written)]);
            let [one] = &faults[..] else { panic!("{faults:?}") };
            let said = format!("no kind is {written:?}, and the nearest are ");
            assert!(one.contains(&said) && one.contains(near), "{one}");
        }
    }

    #[test]
    fn a_secret_has_its_bounds() {
        for secret in ["short", &"a".repeat(1025), "whsec_0123456789*"] {
            let faults = faults(&[("EVENTS__WEBHOOK_SECRET", secret)]);
            let [one] = &faults[..] else { panic!("{faults:?}") };
            assert!(one.contains("found (secret); ") && !one.contains(secret), "{one}");
        }
    }

    #[test]
    fn an_address_is_one_that_can_be_sent_to() {
        let listed = ("FETCH__PRIVATE", "hook:8080");
        for good in ["http://127.0.0.1:9000/", "http://localhost:9000/a?b", "https://10.0.0.1/"] {
            assert_eq!(faults(&[("EVENTS__WEBHOOK", good)]), [""; 0], "{good}");
        }
        assert_eq!(faults(&[("EVENTS__WEBHOOK", "http://hook:8080/"), listed]), [""; 0]);
        for wrong in [
            "hook.example",
            "ftp://hook.example/",
            "http://hook:8080/",
            "https://me@hook.example/",
            "https://hook.example/#a",
            "https://169.254.169.254/",
        ] {
            let faults = faults(&[("EVENTS__WEBHOOK", wrong)]);
            let [one] = &faults[..] else { panic!("{faults:?}") };
            assert!(one.contains(&format!("events.webhook: found {wrong:?}; ")), "{one}");
        }
    }
}
