//! `/demo/` of the local stack: a small site with the tracker in its pages, in which everything that the API tells of can
//! be provoked by hand. It is not deployed.

use std::time::Duration;

use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use shared::auth::ApiKey;
use shared::error::ApiError;

/// Where the site is.
pub const HOME: &str = "/demo/";

/// The address of the site without the slash at its end.
const WITHOUT_SLASH: &str = "/demo";
const ALLOWED: &str = "GET, HEAD";

/// How long the slow page keeps its reader waiting.
const SLOWNESS: Duration = Duration::from_secs(2);

const LAYOUT: &str = include_str!("../demo/layout.html");

/// A page: what differs from the other ones.
struct Page {
    /// Its path below the site's.
    path: &'static str,
    title: &'static str,
    /// Its meta description; none is a fault.
    description: Option<&'static str>,
    main: &'static str,
}

const PAGES: [Page; 9] = [
    Page {
        path: "",
        title: "Harbor: project planning for small teams",
        description: Some(
            "One board, one calendar, no meetings about meetings: Harbor is project planning for small teams.",
        ),
        main: include_str!("../demo/home.html"),
    },
    Page {
        path: "features",
        title: "Features | Harbor",
        description: Some(
            "A board, quick adding, exports, a calendar and votes: what Harbor does, to be tried on the spot.",
        ),
        main: include_str!("../demo/features.html"),
    },
    Page {
        path: "pricing",
        title: "Pricing | Harbor",
        description: Some("One price a head: Harbor is free for one, and six euros a month for each member of a team."),
        main: include_str!("../demo/pricing.html"),
    },
    Page {
        path: "docs",
        title: "Weekly planning that survives Wednesday | Harbor",
        description: Some(
            "Most plans are good on Monday. This is about the ones that are still good three days later.",
        ),
        main: include_str!("../demo/docs.html"),
    },
    Page {
        path: SLOW,
        title: "Reports | Harbor",
        description: Some("How your week went, in one number, computed while you wait, which takes a moment."),
        main: include_str!("../demo/reports.html"),
    },
    Page {
        path: "signup",
        title: "Sign up | Harbor",
        description: Some("Start with Harbor for free, without a card, a call or a newsletter."),
        main: include_str!("../demo/signup.html"),
    },
    Page {
        path: "contact",
        title: "Contact | Harbor",
        description: Some("Talk to the people behind Harbor, who answer within a day."),
        main: include_str!("../demo/contact.html"),
    },
    Page {
        path: "welcome",
        title: "Welcome | Harbor",
        description: Some("Your board is empty, which is the best state for a board to be in."),
        main: include_str!("../demo/welcome.html"),
    },
    // What it lacks, it lacks on purpose.
    Page {
        path: "archive",
        title: "Archive of everything that was ever announced, changed, moved, withdrawn and announced again | Harbor",
        description: None,
        main: include_str!("../demo/archive.html"),
    },
];

/// The page that takes its time.
const SLOW: &str = "reports";

/// The other files, with their types.
const FILES: [(&str, &str, &str); 2] = [
    ("site.css", "text/css; charset=utf-8", include_str!("../demo/site.css")),
    ("site.js", "text/javascript; charset=utf-8", include_str!("../demo/site.js")),
];

/// The site, with a project's public key in its pages.
#[derive(Debug)]
pub struct DemoSite {
    key: String,
}

impl DemoSite {
    /// A site whose visitors are those of the key's project.
    pub fn new(public_key: &ApiKey) -> Self {
        DemoSite { key: public_key.reveal().to_owned() }
    }

    /// Answers a request of the site; none is for others to answer.
    pub async fn answer(&self, request: &Request) -> Option<Response<Body>> {
        let path = request.uri().path();
        let inside = path.strip_prefix(HOME);
        if inside.is_none() && path != WITHOUT_SLASH {
            return None;
        }
        let mut response = match (request.method(), inside) {
            (&Method::GET | &Method::HEAD, Some(path)) => self.found(path).await,
            (&Method::GET | &Method::HEAD, None) => moved(),
            _ => ApiError::MethodNotAllowed(ALLOWED).into_response(),
        };
        if request.method() == Method::HEAD {
            *response.body_mut() = Body::Empty;
        }
        Some(response)
    }

    async fn found(&self, path: &str) -> Response<Body> {
        if let Some((_, kind, text)) = FILES.iter().find(|(name, ..)| *name == path) {
            return file(kind, (*text).to_owned());
        }
        let Some(page) = PAGES.iter().find(|page| page.path == path) else {
            return ApiError::NotFound("The demo site has no such page.").into_response();
        };
        if page.path == SLOW {
            tokio::time::sleep(SLOWNESS).await;
        }
        file("text/html; charset=utf-8", self.written(page))
    }

    fn written(&self, page: &Page) -> String {
        let description = page.description.map(|text| format!("<meta name=\"description\" content=\"{text}\">\n"));
        LAYOUT
            .replace("{{title}}", page.title)
            .replace("{{description}}", &description.unwrap_or_default())
            .replace("{{key}}", &self.key)
            .replace("{{main}}", page.main.trim_end())
    }
}

fn moved() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static(HOME));
    response
}

/// A file that may be kept, but is asked for each time: its key is that of a run.
fn file(kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands between two texts, wherever both are.
    fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
        text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
    }

    #[test]
    fn links_of_the_site_lead_somewhere_and_its_script_finds_its_elements() {
        let [_, (_, _, script)] = FILES;
        let all: String = PAGES.iter().map(|page| page.main).collect();
        for text in [LAYOUT, &all] {
            for link in between(text, "\"/demo/", "\"") {
                let path = link.split('?').next().unwrap_or_default();
                let is_known =
                    PAGES.iter().any(|page| page.path == path) || FILES.iter().any(|(name, ..)| *name == path);
                assert!(is_known, "{link}");
            }
        }
        for id in between(script, "'#", "'") {
            assert!(all.contains(&format!("id=\"{id}\"")), "{id}");
        }
        for page in &PAGES {
            assert!(page.main.contains("class=\"try\""), "{} says nothing of what can be tried", page.path);
        }
    }
}
