//! Umami: rows of the table `website_event`, as CSV under a heading: of the archive that Umami Cloud exports, or of a database of one's own.

use figures::channels::engine_of_click;
use serde::Deserialize;
use serde_json::Value;

use super::client::{browser, country_of_code, mobile, system};
use super::export::{Context, Export, Stop, event};
use super::hit::{Client, Hit, Landing, Tags};
use super::input::{BytesRead, Text};
use super::rows::Rows;
use super::values::{Data, PAGE_VIEW, Page, campaign, event_name, id, mark, micros_of, referrer, screen, short, tag};

const SOURCE: &str = "umami";

/// Which of Umami's files can be imported.
pub const FILES: &str = "Of an archive of Umami Cloud, import website_event.csv, with --from umami. What Umami's dashboard downloads \
    (pages.csv, referrers.csv and others) holds totals, from which no visits can be told";

/// Columns without which there are no visits.
const REQUIRED: [&str; 3] = ["session_id", "created_at", "url_path"];

/// A row, as far as it is of use. Of a database of one's own, the columns of `session` may be joined to it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    event_id: Cell,
    session_id: Cell,
    visit_id: Cell,
    created_at: Cell,
    hostname: Cell,
    url_path: Cell,
    url_query: Cell,
    referrer_domain: Cell,
    referrer_path: Cell,
    page_title: Cell,
    event_type: Cell,
    event_name: Cell,
    tag: Cell,
    utm_source: Cell,
    utm_medium: Cell,
    utm_campaign: Cell,
    utm_content: Cell,
    utm_term: Cell,
    gclid: Cell,
    msclkid: Cell,
    browser: Cell,
    os: Cell,
    device: Cell,
    screen: Cell,
    language: Cell,
    country: Cell,
    city: Cell,
    distinct_id: Cell,
    lcp: Cell,
    inp: Cell,
    cls: Cell,
    fcp: Cell,
    ttfb: Cell,
    event_data: Cell,
}

/// A cell of a row.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
struct Cell(String);

impl Cell {
    /// Its text, if it holds anything; `\N` is null.
    fn text(&self) -> Option<&str> {
        Some(self.0.trim()).filter(|text| !text.is_empty() && *text != "\\N")
    }
}

/// Reads rows.
pub fn read(text: Text, read: BytesRead, export: &mut Export) -> Result<(), Stop> {
    let mut rows = Rows::new(text, read).map_err(|error| Stop::Unreadable(0, error))?;
    let missing: Vec<&str> = REQUIRED.into_iter().filter(|column| !rows.has(column)).collect();
    if !missing.is_empty() {
        let columns = missing.join(", ");
        return Err(Stop::Strange(format!(
            "the first line does not name the columns of website_event; missing: {columns}. {FILES}"
        )));
    }
    let mut last = 1;
    while let Some(row) = rows.next::<Row>() {
        let row = row.map_err(|error| Stop::Unreadable(last, error))?;
        last = row.line;
        let outcome =
            row.cells.map_err(|broken| broken.to_string()).and_then(|cells| hits(&cells, row.line, export.context()));
        export.take(row.line, outcome)?;
    }
    Ok(())
}

/// What a row tells.
pub fn hits(row: &Row, line: u64, context: &mut Context) -> Result<Vec<Hit>, String> {
    let micros = row.created_at.text().and_then(micros_of).ok_or("created_at: must be 2024-06-25 08:00:00")?;
    let visitor = row.session_id.text().ok_or("session_id: is required")?;
    // In older versions a session is all there is.
    let visit = row.visit_id.text().unwrap_or(visitor);
    let page = page(row, context);
    let Some((name, data)) = described(row, page.as_ref(), context) else {
        context.lose("clicks of links and views of pixels, which are no visits, left out");
        return Ok(Vec::new());
    };
    let mut hit = Hit::new(id(SOURCE, &[visitor]), id(SOURCE, &[visit]), micros, line);
    hit.mark = row.event_id.text().map(mark);
    hit.event = event(name, page.as_ref(), data, context);
    hit.landing = landing(row, page.as_ref());
    hit.client = client(row);
    Ok(vec![hit])
}

fn page(row: &Row, context: &Context) -> Option<Page> {
    let path = row.url_path.text().filter(|path| path.starts_with('/'))?;
    let query = row.url_query.text().map(|query| format!("?{}", query.trim_start_matches('?'))).unwrap_or_default();
    // A fragment stands in it, too, before the query that it came after.
    let path = path.split('#').next()?;
    context.page(&format!("{}{path}{query}", row.hostname.text().unwrap_or_default()))
}

/// An event's name and data, if it is of a visit.
fn described(row: &Row, page: Option<&Page>, context: &mut Context) -> Option<(String, Data)> {
    let mut data = Data::default();
    data.add_text("tag", row.tag.text().map(str::to_owned));
    let name = match (row.event_type.text(), row.event_name.text()) {
        (Some("1"), _) | (None, None) => {
            data.add_text("url", page.map(|page| page.url.clone()));
            data.add_text("title", row.page_title.text().map(str::to_owned));
            PAGE_VIEW.to_owned()
        }
        (Some("5"), _) => {
            for (name, cell) in
                [("lcp", &row.lcp), ("inp", &row.inp), ("cls", &row.cls), ("fcp", &row.fcp), ("ttfb", &row.ttfb)]
            {
                let number = cell.text().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
                data.add(name, number.map_or(Value::Null, Value::from));
            }
            "web_vitals".to_owned()
        }
        (Some("2") | None, name) => {
            match row.event_data.text().map(serde_json::from_str) {
                Some(Ok(Value::Object(entries))) => {
                    entries.into_iter().for_each(|(name, value)| data.add(&name, value))
                }
                Some(_) => context.lose("events whose event_data is no JSON object, taken without it"),
                None => {}
            }
            event_name(name.unwrap_or("event"))
        }
        _ => return None,
    };
    Some((name, data))
}

fn landing(row: &Row, page: Option<&Page>) -> Landing {
    let told = |cell: &Cell| cell.text().and_then(tag);
    let tags = Tags {
        source: told(&row.utm_source),
        medium: told(&row.utm_medium),
        campaign: told(&row.utm_campaign),
        term: told(&row.utm_term),
        content: told(&row.utm_content),
    };
    let clicked = [("gclid", &row.gclid), ("msclkid", &row.msclkid)];
    let engine = clicked.iter().find(|(_, cell)| cell.text().is_some()).and_then(|(name, _)| engine_of_click(name));
    let address =
        row.referrer_domain.text().map(|host| format!("{host}{}", row.referrer_path.text().unwrap_or_default()));
    Landing { referrer: address.and_then(|address| referrer(&address, page)), tags: campaign(tags, page, engine) }
}

fn client(row: &Row) -> Client {
    let (geo_country_code, geo_country) = row.country.text().and_then(country_of_code).unzip();
    Client {
        browser_name: row.browser.text().and_then(browser),
        browser_version: None,
        os: row.os.text().and_then(system),
        mobile: row.device.text().and_then(mobile),
        geo_country,
        geo_country_code,
        geo_city: row.city.text().and_then(short),
        language: row.language.text().and_then(short),
        screen: row.screen.text().and_then(screen),
        alias: row.distinct_id.text().and_then(short),
    }
}
