//! `GET /api/v1/insights/seo`: what is wrong with pages in the eyes of a search engine.

use std::collections::{BTreeSet, HashMap};

use figures::log::View;
use figures::measures::Measure;
use figures::measures::seo::{Diagnostics, latest};
use figures::time::Millis;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// The diagnostics of a range.
#[derive(Debug, Serialize)]
pub struct Seo {
    pages: Vec<Page>,
    issues: Vec<Issue>,
}

/// A page's latest diagnostics.
#[derive(Debug, Serialize)]
pub struct Page {
    url: String,
    #[serde(flatten)]
    diagnostics: Diagnostics,
    checked_at: Millis,
}

/// How many pages have an issue.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    issue: String,
    pages: u64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Seo>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Seo, range)]).await?;
    let pages = latest(view.days(Measure::Seo));
    let issues = issues(pages.values().map(|(_, diagnostics)| diagnostics), limit);
    let rows = pages.iter().map(|(url, page)| (url.as_str(), page));
    let rows = ranked(rows, limit, |(_, diagnostics)| diagnostics.issues.len(), str::to_owned);
    let rows = rows.map(|(url, (checked_at, diagnostics))| Page {
        url,
        diagnostics: diagnostics.clone(),
        checked_at: *checked_at,
    });
    Ok(Data { data: Seo { pages: rows.collect(), issues } })
}

/// The issues of most pages. A page counts once for each of its issues.
fn issues<'a>(pages: impl Iterator<Item = &'a Diagnostics>, limit: usize) -> Vec<Issue> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for page in pages {
        for issue in page.issues.iter().collect::<BTreeSet<_>>() {
            *counts.entry(issue).or_default() += 1;
        }
    }
    ranked(counts, limit, |pages| *pages, str::to_owned).map(|(issue, pages)| Issue { issue, pages }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_once_for_each_of_its_issues() {
        let page = |issues: &[&str]| Diagnostics {
            issues: issues.iter().map(|issue| (*issue).to_owned()).collect(),
            ..Diagnostics::default()
        };
        let pages = [page(&["no_h1", "no_title", "no_h1"]), page(&["no_title"]), page(&["alt"]), page(&[])];
        let row = |issue: &str, pages| Issue { issue: issue.to_owned(), pages };
        assert_eq!(issues(pages.iter(), 50), [row("no_title", 2), row("alt", 1), row("no_h1", 1)]);
        assert_eq!(issues(pages.iter(), 1), [row("no_title", 2)]);
    }
}
