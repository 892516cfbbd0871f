//! The one route table: which function answers which path.

/// The prefix of every read endpoint.
pub const BASE: &str = "/api/v1";

/// The collector's path.
pub const COLLECT: &str = "/collect";

/// A path and the function that answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method it answers.
    pub method: &'static str,
    /// The path; a segment in braces is a parameter.
    pub path: &'static str,
    /// The function's name, which is also that of its folder and its binary.
    pub function: &'static str,
}

const fn get(path: &'static str, function: &'static str) -> Route {
    Route { method: "GET", path, function }
}

/// All routes. `not-found` answers everything else.
pub const ROUTES: [Route; 26] = [
    get("/api/v1/visitors", "visitors"),
    get("/api/v1/visitors/{visitor_id}", "visitor"),
    get("/api/v1/sessions", "sessions"),
    get("/api/v1/sessions/{session_id}", "session"),
    get("/api/v1/events", "events"),
    get("/api/v1/events/types", "event-types"),
    get("/api/v1/stats", "stats"),
    get("/api/v1/pages", "pages"),
    get("/api/v1/live", "live"),
    get("/api/v1/insights/frustration", "frustration"),
    get("/api/v1/insights/errors", "errors"),
    get("/api/v1/insights/clicks", "clicks"),
    get("/api/v1/insights/seo", "seo"),
    get("/api/v1/insights/journeys", "journeys"),
    get("/api/v1/insights/reading", "reading"),
    get("/api/v1/insights/forms", "forms"),
    get("/api/v1/acquisition", "acquisition"),
    get("/api/v1/metrics", "metrics"),
    get("/api/v1/openapi.json", "openapi"),
    Route { method: "POST", path: COLLECT, function: "collect" },
    get("/identity.js", "tracker"),
    get("/identity-more.js", "tracker"),
    get("/identity-lite.js", "tracker"),
    get("/v/{version}/identity.js", "tracker"),
    get("/v/{version}/identity-more.js", "tracker"),
    get("/v/{version}/identity-lite.js", "tracker"),
];

/// The functions that answer everyone alike: they ask for no key, and read no table.
const OPEN: [&str; 2] = ["openapi", "tracker"];

impl Route {
    /// Whether it reads a project, for the holder of its secret key.
    pub fn reads_a_project(&self) -> bool {
        self.method == "GET" && !OPEN.contains(&self.function)
    }

    /// The `Allow` header of this path.
    pub fn allowed(&self) -> &'static str {
        if self.method == "GET" { "GET, HEAD" } else { "POST, OPTIONS" }
    }

    /// Whether the route takes this method.
    pub fn takes(&self, method: &str) -> bool {
        self.allowed().split(", ").any(|allowed| allowed == method)
    }
}

/// The route of a path, with the value of its parameter, whatever the method.
pub fn find(path: &str) -> Option<(&'static Route, Option<String>)> {
    ROUTES.iter().find_map(|route| matches(route.path, path).map(|parameter| (route, parameter)))
}

/// The path's parameter, decoded; empty where the path has none.
pub fn parameter(path: &str) -> String {
    find(path).and_then(|(_, parameter)| parameter).unwrap_or_default()
}

fn matches(pattern: &str, path: &str) -> Option<Option<String>> {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    let mut parameter = None;
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return Some(parameter),
            (Some(name), Some(given)) if name.starts_with('{') && !given.is_empty() => {
                parameter = Some(percent_encoding::percent_decode_str(given).decode_utf8_lossy().into_owned());
            }
            (Some(expected), Some(given)) if expected == given => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_function() {
        let function = |path| find(path).map(|(route, parameter)| (route.function, parameter));
        assert_eq!(function("/api/v1/visitors"), Some(("visitors", None)));
        assert_eq!(function("/api/v1/visitors/v%5F1"), Some(("visitor", Some("v_1".to_owned()))));
        assert_eq!(function("/api/v1/events/types"), Some(("event-types", None)));
        assert_eq!(function("/api/v1/insights/errors"), Some(("errors", None)));
        assert_eq!(function("/identity.js"), Some(("tracker", None)));
        assert_eq!(function("/identity-more.js"), Some(("tracker", None)));
        assert_eq!(function("/v/1.4.2/identity-lite.js"), Some(("tracker", Some("1.4.2".to_owned()))));
        for path in [
            "/",
            "/api/v1",
            "/api/v1/insights",
            "/api/v1/errors",
            "/api/v1/visitors/",
            "/api/v1/visitors/a/b",
            "/api/v2/visitors",
            "/collect/",
            "/identity",
            "/v/identity.js",
            "/v//identity.js",
            "/v/1.4.2/other.js",
        ] {
            assert_eq!(function(path), None, "{path}");
        }
    }
}
