//! The API as a client of it sees it, and what the benchmarks ask.

use figures::measures::Measure;
use reqwest::StatusCode;
use serde_json::Value;
use shared::routes::{Answers, ROUTES};

use crate::BenchError;

/// What a request is called in tables, and its path.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The endpoint, with the parameters that matter.
    pub name: String,
    /// Which page.
    pub page: &'static str,
    /// Path and query.
    pub path: String,
    /// Whether it reads the tail.
    pub reads_tail: bool,
    /// The measure whose counters it adds up, if it has no pages.
    pub measure: Option<Measure>,
}

/// The lists, with the filters that each of them is asked with.
const LISTS: [(&str, &str); 11] = [
    ("visitors", ""),
    ("visitors", "browser=Firefox"),
    ("visitors", "os=iOS"),
    ("visitors", "country=RS"),
    ("visitors", "browser=chrome&os=windows&country=de"),
    ("visitors", "search=belgr"),
    ("sessions", ""),
    ("sessions", "url=articles/7"),
    ("events", ""),
    ("events", "type=page_view"),
    ("events", "type=rage_click"),
];

/// What has no pages, and the measure whose counters it adds up: of several, the one that grows most.
fn figures() -> impl Iterator<Item = (String, Option<Measure>)> {
    ROUTES.iter().flat_map(|route| {
        let path = route.resource();
        match route.answers {
            Answers::Figures(Measure::Visits) => {
                vec![(path.to_owned(), Some(Measure::Visits)), (format!("{path}?interval=day"), Some(Measure::Visits))]
            }
            Answers::Figures(measure) | Answers::Ranking(measure) => vec![(path.to_owned(), Some(measure))],
            Answers::Live => vec![(path.to_owned(), None)],
            Answers::List | Answers::One | Answers::Open | Answers::Receipt | Answers::Managed(_) => Vec::new(),
        }
    })
}

/// The API of a project.
#[derive(Debug, Clone)]
pub struct Api {
    base_url: String,
    secret_key: String,
    client: reqwest::Client,
}

impl Api {
    /// The API at an address.
    pub fn new(base_url: String, secret_key: &str) -> Self {
        Api { base_url, secret_key: secret_key.to_owned(), client: reqwest::Client::new() }
    }

    /// All requests that are measured: first, middle and last page of lists, and one of everything else. A visitor's own
    /// data are this visitor's, or the one's with the newest visit.
    pub async fn asked(&self, visitor: Option<&str>) -> Result<Vec<Asked>, BenchError> {
        let mut asked = Vec::new();
        for (list, filter) in LISTS {
            let name = if filter.is_empty() { list.to_owned() } else { format!("{list}?{filter}") };
            let pages = self.pages(&format!("{list}?{filter}")).await?;
            let row = |(page, path)| Asked { name: name.clone(), page, path, reads_tail: true, measure: None };
            asked.extend(pages.map(row));
        }
        let of_visitor = visitor.map(|visitor| format!("&visitor_id={visitor}")).unwrap_or_default();
        let newest = &self.get(&format!("sessions?limit=1{of_visitor}")).await?["data"][0];
        let id = |name: &str| newest[name].as_str().unwrap_or("none").to_owned();
        let (visitor, session) = (id("visitor_id"), id("session_id"));
        let ones = [
            ("visitors/{id}", format!("visitors/{visitor}")),
            ("sessions/{id}", format!("sessions/{session}")),
            ("sessions?visitor_id", format!("sessions?visitor_id={visitor}")),
            ("events?session_id", format!("events?session_id={session}")),
        ];
        let own =
            |name: &str, page, path| Asked { name: name.to_owned(), page, path, reads_tail: false, measure: None };
        asked.extend(ones.map(|(name, path)| own(name, "", path)));
        let pages = self.pages(&format!("events?visitor_id={visitor}")).await?;
        asked.extend(pages.map(|(page, path)| own("events?visitor_id", page, path)));
        asked.extend(figures().map(|(path, measure)| Asked {
            name: path.clone(),
            page: "",
            path,
            reads_tail: true,
            measure,
        }));
        Ok(asked)
    }

    /// The first, the middle and the last page of a list.
    async fn pages(&self, list: &str) -> Result<[(&'static str, String); 3], BenchError> {
        let pages = self.get(list).await?["pagination"]["total_pages"].as_u64().unwrap_or(1).max(1);
        let page = |(page, number)| (page, format!("{list}&page={number}"));
        Ok([("first", 1), ("middle", pages.div_ceil(2)), ("last", pages)].map(page))
    }

    /// What a request is answered with.
    pub async fn get(&self, path: &str) -> Result<Value, BenchError> {
        let url = format!("{}/api/v1/{path}", self.base_url);
        let answer = self.client.get(&url).bearer_auth(&self.secret_key).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            let told = format!("{path} is answered {status}: {text}");
            let is_busy = status == StatusCode::SERVICE_UNAVAILABLE;
            return Err(if is_busy { BenchError::Busy(told) } else { BenchError::Failed(told) });
        }
        Ok(serde_json::from_str(&text)?)
    }
}
