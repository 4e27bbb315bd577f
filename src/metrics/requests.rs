//! The requests at the ports, by route and outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::histogram::{Histogram, Unit};
use super::text::{Kind, Text};
use super::{Counter, DURATIONS};

/// The classes of statuses, from 100 to 500.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The requests, by the template of their route.
#[derive(Debug, Default)]
pub struct RequestMetrics(RwLock<BTreeMap<Box<str>, Arc<Route>>>);

/// The requests for one route.
#[derive(Debug)]
struct Route {
    /// How long they took, by the class of their status.
    classes: [Histogram; CLASSES.len()],
    /// Those that were refused, by the name of the refusal.
    refused: RwLock<BTreeMap<&'static str, Counter>>,
}

impl Default for Route {
    fn default() -> Self {
        let classes = CLASSES.map(|_| Histogram::new(DURATIONS, Unit::Microseconds));
        Self { classes, refused: RwLock::default() }
    }
}

impl RequestMetrics {
    /// Counts a request. `route` is a template, and `refused` the name of the refusal.
    pub fn record(&self, route: &str, status: u16, refused: Option<&'static str>, took: Duration) {
        let route = self.route(route);
        let class = usize::from(status / 100).saturating_sub(1);
        if let Some(class) = route.classes.get(class) {
            class.observe_duration(took);
        }
        if let Some(refused) = refused {
            route.count(refused);
        }
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        routes.values().flat_map(|route| &route.classes).map(Histogram::count).sum()
    }

    fn route(&self, route: &str) -> Arc<Route> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(route).cloned();
        known.unwrap_or_else(|| {
            let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(routes.entry(route.into()).or_default())
        })
    }

    /// Writes the families.
    pub fn write(&self, text: &mut Text) {
        const SECONDS: &str = "gatelodge_request_duration_seconds";
        const REFUSED: &str = "gatelodge_requests_refused_total";
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        text.family(SECONDS, Kind::Histogram, "Requests by route and class of status.");
        for (route, metrics) in &routes {
            let classes = CLASSES.iter().zip(&metrics.classes);
            for (class, histogram) in classes.filter(|(_, histogram)| !histogram.is_empty()) {
                text.histogram(SECONDS, &[("route", route), ("status", class)], histogram);
            }
        }
        text.family(REFUSED, Kind::Counter, "Refused requests by route and reason.");
        for (route, metrics) in &routes {
            let refused = metrics.refused.read().unwrap_or_else(PoisonError::into_inner);
            for (refusal, counter) in refused.iter() {
                text.sample(REFUSED, &[("route", route), ("refusal", refusal)], counter.count());
            }
        }
    }
}

impl Route {
    fn count(&self, refused: &'static str) {
        let counted = self.refused.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counted.get(refused) {
            return counter.increment();
        }
        drop(counted);
        let mut counted = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        counted.entry(refused).or_default().increment();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_class_and_refusal() {
        let requests = RequestMetrics::default();
        let second = Duration::from_secs(1);

        requests.record("/a/{id}", 200, None, second);
        requests.record("/a/{id}", 204, None, second);
        requests.record("/a/{id}", 400, Some("CodeUnknown"), second);
        requests.record("/a/{id}", 400, Some("CodeUnknown"), second);
        // No status of HTTP: it must not panic.
        requests.record("/b", 0, None, second);
        requests.record("/b", 999, None, second);

        let mut text = Text::default();
        requests.write(&mut text);
        let text = text.finish();
        let of = |class: &str, count: u8| {
            let labels = format!("{{route=\"/a/{{id}}\",status=\"{class}\"}}");
            format!("gatelodge_request_duration_seconds_count{labels} {count}\n")
        };
        assert!(text.contains(&of("2xx", 2)) && text.contains(&of("4xx", 2)), "{text}");
        let refused =
            "gatelodge_requests_refused_total{route=\"/a/{id}\",refusal=\"CodeUnknown\"} 2\n";
        assert!(text.contains(refused), "{text}");
        assert!(!text.contains("3xx"), "what did not happen is left out: {text}");
    }
}
