//! The one table of functions: which answers which path, and with what.

use figures::measures::Measure;

/// The prefix of every read endpoint.
pub const BASE: &str = "/api/v1";

/// The collector's path.
pub const COLLECT: &str = "/collect";

/// What a path answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// A page of a list, with filters.
    List,
    /// The details of one visitor or session.
    One,
    /// Figures of a range as a whole, above all of this measure.
    Figures(Measure),
    /// Rankings of a range, of this measure.
    Ranking(Measure),
    /// Who is there now.
    Live,
    /// The same for everyone: no key is asked for.
    Open,
    /// Whether a batch was taken.
    Receipt,
    /// What people manage who are signed in, or how they do sign in: by these methods.
    Managed(&'static str),
}

/// A path and the function that answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The path; a segment in braces is a parameter.
    pub path: &'static str,
    /// The function's name, which is also that of its folder and its binary.
    pub function: &'static str,
    /// What it answers with.
    pub answers: Answers,
}

/// The one table of the functions that know who asks: gives it to a macro, each line with the function's crate and name, its
/// path, and what it answers with. [`ROUTES`] is made of it, and so is what the local stack answers with.
#[macro_export]
macro_rules! endpoints {
    ($given_to:ident) => {
        $given_to! {
            visitors "visitors" "/api/v1/visitors" List,
            visitor "visitor" "/api/v1/visitors/{visitor_id}" One,
            sessions "sessions" "/api/v1/sessions" List,
            session "session" "/api/v1/sessions/{session_id}" One,
            events "events" "/api/v1/events" List,
            event_types "event-types" "/api/v1/events/types" Figures(Stats),
            stats "stats" "/api/v1/stats" Figures(Visits),
            pages "pages" "/api/v1/pages" Ranking(Pages),
            live "live" "/api/v1/live" Live,
            frustration "frustration" "/api/v1/insights/frustration" Ranking(Frustration),
            errors "errors" "/api/v1/insights/errors" Ranking(Errors),
            clicks "clicks" "/api/v1/insights/clicks" Ranking(Clicks),
            seo "seo" "/api/v1/insights/seo" Ranking(Seo),
            journeys "journeys" "/api/v1/insights/journeys" Ranking(Journeys),
            reading "reading" "/api/v1/insights/reading" Ranking(Reading),
            forms "forms" "/api/v1/insights/forms" Ranking(Forms),
            acquisition "acquisition" "/api/v1/acquisition" Ranking(Acquisition),
            audience "audience" "/api/v1/audience" Ranking(Audience),
            metrics "metrics" "/api/v1/metrics" Ranking(Vitals),
            sign_in "sign-in" "/manage/v1/sign-in" Managed("POST"),
            sign_out "sign-out" "/manage/v1/sign-out" Managed("POST"),
            me "me" "/manage/v1/me" Managed("GET, HEAD"),
            keys "keys" "/manage/v1/keys" Managed("GET, HEAD, POST"),
            key "key" "/manage/v1/keys/{id}" Managed("DELETE"),
            key_rotation "key-rotation" "/manage/v1/keys/{id}/rotate" Managed("POST"),
            projects "projects" "/manage/v1/projects" Managed("GET, HEAD, POST"),
            project "project" "/manage/v1/projects/{id}" Managed("PATCH"),
            people "people" "/manage/v1/people" Managed("GET, HEAD, POST"),
            person "person" "/manage/v1/people/{id}" Managed("DELETE"),
        }
    };
}

macro_rules! routes {
    ($($crate_name:ident $function:literal $path:literal $answers:expr,)*) => {
        /// All routes. `not-found` answers everything else.
        pub const ROUTES: &[Route] = {
            use Answers::{Figures, List, Live, Managed, One, Open, Ranking, Receipt};
            use Measure::*;
            &[
                $(route($path, $function, $answers),)*
                route("/api/v1/openapi.json", "openapi", Open),
                route(COLLECT, "collect", Receipt),
                route("/identity.js", "tracker", Open),
                route("/identity-more.js", "tracker", Open),
                route("/identity-lite.js", "tracker", Open),
                route("/v/{version}/identity.js", "tracker", Open),
                route("/v/{version}/identity-more.js", "tracker", Open),
                route("/v/{version}/identity-lite.js", "tracker", Open),
                route("/", "dashboard", Open),
                route("/assets/{name}", "dashboard", Open),
            ]
        };
    };
}
endpoints!(routes);

const fn route(path: &'static str, function: &'static str, answers: Answers) -> Route {
    Route { path, function, answers }
}

impl Route {
    /// Whether it reads a project, for the holder of its secret key or a person who may see it.
    pub fn reads_a_project(&self) -> bool {
        !matches!(self.answers, Answers::Open | Answers::Receipt | Answers::Managed(_))
    }

    /// Whether it asks who somebody is: the holder of a key, or a person.
    pub fn knows_who_asks(&self) -> bool {
        self.reads_a_project() || matches!(self.answers, Answers::Managed(_))
    }

    /// Its path below that of the API.
    pub fn resource(&self) -> &'static str {
        self.path.strip_prefix(BASE).and_then(|path| path.strip_prefix('/')).unwrap_or(self.path)
    }

    /// The `Allow` header of this path.
    pub fn allowed(&self) -> &'static str {
        match self.answers {
            Answers::Managed(methods) => methods,
            Answers::Receipt => "POST, OPTIONS",
            _ => "GET, HEAD",
        }
    }

    /// The methods that it takes.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.allowed().split(", ")
    }

    /// Whether the route takes this method.
    pub fn takes(&self, method: &str) -> bool {
        self.methods().any(|allowed| allowed == method)
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
        assert_eq!(function("/"), Some(("dashboard", None)));
        assert_eq!(function("/assets/app-1.js"), Some(("dashboard", Some("app-1.js".to_owned()))));
        assert_eq!(function("/manage/v1/keys"), Some(("keys", None)));
        assert_eq!(function("/manage/v1/keys/3fa94c0d11e2"), Some(("key", Some("3fa94c0d11e2".to_owned()))));
        assert_eq!(
            function("/manage/v1/keys/3fa94c0d11e2/rotate"),
            Some(("key-rotation", Some("3fa94c0d11e2".to_owned())))
        );
        for path in [
            "/manage/v1",
            "/manage/v1/keys/",
            "/assets/",
            "/assets/a/b",
            "//",
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
